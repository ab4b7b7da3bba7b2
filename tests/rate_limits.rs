//! Client-side rate limits and `max_creates`.

mod support;

use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::operation::{OPERATIONS, Operation};
use deploykit::{
    Call, ClientBuilder, Effect, ErrorKind, Retry, dployr, nexlayer, nodion, pacing::Pacing,
};
use deploykit_sandbox::{Dialect, Sandbox};
use http::Method;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Script, Server, Step, head, reply, runtime};
use tokio::time::Instant;

const ACCEPTED: &str = r#"{"request_id":"a69f8e3e0555"}"#;
const LIST: &str = r#"{"deployments":[]}"#;

fn edgegap(base_url: &str) -> ClientBuilder<edgegap::Edgegap> {
    let builder = edgegap::Client::builder().base_url(base_url);
    builder.token("token-1234")
}

fn new() -> NewDeployment {
    NewDeployment::new("my-app", "1", User::ip([75, 28, 35, 192].into()))
}

/// A server that accepts every deployment and records the times.
async fn accepting() -> (Server, Arc<Mutex<Vec<Instant>>>) {
    let times = Arc::new(Mutex::new(Vec::new()));
    let kept = times.clone();
    let server = Server::answers(move |_| {
        kept.lock().unwrap().push(Instant::now());
        reply("202 Accepted", &[], ACCEPTED)
    });
    (server.await, times)
}

#[tokio::test(start_paused = true)]
async fn clients_with_one_token_share_the_rate() {
    let (server, times) = accepting().await;
    let clients: Vec<_> = (0..4)
        .map(|_| edgegap(&server.base_url).build().unwrap())
        .collect();
    let calls: Vec<_> = (0..200)
        .map(|index: usize| {
            let client = clients[index % 4].clone();
            tokio::spawn(async move { client.deploy(new()).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let times = times.lock().unwrap();
    assert_eq!(times.len(), 200);
    for window in times.windows(41) {
        let span = window[40] - window[0];
        assert!(span >= Duration::from_millis(990), "41 in {span:?}");
    }
    let took = (times[199] - times[0]).as_secs_f64();
    assert!(
        (4.9..5.6).contains(&took),
        "{took} s for 200 at 40 a second"
    );
}

#[test]
fn dployr_is_paced_at_the_observed_rate() {
    let mut operations = OPERATIONS
        .iter()
        .filter(|operation| operation.api == "dployr");
    let rate = |operation: &Operation| {
        operation
            .behaviour
            .pace
            .map(|pace| (pace.bucket, pace.count, pace.seconds))
    };
    assert!(operations.all(|operation| rate(operation) == Some(("api", 100, 60))));
}

#[tokio::test(start_paused = true)]
async fn each_token_has_its_own_rate_and_pacing_can_be_off() {
    let (server, _) = accepting().await;
    let started = Instant::now();
    let slow = edgegap(&server.base_url).pacing(Pacing::documented().one_of(40));
    let slow = slow.build().unwrap();
    slow.deploy(new()).await.unwrap();
    slow.deploy(new()).await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 1, "a share of 1 per second");

    let started = Instant::now();
    let other = edgegap(&server.base_url).token("another").build().unwrap();
    // The prefix is not part of the token.
    let same = edgegap(&server.base_url).token("token another").build();
    assert_eq!(same.unwrap().pacing(), other.pacing());
    let off = edgegap(&server.base_url).pacing(Pacing::off());
    let off = off.build().unwrap();
    other.deploy(new()).await.unwrap();
    for _ in 0..50 {
        off.deploy(new()).await.unwrap();
    }
    assert_eq!(started.elapsed().as_secs(), 0);
    assert!(off.pacing().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_token_with_and_without_prefix_shares_the_rate() {
    let server = Server::replies("200 OK", &[], LIST).await;
    let builder = dployr::Client::builder().base_url(&server.base_url);
    let builder = builder.pacing(Pacing::documented().one_of(100));
    let client = builder.token("Bearer token-1234").build().unwrap();
    client.deployments().list().await.unwrap();
    let same = client.with_token("token-1234").unwrap();
    let call = same.deployments().list().deadline(Duration::from_secs(1));
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::RateLimited);
    let other = client.with_token("token-5678").unwrap();
    other.deployments().list().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_to_an_unknown_path_counts_against_the_general_rate_of_its_platform() {
    let server = Server::replies("200 OK", &[], LIST).await;
    // One call per window.
    macro_rules! client {
        ($platform:ident, $count:literal) => {{
            let paced = |pacing| {
                let builder = $platform::Client::builder().base_url(&server.base_url);
                builder.token("token-raw").pacing(pacing).build()
            };
            let whole = paced(Pacing::documented()).unwrap();
            let client = paced(Pacing::documented().one_of($count)).unwrap();
            let request = move |path: &str| client.request(Method::GET, path);
            (whole.pacing(), Box::new(request) as Box<Request>)
        }};
    }
    type Request = dyn Fn(&str) -> Call<Value>;
    for (name, count, seconds, (states, request)) in [
        ("other", 60, 60, client!(nexlayer, 60)),
        ("api", 100, 60, client!(dployr, 100)),
        ("other", 10, 1, client!(nodion, 10)),
        ("other", 10, 1, client!(edgegap, 10)),
    ] {
        let state = states.iter().find(|state| state.bucket == name).unwrap();
        let window = Duration::from_secs(seconds);
        assert_eq!((state.limit, state.window), (count, window), "{state:?}");
        let sent = server.requests().len();
        request("/v1/odd").await.unwrap();
        // The rate is that of all unknown paths.
        let call = request("/v9/other").deadline(window / 2);
        let error = call.await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect(), error.attempts()),
            (ErrorKind::RateLimited, Effect::None, 0),
            "{name} {count}: {error}"
        );
        assert_eq!(server.requests().len(), sent + 1);
        let started = Instant::now();
        request("/v9/other").await.unwrap();
        let waited = started.elapsed();
        assert!(waited > window / 2 && waited <= window * 2, "{waited:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_wrapper_counts_against_the_rate_of_its_path() {
    let (server, _) = accepting().await;
    // A base path is not part of the operation's path.
    let builder = edgegap(&format!("{}/base", server.base_url)).token("token-path");
    let client = builder.pacing(Pacing::documented().one_of(40)).build();
    let client = client.unwrap();
    let request = |method: Method, path: &str| {
        let request = client.request(method, path);
        request.deadline(Duration::from_millis(500))
    };
    request(Method::POST, "/v2/deployments").await.unwrap();
    request(Method::GET, "/v1/status/a").await.unwrap();
    let wrapper = client.deploy(new()).deadline(Duration::from_millis(500));
    for error in [
        request(Method::POST, "/v2/deployments").await.unwrap_err(),
        request(Method::GET, "/v1/status/b").await.unwrap_err(),
        wrapper.await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
    }
    // An operation without a documented rate: its wrapper is not limited, other requests are.
    for _ in 0..9 {
        let stop = client.deployment("a").stop();
        stop.deadline(Duration::from_millis(500)).await.unwrap();
    }
    request(Method::GET, "/v1/apps").await.unwrap();
    for error in [
        request(Method::GET, "/v1/apps").await.unwrap_err(),
        request(Method::DELETE, "/v1/stop/a").await.unwrap_err(),
        // Neither the method nor the path of an operation.
        request(Method::GET, "/v2/deployments").await.unwrap_err(),
        request(Method::GET, "/v1/status/a/b").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
    }
    assert_eq!(server.requests().len(), 12);
}

#[tokio::test(start_paused = true)]
async fn the_pacing_state_is_visible_and_a_wait_beyond_the_deadline_fails_at_once() {
    let (server, _) = accepting().await;
    let builder = edgegap(&server.base_url).pacing(Pacing::documented().one_of(40));
    let client = builder.build().unwrap();
    let waiting: Vec<_> = (0..5)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.deploy(new()).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(10)).await;
    let state = client.pacing();
    let deploy = state.iter().find(|state| state.bucket == "deploy").unwrap();
    assert_eq!((deploy.limit, deploy.waiting), (1, 4), "{state:?}");
    waiting.iter().for_each(|call| call.abort());
    tokio::time::sleep(Duration::from_millis(10)).await;
    let waits = |bucket: &str| {
        let states = client.pacing();
        states
            .iter()
            .find(|state| state.bucket == bucket)
            .unwrap()
            .waiting
    };
    assert_eq!(waits("deploy"), 0);

    let sent = server.requests().len();
    let call = client.deploy(new()).deadline(Duration::from_millis(100));
    let started = Instant::now();
    let error = call.await.unwrap_err();
    assert_eq!(started.elapsed(), Duration::ZERO);
    assert_eq!(
        (error.kind(), error.effect(), error.attempts()),
        (ErrorKind::RateLimited, Effect::None, 0),
        "{error}"
    );
    assert!(error.retry_after().unwrap() <= Duration::from_secs(1));
    assert_eq!(server.requests().len(), sent);
}

#[tokio::test(start_paused = true)]
async fn a_used_up_window_pauses_all_calls() {
    let used_up = Arc::new(Mutex::new(true));
    let server = Server::answers(move |_| {
        let headers = [
            "date: Wed, 21 Oct 2015 07:28:00 GMT",
            "x-ratelimit-limit: 100",
            "x-ratelimit-reset: 1445412489",
            if std::mem::take(&mut *used_up.lock().unwrap()) {
                "x-ratelimit-remaining: 0"
            } else {
                "x-ratelimit-remaining: 99"
            },
        ];
        reply("200 OK", &headers, LIST)
    })
    .await;
    let client = dployr::Client::new(&server.base_url, "token-1234").unwrap();
    let started = Instant::now();
    client.deployments().list().await.unwrap();
    let paused = client.pacing()[0].paused.unwrap();
    assert!(paused > Duration::from_secs(8), "{paused:?}");
    client.deployments().list().await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 9);
    client.deployments().list().await.unwrap();
    assert_eq!(started.elapsed().as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_the_reset_of_a_window_that_another_process_used_up() {
    let sandbox = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let sandbox = sandbox.rate_limits(true).in_process();
    let client = |pacing| {
        let cluster = sandbox.dployr_access().cluster_id;
        let builder = sandbox.dployr_builder().cluster(cluster);
        let builder = builder.retry(Retry::default()).pacing(pacing);
        builder.build().unwrap()
    };
    let other = client(Pacing::off());
    for _ in 0..100 {
        other.deployments().list().await.unwrap();
    }
    // The windows of the control plane start with the minute, as does the sandbox.
    tokio::time::advance(Duration::from_secs(13)).await;
    let paced = client(Pacing::documented());
    let started = Instant::now();
    let reply = paced.deployments().list().with_response().await.unwrap();
    let waited = started.elapsed();
    assert_eq!(reply.attempts, 2);
    assert_eq!(waited.as_secs(), 47, "{waited:?}");
    let started = Instant::now();
    let reply = paced.deployments().list().with_response().await.unwrap();
    assert_eq!((reply.attempts, started.elapsed().as_secs()), (1, 0));
}

#[test]
fn a_429_whose_body_never_arrives_pauses_all_calls() {
    runtime().block_on(async {
        let head = head(
            "429 Too Many Requests",
            &["retry-after: 9", "content-length: 30"],
        );
        let steps = vec![Step::ReadAll, Step::Send(head), Step::Silence];
        let server = Server::start(Script::always(steps)).await;
        let builder = dployr::Client::builder().base_url(&server.base_url);
        let builder = builder.token("token-1234").retry(Retry::off());
        let client = builder.timeout(Duration::from_secs(2)).build().unwrap();
        let started = Instant::now();
        let error = client.deployments().list().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status(), error.retry_after()),
            (
                ErrorKind::RateLimited,
                Some(429),
                Some(Duration::from_secs(9))
            ),
            "{error}"
        );
        assert_eq!(started.elapsed().as_secs(), 2, "the timeout of the attempt");
        let paused = client.pacing()[0].paused.unwrap();
        // Since the head.
        assert!((6..=7).contains(&paused.as_secs()), "{paused:?}");
    });
}

#[tokio::test(start_paused = true)]
async fn max_creates_stops_a_runaway_loop() {
    let (server, _) = accepting().await;
    let builder = edgegap(&server.base_url).max_creates(5, Duration::from_secs(60));
    let client = builder.build().unwrap();
    let mut refused = 0;
    for _ in 0..100 {
        if let Err(error) = client.clone().deploy(new()).await {
            assert_eq!(
                (error.kind(), error.effect(), error.attempts()),
                (ErrorKind::SpendLimit, Effect::None, 0)
            );
            let text = error.to_string();
            assert!(
                text.contains("nothing was sent") && text.contains("max_creates"),
                "{text}"
            );
            assert!(error.retry_after().is_some());
            refused += 1;
        }
    }
    assert_eq!((server.requests().len(), refused), (5, 95));
    // A POST without a wrapper counts as well.
    let raw = client.request(Method::POST, "/v2/deployments").await;
    assert_eq!(raw.unwrap_err().kind(), ErrorKind::SpendLimit);
    let preview = client.deploy(new()).preview();
    assert!(preview.is_ok(), "a preview spends nothing");
    assert_eq!(server.requests().len(), 5);
    tokio::time::advance(Duration::from_secs(60)).await;
    client.deploy(new()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn creates_without_effect_do_not_count() {
    let refusing = Server::replies("400 Bad Request", &[], r#"{"message":"no"}"#).await;
    let builder = edgegap(&refusing.base_url).max_creates(1, Duration::from_secs(60));
    let client = builder.build().unwrap();
    for _ in 0..5 {
        let error = client.deploy(new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
    }
    let unclear = Server::replies("500 Oops", &[], "").await;
    let builder = edgegap(&unclear.base_url).max_creates(1, Duration::from_secs(60));
    let client = builder.retry(Retry::off()).build().unwrap();
    assert_eq!(
        client.deploy(new()).await.unwrap_err().kind(),
        ErrorKind::Server
    );
    let error = client.deploy(new()).await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::SpendLimit,
        "the create may have taken effect"
    );
}
