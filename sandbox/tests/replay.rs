//! What a running control plane of dployr answered, asked again of the sandbox.
//!
//! `fixtures/dployr-control-plane.json` holds exchanges recorded from dployr-io/dployr-base at 05f89de with one connected
//! node and no build node; the redeploy stands there twice, to have something that runs at the end. Ids and times differ, everything else is compared: status, content type, keys, words, and that
//! an id that comes twice in the recording comes twice here.
//!
//! `fixtures/dployr-services-and-instances.json` holds those of the same recording that belong to one service and to
//! instances. Lists of all tenants are not among them, so the service's id is told beforehand, and so is the tag of the
//! connected instance. The token of a new instance was replaced.
//!
//! `fixtures/dployr-account.json` holds those about logging in, API tokens, the user, its cluster and domains, with the
//! logout after what needs the session. `<session>` and `<token>` stand for the last ones that were handed out before,
//! `<owner>` for a good token where it is refused; other credentials of refusals are nobody's. Here one user is both the
//! one that logged in there and the owner.

mod common;

use std::collections::BTreeMap;

use common::World;
use deploykit_sandbox::{Dialect, Platform, Request, Sandbox};
use serde_json::{Value, json};

const CLUSTER: &str = "01M85NWTN0TJ4JW1JXEKRNC9Z2";

#[test]
fn recorded_exchanges_are_answered_alike() {
    let exchanges: Vec<Value> =
        serde_json::from_str(include_str!("fixtures/dployr-control-plane.json")).unwrap();
    let builder = Sandbox::builder()
        .dployr_dialect(Dialect::ControlPlane)
        .dployr_build_node(false);
    let mut world = World::new(Platform::Dployr, builder);
    let access = world.state.dployr().access("");
    // Recorded id to the sandbox's id.
    let mut ids = BTreeMap::from([(CLUSTER.to_owned(), access.cluster_id.clone())]);
    replay(&mut world, &access.token, &exchanges, &mut ids);
}

const SERVICE: &str = "01M85NWYM50C3XD23R6MCKYEYQ";

#[test]
fn services_and_instances_are_answered_alike() {
    let recorded = include_str!("fixtures/dployr-services-and-instances.json");
    let exchanges: Vec<Value> = serde_json::from_str(recorded).unwrap();
    let builder = Sandbox::builder()
        .dployr_dialect(Dialect::ControlPlane)
        .dployr_build_node(false);
    let mut world = World::new(Platform::Dployr, builder);
    let access = world.state.dployr().access("");
    let mut ids = BTreeMap::from([
        (CLUSTER.to_owned(), access.cluster_id.clone()),
        ("loop-node-1".to_owned(), access.instance_tag),
    ]);
    // Deployed twice.
    let (deployed, rest) = exchanges.split_at(2);
    replay(&mut world, &access.token, deployed, &mut ids);
    world.wait(1_200);
    let target = format!("/v1/services?clusterId={}", access.cluster_id);
    let services = world.get(&target).json_body();
    let id = services["data"]["items"][0]["id"].as_str().unwrap();
    ids.insert(SERVICE.to_owned(), id.to_owned());
    replay(&mut world, &access.token, rest, &mut ids);
}

#[test]
fn an_account_is_answered_alike() {
    let recorded = include_str!("fixtures/dployr-account.json");
    let exchanges: Vec<Value> = serde_json::from_str(recorded).unwrap();
    let builder = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let mut world = World::new(Platform::Dployr, builder);
    let access = world.state.dployr().access("");
    let app = json!({ "name": "web-one", "type": "web", "source": "image", "image": "node:20" });
    let target = format!("/v1/deployments?clusterId={}", access.cluster_id);
    assert_eq!(world.post(&target, &app).status, 202);
    world.wait(1_200);
    let mut ids = BTreeMap::from([
        (CLUSTER.to_owned(), access.cluster_id),
        ("login@example.com".to_owned(), access.email),
        ("70INTT".to_owned(), access.login_code),
        ("<owner>".to_owned(), access.token.clone()),
    ]);
    replay(&mut world, &access.token, &exchanges, &mut ids);
}

fn replay(
    world: &mut World,
    known_token: &str,
    exchanges: &[Value],
    ids: &mut BTreeMap<String, String>,
) {
    for exchange in exchanges {
        world.wait(exchange["wait_ms"].as_u64().unwrap_or(0));
        let (recorded, response) = (&exchange["request"], &exchange["response"]);
        let (method, path) = (
            recorded["method"].as_str().unwrap(),
            recorded["path"].as_str().unwrap(),
        );
        let mut request = Request::new(method, &translated(path, ids));
        for (name, value) in recorded["headers"].as_object().unwrap() {
            // Tokens were replaced in the recording, good ones and bad ones alike.
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
        let reply = world.raw(&request);
        let at = format!("{method} {path} {}", recorded["body"]);
        assert_eq!(
            reply.status,
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
        compare(&response["body"], &body, ids, &at);
    }
}

fn session(cookie: &str) -> Option<String> {
    let (id, _) = cookie.strip_prefix("session=")?.split_once(';')?;
    Some(id.to_owned())
}

fn translated(text: &str, ids: &BTreeMap<String, String>) -> String {
    ids.iter().fold(text.to_owned(), |text, (recorded, ours)| {
        text.replace(recorded, ours)
    })
}

fn compare(recorded: &Value, ours: &Value, ids: &mut BTreeMap<String, String>, at: &str) {
    match (recorded, ours) {
        (Value::Object(recorded), Value::Object(ours)) => {
            let keys = |object: &serde_json::Map<String, Value>| {
                object.keys().cloned().collect::<Vec<_>>()
            };
            assert_eq!(keys(recorded), keys(ours), "{at}");
            for (key, value) in recorded {
                compare(value, &ours[key], ids, &format!("{at} .{key}"));
            }
        }
        (Value::Array(recorded), Value::Array(ours)) => {
            assert_eq!(recorded.len(), ours.len(), "{at}");
            for (number, (recorded, ours)) in recorded.iter().zip(ours).enumerate() {
                compare(recorded, ours, ids, &format!("{at} [{number}]"));
            }
        }
        (Value::String(recorded), Value::String(ours)) if recorded == "<token>" => {
            assert!(ours.starts_with("dpat_"), "{at}: {ours}");
            ids.insert(recorded.clone(), ours.clone());
        }
        (Value::String(recorded), Value::String(ours)) if recorded.starts_with(TXT) => {
            let rest = |text: &str| Value::from(text.strip_prefix(TXT));
            compare(&rest(recorded), &rest(ours), ids, at);
        }
        (Value::String(recorded), Value::String(ours)) if is_uuid(recorded) => {
            assert!(is_uuid(ours), "{at}: {ours}");
            let known = ids.entry(recorded.clone()).or_insert_with(|| ours.clone());
            assert_eq!(known, ours, "{at}");
        }
        (Value::String(recorded), Value::String(ours)) if is_ulid(recorded) => {
            assert!(is_ulid(ours), "{at}: {ours}");
            let known = ids.entry(recorded.clone()).or_insert_with(|| ours.clone());
            assert_eq!(known, ours, "{at}");
        }
        (Value::String(recorded), Value::String(ours)) if recorded.starts_with("eyJ") => {
            assert!(ours.starts_with("eyJ"), "{at}: {ours}");
        }
        (Value::Number(recorded), Value::Number(ours)) if is_time(recorded) => {
            assert!(is_time(ours), "{at}: {ours}")
        }
        (Value::String(recorded), _) => {
            assert_eq!(&Value::from(translated(recorded, ids)), ours, "{at}");
        }
        _ => assert_eq!(recorded, ours, "{at}"),
    }
}

/// What stands before the token of a domain in its TXT record.
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

fn is_time(number: &serde_json::Number) -> bool {
    number
        .as_u64()
        .is_some_and(|number| number > 1_000_000_000_000)
}
