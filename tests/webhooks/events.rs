//! Received webhooks: bodies of both platforms, invalid bodies, and webhooks of the sandbox.

use crate::support::{Server, reply};
use deploykit::dployr::{self, EventType};
use deploykit::edgegap::{self, DeploymentStatus, WebhookKind};
use deploykit::webhook::{CallbackSecret, MAX_BODY_BYTES};
use deploykit::{Effect, Error, ErrorKind};
use deploykit_sandbox::Sandbox;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const HUSH: &str = "hush-hush-hush";

/// The documented body of Edgegap: the status of a deployment.
fn status() -> Value {
    json!({
        "request_id": "c0653765de3b",
        "fqdn": "c0653765de3b.pr.edgegap.net",
        "app_name": "my-app",
        "app_version": "25.05.30",
        "public_ip": "192.53.120.48",
        "current_status": "Status.READY",
        "last_status": "Status.DEPLOYING",
        "running": true,
        "start_time": "2026-04-22 12:00:46.444265",
        "elapsed_time": 34,
        "error": false,
        "ports": { "7777": { "name": "7777", "link": "c0653765de3b.pr.edgegap.net:31504", "internal": 7777, "external": 31504, "protocol": "UDP", "tls_upgrade": false } },
        "location": { "city": "Montreal", "country": "Canada", "continent": "North America", "administrative_division": "Quebec", "timezone": "America/Toronto", "latitude": 45.5, "longitude": -73.5 },
        "tags": ["match-7"],
    })
}

/// A body of dployr's control plane.
fn event(event: &str) -> Value {
    json!({
        "event": event,
        "timestamp": "2026-11-24T02:24:27.986Z",
        "data": {
            "clusterId": "01M85NWTN0TJ4JW1JXEKRNC9Z2",
            "serviceName": "my-app",
            "deploymentId": "01M85NWXQH0M1DQ4109E4PJNZT",
            "actorId": "01M85NWTK8G9Q3DNHKKZ67N306",
            "actorType": "user",
        },
    })
}

fn edgegap_event(body: &Value) -> edgegap::WebhookEvent {
    edgegap::WebhookEvent::from_bytes(body.to_string().as_bytes()).unwrap()
}

fn dployr_event(body: &Value) -> dployr::WebhookEvent {
    dployr::WebhookEvent::from_bytes(body.to_string().as_bytes()).unwrap()
}

/// Sets fields, and removes those that are null.
fn with(mut body: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            body.as_object_mut().unwrap().remove(name);
        } else {
            body[name] = value.clone();
        }
    }
    body
}

/// Asserts that both platforms reject a body.
#[track_caller]
fn assert_rejected(body: &[u8], why: &str) {
    let errors = [
        edgegap::WebhookEvent::from_bytes(body).unwrap_err(),
        dployr::WebhookEvent::from_bytes(body).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert_eq!(error.effect(), Effect::None);
        assert!(error.to_string().contains(why), "{error}");
        assert_redacted(&error);
    }
}

#[track_caller]
fn assert_redacted(error: &Error) {
    let shown = format!(
        "{error} {error:?} {:?} {:?}",
        error.message(),
        error.body_excerpt()
    );
    assert!(!shown.contains("hush"), "{shown}");
}

#[test]
fn edgegap_bodies_are_decoded_with_their_kind() {
    let ended = json!({ "current_status": "Status.TERMINATED", "running": false });
    for (changes, kind) in [
        (json!({}), WebhookKind::Ready),
        (
            json!({ "current_status": "Status.ERROR", "running": false, "error": true, "error_detail": "Pull image timeout exceeded", "public_ip": null }),
            WebhookKind::Error,
        ),
        (json!({ "error": true }), WebhookKind::Error),
        (ended.clone(), WebhookKind::Terminated),
        // A terminated status has precedence over an error.
        (
            with(ended, json!({ "error": true })),
            WebhookKind::Terminated,
        ),
        (
            json!({ "current_status": "Status.TERMINATING" }),
            WebhookKind::Terminated,
        ),
        // Without a status, the flags determine the kind.
        (json!({ "current_status": null }), WebhookKind::Ready),
        (
            json!({ "current_status": null, "running": null }),
            WebhookKind::Other,
        ),
        (
            json!({ "current_status": "Status.PAUSED", "running": false }),
            WebhookKind::Other,
        ),
    ] {
        let event = edgegap_event(&with(status(), changes.clone()));
        assert_eq!(event.kind(), kind, "{changes}");
    }
    let event = edgegap_event(&status());
    let deployment = &event.deployment;
    assert_eq!(deployment.request_id, "c0653765de3b");
    assert_eq!(deployment.public_ip.as_deref(), Some("192.53.120.48"));
    deployment.endpoint("7777").unwrap();
    let paused = edgegap_event(&with(
        status(),
        json!({ "current_status": "Status.PAUSED" }),
    ));
    let kept = DeploymentStatus::Unknown("Status.PAUSED".to_owned());
    assert_eq!(paused.deployment.current_status, kept);
}

#[test]
fn unusual_edgegap_bodies_are_decoded() {
    let id_alone = edgegap_event(&json!({ "request_id": "c0653765de3b" }));
    assert_eq!(id_alone.kind(), WebhookKind::Other);
    for changes in [
        json!({ "elapsed_time": "34", "max_duration": "-1" }),
        json!({ "elapsed_time": 34.0, "session": { "id": [1] }, "sockets": "10", "webhook": true }),
        json!({ "location": { "city": "Montreal", "latitude": "45.5", "longitude": "-73.5" } }),
        json!({ "start_time": 1_795_487_067, "removal_time": "soon" }),
    ] {
        let event = edgegap_event(&with(status(), changes.clone()));
        assert_eq!(event.deployment.elapsed_time, Some(34), "{changes}");
    }
    let mut nulls = status();
    for name in ["ports", "tags", "location", "start_time", "error"] {
        nulls[name] = Value::Null;
    }
    assert_eq!(edgegap_event(&nulls).deployment.tags, None);
    let with_byte_order_mark = format!("\u{feff}{}\r\n", status());
    let event = edgegap::WebhookEvent::from_bytes(with_byte_order_mark.as_bytes()).unwrap();
    assert_eq!(event, edgegap_event(&status()));
}

#[test]
fn dployr_bodies_are_decoded_with_their_event() {
    for (code, kind) in [
        ("deployment.created", EventType::DeploymentCreated),
        ("deployment.finished", EventType::DeploymentFinished),
        ("deployment.deleted", EventType::DeploymentDeleted),
        ("service.icing_warning", EventType::ServiceIcingWarning),
        (
            "cluster.user_role_changed",
            EventType::ClusterUserRoleChanged,
        ),
        ("billing.payment_failed", EventType::BillingPaymentFailed),
        (
            "deployment.paused",
            EventType::Unknown("deployment.paused".to_owned()),
        ),
    ] {
        let event = dployr_event(&event(code));
        assert_eq!((event.event.as_str(), &event.event), (code, &kind));
        let at = event.timestamp.unwrap().unix_millis();
        assert_eq!(at, Some(1_795_487_067_986));
        let data = &event.data;
        assert_eq!(data.service_name.as_deref(), Some("my-app"));
        let id = data.deployment_id.as_ref().unwrap();
        assert_eq!(id.as_str(), "01M85NWXQH0M1DQ4109E4PJNZT");
        assert_eq!((&data.instance_id, &data.domain), (&None, &None));
    }
    // `NewWebhook` takes events of the same type.
    let hook = dployr::NewWebhook::new("https://me.example", [EventType::DeploymentFinished]);
    assert!(format!("{hook:?}").contains("DeploymentFinished"));
}

#[test]
fn unusual_dployr_bodies_are_decoded() {
    let bare = dployr_event(&json!({ "event": "user.updated" }));
    assert_eq!(
        (bare.timestamp, bare.data),
        (None, dployr::EventData::default())
    );
    let changes = json!({ "timestamp": [1], "id": 7, "data": { "deploymentId": 7, "userEmail": "hush@example.com", "domain": { "name": "hush" }, "reason": "hush" } });
    let event = dployr_event(&with(event("service.iced"), changes));
    assert_eq!(event.timestamp, None);
    let data = &event.data;
    assert_eq!(data.get("deploymentId"), Some(&json!(7)));
    assert_eq!(data.get("reason"), Some(&json!("hush")));
    assert_eq!(data.get("domain"), Some(&json!({ "name": "hush" })));
    let email = data.user_email.as_ref().unwrap();
    assert_eq!(email.as_str(), "hush@example.com");
    let shown = format!("{event:?}");
    assert!(
        !shown.contains("hush") && shown.contains("reason"),
        "{shown}"
    );
    let bad = json!({ "data": { "deploymentId": "../x", "instanceId": "" } });
    let bad = dployr_event(&with(json!({ "event": "x" }), bad)).data;
    let id = bad.deployment_id.unwrap();
    assert_eq!(id, "../x", "an id is kept as it was written");
    let client = dployr::Client::new("https://dployr.example", "t").unwrap();
    let refused = client.deployment(&id).get().preview().unwrap_err();
    assert_eq!(refused.kind(), deploykit::ErrorKind::InvalidRequest);
    for data in [json!([1]), json!("hush"), json!(true)] {
        let body = json!({ "event": "x", "data": data }).to_string();
        let error = dployr::WebhookEvent::from_bytes(body.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("data that is not"), "{error}");
        assert_redacted(&error);
    }
}

#[test]
fn invalid_bodies_are_rejected_without_their_content() {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(200), "]".repeat(200));
    for (body, why) in [
        (&b""[..], "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\xff\xfe{}", "is not UTF-8"),
        (b"{\"request_id\":\"hush\xff\"}", "is not UTF-8"),
        (b"{\"event\":\"hush", "is not JSON: EOF"),
        (b"<html>hush</html>", "is not JSON"),
        (
            b"[{\"event\":\"hush\",\"request_id\":\"hush\"}]",
            "is not a JSON object",
        ),
        (b"\"hush\"", "is not a JSON object"),
        (deep.as_bytes(), "is nested too deeply"),
        (b"{}", "webhook body"),
        (b"{\"event\":7,\"request_id\":[7]}", "webhook body"),
        (b"{\"event\":\" \",\"request_id\":\" \"}", "has no"),
        (b"{\"event\":null,\"request_id\":null}", "webhook body"),
    ] {
        assert_rejected(body, why);
    }
    for (changes, why) in [
        (
            json!({ "request_id": [HUSH] }),
            "$.request_id: found sequence, expected a string",
        ),
        (
            json!({ "running": HUSH }),
            "$.running: found string, expected a boolean",
        ),
        (
            json!({ "elapsed_time": HUSH }),
            "$.elapsed_time: found string",
        ),
        (
            json!({ "current_status": { "hush": 1 } }),
            "$.current_status: found map",
        ),
        // The caller chooses the names of nested fields, so the error shows `*` instead.
        (
            json!({ "ports": { HUSH: { "external": HUSH } } }),
            "$.ports.*.*: found string",
        ),
    ] {
        let body = with(status(), changes).to_string();
        let error = edgegap::WebhookEvent::from_bytes(body.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert_redacted(&error);
    }
}

#[test]
fn bodies_above_1_mib_are_rejected() {
    let body = |length: usize| {
        let mut body = json!({ "event": "x", "request_id": "y", "z": "" }).to_string();
        let rest = length - body.len();
        body.insert_str(body.len() - 2, &"h".repeat(rest));
        assert_eq!(body.len(), length);
        body
    };
    assert_rejected(
        body(MAX_BODY_BYTES + 1).as_bytes(),
        "larger than 1048576 bytes",
    );
    let fits = body(MAX_BODY_BYTES);
    edgegap::WebhookEvent::from_bytes(fits.as_bytes()).unwrap();
    dployr::WebhookEvent::from_bytes(fits.as_bytes()).unwrap();
}

/// Path and body of a received request.
type Received = (String, Vec<u8>);

/// A server that accepts requests with the secret, and the accepted requests.
async fn receiver(secret: &CallbackSecret) -> (Server, UnboundedReceiver<Received>) {
    let (send, received) = unbounded_channel();
    let secret = secret.clone();
    let server = Server::answers(move |request| {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let target = head.split(' ').nth(1).unwrap();
        if secret.verify(target).is_err() {
            return reply("403 Forbidden", &[], "");
        }
        let path = target.split('?').next().unwrap();
        let _ = send.send((path.to_owned(), body.as_bytes().to_vec()));
        reply("204 No Content", &[], "")
    });
    (server.await, received)
}

async fn next(received: &mut UnboundedReceiver<Received>) -> Received {
    let next = tokio::time::timeout(Duration::from_secs(20), received.recv());
    next.await.expect("no webhook arrived").unwrap()
}

/// Longer than the sandbox takes to start or stop a deployment.
const TRANSITION: Duration = Duration::from_secs(5);

#[tokio::test]
async fn edgegap_webhooks_of_the_sandbox_are_verified_and_decoded() {
    let sandbox = Sandbox::start().await.unwrap();
    let access = sandbox.edgegap();
    let client = access.client().unwrap();
    let [secret, other] = [(); 2].map(|()| CallbackSecret::generate().unwrap());
    let (server, mut received) = receiver(&secret).await;
    let player = edgegap::User::ip([75, 28, 35, 192].into());
    let new = edgegap::NewDeployment::new(&access.application, &access.version, player);
    let url =
        |secret: &CallbackSecret, path: &str| secret.attach(&format!("{}/{path}", server.base_url));
    let new = new
        .webhook_on_ready(url(&secret, "ready").unwrap())
        .webhook_on_error(url(&secret, "error").unwrap())
        .webhook_on_terminated(url(&secret, "terminated").unwrap());
    let with_other_secret = new.clone().webhook_on_ready(url(&other, "other").unwrap());
    client.deploy(with_other_secret).await.unwrap();
    let id = client.deploy(new).await.unwrap().request_id;
    sandbox.advance(TRANSITION);
    let (path, body) = next(&mut received).await;
    let event = edgegap::WebhookEvent::from_bytes(&body).unwrap();
    // The webhook with the other secret came first and was rejected.
    assert_eq!(
        (path.as_str(), event.kind()),
        ("/ready", WebhookKind::Ready)
    );
    assert_eq!(event.deployment.request_id, id);
    event.deployment.endpoint("gameport").unwrap();
    client.deployment(&id).stop().await.unwrap();
    sandbox.advance(TRANSITION);
    let (path, body) = next(&mut received).await;
    let event = edgegap::WebhookEvent::from_bytes(&body).unwrap();
    assert_eq!(path, "/terminated");
    assert_eq!(event.kind(), WebhookKind::Terminated);
    assert!(event.deployment.is_over() && !event.deployment.has_failed());
    // A webhook may be outdated, so a receiver reads the deployment.
    let status = client.deployment(&event.deployment.request_id).get();
    assert!(status.await.unwrap().is_over());
    assert!(received.try_recv().is_err());
}
