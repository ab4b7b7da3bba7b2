//! Polls of a wait: schedule, progress, targets, cancellation.

use crate::script::{Script, failure, seconds, status};
use deploykit::edgegap::Deployment;
use deploykit::testing::CannedReply;
use deploykit::watch::Phase;
use deploykit::{
    ErrorKind,
    watch::{Progress, Wait},
};
use std::iter::repeat_n;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn polls_follow_the_schedule_until_the_deployment_is_ready() {
    type Change = fn(Wait<Deployment>) -> Wait<Deployment>;
    let unchanged: Change = |wait| wait;
    let seven = repeat_n(status("DEPLOYING"), 7).collect::<Vec<_>>();
    let html = CannedReply::new(200, "<html>busy</html>");
    let later = failure(429).header("retry-after", "25");
    let cases: [(&str, Change, Vec<CannedReply>, &[f64]); 7] = [
        ("ready at the first poll", unchanged, vec![], &[0.0]),
        (
            "intervals grow by half up to the longest interval",
            unchanged,
            seven,
            &[0.0, 2.0, 5.0, 9.5, 16.25, 26.25, 36.25, 46.25],
        ),
        (
            "the shortest interval is 100 ms",
            |wait| wait.interval(Duration::ZERO, Duration::ZERO),
            vec![status("SEEKING"), status("SEEKING")],
            &[0.0, 0.1, 0.2],
        ),
        (
            "a transient error is followed by the next poll, without a retry",
            unchanged,
            vec![failure(503), failure(500), failure(429)],
            &[0.0, 2.0, 5.0, 9.5],
        ),
        (
            "an HTML page is transient",
            unchanged,
            vec![html],
            &[0.0, 2.0],
        ),
        (
            "Retry-After delays the next poll",
            unchanged,
            vec![status("SEEKING"), later],
            &[0.0, 2.0, 27.0],
        ),
        (
            "a new deployment may not be found yet",
            unchanged,
            vec![failure(400), failure(400)],
            &[0.0, 2.0, 5.0],
        ),
    ];
    for (case, change, mut replies, times) in cases {
        replies.push(status("READY"));
        let script = Script::new(replies);
        let ready = change(script.server().wait().jitter(false)).await.unwrap();
        assert!(ready.is_ready(), "{case}");
        assert_eq!(script.poll_times(), times, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn jitter_shortens_intervals_by_up_to_half() {
    let script = Script::new([status("SEEKING")]);
    let wait = script.server().wait().interval(seconds(10), seconds(10));
    wait.deadline(seconds(3000)).await.unwrap_err();
    let times = script.poll_times();
    let mut steps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    steps.pop();
    let shortest = steps.iter().copied().fold(f64::MAX, f64::min);
    let longest = steps.iter().copied().fold(0.0, f64::max);
    assert!(steps.len() > 290, "{}", steps.len());
    assert!((5.0..5.2).contains(&shortest), "{shortest}");
    assert!((9.8..=10.01).contains(&longest), "{longest}");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_status_counts_as_in_progress() {
    let polls = repeat_n(status("WARMING"), 15);
    let script = Script::new(polls.chain([status("READY")]));
    let wait = script.server().wait().jitter(false);
    let ready = wait.deadline(seconds(600)).await.unwrap();
    assert!(ready.is_ready());
    assert_eq!(script.requests(), 16);
}

#[tokio::test(start_paused = true)]
async fn every_poll_and_every_change_is_reported_once() {
    let script = Script::new([
        status("SEEKING"),
        status("SEEKING"),
        status("DEPLOYING"),
        failure(502),
        status("DEPLOYING"),
        status("READY"),
    ]);
    let polls: Arc<Mutex<Vec<Progress>>> = Arc::default();
    let changes: Arc<Mutex<Vec<String>>> = Arc::default();
    let (all, changed) = (polls.clone(), changes.clone());
    let wait = script.server().wait().jitter(false);
    let wait = wait.on_progress(move |seen| all.lock().unwrap().push(seen.clone()));
    let wait = wait.on_change(move |seen| changed.lock().unwrap().push(seen.raw_status.clone()));
    wait.await.unwrap();
    let polls = polls.lock().unwrap();
    let seen = polls.iter().map(|seen| {
        let elapsed = seen.elapsed.as_millis() / 10;
        (
            seen.polls,
            elapsed,
            seen.phase,
            seen.changed,
            seen.failures,
            seen.error,
        )
    });
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [
            (1, 0, Phase::Queued, true, 0, None),
            (2, 200, Phase::Queued, false, 0, None),
            (3, 500, Phase::InProgress, true, 0, None),
            (
                4,
                950,
                Phase::InProgress,
                false,
                1,
                Some(ErrorKind::Unavailable)
            ),
            (5, 1625, Phase::InProgress, false, 0, None),
            (6, 2625, Phase::Ready, true, 0, None),
        ]
    );
    let changes = changes.lock().unwrap();
    assert_eq!(
        *changes,
        ["Status.SEEKING", "Status.DEPLOYING", "Status.READY"]
    );
}

#[tokio::test(start_paused = true)]
async fn until_gone_waits_until_the_deployment_has_stopped() {
    let script = Script::new([status("READY"), status("TERMINATING"), status("TERMINATED")]);
    let wait = script.server().wait().jitter(false).until_gone();
    let left = wait.await.unwrap().unwrap();
    assert!(left.is_over());
    assert_eq!(script.poll_times(), [0.0, 2.0, 5.0]);

    let script = Script::new([status("TERMINATING"), failure(404)]);
    let left = script.server().wait().until_gone().await.unwrap();
    assert_eq!(left, None);
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn until_waits_for_another_phase() {
    let script = Script::new([status("SEEKING"), status("DEPLOYING")]);
    let wait = script.server().wait().until(Phase::InProgress);
    let seen = wait.await.unwrap();
    assert_eq!(seen.current_status.as_str(), "Status.DEPLOYING");
    let error = script.server().wait().until(Phase::Unknown);
    assert_eq!(error.await.unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_wait_stops_polling() {
    let script = Script::new([status("SEEKING")]);
    let wait = script.server().wait().jitter(false).into_future();
    let cut = tokio::time::timeout(seconds(6), wait).await;
    assert!(cut.is_err());
    assert_eq!(script.poll_times(), [0.0, 2.0, 5.0]);
    tokio::time::sleep(seconds(3600)).await;
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn concurrent_waits_share_the_rate_limit() {
    // 20 status calls a second per organisation.
    let script = Script::new([status("READY")]);
    let client = script.paced_client();
    let waits: Vec<_> = (0..60)
        .map(|n| tokio::spawn(client.deployment(format!("d{n}")).wait().into_future()))
        .collect();
    for wait in waits {
        wait.await.unwrap().unwrap();
    }
    let times = script.poll_times();
    assert_eq!(times.len(), 60);
    for (index, at) in times.iter().enumerate() {
        let window = times[index..].iter().take_while(|later| **later < at + 1.0);
        assert!(window.count() <= 20, "{times:?}");
    }
}
