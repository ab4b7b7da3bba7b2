//! Names for values that are no secrets: ids of what was created, and whatever a test chooses.

use super::exchange::{Came, Exchange};
use super::names::names_in;
use super::shown::{Shown, ShownCame};
use crate::preview::{PreviewBody, RequestPreview};
use serde_json::Value;
use std::collections::BTreeSet;

/// Puts a name in the place of a value, wherever it stands as a word of its own.
pub(super) fn put_name(exchange: &mut Shown, value: &str, name: &str) {
    if value.is_empty() {
        return;
    }
    let RequestPreview {
        path,
        query,
        headers,
        body,
        ..
    } = &mut exchange.request;
    let segments: Vec<_> = path
        .split('/')
        .map(|segment| match resolved(segment) == value {
            true => name.to_owned(),
            false => put(segment, value, name),
        })
        .collect();
    *path = segments.join("/");
    for (_, text) in query.iter_mut().chain(headers) {
        *text = put(text, value, name);
    }
    in_body(body, value, name);
    if let ShownCame::Reply(reply) = &mut exchange.came {
        in_body(&mut reply.body, value, name);
    }
}

fn in_body(body: &mut PreviewBody, value: &str, name: &str) {
    match body {
        PreviewBody::Json(json) => in_json(json, value, name),
        PreviewBody::Text(text) => *text = put(text, value, name),
        PreviewBody::None => {}
    }
}

fn in_json(json: &mut Value, value: &str, name: &str) {
    match json {
        Value::String(text) => *text = put(text, value, name),
        Value::Array(items) => items.iter_mut().for_each(|item| in_json(item, value, name)),
        Value::Object(map) => {
            for (key, mut inner) in std::mem::take(map) {
                // An id may be a number; so may anything else.
                if let Value::Number(number) = &inner
                    && is_id(&key)
                    && number.to_string() == value
                {
                    inner = Value::String(name.to_owned());
                }
                in_json(&mut inner, value, name);
                map.insert(put(&key, value, name), inner);
            }
        }
        _ => {}
    }
}

fn put(text: &str, value: &str, name: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for at in words(text, value) {
        out.push_str(text.get(from..at).unwrap_or_default());
        out.push_str(name);
        from = at + value.len();
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Where a value stands as a word of its own, and not within another or within a name.
fn words(text: &str, value: &str) -> Vec<usize> {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '<' | '>');
    let mut found = Vec::new();
    let mut end = 0;
    for (at, _) in text.match_indices(value) {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let behind = text
            .get(at + value.len()..)
            .and_then(|text| text.chars().next());
        if at >= end && !before.is_some_and(goes_on) && !behind.is_some_and(goes_on) {
            found.push(at);
            end = at + value.len();
        }
    }
    found
}

fn resolved(segment: &str) -> String {
    crate::secret::resolved(segment).unwrap_or_else(|| segment.to_owned())
}

/// Numbers the ids by their first appearance in the requests.
pub(super) fn name_all(exchanges: &[Exchange], shown: &mut [Shown]) {
    let mut candidates: BTreeSet<String> = BTreeSet::new();
    let mut named: Vec<String> = Vec::new();
    for (exchange, shown) in exchanges.iter().zip(shown.iter()) {
        candidates.extend(of_path(exchange));
        let text = as_text(&shown.request);
        let mut found: Vec<_> = candidates
            .iter()
            .filter(|id| !named.contains(id))
            .filter_map(|id| Some((*words(&text, id).first()?, id.clone())))
            .collect();
        // At the same place the longer one counts.
        found.sort_by_key(|(at, id)| (*at, std::cmp::Reverse(id.len())));
        named.extend(found.into_iter().map(|(_, id)| id));
        if let Came::Reply { body, .. } = &exchange.came
            && let Ok(value) = serde_json::from_slice(body)
        {
            ids_in(&value, &mut candidates);
        }
    }
    // Some of these stand for a secret, or stood there before.
    let texts: Vec<_> = shown
        .iter()
        .map(|shown| format!("{}\n{}", shown.request, shown.came))
        .collect();
    let taken: BTreeSet<_> = texts.iter().flat_map(|text| names_in(text)).collect();
    let free = (1..).filter(|number| !taken.contains(format!("<id-{number}>").as_str()));
    let mut numbered: Vec<_> = named.iter().zip(free).collect();
    // One that has another within it goes first.
    numbered.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
    for exchange in shown {
        for (id, number) in &numbered {
            put_name(exchange, id, &format!("<id-{number}>"));
        }
    }
}

/// The text of a request with its path decoded.
fn as_text(request: &RequestPreview) -> String {
    let path: Vec<_> = request.path.split('/').map(resolved).collect();
    let request = RequestPreview {
        path: path.join("/"),
        ..request.clone()
    };
    request.to_string()
}

/// The parameters of a path that are called like an id.
fn of_path(exchange: &Exchange) -> Vec<String> {
    let Some(operation) = exchange.sent.operation else {
        return Vec::new();
    };
    let parts = exchange.sent.parts();
    let shown = exchange.sent.preview().path;
    let steps = operation.path.rsplit('/').zip(shown.rsplit('/'));
    steps
        .zip(parts.path().rsplit('/'))
        .filter(|((_, shown), original)| shown == original)
        .filter_map(|((step, _), original)| {
            let name = step.strip_prefix('{')?.strip_suffix('}')?;
            is_id(name).then(|| resolved(original))
        })
        .collect()
}

/// The values of fields that are called like an id.
fn ids_in(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| ids_in(item, found)),
        Value::Object(map) => {
            for (name, inner) in map {
                match inner {
                    Value::String(text) if is_id(name) && !text.is_empty() => {
                        found.insert(text.clone());
                    }
                    Value::Number(number) if is_id(name) => {
                        found.insert(number.to_string());
                    }
                    inner => ids_in(inner, found),
                }
            }
        }
        _ => {}
    }
}

/// `id`, `request_id`, `applicationId`, `uuid`; not `valid`.
fn is_id(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    ["id", "uuid", "guid"].contains(&lower.as_str())
        || ["_id", "-id", "_uuid"]
            .iter()
            .any(|end| lower.ends_with(end))
        || ["Id", "ID"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_called_like_an_id() {
        for name in [
            "id",
            "request_id",
            "applicationId",
            "deploymentID",
            "uuid",
            "x-id",
        ] {
            assert!(is_id(name), "{name}");
        }
        for name in ["valid", "idle", "identity", "paid", "name"] {
            assert!(!is_id(name), "{name}");
        }
    }

    #[test]
    fn values_are_words() {
        for (text, expected) in [
            ("web", "<w>"),
            ("web-1 webs _web", "web-1 webs _web"),
            (
                "https://web.example/web?x=web",
                "https://<w>.example/<w>?x=<w>",
            ),
            ("{\"id\":\"web\"} <web>", "{\"id\":\"<w>\"} <web>"),
        ] {
            assert_eq!(put(text, "web", "<w>"), expected);
        }
    }
}
