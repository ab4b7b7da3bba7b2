//! Replays exchanges recorded from a dployr control plane (dployr-io/dployr-base at 05f89de).
//!
//! Status, content type, keys and messages must match. Ids, times and credentials may differ, but ids that
//! are equal in the recording must be equal in the sandbox's replies. `<session>` and `<token>` are the
//! latest session and token, `<owner>` is a valid token. With `"compare": "form"`, only keys and types of the
//! first item must match: the sandbox does not have the services of other tenants or the log of the
//! recording.
//!
//! All recorded exchanges of operations in `specs/dployr.yaml` are replayed, except those of other tenants
//! and of cluster viewers: the sandbox has one tenant, the owner.

mod common;

use std::collections::BTreeMap;

use common::TestPlatform;
use deploykit_sandbox::{Dialect, DployrAccess, Platform, Request, Sandbox, SandboxBuilder};
use serde_json::{Value, json};

const CLUSTER: &str = "01M85NWTN0TJ4JW1JXEKRNC9Z2";
const SERVICE: &str = "01M85NWYM50C3XD23R6MCKYEYQ";

fn exchanges(fixture: &str) -> Vec<Value> {
    let path = format!(
        "{}/tests/fixtures/dployr-{fixture}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A control plane that maps recorded ids and names to the sandbox's values.
struct ReplayedPlane {
    api: TestPlatform,
    access: DployrAccess,
    ids: BTreeMap<String, String>,
}

impl ReplayedPlane {
    fn new(builder: SandboxBuilder) -> Self {
        let builder = builder.dployr_dialect(Dialect::ControlPlane);
        let api = TestPlatform::new(Platform::Dployr, builder);
        let access = api.state.dployr().access("");
        let mut plane = Self {
            ids: BTreeMap::new(),
            access: access.clone(),
            api,
        };
        plane.map_id(CLUSTER, &access.cluster_id);
        plane.map_id("acme", "owner");
        plane.map_id("loop-node-1", &access.instance_tag);
        plane
    }

    /// Expects `actual` wherever the recording has `recorded`.
    fn map_id(&mut self, recorded: &str, actual: &str) {
        self.ids.insert(recorded.to_owned(), actual.to_owned());
    }

    fn replay(&mut self, exchanges: &[Value]) {
        replay(&mut self.api, &self.access.token, exchanges, &mut self.ids);
    }

    /// The id of a service.
    fn service(&mut self, name: &str) -> String {
        let target = format!("/v1/services?clusterId={}", self.access.cluster_id);
        let list = self.api.ok(&target);
        let mut items = list["data"]["items"].as_array().unwrap().iter();
        let service = items.find(|item| item["name"] == name).unwrap();
        service["id"].as_str().unwrap().to_owned()
    }
}

#[test]
fn control_plane_and_rest_exchanges_get_the_same_replies() {
    let mut plane = ReplayedPlane::new(Sandbox::builder().dployr_build_node(false));
    plane.map_id("loopback", "sandbox");
    plane.replay(&exchanges("control-plane"));
    let service = plane.service("web-one");
    plane.map_id(SERVICE, &service);
    plane.replay(&exchanges("rest"));
}

#[test]
fn the_101st_request_of_a_minute_is_refused() {
    let mut plane = ReplayedPlane::new(Sandbox::builder());
    plane.map_id("loopback", "sandbox");
    // The time of the recording, because the message contains the remaining seconds.
    plane.api.now = std::time::Duration::from_secs(1_795_487_083);
    let email = json!({ "email": plane.access.email });
    let login = json!({ "email": plane.access.email, "code": plane.access.login_code });
    let post = |path: &str, body: &Value| Request::new("POST", path).with_json(body);
    plane.api.raw(&post("/v1/auth/login/email", &email));
    let verified = plane.api.raw(&post("/v1/auth/login/email/verify", &login));
    let id = session(verified.header("set-cookie").unwrap()).unwrap();
    plane.map_id("<session>", &id);
    for _ in 0..97 {
        plane.api.ok("/v1/users/me");
    }
    plane.replay(&exchanges("rate-limit"));
}

#[test]
fn service_and_instance_exchanges_get_the_same_replies() {
    let mut plane = ReplayedPlane::new(Sandbox::builder().dployr_build_node(false));
    plane.map_id("127.0.0.10", "203.0.113.10");
    let exchanges = exchanges("services-and-instances");
    // The first two requests deploy the same name.
    let (deployed, rest) = exchanges.split_at(2);
    plane.replay(deployed);
    plane.api.wait(1_200);
    let service = plane.service("web-one");
    plane.map_id(SERVICE, &service);
    plane.replay(rest);
}

#[test]
fn account_exchanges_get_the_same_replies() {
    let mut plane = ReplayedPlane::new(Sandbox::builder());
    plane.ids.remove("acme");
    let app = json!({ "name": "web-one", "type": "web", "source": "image", "image": "node:20" });
    let target = format!("/v1/deployments?clusterId={}", plane.access.cluster_id);
    plane.api.posted(&target, &app, 202);
    plane.api.wait(1_200);
    let access = plane.access.clone();
    plane.map_id("login@example.com", &access.email);
    plane.map_id("70INTT", &access.login_code);
    plane.map_id("<owner>", &access.token);
    plane.map_id("<name>", "owner");
    plane.map_id("Loop Owner", "owner");
    plane.replay(&exchanges("account"));
}

fn replay(
    api: &mut TestPlatform,
    known_token: &str,
    exchanges: &[Value],
    ids: &mut BTreeMap<String, String>,
) {
    for exchange in exchanges {
        api.wait(exchange["wait_ms"].as_u64().unwrap_or(0));
        let (recorded, response) = (&exchange["request"], &exchange["response"]);
        let (method, path) = (
            recorded["method"].as_str().unwrap(),
            recorded["path"].as_str().unwrap(),
        );
        let mut request = Request::new(method, &translated(path, ids));
        for (name, value) in recorded["headers"].as_object().unwrap() {
            // The recording has no real tokens. Replace the placeholder by a valid or an invalid token.
            let token = if response["status"] == 401 {
                "dpat_nobody"
            } else {
                known_token
            };
            let value = translated(value.as_str().unwrap(), ids);
            let value = value.replace("dpat_<64 hex digits>", token);
            request = request.with_header(name, &value);
        }
        request.body = match &recorded["body"] {
            Value::Null => Vec::new(),
            Value::String(text) => text.clone().into_bytes(),
            json => translated(&json.to_string(), ids).into_bytes(),
        };
        let reply = api.raw(&request);
        let at = format!("{method} {path} {}", recorded["body"]);
        assert_eq!(
            reply.status.as_u16(),
            response["status"],
            "{at}: {}",
            reply.text_body()
        );
        assert_eq!(
            reply.header("content-type"),
            response["headers"]["content-type"].as_str(),
            "{at}"
        );
        assert!(reply.header("x-ratelimit-remaining").is_some(), "{at}");
        let retry_after = &response["headers"]["retry-after"];
        assert_eq!(
            reply.header("retry-after").is_some(),
            retry_after.is_string(),
            "{at}"
        );
        if let Some(session) = reply.header("set-cookie").and_then(session) {
            ids.insert("<session>".to_owned(), session);
        }
        let body = match &response["body"] {
            Value::String(_) => Value::String(reply.text_body()),
            _ => reply.json_body(),
        };
        if exchange["compare"] == "form" {
            compare_forms(&parsed_lines(&response["body"]), &parsed_lines(&body), &at);
        } else {
            compare(&response["body"], &body, ids, &at);
        }
    }
}

fn session(cookie: &str) -> Option<String> {
    let (id, _) = cookie.strip_prefix("session=")?.split_once(';')?;
    Some(id.to_owned())
}

fn translated(text: &str, ids: &BTreeMap<String, String>) -> String {
    ids.iter()
        .fold(text.to_owned(), |text, (recorded, actual)| {
            text.replace(recorded, actual)
        })
}

/// Parses a body that is an NDJSON stream; other bodies stay unchanged.
fn parsed_lines(body: &Value) -> Value {
    match body {
        Value::String(text) => text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .collect(),
        other => other.clone(),
    }
}

/// Compares keys and types. Of arrays, only the first items are compared.
fn compare_forms(recorded: &Value, actual: &Value, at: &str) {
    match (recorded, actual) {
        (Value::Object(recorded), Value::Object(actual)) => {
            assert!(recorded.keys().eq(actual.keys()), "{at}: {actual:?}");
            for (key, value) in recorded {
                compare_forms(value, &actual[key], &format!("{at} .{key}"));
            }
        }
        (Value::Array(recorded), Value::Array(actual)) => {
            assert_eq!(recorded.is_empty(), actual.is_empty(), "{at}");
            if let (Some(recorded), Some(actual)) = (recorded.first(), actual.first()) {
                compare_forms(recorded, actual, &format!("{at} [0]"));
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ => assert_eq!(
            std::mem::discriminant(recorded),
            std::mem::discriminant(actual),
            "{at}: {actual}"
        ),
    }
}

fn compare(recorded: &Value, actual: &Value, ids: &mut BTreeMap<String, String>, at: &str) {
    match (recorded, actual) {
        (Value::Object(recorded), Value::Object(actual)) => {
            let keys = |object: &serde_json::Map<String, Value>| {
                object.keys().cloned().collect::<Vec<_>>()
            };
            assert_eq!(keys(recorded), keys(actual), "{at}");
            for (key, value) in recorded {
                compare(value, &actual[key], ids, &format!("{at} .{key}"));
            }
        }
        (Value::Array(recorded), Value::Array(actual)) => {
            assert_eq!(recorded.len(), actual.len(), "{at}");
            for (number, (recorded, actual)) in recorded.iter().zip(actual).enumerate() {
                compare(recorded, actual, ids, &format!("{at} [{number}]"));
            }
        }
        (Value::String(recorded), Value::String(actual)) if recorded == "<token>" => {
            assert!(actual.starts_with("dpat_"), "{at}: {actual}");
            ids.insert(recorded.clone(), actual.clone());
        }
        (Value::String(recorded), Value::String(actual)) if recorded.starts_with(TXT) => {
            let rest = |text: &str| Value::from(text.strip_prefix(TXT));
            compare(&rest(recorded), &rest(actual), ids, at);
        }
        (Value::String(recorded), Value::String(actual))
            if is_uuid(recorded) || is_ulid(recorded) =>
        {
            assert_eq!(
                (is_uuid(actual), is_ulid(actual)),
                (is_uuid(recorded), is_ulid(recorded))
            );
            let known = ids
                .entry(recorded.clone())
                .or_insert_with(|| actual.clone());
            assert_eq!(known, actual, "{at}");
        }
        (Value::String(recorded), Value::String(actual)) if recorded.starts_with("eyJ") => {
            assert!(actual.starts_with("eyJ"), "{at}: {actual}");
        }
        (Value::String(recorded), Value::String(actual)) if is_timestamp_text(recorded) => {
            assert!(is_timestamp_text(actual), "{at}: {actual}");
        }
        (Value::Number(recorded), Value::Number(actual)) if is_timestamp_millis(recorded) => {
            assert!(is_timestamp_millis(actual), "{at}: {actual}")
        }
        (Value::String(recorded), _) => {
            assert_eq!(&Value::from(translated(recorded, ids)), actual, "{at}");
        }
        _ => assert_eq!(recorded, actual, "{at}"),
    }
}

/// Prefix of a domain's TXT record.
const TXT: &str = "dployr-verify=";

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.split('-').count() == 5
}

fn is_ulid(text: &str) -> bool {
    text.len() == 26
        && text
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// `2026-11-24T02:24:27.986Z`
fn is_timestamp_text(text: &str) -> bool {
    text.len() == 24 && text.starts_with("20") && text.ends_with('Z') && text.contains('T')
}

fn is_timestamp_millis(number: &serde_json::Number) -> bool {
    number
        .as_u64()
        .is_some_and(|number| number > 1_000_000_000_000)
}
