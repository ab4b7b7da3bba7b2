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
//! one that logged in there and the owner, and `<name>` is its name before it changes.
//!
//! `fixtures/dployr-rest.json` goes on where the first one ends, and `fixtures/dployr-rate-limit.json` holds what the
//! hundredth request of a minute is followed by; what a route that no spec has had set was taken out of it. Where an
//! exchange says `"compare": "form"`, what lists hold depends on the rest of that server: other tenants' services, the log
//! of a stand-in. There the first item counts, and not its values.
//!
//! `fixtures/dployr-others.json` holds those on a name and on a service of another tenant, in which the two tenants changed
//! places here.
//!
//! `fixtures/dployr-beside.json` holds those of routes that the spec has not: a preflight, a node's callback, the routes of
//! a proxy, the notifications of a cluster.
//!
//! With that every recorded exchange of an operation of `specs/dployr.yaml` is asked again, but for these:
//!
//! - those that another tenant sent, or on what the sandbox's has not: two deployments of the other cluster (202 without an
//!   instance, 400 for the plan), an instance and its deletion (403), a stop without a node (503), a domain of others
//!   (409), its user (200);
//! - those of a viewer of the cluster, since the sandbox has its owner alone: a service (200), its stop, its secrets, an
//!   instance, a rename (403).

mod common;

use std::collections::BTreeMap;

use common::{World, expect_status};
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
    let mut ids = BTreeMap::from([
        (CLUSTER.to_owned(), access.cluster_id.clone()),
        ("acme".to_owned(), "owner".to_owned()),
        ("loop-node-1".to_owned(), access.instance_tag.clone()),
        ("loopback".to_owned(), "sandbox".to_owned()),
    ]);
    replay(&mut world, &access.token, &exchanges, &mut ids);
    let rest: Vec<Value> = serde_json::from_str(include_str!("fixtures/dployr-rest.json")).unwrap();
    let service = service_of(&mut world, "web-one", &access.cluster_id);
    ids.insert(SERVICE.to_owned(), service);
    replay(&mut world, &access.token, &rest, &mut ids);
}

#[test]
fn the_hundredth_request_of_a_minute_is_the_last() {
    let exchanges: Vec<Value> =
        serde_json::from_str(include_str!("fixtures/dployr-rate-limit.json")).unwrap();
    let builder = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let mut world = World::new(Platform::Dployr, builder);
    // When it was recorded: the words count the seconds.
    world.now = std::time::Duration::from_secs(1_795_487_083);
    let access = world.state.dployr().access("");
    let login = |path: &str, body: Value| Request::new("POST", path).with_json(&body);
    world.raw(&login(
        "/v1/auth/login/email",
        json!({ "email": access.email }),
    ));
    let verified = world.raw(&login(
        "/v1/auth/login/email/verify",
        json!({ "email": access.email, "code": access.login_code }),
    ));
    let mut ids = BTreeMap::from([
        (CLUSTER.to_owned(), access.cluster_id.clone()),
        ("loopback".to_owned(), "sandbox".to_owned()),
        (
            "<session>".to_owned(),
            session(verified.header("set-cookie").unwrap()).unwrap(),
        ),
    ]);
    for _ in 0..97 {
        expect_status(&world.get("/v1/users/me"), 200);
    }
    replay(&mut world, &access.token, &exchanges, &mut ids);
}

fn service_of(world: &mut World, name: &str, cluster: &str) -> String {
    let list = world.get(&format!("/v1/services?clusterId={cluster}"));
    let list = list.json_body();
    let mut items = list["data"]["items"].as_array().unwrap().iter();
    let service = items.find(|item| item["name"] == name).unwrap();
    service["id"].as_str().unwrap().to_owned()
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
        ("127.0.0.10".to_owned(), "203.0.113.10".to_owned()),
        ("acme".to_owned(), "owner".to_owned()),
    ]);
    // Deployed twice.
    let (deployed, rest) = exchanges.split_at(2);
    replay(&mut world, &access.token, deployed, &mut ids);
    world.wait(1_200);
    let service = service_of(&mut world, "web-one", &access.cluster_id);
    ids.insert(SERVICE.to_owned(), service);
    replay(&mut world, &access.token, rest, &mut ids);
}

#[test]
fn what_belongs_to_others_is_refused_alike() {
    let recorded = include_str!("fixtures/dployr-others.json");
    let exchanges: Vec<Value> = serde_json::from_str(recorded).unwrap();
    let builder = Sandbox::builder()
        .dployr_dialect(Dialect::ControlPlane)
        .dployr_neighbour(true);
    let mut world = World::new(Platform::Dployr, builder);
    let access = world.state.dployr().access("");
    let theirs = service_of(&mut world, "neighbour-app", &access.cluster_id);
    let mut ids = BTreeMap::from([
        (
            "01M85NWTSA5VFJA0S7WHDNTBMP".to_owned(),
            access.cluster_id.clone(),
        ),
        ("01M85NX50TMCP1DTAYWPPG3SWY".to_owned(), theirs.clone()),
        (SERVICE.to_owned(), theirs),
        ("web-one".to_owned(), "neighbour-app".to_owned()),
    ]);
    replay(&mut world, &access.token, &exchanges, &mut ids);
}

#[test]
fn routes_beside_the_spec_are_answered_alike() {
    let recorded = include_str!("fixtures/dployr-beside.json");
    let exchanges: Vec<Value> = serde_json::from_str(recorded).unwrap();
    let builder = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let mut world = World::new(Platform::Dployr, builder);
    let access = world.state.dployr().access("");
    let mut ids = BTreeMap::from([(CLUSTER.to_owned(), access.cluster_id)]);
    replay(&mut world, &access.token, &exchanges, &mut ids);
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
        ("<name>".to_owned(), "owner".to_owned()),
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
        if exchange["compare"] == "form" {
            compare_forms(&of_lines(&response["body"]), &of_lines(&body), &at);
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
    ids.iter().fold(text.to_owned(), |text, (recorded, ours)| {
        text.replace(recorded, ours)
    })
}

/// What stands in a stream, one document a line.
fn of_lines(body: &Value) -> Value {
    match body {
        Value::String(text) => text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .collect(),
        other => other.clone(),
    }
}

/// The names and the kinds, of lists those of the first item.
fn compare_forms(recorded: &Value, ours: &Value, at: &str) {
    match (recorded, ours) {
        (Value::Object(recorded), Value::Object(ours)) => {
            assert!(recorded.keys().eq(ours.keys()), "{at}: {ours:?}");
            for (key, value) in recorded {
                compare_forms(value, &ours[key], &format!("{at} .{key}"));
            }
        }
        (Value::Array(recorded), Value::Array(ours)) => {
            assert_eq!(recorded.is_empty(), ours.is_empty(), "{at}");
            if let (Some(recorded), Some(ours)) = (recorded.first(), ours.first()) {
                compare_forms(recorded, ours, &format!("{at} [0]"));
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        _ => assert_eq!(
            std::mem::discriminant(recorded),
            std::mem::discriminant(ours),
            "{at}: {ours}"
        ),
    }
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
        (Value::String(recorded), Value::String(ours)) if is_written_time(recorded) => {
            assert!(is_written_time(ours), "{at}: {ours}");
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

/// `2026-11-24T02:24:27.986Z`
fn is_written_time(text: &str) -> bool {
    text.len() == 24 && text.starts_with("20") && text.ends_with('Z') && text.contains('T')
}

fn is_time(number: &serde_json::Number) -> bool {
    number
        .as_u64()
        .is_some_and(|number| number > 1_000_000_000_000)
}
