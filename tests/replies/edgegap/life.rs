//! What comes after a start: status, stop, logs and what else there is.

use crate::json_reply;
use deploykit::edgegap::{
    Client, Deployment, DeploymentStatus, HostStatus, SelfStop, StopOutcome, Stopped,
};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{ErrorKind, Result};
use serde_json::{Value, json};

/// A client of a platform that answers with this.
fn client(operation: &str, reply: CannedReply) -> Client {
    let recorder = Recorder::new();
    recorder.reply(operation, reply);
    let client = Client::builder().token("secret").recorder(&recorder);
    client.build().unwrap()
}

async fn own_stop(reply: CannedReply) -> Result<Stopped> {
    let recorder = Recorder::new();
    recorder.reply("stop_own_deployment", reply);
    let builder = Client::builder().recorder(&recorder);
    let url = "https://a.example/v1/self/stop/9f511e17/660";
    SelfStop::with_builder(builder, url, "hush")?.stop().await
}

async fn deployment(body: Value) -> Result<Deployment> {
    let reply = json_reply(200, &body);
    client("get_deployment", reply)
        .deployment("a")
        .status()
        .await
}

#[tokio::test]
async fn a_status_comes_with_a_prefix_and_without() {
    use DeploymentStatus::*;
    for (text, status) in [
        ("Status.SEEKING", Seeking),
        ("SEEKING", Seeking),
        ("seeking", Seeking),
        ("status.ready", Ready),
        ("Ready", Ready),
        ("Status.TERMINATED", Terminated),
        ("Status.NEW", Unknown("Status.NEW".to_owned())),
        ("Statusready", Unknown("Statusready".to_owned())),
        ("", Unknown(String::new())),
    ] {
        let body = json!({ "request_id": "a", "current_status": text });
        let found = deployment(body).await.unwrap();
        assert_eq!(found.current_status, status, "{text}");
    }
}

#[tokio::test]
async fn how_far_a_deployment_is() {
    // Status, `running`, `error`, and what follows: ready, failed, over.
    let rows = [
        ("Status.SEEKING", None, None, [false, false, false]),
        ("Status.NEW", None, None, [false, false, false]),
        ("Status.READY", None, None, [true, false, false]),
        // The vendor's clients take `running` for the same signal.
        ("Status.NEW", Some(true), None, [true, false, false]),
        ("Status.READY", None, Some(true), [false, true, true]),
        ("Status.ERROR", None, None, [false, true, true]),
        ("Status.ERROR", Some(true), None, [false, true, true]),
        ("Status.TERMINATING", Some(true), None, [false, false, true]),
        ("Status.TERMINATED", None, None, [false, false, true]),
    ];
    for (status, running, error, expected) in rows {
        let body = json!({ "request_id": "a", "current_status": status, "running": running, "error": error });
        let found = deployment(body).await.unwrap();
        let seen = [found.is_ready(), found.has_failed(), found.is_over()];
        assert_eq!(seen, expected, "{status} {running:?} {error:?}");
    }
}

#[tokio::test]
async fn a_status_in_other_forms() {
    // All that clients were seen to leave out, and what older versions have beside it.
    let found = deployment(json!({
        "request_id": "a", "current_status": "READY", "fqdn": null, "max_duration": "60",
        "elapsed_time": 34.0, "start_time": "2026-04-22 12:00:46.444265", "sockets": 8,
        "whitelisting_active": false, "sessions": [], "location": { "latitude": "45.5", "city": null },
        "ports": { "7777": { "external": 1, "proxy": 2 } },
    }))
    .await
    .unwrap();
    assert_eq!(
        (found.max_duration, found.elapsed_time),
        (Some(60), Some(34))
    );
    let started = found.start_time.as_ref().unwrap().unix_millis();
    assert_eq!(started, Some(1_776_859_246_444), "taken as UTC");
    assert_eq!(found.location.as_ref().unwrap().latitude, Some(45.5));
    assert_eq!(found.port("7777").unwrap().external, Some(1));
    // Nothing has an address or a time yet.
    let sought = deployment(json!({
        "request_id": "a", "current_status": "Status.SEEKING", "start_time": null, "removal_time": null,
        "ports": null, "location": null, "last_status": null, "tags": null, "running": null,
    }))
    .await
    .unwrap();
    assert_eq!(
        (sought.start_time, sought.ports, sought.running),
        (None, None, None)
    );
    let error = deployment(json!({ "request_id": "a" })).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("current_status"), "{error}");
}

#[tokio::test]
async fn three_statuses_of_a_stop_are_success() {
    let summary = r#"{"message":"soon","deployment_summary":{"request_id":"a","current_status":"Status.TERMINATING"}}"#;
    for (status, body, outcome) in [
        (200, summary, StopOutcome::Stopping),
        (200, r#"{"message":"soon"}"#, StopOutcome::Stopping),
        // The words around it do not matter.
        (200, "", StopOutcome::Stopping),
        (200, "[]", StopOutcome::Stopping),
        (
            202,
            r#"{"message":7,"deployment_summary":"odd"}"#,
            StopOutcome::Queued,
        ),
        (202, r#"{"message":"soon"}"#, StopOutcome::Queued),
        (410, r#"{"message":"soon"}"#, StopOutcome::AlreadyStopped),
        (410, "", StopOutcome::AlreadyStopped),
        (410, "<html>Gone</html>", StopOutcome::AlreadyStopped),
    ] {
        let client = client("stop_deployment", CannedReply::json(status, body));
        let reply = client.deployment("a").stop().with_response().await.unwrap();
        assert_eq!((reply.status, reply.attempts), (status, 1));
        assert_eq!(reply.value.outcome, outcome, "{status} {body}");
        let known = body.contains("soon").then_some("soon");
        assert_eq!(reply.value.message.as_deref(), known, "{status} {body}");
        let summary = reply.value.deployment.map(|found| found.current_status);
        let told = body
            .contains("TERMINATING")
            .then_some(DeploymentStatus::Terminating);
        assert_eq!(summary, told, "{status} {body}");
    }
    for status in [400, 404, 409, 500] {
        let client = client("stop_deployment", CannedReply::json(status, "{}"));
        let error = client.deployment("a").stop().await.unwrap_err();
        assert_eq!(error.status(), Some(status));
    }
}

#[tokio::test]
async fn a_server_that_ends_itself() {
    let found = own_stop(CannedReply::new(410, r#"{"message":"ok"}"#)).await;
    assert_eq!(found.unwrap().outcome, StopOutcome::AlreadyStopped);
    // It has another token than everything else.
    let error = own_stop(CannedReply::json(401, "{}")).await.unwrap_err();
    assert!(
        error.to_string().contains("ARBITRIUM_DELETE_TOKEN"),
        "{error}"
    );
    // The key in the path is a secret that a reply may repeat.
    let reply = CannedReply::json(
        404,
        r#"{"message":"no /v1/self/stop/9f511e17/k3y-660 here"}"#,
    );
    let recorder = Recorder::new();
    recorder.reply("stop_own_deployment", reply);
    let builder = Client::builder().recorder(&recorder);
    let url = "https://a.example/v1/self/stop/9f511e17/k3y-660";
    let own = SelfStop::with_builder(builder, url, "hush").unwrap();
    let error = own.stop().await.unwrap_err();
    assert!(!error.to_string().contains("k3y"), "{error}");
    assert_eq!(
        recorder.to_string(),
        "DELETE /v1/self/stop/9f511e17/<redacted>\nauthorization: <redacted>"
    );
}

#[tokio::test]
async fn lists_in_other_forms() {
    // From before the hosts had pages, and with values nobody has seen yet.
    let body = json!({ "data": [
        { "host_id": "h", "status": "MOVING", "allocated_cpu_units": null, "delete_schedule": null, "pin": {}, "delete_schedules": [] },
        { "host_id": "i", "status": "ACTIVE", "created_at": "2026-04-22T12:00:46Z", "latitude": "45.5" },
    ] });
    let reply = json_reply(200, &body);
    let hosts = client("list_fleet_hosts", reply)
        .fleet("a")
        .hosts()
        .await
        .unwrap();
    assert_eq!(
        hosts.items[0].status,
        Some(HostStatus::Unknown("MOVING".into()))
    );
    let made = hosts.items[1].created_at.as_ref().unwrap().unix_millis();
    assert_eq!(made, Some(1_776_859_246_000));
    assert_eq!(hosts.items[1].latitude, Some(45.5));

    let body = r#"{"versions":[{"name":"1","private_token":"hush-1","caching_percent":1,"envs":[{"key":"A","value":"hush-2"}]}],
        "total_count":"12","pagination":{"number":2,"has_next":true,"paginator":{"num_pages":"6"}}}"#;
    let client = client("list_versions", CannedReply::json(200, body));
    let versions = client.application("a").versions().page(2).page_size(2);
    let page = versions.list().await.unwrap();
    let refused = serde_json::to_string(&page.items).unwrap_err();
    assert!(!format!("{page:?} {refused}").contains("hush"));
    let version = &page.items[0];
    assert_eq!(version.private_token.as_ref().unwrap().expose(), "hush-1");
    assert_eq!((page.page, page.page_size), (2, Some(2)));
    assert_eq!(
        (page.total_items, page.total_pages, page.has_next),
        (Some(12), Some(6), true)
    );
}
