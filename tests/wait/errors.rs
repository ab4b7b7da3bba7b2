//! Errors of a wait: kind, timeline, reason and log lines.

use crate::script::{ID, Script, failure, seconds, status};
use deploykit::testing::CannedReply;
use deploykit::watch::Phase;
use deploykit::{Effect, ErrorKind};
use std::error::Error as _;
use std::time::Duration;

fn failed_status(detail: &str) -> CannedReply {
    let body = format!(
        r#"{{"request_id": "{ID}", "current_status": "Status.ERROR", "error": true, "error_detail": "{detail}"}}"#
    );
    CannedReply::json(200, body)
}

#[tokio::test(start_paused = true)]
async fn the_error_of_a_failed_deployment_has_timeline_reason_and_log() {
    let lines: String = (0..30)
        .map(|n| format!("line {n} hush-hush-token\\n"))
        .collect();
    let logs = CannedReply::json(
        200,
        format!(r#"{{"logs": "{lines}", "crash_logs": "segfault\n"}}"#),
    );
    let script = Script::new([
        status("SEEKING"),
        status("DEPLOYING"),
        failed_status("Pull image timeout exceeded for hush-hush-token"),
    ])
    .logs(logs);
    let error = script.server().wait().jitter(false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitFailed);
    assert_eq!(error.effect(), Effect::None);
    assert_eq!(error.raw_status(), Some("Status.ERROR"));
    assert_eq!(
        error.reason(),
        Some("Pull image timeout exceeded for <redacted>")
    );
    assert_eq!(error.resource_id(), Some(ID));
    let timeline: Vec<_> = error
        .timeline()
        .iter()
        .map(|seen| (seen.phase, seen.at.as_secs()))
        .collect();
    assert_eq!(
        timeline,
        [
            (Phase::Queued, 0),
            (Phase::InProgress, 2),
            (Phase::Failed, 5)
        ]
    );
    assert_eq!(error.log_tail().len(), 20);
    assert_eq!(error.log_tail()[0], "line 11 <redacted>");
    assert_eq!(error.log_tail()[19], "segfault");
    assert_eq!(
        error.to_string(),
        "edgegap deployment c0653765de3b is Status.ERROR: Pull image timeout exceeded for <redacted> \
         (3 polls in 5.0 s); c0653765de3b may still exist and cost money: stop or delete it unless you need it"
    );
    assert!(!format!("{error:?}").contains("hush"));
    assert!(!error.is_retryable());
    assert_eq!(script.requests(), 4, "three polls and one log request");
}

#[tokio::test(start_paused = true)]
async fn a_stopped_deployment_fails_the_wait() {
    for word in ["TERMINATING", "TERMINATED"] {
        let script = Script::new([status(word)]);
        let error = script.server().wait().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WaitFailed, "{word}");
        assert!(error.log_tail().is_empty(), "the log request failed");
    }
}

#[tokio::test(start_paused = true)]
async fn the_last_poll_is_sent_before_the_deadline() {
    let script = Script::new([status("SEEKING"), status("DEPLOYING")]);
    let began = tokio::time::Instant::now();
    let wait = script.server().wait().jitter(false).deadline(seconds(30));
    let error = wait.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitTimedOut);
    assert_eq!(
        script.poll_times(),
        [0.0, 2.0, 5.0, 9.5, 16.25, 26.25, 28.0]
    );
    assert!(began.elapsed() <= seconds(30));
    assert_eq!(error.raw_status(), Some("Status.DEPLOYING"));
    assert_eq!(error.effect(), Effect::None);
    assert_eq!(error.resource_id(), Some(ID));
    assert_eq!(
        error.to_string(),
        "edgegap deployment c0653765de3b was not ready within 30 s; its status is Status.DEPLOYING \
         (7 polls in 28.0 s); c0653765de3b may still exist and cost money: stop or delete it unless you need it"
    );
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_zero_allows_one_poll() {
    let script = Script::new([status("SEEKING")]);
    let wait = script.server().wait().deadline(Duration::ZERO);
    assert_eq!(wait.await.unwrap_err().kind(), ErrorKind::WaitTimedOut);
    assert_eq!(script.poll_times(), [0.0]);
    let ready = Script::new([status("READY")]);
    let wait = ready.server().wait().deadline(Duration::ZERO);
    wait.await.unwrap();
    let far = Script::new([status("SEEKING"), status("READY")]);
    far.server().wait().deadline(Duration::MAX).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_deployment_that_no_longer_exists_is_reported_as_gone() {
    let script = Script::new([status("DEPLOYING"), failure(404)]);
    let error = script.server().wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Gone);
    assert_eq!(error.resource_id(), None, "nothing is left to delete");
    assert_eq!(error.timeline().len(), 2);
    assert_eq!(error.timeline()[1].phase, Phase::Ended);
    assert_eq!(error.raw_status(), Some("Status.DEPLOYING"));
    assert!(error.source().is_some(), "the 404 is the source");
    assert_eq!(script.requests(), 2, "no log is requested");

    let script = Script::new([failure(400)]);
    let wait = script.server().wait().jitter(false).grace(seconds(3));
    let error = wait.await.unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Gone,
        "the deployment was never found"
    );
    assert!(!error.to_string().contains("may still exist"), "{error}");
    assert_eq!(script.poll_times(), [0.0, 2.0, 5.0]);
}

#[tokio::test(start_paused = true)]
async fn permanent_errors_end_the_wait_at_once() {
    for (code, kind) in [
        (401, ErrorKind::Unauthenticated),
        (403, ErrorKind::Forbidden),
        (422, ErrorKind::Rejected),
    ] {
        let script = Script::new([status("SEEKING"), failure(code)]);
        let error = script.server().wait().await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert_eq!(error.status(), Some(code));
        assert_eq!(error.resource_id(), Some(ID), "the deployment still exists");
        assert_eq!(error.timeline().len(), 1, "only the poll before the error");
        assert_eq!(script.requests(), 2);
    }
    let script = Script::new([status("READY")]);
    let error = script.client().deployment("..").wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert_eq!(script.requests(), 0);
}

#[tokio::test(start_paused = true)]
async fn too_many_transient_errors_in_a_row_end_the_wait() {
    let mut replies = vec![failure(503); 5];
    replies.push(status("SEEKING"));
    replies.extend(vec![failure(503); 5]);
    replies.push(failure(500));
    let script = Script::new(replies);
    let error = script.server().wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert_eq!(script.requests(), 12, "a success resets the count");
    assert_eq!(error.timeline().len(), 1);

    let script = Script::new([failure(503)]);
    let error = script.server().wait().max_failures(0).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(script.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_deadline_ends_the_wait_at_once() {
    let script = Script::new([failure(429).header("retry-after", "600")]);
    let began = tokio::time::Instant::now();
    let error = script.server().wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitTimedOut);
    assert_eq!(error.retry_after(), Some(seconds(600)));
    assert!(began.elapsed() < seconds(1), "{:?}", began.elapsed());
    let source = error.source().unwrap().to_string();
    assert!(source.contains("429"), "{source}");
    assert!(error.to_string().contains("was never found"), "{error}");
}

#[test]
fn a_poll_can_be_previewed() {
    let recorder = deploykit::testing::Recorder::new();
    let nexlayer = deploykit::nexlayer::Client::builder().recorder(&recorder);
    let application = nexlayer.build().unwrap().session("t-1").application("a");
    let preview = application.check_readiness().preview().unwrap();
    assert_eq!(preview.path, "/getReservations");
    assert_eq!(recorder.requests().len(), 0);
}
