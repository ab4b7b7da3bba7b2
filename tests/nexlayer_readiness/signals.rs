//! Which signals are conclusive, and their combination.

use crate::script::*;
use deploykit::nexlayer::{Client, Signal};
use deploykit::watch::Phase;
use deploykit::{Effect, ErrorKind};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

#[tokio::test(start_paused = true)]
async fn site_is_conclusive_without_a_reservation() {
    let script = Script::new(|what, before| match what {
        "get_reservations" => none_reserved(),
        "site" => site(if before < 3 { 503 } else { 404 }),
        _ => no_route(),
    });
    let changes = Arc::new(Mutex::new(Vec::new()));
    let kept = changes.clone();
    let wait = script.application().wait().jitter(false);
    let ready = wait.on_change(move |seen| kept.lock().unwrap().push(seen.phase));
    let ready = ready.await.unwrap();
    assert_eq!((ready.phase, ready.signal), (Phase::Ready, Signal::Site));
    assert_eq!(
        (ready.site_status, ready.url),
        (Some(404), Some(format!("{SITE}/")))
    );
    assert_eq!(*changes.lock().unwrap(), [Phase::InProgress, Phase::Ready]);
    assert_eq!(script.times("site"), [0.0, 5.0, 12.5, 23.75]);
    assert_eq!(script.times("get_reservations").len(), 4);
    // The missing route is requested once.
    assert_eq!(script.times("get_pods_status"), [0.0]);
}

#[tokio::test(start_paused = true)]
async fn known_state_of_a_reservation_is_conclusive() {
    let script = Script::new(|what, before| match (what, before) {
        ("get_reservations", 0) => reserved(json!({ "state": "Pending" })),
        ("get_reservations", 1) => reserved(json!("DEPLOYING")),
        ("get_reservations", _) => reserved(json!({ "state": "running" })),
        _ => panic!("{what} is asked"),
    });
    let ready = script.application().wait().await.unwrap();
    assert_eq!(
        (ready.signal, ready.raw_status.as_str()),
        (Signal::Reservation, "running")
    );
    assert_eq!(ready.reservation.unwrap().application_name.unwrap(), "a");
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn unknown_state_of_a_reservation_is_inconclusive() {
    let script = Script::new(|what, before| match what {
        "get_reservations" => reserved(json!({ "state": "Hibernating" })),
        "site" => site(if before == 0 { 502 } else { 302 }),
        _ => no_route(),
    });
    let seen = script.application().check_readiness().await.unwrap();
    assert_eq!(
        (seen.phase, seen.signal),
        (Phase::Unknown, Signal::Reservation)
    );
    assert_eq!(seen.raw_status, "Hibernating");
    assert_eq!(seen.reason.as_deref(), Some("the site answers 502"));
    let seen = script.application().check_readiness().await.unwrap();
    assert_eq!((seen.phase, seen.signal), (Phase::Ready, Signal::Site));
}

#[tokio::test(start_paused = true)]
async fn reservation_contains_the_address_of_the_site() {
    let script = Script::new(|what, _| match what {
        "get_reservations" => reserved(Value::Null),
        "site" => site(200),
        _ => panic!("{what} is asked"),
    });
    let client = Client::builder()
        .recorder(&script.recorder)
        .build()
        .unwrap();
    let seen = client
        .session(TOKEN)
        .application("a")
        .check_readiness()
        .await
        .unwrap();
    assert_eq!(
        (seen.signal, seen.url.as_deref()),
        (Signal::Site, Some(SITE))
    );
    let asked = script.recorder.requests().pop().unwrap();
    assert_eq!(
        format!("{}{}", asked.base_url, asked.path),
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
    assert_eq!(
        error.kind(),
        ErrorKind::Unsupported,
        "no pods, no word: {error}"
    );
    let seen = application.check_readiness().await.unwrap();
    assert_eq!(
        (seen.phase, seen.raw_status.as_str()),
        (Phase::InProgress, "Pending")
    );
    let ready = application.wait().await.unwrap();
    assert_eq!((ready.signal, ready.pods.len()), (Signal::Pods, 2));
    assert!(script.asked().iter().all(|what| what == "get_pods_status"));
}

#[tokio::test(start_paused = true)]
async fn running_pods_do_not_overrule_a_silent_site() {
    let script = Script::new(|what, _| match what {
        "get_reservations" => none_reserved(),
        "site" => site(503),
        _ => pods(&["Running"]),
    });
    let seen = script.application().check_readiness().await.unwrap();
    assert_eq!(
        (seen.phase, seen.raw_status.as_str()),
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
    let by_pods = Script::new(|what, before| match what {
        "get_reservations" => none_reserved(),
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
    let by_state = Script::new(|_, _| reserved(json!({ "state": "FAILED" })));
    let error = by_state.application().wait().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.raw_status()),
        (ErrorKind::WaitFailed, Some("failed"))
    );
}

#[tokio::test(start_paused = true)]
async fn unknown_application_or_ended_session_is_gone() {
    let unknown = Script::new(|what, before| match (what, before) {
        ("get_reservations", _) => none_reserved(),
        ("site", _) => site(503),
        (_, 0) => pods(&["Pending"]),
        _ => said(400, json!({ "error": "Application not found" })),
    });
    let error = unknown.application().wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone, "{error}");
    assert_eq!(
        unknown.times("site").len(),
        2,
        "once it was seen there is no grace"
    );
    let left = unknown.application().wait().until_gone().await.unwrap();
    assert!(left.is_none(), "{left:?}");

    let expired = Script::new(|_, _| said(401, json!({ "error": "x", "code": "TOKEN_EXPIRED" })));
    let error = expired.application().check_readiness().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Gone, Some("TOKEN_EXPIRED"))
    );
    let error = expired.application().wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone, "{error}");

    // An invalid token may never have been a session.
    let wrong = Script::new(|_, _| said(401, json!({ "error": "x", "code": "INVALID_TOKEN" })));
    let error = wrong.application().wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
}

#[tokio::test(start_paused = true)]
async fn failed_signal_is_ignored_if_another_says_something() {
    for status in [400, 404, 500, 503] {
        let script = Script::new(move |what, before| match what {
            "site" => site(if before == 0 { 503 } else { 200 }),
            _ => said(status, json!({ "error": "not today" })),
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
    let script = Script::new(|what, before| match (what, before) {
        ("get_reservations", 0) => said(429, json!({})).header("retry-after", "60"),
        ("get_reservations", _) => none_reserved(),
        ("site", 0) => site(503),
        ("site", _) => site(200),
        _ => no_route(),
    });
    let ready = script.application().wait().jitter(false).await.unwrap();
    assert_eq!(ready.signal, Signal::Site);
    assert_eq!(script.times("get_reservations"), [0.0, 60.0]);
}

#[tokio::test]
async fn selected_signals_are_asked() {
    let all = |what: &str, _| match what {
        "get_reservations" => none_reserved(),
        "site" => site(503),
        _ => pods(&["Pending"]),
    };
    use Signal::{Pods, Reservation, Site};
    for (signals, asked) in [
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
        let script = Script::new(all);
        let application = script.application().signals(signals.iter().copied());
        application.check_readiness().await.unwrap();
        assert_eq!(script.asked(), asked);
        let call = application.check_readiness();
        let named = call.operation().map_or("site", |operation| operation.id);
        assert_eq!(named, asked[0]);
        let first = call.preview().unwrap();
        assert_eq!(first.operation.unwrap_or("site"), asked[0]);
        assert!(!first.to_string().contains(TOKEN), "{first}");
        assert_eq!(script.asked(), asked, "a preview sends nothing");
    }
    let script = Script::new(all);
    let application = script.application().signals([]);
    let error = application.check_readiness().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    for (url, why) in [
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
        let shown = format!("{error} {error:?} {application:?}");
        assert!(shown.contains(why), "{shown}");
        assert!(!shown.contains("hush") && !shown.contains(TOKEN), "{shown}");
    }
    assert_eq!(script.asked(), Vec::<String>::new());
}
