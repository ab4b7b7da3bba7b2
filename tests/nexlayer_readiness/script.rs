//! A scripted platform.

use deploykit::nexlayer::{ApplicationHandle, Client};
use deploykit::preview::RequestPreview;
use deploykit::testing::{CannedReply, Recorder};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::time::Instant;

pub const TOKEN: &str = "dCf0NdAQ64j6";
pub const SITE: &str = "https://jolly-tapir-a.alpha.nexlayer.ai";

/// A platform that answers each request by a function, and records its time.
pub struct Script {
    pub recorder: Recorder,
    asked: Arc<Mutex<Vec<(String, f64)>>>,
}

impl Script {
    /// `answer` gets the operation (`site` for a site) and the number of its requests before.
    pub fn new(answer: impl Fn(&str, usize) -> CannedReply + Send + Sync + 'static) -> Self {
        let recorder = Recorder::new();
        let asked: Arc<Mutex<Vec<(String, f64)>>> = Arc::default();
        let (deployed, kept) = (Instant::now(), asked.clone());
        recorder.answer_with(move |request: &RequestPreview| {
            let what = request.operation.unwrap_or("site").to_owned();
            let mut kept = kept.lock().unwrap();
            let before = kept.iter().filter(|(other, _)| *other == what).count();
            kept.push((what.clone(), deployed.elapsed().as_secs_f64()));
            answer(&what, before)
        });
        Self { recorder, asked }
    }

    pub fn application(&self) -> ApplicationHandle {
        let client = Client::builder().recorder(&self.recorder).build().unwrap();
        client.session(TOKEN).application("a").site_url(SITE)
    }

    pub fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(what, _)| what.clone()).collect()
    }

    pub fn times(&self, what: &str) -> Vec<f64> {
        let asked = self.asked.lock().unwrap();
        let of = asked.iter().filter(|(other, _)| other == what);
        of.map(|(_, at)| *at).collect()
    }
}

pub fn said(status: u16, body: Value) -> CannedReply {
    CannedReply::json(status, body.to_string())
}

pub fn reserved(state: Value) -> CannedReply {
    said(
        200,
        json!({ "reservedDeployments": [
            { "applicationName": "A", "status": { "state": "failed" } },
            { "applicationName": "a", "url": SITE, "status": state },
        ] }),
    )
}

pub fn none_reserved() -> CannedReply {
    said(200, json!({ "reservedDeployments": [] }))
}

pub fn no_route() -> CannedReply {
    CannedReply::new(404, "<pre>Cannot POST /getPodsStatus</pre>")
        .header("content-type", "text/html")
}

pub fn pods(states: &[&str]) -> CannedReply {
    let pods: Vec<_> = states
        .iter()
        .map(|s| json!({ "name": "web", "status": s }))
        .collect();
    said(200, json!({ "pods": pods }))
}

pub fn site(status: u16) -> CannedReply {
    CannedReply::new(status, "")
}
