//! Logs that are read as a whole.

use super::{TOKEN, client_with_body, client_with_reply};
use crate::{assert_failure, json_reply};
use deploykit::dployr::{Client, LogOptions};
use deploykit::testing::Recorder;
use deploykit::{Effect, ErrorKind};
use serde_json::json;
use std::time::{Duration, UNIX_EPOCH};

#[tokio::test]
async fn every_form_of_logs_is_read_and_cut_to_the_tail() {
    let line = |text: &str| json!({ "message": text, "timestamp": 1, "level": "info" });
    let three = json!([line("a"), line("b"), line("c")]);
    let ndjson = format!("{}\n\n: ping\n{}\r\n{}", line("a"), line("b"), line("c"));
    for body in [three.to_string(), ndjson] {
        let service = client_with_body(&body).service("s");
        let all = LogOptions::new;
        for (options, expected) in [
            (all(), "abc"),
            (all().tail(2), "bc"),
            (all().tail(9), "abc"),
        ] {
            let lines = service.logs(options).await.unwrap();
            let messages: String = lines.into_iter().map(|line| line.message).collect();
            assert_eq!(messages, expected, "{body}");
        }
    }
    for empty in ["", "\n", "[]", "null"] {
        let lines = client_with_body(empty)
            .service("s")
            .logs(LogOptions::new().tail(1))
            .await;
        assert!(lines.unwrap().is_empty(), "{empty}");
    }

    for (body, words) in [
        (
            json!([line("a"), { "message": ["hush"] }]).to_string(),
            "cannot decode record 2 of the logs at $.message: found sequence",
        ),
        (
            json!({ "success": true, "data": "hush" }).to_string(),
            "at $: missing field `message`",
        ),
        (
            format!("{}\nhush\n", line("a")),
            "line 2 of the logs is not JSON",
        ),
        (
            format!("{}\n{{\"hush\":1}}", line("a")),
            "cannot decode line 2 of the logs at $: missing field `message`",
        ),
        ("<html>hush".to_owned(), "line 1 of the logs is not JSON"),
        ("\"hush\"".to_owned(), "at $: found string"),
    ] {
        let error = client_with_body(&body)
            .service("s")
            .logs(LogOptions::new())
            .await
            .unwrap_err();
        assert_failure(&error, ErrorKind::Decode, Effect::None);
        assert_eq!((error.status(), error.attempts()), (Some(200), 1));
        assert!(error.to_string().contains(words), "{error}");
        assert!(!format!("{error:?}").contains("\"hush\""), "{error:?}");
    }
}

#[tokio::test]
async fn since_drops_older_lines_if_the_server_ignores_it() {
    let line = |text: &str, at: i64| json!({ "message": text, "timestamp": at });
    let at = 1_795_487_019_000;
    let body = json!([line("a", at - 1), line("b", at), line("c", at + 1), { "message": "d" }]);
    let since = || LogOptions::new().since(UNIX_EPOCH + Duration::from_secs(1_795_487_019));
    for (options, expected) in [
        (since(), "bcd"),
        (since().tail(2), "cd"),
        (since().tail(9), "bcd"),
    ] {
        let lines = client_with_body(&body)
            .service("s")
            .logs(options)
            .await
            .unwrap();
        let messages: String = lines.into_iter().map(|line| line.message).collect();
        assert_eq!(messages, expected);
    }
}

#[tokio::test]
async fn a_server_without_a_log_store_is_unsupported() {
    let body = json!({ "success": false, "error": { "message": "Centralized logs are not available on this server", "code": "LOGS_NOT_AVAILABLE" } });
    let service = client_with_reply(501, body).service("s");
    for error in [
        service.logs(LogOptions::new()).await.unwrap_err(),
        service.follow_logs(LogOptions::new()).await.unwrap_err(),
    ] {
        assert_failure(&error, ErrorKind::Unsupported, Effect::None);
        assert_eq!(error.code(), Some("LOGS_NOT_AVAILABLE"));
    }
}

#[tokio::test]
async fn logs_are_limited_by_max_reply_bytes() {
    let recorder = Recorder::new();
    recorder.answer_with(|_| json_reply(200, format!("[{}]", " ".repeat(2000))));
    let builder = Client::builder().base_url("https://dployr.example");
    let builder = builder.token(TOKEN).max_reply_bytes(1000);
    let client = builder.recorder(&recorder).build().unwrap();
    let error = client
        .service("s")
        .logs(LogOptions::new())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("larger than 1000 bytes"),
        "{error}"
    );
}
