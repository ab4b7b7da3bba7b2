//! What is hidden in a reply: what the spec calls a secret, and what its name gives away.

use super::examples::Hidden;
use super::masked::SHORTEST_SETTING;
use super::names::{LABELS, Names, Sort, kebab, label_of};
use crate::secret::masked_url;
use crate::transport::redact;
use serde_json::{Map, Value};

/// Fields with an address that lets in whoever has it.
const ADDRESSES: [&str; 2] = ["claimurl", "webhookurl"];
/// The last word in the name of a field that tells something about a secret.
const ABOUT_ONE: [&str; 7] = ["at", "type", "name", "in", "expires", "url", "count"];
/// A variable that has its value beside it.
const VARIABLE: (&str, &str) = ("env_key", "env_val");

type Secrets<'a> = &'a [(&'a str, Hidden)];

impl Names {
    /// Replaces what the spec, or the name of its field, says is secret.
    pub fn hide(&mut self, value: &mut Value, field: &str, secrets: Secrets) {
        let of_spec = secrets
            .iter()
            .find(|(name, _)| same_name(name, field) && !name.ends_with(".*"));
        let hidden = of_spec.map(|(_, hidden)| *hidden);
        let by_name = hidden.is_none() && sounds_secret(field);
        let is_whole = hidden == Some(Hidden::Whole) || by_name;
        let sort = Sort::by_name(field);
        match value {
            Value::String(text) if hidden == Some(Hidden::Url) => {
                *text = self.put_in(&masked_url(text), text, Sort::Secret);
            }
            Value::String(text) if is_whole && !text.is_empty() => {
                *text = self.named(field, text, sort);
            }
            // Nexlayer tells people what to type, or what their token is.
            Value::String(text) if tells_a_token(text) => *text = self.named(field, text, sort),
            Value::Number(number) => {
                let digits = number.to_string();
                // How many sessions there are is none of their secrets.
                if hidden.is_some() || by_name && digits.len() >= SHORTEST_SETTING {
                    *value = Value::String(self.named(field, &digits, sort));
                }
            }
            Value::String(text) => {
                let masked = masked_url(text);
                if masked != *text {
                    *text = self.put_in(&masked, text, Sort::Secret);
                }
            }
            Value::Object(_) | Value::Array(_) if redact::holds_variables(field) => {
                self.hide_all(value, field, secrets);
            }
            Value::Object(_) | Value::Array(_) if is_whole => {
                self.hide_all(value, field, secrets);
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.hide(item, field, secrets)),
            Value::Object(map) => self.hide_fields(map, field, secrets),
            _ => {}
        }
    }

    fn hide_fields(&mut self, map: &mut Map<String, Value>, field: &str, secrets: Secrets) {
        let are_values = secrets.iter().any(|(name, _)| {
            let of_map = name.strip_suffix(".*");
            of_map.is_some_and(|name| same_name(name, field))
        });
        let label = label_of(map).filter(|_| map.contains_key("value"));
        let is_variable = map.contains_key(VARIABLE.1);
        for (name, inner) in map.iter_mut() {
            match &label {
                // Of a map of variables, what is no text is around it, or a failure.
                None if are_values && inner.is_string() => {
                    self.hide_all(inner, name, secrets);
                }
                Some(label) if are_values && name == "value" => {
                    self.hide_all(inner, label, secrets);
                }
                Some(_) if LABELS.contains(&name.as_str()) => {}
                Some(label) if name == "value" && inner.is_number() => {
                    self.hide(inner, label, secrets);
                }
                Some(label) if name == "value" && sounds_secret(label) => {
                    self.hide_all(inner, label, secrets);
                }
                _ if is_variable && name == VARIABLE.0 => {}
                _ => self.hide(inner, name, secrets),
            }
        }
    }

    /// Replaces everything below a secret, or below the variables of a program: what it is called there
    /// says nothing.
    fn hide_all(&mut self, value: &mut Value, field: &str, secrets: Secrets) {
        // Among secrets there are names of people and places, too.
        let of_leaf = Sort::by_name(field);
        match value {
            Value::String(text) if !text.is_empty() => *text = self.named(field, text, of_leaf),
            // When it ends is not the secret, and may be computed with.
            Value::Number(number) if !tells_about_one(field) => {
                *value = Value::String(self.named(field, &number.to_string(), of_leaf));
            }
            Value::Array(items) => {
                for item in items {
                    match item {
                        // One of a list of names, which go into a path.
                        Value::Object(map) if label_of(map).is_some() => {
                            self.hide_labelled(map, secrets);
                        }
                        item => self.hide_all(item, field, secrets),
                    }
                }
            }
            Value::Object(map) if map.contains_key("value") && label_of(map).is_some() => {
                self.hide_labelled(map, secrets);
            }
            Value::Object(map) => {
                for (name, inner) in map.iter_mut() {
                    self.hide_all(inner, name, secrets);
                }
            }
            _ => {}
        }
    }

    /// Replaces the value in `{key: NAME, value: …}`, and in what stands beside it what is secret.
    fn hide_labelled(&mut self, map: &mut Map<String, Value>, secrets: Secrets) {
        let label = label_of(map).unwrap_or_default();
        for (name, inner) in map.iter_mut() {
            match name.as_str() {
                "value" => self.hide_all(inner, &label, secrets),
                name if LABELS.contains(&name) => {}
                name => self.hide(inner, name, secrets),
            }
        }
    }
}

fn letters(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// The transport turns some names into others before it decodes.
fn same_name(a: &str, b: &str) -> bool {
    letters(a) == letters(b)
}

fn tells_a_token(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["curl ", "token is ", "token: "]
        .iter()
        .any(|words| lower.contains(words))
}

fn sounds_secret(field: &str) -> bool {
    ADDRESSES.contains(&letters(field).as_str())
        || redact::sounds_secret(field) && !tells_about_one(field)
}

fn tells_about_one(field: &str) -> bool {
    let words = kebab(field);
    let last = words.rsplit('-').next().unwrap_or_default();
    ABOUT_ONE.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::OPERATIONS;
    use crate::testing::examples;
    use serde_json::json;

    fn hidden(mut value: Value) -> Value {
        Names::default().hide(&mut value, "", &[]);
        value
    }

    #[test]
    fn everything_below_a_secret_is_hidden() {
        let shown = hidden(json!({
            "credentials": { "user": "me", "pin": 4711, "on": true, "expires_at": 1_700_000_000, "more": [["x"], { "a": { "b": "y" } }] },
            "tokens": ["a", { "z": "b" }],
            "vars": { "name": "n", "PORT": 3000, "list": ["c"] },
        }));
        let named = json!({
            "credentials": { "user": "<user>", "pin": "<pin>", "on": true, "expires_at": 1_700_000_000, "more": [["<more>"], { "a": { "b": "<b>" } }] },
            "tokens": ["<tokens>", { "z": "<z>" }],
            "vars": { "name": "<name>", "PORT": "<port>", "list": ["<list>"] },
        });
        assert_eq!(shown, named);
    }

    #[test]
    fn the_names_of_secrets_stay() {
        let value = json!({
            "secrets": [{ "id": "7", "key": "s1", "createdAt": 1_795_487_070_106_u64 }],
            "envs": [{ "key": "A", "value": "hush", "is_secret": true }],
            "env_variables": [{ "env_key": "B", "env_val": "x" }],
            "metrics": [{ "name": "sessions", "value": 3 }],
            "tokens": 250,
        });
        let mut named = value.clone();
        named["envs"][0]["value"] = json!("<a>");
        assert_eq!(hidden(value), named);
    }

    #[test]
    fn one_list_of_words_for_requests_and_replies() {
        for field in [
            "pass",
            "db_pwd",
            "sentryDsn",
            "salt",
            "private",
            "auth",
            "session",
            "ssh_key",
            "apiKey",
            "key",
            "token",
            "clientSecret",
            "credential",
            "set-cookie",
            "claimURL",
            "webhook_url",
            // No whole word at their ends tells about one.
            "secretFormat",
            "tokenlogin",
            "private_username",
            "passaccount",
        ] {
            assert_eq!(
                hidden(json!({ field: "x" }))[field]
                    .as_str()
                    .map(|text| text.len() > 1),
                Some(true),
                "{field}"
            );
        }
        for field in [
            "tokenType",
            "expires_in",
            "secret_name",
            "TOKEN_EXPIRES_AT",
            "tokenCount",
            "auth_url",
            "note",
        ] {
            assert_eq!(hidden(json!({ field: "x" }))[field], "x", "{field}");
        }
    }

    /// What a program computes with, and what it looks for.
    fn fixed(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| fixed(item, found)),
            Value::Object(map) => {
                for (name, inner) in map {
                    let is_fixed = matches!(inner, Value::Number(_) | Value::Bool(_));
                    if is_fixed || ["key", "env_key", "name"].contains(&name.as_str()) {
                        found.push(format!("{name}: {inner}"));
                    }
                    fixed(inner, found);
                }
            }
            _ => {}
        }
    }

    #[test]
    fn no_reply_of_a_spec_loses_a_number_or_a_name() {
        for known in OPERATIONS.iter().filter_map(examples::known) {
            for reply in known.replies {
                let Ok(value) = serde_json::from_str::<Value>(reply.body) else {
                    continue;
                };
                let personal =
                    |line: &String| known.secrets.iter().any(|(name, _)| line.starts_with(name));
                let (mut before, mut after) = (Vec::new(), Vec::new());
                fixed(&value, &mut before);
                let mut shown = value.clone();
                Names::default().hide(&mut shown, "", known.secrets);
                fixed(&shown, &mut after);
                before.retain(|line| !personal(line));
                after.retain(|line| !personal(line));
                assert_eq!(before, after, "{} {}", known.operation, reply.name);
            }
        }
    }
}
