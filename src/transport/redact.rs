//! What may be shown of a request or a reply. By allow list: what is not known to be harmless is
//! left out.

pub(crate) use super::mask::{mask, mask_json};
use crate::error::start_of;
use crate::operation::Operation;
use crate::secret::{REDACTED, Secret, resolved, secrets_of, userinfo};
use http::HeaderMap;
use serde_json::Value;

/// Headers of a request that matter and whose value is harmless.
const SHOWN_REQUEST_HEADERS: [&str; 2] = ["content-type", "x-nodion-project"];
/// Headers that say nothing about the meaning of a request.
const LEFT_OUT: [&str; 4] = ["accept", "user-agent", "content-length", "host"];
/// Headers of a reply whose value is harmless.
const SHOWN_RESPONSE_HEADERS: [&str; 8] = [
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "server",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];
/// Keys that hold something secret where the spec says nothing.
const SECRET_WORDS: [&str; 12] = [
    "token",
    "secret",
    "pass",
    "pwd",
    "dsn",
    "salt",
    "key",
    "auth",
    "credential",
    "private",
    "cookie",
    "session",
];
/// Keys that hold the variables of a program: what these are called says nothing.
const VARIABLES: [&str; 7] = [
    "env",
    "envs",
    "envvars",
    "environment",
    "environmentvariables",
    "variables",
    "vars",
];
/// The most that the form of a reply shows of a name, in bytes.
const LONGEST_NAME: usize = 200;

/// The headers of a request that are shown: name and value, sorted.
pub(crate) fn request_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut shown: Vec<_> = headers
        .iter()
        .filter(|(name, _)| !LEFT_OUT.contains(&name.as_str()))
        .map(|(name, value)| {
            let harmless = SHOWN_REQUEST_HEADERS.contains(&name.as_str());
            // What a caller added is marked as sensitive, whatever its name.
            let harmless = harmless && !value.is_sensitive();
            let value = value.to_str().ok().filter(|_| harmless);
            (name.to_string(), value.unwrap_or(REDACTED).to_owned())
        })
        .collect();
    shown.sort();
    shown
}

/// The headers of a reply, with the values of those that are known to be harmless.
pub(crate) fn response_headers(headers: &HeaderMap) -> Vec<(&str, &str)> {
    headers
        .iter()
        .map(|(name, value)| {
            let harmless = is_harmless_in_a_reply(name);
            let value = value.to_str().ok().filter(|_| harmless);
            (name.as_str(), value.unwrap_or(REDACTED))
        })
        .collect()
}

pub(crate) fn is_harmless_in_a_reply(name: &http::HeaderName) -> bool {
    SHOWN_RESPONSE_HEADERS.contains(&name.as_str())
}

/// The query of a request: decoded, sorted, secrets and the caller's own additions left out.
///
/// `known` is the query that the generated client wrote; everything else was added by hand.
pub(crate) fn query(
    operation: Option<&Operation>,
    pairs: Vec<(String, String)>,
    added: &[(String, String)],
) -> Vec<(String, String)> {
    let mut shown: Vec<_> = pairs
        .into_iter()
        .map(|(name, value)| {
            let secret = match operation {
                Some(operation) => is_secret(operation, "query", &name),
                None => sounds_secret(&name),
            };
            let by_hand = added.iter().any(|(n, v)| *n == name && *v == value);
            let hide = secret || by_hand;
            (name, if hide { REDACTED.to_owned() } else { value })
        })
        .collect();
    shown.sort();
    shown
}

/// The path of a request with its secret parameters left out, and those. It may stand behind the path
/// of a base URL, so it is compared with the spec's from its end.
pub(crate) fn path(operation: Option<&Operation>, path: &str) -> (String, Vec<Secret>) {
    let mut found = Vec::new();
    let Some(operation) = operation else {
        return (path.to_owned(), found);
    };
    let mut template = operation.path.rsplit('/');
    let mut shown: Vec<&str> = path
        .rsplit('/')
        .map(|segment| {
            let name = template.next().unwrap_or_default();
            let name = name
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            if name.is_some_and(|name| is_secret(operation, "path", name)) {
                found.push(Secret::new(segment));
                return REDACTED;
            }
            segment
        })
        .collect();
    shown.reverse();
    (shown.join("/"), found)
}

fn is_secret(operation: &Operation, place: &str, name: &str) -> bool {
    operation
        .behaviour
        .secrets
        .iter()
        .any(|path| path.split_once('.') == Some((place, name)))
}

pub(crate) fn sounds_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    SECRET_WORDS.iter().any(|word| name.contains(word))
}

/// A JSON body with its secrets left out, and those secrets.
pub(crate) fn json_body(operation: Option<&Operation>, mut body: Value) -> (Value, Vec<Secret>) {
    let mut found = Vec::new();
    match operation {
        Some(operation) => {
            for path in operation.behaviour.secrets {
                if let Some(path) = path.strip_prefix("body.") {
                    hide(&mut body, path, &mut found);
                }
            }
        }
        None => hide_by_name(&mut body, &mut found),
    }
    (body, found)
}

/// A JSON body whose URLs show neither who logs in nor what stands in their query: a webhook URL
/// carries its secret there, a repository's address its token.
pub(crate) fn hide_in_urls(value: &mut Value) {
    match value {
        Value::String(text) => *text = crate::secret::masked_url(text),
        Value::Array(items) => items.iter_mut().for_each(hide_in_urls),
        Value::Object(map) => map.values_mut().for_each(hide_in_urls),
        _ => {}
    }
}

/// Collects what [`hide_in_urls`] hides: a reply may repeat it.
pub(crate) fn secrets_of_urls(value: &Value, found: &mut Vec<Secret>) {
    match value {
        Value::String(text) if crate::secret::masked_url(text) != *text => {
            secrets_of_url(text, found);
        }
        Value::Array(items) => items.iter().for_each(|item| secrets_of_urls(item, found)),
        Value::Object(map) => map.values().for_each(|inner| secrets_of_urls(inner, found)),
        _ => {}
    }
}

fn secrets_of_url(text: &str, found: &mut Vec<Secret>) {
    let mut parts = Vec::new();
    for login in userinfo(text) {
        let login = &text[login];
        parts.push(login);
        // Some put their token where the name of a user would stand.
        parts.extend(
            login
                .split_once(':')
                .map_or([login; 2], |(user, rest)| [user, rest]),
        );
    }
    let query = text.split_once('?').map_or("", |(_, query)| query);
    let query = query.split('#').next().unwrap_or(query);
    parts.extend(query.split('&').map(|pair| {
        let value = pair.split_once('=').map(|(_, value)| value);
        value.unwrap_or(pair)
    }));
    for part in parts {
        found.push(Secret::new(part));
        found.extend(resolved(part).map(Secret::new));
    }
    found.extend(secrets_of(text).into_iter().map(Secret::new));
}

/// Follows a path such as `a.b`, `a[].b`, `a[flag].b` (items whose `flag` is true), `a.*`.
fn hide(value: &mut Value, path: &str, found: &mut Vec<Secret>) {
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    let (name, items) = match step.split_once('[') {
        Some((name, flag)) => (name, Some(flag.trim_end_matches(']'))),
        None => (step, None),
    };
    let Some(map) = value.as_object_mut() else {
        return;
    };
    if name == "*" {
        map.values_mut().for_each(|inner| go_on(inner, rest, found));
        return;
    }
    let Some(inner) = map.get_mut(name) else {
        return;
    };
    let Some(flag) = items else {
        return go_on(inner, rest, found);
    };
    for item in inner.as_array_mut().into_iter().flatten() {
        if flag.is_empty() || item.get(flag) == Some(&Value::Bool(true)) {
            go_on(item, rest, found);
        }
    }
}

fn go_on(value: &mut Value, rest: &str, found: &mut Vec<Secret>) {
    if rest.is_empty() {
        take(value, found);
    } else {
        hide(value, rest, found);
    }
}

fn take(value: &mut Value, found: &mut Vec<Secret>) {
    if let Some(text) = value.as_str() {
        found.push(Secret::new(text));
    }
    *value = Value::String(REDACTED.to_owned());
}

fn hide_by_name(value: &mut Value, found: &mut Vec<Secret>) {
    match value {
        Value::Object(map) => {
            // In `{key: NAME, value: …}` it is the value that may be secret.
            let is_pair =
                map.contains_key("value") && (map.contains_key("key") || map.contains_key("name"));
            for (name, inner) in map {
                match name.as_str() {
                    "value" if is_pair => take_all(inner, found),
                    "key" | "name" if is_pair => {}
                    _ if sounds_secret(name) => take_all(inner, found),
                    _ if holds_variables(name) && inner.is_object() => take_all(inner, found),
                    _ if holds_variables(name) => take_texts(inner, found),
                    _ => hide_by_name(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| hide_by_name(item, found)),
        _ => {}
    }
}

pub(crate) fn holds_variables(name: &str) -> bool {
    let name = name.to_lowercase().replace(['_', '-'], "");
    VARIABLES.contains(&name.as_str())
}

/// Hides the texts of a list (`A=b`), and in its other items what their names say.
fn take_texts(value: &mut Value, found: &mut Vec<Secret>) {
    for item in value.as_array_mut().into_iter().flatten() {
        match item {
            Value::String(_) => take(item, found),
            _ => hide_by_name(item, found),
        }
    }
}

/// Hides every scalar below a value.
fn take_all(value: &mut Value, found: &mut Vec<Secret>) {
    match value {
        Value::Object(map) => map.values_mut().for_each(|inner| take_all(inner, found)),
        Value::Array(items) => items.iter_mut().for_each(|item| take_all(item, found)),
        _ => take(value, found),
    }
}

/// The form of a JSON value without its contents: what a decode error shows, because the reply to a
/// login is a token.
pub(crate) fn shape(value: &Value, budget: usize) -> String {
    let mut out = String::new();
    write_shape(value, budget, &mut out);
    out
}

fn write_shape(value: &Value, budget: usize, out: &mut String) {
    if out.len() >= budget {
        out.push('…');
        return;
    }
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(_) => out.push_str("bool"),
        Value::Number(_) => out.push_str("number"),
        Value::String(_) => out.push_str("string"),
        Value::Array(items) => {
            out.push('[');
            if let Some(first) = items.first() {
                write_shape(first, budget, out);
                if items.len() > 1 {
                    out.push_str(&format!(", … {} items", items.len()));
                }
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (name, inner)) in map.iter().enumerate() {
                if out.len() >= budget {
                    out.push('…');
                    break;
                }
                if index > 0 {
                    out.push_str(", ");
                }
                out.push_str(&format!("{:?}: ", start_of(name, LONGEST_NAME)));
                write_shape(inner, budget, out);
            }
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn hidden(path: &str, mut body: Value) -> (Value, usize) {
        let mut found = Vec::new();
        hide(&mut body, path, &mut found);
        (body, found.len())
    }

    #[test]
    fn a_secret_in_a_path_is_left_out_behind_any_base() {
        let Some(operation) = crate::OPERATIONS
            .iter()
            .find(|operation| operation.id == "stop_own_deployment")
        else {
            return; // Edgegap is switched off.
        };
        for base in ["", "/sub", "/a/b"] {
            let (shown, found) = path(Some(operation), &format!("{base}/v1/self/stop/id/hush"));
            assert_eq!(shown, format!("{base}/v1/self/stop/id/{REDACTED}"));
            assert_eq!(found, [Secret::new("hush")]);
        }
        assert_eq!(path(None, "/a/hush").0, "/a/hush");
    }

    #[test]
    fn paths_reach_what_they_name() {
        let body = json!({ "a": { "b": "x" }, "list": [{ "v": "x", "h": true }, { "v": "y", "h": false }], "m": { "k": "x" } });
        for (path, pointer, found) in [
            ("a.b", "/a/b", 1),
            ("list[].v", "/list/1/v", 2),
            ("list[h].v", "/list/0/v", 1),
            ("m.*", "/m/k", 1),
        ] {
            let (value, count) = hidden(path, body.clone());
            assert_eq!(value.pointer(pointer), Some(&json!(REDACTED)), "{path}");
            assert_eq!(count, found, "{path}");
        }
        assert_eq!(
            hidden("list[h].v", body.clone()).0.pointer("/list/1/v"),
            Some(&json!("y"))
        );
        for missing in ["z", "a.z", "a[].b", "list.v", "m[]"] {
            assert_eq!(hidden(missing, body.clone()).1, 0, "{missing}");
        }
    }

    #[test]
    fn without_a_spec_names_decide() {
        let (body, found) = json_body(
            None,
            json!({ "apiKey": "x", "nested": [{ "Password": "y", "name": "z" }] }),
        );
        assert_eq!(
            body,
            json!({ "apiKey": REDACTED, "nested": [{ "Password": REDACTED, "name": "z" }] })
        );
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn variables_are_hidden_whatever_their_names() {
        let (body, found) = json_body(
            None,
            json!({ "env": { "A": "x" }, "env_vars": ["A=x"], "variables": [{ "key": "A", "value": "x" }], "environment": "eu" }),
        );
        assert_eq!(
            body,
            json!({ "env": { "A": REDACTED }, "env_vars": [REDACTED], "variables": [{ "key": "A", "value": REDACTED }], "environment": "eu" })
        );
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn urls_keep_their_address_only() {
        for (text, shown) in [
            ("https://a.example/x", "https://a.example/x"),
            (
                "https://a.example/x?k=hush&l#f",
                "https://a.example/x?k=<redacted>&<redacted>#<redacted>",
            ),
            ("postgres://u:hush@db/x", "postgres://<redacted>@db/x"),
        ] {
            let mut value = json!({ "a": [text] });
            hide_in_urls(&mut value);
            assert_eq!(value, json!({ "a": [shown] }));
        }
    }

    #[test]
    fn a_shape_has_no_contents() {
        let text = shape(
            &json!({ "access_token": "hush", "n": [1, 2], "e": [] }),
            1000,
        );
        assert_eq!(
            text,
            r#"{"access_token": string, "e": [], "n": [number, … 2 items]}"#
        );
        assert!(shape(&json!([[[[{"aaaaaaaaaaaa": 1}]]]]), 3).ends_with("…]]]"));
    }
}
