//! Followed logs of Nodion, which the client polls because Nodion does not stream.

use super::runtime;
use deploykit::logs::LogStream;
use deploykit::nodion::{ApplicationHandle, Client, LogOptions};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{ErrorKind, Retry, logs::LogCursor};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Lines of the log: milliseconds after `MINUTE`, and message.
type Log = Arc<Mutex<Vec<(i64, String)>>>;

const MINUTE: &str = "2026-05-05T08:14";

/// A timestamp with a digit after the milliseconds, as the platform may send it.
fn timestamp(at: i64) -> String {
    format!("{MINUTE}:{:02}.{:03}7Z", at / 1000, at % 1000)
}

/// A stub of the platform: returns the newest 2,500 lines after `after`, or fails with `status`.
fn platform(log: &Log, status: u16) -> (Recorder, ApplicationHandle) {
    let (recorder, log) = (Recorder::new(), log.clone());
    recorder.answer_with(move |request| {
        if status != 200 {
            return CannedReply::json(status, "{}");
        }
        let request = request.to_string();
        let after = request
            .lines()
            .find_map(|line| line.strip_prefix("? after = "));
        let log = log.lock().unwrap();
        let lines = log.iter().map(|(at, text)| (timestamp(*at), text));
        let lines: Vec<_> = lines
            .filter(|(at, _)| after.is_none_or(|after| at.as_str() > after.trim_end_matches('Z')))
            .map(|(at, text)| json!({ "ts": at, "msg": text, "instance_id": "i" }))
            .collect();
        let newest = lines.len().saturating_sub(2500);
        CannedReply::json(200, json!({ "logs": lines[newest..] }).to_string())
    });
    let builder = Client::builder().token("t").recorder(&recorder);
    let client = builder.retry(Retry::default()).build().unwrap();
    (recorder, client.application("a"))
}

#[test]
fn a_bad_line_fails_only_a_call_that_returns_it() {
    runtime().block_on(async {
        let line = |at: i64| json!({ "ts": timestamp(at), "msg": "a", "instance_id": "i" });
        let body = json!({ "logs": [line(1), { "msg": [] }, line(2), line(3)] }).to_string();
        let recorder = Recorder::new();
        recorder.answer_with(move |_| CannedReply::json(200, body.clone()));
        let client = Client::builder().token("t").recorder(&recorder);
        let application = client.build().unwrap().application("a");
        let tail = |lines| application.logs(LogOptions::new().tail(lines));
        assert_eq!(tail(2).await.unwrap().len(), 2);
        assert_eq!(tail(3).await.unwrap_err().kind(), ErrorKind::Decode);
        let all = application.logs(LogOptions::new()).await;
        assert_eq!(all.unwrap_err().kind(), ErrorKind::Decode);
    });
}

/// Reads `count` messages, fewer if none arrives for 100 s. Errors are shown as `! Kind`.
async fn read(stream: &mut LogStream, count: usize) -> Vec<String> {
    let mut seen = Vec::new();
    while seen.len() < count {
        match timeout(Duration::from_secs(100), stream.next()).await {
            Err(_) => return seen,
            Ok(None) => seen.push("end".to_owned()),
            Ok(Some(Ok(line))) => seen.push(line.message),
            Ok(Some(Err(error))) => seen.push(format!("! {:?}", error.kind())),
        }
    }
    seen
}

fn log(lines: &[(i64, &str)]) -> Log {
    let lines = lines.iter().map(|(at, text)| (*at, (*text).to_owned()));
    Arc::new(Mutex::new(lines.collect()))
}

#[test]
fn each_line_is_yielded_once_even_with_equal_timestamps() {
    runtime().block_on(async {
        let log = log(&[(100, "a"), (100, "b"), (100, "a")]);
        let (recorder, application) = platform(&log, 200);
        let mut stream = application.follow_logs(LogOptions::new()).await.unwrap();
        assert_eq!(read(&mut stream, 9).await, ["a", "b", "a"]);
        let requests = recorder.requests().len();
        // A duplicate in the same millisecond, and a late line of another instance.
        let added = [(100, "a"), (90, "late"), (9000, "c")].map(|(at, text)| (at, text.to_owned()));
        log.lock().unwrap().extend(added);
        log.lock().unwrap().sort_by_key(|(at, _)| *at);
        assert_eq!(read(&mut stream, 9).await, ["late", "a", "c"]);
        // During 100 s without new lines, the poll interval grows from 5 s to 20 s.
        assert!((6..=9).contains(&requests), "{requests}");
        let second = recorder.requests()[1].to_string();
        assert!(second.contains("08:13:55.099Z"), "{second}");
    });
}

#[test]
fn stream_starts_with_tail_and_resumes_from_cursor() {
    runtime().block_on(async {
        let log = log(&[(1, "a"), (2, "b"), (2, "b"), (3, "c")]);
        let (_, application) = platform(&log, 200);
        let mut stream = application
            .follow_logs(LogOptions::new().tail(3))
            .await
            .unwrap();
        assert_eq!(read(&mut stream, 2).await, ["b", "b"]);
        let saved = serde_json::to_string(&stream.cursor()).unwrap();
        let cursor: LogCursor = serde_json::from_str(&saved).unwrap();
        log.lock().unwrap().push((3, "c".to_owned()));
        let mut second = application
            .resume_logs(LogOptions::new(), &cursor)
            .await
            .unwrap();
        assert_eq!(read(&mut second, 9).await, ["c", "c"]);

        let new_only = LogOptions::new().tail(0);
        let mut third = application.follow_logs(new_only).await.unwrap();
        log.lock().unwrap().push((4, "d".to_owned()));
        assert_eq!(read(&mut third, 9).await, ["d"]);
        log.lock().unwrap().pop();

        let last = application.logs(LogOptions::new().tail(3)).await.unwrap();
        let last: Vec<_> = last.into_iter().map(|line| line.message).collect();
        assert_eq!(last, ["b", "c", "c"]);
    });
}

#[test]
fn lines_lost_between_polls_are_reported_as_a_gap() {
    runtime().block_on(async {
        let log = log(&[(1, "a")]);
        let (_, application) = platform(&log, 200);
        let mut stream = application.follow_logs(LogOptions::new()).await.unwrap();
        assert_eq!(read(&mut stream, 1).await, ["a"]);
        let many = (0..2600).map(|n| (10_000 + n, format!("line {n}")));
        log.lock().unwrap().extend(many);
        let seen = read(&mut stream, 2501).await;
        assert_eq!(seen[..2], ["! Unsupported", "line 100"]);
        assert_eq!(seen[2500], "line 2599");
        assert!(read(&mut stream, 1).await.is_empty());
    });
}

#[test]
fn stream_ends_when_the_application_is_deleted_or_polls_fail() {
    runtime().block_on(async {
        for (status, last) in [(404, "end"), (403, "! Forbidden"), (500, "! Server")] {
            let log = log(&[(1, "a")]);
            let (recorder, application) = platform(&log, status);
            let first = json!({ "logs": [{ "ts": timestamp(1), "msg": "a", "instance_id": "i" }] });
            recorder.reply("list_logs", CannedReply::json(200, first.to_string()));
            let mut stream = application.follow_logs(LogOptions::new()).await.unwrap();
            let mut seen = Vec::new();
            while let Some(line) = stream.next().await {
                seen.push(
                    line.map_or_else(|error| format!("! {:?}", error.kind()), |line| line.message),
                );
            }
            let expected = if last == "end" {
                vec!["a"]
            } else {
                vec!["a", last]
            };
            assert_eq!(seen, expected);
            let requests = if status == 500 { 22 } else { 2 };
            assert_eq!(recorder.requests().len(), requests, "{status}");
        }
        let (_, application) = platform(&log(&[]), 404);
        let error = application
            .follow_logs(LogOptions::new())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}

#[test]
fn too_many_lines_of_one_time_are_reported_as_such() {
    runtime().block_on(async {
        let log: Log = Arc::default();
        let many = (0..2600).map(|n| (10_000, format!("line {n}")));
        log.lock().unwrap().extend(many);
        let (_, application) = platform(&log, 200);
        let mut stream = application.follow_logs(LogOptions::new()).await.unwrap();
        assert_eq!(read(&mut stream, 2500).await.len(), 2500);
        let error = stream.next().await.unwrap().unwrap_err();
        let cause = "2500 or more lines have the same time";
        assert!(error.to_string().contains(cause), "{error}");
        log.lock().unwrap().push((20_000, "after".to_owned()));
        assert_eq!(read(&mut stream, 1).await, ["after"]);
    });
}

/// The newest 2,500 lines at every poll, and one more line in each.
#[test]
fn a_platform_that_ignores_after_is_polled_with_pauses() {
    runtime().block_on(async {
        let lines = |from: i64| -> Vec<_> {
            let lines = from..from + 2500;
            lines
                .map(|n| json!({ "ts": timestamp(n), "msg": format!("line {n}"), "instance_id": "i" }))
                .collect()
        };
        for new_lines in [0, 1] {
            let recorder = Recorder::new();
            let polls = Mutex::new(0);
            recorder.answer_with(move |_| {
                let mut polls = polls.lock().unwrap();
                *polls += new_lines;
                CannedReply::json(200, json!({ "logs": lines(20_000 + *polls) }).to_string())
            });
            let builder = Client::builder().token("t").recorder(&recorder);
            let client = builder.retry(Retry::default()).build().unwrap();
            let mut stream = client.application("a").follow_logs(LogOptions::new()).await.unwrap();
            let started = Instant::now();
            assert_eq!(read(&mut stream, 2500).await.len(), 2500);
            if new_lines == 1 {
                let seen = read(&mut stream, 10).await;
                assert!(seen.iter().all(|line| line.starts_with("line ")), "{seen:?}");
                assert!(started.elapsed().as_secs() >= 37, "{:?}", started.elapsed());
                continue;
            }
            let in_4_s = timeout(Duration::from_secs(4), async {
                while stream.next().await.is_some() {}
            });
            assert!(in_4_s.await.is_err());
            let requests = recorder.requests().len();
            assert!(requests <= 12, "{requests} requests in 4 s");
            let mut last = None;
            while let Some(line) = stream.next().await {
                let error = line.unwrap_err();
                let cause = "the platform repeated the same 2500 lines";
                assert!(error.to_string().contains(cause), "{error}");
                last = Some(error.kind());
                assert!(recorder.requests().len() <= 25, "the stream does not end");
            }
            assert_eq!(last, Some(ErrorKind::Unsupported));
            assert!(started.elapsed().as_secs() >= 20, "{:?}", started.elapsed());
        }
    });
}
