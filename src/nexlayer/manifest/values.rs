//! Reads variables, disks and secret files of a pod, and what is said within their values.

use super::fields::{At, Field, Fields, Reader};
use super::lint::{Path, Rule};
use super::pattern;
use super::read::Whole;
use super::spec::{Pod, SecretFile, Size, Volume};
use super::tree::Node;
use crate::secret::Secret;
use serde_saphyr::Location;
use std::collections::HashSet;

/// Variables with these names are built into what browsers load.
const BROWSER: [&str; 9] = [
    "NEXT_PUBLIC_",
    "NUXT_PUBLIC_",
    "EXPO_PUBLIC_",
    "REACT_APP_",
    "VUE_APP_",
    "NG_APP_",
    "GATSBY_",
    "VITE_",
    "PUBLIC_",
];
/// Values that the first generation put something else in for.
const CONSTANTS: [&str; 11] = [
    "PROXY_URL",
    "PROXY_DOMAIN",
    "DATABASE_HOST",
    "NEO4J_URI",
    "DATABASE_CONNECTION_STRING",
    "FRONTEND_CONNECTION_URL",
    "FRONTEND_CONNECTION_DOMAIN",
    "BACKEND_CONNECTION_URL",
    "BACKEND_CONNECTION_DOMAIN",
    "LLM_CONNECTION_URL",
    "LLM_CONNECTION_DOMAIN",
];
/// What the platform is known to replace, besides names that start with `SECRET_`.
const PLACEHOLDERS: [&str; 4] = ["URL", "DOMAIN", "REGISTRY", "REGISTRY_TOKEN"];
/// One value names no more hosts than this.
const MOST_HOSTS: usize = 16;

impl Reader<'_> {
    /// Variables: a map, or a list of maps as older generations have it.
    pub(super) fn vars(
        &mut self,
        field: Field<'_>,
        path: &Path<'_>,
        pod: &mut Pod,
        whole: &mut Whole,
    ) {
        let mut seen: HashSet<String> = pod.vars.iter().map(|(key, _)| key.clone()).collect();
        match field.value.node {
            Node::Map(entries) => {
                for (key, value) in entries {
                    let path = path.field(&key.value);
                    self.var(
                        &key.value,
                        key.referenced,
                        value.into(),
                        &path,
                        &mut seen,
                        pod,
                        whole,
                    );
                }
            }
            Node::List(items) => {
                let message = "a map of variables is expected today";
                self.notes
                    .add(Rule::OldSpelling, field.value.at, path, message);
                for (index, item) in items.iter().enumerate() {
                    let path = path.item(index);
                    let Some(mut fields) = Fields::of(self, item.into(), &path) else {
                        continue;
                    };
                    let some = |field: &Field<'_>| !field.value.node.is_null();
                    let key = fields.take("key").filter(some);
                    let Some(key) = key.or_else(|| fields.take("name").filter(some)) else {
                        let message = "it has no name";
                        self.notes.add(Rule::Unreadable, fields.at, &path, message);
                        continue;
                    };
                    let Some(name) = self.text_of(key.value, &path.field(key.key)) else {
                        continue;
                    };
                    let path = path.field("value");
                    match fields.take("value") {
                        Some(value) => {
                            let at = key.value.at;
                            self.var(&name, at, value.value, &path, &mut seen, pod, whole);
                        }
                        None => pod.vars.push((name, Secret::new(""))),
                    }
                }
            }
            Node::Scalar(_) => self.unreadable(field.value, path, "a map of variables"),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a variable touches all of it")]
    fn var(
        &mut self,
        key: &str,
        key_at: Location,
        value: At<'_>,
        path: &Path<'_>,
        seen: &mut HashSet<String>,
        pod: &mut Pod,
        whole: &mut Whole,
    ) {
        if key.is_empty() || key.contains(|letter: char| letter == '=' || letter.is_whitespace()) {
            let message = "a variable's name has no spaces and no = in it";
            self.notes.add(Rule::VarName, key_at, path, message);
        }
        if !seen.insert(key.to_owned()) {
            let message = "the pod has this variable already";
            self.notes.add(Rule::DuplicateVar, key_at, path, message);
        }
        let Some(secret) = self.value_of(value, path) else {
            return;
        };
        if self.is_ambiguous(value) {
            let message = "programs read this in different ways: put it in quotes";
            self.notes.add(Rule::UnquotedValue, value.at, path, message);
        }
        let text = secret.expose();
        if CONSTANTS.contains(&text) {
            let message = "nothing is put in for this today: use <% URL %> or {pod}.pod";
            self.notes.add(Rule::OldConstant, value.at, path, message);
        }
        self.placeholders(text, value.at, path, true);
        let hosts = self.hosts(text, value.at, path, whole);
        if hosts && BROWSER.iter().any(|prefix| key.starts_with(prefix)) {
            let message = "browsers do not reach a .pod host: use <% URL %>";
            self.notes
                .add(Rule::PodHostInBrowser, value.at, path, message);
        }
        pod.vars.push((key.to_owned(), secret));
    }

    pub(super) fn volume(
        &mut self,
        value: At<'_>,
        path: &Path<'_>,
        names: &mut HashSet<String>,
        mounts: &mut HashSet<String>,
    ) -> Option<Volume> {
        let mut fields = Fields::of(self, value, path)?;
        let name = fields.name(self, Rule::VolumeName);
        if !fields.has("size") {
            fields.missing(self, "size");
        }
        let form = (
            &pattern::VOLUME_SIZE,
            Rule::VolumeSize,
            "a number of Mi or Gi is expected, such as 2Gi",
        );
        let size = fields.formed(self, "size", &[], form);
        if !fields.has("mountPath") && !fields.has("path") {
            fields.missing(self, "mountPath");
        }
        let mount = self.mount(&mut fields, mounts);
        let others = fields.others(self, &[], &["type", "readOnly"]);
        let (name, at) = name?;
        self.unique(&name, names, at, path);
        Some(Volume {
            name,
            size: size.map(|(size, _)| size.into()),
            mount_path: mount,
            others,
        })
    }

    pub(super) fn secret_file(
        &mut self,
        value: At<'_>,
        path: &Path<'_>,
        names: &mut HashSet<String>,
        mounts: &mut HashSet<String>,
    ) -> Option<SecretFile> {
        let mut fields = Fields::of(self, value, path)?;
        let name = fields.name(self, Rule::SecretName);
        let mut file = SecretFile::default();
        for key in ["data", "fileName"] {
            if !fields.has(key) {
                fields.missing(self, key);
            }
        }
        if let Some(field) = fields.get(self, "data") {
            self.data(field, &path.field("data"), &mut file);
        }
        if let Some((text, at)) = fields.text(self, "fileName", &[]) {
            if text.is_empty() || text.contains('/') {
                let message = "the name of a file is expected, without a folder";
                self.notes
                    .add(Rule::FileName, at, &path.field("fileName"), message);
            }
            file.file_name = Some(text);
        }
        file.mount_path = self.mount(&mut fields, mounts);
        file.others = fields.others(self, &[], &[]);
        if file.file_name.is_none()
            && let [_] = file.files.as_slice()
            && let Some((name, data)) = file.files.pop()
        {
            file.file_name = Some(name);
            file.data = Some(data);
        }
        let (name, at) = name?;
        if file.mount_path.is_none() && !mounts.insert(format!("/var/secrets/{name}")) {
            let message = "something else has the same path";
            self.notes.add(Rule::MountCollision, at, path, message);
        }
        self.unique(&name, names, at, path);
        file.name = name;
        Some(file)
    }

    /// What is in a secret file: a text, or a text for each of several files.
    fn data(&mut self, field: Field<'_>, path: &Path<'_>, file: &mut SecretFile) {
        let Node::Map(entries) = field.value.node else {
            file.data = self.text_of(field.value, path).map(Secret::from);
            return;
        };
        let message = "a text is expected today, with fileName beside it";
        self.notes
            .add(Rule::OldSpelling, field.value.at, path, message);
        for (key, value) in entries {
            if let Some(data) = self.value_of(value.into(), &path.field(&key.value)) {
                file.files.push((key.value.clone(), data));
            }
        }
    }

    fn mount(
        &mut self,
        fields: &mut Fields<'_, '_>,
        mounts: &mut HashSet<String>,
    ) -> Option<String> {
        let form = (&pattern::PATH, Rule::MountPath, "a path starts with /");
        let (mount, at) = fields.formed(self, "mountPath", &["path"], form)?;
        if !mounts.insert(mount.trim_end_matches('/').to_owned()) {
            let message = "something else has the same path";
            let path = fields.path.field("mountPath");
            self.notes.add(Rule::MountCollision, at, &path, message);
        }
        Some(mount)
    }

    fn unique(&mut self, name: &str, names: &mut HashSet<String>, at: Location, path: &Path<'_>) {
        if !names.insert(name.to_owned()) {
            let message = "another one of this pod has the same name";
            self.notes
                .add(Rule::DuplicateName, at, &path.field("name"), message);
        }
    }

    /// Notes placeholders that nobody replaces.
    pub(super) fn placeholders(&mut self, text: &str, at: Location, path: &Path<'_>, vars: bool) {
        let mut rest = text;
        while let Some((_, inner)) = rest.split_once("<%") {
            let end = inner.split_once("%>");
            let known = end.is_some_and(|(name, _)| {
                let name = name.trim();
                PLACEHOLDERS.contains(&name) || name.starts_with("SECRET_")
            });
            if !known {
                let message = "the platform is not known to replace this placeholder";
                self.notes.add(Rule::UnknownPlaceholder, at, path, message);
                break;
            }
            rest = end.map(|(_, rest)| rest).unwrap_or_default();
        }
        // A command is for a shell, which has variables of its own.
        if vars && has_shell_variable(text) {
            let message = "the platform does not replace ${…}";
            self.notes.add(Rule::ClientPlaceholder, at, path, message);
        }
    }

    /// Remembers the hosts of pods that a value names. Whether there is one.
    pub(super) fn hosts(
        &mut self,
        text: &str,
        at: Location,
        path: &Path<'_>,
        whole: &mut Whole,
    ) -> bool {
        let mut found = HashSet::new();
        for (place, _) in text.match_indices(".pod") {
            let (before, after) = (&text[..place], &text[place + ".pod".len()..]);
            let is_name = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
            let name = before
                .rsplit(|letter| !is_name(letter))
                .next()
                .unwrap_or_default();
            if !name.is_empty() && !after.starts_with(is_name) && found.len() < MOST_HOSTS {
                found.insert(name);
            }
        }
        for name in &found {
            whole.hosts.push(((*name).to_owned(), at, path.to_string()));
        }
        !found.is_empty()
    }
}

/// Whether `${NAME}` stands in a text.
fn has_shell_variable(text: &str) -> bool {
    text.match_indices("${").any(|(place, _)| {
        let rest = &text[place + 2..];
        let length = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        length > 0 && rest.as_bytes().get(length) == Some(&b'}')
    })
}

impl From<&str> for Size {
    fn from(size: &str) -> Self {
        size.to_owned().into()
    }
}
