//! Signals: when each is conclusive, and how several are combined.

use crate::script::*;
use deploykit::nexlayer::{Client, Signal};
use deploykit::testing::CannedReply;
use deploykit::watch::Phase;
use deploykit::{Effect, ErrorKind};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

#[tokio::test(start_paused = true)]
async fn site_is_conclusive_without_a_reservation() {
    let script = Script::new(|operation, before| match operation {
        "get_reservations" => no_reservations(),
        "site" => site(if before < 3 { 503 } else { 404 }),
        _ => missing_route(),
    });
    let changes = Arc::new(Mutex::new(Vec::new()));
    let kept = changes.clone();
    let wait = script.application().wait().jitter(false);
    let ready = wait.on_change(move |now| kept.lock().unwrap().push(now.phase));
    let ready = ready.await.unwrap();
    assert_eq!((ready.phase, ready.signal), (Phase::Ready, Signal::Site));
    assert_eq!(
        (ready.site_status, ready.url),
        (Some(404), Some(format!("{SITE}/")))
    );
    assert_eq!(*changes.lock().unwrap(), [Phase::InProgress, Phase::Ready]);
    assert_eq!(script.times("site"), [0.0, 5.0, 12.5, 23.75]);
    assert_eq!(script.times("get_reservations").len(), 4);
    // A route that the server lacks is not requested again.
    assert_eq!(script.times("get_pods_status"), [0.0]);
}

#[tokio::test(start_paused = true)]
async fn known_state_of_a_reservation_is_conclusive() {
    let script = Script::new(|operation, before| match (operation, before) {
        ("get_reservations", 0) => reserved(json!({ "state": "Pending" })),
        ("get_reservations", 1) => reserved(json!("DEPLOYING")),
        ("get_reservations", _) => reserved(json!({ "state": "running" })),
        _ => panic!("unexpected {operation}"),
    });
    let ready = script.application().wait().await.unwrap();
    assert_eq!(
        (ready.signal, ready.raw_status.as_str()),
        (Signal::Reservation, "running")
    );
    assert_eq!(ready.reservation.unwrap().application_name.unwrap(), "a");
    assert_eq!(script.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn unknown_state_of_a_reservation_is_inconclusive() {
    let script = Script::new(|operation, before| match operation {
        "get_reservations" => reserved(json!({ "state": "Hibernating" })),
        "site" => site(if before == 0 { 502 } else { 302 }),
        _ => missing_route(),
    });
    let now = script.application().check_readiness().await.unwrap();
    assert_eq!(
        (now.phase, now.signal),
        (Phase::Unknown, Signal::Reservation)
    );
    assert_eq!(now.raw_status, "Hibernating");
    assert_eq!(now.reason.as_deref(), Some("the site answers 502"));
    let now = script.application().check_readiness().await.unwrap();
    assert_eq!((now.phase, now.signal), (Phase::Ready, Signal::Site));
}

#[tokio::test(start_paused = true)]
async fn url_of_the_site_is_read_from_the_reservation() {
    let script = Script::new(|operation, _| match operation {
        "get_reservations" => reserved(Value::Null),
        "site" => site(200),
        _ => panic!("unexpected {operation}"),
    });
    let client = Client::builder()
        .recorder(&script.recorder)
        .build()
        .unwrap();
    let now = client
        .session(TOKEN)
        .application("a")
        .check_readiness()
        .await
        .unwrap();
    assert_eq!((now.signal, now.url.as_deref()), (Signal::Site, Some(SITE)));
    let request = script.recorder.requests().pop().unwrap();
    assert_eq!(
        format!("{}{}", request.base_url, request.path),
        format!("{SITE}/")
    );
}

#[tokio::test(start_paused = true)]
async fn running_pods_are_conclusive_without_a_site() {
    let script = Script::new(|_, before| match before {
        0 => pods(&[]),
        1 => pods(&["Pending", "Running"]),
        _ => pods(&["Running", "Running"]),
    });
    let application = script.application().signals([Signal::Pods]);
    let error = application.check_readiness().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let now = application.check_readiness().await.unwrap();
    assert_eq!(
        (now.phase, now.raw_status.as_str()),
        (Phase::InProgress, "Pending")
    );
    let ready = application.wait().await.unwrap();
    assert_eq!((ready.signal, ready.pods.len()), (Signal::Pods, 2));
    assert!(
        script
            .requests()
            .iter()
            .all(|operation| operation == "get_pods_status")
    );
}

#[tokio::test(start_paused = true)]
async fn running_pods_are_inconclusive_if_the_site_fails() {
    let script = Script::new(|operation, _| match operation {
        "get_reservations" => no_reservations(),
        "site" => site(503),
        _ => pods(&["Running"]),
    });
    let now = script.application().check_readiness().await.unwrap();
    assert_eq!(
        (now.phase, now.raw_status.as_str()),
        (Phase::InProgress, "Running")
    );
    let error = script.application().wait().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::WaitTimedOut, Effect::None)
    );
    assert_eq!(error.reason(), Some("the site answers 503"));
    assert_eq!(error.resource_id(), Some("a"));
    let times = script.times("site");
    assert!(times.last().is_some_and(|last| *last < 300.0), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn failed_pod_or_reservation_ends_the_wait() {
    let by_pods = Script::new(|operation, before| match operation {
        "get_reservations" => no_reservations(),
        "site" => site(503),
        _ => pods(if before == 0 {
            &["Pending"]
        } else {
            &["Failed", "Running"]
        }),
    });
    let error = by_pods.application().wait().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.raw_status()),
        (ErrorKind::WaitFailed, Some("Failed"))
    );
    assert_eq!(error.reason(), Some("1 of 2 pods run, web is Failed"));
    let by_reservation = Script::new(|_, _| reserved(json!({ "state": "FAILED" })));
    let error = by_reservation.application().wait().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.raw_status()),
        (ErrorKind::WaitFailed, Some("failed"))
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_application_and_expired_session_are_gone() {
    let unknown = Script::new(|operation, before| match (operation, before) {
        ("get_reservations", _) => no_reservations(),
        ("site", _) => site(503),
        (_, 0) => pods(&["Pending"]),
        _ => json_reply(400, json!({ "error": "Application not found" })),
    });
    let error = unknown.application().wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone, "{error}");
    assert_eq!(
        unknown.times("site").len(),
        2,
        "no grace period for a known application"
    );
    let left = unknown.application().wait().until_gone().await.unwrap();
    assert!(left.is_none(), "{left:?}");

    let expired =
        Script::new(|_, _| json_reply(401, json!({ "error": "x", "code": "TOKEN_EXPIRED" })));
    let error = expired.application().check_readiness().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Gone, Some("TOKEN_EXPIRED"))
    );
    let error = expired.application().wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone, "{error}");

    // `INVALID_TOKEN` does not show that the session existed before.
    let wrong =
        Script::new(|_, _| json_reply(401, json!({ "error": "x", "code": "INVALID_TOKEN" })));
    let error = wrong.application().wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
}

#[tokio::test(start_paused = true)]
async fn failed_request_is_ignored_if_another_signal_shows_a_state() {
    for status in [400, 404, 500, 503] {
        let script = Script::new(move |operation, before| match operation {
            "site" => site(if before == 0 { 503 } else { 200 }),
            _ => json_reply(status, json!({ "error": "boom" })),
        });
        let ready = script
            .application()
            .signals([Signal::Reservation, Signal::Site])
            .wait()
            .await;
        match status {
            404 => assert_eq!(ready.unwrap_err().kind(), ErrorKind::Gone),
            _ => assert_eq!(ready.unwrap().signal, Signal::Site, "{status}"),
        }
        let pods_alone = script.application().signals([Signal::Pods]);
        assert_eq!(
            pods_alone.check_readiness().await.unwrap_err().status(),
            Some(status)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_delays_the_next_poll() {
    let script = Script::new(|operation, before| match (operation, before) {
        ("get_reservations", 0) => json_reply(429, json!({})).header("retry-after", "60"),
        ("get_reservations", _) => no_reservations(),
        ("site", 0) => site(503),
        ("site", _) => site(200),
        _ => missing_route(),
    });
    let ready = script.application().wait().jitter(false).await.unwrap();
    assert_eq!(ready.signal, Signal::Site);
    assert_eq!(script.times("get_reservations"), [0.0, 60.0]);
}

fn pending(operation: &str, _: usize) -> CannedReply {
    match operation {
        "get_reservations" => no_reservations(),
        "site" => site(503),
        _ => pods(&["Pending"]),
    }
}

#[tokio::test]
async fn only_selected_signals_are_requested() {
    use Signal::{Pods, Reservation, Site};
    for (signals, expected) in [
        (
            &Signal::ALL[..],
            &["get_reservations", "site", "get_pods_status"][..],
        ),
        (
            &[Pods, Reservation],
            &["get_reservations", "get_pods_status"],
        ),
        (&[Site], &["site"]),
        (&[Pods], &["get_pods_status"]),
    ] {
        let script = Script::new(pending);
        let application = script.application().signals(signals.iter().copied());
        application.check_readiness().await.unwrap();
        assert_eq!(script.requests(), expected);
        let call = application.check_readiness();
        let named = call.operation().map_or("site", |operation| operation.id);
        assert_eq!(named, expected[0]);
        let first = call.preview().unwrap();
        assert_eq!(first.operation.unwrap_or("site"), expected[0]);
        assert!(!first.to_string().contains(TOKEN), "{first}");
        assert_eq!(script.requests(), expected, "a preview sends nothing");
    }
}

#[tokio::test]
async fn missing_signals_and_unsafe_site_urls_are_rejected() {
    let script = Script::new(pending);
    let application = script.application().signals([]);
    let error = application.check_readiness().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    for (url, problem) in [
        ("ftp://a.example", "neither http nor https"),
        ("https://u:hush@a.example", "contains credentials"),
        (
            "https://a.example/dCf0NdAQ64j6",
            "contains the session token",
        ),
        ("http://169.254.169.254/latest", "private network"),
    ] {
        let application = script.application().site_url(url);
        let error = application.wait().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        let output = format!("{error} {error:?} {application:?}");
        assert!(output.contains(problem), "{output}");
        assert!(
            !output.contains("hush") && !output.contains(TOKEN),
            "{output}"
        );
    }
    assert_eq!(script.requests(), Vec::<String>::new());
}
