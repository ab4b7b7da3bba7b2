//! Every recorded exchange with a running control plane, through the wrapper of its operation.

use crate::Replay;
use crate::operations::Success;
use deploykit::testing::CannedReply;
use deploykit::{
    Effect, Error, ErrorKind,
    operation::{Evidence, OPERATIONS, Operation},
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

const FIXTURES: [&str; 2] = [
    include_str!("../fixtures/dployr/exchanges.json"),
    include_str!("../fixtures/dployr/account-exchanges.json"),
];
/// The cookie of a login reply. The recording has it only in later requests.
const COOKIE: &str =
    "session=0a4c2f6e-1d3b-4c5a-9e8f-7b6a5d4c3b2a; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax";
const SESSION: &str = "0a4c2f6e-1d3b-4c5a-9e8f-7b6a5d4c3b2a";

/// Operations that a running control plane answered, but without a recorded exchange.
const UNRECORDED: [&str; 4] = [
    "exchange_identity_token",
    "invite_cluster_users",
    "list_events",
    "list_versions",
];

/// The operation that a request belongs to, and the parameters in its path.
fn operation_of(method: &str, path: &str) -> Option<(&'static Operation, Vec<String>)> {
    let segments: Vec<_> = path.split('/').collect();
    OPERATIONS.iter().find_map(|operation| {
        let template: Vec<_> = operation.path.split('/').collect();
        let fits = operation.api == "dployr"
            && operation.method == method
            && template.len() == segments.len();
        let mut ids = Vec::new();
        for (part, segment) in template.iter().zip(&segments) {
            if part.starts_with('{') && !segment.is_empty() {
                ids.push((*segment).to_owned());
            } else if part != segment {
                return None;
            }
        }
        fits.then_some((operation, ids))
    })
}

#[tokio::test]
async fn recorded_exchanges() {
    let drift = crate::drift_log::DriftLog::start();
    let replay = Replay::default();
    let mut seen = BTreeSet::new();
    let exchanges = FIXTURES.map(|text| serde_json::from_str::<Vec<Value>>(text).unwrap());
    for exchange in exchanges.iter().flatten() {
        let request = &exchange["request"];
        let method = request["method"].as_str().unwrap();
        let target = request["path"].as_str().unwrap();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let response = &exchange["response"];
        let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
        let what = format!("{method} {target} -> {status}: {}", exchange["note"]);
        let (operation, ids) = operation_of(method, path).expect(&what);
        seen.insert((operation.id, status < 300));

        let cluster = query
            .split('&')
            .find_map(|pair| pair.strip_prefix("clusterId="));
        replay.set_arguments(ids, cluster.map(str::to_owned));
        let variant = if query.contains("follow=true") {
            "follow"
        } else if cluster.is_some() && replay.has(operation, "cluster") {
            "cluster"
        } else {
            ""
        };
        let mut reply = CannedReply::new(status, text_of(&response["body"]));
        for (name, value) in response["headers"].as_object().unwrap() {
            reply = reply.header(name, value.as_str().unwrap());
        }
        if operation.id == "verify_login_code" {
            reply = reply.header("set-cookie", COOKIE);
        }
        let result = replay.send(operation, variant, reply).await;

        let sent = replay.recorder.requests().pop().unwrap();
        assert_eq!((sent.method.as_str(), sent.path.as_str()), (method, path));
        match result {
            Ok(success) if status < 300 => {
                assert_value(operation.id, cluster, &success, &response["body"], &what);
            }
            Err(error) if status >= 300 => assert_error(&error, operation.id, response, &what),
            other => panic!("{what}: {other:?}"),
        }
    }
    let unrecorded: Vec<_> = OPERATIONS
        .iter()
        .filter(|one| one.api == "dployr" && one.evidence == Evidence::Observed)
        .filter(|one| !seen.contains(&(one.id, true)) && !seen.contains(&(one.id, false)))
        .map(|one| one.id)
        .collect();
    assert_eq!(unrecorded, UNRECORDED);
    assert_eq!(drift.lines(), [""; 0]);
    assert!(seen.contains(&("verify_domain", false)));
}

fn text_of(body: &Value) -> String {
    match body {
        Value::String(text) => text.clone(),
        body => body.to_string(),
    }
}

fn assert_value(id: &str, cluster: Option<&str>, success: &Success, body: &Value, what: &str) {
    let data = &body["data"];
    let value = &success.json;
    if value.is_null() && success.debug.contains("<redacted>") {
        return; // A value with a secret is not serialized.
    }
    if let Some(pagination) = data.get("pagination") {
        let page = [&value["page"], &value["total_items"], &value["has_next"]];
        let sent = ["page", "totalItems", "hasNextPage"].map(|key| &pagination[key]);
        assert_eq!(page, sent, "{what}");
    }
    let items = |key: &str| (&value["items"], data[key].clone());
    let (value, sent) = match id {
        "verify_login_code" => {
            assert_eq!(success.id.as_deref(), Some(SESSION), "{what}");
            return;
        }
        // Their values are secrets, which are not serialized; see `secret_values_are_decoded`.
        "exchange_identity_token" | "get_service_envs" | "request_login_code" => return,
        "list_services" => {
            // The server sends the services of all clusters.
            let (value, mut items) = items("items");
            let list = items.as_array_mut().unwrap();
            list.retain(|item| cluster.is_none() || item["clusterId"].as_str() == cluster);
            (value, items)
        }
        "get_service_logs" | "get_logs" => {
            let lines: Vec<Value> = match body {
                Value::String(text) => {
                    let lines = text.lines();
                    lines
                        .map(|line| serde_json::from_str(line).unwrap())
                        .collect()
                }
                body => body.as_array().unwrap().clone(),
            };
            assert!(!lines.is_empty(), "{what}");
            (value, Value::Array(lines.iter().map(log_line).collect()))
        }
        "create_deployment" => (&value["taskId"], data["taskId"].clone()),
        "get_service" => (value, data["service"].clone()),
        "list_service_secrets" => items("secrets"),
        "list_clusters" => items("clusters"),
        "list_proxy_services" => items("services"),
        "rename_cluster" => (value, data["cluster"].clone()),
        "get_health" | "get_domain_status" => (value, body.clone()),
        "logout" | "delete_api_token" | "delete_domain" | "delete_deployment"
        | "delete_service" | "delete_instance" | "verify_domain" => (value, Value::Null),
        _ if data.get("pagination").is_some() => items("items"),
        _ => (value, data.clone()),
    };
    assert_eq!(
        without_empty_fields(value.clone()),
        without_empty_fields(redacted(&sent)),
        "{what}"
    );
}

/// A line of a reply under the names of `LogLine`.
fn log_line(line: &Value) -> Value {
    let name = |key: &str| match key {
        "serviceId" => "service".to_owned(),
        "deploymentId" => "deployment_id".to_owned(),
        key => key.to_owned(),
    };
    let fields = line.as_object().unwrap().iter();
    fields
        .map(|(key, value)| (name(key), value.clone()))
        .collect()
}

/// A reply as the client serializes it: with personal data and tokens redacted.
fn redacted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let is_person = map.contains_key("email") && map.contains_key("provider");
            let entries = map.iter().map(|(key, value)| {
                let personal = is_person && ["email", "name", "picture"].contains(&key.as_str());
                let personal = personal || key == "owner" && value.is_string();
                let value = match value {
                    Value::String(_) if personal => json!("<personal>"),
                    Value::String(_) if key == "token" => json!("<redacted>"),
                    value => redacted(value),
                };
                (key.clone(), value)
            });
            Value::Object(entries.collect())
        }
        Value::Array(items) => items.iter().map(redacted).collect(),
        other => other.clone(),
    }
}

/// Without metadata, nulls, and empty lists and objects.
fn without_empty_fields(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, without_empty_fields(value)))
            .filter(|(key, _)| key != "metadata")
            .filter(|(_, value)| !value.is_null() && *value != json!({}) && *value != json!([]))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_empty_fields).collect(),
        other => other,
    }
}

fn assert_error(error: &Error, id: &str, response: &Value, what: &str) {
    let status = response["status"].as_u64().unwrap();
    let body = &response["body"];
    let code = body["error"]["code"].as_str().or(body["code"].as_str());
    let text = body.as_str().map(|text| text.trim_start_matches("404 "));
    let message = body["error"]["message"]
        .as_str()
        .or(body["error"].as_str())
        .or(body["status"].as_str())
        .or(text);
    let hint = response["headers"]["retry-after"].as_str();
    let hint = hint.map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
    let kind = match (status, code) {
        (400, _) if message.is_some_and(|text| text.contains("hobby plan")) => ErrorKind::PlanLimit,
        (400, Some("request.bad_request" | "request.invalid_otp") | None) => ErrorKind::Rejected,
        (401, Some("auth.bad_session")) => ErrorKind::Unauthenticated,
        (403, Some(code)) if code.starts_with("permission.") => ErrorKind::Forbidden,
        (404, Some("resource.missing_resource")) => ErrorKind::NotFound,
        (404, None) if body == "404 Not Found" => ErrorKind::NoSuchRoute,
        (409, Some("resource.conflict")) => ErrorKind::Conflict,
        (422, Some("request.unprocessable_entity")) => ErrorKind::Rejected,
        (429, Some("request.too_many_requests")) if hint.is_some() => ErrorKind::RateLimited,
        (429, Some("request.too_many_requests")) => ErrorKind::Quota,
        (500, _) => ErrorKind::Server,
        (503, Some("runtime.node_not_connected")) => ErrorKind::Unavailable,
        other => panic!("{what}: no expected kind for {other:?}"),
    };
    assert_eq!(error.kind(), kind, "{what}");
    assert_eq!(error.status().map(u64::from), Some(status), "{what}");
    assert_eq!(error.code(), code, "{what}");
    assert_eq!(error.message(), message, "{what}");
    assert_eq!(
        error.operation().map(|operation| operation.id),
        Some(id),
        "{what}"
    );
    let effect = match status {
        // The handler selects the node before it changes anything.
        503 if [
            "start_service",
            "stop_service",
            "reboot_instance",
            "restart_instance",
        ]
        .contains(&id) =>
        {
            Effect::None
        }
        500 | 503 => Effect::Unknown,
        _ => Effect::None,
    };
    assert_eq!(error.effect(), effect, "{what}");
    assert_eq!(error.retry_after(), hint, "{what}");

    let text = error.to_string();
    let advice = match (code, message) {
        _ if kind == ErrorKind::NoSuchRoute => "only the vendor's page has this route",
        _ if kind == ErrorKind::Forbidden && id == "get_deployment" => "deployments().find(id)",
        (Some("auth.bad_session"), _) if what.contains("/auth/") => "with_session",
        (Some("permission.forbidden"), Some(message)) if message.contains("tokens") => {
            "login_by_email"
        }
        (Some("request.invalid_otp"), _) => "ten minutes",
        (Some("request.unprocessable_entity"), _) => "TXT record that domain(..).get() shows",
        (_, Some(message)) if message.contains("once per month") => "once a month",
        _ => return,
    };
    assert!(text.contains(advice), "{what}: {text}");
}
