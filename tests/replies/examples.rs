//! Decodes all examples of the specs, successes and failures.

use crate::Replay;
use crate::drift_log::DriftLog;
use crate::specs::{Example, examples};
use deploykit::testing::CannedReply;
use deploykit::{
    Effect, Error, ErrorKind,
    operation::{OPERATIONS, Operation},
};
use serde_json::Value;
use std::collections::BTreeSet;

const COOKIE: &str = "session=0a4c2f6e-1d3b-4c5a-9e8f-7b6a5d4c3b2a; Max-Age=604800; Path=/";

#[tokio::test]
async fn every_example_of_the_specs_is_decoded() {
    let drift = DriftLog::start();
    let replay = Replay::default();
    let mut succeeded = BTreeSet::new();
    let all = ["dployr", "edgegap", "nexlayer", "nodion"].map(examples);
    for example in all.into_iter().flatten() {
        let operation = example.operation;
        let at = format!("{operation} {} {:?}", example.status, example.name);
        let streamed = example.media.contains("ndjson") && replay.has(operation, "follow");
        let variant = if streamed { "follow" } else { "" };
        let mut reply = example.reply();
        if operation.id == "verify_login_code" && example.status == 200 {
            reply = reply.header("set-cookie", COOKIE);
        }
        let result = replay.send(operation, variant, reply).await;
        if is_success(operation, example.status) {
            let success = result.unwrap_or_else(|error| panic!("{at}: {error}"));
            assert_eq!(success.status, example.status, "{at}");
            assert!(
                !success.debug.contains("dCf0NdAQ64j6"),
                "{at} shows a token"
            );
            assert_complete(&example, &success.json, &at);
            if example.status < 300 {
                succeeded.insert(operation.to_string());
            }
        } else {
            let error = result.map(|success| success.json).expect_err(&at);
            assert_failure(&example, &error, &at);
        }
    }
    let without_example = OPERATIONS
        .iter()
        .filter(|operation| !succeeded.contains(&operation.to_string()));
    for operation in without_example {
        // Responses without content have no example.
        let result = replay.send(operation, "", CannedReply::new(204, "")).await;
        result.unwrap_or_else(|error| panic!("{operation}: {error}"));
    }
    assert_eq!(drift.lines(), [""; 0]);
}

fn is_success(operation: &Operation, status: u16) -> bool {
    match operation.id {
        // The deployment is already stopped.
        "stop_deployment" | "stop_own_deployment" if status == 410 => true,
        // An invalid manifest is a result, not an error.
        "validate_manifest" if status == 400 => true,
        _ => status < 300,
    }
}

/// Asserts that a decoded value contains all fields of its example. `Null` is accepted, because it stands
/// for a value without JSON form.
fn assert_complete(example: &Example, read: &Value, at: &str) {
    if read.is_null() {
        return;
    }
    assert_ne!(*read, serde_json::json!({}), "{at}");
    if !["edgegap", "nodion"].contains(&example.operation.api) {
        return;
    }
    // Records of a page are in `items`.
    let read = match read.get("items") {
        Some(items) if read.get("has_next").is_some() => items,
        _ => read,
    };
    if example.operation.id == "list_logs" {
        // `LogLine` has its own field names.
        assert_eq!(read[0]["timestamp"], example.value["logs"][0]["ts"], "{at}");
        assert_eq!(read[0]["message"], example.value["logs"][0]["msg"], "{at}");
        return;
    }
    // Lists, and records of Nodion, are wrapped in an object with one field.
    let whole = std::iter::once(&example.value);
    let named = example
        .value
        .as_object()
        .into_iter()
        .flat_map(|map| map.values());
    let mut candidates = whole
        .chain(named)
        .filter(|value| value.is_array() || !is_empty(value));
    assert!(
        candidates.any(|sent| contains_fields(read, sent)),
        "{at}: {read:#} does not contain {:#}",
        example.value
    );
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => true,
    }
}

/// Whether `read` contains all fields of `sent`. A missing field equals null, and 1 equals 1.0.
fn contains_fields(read: &Value, sent: &Value) -> bool {
    match (read, sent) {
        (Value::String(read), Value::String(_)) if read == "<personal>" => true,
        (Value::Object(read), Value::Object(sent)) => sent.iter().all(|(key, sent)| {
            let read = read.get(key).unwrap_or(&Value::Null);
            contains_fields(read, sent)
        }),
        (Value::Array(read), Value::Array(sent)) => {
            read.len() == sent.len()
                && read
                    .iter()
                    .zip(sent)
                    .all(|(read, sent)| contains_fields(read, sent))
        }
        (Value::Number(read), Value::Number(sent)) => read.as_f64() == sent.as_f64(),
        (Value::Null, Value::Array(_) | Value::Object(_)) => is_empty(sent),
        (Value::Array(read), Value::Null) => read.is_empty(),
        _ => read == sent,
    }
}

fn assert_failure(example: &Example, error: &Error, at: &str) {
    assert_eq!(error.status(), Some(example.status), "{at}");
    assert_ne!(error.kind(), ErrorKind::Decode, "{at}");
    let value = &example.value;
    let message = value["error"]["message"]
        .as_str()
        .or(value["error"].as_str())
        .or(value["message"].as_str());
    match example.operation.api {
        "dployr" if message.is_none() => {}
        "dployr" | "edgegap" => assert_eq!(error.message(), message, "{at}"),
        _ => assert!(
            error.message().is_some_and(|message| !message.is_empty()),
            "{at}: {error}"
        ),
    }
    if example.operation.api == "edgegap" {
        assert_edgegap_failure(example, error, at);
    }
}

fn assert_edgegap_failure(example: &Example, error: &Error, at: &str) {
    let operation = example.operation;
    let deploys = operation.id.ends_with("_deployment") && operation.behaviour.spends;
    let kind = match example.status {
        400 if operation.id == "get_deployment" => ErrorKind::NotFound,
        400 | 422 | 424 => ErrorKind::Rejected,
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        409 => ErrorKind::Conflict,
        500 => ErrorKind::Server,
        other => panic!("{at}: unexpected status {other}"),
    };
    let effect = match example.status {
        500 if !operation.is_read_only() => Effect::Unknown,
        422 if deploys => Effect::Applied,
        _ => Effect::None,
    };
    assert_eq!((error.kind(), error.effect()), (kind, effect), "{at}");
    if deploys {
        assert_eq!(
            error.resource_id(),
            example.value["request_id"].as_str(),
            "{at}"
        );
        assert!(!error.is_retryable(), "{at}: a create is not retried");
    }
}
