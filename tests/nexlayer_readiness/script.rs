//! A stub of the platform and the site.

use deploykit::nexlayer::{ApplicationHandle, Client};
use deploykit::preview::RequestPreview;
use deploykit::testing::{CannedReply, Recorder};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

pub const TOKEN: &str = "dCf0NdAQ64j6";
pub const SITE: &str = "https://jolly-tapir-a.alpha.nexlayer.ai";

/// Answers requests with a function, and records their times.
pub struct Script {
    pub recorder: Recorder,
    requests: Arc<Mutex<Vec<(String, f64)>>>,
}

impl Script {
    /// `answer` receives the operation id (or `site`) and the number of earlier requests of that operation.
    pub fn new(answer: impl Fn(&str, usize) -> CannedReply + Send + Sync + 'static) -> Self {
        let recorder = Recorder::new();
        let requests: Arc<Mutex<Vec<(String, f64)>>> = Arc::default();
        let (started, kept) = (Instant::now(), requests.clone());
        recorder.answer_with(move |request: &RequestPreview| {
            let operation = request.operation.unwrap_or("site").to_owned();
            let mut kept = kept.lock().unwrap();
            let before = kept.iter().filter(|(other, _)| *other == operation).count();
            kept.push((operation.clone(), started.elapsed().as_secs_f64()));
            answer(&operation, before)
        });
        Self { recorder, requests }
    }

    pub fn application(&self) -> ApplicationHandle {
        let client = Client::builder().recorder(&self.recorder).build().unwrap();
        client.session(TOKEN).application("a").site_url(SITE)
    }

    pub fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests
            .iter()
            .map(|(operation, _)| operation.clone())
            .collect()
    }

    pub fn times(&self, operation: &str) -> Vec<f64> {
        let requests = self.requests.lock().unwrap();
        let found = requests.iter().filter(|(other, _)| other == operation);
        found.map(|(_, at)| *at).collect()
    }
}

pub fn json_reply(status: u16, body: Value) -> CannedReply {
    CannedReply::json(status, body.to_string())
}

pub fn reserved(state: Value) -> CannedReply {
    json_reply(
        200,
        json!({ "reservedDeployments": [
            { "applicationName": "A", "status": { "state": "failed" } },
            { "applicationName": "a", "url": SITE, "status": state },
        ] }),
    )
}

pub fn no_reservations() -> CannedReply {
    json_reply(200, json!({ "reservedDeployments": [] }))
}

pub fn missing_route() -> CannedReply {
    CannedReply::new(404, "<pre>Cannot POST /getPodsStatus</pre>")
        .header("content-type", "text/html")
}

pub fn pods(states: &[&str]) -> CannedReply {
    let pods: Vec<_> = states
        .iter()
        .map(|state| json!({ "name": "web", "status": state }))
        .collect();
    json_reply(200, json!({ "pods": pods }))
}

pub fn site(status: u16) -> CannedReply {
    CannedReply::new(status, "")
}
