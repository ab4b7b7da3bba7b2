//! The secrets of a request are in no error and in no preview.
#![cfg(all(feature = "dployr", feature = "edgegap"))]

use deploykit::dployr::{self, NewDeployment, NewWebhook};
use deploykit::edgegap::{self, User};
use deploykit::http::Method;
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Call, Effect, Error, ErrorKind};
use serde_json::json;

fn dployr(recorder: &Recorder) -> dployr::Client {
    let builder = dployr::Client::builder().base_url("https://a.example");
    builder
        .token("token-1234")
        .recorder(recorder)
        .build()
        .unwrap()
}

/// Everything that an error shows.
async fn shown<T: Send + 'static>(call: Call<T>) -> (Error, String) {
    let error = match call.await {
        Ok(_) => panic!("it was accepted"),
        Err(error) => error,
    };
    let text = format!(
        "{error} {error:?} {:?} {:?}",
        error.body_excerpt(),
        error.details()
    );
    (error, text)
}

#[tokio::test]
async fn errors_do_not_repeat_secrets() {
    let recorder = Recorder::new();
    let client = dployr(&recorder);
    let repeat = |operation: &str, words: &str| {
        let body = json!({ "error": { "message": words, "details": { words: words } } });
        recorder.reply(operation, CannedReply::json(400, body.to_string()));
    };

    // A token where an object was expected.
    for reply in [
        CannedReply::new(200, "eyJ.hush"),
        CannedReply::json(200, "\"eyJ.hush\""),
    ] {
        recorder.reply("login", reply);
        let (error, text) = shown(client.login("a@b.example", "pass-1234")).await;
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(!text.contains("hush"), "{text}");
    }

    // A failure within a success.
    let body =
        json!({ "success": false, "error": { "message": "no value hush", "details": ["hush"] } });
    recorder.reply("set_service_env", CannedReply::json(200, body.to_string()));
    let (error, text) = shown(client.service("web").env().set("A", "hush")).await;
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Rejected, Some(200))
    );
    assert!(!text.contains("hush"), "{text}");

    // A password that JSON writes with escapes.
    repeat("login", "bad password pa\"hush\"ss");
    let (_, text) = shown(client.login("a@b.example", "pa\"hush\"ss")).await;
    assert!(!text.contains("hush"), "{text}");

    // Credentials and secrets in URLs, as a whole and in part.
    for words in [
        "https://x:ghp_hush@git.example/a.git",
        "the password ghp_hush is wrong",
    ] {
        repeat("create_deployment", words);
        let new = NewDeployment::from_git("my-app", "https://x:ghp_hush@git.example/a.git");
        let (_, text) = shown(client.deployments().create(new)).await;
        assert!(!text.contains("hush"), "{text}");
    }
    repeat(
        "create_webhook",
        "no answer from https://a.example/h?key=hushhush",
    );
    let new = NewWebhook::new("https://a.example/h?key=hushhush", ["x"]);
    let (_, text) = shown(client.webhooks().create(new)).await;
    assert!(!text.contains("hush"), "{text}");

    // One secret that is the beginning of another, and what the caller added.
    repeat("create_deployment", "cannot set hush-and-hush");
    let new = NewDeployment::from_git("my-app", "https://git.example/a.git");
    let new = new.env("A", "hush").env("B", "hush-and-hush");
    let (_, text) = shown(client.deployments().create(new)).await;
    assert!(!text.contains("hush") && !text.contains("-and-"), "{text}");
    repeat("list_services", "bad header hush-header");
    let (_, text) = shown(client.services().list().header("x-key", "hush-header")).await;
    assert!(!text.contains("hush"), "{text}");
}

#[test]
fn previews_are_redacted() {
    let client = dployr(&Recorder::new());
    let body = json!({
        "tokens": ["hush"], "secret": { "a": "hush" }, "credentials": { "value": "hush" },
        "environment": [{ "key": "hush", "value": "hush" }], "hook": "https://u:hush@a.example/?q=hush",
        "name": "hush"
    });
    let call = client
        .request(Method::POST, "/v1/x")
        .json(&body)
        .query("q", "hush");
    let text = call
        .header("x-nodion-project", "hush")
        .preview()
        .unwrap()
        .to_string();
    assert!(
        !text.contains("hush") && text.contains("environment"),
        "{text}"
    );

    let new = NewDeployment::from_git("my-app", "tok:hush@git.example/a.git");
    let text = client
        .deployments()
        .create(new)
        .preview()
        .unwrap()
        .to_string();
    assert!(text.contains("\"remote\": \"<redacted>\""), "{text}");
}

#[tokio::test]
async fn effect_of_a_create_with_an_undecodable_or_refused_response() {
    let recorder = Recorder::new();
    let client = edgegap::Client::builder()
        .token("token-1234")
        .recorder(&recorder);
    let client = client.build().unwrap();
    let deploy = || {
        let user = User::ip([75, 28, 35, 192].into());
        client.deploy(edgegap::NewDeployment::new("a", "1", user))
    };
    recorder.reply(
        "create_deployment",
        CannedReply::json(202, r#"{"request_id":""}"#),
    );
    let error = deploy().await.unwrap_err();
    let found = (
        error.kind(),
        error.effect(),
        error.status(),
        error.attempts(),
    );
    assert_eq!(found, (ErrorKind::Decode, Effect::Applied, Some(202), 1));
    recorder.reply(
        "create_deployment",
        CannedReply::json(422, r#"{"message":"no"}"#),
    );
    assert_eq!(
        deploy().await.unwrap_err().effect(),
        Effect::Unknown,
        "no id, no certainty"
    );
}
