//! Webhooks that a server receives: bodies of any form, and the secret in the URL.
#![cfg(all(feature = "dployr", feature = "edgegap"))]

use deploykit::dployr::{self, EventType};
use deploykit::edgegap::{self, DeploymentStatus, WebhookKind};
use deploykit::webhook::{CallbackSecret, MAX_BYTES, PARAMETER, verify};
use deploykit::{Effect, Error, ErrorKind};
use serde_json::{Value, json};

const TEXT: &str = "0123456789abcdef0123456789abcdef";
const HUSH: &str = "hush-hush-hush";

/// The body of Edgegap's page: the status of a deployment.
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

/// A body as the control plane's code makes it.
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

fn of_edgegap(body: &Value) -> edgegap::WebhookEvent {
    edgegap::WebhookEvent::from_bytes(body.to_string().as_bytes()).unwrap()
}

fn of_dployr(body: &Value) -> dployr::WebhookEvent {
    dployr::WebhookEvent::from_bytes(body.to_string().as_bytes()).unwrap()
}

/// With these fields set, and those that are null left out.
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

/// What both platforms' readers say to a body that neither takes.
#[track_caller]
fn refused(body: &[u8], why: &str) {
    let errors = [
        edgegap::WebhookEvent::from_bytes(body).unwrap_err(),
        dployr::WebhookEvent::from_bytes(body).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        assert_eq!(error.effect(), Effect::None);
        assert!(error.to_string().contains(why), "{error}");
        keeps(&error);
    }
}

#[track_caller]
fn keeps(error: &Error) {
    let shown = format!(
        "{error} {error:?} {:?} {:?}",
        error.message(),
        error.body_excerpt()
    );
    assert!(!shown.contains("hush"), "{shown}");
    assert!(!shown.contains(TEXT), "{shown}");
}

#[test]
fn what_edgegap_sends() {
    for (changes, kind, ready, failed, over) in [
        (json!({}), WebhookKind::Ready, true, false, false),
        (
            json!({ "current_status": "Status.ERROR", "running": false, "error": true, "error_detail": "Pull image timeout exceeded", "public_ip": null }),
            WebhookKind::Error,
            false,
            true,
            true,
        ),
        (
            json!({ "current_status": "Status.TERMINATED", "running": false }),
            WebhookKind::Terminated,
            false,
            false,
            true,
        ),
        // After an error, too: that it ended is what is new.
        (
            json!({ "current_status": "Status.TERMINATED", "running": false, "error": true }),
            WebhookKind::Terminated,
            false,
            true,
            true,
        ),
        (
            json!({ "current_status": "Status.TERMINATING" }),
            WebhookKind::Terminated,
            false,
            false,
            true,
        ),
        (
            json!({ "error": true }),
            WebhookKind::Error,
            false,
            true,
            true,
        ),
        // The flags alone.
        (
            json!({ "current_status": null }),
            WebhookKind::Ready,
            true,
            false,
            false,
        ),
        (
            json!({ "current_status": null, "running": null }),
            WebhookKind::Other,
            false,
            false,
            false,
        ),
        (
            json!({ "current_status": "Status.PAUSED", "running": false }),
            WebhookKind::Other,
            false,
            false,
            false,
        ),
    ] {
        let event = of_edgegap(&with(status(), changes.clone()));
        assert_eq!(event.kind(), kind, "{changes}");
        assert_eq!(
            (event.is_ready(), event.has_failed(), event.is_over()),
            (ready, failed, over),
            "{changes}"
        );
    }
    let event = of_edgegap(&status());
    let deployment = &event.deployment;
    assert_eq!(deployment.request_id, "c0653765de3b");
    assert_eq!(deployment.public_ip.as_deref(), Some("192.53.120.48"));
    deployment.endpoint("7777").unwrap();
    let paused = of_edgegap(&with(
        status(),
        json!({ "current_status": "Status.PAUSED" }),
    ));
    let kept = DeploymentStatus::Unknown("Status.PAUSED".to_owned());
    assert_eq!(paused.deployment.current_status, kept);
}

#[test]
fn what_edgegap_might_send() {
    let id_alone = of_edgegap(&json!({ "request_id": "c0653765de3b" }));
    assert_eq!(id_alone.kind(), WebhookKind::Other);
    for changes in [
        json!({ "elapsed_time": "34", "max_duration": "-1" }),
        json!({ "elapsed_time": 34.0, "session": { "id": [1] }, "sockets": "10", "webhook": true }),
        json!({ "location": { "city": "Montreal", "latitude": "45.5", "longitude": "-73.5" } }),
        json!({ "start_time": 1_795_487_067, "removal_time": "soon" }),
    ] {
        let event = of_edgegap(&with(status(), changes.clone()));
        assert_eq!(event.deployment.elapsed_time, Some(34), "{changes}");
    }
    let mut nulls = status();
    for name in [
        "ports",
        "tags",
        "location",
        "start_time",
        "fqdn",
        "error",
        "last_status",
    ] {
        nulls[name] = Value::Null;
    }
    assert_eq!(of_edgegap(&nulls).deployment.tags, None);
    let marked = format!("\u{feff}{}\r\n", status());
    let event = edgegap::WebhookEvent::from_bytes(marked.as_bytes()).unwrap();
    assert_eq!(event, of_edgegap(&status()));
}

#[test]
fn what_dployr_sends() {
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
        let event = of_dployr(&event(code));
        assert_eq!((event.event.as_str(), &event.event), (code, &kind));
        let at = event.timestamp.unwrap().unix_millis();
        assert_eq!(at, Some(1_795_487_067_986));
        let data = &event.data;
        assert_eq!(data.service_name.as_deref(), Some("my-app"));
        let id = data.deployment().unwrap();
        assert_eq!(id.as_str(), "01M85NWXQH0M1DQ4109E4PJNZT");
        assert_eq!((data.instance(), &data.domain), (None, &None));
    }
    // Its values name what a webhook is created for.
    let hook = dployr::NewWebhook::new("https://me.example", [EventType::DeploymentFinished]);
    assert!(format!("{hook:?}").contains("deployment.finished"));
}

#[test]
fn what_dployr_might_send() {
    let bare = of_dployr(&json!({ "event": "user.updated" }));
    assert_eq!(
        (bare.timestamp, bare.data),
        (None, dployr::EventData::default())
    );
    let changes = json!({ "timestamp": [1], "id": 7, "data": { "cluster_id": "c", "deploymentId": 7, "userEmail": "hush@example.com", "domain": { "name": "hush" }, "reason": "hush" } });
    let event = of_dployr(&with(event("service.iced"), changes));
    assert_eq!(event.timestamp, None);
    let data = &event.data;
    assert_eq!(data.cluster_id.as_deref(), Some("c"));
    assert_eq!(data.deployment_id.as_deref(), Some("7"));
    assert_eq!(data.get("reason"), Some(&json!("hush")));
    assert_eq!(data.get("domain"), Some(&json!({ "name": "hush" })));
    assert_eq!(data.get("cluster_id"), None);
    let email = data.user_email.as_ref().unwrap();
    assert_eq!(email.as_str(), "hush@example.com");
    let shown = format!("{event:?}");
    assert!(
        !shown.contains("hush") && shown.contains("reason"),
        "{shown}"
    );
    let bad = json!({ "data": { "deploymentId": "../x", "instanceId": "" } });
    let bad = of_dployr(&with(json!({ "event": "x" }), bad)).data;
    assert_eq!((bad.deployment(), bad.instance()), (None, None));
    for data in [json!([1]), json!("hush"), json!(true)] {
        let body = json!({ "event": "x", "data": data }).to_string();
        let error = dployr::WebhookEvent::from_bytes(body.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("data that is not"), "{error}");
        keeps(&error);
    }
}

#[test]
fn what_is_no_webhook_is_refused() {
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(200), "]".repeat(200));
    let deeper = "[".repeat(MAX_BYTES);
    for (body, why) in [
        (&b""[..], "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b" \n", "is not JSON: EOF"),
        (b"\xff\xfe{}", "is not UTF-8"),
        (b"{\"request_id\":\"hush\xff\"}", "is not UTF-8"),
        (b"hush", "is not JSON"),
        (b"{\"event\":\"hush", "is not JSON: EOF"),
        (b"{\"event\":\"x\"} hush", "is not JSON: trailing"),
        (b"request_id=hush&event=hush", "is not JSON"),
        (b"<html>hush</html>", "is not JSON"),
        (b"null", "is not a JSON object"),
        (
            b"[{\"event\":\"hush\",\"request_id\":\"hush\"}]",
            "is not a JSON object",
        ),
        (b"\"hush\"", "is not a JSON object"),
        (deep.as_bytes(), "is nested too deeply"),
        (deeper.as_bytes(), "is nested too deeply"),
        (b"{}", "webhook's body"),
        (b"{\"event\":7,\"request_id\":7}", "webhook's body"),
        (b"{\"event\":\" \",\"request_id\":\" \"}", "names no"),
        (b"{\"event\":null,\"request_id\":null}", "webhook's body"),
    ] {
        refused(body, why);
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
        // Names further down are the caller's own.
        (
            json!({ "ports": { HUSH: { "external": HUSH } } }),
            "$.ports.*.*: found string",
        ),
    ] {
        let body = with(status(), changes).to_string();
        let error = edgegap::WebhookEvent::from_bytes(body.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        keeps(&error);
    }
}

#[test]
fn the_size_has_a_limit() {
    let body = |length: usize| {
        let mut body = json!({ "event": "x", "request_id": "y", "z": "" }).to_string();
        let rest = length - body.len();
        body.insert_str(body.len() - 2, &"h".repeat(rest));
        assert_eq!(body.len(), length);
        body
    };
    for (limit, body) in [
        (MAX_BYTES, body(MAX_BYTES + 1)),
        (100, body(101)),
        (0, body(50)),
    ] {
        let bytes = body.as_bytes();
        let errors = [
            edgegap::WebhookEvent::from_bytes_within(bytes, limit).unwrap_err(),
            dployr::WebhookEvent::from_bytes_within(bytes, limit).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Decode);
            let why = format!("larger than {limit} bytes");
            assert!(error.to_string().contains(&why), "{error}");
        }
    }
    refused(body(MAX_BYTES + 1).as_bytes(), "larger than 1048576 bytes");
    let fits = body(MAX_BYTES);
    edgegap::WebhookEvent::from_bytes(fits.as_bytes()).unwrap();
    dployr::WebhookEvent::from_bytes(fits.as_bytes()).unwrap();
    let larger = body(MAX_BYTES + 1);
    dployr::WebhookEvent::from_bytes_within(larger.as_bytes(), MAX_BYTES + 1).unwrap();
}

fn secret() -> CallbackSecret {
    CallbackSecret::new(TEXT).unwrap()
}

#[test]
fn a_secret_is_made_of_256_random_bits() {
    let made: Vec<_> = (0..50)
        .map(|_| CallbackSecret::generate().unwrap())
        .collect();
    for secret in &made {
        let text = secret.expose();
        assert_eq!(text.len(), 64);
        assert!(text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let same = made.iter().filter(|other| other.expose() == text);
        assert_eq!(same.count(), 1);
        assert!(!format!("{secret:?}").contains(text));
        CallbackSecret::new(text).unwrap();
    }
    for (text, why) in [
        ("", "22 bytes"),
        ("hush", "22 bytes"),
        ("hush hush hush hush hush", "a space"),
        ("hush-hush-hush-hush-hush\n", "a space or a control"),
    ] {
        let error = CallbackSecret::new(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        assert!(error.to_string().contains(why), "{error}");
        keeps(&error);
    }
}

#[test]
fn it_goes_into_a_url_that_keeps_it() {
    for (url, attached) in [
        (
            "https://me.example/hook",
            "https://me.example/hook?callback_secret=",
        ),
        ("https://me.example", "https://me.example/?callback_secret="),
        (
            "https://me.example/h?",
            "https://me.example/h?callback_secret=",
        ),
        (
            "https://me.example:8443/h?of=a%20b&c",
            "https://me.example:8443/h?of=a%20b&c&callback_secret=",
        ),
        (
            "http://127.0.0.1:3000/h",
            "http://127.0.0.1:3000/h?callback_secret=",
        ),
        ("http://[::1]/h", "http://[::1]/h?callback_secret="),
        ("http://localhost/h", "http://localhost/h?callback_secret="),
    ] {
        let url = secret().attach(url).unwrap();
        assert_eq!(url.expose(), format!("{attached}{TEXT}"));
        let shown = format!("{url} {url:?} {}", serde_json::to_string(&url).unwrap());
        assert!(!shown.contains(TEXT), "{shown}");
        secret().verify(url.expose()).unwrap();
    }
    for (url, why) in [
        ("hush", "is not a URL"),
        ("/hook?hush", "is not a URL"),
        ("ftp://me.example/hush", "neither http nor https"),
        ("mailto:hush@me.example", "has no host"),
        ("http://me.example/hush", "plain http"),
        ("http://127.0.0.1.me.example/hush", "plain http"),
        ("https://u:hush@me.example/", "a user or a password"),
        ("https://hush@me.example/", "a user or a password"),
        ("https://me.example/#hush", "a fragment"),
        ("https://me.example/?callback_secret=hush", "already"),
        ("https://me.example/?a&callback%5fsecret", "already"),
    ] {
        let error = secret().attach(url).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains(why), "{url}: {error}");
        keeps(&error);
    }
}

#[test]
fn it_is_known_again() {
    let escaped: String = TEXT.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for uri in [
        format!("https://me.example/hook?callback_secret={TEXT}"),
        format!("/hook?callback_secret={TEXT}"),
        format!("/?a=b&callback_secret={TEXT}&c"),
        format!("callback_secret={TEXT}"),
        format!("?callback_secret={TEXT}"),
        format!("callback_secret={TEXT}&to=https://x/?y"),
        format!("/hook?callback%5Fsecret={escaped}"),
    ] {
        secret().verify(&uri).unwrap();
    }
    // Whatever stands in one of your own.
    let own = CallbackSecret::new("a+b/c=d&e#f%41?ü-0123456789").unwrap();
    let url = own.attach("https://me.example/hook").unwrap();
    own.verify(url.expose()).unwrap();
    let uri: deploykit::http::Uri = url.expose().parse().unwrap();
    own.verify(&uri.to_string()).unwrap();
    own.verify(uri.query().unwrap()).unwrap();
}

#[test]
fn every_other_call_is_refused_alike() {
    let upper = TEXT.to_uppercase();
    let wrong = [
        String::new(),
        "/hook".to_owned(),
        TEXT.to_owned(),
        format!("/callback_secret={TEXT}"),
        format!("/hook#?callback_secret={TEXT}"),
        "/hook?callback_secret=".to_owned(),
        "/hook?callback_secret".to_owned(),
        format!("/hook?callback_secret={upper}"),
        format!("/hook?callback_secret={}", &TEXT[..31]),
        format!("/hook?callback_secret={TEXT}0"),
        format!("/hook?callback_secret=1{}", &TEXT[1..]),
        format!("/hook?callback_secret={}0", &TEXT[..31]),
        format!("/hook?callback_secret={TEXT}%00"),
        format!("/hook?callback_secret=%20{TEXT}"),
        format!("/hook?callback_secret=%zz{}", &TEXT[3..]),
        format!("/hook?callback_secret=%ff{}", &TEXT[1..]),
        format!("/hook?callback_secret=+{TEXT}"),
        format!("/hook?Callback_Secret={TEXT}"),
        format!("/hook?secret={TEXT}"),
        format!("/hook?callback_secret={TEXT}&callback_secret={TEXT}"),
        format!("/hook?callback_secret={TEXT}&callback%5fsecret=x"),
        format!("/hook?callback_secret=x&callback_secret={TEXT}"),
    ];
    let first = secret().verify("").unwrap_err();
    for uri in wrong {
        let error = secret().verify(&uri).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{uri}");
        assert_eq!(error.effect(), Effect::None);
        assert_eq!(format!("{error:?}"), format!("{first:?}"), "{uri}");
        keeps(&error);
    }
    verify(&format!("/?{PARAMETER}={TEXT}"), []).unwrap_err();
}

#[test]
fn one_secret_follows_another() {
    let [new, old, other] = [(); 3].map(|()| CallbackSecret::generate().unwrap());
    let url = |secret: &CallbackSecret| secret.attach("https://me.example/hook").unwrap();
    for secret in [&new, &old] {
        verify(url(secret).expose(), [&new, &old]).unwrap();
        verify(url(secret).expose(), &[new.clone(), old.clone()]).unwrap();
    }
    verify(url(&other).expose(), [&new, &old]).unwrap_err();
    verify(url(&old).expose(), [&new]).unwrap_err();
}
