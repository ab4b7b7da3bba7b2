//! A stub of Edgegap with scripted replies, which records the times of polls.

use deploykit::edgegap::{Client, DeploymentHandle};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{pacing::Pacing, preview::RequestPreview};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

pub const ID: &str = "c0653765de3b";

#[derive(Clone)]
pub struct Script {
    recorder: Recorder,
    started: Instant,
    polled_at: Arc<Mutex<Vec<f64>>>,
}

impl Script {
    /// Responds to polls with these replies. The last reply repeats.
    pub fn new(replies: impl IntoIterator<Item = CannedReply>) -> Self {
        let replies: Mutex<VecDeque<_>> = Mutex::new(replies.into_iter().collect());
        let script = Self {
            recorder: Recorder::new(),
            started: Instant::now(),
            polled_at: Arc::default(),
        };
        let (started, polled_at) = (script.started, script.polled_at.clone());
        script.recorder.answer_with(move |request| {
            if request.operation != Some("get_deployment") {
                return CannedReply::json(404, r#"{"message": "no logs"}"#);
            }
            let now = started.elapsed().as_secs_f64();
            polled_at.lock().unwrap().push(now);
            let mut replies = replies.lock().unwrap();
            match replies.len() {
                0 => panic!("the script has no reply"),
                1 => replies.front().cloned().unwrap(),
                _ => replies.pop_front().unwrap(),
            }
        });
        script
    }

    /// Responds to the log request.
    pub fn logs(self, reply: CannedReply) -> Self {
        self.recorder.reply("get_container_logs", reply);
        self
    }

    /// The deployment that the script describes.
    pub fn server(&self) -> DeploymentHandle {
        self.client().deployment(ID)
    }

    pub fn client(&self) -> Client {
        let builder = Client::builder().token("hush-hush-token");
        builder.recorder(&self.recorder).build().unwrap()
    }

    /// A client with the documented rate limits.
    pub fn paced_client(&self) -> Client {
        let builder = Client::builder().token("hush-hush-token");
        let builder = builder
            .recorder(&self.recorder)
            .pacing(Pacing::documented());
        builder.build().unwrap()
    }

    /// Times of the polls, in seconds since the start of the script, rounded to milliseconds.
    pub fn poll_times(&self) -> Vec<f64> {
        let times = self.polled_at.lock().unwrap();
        times.iter().map(|at| (at * 1e3).round() / 1e3).collect()
    }

    pub fn requests(&self) -> usize {
        self.recorder.requests().len()
    }
}

pub fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub fn status(word: &str) -> CannedReply {
    let body = format!(r#"{{"request_id": "{ID}", "current_status": "Status.{word}"}}"#);
    CannedReply::json(200, body)
}

pub fn failure(code: u16) -> CannedReply {
    CannedReply::json(code, r#"{"message": "failed"}"#)
}

pub fn dployr(recorder: &Recorder) -> deploykit::dployr::Client {
    let client = deploykit::dployr::Client::builder().base_url("https://dployr.example");
    let client = client.token("hush").cluster("c").recorder(recorder);
    client.build().unwrap()
}

/// A number in the query of a request.
pub fn query_number(request: &RequestPreview, name: &str) -> Option<u32> {
    let (_, value) = request.query.iter().find(|(key, _)| key == name)?;
    value.parse().ok()
}
