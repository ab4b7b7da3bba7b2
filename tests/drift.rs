//! Responses that differ from the spec are reported, each difference once per process.
//!
//! Each test calls other operations or places.

#[path = "support/drift_log.rs"]
mod drift_log;

use deploykit::testing::{CannedReply, Recorder};
use deploykit::{dployr, nodion};
use drift_log::DriftLog;
use serde_json::{Value, json};

const CANARY: &str = "canary-7e21";

/// A recorder that answers every request with this body.
fn answering(body: impl ToString) -> Recorder {
    let (recorder, reply) = (Recorder::new(), CannedReply::json(200, body.to_string()));
    recorder.answer_with(move |_| reply.clone());
    recorder
}

fn dployr(body: impl ToString) -> dployr::Client {
    let builder = dployr::Client::builder().base_url("https://dployr.example");
    let recorder = answering(body);
    builder.token("t").recorder(&recorder).build().unwrap()
}

fn nodion(body: impl ToString) -> nodion::ApplicationHandle {
    answering(body).nodion().unwrap().application("app")
}

/// The line of one event.
fn event(platform: &str, operation: &str, difference: &str) -> String {
    format!(
        r#"WARN deploykit::drift: {difference} deploykit.platform="{platform}" deploykit.operation="{operation}""#
    )
}

#[tokio::test]
async fn each_kind_of_difference_is_reported_once() {
    let log = DriftLog::start();
    let mut expected = Vec::new();
    for (fields, difference) in [
        (
            json!({ "status": CANARY }),
            "$.deployments[].status: found string, expected a known DeploymentStatus",
        ),
        (
            json!({ "deploy_number": "3" }),
            "$.deployments[].deploy_number: found string, expected i64",
        ),
        (
            json!({ "git_sha": [CANARY] }),
            "$.deployments[].git_sha: found sequence, expected a string",
        ),
        (
            json!({ "id": [CANARY] }),
            "$.deployments[].id: found sequence, expected a string",
        ),
    ] {
        let mut record = json!({ "id": "a", "status": "failed", "deploy_number": 3 });
        let fields = fields.as_object().unwrap().clone();
        record.as_object_mut().unwrap().extend(fields);
        let application = nodion(json!({ "deployments": [record, record] }));
        expected.push(event("nodion", "list_deployments", difference));
        for _ in 0..2 {
            application.deployments().list().await.unwrap();
            assert_eq!(log.lines(), expected);
        }
    }
    let application = nodion(json!({ "deployments": [null] }));
    application.deployments().list().await.unwrap();
    let difference = "$.deployments[]: found null, expected struct Deployment";
    expected.push(event("nodion", "list_deployments", difference));
    assert_eq!(log.lines(), expected);
}

#[tokio::test]
async fn keys_of_maps_are_not_shown() {
    let log = DriftLog::start();
    let body = json!({ "request_id": "a", "current_status": "Status.READY", "ports": {
        CANARY: { "external": "80" },
        "other": { "external": "81", "protocol": 7 },
        "no port": null,
    }});
    let client = answering(body).edgegap().unwrap();
    let found = client.deployment("a").get().await.unwrap();
    assert_eq!(found.ports.unwrap()[CANARY].external, Some(80));
    let mut lines = log.lines();
    lines.sort();
    let event = |difference| event("edgegap", "get_deployment", difference);
    assert_eq!(
        lines,
        [
            event("$.ports.*.external: found string, expected i64"),
            event("$.ports.*.protocol: found integer, expected a string"),
            event("$.ports.*: found null, expected struct Port"),
        ]
    );
}

#[tokio::test]
async fn places_in_envelopes_have_their_whole_path() {
    let log = DriftLog::start();
    let record = json!({ "id": 7, "name": "web", "status": CANARY });
    let list = json!({ "items": [record], "pagination": { "page": 1, "hasNextPage": "false" } });
    let client = dployr(json!({ "success": true, "data": list }));
    client.deployments().list().await.unwrap();
    let client = dployr(json!({ "success": true, "data": { "deployment": record } }));
    client.deployment("7").get().await.unwrap();
    let lines = log.lines();
    for line in [
        event(
            "dployr",
            "list_deployments",
            "$.data.items[].id: found integer, expected a string",
        ),
        event(
            "dployr",
            "list_deployments",
            "$.data.pagination.hasNextPage: found string, expected a boolean",
        ),
    ] {
        assert!(lines.contains(&line), "{line}: {lines:#?}");
    }
    assert!(
        lines
            .iter()
            .any(|line| line.contains("$.data.items[].status: found string")),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("$.data.deployment.id: found integer")),
        "{lines:#?}"
    );
    assert!(!lines.concat().contains(CANARY), "{lines:#?}");
}

#[tokio::test]
async fn a_response_without_differences_is_not_reported() {
    let log = DriftLog::start();
    let record = json!({ "id": "a", "domain_name": "a.example", "new_field": { CANARY: 1 } });
    let application = nodion(json!({ "domains": [record], "other": [] }));
    let page = application.domains().list().await.unwrap();
    assert_eq!((page.items.len(), page.skipped()), (1, 0));
    assert_eq!(log.lines(), [""; 0]);
}

/// A few differences are looked at in each response, so a rare one takes several.
#[tokio::test]
async fn a_difference_among_many_others_is_found() {
    let log = DriftLog::start();
    let process = |memory: Value| json!({ "id": 7, "name": "web", "instance_type": memory });
    let mut processes = vec![process(json!("a")); 10];
    processes.push(process(json!(1.5)));
    let application = nodion(json!({ "processes": processes }));
    for _ in 0..100 {
        application.processes().list().await.unwrap();
    }
    let lines = log.lines();
    assert!(
        lines.iter().any(|line| line.contains("found fraction")),
        "{lines:#?}"
    );
}

/// A search decodes the response again, so most are left out where they find nothing.
#[tokio::test]
async fn an_operation_with_known_differences_is_searched_seldom() {
    let log = DriftLog::start();
    let list = async |times: usize, domain: Value| {
        let application = nodion(json!({ "domains": [domain] }));
        for _ in 0..times {
            application.domains().list().await.unwrap();
        }
        log.lines().len()
    };
    let known = || json!({ "id": "a", "domain_name": "a.example", "verification_code": ["a"] });
    let new = || json!({ "id": "a", "domain_name": "a.example", "domain_type": ["a"] });
    assert_eq!(list(1 + 64, known()).await, 1);
    assert_eq!(list(63, new()).await, 1);
    assert_eq!(list(1, new()).await, 2);
    // A new difference begins another row of searches.
    let other = json!({ "id": ["a"], "domain_name": "a.example" });
    assert_eq!(list(1, other).await, 3);
}

/// Only records are decoded leniently there, and the place of their list is unknown.
#[tokio::test]
async fn differences_in_a_long_list_are_reported() {
    let log = DriftLog::start();
    let good = r#"{"id":"a","name":"web","image":"0123456789012345678901234567890123456789"},"#;
    let good = good.repeat(40_000);
    assert!(good.len() > 2 << 20);
    let bad = format!(r#"{{"id":["{CANARY}"]}}"#);
    let application = nodion(format!(r#"{{"instances":[{good}{bad}]}}"#));
    let page = application.instances().list().await.unwrap();
    assert_eq!(page.skipped(), 1);
    let lines = log.lines();
    assert!(
        lines[0].contains("[].id: found sequence, expected a string"),
        "{lines:#?}"
    );
    assert!(!lines.concat().contains(CANARY), "{lines:#?}");
}
