//! Dropping the future of a call, at any point: no task is left, nothing is sent later, no slot is
//! taken and no lock is held.

use crate::behaviour::{ACCEPTED, always, edgegap, new, nodion, settled};
use crate::cells::fault::{head, reply, seconds};
use crate::support::{Script, Server, Step};
use deploykit::{ErrorKind, Pacing, dployr};
use std::time::Duration;
use tokio::time::{Instant, timeout};

fn tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

/// A create is dropped after so long, and after that everything must be as before.
async fn dropped(name: &str, server: Server, after: Duration, large: bool) {
    let builder = edgegap(&server);
    let client = builder.build().unwrap();
    // The server's own, when those of the one before are gone.
    tokio::time::sleep(seconds(1)).await;
    let before = tasks();
    let filler = "x".repeat(if large { 3 << 20 } else { 1 });
    let call = client.deploy(new().env("FILLER", filler));
    assert!(
        timeout(after, call).await.is_err(),
        "{name}: it came to an end"
    );
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(tasks(), before, "{name}: tasks are left");
    let log = server.log();
    tokio::time::sleep(seconds(600)).await;
    let later = server.log();
    assert_eq!(
        (later.connections, later.requests()),
        (log.connections, log.requests()),
        "{name}: something was sent later"
    );
}

#[test]
fn at_any_point() {
    settled(async {
        let busy = reply("503 Service Unavailable", &["retry-after: 10"], "");
        let limited = reply("429 Too Many Requests", &["retry-after: 10"], "");
        let answer = head("202 Accepted", &["content-length: 500"]);
        let second = seconds(1);
        dropped("while it connects", Server::deaf().await, second, false).await;
        dropped(
            "while it waits to connect again",
            Server::refuses(),
            Duration::from_millis(1),
            false,
        )
        .await;
        let steps = vec![Step::AwaitBytes, Step::Wait(seconds(1)), Step::Reset];
        dropped(
            "when it was sent",
            always(steps).await,
            Duration::from_millis(500),
            false,
        )
        .await;
        let steps = vec![
            Step::ReadHead,
            Step::Wait(Duration::from_millis(1500)),
            Step::Reset,
        ];
        dropped("while the body is sent", always(steps).await, second, true).await;
        let steps = vec![Step::ReadAll, Step::Silence];
        dropped(
            "while it waits for the reply",
            always(steps).await,
            second,
            false,
        )
        .await;
        let steps = vec![Step::ReadAll, Step::Send(answer.clone()), Step::Silence];
        dropped("within the reply", always(steps).await, second, false).await;
        dropped(
            "while it waits for its next attempt",
            always(limited).await,
            second,
            false,
        )
        .await;

        // What is dropped before it is polled never was.
        let server = always(busy).await;
        tokio::time::sleep(seconds(1)).await;
        let before = tasks();
        let client = edgegap(&server).build().unwrap();
        drop(client.deploy(new()));
        drop(client.deploy(new()).into_future());
        tokio::time::sleep(seconds(1)).await;
        assert_eq!((tasks(), server.log().connections), (before, 0));
    });
}

#[test]
fn a_stream() {
    settled(async {
        let line = b"{\"message\":\"one\"}\n".to_vec();
        let steps = vec![
            Step::ReadAll,
            Step::Send(head("200 OK", &[])),
            Step::Send(line),
            Step::Silence,
        ];
        let server = always(steps).await;
        let client = dployr::Client::builder()
            .base_url(&server.base_url)
            .token("t")
            .build()
            .unwrap();
        let before = tasks();
        let mut lines = client.service("web").follow_logs().await.unwrap();
        lines.next().await.unwrap().unwrap();
        assert!(timeout(seconds(1), lines.next()).await.is_err());
        drop(lines);
        tokio::time::sleep(seconds(1)).await;
        assert_eq!(tasks(), before);
    });
}

#[test]
fn the_client_works_on() {
    settled(async {
        let script = Script::always(vec![Step::ReadAll, Step::Silence]).then(reply(
            "200 OK",
            &[],
            super::behaviour::LIST,
        ));
        let server = Server::start(script).await;
        let client = nodion(&server).build().unwrap();
        let call = client.application("a").deployments();
        assert!(timeout(seconds(1), call).await.is_err());
        let started = Instant::now();
        client.application("a").deployments().await.unwrap();
        assert_eq!(started.elapsed(), Duration::ZERO);
    });
}

/// One create a second: those that waited and were dropped leave their turns to who comes next.
#[test]
fn a_turn_that_was_waited_for_is_not_taken() {
    settled(async {
        let server = always(reply("202 Accepted", &[], ACCEPTED)).await;
        let builder = edgegap(&server).pacing(Pacing::documented().one_of(40));
        let client = builder.build().unwrap();
        let before = tasks();
        let started = Instant::now();
        client.deploy(new()).await.unwrap();
        let half = Duration::from_millis(500);
        let waiting = || timeout(half, client.deploy(new()).into_future());
        let (first, second, third) = tokio::join!(waiting(), waiting(), waiting());
        assert!(first.is_err() && second.is_err() && third.is_err());
        assert!(client.pacing().iter().all(|state| state.waiting == 0));
        client.deploy(new()).await.unwrap();
        let took = started.elapsed().as_secs_f64();
        assert!((1.0..1.05).contains(&took), "{took}");
        tokio::time::sleep(seconds(1)).await;
        assert_eq!((tasks(), server.log().requests()), (before, 2));
    });
}

/// Nothing was sent, so nothing was spent.
#[test]
fn a_create_that_never_went_out_does_not_count_as_spent() {
    settled(async {
        let server = always(reply("202 Accepted", &[], ACCEPTED)).await;
        let builder = edgegap(&server).pacing(Pacing::documented().one_of(40));
        let client = builder.max_creates(2, seconds(60)).build().unwrap();
        client.deploy(new()).await.unwrap();
        let half = Duration::from_millis(500);
        assert!(
            timeout(half, client.deploy(new()).into_future())
                .await
                .is_err()
        );
        client.deploy(new()).await.unwrap();
        let error = client.deploy(new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SpendLimit);
    });
}

/// What went out may have been accepted, although nobody waited for the answer.
#[test]
fn a_create_that_went_out_counts_as_spent() {
    settled(async {
        let server = always(vec![Step::ReadAll, Step::Silence]).await;
        let client = edgegap(&server)
            .max_creates(1, seconds(60))
            .build()
            .unwrap();
        assert!(
            timeout(seconds(1), client.deploy(new()).into_future())
                .await
                .is_err()
        );
        let error = client.deploy(new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SpendLimit);
    });
}

/// A create that had to wait counts from when it went out, not from when it was asked for.
#[test]
fn a_create_that_waited_counts_from_when_it_went_out() {
    settled(async {
        let limited = reply("429 Too Many Requests", &["retry-after: 25"], "");
        let script = Script::always(limited).then(reply("202 Accepted", &[], ACCEPTED));
        let server = Server::start(script).await;
        let client = edgegap(&server)
            .max_creates(1, seconds(60))
            .build()
            .unwrap();
        let started = Instant::now();
        client.deploy(new()).await.unwrap();
        assert!(started.elapsed() >= seconds(25));
        tokio::time::sleep_until(started + seconds(61)).await;
        let error = client.deploy(new()).await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::SpendLimit,
            "the last one is 36 s ago"
        );
    });
}
