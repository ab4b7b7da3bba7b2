//! The recorder: keeps requests and answers them.

use super::CannedReply;
use super::examples::{self, ExampleSelector};
use super::in_process::whole;
use crate::error::{Error, Result};
use crate::preview::RequestPreview;
use crate::transport::builder::ClientBuilder;
use crate::transport::platform::Platform;
use crate::transport::redact::Parts;
use crate::transport::send::{Answer, Reaction};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Records requests and answers them in the place of a platform. Clones share everything.
///
/// The reply to a request is the first of these that exists:
///
/// 1. the next one in the queue of its operation: [`reply`](Self::reply),
///    [`reply_example`](Self::reply_example);
/// 2. the result of a function: [`answer_with`](Self::answer_with),
///    [`answer_in_process`](Self::answer_in_process);
/// 3. the first example of a success in the spec, unless the recorder is [`strict`](Self::strict).
///
/// Without any of them the call fails, and the error lists the queues that exist.
///
/// `Display` is the canonical text of all requests, for `insta::assert_snapshot!`. The
/// [`requests`](Self::requests) serialise, for `insta::assert_yaml_snapshot!`.
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

type Function = dyn Fn(&Parts<'_>) -> Result<CannedReply> + Send + Sync;

enum Choice {
    Reply(CannedReply),
    /// Called without the lock, because the function may use the recorder.
    Ask(Arc<Function>),
}

impl Recorder {
    /// A recorder that answers with the examples of the specs, unless it is given a reply.
    pub fn new() -> Self {
        Self::default()
    }

    /// A recorder that answers only with the replies it is given: an unexpected call fails.
    pub fn strict() -> Self {
        let recorder = Self::new();
        recorder.state().strict = true;
        recorder
    }

    /// Lists requests in the order of their canonical text instead of the order in which they were
    /// sent: for concurrent calls, whose order differs from run to run.
    pub fn sorted(self) -> Self {
        self.state().sorted = true;
        self
    }

    /// Queues a reply for an operation, named by its id in the spec: `create_deployment`.
    ///
    /// Put the platform in front where several have an operation of that id:
    /// `edgegap create_deployment`. A request without a wrapper is named by `GET /its/path`; an empty
    /// name matches all of those.
    ///
    /// # Panics
    /// When there is no such operation.
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

    /// Queues an example of the spec: by its name (`"seeking"`), or the first one of a status (`422`).
    ///
    /// # Panics
    /// When there is no such operation or example, and when several platforms have one.
    #[track_caller]
    pub fn reply_example(&self, operation: &str, selector: impl Into<ExampleSelector>) {
        match CannedReply::example(operation, selector) {
            Ok(reply) => self.reply(operation, reply),
            Err(error) => panic!("{error}"),
        }
    }

    /// Answers every request that has no queued reply with this function.
    pub fn answer_with(
        &self,
        answer: impl Fn(&RequestPreview) -> CannedReply + Send + Sync + 'static,
    ) {
        let function = move |sent: &Parts<'_>| Ok(answer(&sent.describe()));
        self.state().function = Some(Arc::new(function));
    }

    /// Passes every request that has no queued reply to this function, with its credentials, as
    /// [`in_process`](ClientBuilder::in_process) does.
    pub fn answer_in_process<R: Into<CannedReply>>(
        &self,
        platform: impl Fn(http::Request<Vec<u8>>) -> R + Send + Sync + 'static,
    ) {
        let function = move |sent: &Parts<'_>| Ok(platform(whole(sent)?).into());
        self.state().function = Some(Arc::new(function));
    }

    /// The requests so far, redacted, in the order in which they were sent unless the recorder is
    /// [`sorted`](Self::sorted).
    pub fn requests(&self) -> Vec<RequestPreview> {
        let state = self.state();
        let mut requests = state.requests.clone();
        if state.sorted {
            requests.sort_by_cached_key(|request| (request.to_string(), request.api));
        }
        requests
    }

    /// Forgets the requests so far. Queued replies stay.
    pub fn clear(&self) {
        self.state().requests.clear();
    }

    /// Queued replies that no call asked for; one line for each operation.
    pub fn unused(&self) -> Vec<String> {
        let state = self.state();
        let left = state.queued.iter().filter(|(_, queue)| !queue.is_empty());
        let left = left.map(|(operation, queue)| match queue.len() {
            1 => format!("a reply for {operation:?} was not asked for"),
            more => format!("{more} replies for {operation:?} were not asked for"),
        });
        left.collect()
    }

    /// Checks at the end of a test that every queued reply was used.
    ///
    /// # Panics
    /// When [`unused`](Self::unused) is not empty.
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
    fn choose(&mut self, sent: &Parts<'_>, request: &RequestPreview) -> Result<Choice> {
        if let Some(reply) = self.next_queued(request) {
            return Ok(Choice::Reply(reply));
        }
        if let Some(function) = &self.function {
            return Ok(Choice::Ask(function.clone()));
        }
        if self.strict {
            return Err(self.no_reply(request, "is strict and has"));
        }
        let example = sent.operation.and_then(examples::success);
        // The address of a deployed site, which no spec describes.
        let site = || sent.probe.then(|| CannedReply::new(200, ""));
        let reply = example.map(CannedReply::of).or_else(site);
        let reply = reply.ok_or_else(|| self.no_reply(request, "has"))?;
        Ok(Choice::Reply(reply))
    }

    /// The queue for the operation of one platform goes before the queue for all platforms.
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

    fn no_reply(&self, request: &RequestPreview, has: &str) -> Error {
        let (method, path) = (&request.method, &request.path);
        let queues: Vec<_> = self.queued.keys().collect();
        let hint = match request.operation {
            None => format!("`reply(\"{method} {path}\", …)`"),
            Some(id) => format!("`reply({id:?}, …)`, `reply_example({id:?}, …)`"),
        };
        Error::configuration(format!(
            "the recorder {has} no reply for {method} {path}: use {hint} or `answer_with`; \
             replies were queued for {queues:?}"
        ))
    }
}

impl Answer for Recorder {
    fn answer(&self, sent: &Parts<'_>) -> Result<Reaction> {
        let request = sent.describe();
        let choice = {
            let mut state = self.state();
            let choice = state.choose(sent, &request);
            state.requests.push(request);
            choice?
        };
        let reply = match choice {
            Choice::Reply(reply) => reply,
            Choice::Ask(function) => function(sent)?,
        };
        reply.into_reaction()
    }
}

/// Clients that send to the recorder, with placeholder credentials.
macro_rules! clients {
    ($($feature:literal, $platform:ident, $builder:ident, $name:literal, |$new:ident| $with:expr;)*) => {
        impl Recorder {
            $(
                #[doc = concat!("A client for ", $name, " that sends to this recorder, with placeholder credentials.")]
                ///
                /// # Errors
                /// [`Configuration`](crate::ErrorKind::Configuration) when the system's certificates
                /// cannot be used.
                #[cfg(feature = $feature)]
                pub fn $platform(&self) -> Result<crate::$platform::Client> {
                    self.$builder().build()
                }

                #[doc = concat!("The builder of [`", stringify!($platform), "`](Self::", stringify!($platform), "), to set options.")]
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
    /// Sends requests to this recorder and nowhere else. Feature `testing`.
    ///
    /// The client does not retry and does not pace calls, unless [`retry`](Self::retry) and
    /// [`pacing`](Self::pacing) are set.
    pub fn recorder(mut self, recorder: &Recorder) -> Self {
        self.wire = Some(Arc::new(recorder.clone()));
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
