//! What a snapshot hides.

use deploykit::http::Method;
use deploykit::testing::{CannedReply, Recorder};

#[tokio::test]
async fn a_credential_of_four_characters_is_in_no_text() {
    let recorder = Recorder::new();
    let dployr = recorder.dployr_builder().token("hush").build().unwrap();
    recorder.reply("", CannedReply::json(200, r#"{"note":"it is hush!"}"#));
    let call = || dployr.request(Method::GET, "/v1/whoami");
    call().await.unwrap();
    recorder.reply("", CannedReply::new(200, "\"it is hush!\nand hush\""));
    let _ = call().await;
    let text = recorder.snapshot().with_replies().to_string();
    assert!(!text.contains("hush"), "{text}");
    assert!(text.contains("it is <token>!"), "{text}");
}

#[tokio::test]
async fn an_id_is_numbered_around_what_is_there() {
    let recorder = Recorder::new();
    recorder.reply(
        "list_services",
        CannedReply::json(200, r#"[{"id":"web-1","name":"<id-1>"}]"#),
    );
    let dployr = recorder.dployr().unwrap();
    dployr.services().list().await.unwrap();
    dployr.service("web-1").get().await.unwrap();
    let text = recorder
        .snapshot()
        .name_ids()
        .with_replies()
        .only("list_services")
        .to_string();
    assert!(text.contains(r#""id": "<id-2>""#), "{text}");
    assert!(text.contains(r#""name": "<id-1>""#), "{text}");
}
