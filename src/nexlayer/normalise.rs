//! The names and forms that Nexlayer's generations of replies have, folded into those of the spec.
//!
//! A canonical key that holds something is never overwritten. What has the wrong type is left out: a
//! start must not fail on how its reply describes the application, since the only copy of the session
//! token is in it.

use super::ApplicationState;
use super::classify;
use crate::error::ErrorKind;
use crate::transport::profile::Classified;
use serde_json::{Map, Value};

type Object = Map<String, Value>;

/// Older name, canonical name.
const ALIASES: [(&str, &str); 4] = [
    ("namespace", "environment"),
    ("claimURL", "claimUrl"),
    ("deploymentUrl", "url"),
    ("reservations", "reservedDeployments"),
];
/// Fields that are text, at the top of a reply and in a reservation.
const TEXTS: [&str; 8] = [
    "applicationName",
    "claimToken",
    "claimUrl",
    "environment",
    "info",
    "message",
    "sessionToken",
    "url",
];

/// Folds a success body, or finds that it is a failure after all.
pub(super) fn normalise(body: Value) -> Result<Value, Box<Classified>> {
    let body = match body {
        Value::Object(map) if !is_schema(&map) => unwrap(map)?,
        other => other,
    };
    Ok(match body {
        Value::Object(map) if is_schema(&map) => Value::Object(map),
        Value::Object(map) => Value::Object(fold(map)),
        // A bare list can only be the reservations: no other reply is one.
        list @ Value::Array(_) => {
            let key = "reservedDeployments".to_owned();
            Value::Object(fold(Map::from_iter([(key, list)])))
        }
        other => other,
    })
}

/// Whether it is the schema of a manifest: its keys are those of JSON Schema, not of a reply.
fn is_schema(map: &Object) -> bool {
    let by_form = map.get("properties").is_some_and(Value::is_object)
        && map.get("type").and_then(Value::as_str) == Some("object");
    !has_token(map) && (by_form || map.get("$schema").is_some_and(Value::is_string))
}

/// Whether it is about a session: then nothing in it is worth losing the token for.
fn has_token(map: &Object) -> bool {
    map.contains_key("sessionToken")
}

/// Takes `{success, data}` off, and `{schema, version}`. A success status around `success: false`, an
/// `error`, or a manifest that is not `valid` is a failure.
fn unwrap(mut map: Object) -> Result<Value, Box<Classified>> {
    let error = match map.get("error") {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    let no = |key: &str| map.get(key) == Some(&Value::Bool(false));
    if error || no("success") || no("valid") && !has_token(&map) {
        let failure = Classified::from_status(400).kind(ErrorKind::Rejected);
        return Err(Box::new(classify::read(failure, &Value::Object(map))));
    }
    Ok(match map.remove("data") {
        Some(Value::Object(data)) if is_schema(&data) => Value::Object(data),
        Some(Value::Object(mut data)) => {
            // One client reads `{message, data}`.
            if let Some(message) = map.remove("message") {
                data.entry("message").or_insert(message);
            }
            schema_of(data)
        }
        Some(data @ (Value::Array(_) | Value::String(_))) => data,
        _ => schema_of(map),
    })
}

/// One client expects the schema beside its version.
fn schema_of(mut map: Object) -> Value {
    let is_schema = !has_token(&map) && map.get("schema").is_some_and(Value::is_object);
    match map.remove("schema") {
        Some(schema) if is_schema => schema,
        _ => Value::Object(map),
    }
}

fn fold(mut map: Object) -> Object {
    for (alias, name) in ALIASES {
        if let Some(value) = map.remove(alias)
            && map.get(name).is_none_or(Value::is_null)
        {
            map.insert(name.to_owned(), value);
        }
    }
    parts(&mut map);
    map.retain(|key, value| {
        !["reservedDeployments", "pods"].contains(&key.as_str())
            || value.is_array()
            || value.is_null()
    });
    tidy_pods(&mut map);
    if let Some(Value::Array(list)) = map.get_mut("reservedDeployments") {
        list.retain(Value::is_object);
        list.iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(parts);
    }
    map
}

/// Folds what a start and a reservation have in common.
fn parts(map: &mut Object) {
    map.retain(|key, value| {
        if TEXTS.contains(&key.as_str()) {
            return value.is_string();
        }
        !matches!(key.as_str(), "createdAt" | "expiresAt") || is_time(value)
    });
    for (key, name, fold) in [
        ("status", "state", status as fn(&str, &Value) -> bool),
        ("extend", "message", extend),
        ("claim", "message", claim),
    ] {
        let part = match map.remove(key) {
            Some(Value::Object(part)) => part,
            Some(Value::String(text)) => Map::from_iter([(name.to_owned(), Value::String(text))]),
            _ => continue,
        };
        let mut part = part;
        part.retain(|key, value| fold(key, value));
        if key == "status" {
            tidy(&mut part);
        }
        map.insert(key.to_owned(), Value::Object(part));
    }
}

/// Whether a field of `status` has its type; likewise below.
fn status(key: &str, value: &Value) -> bool {
    match key {
        "state" | "environment" => value.is_string(),
        "progress" => value.is_number() || value.as_str().is_some_and(is_number),
        "pods" => value.is_array(),
        _ => true,
    }
}

fn extend(key: &str, value: &Value) -> bool {
    match key {
        "available" => value.is_boolean(),
        "expiresAt" => is_time(value),
        "message" | "extendURL" => value.is_string(),
        _ => true,
    }
}

fn claim(key: &str, value: &Value) -> bool {
    match key {
        "claimed" => value.is_boolean(),
        "message" | "claimURL" | "claimToken" => value.is_string(),
        _ => true,
    }
}

fn is_number(text: &str) -> bool {
    crate::lenient::number_in(text.trim()).is_some()
}

fn is_time(value: &Value) -> bool {
    value.is_string() || value.is_number()
}

fn tidy(status: &mut Object) {
    // States differ in case between sources; one that is not known stays as it came.
    if let Some(Value::String(state)) = status.get_mut("state") {
        let lower = state.to_lowercase();
        if !matches!(
            ApplicationState::from(lower.as_str()),
            ApplicationState::Unknown(_)
        ) {
            *state = lower;
        }
    }
    tidy_pods(status);
}

fn tidy_pods(holder: &mut Object) {
    if let Some(Value::Array(pods)) = holder.get_mut("pods") {
        pods.retain(Value::is_object);
        for pod in pods.iter_mut().filter_map(Value::as_object_mut) {
            pod.retain(|key, value| {
                !["name", "status"].contains(&key.as_str()) || value.is_string()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Effect;
    use serde_json::json;

    #[test]
    fn every_known_form() {
        for (body, folded) in [
            (json!({ "namespace": "n" }), json!({ "environment": "n" })),
            (
                json!({ "namespace": "n", "environment": "e" }),
                json!({ "environment": "e" }),
            ),
            (
                json!({ "namespace": "n", "environment": null }),
                json!({ "environment": "n" }),
            ),
            (
                json!({ "sessionToken": "t", "valid": false, "$schema": "s", "schema": {}, "url": 7 }),
                json!({ "sessionToken": "t", "valid": false, "$schema": "s" }),
            ),
            (json!({ "claimURL": "u" }), json!({ "claimUrl": "u" })),
            (json!({ "deploymentUrl": "u" }), json!({ "url": "u" })),
            (
                json!({ "reservations": [] }),
                json!({ "reservedDeployments": [] }),
            ),
            (
                json!([{ "status": "Running" }]),
                json!({ "reservedDeployments": [{ "status": { "state": "running" } }] }),
            ),
            (
                json!({ "success": true, "data": { "url": "u" } }),
                json!({ "url": "u" }),
            ),
            (
                json!({ "message": "m", "data": { "namespace": "n" } }),
                json!({ "message": "m", "environment": "n" }),
            ),
            (
                json!({ "message": "m", "data": { "message": "n" } }),
                json!({ "message": "n" }),
            ),
            (
                json!({ "data": [{ "url": "u" }] }),
                json!({ "reservedDeployments": [{ "url": "u" }] }),
            ),
            (json!({ "success": true, "data": "text" }), json!("text")),
            (
                json!({ "success": true, "message": "m" }),
                json!({ "success": true, "message": "m" }),
            ),
            (
                json!({ "success": true, "data": null }),
                json!({ "success": true }),
            ),
            (
                json!({ "pods": [7, { "name": "web", "status": "Running" }, { "name": 7 }] }),
                json!({ "pods": [{ "name": "web", "status": "Running" }, {}] }),
            ),
            (json!({ "pods": null }), json!({ "pods": null })),
            // The names in a schema are those of a manifest.
            (
                json!({ "$schema": "s", "data": { "url": 7 }, "error": "x", "url": 7 }),
                json!({ "$schema": "s", "data": { "url": 7 }, "error": "x", "url": 7 }),
            ),
            (
                json!({ "success": true, "data": { "type": "object", "properties": {}, "status": 7 } }),
                json!({ "type": "object", "properties": {}, "status": 7 }),
            ),
            (
                json!({ "success": true, "data": { "version": "1", "schema": { "$schema": "s", "status": 7 } } }),
                json!({ "$schema": "s", "status": 7 }),
            ),
            (
                json!({ "version": "1", "schema": { "$schema": "s" } }),
                json!({ "$schema": "s" }),
            ),
            (json!("text"), json!("text")),
            (json!(null), json!(null)),
            (
                json!({ "error": "", "url": "u" }),
                json!({ "error": "", "url": "u" }),
            ),
            (json!({ "error": null }), json!({ "error": null })),
        ] {
            assert_eq!(normalise(body.clone()), Ok(folded), "{body}");
        }
    }

    #[test]
    fn what_has_the_wrong_type_is_left_out() {
        for (body, folded) in [
            (json!({ "status": 7 }), json!({})),
            (
                json!({ "sessionToken": "t", "url": 7, "info": ["x"], "extend": true, "claim": null }),
                json!({ "sessionToken": "t" }),
            ),
            (
                json!({ "status": { "state": 7, "progress": "x", "pods": null, "new": 7 } }),
                json!({ "status": { "new": 7 } }),
            ),
            (
                json!({ "status": { "state": "Odd", "pods": [7, { "name": 7, "status": "Running" }] } }),
                json!({ "status": { "state": "Odd", "pods": [{ "status": "Running" }] } }),
            ),
            (
                json!({ "extend": { "available": "yes", "expiresAt": false, "message": [], "new": 1 } }),
                json!({ "extend": { "new": 1 } }),
            ),
            (
                json!({ "extend": "words" }),
                json!({ "extend": { "message": "words" } }),
            ),
            (
                json!({ "claim": { "claimed": 1, "message": 2, "claimURL": 3, "claimToken": 4 } }),
                json!({ "claim": {} }),
            ),
            (
                json!({ "reservedDeployments": [7, { "url": 7, "createdAt": {}, "expiresAt": 7 }] }),
                json!({ "reservedDeployments": [{ "expiresAt": 7 }] }),
            ),
            (json!({ "reservedDeployments": {}, "pods": {} }), json!({})),
        ] {
            assert_eq!(normalise(body.clone()), Ok(folded), "{body}");
        }
    }

    #[test]
    fn a_failure_in_the_clothes_of_a_success() {
        for (body, kind, message, effect) in [
            (
                json!({ "error": "boom" }),
                ErrorKind::Rejected,
                Some("boom"),
                None,
            ),
            (
                json!({ "error": { "message": "boom" } }),
                ErrorKind::Rejected,
                Some("boom"),
                None,
            ),
            (json!({ "error": true }), ErrorKind::Rejected, None, None),
            (
                json!({ "success": false, "message": "no" }),
                ErrorKind::Rejected,
                Some("no"),
                None,
            ),
            (
                json!({ "success": false, "error": "Application not found" }),
                ErrorKind::NotFound,
                Some("Application not found"),
                Some(Effect::None),
            ),
            (
                json!({ "valid": false, "errors": ["a", "b"] }),
                ErrorKind::Rejected,
                Some("a; b"),
                None,
            ),
            (
                json!({ "error": "old", "code": "TOKEN_EXPIRED" }),
                ErrorKind::Unauthenticated,
                Some("old"),
                Some(Effect::None),
            ),
        ] {
            let failure = normalise(body.clone()).unwrap_err();
            assert_eq!(
                (failure.kind, failure.message.as_deref(), failure.effect),
                (kind, message, effect),
                "{body}"
            );
        }
    }
}
