//! The limit of an attempt next to that of a call, and those of a stream.

use super::{LIST, always, at, edgegap, new, nodion, settled};
use crate::cells::fault::{head, reply, seconds};
use crate::support::{Script, Server, Step};
use deploykit::{Effect, ErrorKind, dployr};
use std::time::Duration;
use tokio::time::Instant;

fn silence() -> Vec<Step> {
    vec![Step::ReadAll, Step::Silence]
}

#[test]
fn each_attempt_has_its_own_limit_and_the_call_has_one_for_all() {
    settled(async {
        // (attempt, call) -> (attempts, from, to), in seconds
        for (attempt, deadline, attempts, from, to) in [
            (3, 60, 3, 9.0, 10.51),
            (3, 5, 2, 5.0, 5.01),
            (3, 3, 1, 3.0, 3.01),
            (9, 4, 1, 4.0, 4.01),
        ] {
            let server = always(silence()).await;
            let builder = nodion(&server).timeout(seconds(attempt));
            let client = builder.deadline(seconds(deadline)).build().unwrap();
            let started = Instant::now();
            let error = client.application("a").deployments().await.unwrap_err();
            let took = started.elapsed().as_secs_f64();
            assert_eq!(
                (error.kind(), error.attempts()),
                (ErrorKind::Timeout, attempts),
                "{error}"
            );
            assert!(
                (from..=to).contains(&took),
                "{took} for {attempt}, {deadline}"
            );
            assert_eq!(server.log().requests(), attempts as usize);
        }
    });
}

#[test]
fn the_limits_of_a_call_stand_above_those_of_the_client() {
    settled(async {
        let server = always(silence()).await;
        let client = edgegap(&server).timeout(seconds(50)).build().unwrap();
        let started = Instant::now();
        let call = client.deploy(new()).timeout(seconds(3));
        let error = call.await.unwrap_err();
        assert_eq!((error.attempts(), error.effect()), (1, Effect::Unknown));
        assert_eq!(started.elapsed().as_secs(), 3);
    });
}

#[test]
fn a_time_to_connect_is_a_failure_to_connect() {
    settled(async {
        let server = Server::deaf().await;
        let builder = edgegap(&server).connect_timeout(seconds(2));
        let started = Instant::now();
        let error = builder.build().unwrap().deploy(new()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Connect, Effect::None)
        );
        let took = started.elapsed();
        assert!(took >= seconds(6) && took < seconds(8), "{took:?}");
    });
}

#[test]
fn limits_of_nothing_and_of_for_ever_are_limits_too() {
    settled(async {
        let server = always(reply("200 OK", &[], LIST)).await;
        let client = nodion(&server)
            .timeout(Duration::MAX)
            .deadline(Duration::MAX);
        client
            .build()
            .unwrap()
            .application("a")
            .deployments()
            .await
            .unwrap();
        let client = nodion(&server).timeout(Duration::ZERO).build().unwrap();
        let error = client.application("a").deployments().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        let client = nodion(&server).deadline(Duration::ZERO).build().unwrap();
        let error = client.application("a").deployments().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Timeout, Effect::None)
        );
    });
}

#[test]
fn a_stream_has_no_deadline_and_a_limit_on_silence_that_can_be_set() {
    settled(async {
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
        let lines = client.service("web").follow_logs().await.unwrap();
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
