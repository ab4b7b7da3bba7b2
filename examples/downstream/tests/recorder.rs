//! What is sent, to the byte, and what is done when things go wrong; no network, no time.

mod common;

use common::{config, request, run};
use deploy_from_ci::deploy;
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind};

#[tokio::test(start_paused = true)]
async fn the_requests_of_a_deployment() {
    let recorder = Recorder::new().becomes_ready();
    let edgegap = recorder.edgegap().unwrap();
    let live = deploy(&edgegap, request(&config()), &run()).await.unwrap();
    assert_eq!(live.id.as_str(), "a69f8e3e0555");
    insta::assert_snapshot!(recorder.snapshot().name_ids());
    insta::assert_json_snapshot!(recorder.snapshot().only("get_deployment").with_replies());
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_starts_no_second_server() {
    let recorder = Recorder::new();
    let edgegap = recorder.edgegap().unwrap();
    recorder.reply("create_deployment", CannedReply::reset());
    recorder.reply_example("list_deployments", "none");
    recorder.reply_example("list_deployments", "none");
    recorder.reply(
        "list_deployments",
        CannedReply::json(
            200,
            r#"{
                "data": [{ "request_id": "0a1b2c3d4e5f", "status": "READY", "tags": ["run-4711"] }],
                "has_next": false, "has_previous": false,
                "pagination": { "number": 1, "next_page_number": null, "previous_page_number": null,
                                "paginator": { "num_pages": 1 }, "has_next": false, "has_previous": false },
                "total_count": 1, "messages": []
            }"#,
        ),
    );
    let live = deploy(&edgegap, request(&config()), &run()).await.unwrap();
    assert_eq!(live.id.as_str(), "0a1b2c3d4e5f");
    recorder.assert_all_used();
    let creates = recorder.snapshot().only("create_deployment").to_string();
    assert_eq!(creates.matches("POST").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_repeated_goes_on_with_what_it_started() {
    let recorder = Recorder::strict();
    let edgegap = recorder.edgegap().unwrap();
    recorder.reply(
        "list_deployments",
        CannedReply::json(
            200,
            r#"{"data": [{"request_id": "0a1b2c3d4e5f", "status": "READY", "tags": ["run-4711"]}], "total_count": 1}"#,
        ),
    );
    recorder.reply_example("get_deployment", "ready");
    deploy(&edgegap, request(&config()), &run()).await.unwrap();
    recorder.assert_all_used();
}

#[tokio::test(start_paused = true)]
async fn what_is_of_no_use_is_stopped() {
    // No room: the platform leaves a deployment behind that costs nothing yet.
    let recorder = Recorder::new();
    recorder.reply_example("create_deployment", 422);
    let edgegap = recorder.edgegap().unwrap();
    let failed = deploy(&edgegap, request(&config()), &run())
        .await
        .unwrap_err();
    assert_eq!(failed.error.effect(), Effect::Applied);
    assert_eq!(failed.stopped.unwrap().as_str(), "a69f8e3e0555");
    assert_eq!(
        recorder.requests().last().unwrap().path,
        "/v1/stop/a69f8e3e0555"
    );

    // It does not come up, and then it cannot be stopped either.
    let recorder = Recorder::new();
    recorder.reply_example("get_deployment", "failed");
    recorder.reply_example("stop_deployment", 500);
    let edgegap = recorder.edgegap().unwrap();
    let failed = deploy(&edgegap, request(&config()), &run())
        .await
        .unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::WaitFailed);
    assert!(
        failed.to_string().contains("a69f8e3e0555 still runs"),
        "{failed}"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_looked_for_when_nothing_can_have_happened() {
    let recorder = Recorder::new();
    recorder.reply("create_deployment", CannedReply::connect_error());
    let edgegap = recorder.edgegap().unwrap();
    let failed = deploy(&edgegap, request(&config()), &run())
        .await
        .unwrap_err();
    assert_eq!(failed.error.effect(), Effect::None);
    assert_eq!(recorder.requests().len(), 2);
}
