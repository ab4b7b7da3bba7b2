//! Requests without a network: for tests of your own code. Feature `testing`.
//!
//! A [`Recorder`] stands in the place of a platform. It keeps the canonical form of every request,
//! and answers with what it was given.
//!
#![cfg_attr(
    feature = "edgegap",
    doc = r##"
```
use deploykit::edgegap::{Client, NewDeployment, User};
use deploykit::testing::{CannedReply, Recorder};

# fn main() -> deploykit::Result<()> {
# let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
# runtime.block_on(async {
let recorder = Recorder::new();
recorder.reply("create_deployment", CannedReply::json(202, r#"{"request_id": "a69f8e3e0555"}"#));
let client = Client::builder().token("secret").recorder(&recorder).build()?;

let user = User::ip([75, 28, 35, 192].into());
let accepted = client.deploy(NewDeployment::new("my-app", "1", user)).await?;

assert_eq!(accepted.request_id.as_str(), "a69f8e3e0555");
assert!(recorder.to_string().starts_with("POST /v2/deployments\nauthorization: <redacted>\n"));
# Ok(()) }) }
```
"##
)]

use crate::error::{Error, Result};
use crate::preview::RequestPreview;
use crate::transport::config::{ClientBuilder, Platform};
use crate::transport::wire::{Answer, LocalReply, Wire};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Closure = Arc<dyn Fn(&RequestPreview) -> CannedReply + Send + Sync>;

/// Keeps requests and answers them, in the place of a platform. Clones share both.
///
/// `Display` is the canonical text of all requests, for `insta::assert_snapshot!`.
#[derive(Clone, Default)]
pub struct Recorder {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    requests: Vec<RequestPreview>,
    queued: BTreeMap<String, VecDeque<CannedReply>>,
    otherwise: Option<Closure>,
}

/// A reply that a test prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannedReply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl CannedReply {
    /// A reply with a JSON body, given as text.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::new(status, body).header("content-type", "application/json")
    }

    /// A reply with any body and no headers.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn into_local(self) -> Result<LocalReply> {
        let mut reply = http::Response::builder().status(self.status);
        for (name, value) in self.headers {
            reply = reply.header(name, value);
        }
        reply.body(self.body).map_err(|error| {
            Error::configuration("the canned reply is not a valid one").with_source(error)
        })
    }
}

impl Recorder {
    /// A recorder that knows no reply yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The next reply for this operation, by its id in the spec (`create_deployment`). Replies queue
    /// up in the order in which they are given.
    pub fn reply(&self, operation: &str, reply: CannedReply) {
        let mut state = self.state();
        state
            .queued
            .entry(operation.to_owned())
            .or_default()
            .push_back(reply);
    }

    /// Answers every request for which no reply is queued.
    pub fn answer_with(
        &self,
        answer: impl Fn(&RequestPreview) -> CannedReply + Send + Sync + 'static,
    ) {
        self.state().otherwise = Some(Arc::new(answer));
    }

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<RequestPreview> {
        self.state().requests.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answer for Recorder {
    fn answer(&self, request: RequestPreview) -> Result<LocalReply> {
        let mut state = self.state();
        let id = request.operation.unwrap_or_default();
        let queued = state.queued.get_mut(id).and_then(VecDeque::pop_front);
        let otherwise = state.otherwise.clone();
        state.requests.push(request.clone());
        // The closure may ask the recorder itself.
        drop(state);
        match (queued, otherwise) {
            (Some(reply), _) => reply.into_local(),
            (None, Some(answer)) => answer(&request).into_local(),
            (None, None) => Err(Error::configuration(format!(
                "the recorder has no reply for {} {} ({id:?}): give it one with `reply` or `answer_with`",
                request.method, request.path
            ))),
        }
    }
}

impl<P: Platform> ClientBuilder<P> {
    /// Sends requests to this recorder and nowhere else. Feature `testing`.
    ///
    /// Such a client sends every call once and without pacing, unless
    /// [`retry`](Self::retry) and [`pacing`](Self::pacing) say otherwise.
    pub fn recorder(mut self, recorder: &Recorder) -> Self {
        self.wire = Wire::Function(Arc::new(recorder.clone()));
        self
    }
}

impl fmt::Display for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, request) in self.state().requests.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n---\n\n")?;
            }
            write!(f, "{request}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder")
            .field("requests", &self.state().requests.len())
            .finish_non_exhaustive()
    }
}
