//! The recorder, a mock platform, and its clients.

use super::CannedReply;
use super::examples::{self, ExampleSelector};
use super::in_process::http_request;
use crate::error::{Error, Result};
use crate::operation::{Operation, path_ids};
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
/// Each create that is answered with an example returns another id. Later examples have the id of their
/// request, and lists contain every id that was created under the parent in their path or cluster.
///
/// Any id is accepted until an example answers a create of its kind. From then on, an id that the recorder
/// has not returned, in an example of this kind and parent or in a queued response, gets the platform's 404.
/// For an id from elsewhere, such as one in a program's configuration, queue the response.
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
    /// Parents and id of each resource that an example created, by the id in the example.
    created: BTreeMap<&'static str, Vec<(Vec<String>, String)>>,
    /// The bodies of the responses that were not examples.
    prepared: String,
    strict: bool,
    sorted: bool,
}

type Function = dyn Fn(&RequestParts<'_>) -> Result<CannedReply> + Send + Sync;

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
        let left = left.map(|(name, queue)| format!("{} unused replies for {name:?}", queue.len()));
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
    /// The response to a request without a queued response or a function.
    fn default_reply(&mut self, sent: &RequestParts<'_>) -> Result<CannedReply> {
        if self.strict {
            return Err(self.no_reply(&sent.describe()));
        }
        let operation = sent.operation;
        let example = operation.and_then(|known| self.example(known, sent));
        // Requests to the URL of a deployed site, which no spec describes.
        let site = || sent.is_probe.then(|| CannedReply::new(200, ""));
        let reply = example.or_else(site);
        reply.ok_or_else(|| self.no_reply(&sent.describe()))
    }

    /// The first successful example, with the ids of this recorder.
    fn example(&mut self, operation: &Operation, sent: &RequestParts<'_>) -> Option<CannedReply> {
        let ids = path_ids(operation.path, sent.path());
        let examples = examples::of_operation(operation)?;
        let example = match self.are_known(examples.ids, &ids) {
            true => examples::success(operation)?,
            false => examples.replies.iter().find(|reply| reply.status == 404)?,
        };
        // On dployr, deployments and instances belong to a cluster.
        let cluster = sent.url.query_pairs().find(|(name, _)| name == "clusterId");
        let cluster = cluster.map(|(_, id)| id.into_owned());
        let parents: Vec<_> = ids.iter().cloned().chain(cluster).collect();
        let body = match (example.id, example.item) {
            (id, "") if !example.created.is_empty() => {
                let created = self.created.entry(example.created).or_default();
                let new = nth_id(id, created.len() + 1);
                created.push((parents, new.clone()));
                example.body.replace(id, &new)
            }
            (id, "") if !id.is_empty() => {
                let requested = ids.last().map_or(id, String::as_str);
                let requested = requested.replace('\\', r"\\").replace('"', r#"\""#);
                example.body.replace(id, &requested)
            }
            (id, item) => match self.created.get(example.created) {
                None => example.body.to_owned(),
                Some(created) => {
                    let created = created.iter().filter(|(of, _)| of.starts_with(&parents));
                    let items: Vec<_> = created.map(|(_, new)| item.replace(id, new)).collect();
                    let list = format!("[{}]", items.join(","));
                    example.body.replace(example.list, &list)
                }
            },
        };
        Some(CannedReply::from_example(example, body))
    }

    /// Whether the recorder returned each of these ids, or cannot know.
    fn are_known(&self, kinds: &[&str], ids: &[String]) -> bool {
        kinds.iter().zip(ids).enumerate().all(|(at, (kind, id))| {
            let is_known = |(parents, known): &(Vec<String>, String)| {
                known == id && parents.starts_with(&ids[..at])
            };
            let created = self.created.get(kind);
            created.is_none_or(|created| created.iter().any(is_known))
                || self.prepared.contains(&format!("{id:?}"))
        })
    }

    /// The queue for one platform has precedence over the queue for all platforms.
    fn next_queued(&mut self, request: &RequestPreview) -> Option<CannedReply> {
        let route = || format!("{} {}", request.method, request.path);
        let keys = match request.operation {
            Some(id) => [format!("{} {id}", request.api), id.to_owned()],
            None => [route(), String::new()],
        };
        keys.iter()
            .find_map(|key| self.queued.get_mut(key)?.pop_front())
    }

    fn no_reply(&self, request: &RequestPreview) -> Error {
        let route = format!("{} {}", request.method, request.path);
        let name = request.operation.unwrap_or(&route);
        let strict = if self.strict { "strict " } else { "" };
        let queues: Vec<_> = self.queued.keys().collect();
        Error::configuration(format!(
            "the {strict}recorder has no reply for {route}: use `reply({name:?}, …)` or \
             `answer_with`; replies are queued for {queues:?}"
        ))
    }
}

/// The first id is that of the example. Later ones have the same length and end with a number.
fn nth_id(id: &str, number: usize) -> String {
    let start = id.get(..id.len().saturating_sub(4));
    let start = start.filter(|_| number > 1);
    start.map_or(id.to_owned(), |start| format!("{start}{number:04}"))
}

impl FakeNetwork for Recorder {
    fn answer(&self, sent: &RequestParts<'_>) -> Result<FakeResponse> {
        let request = sent.describe();
        let mut state = self.state();
        state.requests.push(request.clone());
        let reply = match (state.next_queued(&request), state.function.clone()) {
            (Some(queued), _) => queued,
            (None, Some(function)) => {
                // The function may use the recorder.
                drop(state);
                let reply = function(sent)?;
                state = self.state();
                reply
            }
            (None, None) => return state.default_reply(sent)?.into_fake_response(),
        };
        state.prepared += &String::from_utf8_lossy(&reply.body);
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
