//! Each call is one `tracing` span with the field names of OpenTelemetry's HTTP client conventions.
//!
//! This target has only one test: `tracing` caches per process which callsites are enabled, so a second test
//! without a subscriber could disable this span.

#[path = "support/log.rs"]
mod log;
mod support;

use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::nodion;
use log::Log;
use support::Server;

const CANARY: &str = "canary-5d1f";

#[tokio::test]
async fn each_call_is_one_span_without_secrets() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_writer({
            let log = log.clone();
            move || log.clone()
        })
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let server = Server::replies("202 Accepted", &[], r#"{"request_id":"a69f8e3e0555"}"#).await;
    edgegap(&server.base_url)
        .deploy(new().hidden_env("K", CANARY))
        .await
        .unwrap();
    let server = Server::replies("404 Not Found", &[], CANARY).await;
    let _ = nodion(&server.base_url)
        .application("a")
        .deployments()
        .list()
        .query("q", CANARY)
        .await;

    let text = log.text();
    let closed: Vec<_> = text
        .lines()
        .filter(|line| line.contains("deploykit.call") && line.contains(" close "))
        .collect();
    assert_eq!(closed.len(), 2, "{text}");
    for part in [
        "otel.name=POST /v2/deployments",
        "deploykit.operation=\"create_deployment\"",
        "http.request.method=POST",
        "server.address=\"127.0.0.1\"",
        "http.response.status_code=202",
    ] {
        assert!(closed[0].contains(part), "{part} is not in {}", closed[0]);
    }
    for part in [
        "http.response.status_code=404",
        "error.type=NoSuchRoute",
        "url.template=\"/v1/applications/{application_id}/deployments\"",
    ] {
        assert!(closed[1].contains(part), "{part} is not in {}", closed[1]);
    }
    assert!(!text.contains(CANARY), "{text}");
}

fn edgegap(base_url: &str) -> edgegap::Client {
    let builder = edgegap::Client::builder().base_url(base_url);
    builder.token(CANARY).build().unwrap()
}

fn nodion(base_url: &str) -> nodion::Client {
    let builder = nodion::Client::builder().base_url(base_url);
    builder.token(CANARY).build().unwrap()
}

fn new() -> NewDeployment {
    NewDeployment::new("my-app", "1", User::ip([75, 28, 35, 192].into()))
}
