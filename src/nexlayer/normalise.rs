//! The names and forms that Nexlayer's generations of replies have, folded into those of the spec.
//!
//! A canonical key that is there is never overwritten.

use super::ApplicationState;
use crate::error::ErrorKind;
use crate::transport::profile::Classified;
use serde_json::{Map, Value};

/// Older name, canonical name.
const ALIASES: [(&str, &str); 4] = [
    ("namespace", "environment"),
    ("claimURL", "claimUrl"),
    ("deploymentUrl", "url"),
    ("reservations", "reservedDeployments"),
];

/// Folds a success body, or finds that it is a failure after all.
pub(super) fn normalise(body: Value) -> Result<Value, Box<Classified>> {
    let body = match body {
        Value::Object(map) => unwrap(map)?,
        other => other,
    };
    Ok(match body {
        Value::Object(mut map) => {
            for (alias, name) in ALIASES {
                if let Some(value) = map.remove(alias) {
                    map.entry(name).or_insert(value);
                }
            }
            status(&mut map);
            if let Some(Value::Array(list)) = map.get_mut("reservedDeployments") {
                list.iter_mut()
                    .filter_map(Value::as_object_mut)
                    .for_each(status);
            }
            Value::Object(map)
        }
        // A bare list can only be the reservations: no other reply is one.
        Value::Array(mut list) => {
            list.iter_mut()
                .filter_map(Value::as_object_mut)
                .for_each(status);
            Value::Object(Map::from_iter([(
                "reservedDeployments".to_owned(),
                Value::Array(list),
            )]))
        }
        other => other,
    })
}

/// Takes `{success, data}` off. A success status around `success: false` or a lone `error` is a
/// failure.
fn unwrap(mut map: Map<String, Value>) -> Result<Value, Box<Classified>> {
    let failed = map.get("success") == Some(&Value::Bool(false));
    let error = map
        .get("error")
        .and_then(Value::as_str)
        .filter(|e| !e.is_empty());
    if failed || error.is_some() {
        let message = error.or_else(|| map.get("message").and_then(Value::as_str));
        let failure = super::classify::by_text(message.unwrap_or_default())
            .unwrap_or_else(|| Classified::from_status(400).kind(ErrorKind::Rejected));
        return Err(Box::new(failure.message(message.unwrap_or_default())));
    }
    match map.remove("data") {
        Some(data @ (Value::Object(_) | Value::Array(_) | Value::String(_)))
            if map.contains_key("success") =>
        {
            Ok(data)
        }
        Some(data) => {
            map.insert("data".to_owned(), data);
            Ok(Value::Object(map))
        }
        None => Ok(Value::Object(map)),
    }
}

/// How an application is comes as an object or as the name of the state. What does not fit is left
/// out: a start must not fail on how its reply describes the state.
fn status(map: &mut Map<String, Value>) {
    let Some(status) = map.remove("status") else {
        return;
    };
    let mut status = match status {
        Value::Object(status) => status,
        Value::String(state) => Map::from_iter([("state".to_owned(), Value::String(state))]),
        _ => return,
    };
    status.retain(|key, value| match key.as_str() {
        "state" | "environment" => value.is_string(),
        "progress" => value.is_number(),
        "pods" => value.is_array(),
        _ => true,
    });
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
    if let Some(Value::Array(pods)) = status.get_mut("pods") {
        pods.retain(Value::is_object);
        for pod in pods.iter_mut().filter_map(Value::as_object_mut) {
            pod.retain(|key, value| {
                !["name", "status"].contains(&key.as_str()) || value.is_string()
            });
        }
    }
    map.insert("status".to_owned(), Value::Object(status));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_known_form() {
        for (body, folded) in [
            (json!({ "namespace": "n" }), json!({ "environment": "n" })),
            (
                json!({ "namespace": "n", "environment": "e" }),
                json!({ "environment": "e" }),
            ),
            (json!({ "claimURL": "u" }), json!({ "claimUrl": "u" })),
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
            (json!({ "success": true, "data": "text" }), json!("text")),
            (
                json!({ "success": true, "message": "m" }),
                json!({ "success": true, "message": "m" }),
            ),
            (json!({ "data": 7 }), json!({ "data": 7 })),
            (json!("text"), json!("text")),
            (json!(null), json!(null)),
            (json!({ "status": 7 }), json!({})),
            (
                json!({ "status": { "state": 7, "progress": "x", "pods": null } }),
                json!({ "status": {} }),
            ),
            (
                json!({ "status": { "state": "Odd", "pods": [7, { "name": 7, "status": "Running" }] } }),
                json!({ "status": { "state": "Odd", "pods": [{ "status": "Running" }] } }),
            ),
            (
                json!({ "error": "", "url": "u" }),
                json!({ "error": "", "url": "u" }),
            ),
        ] {
            assert_eq!(normalise(body.clone()), Ok(folded), "{body}");
        }
    }

    #[test]
    fn a_failure_in_the_clothes_of_a_success() {
        for (body, kind, message) in [
            (json!({ "error": "boom" }), ErrorKind::Rejected, "boom"),
            (
                json!({ "success": false, "message": "no" }),
                ErrorKind::Rejected,
                "no",
            ),
            (
                json!({ "success": false, "error": "Application not found" }),
                ErrorKind::NotFound,
                "Application not found",
            ),
        ] {
            let failure = normalise(body.clone()).unwrap_err();
            assert_eq!(
                (failure.kind, failure.message.as_deref()),
                (kind, Some(message)),
                "{body}"
            );
        }
    }
}
