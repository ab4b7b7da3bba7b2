//! Tests with a recorder: the exact requests and the handling of failures, without network or waiting.

use crate::{RUN_ID, config, request};
use deploy_from_ci::{Failed, Live, deploy};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind};

async fn deploy_to(recorder: &Recorder) -> Result<Live, Failed> {
    deploy(&recorder.edgegap().unwrap(), RUN_ID, request(&config())).await
}

/// A response of the platform, stored in a file.
fn listed() -> CannedReply {
    CannedReply::json(200, include_str!("replies/listed.json"))
}

#[tokio::test(start_paused = true)]
async fn requests_of_a_deployment() {
    let recorder = Recorder::new();
    recorder.reply_example("get_deployment", "seeking");
    deploy_to(&recorder).await.unwrap();
    // The platform assigns the ids, and the tag changes with each run.
    insta::with_settings!({filters => vec![("/[0-9a-f]{12}", "/[id]"), (r"run-\d+", "[run]")]}, {
        insta::assert_snapshot!(recorder);
    });
    let create = recorder.requests().remove(1);
    insta::assert_yaml_snapshot!(create, { ".body.tags[1]" => "[run]" });
}

#[tokio::test(start_paused = true)]
async fn lost_reply_starts_no_second_server() {
    let recorder = Recorder::new();
    recorder.reply("create_deployment", CannedReply::reset());
    recorder.reply_example("list_deployments", "none");
    recorder.reply_example("list_deployments", "none");
    recorder.reply("list_deployments", listed());
    let live = deploy_to(&recorder).await.unwrap();
    assert_eq!(live.id.as_str(), "0a1b2c3d4e5f");
    recorder.assert_all_used();
    let requests = recorder.requests();
    let creates = requests.iter().filter(|request| request.method == "POST");
    assert_eq!(creates.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn repeated_run_continues_with_its_server() {
    let recorder = Recorder::strict();
    recorder.reply("list_deployments", listed());
    recorder.reply_example("get_deployment", "ready");
    deploy_to(&recorder).await.unwrap();
    recorder.assert_all_used();
}

#[tokio::test(start_paused = true)]
async fn unusable_server_is_stopped() {
    // No capacity: the platform keeps a record of the deployment.
    let recorder = Recorder::new();
    recorder.reply_example("create_deployment", 422);
    let failed = deploy_to(&recorder).await.unwrap_err();
    assert_eq!(failed.error.effect(), Effect::None);
    assert_eq!(failed.stopped.unwrap().as_str(), "a69f8e3e0555");
    let last = recorder.requests().pop().unwrap();
    assert_eq!(last.path, "/v1/stop/a69f8e3e0555");

    // The server fails to start, and the stop fails too.
    let recorder = Recorder::new();
    recorder.reply_example("get_deployment", "failed");
    recorder.reply_example("stop_deployment", 500);
    let failed = deploy_to(&recorder).await.unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::WaitFailed);
    let text = failed.to_string();
    assert!(text.contains("a69f8e3e0555 still runs"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn no_lookup_after_a_refused_connection() {
    let recorder = Recorder::new();
    recorder.reply("create_deployment", CannedReply::connect_error());
    let failed = deploy_to(&recorder).await.unwrap_err();
    assert_eq!(failed.error.effect(), Effect::None);
    assert_eq!(recorder.requests().len(), 2);
}
