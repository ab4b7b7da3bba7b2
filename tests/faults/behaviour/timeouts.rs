//! Timeout, deadline, connect timeout and idle timeout.

use super::{
    ACCEPTED, LIST, always, at, deploy, edgegap, failure, list, new, nodion, with_paused_clock,
};
use crate::support::{Script, Server, Step};
use crate::table::fault::{head, reply, seconds};
use deploykit::{Effect, ErrorKind, dployr};
use std::time::Duration;
use tokio::time::Instant;

#[test]
fn the_timeout_limits_an_attempt_and_the_deadline_the_call() {
    with_paused_clock(async {
        // (timeout, deadline) -> (attempts, shortest and longest duration), in seconds
        for (timeout, deadline, attempts, from, to) in [
            (3, 60, 3, 9.0, 10.51),
            (3, 5, 2, 5.0, 5.01),
            (3, 3, 1, 3.0, 3.01),
            (9, 4, 1, 4.0, 4.01),
        ] {
            let server = Server::start(Script::silence()).await;
            let builder = nodion(&server).timeout(seconds(timeout));
            let (error, took) = failure(list(builder.deadline(seconds(deadline)))).await;
            let found = (error.kind(), error.attempts());
            assert_eq!(found, (ErrorKind::Timeout, attempts), "{error}");
            let took = took.as_secs_f64();
            assert!((from..=to).contains(&took), "{took}: {timeout}, {deadline}");
            assert_eq!(server.log().requests(), attempts as usize);
        }
    });
}

#[test]
fn the_timeout_of_a_call_overrides_the_one_of_the_client() {
    with_paused_clock(async {
        let server = Server::start(Script::silence()).await;
        let call = deploy(edgegap(&server).timeout(seconds(50)));
        let (error, took) = failure(call.timeout(seconds(3))).await;
        assert_eq!((error.attempts(), error.effect()), (1, Effect::Unknown));
        assert_eq!(took.as_secs(), 3);
    });
}

#[test]
fn a_connect_timeout_is_a_connect_error() {
    with_paused_clock(async {
        let server = Server::unresponsive().await;
        let call = deploy(edgegap(&server).connect_timeout(seconds(2)));
        let (error, took) = failure(call).await;
        let found = (error.kind(), error.effect());
        assert_eq!(found, (ErrorKind::Connect, Effect::None));
        assert!(took >= seconds(6) && took < seconds(8), "{took:?}");
    });
}

#[test]
fn a_zero_timeout_sends_nothing_and_the_maximum_timeout_does_not_overflow() {
    with_paused_clock(async {
        let server = always(reply("200 OK", &[], LIST)).await;
        let (never, now) = (Duration::MAX, Duration::ZERO);
        list(nodion(&server).timeout(never).deadline(never))
            .await
            .unwrap();
        let server = always(reply("202 Accepted", &[], ACCEPTED)).await;
        let client = edgegap(&server).build().unwrap();
        // Opens a connection, on which a request would be sent at once.
        client.deploy(new()).await.unwrap();
        for call in [
            client.deploy(new()).timeout(now),
            client.deploy(new()).deadline(now),
        ] {
            let (error, _) = failure(call).await;
            let found = (error.kind(), error.effect(), error.attempts());
            assert_eq!(found, (ErrorKind::Timeout, Effect::None, 0), "{error}");
            assert!(error.to_string().contains("no time is left"), "{error}");
        }
        tokio::time::sleep(seconds(1)).await;
        assert_eq!(server.log().requests(), 1);
    });
}

#[test]
fn the_status_of_a_failure_is_kept_if_its_body_stalls() {
    with_paused_clock(async {
        let head = head("403 Forbidden", &["content-length: 100"]);
        let steps = vec![Step::ReadAll, Step::Send(head), Step::Silence];
        let server = Server::start(Script::always(steps)).await;
        for builder in [
            edgegap(&server).timeout(seconds(2)),
            edgegap(&server).deadline(seconds(2)),
        ] {
            let (error, took) = failure(deploy(builder)).await;
            let found = (error.kind(), error.status(), error.effect());
            assert_eq!(found, (ErrorKind::Forbidden, Some(403), Effect::None));
            assert!(took <= seconds(2), "{took:?}");
        }
    });
}

#[test]
fn a_stream_has_an_idle_timeout_and_no_deadline() {
    with_paused_clock(async {
        let line = || Step::Send(b"{\"message\":\"one\"}\n".to_vec());
        let steps = vec![
            Step::ReadAll,
            Step::Send(head("200 OK", &[])),
            line(),
            Step::Wait(seconds(9)),
            line(),
            Step::Silence,
        ];
        let server = Server::start(Script::always(steps)).await;
        let builder = at(dployr::Client::builder(), &server).timeout(seconds(1));
        let client = builder
            .deadline(seconds(2))
            .idle_timeout(seconds(10))
            .build()
            .unwrap();
        let started = Instant::now();
        let lines = client
            .service("web")
            .follow_logs(deploykit::dployr::LogOptions::new())
            .await
            .unwrap();
        let mut lines = lines.without_reconnecting();
        assert!(lines.next().await.unwrap().is_ok());
        assert!(lines.next().await.unwrap().is_ok());
        let error = lines.next().await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Timeout, Effect::None)
        );
        assert!(lines.next().await.is_none());
        assert_eq!(started.elapsed().as_secs(), 19);
    });
}
