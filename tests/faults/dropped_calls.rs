//! Dropped calls: no task remains, nothing is sent later, and no pacing slot or lock is held.

use crate::behaviour::{ACCEPTED, always, at, edgegap, new, with_paused_clock};
use crate::support::{Server, Step};
use crate::table::fault::{head, reply, seconds};
use deploykit::{Call, ErrorKind, dployr, pacing::Pacing};
use std::future::IntoFuture;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Number of tasks of the runtime that have not ended.
fn alive_tasks() -> usize {
    tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks()
}

/// Drops a call after a time.
async fn drop_after<T: Send + 'static>(time: Duration, call: Call<T>) {
    let ended = timeout(time, call.into_future()).await;
    assert!(ended.is_err(), "the call ended before it was dropped");
}

/// Drops a create after a time. Checks that no task remains and nothing is sent later.
async fn assert_nothing_remains_after_drop(
    name: &str,
    server: Server,
    after: Duration,
    large: bool,
) {
    let client = edgegap(&server).build().unwrap();
    // Wait until the tasks of the previous server have ended.
    tokio::time::sleep(seconds(1)).await;
    let before = alive_tasks();
    let filler = "x".repeat(if large { 3 << 20 } else { 1 });
    drop_after(after, client.deploy(new().env("FILLER", filler))).await;
    tokio::time::sleep(seconds(1)).await;
    assert_eq!(alive_tasks(), before, "{name}: tasks are left");
    let seen = || (server.log().connections, server.log().requests());
    let before = seen();
    tokio::time::sleep(seconds(600)).await;
    assert_eq!(seen(), before, "{name}: something was sent later");
}

#[test]
fn a_dropped_call_leaves_no_task_and_sends_nothing_later() {
    with_paused_clock(async {
        let limited = reply("429 Too Many Requests", &["retry-after: 10"], "");
        let answer = Step::Send(head("202 Accepted", &["content-length: 500"]));
        let reset_after = |read: Step, millis| {
            let wait = Step::Wait(Duration::from_millis(millis));
            always(vec![read, wait, Step::Reset])
        };
        let silence = always(vec![Step::ReadAll, Step::Silence]).await;
        let partial = always(vec![Step::ReadAll, answer, Step::Silence]).await;
        let sent = reset_after(Step::AwaitBytes, 1000).await;
        let body = reset_after(Step::ReadHead, 1500).await;
        for (name, server, millis, large) in [
            (
                "while it connects",
                Server::unresponsive().await,
                1000,
                false,
            ),
            (
                "while it waits for the next connection attempt",
                Server::refuses(),
                1,
                false,
            ),
            ("after it was sent", sent, 500, false),
            ("while the body is sent", body, 1000, true),
            ("while it waits for the response", silence, 1000, false),
            ("while the response arrives", partial, 1000, false),
            (
                "while it waits for the next attempt",
                always(limited).await,
                1000,
                false,
            ),
        ] {
            assert_nothing_remains_after_drop(name, server, Duration::from_millis(millis), large)
                .await;
        }

        // A call that is dropped before it is polled sends nothing.
        let server = always(reply("202 Accepted", &[], ACCEPTED)).await;
        tokio::time::sleep(seconds(1)).await;
        let before = alive_tasks();
        let client = edgegap(&server).build().unwrap();
        drop(client.deploy(new()));
        drop(client.deploy(new()).into_future());
        tokio::time::sleep(seconds(1)).await;
        assert_eq!((alive_tasks(), server.log().connections), (before, 0));
    });
}

#[test]
fn a_dropped_stream_leaves_no_task() {
    with_paused_clock(async {
        let line = b"HTTP/1.1 200 OK\r\n\r\n{\"message\":\"one\"}\n".to_vec();
        for line in [Some(line), None] {
            let has_line = line.is_some();
            let line = line.map(Step::Send);
            let steps = [Step::ReadAll]
                .into_iter()
                .chain(line)
                .chain([Step::Silence]);
            let server = always(steps.collect()).await;
            let client = at(dployr::Client::builder(), &server).build().unwrap();
            // Wait until the tasks of the previous server have ended.
            tokio::time::sleep(seconds(1)).await;
            let before = alive_tasks();
            let mut lines = client
                .service("web")
                .follow_logs(deploykit::dployr::LogOptions::new())
                .await
                .unwrap();
            let first = timeout(seconds(1), lines.next()).await;
            assert_eq!(first.is_ok(), has_line);
            assert!(timeout(seconds(1), lines.next()).await.is_err());
            drop(lines);
            tokio::time::sleep(seconds(1)).await;
            assert_eq!(alive_tasks(), before);
        }
    });
}

/// The pacing allows one create per second.
#[test]
fn a_dropped_call_frees_its_pacing_slot() {
    with_paused_clock(async {
        let server = always(reply("202 Accepted", &[], ACCEPTED)).await;
        let builder = edgegap(&server).pacing(Pacing::documented().one_of(40));
        let client = builder.build().unwrap();
        let before = alive_tasks();
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
        assert_eq!((alive_tasks(), server.log().requests()), (before, 2));
    });
}

#[test]
fn an_unsent_create_does_not_count_against_max_creates() {
    with_paused_clock(async {
        let server = always(reply("202 Accepted", &[], ACCEPTED)).await;
        let builder = edgegap(&server).pacing(Pacing::documented().one_of(40));
        let client = builder.max_creates(2, seconds(60)).build().unwrap();
        client.deploy(new()).await.unwrap();
        drop_after(Duration::from_millis(500), client.deploy(new())).await;
        client.deploy(new()).await.unwrap();
        let error = client.deploy(new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SpendLimit);
    });
}

/// The platform may have accepted the create.
#[test]
fn a_sent_create_counts_against_max_creates() {
    with_paused_clock(async {
        let server = always(vec![Step::ReadAll, Step::Silence]).await;
        let builder = edgegap(&server).max_creates(1, seconds(60));
        let client = builder.build().unwrap();
        drop_after(seconds(1), client.deploy(new())).await;
        let error = client.deploy(new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SpendLimit);
    });
}
