//! The recorder, a mock platform, and its clients.

use super::CannedReply;
use super::examples::{self, ExampleSelector};
use super::in_process::http_request;
use crate::error::{Error, Result};
use crate::preview::RequestPreview;
use crate::transport::builder::ClientBuilder;
use crate::transport::platform::Platform;
use crate::transport::redact::RequestParts;
use crate::transport::send::{FakeNetwork, FakeResponse};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A mock platform that records requests and returns prepared responses.
///
/// Clones share their state. The response to a request is the first of:
///
/// 1. the next response in the queue of the operation: [`reply`](Self::reply),
///    [`reply_example`](Self::reply_example);
/// 2. the result of a function: [`answer_with`](Self::answer_with),
///    [`answer_in_process`](Self::answer_in_process);
/// 3. the first successful example in the spec, unless the recorder is [`strict`](Self::strict).
///
/// If there is none, the call fails with an error that lists the queued operations.
///
/// `Display` writes the canonical text of all requests, for `insta::assert_snapshot!`. Serialize
/// [`requests`](Self::requests) for `insta::assert_yaml_snapshot!`.
#[derive(Clone, Default)]
pub struct Recorder {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    /// Redacted.
    requests: Vec<RequestPreview>,
    queued: BTreeMap<String, VecDeque<CannedReply>>,
    function: Option<Arc<Function>>,
    strict: bool,
    sorted: bool,
}

type Function = dyn Fn(&RequestParts<'_>) -> Result<CannedReply> + Send + Sync;

/// Source of the response to one request.
enum ReplySource {
    Reply(CannedReply),
    /// Called without the lock, because the function may use the recorder.
    Function(Arc<Function>),
}

impl Recorder {
    /// Creates a recorder that returns the examples of the specs by default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Creates a recorder without examples: a call without a prepared response fails.
    pub fn strict() -> Self {
        let recorder = Self::new();
        recorder.state().strict = true;
        recorder
    }

    /// Sorts the recorded requests by canonical text, not by time.
    ///
    /// Use it for concurrent calls, whose order varies between runs.
    pub fn sorted(self) -> Self {
        self.state().sorted = true;
        self
    }

    /// Queues a response for an operation.
    ///
    /// The operation is named by its id in the spec: `create_deployment`. Put the platform in front if
    /// several platforms have an operation with this id: `edgegap create_deployment`. Name a request without
    /// a wrapper by method and path, `GET /v1/whoami`; an empty name matches every request without a wrapper.
    ///
    /// # Panics
    /// If there is no such operation.
    #[track_caller]
    pub fn reply(&self, operation: &str, reply: CannedReply) {
        let without_wrapper = operation.is_empty() || operation.contains(" /");
        if !without_wrapper && let Err(error) = examples::operations(operation) {
            panic!("{error}");
        }
        let mut state = self.state();
        let queue = state.queued.entry(operation.to_owned()).or_default();
        queue.push_back(reply);
    }

    /// Queues an example of the spec, by name (`"seeking"`) or status (`422`).
    ///
    /// # Panics
    /// If there is no such operation or example, or if several platforms have one.
    #[track_caller]
    pub fn reply_example(&self, operation: &str, selector: impl Into<ExampleSelector>) {
        match CannedReply::example(operation, selector) {
            Ok(reply) => self.reply(operation, reply),
            Err(error) => panic!("{error}"),
        }
    }

    /// Responds to requests without a queued response with the result of a function.
    pub fn answer_with(
        &self,
        answer: impl Fn(&RequestPreview) -> CannedReply + Send + Sync + 'static,
    ) {
        let function = move |sent: &RequestParts<'_>| Ok(answer(&sent.describe()));
        self.state().function = Some(Arc::new(function));
    }

    /// Passes requests without a queued response to a function, with credentials.
    ///
    /// Like [`in_process`](ClientBuilder::in_process).
    pub fn answer_in_process<R: Into<CannedReply>>(
        &self,
        platform: impl Fn(http::Request<Vec<u8>>) -> R + Send + Sync + 'static,
    ) {
        let function = move |sent: &RequestParts<'_>| Ok(platform(http_request(sent)?).into());
        self.state().function = Some(Arc::new(function));
    }

    /// The recorded requests, redacted.
    ///
    /// In the order of sending, or [`sorted`](Self::sorted).
    pub fn requests(&self) -> Vec<RequestPreview> {
        let state = self.state();
        let mut requests = state.requests.clone();
        if state.sorted {
            requests.sort_by_cached_key(|request| (request.to_string(), request.api));
        }
        requests
    }

    /// Clears the recorded requests. Queued responses stay.
    pub fn clear(&self) {
        self.state().requests.clear();
    }

    /// Describes queued responses that were not used, one line per operation.
    pub fn unused(&self) -> Vec<String> {
        let state = self.state();
        let left = state.queued.iter().filter(|(_, queue)| !queue.is_empty());
        let left = left.map(|(operation, queue)| match queue.len() {
            1 => format!("a reply for {operation:?} was not used"),
            more => format!("{more} replies for {operation:?} were not used"),
        });
        left.collect()
    }

    /// Asserts that every queued response was used. Call it at the end of a test.
    ///
    /// # Panics
    /// If [`unused`](Self::unused) is not empty.
    #[track_caller]
    pub fn assert_all_used(&self) {
        let unused = self.unused();
        assert!(unused.is_empty(), "{}", unused.join("\n"));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn choose(&mut self, sent: &RequestParts<'_>, request: &RequestPreview) -> Result<ReplySource> {
        if let Some(reply) = self.next_queued(request) {
            return Ok(ReplySource::Reply(reply));
        }
        if let Some(function) = &self.function {
            return Ok(ReplySource::Function(function.clone()));
        }
        if self.strict {
            return Err(self.no_reply(request));
        }
        let example = sent.operation.and_then(examples::success);
        // Requests to the URL of a deployed site, which no spec describes.
        let site = || sent.is_probe.then(|| CannedReply::new(200, ""));
        let reply = example.map(CannedReply::from_example).or_else(site);
        let reply = reply.ok_or_else(|| self.no_reply(request))?;
        Ok(ReplySource::Reply(reply))
    }

    /// The queue for one platform has precedence over the queue for all platforms.
    fn next_queued(&mut self, request: &RequestPreview) -> Option<CannedReply> {
        let keys = match request.operation {
            Some(id) => [format!("{} {id}", request.api), id.to_owned()],
            None => [
                format!("{} {}", request.method, request.path),
                String::new(),
            ],
        };
        keys.iter()
            .find_map(|key| self.queued.get_mut(key)?.pop_front())
    }

    fn no_reply(&self, request: &RequestPreview) -> Error {
        let recorder = if self.strict {
            "strict recorder"
        } else {
            "recorder"
        };
        let (method, path) = (&request.method, &request.path);
        let queues: Vec<_> = self.queued.keys().collect();
        let hint = match request.operation {
            None => format!("`reply(\"{method} {path}\", …)`"),
            Some(id) => format!("`reply({id:?}, …)`, `reply_example({id:?}, …)`"),
        };
        Error::configuration(format!(
            "the {recorder} has no reply for {method} {path}: use {hint} or `answer_with`; \
             replies are queued for {queues:?}"
        ))
    }
}

impl FakeNetwork for Recorder {
    fn answer(&self, sent: &RequestParts<'_>) -> Result<FakeResponse> {
        let request = sent.describe();
        let choice = {
            let mut state = self.state();
            let choice = state.choose(sent, &request);
            state.requests.push(request);
            choice?
        };
        let reply = match choice {
            ReplySource::Reply(reply) => reply,
            ReplySource::Function(function) => function(sent)?,
        };
        reply.into_fake_response()
    }
}

/// Declares the clients of a recorder.
macro_rules! clients {
    ($($feature:literal, $platform:ident, $builder:ident, $name:literal, |$new:ident| $with:expr;)*) => {
        impl Recorder {
            $(
                #[doc = concat!("A client for ", $name, " that uses this recorder and placeholder credentials.")]
                ///
                /// # Errors
                /// [`Configuration`](crate::ErrorKind::Configuration) if the certificates of the system
                /// cannot be loaded.
                #[cfg(feature = $feature)]
                pub fn $platform(&self) -> Result<crate::$platform::Client> {
                    self.$builder().build()
                }

                #[doc = concat!("The builder of the client [`", stringify!($platform), "`](Self::", stringify!($platform), "), for other options.")]
                #[cfg(feature = $feature)]
                pub fn $builder(&self) -> crate::$platform::ClientBuilder {
                    let $new = crate::$platform::Client::builder();
                    $with.recorder(self)
                }
            )*
        }
    };
}

clients! {
    "nexlayer", nexlayer, nexlayer_builder, "Nexlayer", |new| new;
    "dployr", dployr, dployr_builder, "dployr", |new| new
        .base_url("https://dployr.example")
        .token("made-up-dployr-token");
    "nodion", nodion, nodion_builder, "Nodion", |new| new.token("made-up-nodion-key");
    "edgegap", edgegap, edgegap_builder, "Edgegap", |new| new.token("made-up-edgegap-token");
}

impl<P: Platform> ClientBuilder<P> {
    /// Sends all requests to a recorder instead of the network. Feature `testing`.
    ///
    /// The client neither retries nor paces calls, unless [`retry`](Self::retry) or
    /// [`pacing`](Self::pacing) is set.
    pub fn recorder(mut self, recorder: &Recorder) -> Self {
        self.fake_network = Some(Arc::new(recorder.clone()));
        self
    }
}

impl fmt::Display for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, request) in self.requests().iter().enumerate() {
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
