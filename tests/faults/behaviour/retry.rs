//! What the options of a retry do.

use super::{always, at, edgegap, new, nodion, settled};
use crate::cells::fault::{reply, seconds};
use crate::support::{Script, Server, Step};
use deploykit::{Call, Effect, Error, ErrorKind, Retry, dployr};
use http::Method;
use std::time::Duration;
use tokio::time::Instant;

fn busy(headers: &[&str]) -> Vec<Step> {
    reply("503 Service Unavailable", headers, "")
}

/// How a call fails, and how long that takes.
async fn failure<T: Send + 'static>(call: Call<T>) -> (Error, Duration) {
    let started = Instant::now();
    match call.await {
        Ok(_) => panic!("it went well"),
        Err(error) => (error, started.elapsed()),
    }
}

#[test]
fn retries_0_is_one_request() {
    settled(async {
        for off in [Retry::off(), Retry::default().max_retries(0)] {
            let server = always(busy(&[])).await;
            let client = nodion(&server).retry(off.clone()).build().unwrap();
            let (error, took) = failure(client.application("a").deployments()).await;
            assert_eq!((error.attempts(), took), (1, Duration::ZERO));
            // Not even what is safe to repeat.
            let refused = Server::refuses();
            let client = edgegap(&refused).build().unwrap();
            let (error, _) = failure(client.deploy(new()).retry(off)).await;
            assert_eq!((error.kind(), error.attempts()), (ErrorKind::Connect, 1));
        }
    });
}

#[test]
fn a_policy_of_the_call_stands_above_that_of_the_client() {
    settled(async {
        let server = always(busy(&[])).await;
        let client = nodion(&server).retry(Retry::off()).build().unwrap();
        let call = || client.application("a").deployments();
        let (error, took) = failure(call().retry(Retry::default().max_retries(5))).await;
        assert_eq!(error.attempts(), 6);
        assert!(
            took <= Duration::from_millis(500 + 1000 + 2000 + 4000 + 8000 + 6),
            "{took:?}"
        );
        assert_eq!(failure(call()).await.0.attempts(), 1);
        assert_eq!(server.log().requests(), 7);
    });
}

#[test]
fn a_deadline_shorter_than_the_servers_delay_returns_at_once() {
    settled(async {
        let server = always(busy(&["retry-after: 20"])).await;
        let client = nodion(&server).build().unwrap();
        let call = client.application("a").deployments();
        let (error, took) = failure(call.deadline(seconds(10))).await;
        assert_eq!(
            (error.kind(), error.attempts()),
            (ErrorKind::Unavailable, 1)
        );
        assert_eq!(
            (error.retry_after(), took),
            (Some(seconds(20)), Duration::ZERO)
        );
    });
}

#[test]
fn what_is_left_of_the_deadline_decides_and_not_the_whole_of_it() {
    settled(async {
        let server = always(busy(&["retry-after: 20"])).await;
        let client = nodion(&server).build().unwrap();
        let call = client.application("a").deployments();
        let (error, took) = failure(call.deadline(seconds(30))).await;
        assert_eq!(
            (error.kind(), error.attempts()),
            (ErrorKind::Unavailable, 2)
        );
        assert!(took >= seconds(20) && took < seconds(21), "{took:?}");
    });
}

#[test]
fn a_wait_beyond_the_cap_or_the_budget_is_not_begun() {
    settled(async {
        for (policy, attempts, waited) in [
            (Retry::default().max_wait(seconds(19)), 1, 0),
            (Retry::default().budget(seconds(19)), 1, 0),
            (Retry::default().budget(seconds(30)), 2, 20),
            (
                Retry::default()
                    .max_wait(seconds(40))
                    .max_retries(9)
                    .budget(seconds(70)),
                4,
                60,
            ),
        ] {
            let server = always(busy(&["retry-after: 20"])).await;
            let client = nodion(&server).retry(policy.clone()).build().unwrap();
            let (error, took) = failure(client.application("a").deployments()).await;
            assert_eq!(error.attempts(), attempts, "{policy:?}");
            assert_eq!(error.retry_after(), Some(seconds(20)));
            let jitter = seconds(waited + 5);
            assert!(
                took >= seconds(waited) && took < jitter,
                "{policy:?}: {took:?}"
            );
        }
    });
}

#[test]
fn a_callers_word_opens_the_gates_for_a_create_and_the_effect_is_that_of_all_attempts() {
    settled(async {
        let server = always(busy(&[])).await;
        let client = edgegap(&server).build().unwrap();
        let (error, _) = failure(client.deploy(new()).assume_idempotent()).await;
        assert_eq!((error.attempts(), error.effect()), (3, Effect::Unknown));

        // A refusal in the end does not undo what the first may have done.
        let refusal = reply("400 Bad Request", &[], "");
        let server = Server::start(Script::always(busy(&[])).then(refusal)).await;
        let client = edgegap(&server).build().unwrap();
        let (error, _) = failure(client.deploy(new()).assume_idempotent()).await;
        assert_eq!(
            (error.kind(), error.attempts(), error.effect()),
            (ErrorKind::Rejected, 2, Effect::Unknown)
        );
    });
}

#[test]
fn a_callers_word_does_not_make_a_refusal_pass() {
    settled(async {
        for status in [
            "400 Bad Request",
            "401 Unauthorized",
            "409 Conflict",
            "302 Found",
            "501 Not Implemented",
        ] {
            let server = always(reply(status, &[], "")).await;
            let client = edgegap(&server).build().unwrap();
            let (error, _) = failure(client.deploy(new()).assume_idempotent()).await;
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
