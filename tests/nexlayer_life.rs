//! The life of a Nexlayer application from its start to its end: by which signals it is seen, and what
//! is sent to its site.
#![cfg(feature = "nexlayer")]

mod support;

use deploykit::nexlayer::{Application, Client, Manifest, Signal, Signals, Started};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::watch::Phase;
use deploykit::{Effect, ErrorKind, RequestPreview};
use deploykit_sandbox::{Platform, Sandbox};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Server, reply};
use tokio::time::Instant;

const TOKEN: &str = "dCf0NdAQ64j6";
const SITE: &str = "https://jolly-tapir-a.alpha.nexlayer.ai";
const MINUTE: Duration = Duration::from_secs(60);

/// A platform that answers each request by a function, and notes when it came.
struct Script {
    recorder: Recorder,
    asked: Arc<Mutex<Vec<(String, f64)>>>,
}

impl Script {
    /// The function gets the operation (`site` for a site) and how often it was asked before.
    fn new(answer: impl Fn(&str, usize) -> CannedReply + Send + Sync + 'static) -> Self {
        let recorder = Recorder::new();
        let asked: Arc<Mutex<Vec<(String, f64)>>> = Arc::default();
        let (started, kept) = (Instant::now(), asked.clone());
        recorder.answer_with(move |request: &RequestPreview| {
            let what = request.operation.unwrap_or("site").to_owned();
            let mut kept = kept.lock().unwrap();
            let before = kept.iter().filter(|(other, _)| *other == what).count();
            kept.push((what.clone(), started.elapsed().as_secs_f64()));
            answer(&what, before)
        });
        Self { recorder, asked }
    }

    fn application(&self) -> Application {
        let client = Client::builder().recorder(&self.recorder).build().unwrap();
        client.session(TOKEN).application("a").at(SITE)
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(what, _)| what.clone()).collect()
    }

    fn times(&self, what: &str) -> Vec<f64> {
        let asked = self.asked.lock().unwrap();
        let of = asked.iter().filter(|(other, _)| other == what);
        of.map(|(_, at)| *at).collect()
    }
}

fn said(status: u16, body: Value) -> CannedReply {
    CannedReply::json(status, body.to_string())
}

fn reserved(state: Value) -> CannedReply {
    said(
        200,
        json!({ "reservedDeployments": [
            { "applicationName": "A", "status": { "state": "failed" } },
            { "applicationName": "a", "url": SITE, "status": state },
        ] }),
    )
}

fn none_reserved() -> CannedReply {
    said(200, json!({ "reservedDeployments": [] }))
}

fn no_route() -> CannedReply {
    CannedReply::new(404, "<pre>Cannot POST /getPodsStatus</pre>")
        .header("content-type", "text/html")
}

fn pods(states: &[&str]) -> CannedReply {
    let pods: Vec<_> = states
        .iter()
        .map(|s| json!({ "name": "web", "status": s }))
        .collect();
    said(200, json!({ "pods": pods }))
}

fn site(status: u16) -> CannedReply {
    CannedReply::new(status, "")
}

#[tokio::test(start_paused = true)]
async fn without_a_reservation_the_site_tells() {
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
    // Once it is known that the server does not tell of pods, it is not asked again.
    assert_eq!(script.times("get_pods_status"), [0.0]);
}

#[tokio::test(start_paused = true)]
async fn a_state_in_the_reservation_settles_it() {
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
    assert_eq!(
        ready.reservation.unwrap().application_name.as_deref(),
        Some("a")
    );
    assert_eq!(script.asked().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_is_not_known_is_kept_and_settles_nothing() {
    let script = Script::new(|what, before| match what {
        "get_reservations" => reserved(json!({ "state": "Hibernating" })),
        "site" => site(if before == 0 { 502 } else { 302 }),
        _ => no_route(),
    });
    let seen = script.application().readiness().await.unwrap();
    assert_eq!(
        (seen.phase, seen.signal),
        (Phase::Unknown, Signal::Reservation)
    );
    assert_eq!(seen.raw_status, "Hibernating");
    assert_eq!(seen.reason.as_deref(), Some("the site answers 502"));
    let seen = script.application().readiness().await.unwrap();
    assert_eq!((seen.phase, seen.signal), (Phase::Ready, Signal::Site));
}

#[tokio::test(start_paused = true)]
async fn a_reservation_without_a_state_tells_where_the_site_is() {
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
        .readiness()
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
async fn pods_tell_where_no_site_can_be_asked() {
    let script = Script::new(|_, before| match before {
        0 => pods(&[]),
        1 => pods(&["Pending", "Running"]),
        _ => pods(&["Running", "Running"]),
    });
    let application = script.application().signals(Signals::none().pods(true));
    let error = application.readiness().await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Unsupported,
        "no pods, no word: {error}"
    );
    let seen = application.readiness().await.unwrap();
    assert_eq!(
        (seen.phase, seen.raw_status.as_str()),
        (Phase::InProgress, "Pending")
    );
    let ready = application.wait().await.unwrap();
    assert_eq!((ready.signal, ready.pods.len()), (Signal::Pods, 2));
    assert!(script.asked().iter().all(|what| what == "get_pods_status"));
}

#[tokio::test(start_paused = true)]
async fn running_pods_do_not_outvote_a_silent_site() {
    let script = Script::new(|what, _| match what {
        "get_reservations" => none_reserved(),
        "site" => site(503),
        _ => pods(&["Running"]),
    });
    let seen = script.application().readiness().await.unwrap();
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
async fn what_failed_ends_the_wait() {
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
async fn it_is_gone_where_the_platform_says_so() {
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
    let error = expired.application().readiness().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.code()),
        (ErrorKind::Gone, Some("TOKEN_EXPIRED"))
    );
    let error = expired.application().wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone, "{error}");

    // Of another token it cannot be known whether it ever was one.
    let wrong = Script::new(|_, _| said(401, json!({ "error": "x", "code": "INVALID_TOKEN" })));
    let error = wrong.application().wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_signal_that_fails_is_passed_over_if_another_says_something() {
    for status in [400, 404, 500, 503] {
        let script = Script::new(move |what, before| match what {
            "site" => site(if before == 0 { 503 } else { 200 }),
            _ => said(status, json!({ "error": "not today" })),
        });
        let ready = script
            .application()
            .signals(Signals::all().pods(false))
            .wait()
            .await;
        match status {
            // What is not found is not there.
            404 => assert_eq!(ready.unwrap_err().kind(), ErrorKind::Gone),
            _ => assert_eq!(ready.unwrap().signal, Signal::Site, "{status}"),
        }
        let pods_alone = script.application().signals(Signals::none().pods(true));
        assert_eq!(
            pods_alone.readiness().await.unwrap_err().status(),
            Some(status)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_asks_to_wait_is_obeyed() {
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
async fn signals_are_asked_as_they_are_switched() {
    let all = |what: &str, _| match what {
        "get_reservations" => none_reserved(),
        "site" => site(503),
        _ => pods(&["Pending"]),
    };
    for (signals, asked) in [
        (
            Signals::all(),
            &["get_reservations", "site", "get_pods_status"][..],
        ),
        (
            Signals::default().site(false),
            &["get_reservations", "get_pods_status"],
        ),
        (Signals::none().site(true), &["site"]),
        (Signals::none().pods(true), &["get_pods_status"]),
    ] {
        let script = Script::new(all);
        let application = script.application().signals(signals);
        application.readiness().await.unwrap();
        assert_eq!(script.asked(), asked);
        let first = application.readiness().preview().unwrap();
        assert_eq!(first.operation.unwrap_or("site"), asked[0]);
        assert!(!first.to_string().contains(TOKEN), "{first}");
        assert_eq!(script.asked(), asked, "a preview sends nothing");
    }
    let script = Script::new(all);
    let application = script.application().signals(Signals::none());
    let error = application.readiness().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    for (url, why) in [
        ("ftp://a.example", "neither http nor https"),
        ("https://u:hush@a.example", "carries credentials"),
        ("https://a.example/dCf0NdAQ64j6", "holds the session token"),
        ("http://169.254.169.254/latest", "private network"),
    ] {
        let application = script.application().at(url);
        let error = application.wait().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        let shown = format!("{error} {error:?} {application:?}");
        assert!(shown.contains(why), "{shown}");
        assert!(!shown.contains("hush") && !shown.contains(TOKEN), "{shown}");
    }
    assert_eq!(script.asked(), Vec::<String>::new());
}

/// A platform whose start says that the site is at this address.
async fn platform(site: &str) -> Server {
    let started = json!({ "sessionToken": TOKEN, "applicationName": "a", "url": site }).to_string();
    Server::answers(move |request| {
        let body = match request.split(' ').nth(1).unwrap_or_default() {
            path if path.starts_with("/startUserDeployment") => started.as_str(),
            path if path.starts_with("/getReservations") => r#"{"reservedDeployments": []}"#,
            _ => {
                return reply(
                    "404 Not Found",
                    &["content-type: text/html"],
                    "<pre>Cannot POST /x</pre>",
                );
            }
        };
        reply("200 OK", &["content-type: application/json"], body)
    })
    .await
}

async fn start(client: &Client) -> Started {
    let manifest = Manifest::parse("application: {name: a}").unwrap();
    client.start(manifest).await.unwrap()
}

#[tokio::test]
async fn nothing_of_the_client_goes_to_a_site() {
    let elsewhere = Server::replies("200 OK", &[], "").await;
    let location = format!("location: {}/{TOKEN}", elsewhere.base_url);
    let headers = [location.as_str(), "set-cookie: a=b"];
    let site = Server::replies("302 Found", &headers, "moved").await;
    let url = format!("{}/a/b?t=hush#f", site.base_url);
    let platform = platform(&url).await;
    let mut default = reqwest::header::HeaderMap::new();
    default.insert("authorization", "Bearer own-key".parse().unwrap());
    default.insert("x-own", "own-key".parse().unwrap());
    // One that adds to everything and follows wherever it is led.
    let own = reqwest::Client::builder()
        .no_proxy()
        .default_headers(default)
        .build()
        .unwrap();
    for own in [None, Some(own)] {
        let builder = Client::builder()
            .base_url(&platform.base_url)
            .token("api-key-1");
        let builder = match &own {
            Some(own) => builder.http_client(own.clone()),
            None => builder,
        };
        let client = builder.build().unwrap();
        let application = start(&client).await.application();
        let call = application
            .readiness()
            .header("x-extra", "extra-1")
            .query("extra", "extra-2");
        let ready = call.await.unwrap();
        assert_eq!((ready.signal, ready.site_status), (Signal::Site, Some(302)));
        application.wait().await.unwrap();
    }
    assert!(
        elsewhere.requests().is_empty(),
        "{:?}",
        elsewhere.requests()
    );
    let requests = site.requests();
    assert_eq!(requests.len(), 4);
    let host = site.base_url.trim_start_matches("http://");
    for request in requests {
        let mut lines: Vec<_> = request.trim_end().lines().collect();
        lines.sort_unstable();
        let agent = format!("user-agent: deploykit/{}", env!("CARGO_PKG_VERSION"));
        let host = format!("host: {host}");
        assert_eq!(
            lines,
            [
                "GET /a/b HTTP/1.1",
                "accept: */*",
                host.as_str(),
                agent.as_str()
            ]
        );
    }
    let extra =
        |request: &&String| request.contains("extra-1") && request.contains("extra=extra-2");
    let asked = platform.requests();
    assert!(
        asked.iter().any(|request| extra(&request)),
        "the platform gets what was added"
    );
}

#[tokio::test]
async fn a_site_that_cannot_be_reached_is_not_up_yet() {
    // Nobody listens there.
    let platform = platform("http://127.0.0.1:1/").await;
    let client = Client::builder()
        .base_url(&platform.base_url)
        .build()
        .unwrap();
    let seen = start(&client)
        .await
        .application()
        .readiness()
        .await
        .unwrap();
    assert_eq!(
        (seen.phase, seen.signal, seen.site_status),
        (Phase::InProgress, Signal::Site, None)
    );
    assert_eq!(seen.reason.as_deref(), Some("the site does not answer"));
    // Nor is it asked where a platform out there must not lead, or what is no address.
    for url in ["", "javascript:x", "http://u:p@127.0.0.1:1/"] {
        let platform = crate::platform(url).await;
        let client = Client::builder()
            .base_url(&platform.base_url)
            .build()
            .unwrap();
        let error = start(&client)
            .await
            .application()
            .readiness()
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{url}: {error}");
        assert!(error.to_string().contains("Application::at"), "{error}");
    }
}

#[tokio::test]
async fn from_the_start_to_the_end_on_the_sandbox() {
    let sandbox = Sandbox::start().await.unwrap();
    let client = Client::builder()
        .base_url(&sandbox.nexlayer().base_url)
        .build()
        .unwrap();
    let manifest = Manifest::parse(include_str!("../examples/nexlayer.yaml")).unwrap();
    assert!(client.schema().await.unwrap().is_object());
    assert!(client.validate(&manifest).await.unwrap().valid);
    let wrong = Manifest::parse("application: {name: a, pods: []}").unwrap();
    let wrong = client.validate(&wrong).await.unwrap();
    assert_eq!(wrong.findings[0].path.as_deref(), Some("application.pods"));

    let started = client.start(manifest).await.unwrap();
    let application = started.application();
    let seen = application.readiness().await.unwrap();
    assert_eq!(
        (seen.phase, seen.signal, seen.site_status),
        (Phase::InProgress, Signal::Site, Some(503))
    );
    assert_eq!(seen.pods.len(), 2);
    let without_site = application.clone().signals(Signals::all().site(false));
    assert_eq!(without_site.readiness().await.unwrap().phase, Phase::Queued);
    sandbox.advance(Duration::from_secs(2));
    let ready = application.wait().await.unwrap();
    assert_eq!(
        (ready.signal, ready.url),
        (Signal::Site, started.url.clone())
    );
    assert_eq!(without_site.wait().await.unwrap().signal, Signal::Pods);
    application.reserve().await.unwrap();
    assert_eq!(
        application.wait().await.unwrap().signal,
        Signal::Reservation
    );

    // Past its time it lives by its reservation, and goes some minutes after that.
    sandbox.advance(40 * MINUTE);
    assert_eq!(application.readiness().await.unwrap().phase, Phase::Ready);
    assert_eq!(started.session().feedback("Works.").await.unwrap(), "OK");
    application.unreserve().await.unwrap();
    assert_eq!(application.readiness().await.unwrap().signal, Signal::Site);
    sandbox.advance(10 * MINUTE);
    let error = application.wait().grace(Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone, "{error}");
    assert!(application.wait().until_gone().await.unwrap().is_none());
    let requests = sandbox.requests_to(Platform::Nexlayer);
    let to_site = requests
        .iter()
        .filter(|request| request.path.starts_with("/sites/"));
    for request in to_site {
        assert!(request.header("authorization").is_none() && request.query.is_empty());
    }
}

#[tokio::test]
async fn a_failure_on_the_sandbox() {
    let sandbox = Sandbox::builder()
        .deployments_fail(true)
        .nexlayer_pods_status(false);
    let sandbox = sandbox.start().await.unwrap();
    let client = Client::builder()
        .base_url(&sandbox.nexlayer().base_url)
        .build()
        .unwrap();
    let manifest = Manifest::parse(include_str!("../examples/nexlayer.yaml")).unwrap();
    let started = client.start(manifest).await.unwrap();
    sandbox.advance(Duration::from_secs(2));
    // Without a reservation and without pods it looks as if it were on its way.
    let application = started.application();
    assert_eq!(
        application.readiness().await.unwrap().phase,
        Phase::InProgress
    );
    application.reserve().await.unwrap();
    let error = application.wait().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.raw_status()),
        (ErrorKind::WaitFailed, Some("failed"))
    );
}
