//! What the options of a retry do.

use super::{always, at, deploy, edgegap, failure, list, nodion, settled};
use crate::support::{Script, Server, Step};
use crate::table::fault::{reply, seconds};
use deploykit::{Effect, ErrorKind, Retry, dployr};
use http::Method;
use std::time::Duration;

fn busy(headers: &[&str]) -> Vec<Step> {
    reply("503 Service Unavailable", headers, "")
}

#[test]
fn retries_0_is_one_request() {
    settled(async {
        for off in [Retry::off(), Retry::default().max_retries(0)] {
            let server = always(busy(&[])).await;
            let (error, took) = failure(list(nodion(&server).retry(off.clone()))).await;
            assert_eq!((error.attempts(), took), (1, Duration::ZERO));
            // Not even what is safe to repeat.
            let refused = Server::refuses();
            let (error, _) = failure(deploy(edgegap(&refused)).retry(off)).await;
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 1));
        }
    });
}

#[test]
fn a_policy_of_the_call_stands_above_that_of_the_client() {
    settled(async {
        let server = always(busy(&[])).await;
        let call = list(nodion(&server).retry(Retry::off()));
        let (error, took) = failure(call.retry(Retry::default().max_retries(5))).await;
        assert_eq!((error.attempts(), server.log().requests()), (6, 6));
        let backoffs = Duration::from_millis(500 + 1000 + 2000 + 4000 + 8000 + 6);
        assert!(took <= backoffs, "{took:?}");
    });
}

#[test]
fn a_wait_beyond_the_cap_the_budget_or_the_deadline_is_not_begun() {
    let default = Retry::default;
    let more = default().max_wait(seconds(40)).max_retries(9);
    settled(async {
        // (policy, deadline) -> (attempts, seconds waited)
        for (policy, deadline, attempts, waited) in [
            (default().max_wait(seconds(19)), 90, 1, 0),
            (default().budget(seconds(19)), 90, 1, 0),
            (default().budget(seconds(30)), 90, 2, 20),
            (more.budget(seconds(70)), 90, 4, 60),
            (default(), 10, 1, 0),
            // What is left of the deadline decides, and not the whole of it.
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
fn a_callers_word_opens_the_gates_for_a_create_and_the_effect_is_that_of_all_attempts() {
    settled(async {
        let server = always(busy(&[])).await;
        let (error, _) = failure(deploy(edgegap(&server)).assume_idempotent()).await;
        assert_eq!((error.attempts(), error.effect()), (3, Effect::Unknown));

        // A refusal in the end does not undo what the first may have done.
        let refusal = reply("400 Bad Request", &[], "");
        let server = Server::start(Script::always(busy(&[])).then(refusal)).await;
        let (error, _) = failure(deploy(edgegap(&server)).assume_idempotent()).await;
        let found = (error.kind(), error.attempts(), error.effect());
        assert_eq!(found, (ErrorKind::Rejected, 2, Effect::Unknown));
    });
}

#[test]
fn a_callers_word_does_not_make_a_refusal_pass() {
    settled(async {
        for status in ["400 No", "401 No", "409 No", "302 No", "501 No"] {
            let server = always(reply(status, &[], "")).await;
            let (error, _) = failure(deploy(edgegap(&server)).assume_idempotent()).await;
            assert_eq!(error.attempts(), 1, "{status}");
        }
    });
}

/// Nobody vouches for an endpoint without a wrapper, and a GET of dployr's wakes a service.
#[test]
fn an_endpoint_without_a_wrapper_is_sent_once_unless_the_caller_says_otherwise() {
    settled(async {
        let server = always(busy(&[])).await;
        let client = at(dployr::Client::builder(), &server).build().unwrap();
        let call = || client.request(Method::GET, "/v1/odd");
        let (error, _) = failure(call()).await;
        assert_eq!((error.attempts(), error.effect()), (1, Effect::Unknown));
        let (error, _) = failure(call().assume_idempotent()).await;
        assert_eq!(error.attempts(), 3);
    });
}
