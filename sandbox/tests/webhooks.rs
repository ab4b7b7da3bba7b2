//! Webhook calls: when they are due, their bodies, and their delivery.

mod common;

use common::edgegap::{api as edgegap, body_with, deploy_with};
use common::{
    BEGIN, TestPlatform, assert_fields, control_plane::ControlPlane, expect_status, server,
};
use deploykit_sandbox::{Platform, Request, Sandbox, SandboxBuilder, Webhook};
use serde_json::{Value, json};

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The webhook fields of a create body.
fn webhook_fields() -> Value {
    json!({
        "webhook_on_ready": { "url": "http://127.0.0.1:1/ready" },
        "webhook_on_error": { "url": "http://127.0.0.1:1/error" },
        "webhook_on_terminated": { "url": "http://127.0.0.1:1/terminated" },
    })
}

fn deploy(api: &mut TestPlatform, status: u16) -> String {
    deploy_with(api, webhook_fields(), status)
}

/// Paths and reported statuses of the calls that are due.
fn due(api: &mut TestPlatform) -> Vec<(String, Value)> {
    let due = api.state.take_due_webhooks(api.now);
    let path = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    due.into_iter()
        .map(|webhook| (path(&webhook.url), webhook.body["current_status"].clone()))
        .collect()
}

fn pair(path: &str, status: &str) -> (String, Value) {
    (path.to_owned(), json!(status))
}

#[test]
fn edgegap_calls_the_urls_for_ready_and_terminated() {
    let mut api = edgegap(Sandbox::builder());
    assert_eq!(api.state.next_webhook_at(api.now), None);
    let id = deploy(&mut api, 202);
    let ready = BEGIN + Duration::from_millis(1_200);
    assert_eq!(api.state.next_webhook_at(api.now), Some(ready));
    assert_eq!(due(&mut api), []);
    api.wait(1_199);
    assert_eq!(due(&mut api), []);
    api.wait(1);
    let calls = api.state.take_due_webhooks(api.now);
    let status = api.ok(&format!("/v1/status/{id}"));
    // The body is the status reply of that moment.
    let [Webhook { platform, body, .. }] = calls.as_slice() else {
        panic!("{calls:?}");
    };
    assert_eq!((platform, body), (&Platform::Edgegap, &status));
    assert_eq!(due(&mut api), [], "each call is sent once");
    api.deleted(&format!("/v1/stop/{id}"), 200);
    assert_eq!(due(&mut api), []);
    api.wait(400);
    assert_eq!(due(&mut api), [pair("terminated", "Status.TERMINATED")]);
    assert_eq!(api.state.next_webhook_at(api.now), None);
}

#[test]
fn overdue_webhooks_are_returned_in_order() {
    let mut api = edgegap(Sandbox::builder());
    let id = deploy(&mut api, 202);
    api.wait(2_000);
    api.deleted(&format!("/v1/stop/{id}"), 200);
    api.wait(60_000);
    assert_eq!(
        due(&mut api),
        [
            pair("ready", "Status.READY"),
            pair("terminated", "Status.TERMINATED")
        ]
    );
    // A deployment that is stopped while it starts becomes ready first.
    let id = deploy(&mut api, 202);
    api.wait(500);
    api.deleted(&format!("/v1/stop/{id}"), 202);
    api.wait(700);
    assert_eq!(due(&mut api), [pair("ready", "Status.READY")]);
    api.wait(60_000);
    assert_eq!(due(&mut api), [pair("terminated", "Status.TERMINATED")]);
}

#[test]
fn edgegap_calls_the_url_for_error() {
    let mut api = edgegap(Sandbox::builder().deployments_fail(true));
    deploy(&mut api, 202);
    api.wait(1_200);
    assert_eq!(due(&mut api), [pair("error", "Status.ERROR")]);
    let mut api = edgegap(Sandbox::builder().edgegap_capacity(0));
    deploy(&mut api, 422);
    assert_eq!(due(&mut api), [pair("error", "Status.ERROR")]);
}

#[test]
fn without_a_url_no_webhook_is_sent() {
    let mut api = edgegap(Sandbox::builder());
    let mut body = body_with(&api, webhook_fields());
    body.as_object_mut().unwrap().remove("webhook_on_ready");
    api.posted("/v2/deployments", &body, 202);
    api.wait(60_000);
    assert_eq!(due(&mut api), []);
}

/// A control plane with a webhook.
struct SubscribedPlane {
    control_plane: ControlPlane,
}

impl SubscribedPlane {
    fn new(builder: SandboxBuilder, webhook: &Value) -> Self {
        let mut control_plane = ControlPlane::new(builder);
        let target = control_plane.scoped("/v1/notifications/webhook/setup");
        control_plane.api.posted(&target, webhook, 200);
        Self { control_plane }
    }

    fn deploy(&mut self) -> Value {
        self.control_plane.deploy()["taskId"].clone()
    }

    fn due(&mut self) -> Vec<Value> {
        let now = self.control_plane.api.now;
        let due = self.control_plane.api.state.take_due_webhooks(now);
        due.into_iter()
            .map(|webhook| {
                assert_eq!(webhook.url, "http://127.0.0.1:1/hook");
                assert_eq!(webhook.platform, Platform::Dployr);
                webhook.body
            })
            .collect()
    }

    fn events(&mut self) -> Vec<String> {
        let bodies = self.due();
        bodies
            .iter()
            .map(|body| body["event"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A webhook that subscribes to the events of deployments and services.
fn all_events() -> Value {
    let events = [
        "deployment.created",
        "deployment.finished",
        "deployment.deleted",
        "service.updated",
        "service.stopped",
        "service.started",
        "service.deleted",
    ];
    json!({ "webhookUrl": "http://127.0.0.1:1/hook", "enabled": true, "events": events })
}

#[test]
fn dployr_reports_deployment_events() {
    let mut plane = SubscribedPlane::new(Sandbox::builder(), &all_events());
    let id = plane.deploy();
    let cluster = plane.control_plane.cluster.clone();
    let created = plane.due();
    assert_eq!(created.len(), 1);
    assert_eq!(created[0]["event"], "deployment.created");
    assert_eq!(created[0]["timestamp"], "2026-11-24T02:24:27.000Z");
    let data = &created[0]["data"];
    assert_fields(
        data,
        json!({ "clusterId": cluster, "serviceName": "web-one", "deploymentId": id, "actorType": "user" }),
    );
    assert!(data["actorId"].is_string());
    plane.control_plane.api.wait(1_199);
    assert_eq!(plane.due(), [] as [Value; 0]);
    plane.control_plane.api.wait(60_000);
    let finished = plane.due();
    assert_eq!(finished.len(), 1);
    assert_eq!(finished[0]["event"], "deployment.finished");
    // The timestamp is the end of the deployment, not the time of the check.
    assert_eq!(finished[0]["timestamp"], "2026-11-24T02:24:28.200Z");
    assert_eq!(finished[0]["data"]["deploymentId"], id);
    assert_eq!(
        plane
            .control_plane
            .api
            .state
            .next_webhook_at(plane.control_plane.api.now),
        None
    );
}

#[test]
fn dployr_reports_failed_deployments_as_finished() {
    let mut plane = SubscribedPlane::new(Sandbox::builder().deployments_fail(true), &all_events());
    plane.deploy();
    plane.control_plane.api.wait(1_200);
    assert_eq!(
        plane.events(),
        ["deployment.created", "deployment.finished"]
    );
}

#[test]
fn dployr_reports_service_events() {
    let mut plane = SubscribedPlane::new(Sandbox::builder(), &all_events());
    let deployment = plane.deploy();
    plane.control_plane.api.wait(1_200);
    let control_plane = &mut plane.control_plane;
    let id = control_plane.items("/v1/services")[0]["id"].clone();
    let service = format!("/v1/services/{}", id.as_str().unwrap());
    control_plane.api.called(&format!("{service}/stop"), 200);
    control_plane.api.called(&format!("{service}/start"), 200);
    let path = format!("/v1/deployments/{}", deployment.as_str().unwrap());
    let request = Request::new("DELETE", &control_plane.scoped(&path));
    let request = request.with_json(&json!({ "clusterId": control_plane.cluster }));
    expect_status(&control_plane.api.send(request), 200);
    control_plane.api.deleted(&service, 200);
    assert_eq!(
        plane.events(),
        [
            "deployment.created",
            "deployment.finished",
            "service.stopped",
            "service.started",
            "deployment.deleted",
            "service.deleted"
        ]
    );
}

#[test]
fn dployr_reports_only_subscribed_events() {
    for (field, value) in [
        ("enabled", json!(false)),
        ("enabled", Value::Null),
        ("events", json!([])),
        ("events", json!(["deployment.deleted", "deployment.failed"])),
        ("webhookUrl", Value::Null),
    ] {
        let mut webhook = all_events();
        webhook[field] = value;
        let mut plane = SubscribedPlane::new(Sandbox::builder(), &webhook);
        plane.deploy();
        plane.control_plane.api.wait(60_000);
        assert_eq!(plane.events(), [] as [&str; 0], "{webhook}");
    }
    // The default list has no deployment events.
    let mut webhook = all_events();
    webhook.as_object_mut().unwrap().remove("events");
    let mut plane = SubscribedPlane::new(Sandbox::builder(), &webhook);
    plane.deploy();
    plane.control_plane.api.wait(60_000);
    assert_eq!(plane.events(), [] as [&str; 0]);
}

/// Reads a whole request and answers it.
fn receive(mut stream: TcpStream) -> String {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut text = String::new();
    let mut part = [0; 4096];
    loop {
        let read = stream.read(&mut part).unwrap();
        text.push_str(std::str::from_utf8(&part[..read]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let length = head.split("content-length: ").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().parse().unwrap();
        if body.len() >= length {
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
            return text;
        }
    }
}

/// A local receiver: its URL and the requests it gets.
fn receiver() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (send, received) = channel();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            if send.send(receive(stream)).is_err() {
                break;
            }
        }
    });
    (url, received)
}

/// Loopback needs no TLS, but with deploykit's features reqwest needs a crypto provider.
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

#[tokio::test]
async fn the_server_sends_webhooks() {
    let sandbox = server::start(Sandbox::builder()).await;
    let api = edgegap(Sandbox::builder());
    let (url, received) = receiver();
    // Receivers that do not answer, do not exist or are remote must not delay other webhooks.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("http://{}", silent.local_addr().unwrap());
    for url in [
        silent_url.as_str(),
        "http://127.0.0.1:1",
        "http://198.51.100.7",
        "no url",
        url.as_str(),
    ] {
        let mut body = body_with(&api, webhook_fields());
        body["webhook_on_ready"] = json!({ "url": format!("{url}/ready?a=b") });
        let access = sandbox.edgegap();
        let reply = client()
            .post(format!("{}/v2/deployments", access.base_url))
            .header("authorization", format!("token {}", access.token))
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(reply.status(), 202);
    }
    assert!(
        received.try_recv().is_err(),
        "the deployment is not ready yet"
    );
    sandbox.advance(Duration::from_secs(5));
    let request = tokio::task::spawn_blocking(move || {
        let first = received.recv_timeout(Duration::from_secs(20)).unwrap();
        (first, received)
    });
    let (request, received) = request.await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /ready?a=b HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    let body: Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["current_status"], "Status.READY");
    drop(sandbox);
    assert!(received.try_recv().is_err(), "the webhook is sent once");
}

/// A request whose reply violates the spec.
///
/// dployr's control plane returns the events of a webhook unchanged, even if the spec forbids them.
fn request_with_invalid_reply(plane: &ControlPlane) -> Request {
    let target = plane.scoped("/v1/notifications/webhook/setup");
    let events = json!({ "events": ["no event"] });
    let authorization = plane.api.authorization.as_deref().unwrap();
    Request::new("POST", &target)
        .with_header("authorization", authorization)
        .with_json(&events)
}

#[test]
#[should_panic(expected = "it is not one of")]
fn the_test_platform_panics_on_a_reply_that_violates_the_spec() {
    let mut plane = ControlPlane::new(Sandbox::builder());
    let request = request_with_invalid_reply(&plane);
    plane.api.raw(&request);
}

#[test]
#[should_panic(expected = "it is not one of")]
fn the_check_of_recorded_requests_panics_on_a_reply_that_violates_the_spec() {
    let mut plane = ControlPlane::new(Sandbox::builder());
    let request = request_with_invalid_reply(&plane);
    plane.api.state.handle(Platform::Dployr, &request, BEGIN);
    server::assert_replies_follow_spec(&plane.api.state.requests());
}
