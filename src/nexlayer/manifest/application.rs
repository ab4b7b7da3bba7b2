//! Reads an application of any generation.
//!
//! Older forms, and where they come from: `application.template` with `tag` and `privateTag`
//! (Nexlayer/templates until January 2025), variables and ports as lists of maps and `path` for
//! `mountPath` (nexlayer-cli), `pods` beside `application` (nexlayer.com/docs/deployments/scaling),
//! `imagePullSecrets`, `domain` and files by name within a secret (the first schema of
//! nexlayer-plugin).

use super::cursor::{Cursor, Fields, Source};
use super::patterns::{APPLICATION, APPLICATION_NAME, OTHER, REGISTRY_LOGIN, TEMPLATE};
use super::rules::{Rule, Warning, Warnings};
use super::spec::{AppSpec, Others, RegistryLogin};
use super::tree;
use crate::secret::Secret;
use std::cell::RefCell;
use std::collections::HashSet;

/// Places in pods that can only be checked when all pods are known.
#[derive(Default)]
pub(super) struct Deferred<'n> {
    pub(super) pod_names: HashSet<String>,
    /// Hosts `{name}.pod` and where they are used.
    pub(super) hosts: Vec<(String, Cursor<'n>)>,
    /// Fields that need version 2.0.
    pub(super) version_2: Vec<Cursor<'n>>,
    pub(super) subdomains: Vec<Cursor<'n>>,
    /// Images that use `<% REGISTRY %>`.
    pub(super) registry: Vec<Cursor<'n>>,
}

/// Reads as much of a manifest as possible, with warnings about the rest.
pub(super) fn read(text: &str) -> Result<(AppSpec, Vec<Warning>), serde_saphyr::Error> {
    let text = tree::without_mark(text);
    let root = tree::parse(text)?;
    let source = Source {
        text,
        warnings: RefCell::new(Warnings::default()),
    };
    let spec = file(&Cursor::root(&source, &root)).unwrap_or_default();
    Ok((spec, source.warnings.into_inner().sorted()))
}

fn file(root: &Cursor<'_>) -> Option<AppSpec> {
    let mut fields = root.fields(&OTHER)?;
    let application = fields.take("application");
    let pods = fields.older("pods", "application.pods");
    let spec = application.and_then(|value| self::application(&value, pods));
    Some(AppSpec {
        beside: fields.others(),
        ..spec.unwrap_or_default()
    })
}

fn application<'n>(value: &Cursor<'n>, pods_beside: Option<Cursor<'n>>) -> Option<AppSpec> {
    let mut fields = value.fields(&APPLICATION)?;
    let mut spec = AppSpec {
        name: fields.string("name").unwrap_or_default(),
        // A number is as good here as a text.
        version: fields
            .get("version")
            .and_then(|version| version.value("a version")),
        url: fields.string("url"),
        registry_login: fields
            .get("registryLogin")
            .and_then(|login| registry_login(&login)),
        entrypoint: fields.command("entrypoint"),
        command: fields.command("command"),
        ..AppSpec::default()
    };
    let mut lists: Vec<_> = fields.get("pods").into_iter().collect();
    let mut others = pull_secrets(&mut fields, &mut spec);
    if let Some(value) = fields.older("template", "application itself") {
        let left = template(&value, &mut spec, &mut lists).unwrap_or_default();
        if !left.0.is_empty() {
            // Outside of it they might be taken for fields of today.
            let left: serde_json::Map<_, _> = left.0.into_iter().collect();
            others.push(("template".to_owned(), left.into()));
        }
    }
    lists.extend(pods_beside);
    let mut deferred = Deferred::default();
    for pod in lists.iter().filter_map(Cursor::items).flatten() {
        spec.pods.extend(super::pods::pod(&pod, &mut deferred));
    }
    if spec.pods.is_empty() {
        value.warn(Rule::NoPods);
    } else if spec.pods.iter().all(|pod| pod.path.is_none()) {
        value.warn(Rule::NoPath);
    }
    deferred.check(&spec);
    spec.others = fields.others();
    spec.others.0.extend(others);
    Some(spec)
}

/// Reads a template, in which the first generation has the whole application. Returns its other
/// fields.
fn template<'n>(
    value: &Cursor<'n>,
    spec: &mut AppSpec,
    lists: &mut Vec<Cursor<'n>>,
) -> Option<Others> {
    let mut fields = value.fields(&TEMPLATE)?;
    let name = fields.take("name").filter(|name| !name.is_null());
    if let Some(value) = name
        && let Some(name) = value.spelling()
        && spec.name.is_empty()
    {
        if !APPLICATION_NAME.is_match(&name) {
            value.warn(Rule::ApplicationName);
        }
        spec.name = name;
    }
    let login = fields.get("registryLogin");
    let login = login.and_then(|login| registry_login(&login));
    spec.registry_login = spec.registry_login.take().or(login);
    lists.extend(fields.get("pods"));
    Some(fields.others())
}

fn registry_login(value: &Cursor<'_>) -> Option<RegistryLogin> {
    let mut fields = value.fields(&REGISTRY_LOGIN)?;
    Some(RegistryLogin {
        registry: fields.string("registry"),
        username: fields.string("username"),
        personal_access_token: fields.string("personalAccessToken").map(Secret::from),
        others: fields.others(),
    })
}

/// Reads the older form of `registryLogin`, a list. Returns what has no place in the newer one.
fn pull_secrets(fields: &mut Fields<'_>, spec: &mut AppSpec) -> Vec<(String, serde_json::Value)> {
    const KEY: &str = "imagePullSecrets";
    let list = fields.older(KEY, "registryLogin");
    let mut more = Vec::new();
    for item in list.and_then(|list| list.items()).into_iter().flatten() {
        let Some(mut fields) = item.fields(&OTHER) else {
            continue;
        };
        let login = RegistryLogin {
            registry: fields.string("registry"),
            username: fields.string("username"),
            personal_access_token: fields.string("password").map(Secret::from),
            others: Others::default(),
        };
        fields.string("name");
        fields.others();
        if spec.registry_login.is_some() {
            more.push(item.node.to_json());
        } else {
            spec.registry_login = Some(login);
        }
    }
    let more = (!more.is_empty()).then(|| (KEY.to_owned(), more.into()));
    more.into_iter().collect()
}

impl Deferred<'_> {
    fn check(&self, spec: &AppSpec) {
        let warn = |rule, places: &[Cursor<'_>]| places.iter().for_each(|place| place.warn(rule));
        let version = spec
            .version
            .as_deref()
            .map(|text| text.trim().parse::<f64>());
        if !matches!(version, Some(Ok(2.0..))) {
            warn(Rule::NeedsVersion2, &self.version_2);
        }
        if spec.url.is_none() {
            warn(Rule::SubdomainWithoutUrl, &self.subdomains);
        }
        if spec.registry_login.is_none() {
            warn(Rule::NoRegistryLogin, &self.registry);
        }
        for (host, place) in &self.hosts {
            if !self.pod_names.contains(host) {
                place.warn(Rule::UnknownPod);
            }
        }
    }
}
