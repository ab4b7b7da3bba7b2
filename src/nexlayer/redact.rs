//! A manifest as it may be shown: every byte in its place but the values that are secret.
//!
//! Hidden are: what stands in `data` of an entry of `secrets`; scalars whose key speaks of a token, a
//! password or the like (in maps and in `{key, value}` lists); and URLs that carry a password. A value
//! that is a placeholder of the platform (`<% … %>`) is no secret and stays.

use crate::secret::REDACTED;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};
use std::fmt;

/// Parts of a key that holds something secret, in lower case.
const SECRET_WORDS: [&str; 11] = [
    "token",
    "secret",
    "password",
    "passwd",
    "credential",
    "private",
    "apikey",
    "api_key",
    "auth",
    "_key",
    "-key",
];

/// YAML with the places of its values. Anything but text, lists and maps is text here.
enum Node {
    Scalar(String),
    List(Vec<Spanned<Node>>),
    Map(Vec<(String, Spanned<Node>)>),
}

/// The text of a manifest with its secrets left out.
pub(super) fn redact(text: &str) -> String {
    let hidden = || format!("<manifest of {} bytes, not shown>", text.len());
    let Ok(root) = serde_saphyr::from_str::<Spanned<Node>>(text) else {
        return hidden();
    };
    let mut spans = Vec::new();
    if find(&root.value, false, &mut spans).is_none() {
        return hidden();
    }
    // The same place may be found twice, by an anchor and its alias.
    spans.sort_unstable();
    spans.dedup();
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for (from, to) in spans {
        let (Some(before), Some(value)) = (text.get(end..from), text.get(from..to)) else {
            return hidden();
        };
        shown.push_str(before);
        shown.push_str(REDACTED);
        // The place of a block reaches to the start of what follows it.
        end = from + value.trim_end().len();
    }
    shown.push_str(text.get(end..).unwrap_or_default());
    shown
}

/// Collects the byte ranges of secrets; `None` if one of them has no place in the text.
fn find(node: &Node, in_secrets: bool, spans: &mut Vec<(usize, usize)>) -> Option<()> {
    match node {
        Node::Scalar(_) => {}
        Node::List(items) => {
            for item in items {
                look(item, false, spans)?;
                find(&item.value, in_secrets, spans)?;
            }
        }
        Node::Map(entries) => {
            let named = entries.iter().find_map(|(key, value)| match &value.value {
                Node::Scalar(name) if key == "key" || key == "name" => Some(name.as_str()),
                _ => None,
            });
            for (key, value) in entries {
                let data = in_secrets && key == "data";
                let listed = key == "value" && named.is_some_and(sounds_secret);
                if data || listed {
                    hide_all(value, spans)?;
                } else {
                    look(value, sounds_secret(key), spans)?;
                }
                find(&value.value, key == "secrets", spans)?;
            }
        }
    }
    Some(())
}

/// Hides a scalar if its key or its own form says so.
fn look(value: &Spanned<Node>, secret: bool, spans: &mut Vec<(usize, usize)>) -> Option<()> {
    match &value.value {
        Node::Scalar(text) if secret || crate::secret::without_userinfo(text) != *text => {
            hide(text, value, spans)
        }
        _ => Some(()),
    }
}

/// Hides everything below a value: secret data is a text, or a map from file to text.
fn hide_all(value: &Spanned<Node>, spans: &mut Vec<(usize, usize)>) -> Option<()> {
    match &value.value {
        Node::Scalar(text) => hide(text, value, spans),
        Node::List(items) => items.iter().try_for_each(|item| hide_all(item, spans)),
        Node::Map(entries) => entries
            .iter()
            .try_for_each(|(_, item)| hide_all(item, spans)),
    }
}

fn hide(text: &str, at: &Spanned<Node>, spans: &mut Vec<(usize, usize)>) -> Option<()> {
    let trimmed = text.trim();
    let placeholder =
        trimmed.starts_with("<%") && trimmed.ends_with("%>") && trimmed.matches("<%").count() == 1;
    if trimmed.is_empty() || placeholder {
        return Some(());
    }
    spans.push(range(at.referenced)?);
    spans.push(range(at.defined)?);
    Some(())
}

fn range(location: Location) -> Option<(usize, usize)> {
    let span = location.span();
    let from = usize::try_from(span.byte_offset()?).ok()?;
    let length = usize::try_from(span.byte_len()?).ok()?;
    (length > 0).then_some((from, from + length))
}

fn sounds_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    // `secrets` itself is the list of them.
    key != "secrets" && SECRET_WORDS.iter().any(|word| key.contains(word))
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Node;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any YAML")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_i128<E>(self, value: i128) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_u128<E>(self, value: u128) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_owned()))
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Scalar(String::new()))
            }

            fn visit_none<E>(self) -> Result<Node, E> {
                Ok(Node::Scalar(String::new()))
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
                Node::deserialize(deserializer)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = access.next_element()? {
                    items.push(item);
                }
                Ok(Node::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                Ok(Node::Map(entries))
            }
        }
        deserializer.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shows(text: &str, shown: &str) {
        assert_eq!(redact(text), shown);
    }

    #[test]
    fn everything_but_the_secrets_stays_in_place() {
        shows(
            "# ü a comment\napplication:\n  name: a   # kept\n  registryLogin: {registry: r, personalAccessToken: \"hu\\tsh\"}\n  pods:\n  - name: web\n    vars:\n      URL: <% URL %>\n      DB: postgres://u:hush@db.pod/x\n      PLAIN: postgres://db.pod/x\n      API_KEY: 'hu''sh' # kept\n      PORT: 6379\n      PIN_TOKEN: 1234\n    secrets:\n      - name: s\n        fileName: f\n        data: |\n          hush\n            hush\n        mountPath: /m\n",
            "# ü a comment\napplication:\n  name: a   # kept\n  registryLogin: {registry: r, personalAccessToken: <redacted>}\n  pods:\n  - name: web\n    vars:\n      URL: <% URL %>\n      DB: <redacted>\n      PLAIN: postgres://db.pod/x\n      API_KEY: <redacted> # kept\n      PORT: 6379\n      PIN_TOKEN: <redacted>\n    secrets:\n      - name: s\n        fileName: f\n        data: |\n          <redacted>\n        mountPath: /m\n",
        );
    }

    #[test]
    fn lists_of_variables_maps_of_files_and_anchors() {
        shows(
            "vars: [{key: DB_PASSWORD, value: hush}, {name: A, value: x}]",
            "vars: [{key: DB_PASSWORD, value: <redacted>}, {name: A, value: x}]",
        );
        shows(
            "secrets: [{data: {a.txt: hush, b: [hush]}}]",
            "secrets: [{data: {a.txt: <redacted>, b: [<redacted>]}}]",
        );
        shows(
            "plain: &p hush\ntoken: *p\n",
            "plain: &p <redacted>\ntoken: <redacted>\n",
        );
        shows(
            "token: <% REGISTRY_TOKEN %>\nsecret:\n",
            "token: <% REGISTRY_TOKEN %>\nsecret:\n",
        );
        shows("token: <% A %>hush<% B %>", "token: <redacted>");
    }

    #[test]
    fn what_cannot_be_read_is_not_shown() {
        shows("token: [hush", "<manifest of 12 bytes, not shown>");
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
        assert!(redact(bomb).ends_with("not shown>"));
    }
}
