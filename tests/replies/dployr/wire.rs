//! Requests and replies over a real connection.

use super::{OWN, TOKEN};
use crate::assert_failure;
use crate::support::{Script, Server, Step, chunks};
use deploykit::dployr::{Client, LogOptions, NewDeployment, ServiceType};
use deploykit::{Effect, ErrorKind};
use std::time::Duration;

fn client(server: &Server) -> Client {
    let builder = Client::builder().base_url(&server.base_url).token(TOKEN);
    builder.cluster(OWN).build().unwrap()
}

async fn json_server(body: &str) -> Server {
    Server::replies("200 OK", &["content-type: application/json"], body).await
}

#[tokio::test]
async fn redacted_values_are_sent() {
    let server = json_server("{\"taskId\":\"t\"}").await;
    let new = NewDeployment::from_git("my-app", "https://x:in-the-url@git.example/a.git")
        .kind(ServiceType::Web)
        .env("A", "in-env")
        .secret("B", "in-secrets");
    client(&server).deploy(new).await.unwrap();
    let sent = server.requests().remove(0);
    for part in [
        "POST /v1/deployments?clusterId=01M85NWTN0TJ4JW1JXEKRNC9Z2 HTTP/1.1\r\n",
        "authorization: Bearer dpat_5d1f\r\n",
        "\"remote\":\"https://x:in-the-url@git.example/a.git\"",
        "\"remoteUrl\":\"https://x:in-the-url@git.example/a.git\"",
        "\"env\":{\"A\":\"in-env\"}",
        "\"envVars\":{\"A\":\"in-env\"}",
        "\"secrets\":{\"B\":\"in-secrets\"}",
    ] {
        assert!(sent.contains(part), "{part} is not in {sent}");
    }
}

#[tokio::test]
async fn a_login_sends_no_token_and_returns_one() {
    let server = json_server("{\"access_token\":\"fresh\"}").await;
    let client = client(&server);
    let tokens = client
        .login("user@example.com", "the-password")
        .await
        .unwrap();
    let fresh = client.with_token(tokens.access_token).unwrap();
    fresh.service("s").start().await.unwrap();
    let sent = server.requests();
    assert!(!sent[0].contains("authorization"), "{}", sent[0]);
    assert!(
        sent[0].contains("\"password\":\"the-password\""),
        "{}",
        sent[0]
    );
    assert!(
        sent[1].contains("authorization: Bearer fresh\r\n"),
        "{}",
        sent[1]
    );
}

#[tokio::test]
async fn a_delete_has_the_cluster_in_the_body() {
    let server = json_server("{\"success\":true,\"data\":{}}").await;
    client(&server).deployment("d").delete().await.unwrap();
    let sent = server.requests().remove(0);
    assert!(
        sent.starts_with("DELETE /v1/deployments/d?clusterId="),
        "{sent}"
    );
    assert!(
        sent.contains("content-type: application/json\r\n"),
        "{sent}"
    );
    assert!(
        sent.ends_with("{\"clusterId\":\"01M85NWTN0TJ4JW1JXEKRNC9Z2\"}"),
        "{sent}"
    );
}

#[tokio::test]
async fn a_connection_that_breaks_within_logs_is_an_error() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n[";
    let server = Server::start(Script::bytes(head)).await;
    let error = client(&server)
        .service("s")
        .logs(LogOptions::new())
        .await
        .unwrap_err();
    assert_failure(&error, ErrorKind::Interrupted, Effect::None);
    assert_eq!(
        (error.status(), error.operation().unwrap().id),
        (Some(200), "get_service_logs")
    );
}

#[tokio::test]
async fn endless_logs_time_out() {
    // A byte every 5 ms, so that the idle timeout does not apply.
    let space = b"1\r\n \r\n".repeat(200);
    let server = Server::start(Script::always(vec![
        Step::ReadAll,
        Step::Send(chunks("200 OK", &[], ["["])),
        Step::SendSlowly(space, Duration::from_millis(5)),
    ]));
    let server = server.await;
    let client = Client::new(&server.base_url, TOKEN).unwrap();
    let call = client
        .service("s")
        .logs(LogOptions::new())
        .timeout(Duration::from_millis(200));
    let error = call.await.unwrap_err();
    assert_failure(&error, ErrorKind::Timeout, Effect::None);
    assert!(error.elapsed() < Duration::from_secs(5), "{error:?}");
}
