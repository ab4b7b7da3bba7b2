//! Webhook calls: when they are due, their bodies, and their delivery.

mod common;

use common::edgegap::{body_with, deploy_with, world_of as edgegap};
use common::{BEGIN, TestPlatform, control_plane::ControlPlane, expect_status, has, server};
use deploykit_sandbox::{Platform, Request, Sandbox, SandboxBuilder, Webhook};
use serde_json::{Value, json};

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The webhook fields of a create body.
fn hooks() -> Value {
    json!({
        "webhook_on_ready": { "url": "http://127.0.0.1:1/ready" },
        "webhook_on_error": { "url": "http://127.0.0.1:1/error" },
        "webhook_on_terminated": { "url": "http://127.0.0.1:1/terminated" },
    })
}

fn deploy(world: &mut TestPlatform, status: u16) -> String {
    deploy_with(world, hooks(), status)
}

/// Paths and reported statuses of the calls that are due.
fn told(world: &mut TestPlatform) -> Vec<(String, Value)> {
    let due = world.state.take_due_webhooks(world.now);
    let path = |url: &str| url.rsplit('/').next().unwrap().to_owned();
    due.into_iter()
        .map(|webhook| (path(&webhook.url), webhook.body["current_status"].clone()))
        .collect()
}

fn pair(path: &str, status: &str) -> (String, Value) {
    (path.to_owned(), json!(status))
}

#[test]
fn edgegap_calls_on_ready_and_terminated() {
    let mut world = edgegap(Sandbox::builder());
    assert_eq!(world.state.next_webhook_at(world.now), None);
    let id = deploy(&mut world, 202);
    let ready = BEGIN + Duration::from_millis(1_200);
    assert_eq!(world.state.next_webhook_at(world.now), Some(ready));
    assert_eq!(told(&mut world), []);
    world.wait(1_199);
    assert_eq!(told(&mut world), []);
    world.wait(1);
    let due = world.state.take_due_webhooks(world.now);
    let status = world.ok(&format!("/v1/status/{id}"));
    // The body is the status reply of that moment.
    let [Webhook { platform, body, .. }] = due.as_slice() else {
        panic!("{due:?}");
    };
    assert_eq!((platform, body), (&Platform::Edgegap, &status));
    assert_eq!(told(&mut world), [], "once is enough");
    world.deleted(&format!("/v1/stop/{id}"), 200);
    assert_eq!(told(&mut world), []);
    world.wait(400);
    assert_eq!(told(&mut world), [pair("terminated", "Status.TERMINATED")]);
    assert_eq!(world.state.next_webhook_at(world.now), None);
}

#[test]
fn overdue_webhooks_come_in_order() {
    let mut world = edgegap(Sandbox::builder());
    let id = deploy(&mut world, 202);
    world.wait(2_000);
    world.deleted(&format!("/v1/stop/{id}"), 200);
    world.wait(60_000);
    assert_eq!(
        told(&mut world),
        [
            pair("ready", "Status.READY"),
            pair("terminated", "Status.TERMINATED")
        ]
    );
    // Stopped while starting, it becomes ready first.
    let id = deploy(&mut world, 202);
    world.wait(500);
    world.deleted(&format!("/v1/stop/{id}"), 202);
    world.wait(700);
    assert_eq!(told(&mut world), [pair("ready", "Status.READY")]);
    world.wait(60_000);
    assert_eq!(told(&mut world), [pair("terminated", "Status.TERMINATED")]);
}

#[test]
fn edgegap_calls_on_error() {
    let mut world = edgegap(Sandbox::builder().deployments_fail(true));
    deploy(&mut world, 202);
    world.wait(1_200);
    assert_eq!(told(&mut world), [pair("error", "Status.ERROR")]);
    let mut world = edgegap(Sandbox::builder().edgegap_capacity(0));
    deploy(&mut world, 422);
    assert_eq!(told(&mut world), [pair("error", "Status.ERROR")]);
}

#[test]
fn without_a_url_nothing_is_called() {
    let mut world = edgegap(Sandbox::builder());
    let mut body = body_with(&world, hooks());
    body.as_object_mut().unwrap().remove("webhook_on_ready");
    world.posted("/v2/deployments", &body, 202);
    world.wait(60_000);
    assert_eq!(told(&mut world), []);
}

struct Plane {
    plane: ControlPlane,
}

impl Plane {
    fn new(builder: SandboxBuilder, wanted: &Value) -> Self {
        let mut plane = ControlPlane::new(builder);
        let target = plane.scoped("/v1/notifications/webhook/setup");
        plane.world.posted(&target, wanted, 200);
        Self { plane }
    }

    fn deploy(&mut self) -> Value {
        self.plane.deploy()["taskId"].clone()
    }

    fn told(&mut self) -> Vec<Value> {
        let now = self.plane.world.now;
        let due = self.plane.world.state.take_due_webhooks(now);
        due.into_iter()
            .map(|webhook| {
                assert_eq!(webhook.url, "http://127.0.0.1:1/hook");
                assert_eq!(webhook.platform, Platform::Dployr);
                webhook.body
            })
            .collect()
    }

    fn codes(&mut self) -> Vec<String> {
        let told = self.told();
        told.iter()
            .map(|body| body["event"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn all() -> Value {
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
    let mut plane = Plane::new(Sandbox::builder(), &all());
    let id = plane.deploy();
    let actor = plane.plane.world.state.dployr().access("").cluster_id;
    let created = plane.told();
    assert_eq!(created.len(), 1);
    assert_eq!(created[0]["event"], "deployment.created");
    assert_eq!(created[0]["timestamp"], "2026-11-24T02:24:27.000Z");
    let data = &created[0]["data"];
    has(
        data,
        json!({ "clusterId": actor, "serviceName": "web-one", "deploymentId": id, "actorType": "user" }),
    );
    assert!(data["actorId"].is_string());
    plane.plane.world.wait(1_199);
    assert_eq!(plane.told(), [] as [Value; 0]);
    plane.plane.world.wait(60_000);
    let finished = plane.told();
    assert_eq!(finished.len(), 1);
    assert_eq!(finished[0]["event"], "deployment.finished");
    // The time of the end, not of the check.
    assert_eq!(finished[0]["timestamp"], "2026-11-24T02:24:28.200Z");
    assert_eq!(finished[0]["data"]["deploymentId"], id);
    assert_eq!(
        plane
            .plane
            .world
            .state
            .next_webhook_at(plane.plane.world.now),
        None
    );
}

#[test]
fn dployr_reports_failed_deployments_as_finished() {
    let mut plane = Plane::new(Sandbox::builder().deployments_fail(true), &all());
    plane.deploy();
    plane.plane.world.wait(1_200);
    assert_eq!(plane.codes(), ["deployment.created", "deployment.finished"]);
}

#[test]
fn dployr_reports_service_events() {
    let mut plane = Plane::new(Sandbox::builder(), &all());
    let deployment = plane.deploy();
    plane.plane.world.wait(1_200);
    let plane_of = &mut plane.plane;
    let id = plane_of.items("/v1/services")[0]["id"].clone();
    let service = format!("/v1/services/{}", id.as_str().unwrap());
    plane_of.world.called(&format!("{service}/stop"), 200);
    plane_of.world.called(&format!("{service}/start"), 200);
    let target = plane_of.scoped(&format!("/v1/deployments/{}", deployment.as_str().unwrap()));
    let request = deploykit_sandbox::Request::new("DELETE", &target);
    let request = request.with_json(&json!({ "clusterId": plane_of.cluster }));
    expect_status(&plane_of.world.send(request), 200);
    plane_of.world.deleted(&service, 200);
    assert_eq!(
        plane.codes(),
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
    for (change, value) in [
        ("enabled", json!(false)),
        ("enabled", Value::Null),
        ("events", json!([])),
        ("events", json!(["deployment.deleted", "deployment.failed"])),
        ("webhookUrl", Value::Null),
    ] {
        let mut wanted = all();
        wanted[change] = value;
        let mut plane = Plane::new(Sandbox::builder(), &wanted);
        plane.deploy();
        plane.plane.world.wait(60_000);
        assert_eq!(plane.codes(), [] as [&str; 0], "{wanted}");
    }
    // The default list has no deployment events.
    let mut wanted = all();
    wanted.as_object_mut().unwrap().remove("events");
    let mut plane = Plane::new(Sandbox::builder(), &wanted);
    plane.deploy();
    plane.plane.world.wait(60_000);
    assert_eq!(plane.codes(), [] as [&str; 0]);
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
    let world = edgegap(Sandbox::builder());
    let (url, received) = receiver();
    // Silent, missing and remote receivers delay nobody.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent_url = format!("http://{}", silent.local_addr().unwrap());
    for url in [
        silent_url.as_str(),
        "http://127.0.0.1:1",
        "http://198.51.100.7",
        "no url",
        url.as_str(),
    ] {
        let mut body = body_with(&world, hooks());
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
    assert!(received.try_recv().is_err(), "nothing is ready yet");
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
    assert!(received.try_recv().is_err(), "once");
}

/// dployr's control plane returns a webhook's events unchanged, even if the spec forbids them.
fn wrong_reply(plane: &ControlPlane) -> Request {
    let target = plane.scoped("/v1/notifications/webhook/setup");
    let events = json!({ "events": ["no event"] });
    let authorization = plane.world.authorization.as_deref().unwrap();
    Request::new("POST", &target)
        .with_header("authorization", authorization)
        .with_json(&events)
}

#[test]
#[should_panic(expected = "it is not one of")]
fn the_test_platform_panics_on_an_invalid_reply() {
    let mut plane = ControlPlane::new(Sandbox::builder());
    let request = wrong_reply(&plane);
    plane.world.raw(&request);
}

#[test]
#[should_panic(expected = "it is not one of")]
fn invalid_replies_are_found_in_recorded_requests() {
    let mut plane = ControlPlane::new(Sandbox::builder());
    let request = wrong_reply(&plane);
    plane.world.state.handle(Platform::Dployr, &request, BEGIN);
    server::assert_allowed(&plane.world.state.requests());
}
