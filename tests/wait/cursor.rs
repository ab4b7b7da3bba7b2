//! Going on in another process.

use crate::script::{Script, status};
use deploykit::watch::Phase;
use deploykit::{ErrorKind, WaitCursor};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// What another process reads.
fn written(cursor: &WaitCursor) -> WaitCursor {
    serde_json::from_str(&serde_json::to_string(cursor).unwrap()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn another_process_goes_on_with_what_is_left() {
    let script = Script::new([status("SEEKING"), status("DEPLOYING")]);
    let mut polls = script.server().wait().jitter(false).stream();
    for _ in 0..3 {
        polls.next().await.unwrap().unwrap();
    }
    let cursor = written(polls.cursor());
    drop(polls);
    assert_eq!(cursor.phase(), Some(Phase::InProgress));
    assert_eq!((cursor.used(), cursor.polls()), (seconds(5), 3));
    let text = serde_json::to_string(&cursor).unwrap();
    assert!(text.len() < 200 && !text.contains("hush"), "{text}");

    let other = Script::new([status("DEPLOYING")]);
    let wait = other.server().wait().jitter(false).deadline(seconds(30));
    let error = wait.resume(cursor).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitTimedOut);
    // 5 s are used, and the fourth interval is next.
    let asked: Vec<_> = other.asked().iter().map(|at| at.round()).collect();
    assert_eq!(asked, [0.0, 7.0, 17.0, 23.0], "{:?}", other.asked());
    let timeline = error.timeline();
    assert_eq!(
        timeline.len(),
        1,
        "no change since the cursor: {timeline:?}"
    );
    assert_eq!(timeline[0].at, seconds(2));
}

#[tokio::test(start_paused = true)]
async fn the_deadline_went_on_meanwhile_and_there_is_one_look() {
    let script = Script::new([status("SEEKING")]);
    let mut json = serde_json::to_value(script.server().wait().cursor()).unwrap();
    let hour_ago = SystemTime::now() - seconds(3600);
    let hour_ago = hour_ago.duration_since(UNIX_EPOCH).unwrap().as_millis();
    json["started_at"] = serde_json::json!(u64::try_from(hour_ago).unwrap());
    let cursor: WaitCursor = serde_json::from_value(json).unwrap();

    let error = script.server().wait().resume(cursor.clone()).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::WaitTimedOut);
    assert_eq!(script.requests(), 1, "one look");
    let ready = Script::new([status("READY")]);
    ready.server().wait().resume(cursor).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_before_has_no_grace() {
    let script = Script::new([status("SEEKING")]);
    let mut polls = script.server().wait().stream();
    polls.next().await.unwrap().unwrap();
    let cursor = written(polls.cursor());
    let vanished = Script::new([crate::script::fault(404)]);
    let error = vanished.server().wait().resume(cursor).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
    assert_eq!(vanished.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_cursor_of_something_else_is_refused() {
    let script = Script::new([status("READY")]);
    let cursor = script.client().deployment("another").wait().cursor();
    let error = script.server().wait().resume(cursor).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("another"), "{error}");

    let mut json = serde_json::to_value(script.server().wait().cursor()).unwrap();
    json["v"] = serde_json::json!(2);
    let newer: WaitCursor = serde_json::from_value(json).unwrap();
    let error = script.server().wait().resume(newer).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(script.requests(), 0);
}
