//! Canned network failures, compared with failures of real connections.

use crate::new_server;
use crate::support::{Script, Server, Step};
use deploykit::edgegap::Client;
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, Error, ErrorKind, Retry};
use std::time::Duration;
use tokio::time::Instant;

type ErrorFacts = (ErrorKind, Effect, Option<u16>);

/// Kind, effect and status of the errors of a create and a read.
async fn failures(client: &Client) -> [ErrorFacts; 2] {
    let facts = |error: Error| (error.kind(), error.effect(), error.status());
    let create = client.deploy(new_server()).await.unwrap_err();
    let read = client.deployment("a").get().await.unwrap_err();
    [facts(create), facts(read)]
}

#[tokio::test]
async fn canned_failures_cause_the_same_errors_as_real_ones() {
    const BODY: &str = r#"{"request_id":"a69f"#;
    let head =
        "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n";
    let truncated = Script::bytes(format!("{head}{BODY}"));
    let (interrupted, timeout) = (ErrorKind::Interrupted, ErrorKind::Timeout);
    for (canned, real, kind, effect, status) in [
        (
            CannedReply::reset(),
            Some(Script::always(vec![Step::ReadAll])),
            interrupted,
            Effect::Unknown,
            None,
        ),
        (
            CannedReply::json(202, BODY).truncated(),
            Some(truncated),
            interrupted,
            Effect::Unknown,
            Some(202),
        ),
        (
            CannedReply::timeout(),
            Some(Script::silence()),
            timeout,
            Effect::Unknown,
            None,
        ),
        (
            CannedReply::connect_error(),
            None,
            ErrorKind::Connect,
            Effect::None,
            None,
        ),
    ] {
        let limit = Duration::from_millis(300);
        let recorder = Recorder::new();
        recorder.reply("create_deployment", canned.clone());
        recorder.reply("get_deployment", canned);
        let client = recorder.edgegap_builder().timeout(limit).build().unwrap();
        let canned = failures(&client).await;
        let expected = [(kind, effect, status), (kind, Effect::None, status)];
        assert_eq!(canned, expected);

        let server = match real {
            Some(answer) => Some(Server::start(answer).await),
            None => None,
        };
        let refusing = "http://127.0.0.1:1".to_owned();
        let base_url = server
            .as_ref()
            .map_or(refusing, |server| server.base_url.clone());
        let builder = Client::builder().token("t").base_url(base_url);
        let client = builder.retry(Retry::off()).timeout(limit).build().unwrap();
        assert_eq!(failures(&client).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn delays_use_the_tokio_clock() {
    let recorder = Recorder::new();
    let edgegap = recorder.edgegap().unwrap();
    let start = Instant::now();
    let late = CannedReply::json(202, r#"{"request_id":"a"}"#).delay(Duration::from_secs(29));
    recorder.reply("create_deployment", late.clone());
    edgegap.deploy(new_server()).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 29);
    recorder.reply("create_deployment", late.delay(Duration::from_secs(31)));
    recorder.reply("create_deployment", CannedReply::timeout());
    for seconds in [59, 89] {
        let error = edgegap.deploy(new_server()).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Timeout, Effect::Unknown)
        );
        assert_eq!(start.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_of_a_retry_is_recorded() {
    let recorder = Recorder::new();
    let builder = recorder.edgegap_builder().retry(Retry::default());
    let edgegap = builder.build().unwrap();
    recorder.reply("create_deployment", CannedReply::connect_error());
    let response = edgegap.deploy(new_server()).with_response().await.unwrap();
    assert_eq!(response.attempts, 2);
    let [first, second] = &recorder.requests()[..] else {
        panic!("{recorder}");
    };
    assert_eq!(first, second);
}
