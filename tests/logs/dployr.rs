//! Logs of dployr without gaps and repeats, for servers with and without undocumented parameters.

use super::runtime;
use super::server::{
    Answer, End, Log, Query, Server, assert_quiet, control_plane, documented, line, messages, read,
};
use deploykit::dployr::{ClusterLogOptions, LogOptions};
use deploykit::{ErrorKind, logs::LogCursor};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

/// A time within the history of a followed log.
fn minute_ago() -> i64 {
    static AT: OnceLock<i64> = OnceLock::new();
    *AT.get_or_init(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(now.as_millis()).unwrap() - 60_000
    })
}

/// Lines with equal times and texts, and multi-byte characters.
fn log() -> Log {
    let lines = [
        (5, "a"),
        (5, "grün ⚠"),
        (5, "a"),
        (6, "b"),
        (6, "b"),
        (6, "b"),
        (9, "c"),
        (9, "a"),
    ];
    let lines = lines.map(|(at, text)| (minute_ago() + at, text.to_owned()));
    lines.to_vec()
}

type Dialect = fn(&Log, &Query) -> Answer;

const DIALECTS: [Dialect; 2] = [control_plane, documented];

#[test]
fn lines_are_yielded_once_if_the_connection_ends_anywhere() {
    let whole = control_plane(&log(), &Query::from([("follow".into(), "true".into())]));
    for dialect in DIALECTS {
        for end in [End::Break, End::Whole] {
            for at in (0..whole.body.len()).step_by(11) {
                runtime().block_on(async {
                    let server = Server::start(move |number, query| {
                        let answer = dialect(&log(), query);
                        if number == 0 {
                            answer.cut(at, end)
                        } else {
                            answer
                        }
                    })
                    .await;
                    let mut stream = server
                        .service()
                        .follow_logs(LogOptions::new())
                        .await
                        .unwrap();
                    let seen = read(&mut stream, log().len()).await;
                    assert_eq!(seen, messages(&log()), "cut at {at}, {end:?}");
                    assert_quiet(&mut stream).await;
                    assert_eq!(stream.reconnects(), 1);
                });
            }
        }
    }
}

#[test]
fn lines_are_yielded_once_if_every_connection_breaks() {
    for dialect in DIALECTS {
        runtime().block_on(async move {
            let server = Server::start(move |number, query| {
                let answer = dialect(&log(), query);
                match query.contains_key("follow") {
                    true => answer.cut(50 * (number + 1), End::Break),
                    false => answer.cut(40 * number, End::Break),
                }
            })
            .await;
            let mut stream = server
                .service()
                .follow_logs(LogOptions::new())
                .await
                .unwrap()
                .max_failures(1000);
            assert_eq!(read(&mut stream, log().len()).await, messages(&log()));
            assert_quiet(&mut stream).await;
        });
    }
}

#[test]
fn missed_lines_are_read_in_pages_after_reconnecting() {
    let all: Log = (0..12_345)
        .map(|n| (minute_ago() + n / 3, format!("line {n}")))
        .collect();
    let log = all.clone();
    runtime().block_on(async {
        let server = Server::start(move |number, query| match number {
            0 => control_plane(&log[..10].to_vec(), query).cut(700, End::Break),
            // The server sends a late follower only the first lines.
            _ if query.contains_key("follow") => {
                let since: i64 = query["since"].parse().unwrap();
                let behind = log.iter().filter(|(at, _)| *at >= since).count();
                assert!(behind < 5000, "it follows from {since}");
                control_plane(&log, query)
            }
            _ => control_plane(&log, query),
        })
        .await;
        let mut stream = server
            .service()
            .follow_logs(LogOptions::new())
            .await
            .unwrap();
        assert_eq!(read(&mut stream, all.len()).await, messages(&all));
        assert_quiet(&mut stream).await;
        let queries = server.queries();
        let follows: Vec<_> = queries
            .iter()
            .map(|query| query.contains_key("follow"))
            .collect();
        assert_eq!(follows, [true, false, false, false, true]);
        assert_eq!(queries[1]["limit"], "5000");
    });
}

#[test]
fn a_gap_is_reported_if_a_millisecond_has_too_many_lines() {
    let mut all: Log = (0..6_000)
        .map(|n| (minute_ago(), format!("line {n}")))
        .collect();
    all.push((minute_ago() + 1, "after".to_owned()));
    runtime().block_on(async {
        let log = all.clone();
        let server = Server::start(move |number, query| {
            let answer = control_plane(&log, query);
            if number == 0 {
                answer.cut(800, End::Break)
            } else {
                answer
            }
        })
        .await;
        let mut stream = server
            .service()
            .follow_logs(LogOptions::new())
            .await
            .unwrap();
        let seen = read(&mut stream, 5_002).await;
        assert_eq!(seen[..5_000], messages(&all)[..5_000]);
        assert_eq!(seen[5_000..], ["! Unsupported", "after"]);
        assert_quiet(&mut stream).await;
    });
}

#[test]
fn a_cursor_resumes_in_another_client() {
    for dialect in DIALECTS {
        for at in 0..=log().len() {
            runtime().block_on(async {
                let server = Server::start(move |_, query| dialect(&log(), query)).await;
                let mut first = server
                    .service()
                    .follow_logs(LogOptions::new())
                    .await
                    .unwrap();
                let mut seen = read(&mut first, at).await;
                let saved = serde_json::to_string(&first.cursor()).unwrap();
                drop(first);
                let cursor: LogCursor = serde_json::from_str(&saved).unwrap();
                let mut second = server.service().resume_logs(&cursor).await.unwrap();
                seen.extend(read(&mut second, log().len() - at).await);
                assert_eq!(seen, messages(&log()), "resumed after {at}");
                assert_quiet(&mut second).await;
            });
        }
    }
    runtime().block_on(async {
        let server = Server::start(|_, query| control_plane(&log(), query)).await;
        let position = r#"{"floor":0,"lines":[],"overflow":0}"#;
        let other = format!(r#"{{"version":1,"platform":"nodion","position":{position}}}"#);
        let other: LogCursor = serde_json::from_str(&other).unwrap();
        let error = server.service().resume_logs(&other).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(server.queries().is_empty());
    });
}

#[test]
fn a_followed_log_starts_with_the_newest_lines() {
    for dialect in DIALECTS {
        for tail in [0, 1, 3, 100] {
            runtime().block_on(async {
                let now = Arc::new(Mutex::new(log()));
                let held = now.clone();
                let server =
                    Server::start(move |_, query| dialect(&held.lock().unwrap(), query)).await;
                let mut stream = server
                    .service()
                    .follow_logs(LogOptions::new().tail(tail))
                    .await
                    .unwrap();
                let newest = log().len() - log().len().min(tail as usize);
                // Another line, with the time of the last ones, before the follow request.
                now.lock().unwrap().push((minute_ago() + 9, "a".to_owned()));
                let log = now.lock().unwrap().clone();
                let seen = read(&mut stream, log.len() - newest).await;
                assert_eq!(seen, messages(&log)[newest..], "the last {tail}");
                assert_quiet(&mut stream).await;
            });
        }
    }
}

#[test]
fn the_newest_of_many_lines_are_searched_in_windows() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = i64::try_from(now.unwrap().as_millis()).unwrap();
    // The last 7 are of this minute; 3000 are two hours old.
    let old = (0..3000).map(|n| (now - 7_200_000 + n, format!("old {n}")));
    let new = (0..7).map(|n| (now - 1000 + n, format!("new {n}")));
    let all: Log = old.chain(new).collect();
    for (tail, requests) in [(5, 2), (7, 2), (8, 4), (2000, 4), (9000, 4)] {
        runtime().block_on(async {
            let log = all.clone();
            let server = Server::start(move |_, query| control_plane(&log, query)).await;
            let lines = server
                .service()
                .logs(LogOptions::new().tail(tail))
                .await
                .unwrap();
            let lines: Vec<_> = lines.into_iter().map(|line| line.message).collect();
            let newest = all.len() - all.len().min(tail as usize);
            assert_eq!(lines, messages(&all)[newest..], "the last {tail}");
            assert_eq!(server.queries().len(), requests, "{:?}", server.queries());
        });
    }
}

#[test]
fn a_server_that_does_not_stream_is_polled() {
    runtime().block_on(async {
        let server = Server::start(|number, _| {
            // One more line for each request.
            let part: Vec<_> = log().iter().take(number + 1).map(line).collect();
            Answer::json("200 OK", &format!("[{}]", part.join(",")))
        })
        .await;
        let mut stream = server
            .service()
            .follow_logs(LogOptions::new())
            .await
            .unwrap();
        assert_eq!(read(&mut stream, log().len()).await, messages(&log()));
        let before = server.queries().len();
        assert_quiet(&mut stream).await;
        let requests = server.queries().len() - before;
        assert!(
            (10..200).contains(&requests),
            "{requests} requests in 100 s"
        );
    });
}

#[test]
fn undecodable_lines_are_reported_once() {
    let text = |number: usize, end: End| {
        let lines: Vec<_> = log().iter().map(line).collect();
        let text = format!(
            "{}\noops\n: ping\n\n{}\n\u{fffd}\n{{}}\n{}\n",
            lines[0], lines[1], lines[6]
        );
        Answer::lines(&text, end).cut(130 + 60 * number, End::Break)
    };
    runtime().block_on(async {
        let server = Server::start(move |number, query| {
            let follows = query.contains_key("follow");
            text(number, if follows { End::Silence } else { End::Whole })
        })
        .await;
        let mut stream = server
            .service()
            .follow_logs(LogOptions::new())
            .await
            .unwrap();
        let seen = read(&mut stream, 5).await;
        assert_eq!(seen, ["a", "! Decode", "grün ⚠", "! Decode", "c"]);
        assert_quiet(&mut stream).await;
    });
}

#[test]
fn a_bad_line_fails_only_a_call_that_returns_it() {
    let bad = log()[2].clone();
    runtime().block_on(async {
        let server = Server::start(move |_, query| {
            let answer = control_plane(&log(), query);
            // The third line has no message.
            let text = String::from_utf8(answer.body).unwrap();
            let without = line(&bad).replace("message", "msg");
            let mut lines: Vec<&str> = text.split("},").collect();
            lines[2] = without.trim_end_matches('}');
            Answer::json("200 OK", &lines.join("},"))
        })
        .await;
        let new = ClusterLogOptions::new;
        let read = async |options| {
            let lines = server.client().logs(options).await;
            lines.map(|lines| {
                lines
                    .into_iter()
                    .map(|line| line.message)
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(read(new().tail(5)).await.unwrap(), messages(&log())[3..]);
        let newest = read(new().newest_first().limit(2)).await.unwrap();
        assert_eq!(newest, ["a", "c"]);
        let tail = LogOptions::new().tail(5);
        assert_eq!(server.service().logs(tail).await.unwrap().len(), 5);
        for options in [new(), new().tail(6), new().newest_first()] {
            let error = read(options).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
        }
        let error = server.service().logs(LogOptions::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
    });
}

#[test]
fn the_newest_lines_of_a_cluster_are_exact() {
    let all: Log = (0..12_345)
        .map(|n| (minute_ago() + n / 3, format!("line {n}")))
        .collect();
    let newest = |count: usize| messages(&all)[all.len() - count..].to_vec();
    let reversed = |count| newest(count).into_iter().rev().collect::<Vec<_>>();
    let new = ClusterLogOptions::new;
    for (options, expected) in [
        (new().newest_first().limit(1), reversed(1)),
        (new().newest_first().limit(2), reversed(2)),
        (new().newest_first(), reversed(1000)),
        (new().newest_first().limit(9000), reversed(5000)),
        (new().tail(1), newest(1)),
        (new().tail(20), newest(20)),
        (new().tail(5000), newest(5000)),
    ] {
        runtime().block_on(async {
            let log = all.clone();
            let server = Server::start(move |_, query| control_plane(&log, query)).await;
            let lines = server.client().logs(options.clone()).await.unwrap();
            let lines: Vec<_> = lines.into_iter().map(|line| line.message).collect();
            assert_eq!(lines, expected, "{options:?}");
            assert_eq!(server.queries()[0]["limit"], "5000");
        });
    }
}
