//! Faults that need several calls or an option of the client.

mod connections;
mod retry;
mod timeouts;

use crate::support::{Script, Server, Step, runtime};
use crate::table::fault::head;
use crate::table::operations::CANARY;
use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::{Call, ClientBuilder, Error, Page, Platform, nodion, pacing::Pacing};
use std::time::Duration;
use tokio::time::Instant;

pub const LIST: &str = r#"{"deployments":[]}"#;
pub const ACCEPTED: &str = r#"{"request_id":"a69f8e3e0555"}"#;

/// Runs a test with a paused clock.
pub fn with_paused_clock<F: Future>(test: F) -> F::Output {
    runtime().block_on(test)
}

/// Connects a client to a server.
pub fn at<P: Platform>(builder: ClientBuilder<P>, server: &Server) -> ClientBuilder<P> {
    builder
        .base_url(&server.base_url)
        .token(CANARY)
        .pacing(Pacing::off())
}

pub fn nodion(server: &Server) -> ClientBuilder<nodion::Nodion> {
    at(nodion::Client::builder(), server)
}

pub fn edgegap(server: &Server) -> ClientBuilder<edgegap::Edgegap> {
    at(edgegap::Client::builder(), server)
}

/// A call that only reads.
pub fn list(builder: ClientBuilder<nodion::Nodion>) -> Call<Page<nodion::Deployment>> {
    builder
        .build()
        .unwrap()
        .application("a")
        .deployments()
        .list()
}

/// A call that creates a deployment.
pub fn deploy(builder: ClientBuilder<edgegap::Edgegap>) -> Call<edgegap::Deployed> {
    builder.build().unwrap().deploy(new())
}

/// The error of a call, and the duration of the call.
pub async fn failure<T: Send + 'static>(call: Call<T>) -> (Error, Duration) {
    let started = Instant::now();
    match call.await {
        Ok(_) => panic!("the call succeeded"),
        Err(error) => (error, started.elapsed()),
    }
}

pub fn new() -> NewDeployment {
    NewDeployment::new("my-app", "1", User::ip([75, 28, 35, 192].into())).env("MODE", "ranked")
}

/// A reply that keeps the connection open.
pub fn keep_alive_reply(status: &str, body: &str) -> Vec<Step> {
    let length = format!("content-length: {}", body.len());
    let head = String::from_utf8(head(status, &[&length])).unwrap();
    let text = head.replace("connection: close\r\n", "") + body;
    vec![Step::ReadAll, Step::Send(text.into_bytes())]
}

pub async fn always(steps: Vec<Step>) -> Server {
    Server::start(Script::always(steps)).await
}
