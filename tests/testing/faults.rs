//! A failure that a recorder plays is the one that the network makes.

use crate::server;
use crate::support::{Script, Server};
use deploykit::edgegap::{Accepted, Client};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, Error, ErrorKind, Retry};
use std::time::Duration;
use tokio::time::Instant;

const BODY: &str = r#"{"request_id":"a69f"#;

/// The create and a read, played and real.
async fn both(reply: CannedReply, real: Script) -> [(Facts, Facts); 2] {
    let server = Server::start(real).await;
    let at = |url: &str| {
        Client::builder()
            .token("t")
            .base_url(url)
            .retry(Retry::off())
    };
    let limit = Duration::from_millis(300);
    let real = at(&server.base_url).timeout(limit).build().unwrap();
    let recorder = Recorder::new();
    let played = recorder.edgegap_builder().timeout(limit).build().unwrap();
    recorder.reply("create_deployment", reply.clone());
    recorder.reply("get_deployment", reply);
    let create = (deploy(&played).await, deploy(&real).await);
    let read = (status(&played).await, status(&real).await);
    [create, read].map(|(played, real)| (facts(played), facts(real)))
}

async fn deploy(client: &Client) -> Error {
    let accepted: Result<Accepted, Error> = client.deploy(server()).await;
    accepted.unwrap_err()
}

async fn status(client: &Client) -> Error {
    client.deployment("a").status().await.unwrap_err()
}

type Facts = (ErrorKind, Effect, Option<u16>);

fn facts(error: Error) -> Facts {
    (error.kind(), error.effect(), error.status())
}

#[tokio::test]
async fn a_broken_connection() {
    let [create, read] = both(CannedReply::reset(), Script::close()).await;
    assert_eq!(create.0, create.1);
    assert_eq!(create.0, (ErrorKind::Interrupted, Effect::Unknown, None));
    assert_eq!(read.0, read.1);
    assert_eq!(read.0.1, Effect::None);
}

#[tokio::test]
async fn a_broken_reply() {
    let real = format!(
        "HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{BODY}"
    );
    let played = CannedReply::json(202, BODY).truncated();
    let [create, read] = both(played, Script::bytes(real)).await;
    assert_eq!(create.0, create.1);
    assert_eq!(
        create.0,
        (ErrorKind::Interrupted, Effect::Unknown, Some(202))
    );
    assert_eq!(read.0, read.1);
}

#[tokio::test]
async fn no_answer() {
    let [create, read] = both(CannedReply::timeout(), Script::silence()).await;
    assert_eq!(create.0, create.1);
    assert_eq!(create.0, (ErrorKind::Timeout, Effect::Unknown, None));
    assert_eq!(read.0, read.1);
}

#[tokio::test]
async fn no_connection() {
    let recorder = Recorder::new();
    recorder.reply("create_deployment", CannedReply::connect_error());
    let played = deploy(&recorder.edgegap().unwrap()).await;
    let nobody = Client::builder().token("t").base_url("http://127.0.0.1:1");
    let real = deploy(&nobody.retry(Retry::off()).build().unwrap()).await;
    assert_eq!(facts(played), facts(real));
}

#[tokio::test(start_paused = true)]
async fn time_is_that_of_tokio() {
    let recorder = Recorder::new();
    let edgegap = recorder.edgegap().unwrap();
    let start = Instant::now();
    let late = CannedReply::json(202, r#"{"request_id":"a"}"#).delay(Duration::from_secs(29));
    recorder.reply("create_deployment", late.clone());
    edgegap.deploy(server()).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 29);
    recorder.reply("create_deployment", late.delay(Duration::from_secs(31)));
    assert_eq!(deploy(&edgegap).await.kind(), ErrorKind::Timeout);
    recorder.reply("create_deployment", CannedReply::timeout());
    assert_eq!(deploy(&edgegap).await.effect(), Effect::Unknown);
    assert_eq!(start.elapsed().as_secs(), 89);
}

#[tokio::test(start_paused = true)]
async fn retries_may_be_switched_on() {
    let recorder = Recorder::new();
    let edgegap = recorder
        .edgegap_builder()
        .retry(Retry::default())
        .build()
        .unwrap();
    recorder.reply("create_deployment", CannedReply::connect_error());
    let again = edgegap.deploy(server()).with_response().await.unwrap();
    assert_eq!(again.attempts, 2);
    // Each attempt is a request of its own.
    let text = recorder.snapshot().with_replies().to_string();
    let requests: Vec<_> = text.split("\n\n---\n\n").collect();
    assert_eq!(requests.len(), 2, "{text}");
    assert!(requests[0].ends_with("=> no connection"), "{text}");
    assert!(requests[1].contains("=> 202"), "{text}");
}
