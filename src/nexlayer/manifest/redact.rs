//! Redacts the values of `vars`, the files of `secrets`, the registry login and commands.
//!
//! The older names of these fields are redacted, too. Placeholders (`<% … %>`) stay visible. The result
//! has no comments.

use super::yaml::{self, Node};
use crate::secret::{REDACTED, Secret};
use crate::transport::platform::RedactedManifest;
use serde::{Serialize, Serializer};

/// The fields of an entry of `secrets` that are not redacted.
const VISIBLE_IN_SECRETS: [&str; 4] = ["name", "fileName", "mountPath", "path"];

/// Parses a manifest and redacts it; `None` if it cannot be parsed.
pub(in crate::nexlayer) fn redact(text: &str) -> Option<RedactedManifest> {
    let mut root: Node = yaml::parse(text).ok()?;
    let mut secrets = Vec::new();
    redact_fields(&mut root, &mut secrets);
    Some(RedactedManifest {
        json: root.to_json(),
        yaml: serde_saphyr::to_string(&root).ok()?,
        secrets,
    })
}

/// Redacts secret fields in a map and in all nested values.
fn redact_fields(node: &mut Node, found: &mut Vec<Secret>) {
    match node {
        Node::Scalar(_) => {}
        Node::List(items) => {
            for item in items {
                redact_fields(&mut item.value, found);
            }
        }
        Node::Map(entries) => {
            for (key, value) in entries {
                let value = &mut value.value;
                match key.value.as_str() {
                    "vars" | "env" => redact_list(value, &["key", "name"], found),
                    "secrets" => redact_list(value, &VISIBLE_IN_SECRETS, found),
                    "registryLogin" | "imagePullSecrets" | "command" | "entrypoint" => {
                        redact_all(value, found);
                    }
                    _ => redact_fields(value, found),
                }
            }
        }
    }
}

/// Redacts all values in the items of a list, except the `visible` fields.
fn redact_list(node: &mut Node, visible: &[&str], found: &mut Vec<Secret>) {
    let Node::List(items) = node else {
        return redact_all(node, found);
    };
    for item in items {
        match &mut item.value {
            Node::Map(entries) => entries
                .iter_mut()
                .filter(|(key, _)| !visible.contains(&key.value.as_str()))
                .for_each(|(_, value)| redact_all(&mut value.value, found)),
            other => redact_all(other, found),
        }
    }
}

fn redact_all(node: &mut Node, found: &mut Vec<Secret>) {
    match node {
        Node::List(items) => items
            .iter_mut()
            .for_each(|item| redact_all(&mut item.value, found)),
        Node::Map(entries) => entries
            .iter_mut()
            .for_each(|(_, value)| redact_all(&mut value.value, found)),
        Node::Scalar(scalar) if scalar.value.is_null() || is_placeholder(&scalar.text) => {}
        Node::Scalar(scalar) => {
            found.push(Secret::new(std::mem::take(&mut scalar.text)));
            scalar.text = REDACTED.to_owned();
            scalar.value = REDACTED.into();
        }
    }
}

/// Whether a value is exactly one placeholder `<% … %>`.
fn is_placeholder(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("<%") && text.ends_with("%>") && text.matches("<%").count() == 1
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            // With the feature `arbitrary_precision`, serde_json writes a number as a map.
            Self::Scalar(scalar) => match (scalar.value.as_i64(), scalar.value.as_f64()) {
                (Some(number), _) => serializer.serialize_i64(number),
                (_, Some(number)) => serializer.serialize_f64(number),
                _ => self.to_json().serialize(serializer),
            },
            Self::List(items) => serializer.collect_seq(items.iter().map(|item| &item.value)),
            Self::Map(entries) => serializer.collect_map(
                entries
                    .iter()
                    .map(|(key, value)| (&key.value, &value.value)),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_secret_fields_are_redacted() {
        let text = "# hush\napplication:\n  name: a\n  registryLogin: {registry: r, personalAccessToken: \"hu\\tsh\"}\n  pods:\n  - name: web\n    image: nginx:1\n    command: serve --pin hush\n    vars:\n      URL: <% URL %>\n      A: <% A %>hush<% B %>\n      PORT: 6379\n      name: hush\n      NONE:\n    secrets:\n    - name: s\n      fileName: f\n      data: |\n        hush\n      mountPath: /m\n";
        let manifest = redact(text).unwrap();
        assert_eq!(
            manifest.json,
            json!({ "application": {
                "name": "a",
                "registryLogin": { "registry": REDACTED, "personalAccessToken": REDACTED },
                "pods": [{
                    "name": "web",
                    "image": "nginx:1",
                    "command": REDACTED,
                    "vars": { "URL": "<% URL %>", "A": REDACTED, "PORT": REDACTED, "name": REDACTED, "NONE": null },
                    "secrets": [{ "name": "s", "fileName": "f", "data": REDACTED, "mountPath": "/m" }],
                }],
            } })
        );
        let secrets: Vec<_> = manifest.secrets.iter().map(Secret::expose).collect();
        assert_eq!(
            secrets,
            [
                "r",
                "hu\tsh",
                "serve --pin hush",
                "<% A %>hush<% B %>",
                "6379",
                "hush",
                "hush\n"
            ]
        );
        // The YAML has the same values in the same order, without the comment.
        assert_eq!(redact(&manifest.yaml).unwrap().json, manifest.json);
        assert!(!manifest.yaml.contains("hush"), "{}", manifest.yaml);
        assert!(
            manifest.yaml.starts_with("application:\n"),
            "{}",
            manifest.yaml
        );
    }

    #[test]
    fn lists_aliases_and_older_names_are_redacted() {
        for (text, expected) in [
            (
                "env: [{key: A, value: hush}, {name: B, value: hush}, C=hush]",
                json!({ "env": [{ "key": "A", "value": REDACTED }, { "name": "B", "value": REDACTED }, REDACTED] }),
            ),
            (
                "secrets: [{name: a, data: {a.txt: hush, b: [hush]}, other: hush}]",
                json!({ "secrets": [{ "name": "a", "data": { "a.txt": REDACTED, "b": [REDACTED] }, "other": REDACTED }] }),
            ),
            (
                "secrets: {a: {data: hush}}",
                json!({ "secrets": { "a": { "data": REDACTED } } }),
            ),
            (
                "imagePullSecrets: [hush]\nentrypoint: [a, hush]",
                json!({ "imagePullSecrets": [REDACTED], "entrypoint": [REDACTED, REDACTED] }),
            ),
            (
                "vars: &v {A: hush}\nb: {env: *v}",
                json!({ "vars": { "A": REDACTED }, "b": { "env": { "A": REDACTED } } }),
            ),
            (
                "{\"vars\": {\"A\": true}}",
                json!({ "vars": { "A": REDACTED } }),
            ),
        ] {
            assert_eq!(redact(text).unwrap().json, expected, "{text}");
        }
    }

    #[test]
    fn invalid_yaml_is_not_redacted() {
        for text in ["vars: [hush", "vars: hush\n---\nb: 1\n"] {
            assert!(redact(text).is_none(), "{text}");
        }
    }
}
