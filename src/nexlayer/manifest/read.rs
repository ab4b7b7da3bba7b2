//! Reads a manifest of any generation, and notes what is odd about it.
//!
//! Older forms, and where they come from: `application.template` with `tag` and `privateTag`
//! (Nexlayer/templates until January 2025), variables and ports as lists of maps and `path` for
//! `mountPath` (nexlayer-cli), `pods` beside `application` (nexlayer.com/docs/deployments/scaling),
//! `imagePullSecrets`, `domain` and files by name within a secret (the first schema of
//! nexlayer-plugin).

use super::fields::{Field, Fields, Reader};
use super::lint::{Notes, Path, Rule, Warning};
use super::pattern;
use super::spec::{AppSpec, Others, RegistryLogin};
use super::tree::{self, Node};
use crate::secret::Secret;
use serde_saphyr::{Location, Spanned};
use std::collections::HashSet;

/// Everything that is found in a manifest.
pub(super) struct Found {
    /// As much as could be read.
    pub(super) spec: AppSpec,
    pub(super) warnings: Vec<Warning>,
}

/// What the pods have in common, or need of the application.
#[derive(Default)]
pub(super) struct Whole {
    pub(super) names: HashSet<String>,
    /// Where a host of a pod is named, and how.
    pub(super) hosts: Vec<(String, Location, String)>,
    /// Fields that version 2.0 switches on.
    pub(super) of_version_2: Vec<(Location, String)>,
    pub(super) subdomains: Vec<(Location, String)>,
    /// Where `<% REGISTRY %>` is needed.
    pub(super) registry: Vec<(Location, String)>,
    pub(super) has_path: bool,
}

/// Reads the text of a manifest.
pub(super) fn read(text: &str) -> Result<Found, serde_saphyr::Error> {
    let text = tree::without_mark(text);
    let root = tree::parse(text)?;
    let mut reader = Reader {
        text,
        notes: Notes::default(),
    };
    let spec = reader.root(&root);
    Ok(Found {
        spec,
        warnings: reader.notes.sorted(),
    })
}

impl Reader<'_> {
    fn root(&mut self, root: &Spanned<Node>) -> AppSpec {
        let Some(mut fields) = Fields::of(self, root.into(), &Path::Root) else {
            return AppSpec::default();
        };
        let application = fields.take("application");
        let pods = fields.take("pods");
        let beside = fields.others(self, &[], &[]);
        let mut spec = match application {
            Some(field) => self.application(field, pods),
            None => AppSpec::default(),
        };
        spec.beside = beside;
        spec
    }

    fn application(&mut self, field: Field<'_>, beside: Option<Field<'_>>) -> AppSpec {
        let mut spec = AppSpec::default();
        let mut whole = Whole::default();
        let root = Path::Root;
        let path = root.field(field.key);
        let Some(mut fields) = Fields::of(self, field.value, &path) else {
            return spec;
        };
        let form = (
            &pattern::APPLICATION_NAME,
            Rule::ApplicationName,
            "a name is 3 to 64 of a-z, 0-9, . and -, with a letter first",
        );
        let name = fields.formed(self, "name", &[], form);
        spec.name = name.map(|(name, _)| name).unwrap_or_default();
        if let Some(field) = fields.get(self, "version") {
            // A number is as good here as a text.
            spec.version = self.spelling(field.value);
            if spec.version.is_none() {
                self.unreadable(field.value, &path.field("version"), "a version");
            }
        }
        let form = (
            &pattern::URL,
            Rule::UrlForm,
            "a bare domain such as example.com is expected, without a scheme",
        );
        let url = fields.formed(self, "url", &["domain"], form);
        spec.url = url.map(|(url, _)| url);
        if let Some(field) = fields.get(self, "registryLogin") {
            spec.registry_login = self.registry_login(field, &path.field("registryLogin"));
        }
        for (key, command) in [
            ("entrypoint", &mut spec.entrypoint),
            ("command", &mut spec.command),
        ] {
            let at = fields.place(key);
            *command = self.command(&mut fields, key);
            if let Some(at) = at {
                let message = "a field of an older generation: pods have their own";
                self.notes
                    .add(Rule::OldField, at, &path.field(key), message);
            }
        }
        let mut others = Vec::new();
        if let Some(field) = fields.older(self, "imagePullSecrets", "registryLogin") {
            self.pull_secrets(field, &path, &mut spec, &mut others);
        }
        let mut lists = 0;
        if let Some(field) = fields.get(self, "pods") {
            lists += 1;
            self.pods(field, &path.field("pods"), &mut spec, &mut whole);
        }
        if let Some(field) = fields.older(self, "template", "application itself") {
            let path = path.field("template");
            lists += self.template(field, &path, &mut spec, &mut whole, &mut others);
        }
        if let Some(field) = beside {
            let message = "pods belong below application today";
            self.notes.add(
                Rule::OldSpelling,
                field.key_at,
                &root.field("pods"),
                message,
            );
            if !field.value.node.is_null() {
                lists += 1;
                self.pods(field, &root.field("pods"), &mut spec, &mut whole);
            }
        }
        if spec.pods.is_empty() {
            let message = match lists {
                0 => "there are no pods",
                _ => "the list of pods is empty",
            };
            self.notes.add(Rule::NoPods, fields.at, &path, message);
        }
        self.of_all_pods(&spec, &whole, fields.at, &path);
        spec.others = fields.others(self, &[], &["annotations"]);
        spec.others.0.extend(others);
        spec
    }

    /// The first generation has all within a template. Gives the number of lists of pods.
    fn template(
        &mut self,
        field: Field<'_>,
        path: &Path<'_>,
        spec: &mut AppSpec,
        whole: &mut Whole,
        others: &mut Vec<(String, serde_json::Value)>,
    ) -> usize {
        let Some(mut fields) = Fields::of(self, field.value, path) else {
            return 0;
        };
        let name = fields
            .take("name")
            .filter(|field| !field.value.node.is_null());
        if let Some(field) = name
            && let Some(name) = self.spelling(field.value)
            && spec.name.is_empty()
        {
            if !(pattern::APPLICATION_NAME.fits)(&name) {
                let message = "a name is 3 to 64 of a-z, 0-9, . and -, with a letter first";
                self.notes.add(
                    Rule::ApplicationName,
                    field.value.at,
                    &path.field("name"),
                    message,
                );
            }
            spec.name = name;
        }
        if let Some(field) = fields.get(self, "registryLogin") {
            let login = self.registry_login(field, &path.field("registryLogin"));
            spec.registry_login = spec.registry_login.take().or(login);
        }
        let pods = fields.get(self, "pods");
        if let Some(field) = pods {
            self.pods(field, &path.field("pods"), spec, whole);
        }
        let left = fields.others(self, &[], &["deploymentName"]).0;
        if !left.is_empty() {
            // Outside of it they might be taken for fields of today.
            let left = left.into_iter().collect::<serde_json::Map<_, _>>();
            others.push((field.key.to_owned(), left.into()));
        }
        usize::from(pods.is_some())
    }

    fn registry_login(&mut self, field: Field<'_>, path: &Path<'_>) -> Option<RegistryLogin> {
        let mut fields = Fields::of(self, field.value, path)?;
        let mut text = |reader: &mut Self, key: &'static str| {
            let there = fields.has(key);
            let text = fields.text(reader, key, &[]);
            if !there {
                fields.missing(reader, key);
            }
            text.map(|(text, _)| text)
        };
        let registry = text(self, "registry");
        let username = text(self, "username");
        let token = text(self, "personalAccessToken");
        Some(RegistryLogin {
            registry,
            username,
            personal_access_token: token.map(Secret::from),
            others: fields.others(self, &[], &[]),
        })
    }

    /// The older form of `registryLogin`, which is a list.
    fn pull_secrets(
        &mut self,
        field: Field<'_>,
        path: &Path<'_>,
        spec: &mut AppSpec,
        others: &mut Vec<(String, serde_json::Value)>,
    ) {
        let path = path.field(field.key);
        let mut more = Vec::new();
        for (index, item) in self.list_of(field, &path).into_iter().enumerate() {
            let path = path.item(index);
            let Some(mut fields) = Fields::of(self, item, &path) else {
                continue;
            };
            let mut text = |reader: &mut Self, key| Some(fields.text(reader, key, &[])?.0);
            let login = RegistryLogin {
                registry: text(self, "registry"),
                username: text(self, "username"),
                personal_access_token: text(self, "password").map(Secret::from),
                others: Others::default(),
            };
            text(self, "name");
            fields.others(self, &[], &[]);
            if spec.registry_login.is_some() {
                more.push(item.node.to_json());
            } else {
                spec.registry_login = Some(login);
            }
        }
        if !more.is_empty() {
            others.push((field.key.to_owned(), more.into()));
        }
    }

    fn pods(&mut self, field: Field<'_>, path: &Path<'_>, spec: &mut AppSpec, whole: &mut Whole) {
        for (index, item) in self.list_of(field, path).into_iter().enumerate() {
            let pod = self.pod(item, &path.item(index), whole);
            spec.pods.extend(pod);
        }
    }

    /// What can only be said when all pods are known.
    fn of_all_pods(&mut self, spec: &AppSpec, whole: &Whole, at: Location, path: &Path<'_>) {
        let mut all = |rule, places: &[(Location, String)], message: &str| {
            for (at, path) in places {
                self.notes.add(rule, *at, &Path::Shown(path), message);
            }
        };
        let version = spec
            .version
            .as_deref()
            .and_then(|text| text.trim().parse().ok());
        if version.is_none_or(|version: f64| version < 2.0) {
            let message = "it is ignored unless application.version is 2.0";
            all(Rule::NeedsVersion2, &whole.of_version_2, message);
        }
        if spec.url.is_none() {
            let message = "a subdomain needs application.url";
            all(Rule::SubdomainWithoutUrl, &whole.subdomains, message);
        }
        if spec.registry_login.is_none() {
            let message = "<% REGISTRY %> needs application.registryLogin";
            all(Rule::NoRegistryLogin, &whole.registry, message);
        }
        for (host, at, path) in &whole.hosts {
            if !whole.names.contains(host) {
                let message = "there is no pod of that name";
                self.notes
                    .add(Rule::UnknownPod, *at, &Path::Shown(path), message);
            }
        }
        if !whole.has_path && !spec.pods.is_empty() {
            let message = "no pod has a path: it cannot be reached from outside";
            self.notes.add(Rule::NoPath, at, path, message);
        }
    }
}
