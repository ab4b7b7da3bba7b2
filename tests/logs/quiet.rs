//! Followed logs without a line. dployr's control plane sends no response head before the first line.

use super::runtime;
use super::server::{Answer, Log, Query, Server, assert_quiet, control_plane, read};
use deploykit::dployr::LogOptions;
use deploykit::logs::LogStream;
use deploykit::{Call, ErrorKind, Retry};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

const QUIET: Duration = Duration::from_secs(15 * 60);
/// A call returns at the latest after this time.
const AT_ONCE: Duration = Duration::from_secs(3);

/// A server whose log gets its only line after [`QUIET`].
async fn quiet_server() -> Server {
    let started = Instant::now();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let at = i64::try_from((now + QUIET).as_millis()).unwrap();
    let log = vec![(at, "late".to_owned())];
    Server::start(move |_, query| {
        let left = QUIET.saturating_sub(started.elapsed());
        match query.contains_key("follow") {
            true => control_plane(&log, query).after(left),
            false if left.is_zero() => control_plane(&log, query),
            false => control_plane(&Log::new(), query),
        }
    })
    .await
}

fn resume(server: &Server) -> Call<LogStream> {
    let position = r#"{"start":0,"last":null,"floor":0,"lines":[],"overflow":0}"#;
    let cursor = format!(r#"{{"version":1,"platform":"dployr","position":{position}}}"#);
    let cursor = serde_json::from_str(&cursor).unwrap();
    server.service().resume_logs(&cursor)
}

#[test]
fn a_quiet_log_is_followed_until_its_first_line() {
    let follow = |server: &Server, options| server.service().follow_logs(options);
    let calls: [fn(&Server) -> Call<LogStream>; 5] = [
        |server| server.service().follow_logs(LogOptions::new()),
        |server| server.service().follow_logs(LogOptions::new().tail(0)),
        |server| {
            let since = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
            server.service().follow_logs(LogOptions::new().since(since))
        },
        |server| server.client().follow_logs(Default::default()),
        resume,
    ];
    for (number, call) in calls.into_iter().enumerate() {
        runtime().block_on(async {
            let server = quiet_server().await;
            let started = Instant::now();
            let stream = call(&server).await.unwrap();
            assert!(
                started.elapsed() <= AT_ONCE,
                "{number}: {:?}",
                started.elapsed()
            );
            // Silence is not a failure.
            let mut stream = stream.max_failures(0);
            assert_eq!(read(&mut stream, 1).await, ["late"], "{number}");
            let took = started.elapsed();
            assert!(
                took >= QUIET && took < QUIET + AT_ONCE,
                "{number}: {took:?}"
            );
            // The idle timeout of 300 s ended two or three connections.
            assert!(
                (2..=6).contains(&stream.reconnects()),
                "{number}: {}",
                stream.reconnects()
            );
            assert_quiet(&mut stream).await;
        });
    }
    runtime().block_on(async {
        let server = quiet_server().await;
        let stream = follow(&server, LogOptions::new()).timeout(Duration::from_secs(1));
        let mut stream = stream.deadline(Duration::from_secs(1)).await.unwrap();
        let started = Instant::now();
        assert_eq!(read(&mut stream, 1).await, ["late"]);
        assert!(started.elapsed() < QUIET, "{:?}", started.elapsed());
    });
}

#[test]
fn without_reconnecting_a_quiet_log_ends_in_one_timeout() {
    runtime().block_on(async {
        let server = quiet_server().await;
        let started = Instant::now();
        let service = server.service_with(Retry::off());
        let mut stream = service.follow_logs(LogOptions::new()).await.unwrap();
        let error = stream.next().await.unwrap().unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts()),
            (ErrorKind::Timeout, 1),
            "{error}"
        );
        assert!(error.to_string().contains("idle_timeout"), "{error}");
        assert_eq!(started.elapsed().as_secs(), 300);
        assert!(stream.next().await.is_none());
        assert_eq!(server.queries().len(), 1);
    });
}

#[test]
fn a_deadline_limits_the_call_and_not_the_stream() {
    runtime().block_on(async {
        let server = quiet_server().await;
        let service = server.service();
        let follow = || service.follow_logs(LogOptions::new());
        let error = follow().deadline(Duration::ZERO).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.attempts()),
            (ErrorKind::Timeout, 0),
            "{error}"
        );
        assert!(server.queries().is_empty());
        let started = Instant::now();
        let stream = follow().deadline(Duration::from_secs(1)).await.unwrap();
        assert_eq!(started.elapsed().as_secs(), 1);
        drop(stream);
    });
}

/// The second attempt waits for 20 s, which is no silence.
#[test]
fn a_refusal_is_an_error_of_the_call_even_after_a_retry() {
    runtime().block_on(async {
        let limited = "429 Too Many Requests\r\nretry-after: 20";
        let server = Server::start(move |number, _: &Query| match number {
            0 => Answer::json(limited, "{}"),
            _ => Answer::json("403 Forbidden", "{}"),
        })
        .await;
        let error = server
            .service()
            .follow_logs(LogOptions::new())
            .await
            .unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Forbidden, 2));
    });
}
