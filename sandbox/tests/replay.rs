//! What a running control plane of dployr answered, asked again of the sandbox.
//!
//! `fixtures/dployr-control-plane.json` holds exchanges recorded from dployr-io/dployr-base at 05f89de with one connected
//! node and no build node; the redeploy stands there twice, to have something that runs at the end. Ids and times differ, everything else is compared: status, content type, keys, words, and that
//! an id that comes twice in the recording comes twice here.
//!
//! `fixtures/dployr-services-and-instances.json` holds those of the same recording that belong to one service and to
//! instances. Lists of all tenants are not among them, so the service's id is told beforehand, and so is the tag of the
//! connected instance. The token of a new instance was replaced.

mod common;

use std::collections::BTreeMap;

use common::World;
use deploykit_sandbox::{Dialect, Platform, Request, Sandbox};
use serde_json::Value;

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
            let value = value
                .as_str()
                .unwrap()
                .replace("dpat_<64 hex digits>", token);
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
        let body = match &response["body"] {
            Value::String(_) => Value::String(reply.text_body()),
            _ => reply.json_body(),
        };
        compare(&response["body"], &body, ids, &at);
    }
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
