//! The options of the retry policy.

use super::{always, at, deploy, edgegap, failure, list, nodion, with_paused_clock};
use crate::support::{Script, Server, Step};
use crate::table::fault::{reply, seconds};
use deploykit::{Effect, ErrorKind, Retry, dployr};
use http::Method;
use std::time::Duration;

fn busy(headers: &[&str]) -> Vec<Step> {
    reply("503 Service Unavailable", headers, "")
}

#[test]
fn zero_retries_send_one_request() {
    with_paused_clock(async {
        for off in [Retry::off(), Retry::default().max_retries(0)] {
            let server = always(busy(&[])).await;
            let (error, took) = failure(list(nodion(&server).retry(off.clone()))).await;
            assert_eq!((error.attempts(), took), (1, Duration::ZERO));
            // The same applies after a connect error.
            let refused = Server::refuses();
            let (error, _) = failure(deploy(edgegap(&refused)).retry(off)).await;
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 1));
        }
    });
}

#[test]
fn the_retry_policy_of_a_call_overrides_the_one_of_the_client() {
    with_paused_clock(async {
        let server = always(busy(&[])).await;
        let call = list(nodion(&server).retry(Retry::off()));
        let (error, took) = failure(call.retry(Retry::default().max_retries(5))).await;
        assert_eq!((error.attempts(), server.log().requests()), (6, 6));
        let backoffs = Duration::from_millis(500 + 1000 + 2000 + 4000 + 8000 + 6);
        assert!(took <= backoffs, "{took:?}");
    });
}

#[test]
fn a_retry_is_not_started_if_its_wait_exceeds_a_limit() {
    let default = Retry::default;
    let more = default().max_wait(seconds(40)).max_retries(9);
    with_paused_clock(async {
        // (policy, deadline) -> (attempts, seconds waited)
        for (policy, deadline, attempts, waited) in [
            (default().max_wait(seconds(19)), 90, 1, 0),
            (default().budget(seconds(19)), 90, 1, 0),
            (default().budget(seconds(30)), 90, 2, 20),
            (more.budget(seconds(70)), 90, 4, 60),
            (default(), 10, 1, 0),
            // The second wait would end after the deadline.
            (default(), 30, 2, 20),
        ] {
            let server = always(busy(&["retry-after: 20"])).await;
            let call = list(nodion(&server).retry(policy.clone()));
            let (error, took) = failure(call.deadline(seconds(deadline))).await;
            let found = (error.kind(), error.attempts(), error.retry_after());
            let expected = (ErrorKind::Unavailable, attempts, Some(seconds(20)));
            assert_eq!(found, expected, "{policy:?}, {deadline}");
            let jitter = seconds(waited + 5);
            let waits = took >= seconds(waited) && took < jitter;
            assert!(waits, "{policy:?}, {deadline}: {took:?}");
        }
    });
}

#[test]
fn a_call_waits_until_the_window_of_a_minute_ends() {
    with_paused_clock(async {
        let full = reply("429 Too Many Requests", &["retry-after: 57"], "{}");
        let server = always(full).await;
        let (error, took) = failure(list(nodion(&server))).await;
        assert_eq!(
            (error.kind(), error.attempts()),
            (ErrorKind::RateLimited, 2)
        );
        assert!(took >= seconds(57) && took < seconds(59), "{took:?}");
    });
}

#[test]
fn assume_idempotent_retries_a_create_and_keeps_the_worst_effect() {
    with_paused_clock(async {
        let server = always(busy(&[])).await;
        let (error, _) = failure(deploy(edgegap(&server)).assume_idempotent()).await;
        assert_eq!((error.attempts(), error.effect()), (3, Effect::Unknown));

        // A final refusal does not undo the possible effect of the first attempt.
        let refusal = reply("400 Bad Request", &[], "");
        let server = Server::start(Script::always(busy(&[])).then(refusal)).await;
        let (error, _) = failure(deploy(edgegap(&server)).assume_idempotent()).await;
        let found = (error.kind(), error.attempts(), error.effect());
        assert_eq!(found, (ErrorKind::Rejected, 2, Effect::Unknown));
    });
}

#[test]
fn assume_idempotent_does_not_retry_refusals() {
    with_paused_clock(async {
        for status in ["400 No", "401 No", "409 No", "302 No", "501 No"] {
            let server = always(reply(status, &[], "")).await;
            let (error, _) = failure(deploy(edgegap(&server)).assume_idempotent()).await;
            assert_eq!(error.attempts(), 1, "{status}");
        }
    });
}

/// A GET without a wrapper may have side effects: one GET of dployr wakes a service.
#[test]
fn a_request_without_a_wrapper_is_retried_only_if_assumed_idempotent() {
    with_paused_clock(async {
        let server = always(busy(&[])).await;
        let client = at(dployr::Client::builder(), &server).build().unwrap();
        let call = || client.request(Method::GET, "/v1/odd");
        let (error, _) = failure(call()).await;
        assert_eq!((error.attempts(), error.effect()), (1, Effect::Unknown));
        let (error, _) = failure(call().assume_idempotent()).await;
        assert_eq!(error.attempts(), 3);
    });
}
