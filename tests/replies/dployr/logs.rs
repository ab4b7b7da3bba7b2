//! Logs that are read whole.

use super::{TOKEN, answered, given};
use crate::assert_failure;
use deploykit::dployr::Client;
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind};
use serde_json::json;

#[tokio::test]
async fn logs_in_every_form_cut_to_the_last_lines() {
    let line = |text: &str| json!({ "message": text, "timestamp": 1, "level": "info" });
    let three = json!([line("a"), line("b"), line("c")]);
    let ndjson = format!("{}\n\n: ping\n{}\r\n{}", line("a"), line("b"), line("c"));
    for body in [
        three.to_string(),
        ndjson.clone(),
        json!({ "success": true, "data": three }).to_string(),
        json!({ "success": true, "data": { "logs": three } }).to_string(),
        json!({ "items": three }).to_string(),
    ] {
        let messages = |lines: Vec<deploykit::dployr::LogLine>| -> String {
            lines.into_iter().map(|line| line.message).collect()
        };
        let service = given(&body).service("s");
        assert_eq!(messages(service.logs(None).await.unwrap()), "abc", "{body}");
        assert_eq!(
            messages(service.logs(Some(2)).await.unwrap()),
            "bc",
            "{body}"
        );
        assert_eq!(
            messages(service.logs(Some(9)).await.unwrap()),
            "abc",
            "{body}"
        );
    }
    assert_eq!(
        given(line("a"))
            .service("s")
            .logs(None)
            .await
            .unwrap()
            .len(),
        1
    );
    for empty in ["", "\n", "[]", "null"] {
        assert!(
            given(empty)
                .service("s")
                .logs(Some(1))
                .await
                .unwrap()
                .is_empty()
        );
    }

    for (body, words) in [
        (
            json!([line("a"), { "message": ["hush"] }]).to_string(),
            "record 2 of the logs does not fit at $.message: found sequence",
        ),
        (
            json!({ "success": true, "data": "hush" }).to_string(),
            "at $: found string",
        ),
        (
            format!("{}\nhush\n", line("a")),
            "line 2 of the logs is not JSON",
        ),
        (
            format!("{}\n{{\"hush\":1}}", line("a")),
            "line 2 of the logs does not fit at $: missing field `message`",
        ),
        ("<html>hush".to_owned(), "line 1 of the logs is not JSON"),
        ("\"hush\"".to_owned(), "at $: found string"),
    ] {
        let error = given(&body).service("s").logs(None).await.unwrap_err();
        assert_failure(&error, ErrorKind::Decode, Effect::None);
        assert_eq!((error.status(), error.attempts()), (Some(200), 1));
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error:?}").contains("\"hush\""), "{error:?}");
    }
}

#[tokio::test]
async fn a_server_without_logs() {
    let body = json!({ "success": false, "error": { "message": "Centralized logs are not available on this server", "code": "LOGS_NOT_AVAILABLE" } });
    let service = answered(501, body).service("s");
    for error in [
        service.logs(None).await.unwrap_err(),
        service.follow_logs().await.unwrap_err(),
    ] {
        assert_failure(&error, ErrorKind::Unsupported, Effect::None);
        assert_eq!(error.code(), Some("LOGS_NOT_AVAILABLE"));
    }
}

#[tokio::test]
async fn logs_that_are_read_whole_are_bounded() {
    let recorder = Recorder::new();
    recorder.answer_with(|_| CannedReply::json(200, format!("[{}]", " ".repeat(2000))));
    let builder = Client::builder()
        .base_url("https://dployr.example")
        .token(TOKEN);
    let client = builder
        .max_reply_bytes(1000)
        .recorder(&recorder)
        .build()
        .unwrap();
    let error = client.service("s").logs(None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(
        error.to_string().contains("larger than 1000 bytes"),
        "{error}"
    );
}
