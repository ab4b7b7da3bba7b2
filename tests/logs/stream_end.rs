//! The end of a log stream: permanent errors, limits, timeouts.

use super::runtime;
use super::server::{Answer, End, Log, Server, control_plane, read};
use deploykit::dployr::LogOptions;
use deploykit::{ErrorKind, Retry};
use std::time::Duration;
use tokio::time::{Instant, timeout};

fn log() -> Log {
    vec![
        (1_795_487_020_005, "a".to_owned()),
        (1_795_487_020_005, "b".to_owned()),
    ]
}

/// Breaks the first connection after the log, then responds with this status and body.
async fn broken_then(status: &'static str, body: &'static str) -> Server {
    Server::start(move |number, query| match number {
        0 => {
            let answer = control_plane(&log(), query);
            let cut = answer.body.len() - 1;
            answer.cut(cut, End::Break)
        }
        _ => Answer::json(status, body),
    })
    .await
}

const ERROR: &str = r#"{"success":false,"error":{"message":"no","code":"x.y"}}"#;

#[test]
fn a_permanent_error_is_the_last_item() {
    for (status, kind) in [
        ("401 Unauthorized", ErrorKind::Unauthenticated),
        ("403 Forbidden", ErrorKind::Forbidden),
        ("501 Not Implemented", ErrorKind::Unsupported),
        ("400 Bad Request", ErrorKind::Rejected),
    ] {
        runtime().block_on(async {
            let server = broken_then(status, ERROR).await;
            let mut stream = server
                .service()
                .follow_logs(LogOptions::new())
                .await
                .unwrap();
            // The last line was cut, so it is not yielded.
            assert_eq!(read(&mut stream, 1).await, ["a"]);
            let error = stream.next().await.unwrap().unwrap_err();
            assert_eq!(
                (error.kind(), error.code()),
                (kind, Some("x.y")),
                "{status}"
            );
            assert_eq!(error.operation().unwrap().id, "get_service_logs");
            assert!(stream.next().await.is_none());
            assert_eq!(server.queries().len(), 2, "{status}");
        });
    }
}

#[test]
fn a_deleted_service_ends_the_stream() {
    runtime().block_on(async {
        let server = broken_then("404 Not Found", r#"{"success":false,"error":{"message":"Service not found","code":"resource.missing_resource"}}"#).await;
        let mut stream = server.service().follow_logs(LogOptions::new()).await.unwrap();
        assert_eq!(read(&mut stream, 9).await, ["a", "end"]);
        assert_eq!(read(&mut stream, 9).await, ["end"]);
    });
    runtime().block_on(async {
        let server = broken_then("404 Not Found", ERROR).await;
        let service = server.service();
        assert_eq!(
            read(
                &mut service.follow_logs(LogOptions::new()).await.unwrap(),
                1
            )
            .await,
            ["a"]
        );
        let error = service.follow_logs(LogOptions::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "the first request fails");
    });
}

#[test]
fn consecutive_failures_are_limited_and_their_backoff_grows() {
    for (limit, reconnects) in [(None, 20), (Some(3), 3), (Some(0), 0)] {
        runtime().block_on(async {
            let server = broken_then("503 Service Unavailable", ERROR).await;
            let mut stream = server
                .service()
                .follow_logs(LogOptions::new())
                .await
                .unwrap();
            if let Some(limit) = limit {
                stream = stream.max_failures(limit);
            }
            let started = Instant::now();
            let kind = if reconnects == 0 {
                "! Interrupted"
            } else {
                "! Unavailable"
            };
            assert_eq!(read(&mut stream, 9).await, ["a", kind, "end"]);
            // The broken connection is the first failure.
            assert_eq!(server.queries().len(), 1 + reconnects);
            // Each backoff is at most 0.5, 1, 2, 4, 8, 8, ... seconds.
            let bound = Duration::from_secs(8 * reconnects as u64);
            assert!(started.elapsed() <= bound, "{:?}", started.elapsed());
            if reconnects == 20 {
                assert!(
                    started.elapsed() > Duration::from_secs(20),
                    "{:?}",
                    started.elapsed()
                );
            }
        });
    }
}

#[test]
fn retry_after_delays_the_reconnection_or_ends_the_stream() {
    runtime().block_on(async {
        let server = broken_then("429 Too Many Requests\r\nretry-after: 20", ERROR).await;
        let mut stream = server
            .service()
            .follow_logs(LogOptions::new())
            .await
            .unwrap()
            .max_failures(2);
        let started = Instant::now();
        assert_eq!(read(&mut stream, 9).await, ["a", "! RateLimited", "end"]);
        assert!(
            started.elapsed() >= Duration::from_secs(20),
            "{:?}",
            started.elapsed()
        );
    });
    runtime().block_on(async {
        let server = broken_then("429 Too Many Requests\r\nretry-after: 121", ERROR).await;
        let mut stream = server
            .service()
            .follow_logs(LogOptions::new())
            .await
            .unwrap();
        assert_eq!(read(&mut stream, 1).await, ["a"]);
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(121)));
        assert_eq!(
            server.queries().len(),
            2,
            "the wait is longer than the policy allows"
        );
    });
}

#[test]
fn silence_is_not_a_failure() {
    runtime().block_on(async {
        let server = Server::start(|_, query| control_plane(&log(), query)).await;
        let stream = server
            .service()
            .follow_logs(LogOptions::new())
            .await
            .unwrap();
        let mut stream = stream.max_failures(0);
        assert_eq!(read(&mut stream, 2).await, ["a", "b"]);
        let hour = timeout(Duration::from_secs(3600), stream.next()).await;
        assert!(hour.is_err(), "{hour:?}");
        // The stream reconnects after each idle timeout of 300 s.
        assert!(
            (10..13).contains(&stream.reconnects()),
            "{}",
            stream.reconnects()
        );
    });
    runtime().block_on(async {
        let server = Server::start(|_, query| control_plane(&log(), query)).await;
        let stream = server
            .service()
            .follow_logs(LogOptions::new())
            .await
            .unwrap();
        let mut stream = stream.without_reconnecting();
        assert_eq!(read(&mut stream, 9).await, ["a", "b", "! Timeout", "end"]);
    });
}

#[test]
fn a_policy_without_retries_connects_once() {
    runtime().block_on(async {
        let server = broken_then("200 OK", "[]").await;
        let mut stream = server
            .service_with(Retry::off())
            .follow_logs(LogOptions::new())
            .await
            .unwrap();
        assert_eq!(read(&mut stream, 9).await, ["a", "! Interrupted", "end"]);
        assert_eq!(server.queries().len(), 1);
    });
}

#[test]
fn a_stream_without_timestamps_does_not_reconnect() {
    runtime().block_on(async {
        let text = "{\"message\":\"a\"}\n{\"message\":\"b\"}\n";
        let server = Server::start(move |_, _| Answer::lines(text, End::Break)).await;
        let mut stream = server
            .service()
            .follow_logs(LogOptions::new())
            .await
            .unwrap();
        assert_eq!(
            read(&mut stream, 9).await,
            ["a", "b", "! Interrupted", "end"]
        );
        let server = Server::start(move |_, _| Answer::lines(text, End::Whole)).await;
        let mut stream = server
            .service()
            .follow_logs(LogOptions::new().tail(1))
            .await
            .unwrap();
        assert_eq!(read(&mut stream, 9).await, ["a", "b", "end"]);
    });
}

#[test]
fn options_of_the_call_apply_to_reconnections() {
    runtime().block_on(async {
        let server = Server::start(|_, query| {
            let mut answer = control_plane(&log(), query);
            answer.end = if answer.end == End::Silence {
                End::Break
            } else {
                End::Whole
            };
            answer
        })
        .await;
        let call = server
            .service()
            .follow_logs(LogOptions::new())
            .query("extra", "1");
        let mut stream = call.await.unwrap();
        assert_eq!(read(&mut stream, 2).await, ["a", "b"]);
        let _ = timeout(Duration::from_secs(10), stream.next()).await;
        let queries = server.queries();
        assert!(queries.len() > 2);
        assert!(
            queries.iter().all(|query| query["extra"] == "1"),
            "{queries:?}"
        );
    });
}
