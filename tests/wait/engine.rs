//! When the platform is asked, and what is told meanwhile.

use crate::script::{Script, fault, status};
use deploykit::watch::Phase;
use deploykit::{ErrorKind, Progress};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[tokio::test(start_paused = true)]
async fn ready_at_once_is_one_request() {
    let script = Script::new([status("READY")]);
    let ready = script.server().wait().await.unwrap();
    assert!(ready.is_ready());
    assert_eq!(script.asked(), [0.0]);
}

#[tokio::test(start_paused = true)]
async fn intervals_grow_by_half_up_to_the_longest() {
    let script = Script::new(std::iter::repeat_n(status("DEPLOYING"), 7).chain([status("READY")]));
    script.server().wait().jitter(false).await.unwrap();
    assert_eq!(
        script.asked(),
        [0.0, 2.0, 5.0, 9.5, 16.25, 26.25, 36.25, 46.25]
    );
}

#[tokio::test(start_paused = true)]
async fn jitter_takes_up_to_half_of_an_interval() {
    let script = Script::new([status("SEEKING")]);
    let wait = script.server().wait().interval(seconds(10), seconds(10));
    wait.deadline(seconds(3000)).await.unwrap_err();
    let asked = script.asked();
    let steps: Vec<_> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let steps = &steps[..steps.len() - 1];
    let (least, most) = steps
        .iter()
        .fold((f64::MAX, 0.0_f64), |(least, most), step| {
            (least.min(*step), most.max(*step))
        });
    assert!(steps.len() > 290, "{}", steps.len());
    assert!((5.0..5.2).contains(&least), "{least}");
    assert!((9.8..=10.01).contains(&most), "{most}");
}

#[tokio::test(start_paused = true)]
async fn an_interval_of_nothing_is_a_tenth_of_a_second() {
    let script = Script::new([status("SEEKING"), status("SEEKING"), status("READY")]);
    let wait = script.server().wait().jitter(false);
    let wait = wait.interval(Duration::ZERO, Duration::ZERO);
    wait.await.unwrap();
    assert_eq!(script.asked(), [0.0, 0.1, 0.2]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_status_is_still_under_way() {
    let polls = std::iter::repeat_n(status("WARMING"), 15);
    let script = Script::new(polls.chain([status("READY")]));
    let wait = script.server().wait().jitter(false);
    let ready = wait.deadline(seconds(600)).await.unwrap();
    assert!(ready.is_ready());
    assert_eq!(script.requests(), 16);
}

#[tokio::test(start_paused = true)]
async fn every_poll_is_told_once_and_every_change_once() {
    let script = Script::new([
        status("SEEKING"),
        status("SEEKING"),
        status("DEPLOYING"),
        fault(502),
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
    let seen: Vec<_> = polls
        .iter()
        .map(|seen| {
            (
                seen.polls,
                seen.phase,
                seen.changed,
                seen.faults,
                seen.fault,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (1, Phase::Queued, true, 0, None),
            (2, Phase::Queued, false, 0, None),
            (3, Phase::InProgress, true, 0, None),
            (4, Phase::InProgress, false, 1, Some(ErrorKind::Unavailable)),
            (5, Phase::InProgress, false, 0, None),
            (6, Phase::Ready, true, 0, None),
        ]
    );
    let changes = changes.lock().unwrap();
    assert_eq!(
        *changes,
        ["Status.SEEKING", "Status.DEPLOYING", "Status.READY"]
    );
    let times: Vec<_> = polls
        .iter()
        .map(|seen| seen.elapsed.as_millis() / 10)
        .collect();
    assert_eq!(times, [0, 200, 500, 950, 1625, 2625]);
}

#[tokio::test(start_paused = true)]
async fn passing_faults_are_survived_and_each_is_one_request() {
    let script = Script::new([fault(503), fault(500), fault(429), status("READY")]);
    script.server().wait().jitter(false).await.unwrap();
    assert_eq!(script.asked(), [0.0, 2.0, 5.0, 9.5]);
}

#[tokio::test(start_paused = true)]
async fn a_page_in_the_place_of_a_reply_passes() {
    let page = deploykit::testing::CannedReply::new(200, "<html>busy</html>");
    let script = Script::new([page, status("READY")]);
    script.server().wait().await.unwrap();
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_the_platform_asks_to_wait_is_waited() {
    let asks = fault(429).header("retry-after", "25");
    let script = Script::new([status("SEEKING"), asks, status("READY")]);
    script.server().wait().jitter(false).await.unwrap();
    assert_eq!(script.asked(), [0.0, 2.0, 27.0]);
}

#[tokio::test(start_paused = true)]
async fn what_was_just_made_may_be_missing_for_a_moment() {
    let unknown = fault(400);
    let script = Script::new([unknown.clone(), unknown.clone(), status("READY")]);
    script.server().wait().jitter(false).await.unwrap();
    assert_eq!(script.asked(), [0.0, 2.0, 5.0]);

    let script = Script::new([unknown]);
    let wait = script.server().wait().jitter(false).grace(seconds(3));
    let error = wait.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
    assert_eq!(script.asked(), [0.0, 2.0, 5.0]);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_stop() {
    let script = Script::new([status("READY"), status("TERMINATING"), status("TERMINATED")]);
    let wait = script.server().wait().jitter(false).until_gone();
    let left = wait.await.unwrap().unwrap();
    assert!(left.is_over());
    assert_eq!(script.asked(), [0.0, 2.0, 5.0]);

    let script = Script::new([status("TERMINATING"), fault(404)]);
    let left = script.server().wait().until_gone().await.unwrap();
    assert_eq!(left, None);
    assert_eq!(script.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn another_phase_can_be_waited_for() {
    let script = Script::new([status("SEEKING"), status("DEPLOYING")]);
    let wait = script.server().wait().until(Phase::InProgress);
    let seen = wait.await.unwrap();
    assert_eq!(seen.current_status.as_str(), "Status.DEPLOYING");
    let error = script.server().wait().until(Phase::Unknown);
    assert_eq!(error.await.unwrap_err().kind(), ErrorKind::InvalidRequest);
}

#[tokio::test(start_paused = true)]
async fn dropped_it_asks_no_more() {
    let script = Script::new([status("SEEKING")]);
    let wait = script.server().wait().jitter(false).into_future();
    let cut = tokio::time::timeout(seconds(6), wait).await;
    assert!(cut.is_err());
    assert_eq!(script.asked(), [0.0, 2.0, 5.0]);
    tokio::time::sleep(seconds(3600)).await;
    assert_eq!(script.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_stream_asks_when_it_is_asked() {
    let script = Script::new([status("SEEKING"), fault(503), status("READY")]);
    let mut polls = script.server().wait().jitter(false).stream();
    assert_eq!(script.requests(), 0);
    let first = polls.next().await.unwrap().unwrap();
    assert_eq!((first.phase, script.requests()), (Phase::Queued, 1));
    // Dropping `next` loses nothing: the time goes on.
    let began = Instant::now();
    assert!(
        tokio::time::timeout(seconds(1), polls.next())
            .await
            .is_err()
    );
    let second = polls.next().await.unwrap().unwrap();
    assert_eq!(second.fault, Some(ErrorKind::Unavailable));
    assert_eq!(began.elapsed(), seconds(2));
    let third = polls.next().await.unwrap().unwrap();
    assert_eq!(third.phase, Phase::Ready);
    assert!(polls.next().await.is_none());
    assert!(polls.next().await.is_none());
    assert!(polls.into_value().unwrap().is_ready());
}

#[tokio::test(start_paused = true)]
async fn many_waits_keep_to_the_pace_together() {
    // 20 status calls a second for all of an organisation.
    let script = Script::new([status("READY")]);
    let client = script.paced_client();
    let waits: Vec<_> = (0..60)
        .map(|n| {
            let wait = client.deployment(format!("d{n}")).wait();
            tokio::spawn(wait.into_future())
        })
        .collect();
    for wait in waits {
        wait.await.unwrap().unwrap();
    }
    let asked = script.asked();
    assert_eq!(asked.len(), 60);
    for (index, at) in asked.iter().enumerate() {
        let window = asked[index..].iter().take_while(|later| **later < at + 1.0);
        assert!(window.count() <= 20, "{asked:?}");
    }
}
