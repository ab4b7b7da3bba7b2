//! Redacts headers, path, query and JSON body.
//!
//! Secret are: headers that are not known to be harmless, query values that the caller added, what
//! the spec marks in `x-behaviour.secrets`, and all values of a request without a spec entry. Each
//! function also collects the values that it hides, since a server may repeat them.

pub(crate) use super::mask::{mask, mask_json};
use crate::error::start_of;
use crate::operation::Operation;
use crate::secret::{REDACTED, Secret, redacted_url, secrets_of_url};
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE};
use reqwest::Url;
use serde_json::Value;

/// Request headers whose value is shown, unless the caller added them.
const SHOWN_REQUEST_HEADERS: [&str; 2] = ["content-type", "x-nodion-project"];
/// Request headers that are not shown at all: they do not change the meaning of a request.
const OMITTED_REQUEST_HEADERS: [&str; 4] = ["accept", "user-agent", "content-length", "host"];
/// Response headers whose value is shown.
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
/// Marks a place in the spec as a URL, of which only user info, query and fragment are secret.
const URL_MARK: &str = "<url>";
/// The most that the shape of a response shows of a key, in bytes.
const LONGEST_KEY: usize = 200;

/// The headers of a request: name and value, sorted.
pub(crate) fn request_headers(
    headers: &HeaderMap,
    found: &mut Vec<Secret>,
) -> Vec<(String, String)> {
    let mut shown = Vec::new();
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        if OMITTED_REQUEST_HEADERS.contains(&name.as_str()) {
            if value.is_sensitive() {
                found.push(Secret::new(text.trim()));
            }
            continue;
        }
        // What a caller added is marked as sensitive.
        let harmless = SHOWN_REQUEST_HEADERS.contains(&name.as_str()) && !value.is_sensitive();
        if harmless {
            shown.push((name.to_string(), text.into_owned()));
            continue;
        }
        // The value alone, without `Bearer`, the name of a cookie or white space.
        let secret = match name {
            name if name == AUTHORIZATION => text.rsplit(' ').next().unwrap_or_default(),
            name if name == COOKIE => text.split_once('=').map_or(&*text, |(_, value)| value),
            _ => text.trim(),
        };
        found.push(Secret::new(secret));
        shown.push((name.to_string(), REDACTED.to_owned()));
    }
    shown.sort();
    shown
}

/// The headers of a response, with the values of those that are known to be harmless.
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

/// The query of a request, decoded and sorted. `added` is what the caller added.
pub(crate) fn query(
    operation: Option<&Operation>,
    url: &Url,
    added: &[(String, String)],
    found: &mut Vec<Secret>,
) -> Vec<(String, String)> {
    let mut shown: Vec<_> = url
        .query_pairs()
        .map(|(name, value)| {
            let secret = operation.is_none_or(|operation| is_secret(operation, "query", &name))
                || added.iter().any(|(n, v)| *n == name && *v == value);
            if !secret {
                return (name.into_owned(), value.into_owned());
            }
            found.push(Secret::new(value));
            (name.into_owned(), REDACTED.to_owned())
        })
        .collect();
    shown.sort();
    shown
}

/// The path of a request. It may follow the path of a base URL, so it is compared with the path in
/// the spec from the end.
pub(crate) fn path(operation: Option<&Operation>, path: &str, found: &mut Vec<Secret>) -> String {
    let Some(operation) = operation else {
        return path.to_owned();
    };
    let mut template = operation.path.rsplit('/');
    let mut shown: Vec<&str> = path
        .rsplit('/')
        .map(|segment| {
            let name = template.next().unwrap_or_default();
            let name = name
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            if name.is_none_or(|name| !is_secret(operation, "path", name)) {
                return segment;
            }
            found.push(Secret::new(segment));
            REDACTED
        })
        .collect();
    shown.reverse();
    shown.join("/")
}

fn is_secret(operation: &Operation, kind: &str, name: &str) -> bool {
    let mut places = operation.behaviour.secrets.iter();
    places.any(|place| place.split_once('.') == Some((kind, name)))
}

/// Redacts a JSON body in place.
pub(crate) fn json_body(operation: Option<&Operation>, body: &mut Value, found: &mut Vec<Secret>) {
    let Some(operation) = operation else {
        return redact_scalars(body, found);
    };
    for place in operation.behaviour.secrets {
        let Some(place) = place.strip_prefix("body.") else {
            continue;
        };
        match place.strip_suffix(URL_MARK) {
            Some(place) => visit(body, place, &mut |value| redact_as_url(value, found)),
            None => visit(body, place, &mut |value| redact_scalars(value, found)),
        }
    }
}

/// Visits the values at a place such as `a.b`, `a[].b`, `a[flag].b` (items whose `flag` is true), `a.*`.
fn visit(value: &mut Value, place: &str, visitor: &mut dyn FnMut(&mut Value)) {
    if place.is_empty() {
        return visitor(value);
    }
    let (step, rest) = place.split_once('.').unwrap_or((place, ""));
    let Some(map) = value.as_object_mut() else {
        return;
    };
    if step == "*" {
        map.values_mut()
            .for_each(|inner| visit(inner, rest, visitor));
        return;
    }
    let Some((name, flag)) = step.split_once('[') else {
        if let Some(inner) = map.get_mut(step) {
            visit(inner, rest, visitor);
        }
        return;
    };
    let flag = flag.trim_end_matches(']');
    let items = map.get_mut(name).and_then(Value::as_array_mut);
    for item in items.into_iter().flatten() {
        if flag.is_empty() || item.get(flag) == Some(&Value::Bool(true)) {
            visit(item, rest, visitor);
        }
    }
}

fn redact_scalars(value: &mut Value, found: &mut Vec<Secret>) {
    match value {
        Value::Object(map) => map
            .values_mut()
            .for_each(|inner| redact_scalars(inner, found)),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| redact_scalars(item, found)),
        scalar => {
            match scalar {
                Value::String(text) => found.push(Secret::new(text.as_str())),
                Value::Number(number) => found.push(Secret::new(number.to_string())),
                _ => {}
            }
            *scalar = REDACTED.into();
        }
    }
}

fn redact_as_url(value: &mut Value, found: &mut Vec<Secret>) {
    match value {
        Value::String(text) => {
            found.extend(secrets_of_url(text));
            *text = redacted_url(text);
        }
        other => redact_scalars(other, found),
    }
}

/// The keys and types of a JSON value without its values: a decode error may be about a token.
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
                out.push_str(&format!("{:?}: ", start_of(name, LONGEST_KEY)));
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

    fn operation(id: &str) -> Option<&'static Operation> {
        crate::OPERATIONS
            .iter()
            .find(|operation| operation.id == id)
    }

    fn texts(secrets: &[Secret]) -> Vec<&str> {
        secrets.iter().map(Secret::expose).collect()
    }

    #[test]
    fn a_secret_in_a_path_is_redacted_after_any_base_path() {
        let Some(operation) = operation("stop_own_deployment") else {
            return; // Edgegap is switched off.
        };
        for base in ["", "/sub", "/a/b"] {
            let mut found = Vec::new();
            let shown = path(
                Some(operation),
                &format!("{base}/v1/self/stop/id/hush"),
                &mut found,
            );
            assert_eq!(shown, format!("{base}/v1/self/stop/id/{REDACTED}"));
            assert_eq!(texts(&found), ["hush"]);
        }
        assert_eq!(path(None, "/a/hush", &mut Vec::new()), "/a/hush");
    }

    #[test]
    fn places_of_the_spec_are_visited() {
        let body = json!({ "a": { "b": "x" }, "list": [{ "v": "x", "h": true }, { "v": "y", "h": false }], "m": { "k": "x" } });
        for (place, pointers) in [
            ("a.b", &["/a/b"][..]),
            ("a", &["/a/b"]),
            ("list[].v", &["/list/0/v", "/list/1/v"]),
            ("list[h].v", &["/list/0/v"]),
            ("m.*", &["/m/k"]),
            ("z", &[]),
            ("a.z", &[]),
            ("a[].b", &[]),
            ("list.v", &[]),
            ("m[]", &[]),
        ] {
            let (mut shown, mut expected) = (body.clone(), body.clone());
            let mut found = Vec::new();
            visit(&mut shown, place, &mut |value| {
                redact_scalars(value, &mut found)
            });
            for pointer in pointers {
                *expected.pointer_mut(pointer).unwrap() = json!(REDACTED);
            }
            assert_eq!(shown, expected, "{place}");
            assert_eq!(found.len(), pointers.len(), "{place}");
        }
    }

    #[test]
    fn without_a_spec_entry_every_scalar_is_redacted() {
        let mut body = json!({ "name": "x", "list": [{ "a": "y", "n": 12 }, true] });
        let mut found = Vec::new();
        json_body(None, &mut body, &mut found);
        assert_eq!(
            body,
            json!({ "name": REDACTED, "list": [{ "a": REDACTED, "n": REDACTED }, REDACTED] })
        );
        assert_eq!(found.len(), 3);
        let url = Url::parse("https://a.example/?a=hush").unwrap();
        let mut found = Vec::new();
        let shown = query(None, &url, &[], &mut found);
        assert_eq!(shown, [("a".to_owned(), REDACTED.to_owned())]);
        assert_eq!(texts(&found), ["hush"]);
    }

    #[test]
    fn a_url_keeps_its_host_and_path() {
        let Some(operation) = operation("create_webhook") else {
            return; // dployr is switched off.
        };
        let url = "https://u:hush@a.example/x?k=v%2Fw#f";
        let mut body = json!({ "url": url, "events": [url] });
        let mut found = Vec::new();
        json_body(Some(operation), &mut body, &mut found);
        let shown = "https://<redacted>@a.example/x?<redacted>#<redacted>";
        assert_eq!(body, json!({ "url": shown, "events": [url] }));
        for secret in ["hush", "v/w", "f"] {
            assert!(texts(&found).contains(&secret), "{secret}");
        }
    }

    #[test]
    fn a_shape_has_no_values() {
        let value = json!({ "access_token": "hush", "n": [1, 2], "e": [] });
        assert_eq!(
            shape(&value, 1000),
            r#"{"access_token": string, "e": [], "n": [number, … 2 items]}"#
        );
        assert!(shape(&json!([[[[{"aaaaaaaaaaaa": 1}]]]]), 3).ends_with("…]]]"));
    }
}
