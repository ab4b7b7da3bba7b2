//! The recorder: keeps requests and answers them.

use super::CannedReply;
use super::examples::{self, Which};
use super::exchange::{Came, Exchange};
use super::snapshot::Snapshot;
use crate::error::{Error, Result};
use crate::preview::RequestPreview;
use crate::transport::config::{ClientBuilder, Platform};
use crate::transport::local::{Reaction, Sent};
use crate::transport::wire::{Answer, Wire};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Keeps requests and answers them, in the place of a platform. Clones share both.
///
/// A request is answered by the first of these that has a reply for it:
///
/// 1. the queue of its operation: [`reply`](Self::reply), [`reply_example`](Self::reply_example);
/// 2. a function: [`answer_with`](Self::answer_with), [`answer_in_process`](Self::answer_in_process);
/// 3. the example that comes first in the spec; not for a [`strict`](Self::strict) recorder.
///
/// If none has, the call fails and says what there is. `Display` is the canonical text of all
/// requests, for `insta::assert_snapshot!`; [`snapshot`](Self::snapshot) has more of it.
#[derive(Clone, Default)]
pub struct Recorder {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    exchanges: Vec<Exchange>,
    queued: BTreeMap<String, VecDeque<Queued>>,
    otherwise: Option<Otherwise>,
    strict: bool,
    ready: bool,
    problems: Vec<String>,
}

enum Queued {
    Reply(CannedReply),
    /// Which platform's it is, only the request says.
    Example(Which),
}

#[derive(Clone)]
enum Otherwise {
    Closure(Arc<dyn Fn(&RequestPreview) -> CannedReply + Send + Sync>),
    Platform(Arc<dyn Fn(http::Request<Vec<u8>>) -> CannedReply + Send + Sync>),
}

impl Recorder {
    /// A recorder that answers with the examples of the specs, unless it is given a reply.
    pub fn new() -> Self {
        Self::default()
    }

    /// A recorder that answers with nothing but what it is given: a call that a test did not expect
    /// fails.
    pub fn strict() -> Self {
        let recorder = Self::new();
        recorder.state().strict = true;
        recorder
    }

    /// Lets the examples follow what was created, so that a deployment can be waited for: its record
    /// is there, and ready at the second look.
    ///
    /// Without this they know nothing of each other: the id that a create answers is not the one in
    /// the example of the list. It is so for Edgegap (the status by id), Nodion (the list of
    /// deployments), dployr (the list of deployments, under the name that was given) and Nexlayer (the
    /// reservation of what was reserved). A queue or a function goes before it.
    pub fn becomes_ready(self) -> Self {
        self.state().ready = true;
        self
    }

    /// The next reply for this operation, by its id in the spec (`create_deployment`). Replies queue
    /// up in the order in which they are given.
    ///
    /// Several platforms have operations of the same id; `edgegap create_deployment` means one of
    /// them. A request without a wrapper goes by `GET /its/path`, and any of those by an empty text.
    /// An id that no operation has makes the next call fail, and
    /// [`assert_all_used`](Self::assert_all_used).
    pub fn reply(&self, operation: &str, reply: CannedReply) {
        let without_wrapper = operation.is_empty() || operation.contains(" /");
        let checked = match without_wrapper {
            true => Ok(()),
            false => examples::meant(operation).map(|_| ()),
        };
        self.queue(operation, checked, Queued::Reply(reply));
    }

    /// The next reply for this operation is an example of the spec: by its name (`"seeking"`), or the
    /// first one of a status (`422`). What is not there is as an unknown id is to
    /// [`reply`](Self::reply).
    pub fn reply_example(&self, operation: &str, which: impl Into<Which>) {
        let which = which.into();
        let checked = examples::pick_by_name(operation, &which).map(|_| ());
        self.queue(operation, checked, Queued::Example(which));
    }

    fn queue(&self, operation: &str, checked: Result<()>, reply: Queued) {
        let mut state = self.state();
        match checked {
            Ok(()) => {
                let queue = state.queued.entry(operation.to_owned()).or_default();
                queue.push_back(reply);
            }
            Err(problem) => state.problems.push(problem.to_string()),
        }
    }

    /// Answers every request for which no reply is queued.
    pub fn answer_with(
        &self,
        answer: impl Fn(&RequestPreview) -> CannedReply + Send + Sync + 'static,
    ) {
        self.state().otherwise = Some(Otherwise::Closure(Arc::new(answer)));
    }

    /// Hands every request for which no reply is queued to a platform in this process, whole and with
    /// its credentials, as [`in_process`](ClientBuilder::in_process) does.
    pub fn answer_in_process<R: Into<CannedReply>>(
        &self,
        platform: impl Fn(http::Request<Vec<u8>>) -> R + Send + Sync + 'static,
    ) {
        let platform = move |request| platform(request).into();
        self.state().otherwise = Some(Otherwise::Platform(Arc::new(platform)));
    }

    /// The requests so far, in order.
    pub fn requests(&self) -> Vec<RequestPreview> {
        let state = self.state();
        let exchanges = state.exchanges.iter();
        exchanges.map(|exchange| exchange.sent.preview()).collect()
    }

    /// The requests so far in the form for snapshots, with a name for every secret.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(self.state().exchanges.clone())
    }

    /// Forgets the requests so far; queued replies stay.
    pub fn clear(&self) {
        self.state().exchanges.clear();
    }

    /// What was given and not asked for, and what was given for an operation that does not exist; a
    /// line each.
    pub fn unused(&self) -> Vec<String> {
        let state = self.state();
        let left = state.queued.iter().filter(|(_, queue)| !queue.is_empty());
        let left = left.map(|(operation, queue)| match queue.len() {
            1 => format!("a reply for {operation:?} was not asked for"),
            more => format!("{more} replies for {operation:?} were not asked for"),
        });
        state.problems.iter().cloned().chain(left).collect()
    }

    /// Checks at the end of a test that every queued reply was asked for.
    ///
    /// # Panics
    /// When [`unused`](Self::unused) has something to say.
    #[track_caller]
    pub fn assert_all_used(&self) {
        let unused = self.unused();
        assert!(unused.is_empty(), "{}", unused.join("\n"));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The replies in store for a request, or why there are none.
    fn choose(&self, sent: &Arc<Sent>) -> Result<Reaction> {
        let mut state = self.state();
        if let Some(problem) = state.problems.first() {
            return Err(Error::configuration(problem.clone()));
        }
        let (api, id) = (sent.profile.api, sent.id());
        let keys = match sent.operation {
            Some(_) => [format!("{api} {id}"), id.to_owned()],
            None => {
                let path = sent.parts().path().to_owned();
                [format!("{} {path}", sent.method), String::new()]
            }
        };
        for key in &keys {
            let queued = state.queued.get_mut(key).and_then(VecDeque::pop_front);
            match (queued, sent.operation) {
                (Some(Queued::Reply(reply)), _) => return reply.into_reaction(),
                (Some(Queued::Example(which)), Some(operation)) => {
                    return CannedReply::of(examples::pick(operation, &which)?).into_reaction();
                }
                _ => {}
            }
        }
        let (otherwise, strict) = (state.otherwise.clone(), state.strict);
        let ready = state.ready && otherwise.is_none() && !strict;
        let follows = match ready {
            true => super::ready::look(&state.exchanges),
            false => None,
        };
        // The closure may ask the recorder itself.
        drop(state);
        match otherwise {
            Some(Otherwise::Closure(answer)) => return answer(&sent.preview()).into_reaction(),
            Some(Otherwise::Platform(answer)) => {
                return answer(super::in_process::whole(sent)?).into_reaction();
            }
            None if strict => return Err(self.none_for(sent, "is strict and")),
            None => {}
        }
        let example = || Some(CannedReply::of(examples::success(sent.operation?)?));
        // Whether a site answers at all, of which no spec says anything.
        let site = || sent.probe.then(|| CannedReply::new(200, ""));
        match follows.or_else(example).or_else(site) {
            Some(reply) => reply.into_reaction(),
            None => Err(self.none_for(sent, "")),
        }
    }

    fn none_for(&self, sent: &Sent, why: &str) -> Error {
        let request = sent.preview();
        let id = sent.id();
        let queued: Vec<_> = self.state().queued.keys().cloned().collect();
        let there = match queued.is_empty() {
            true => "nothing was queued".to_owned(),
            false => format!("queues there were for {queued:?}"),
        };
        let hint = match id {
            "" => format!("`reply(\"{} {}\", …)`", request.method, request.path),
            id => format!("`reply({id:?}, …)` or `reply_example({id:?}, …)`"),
        };
        let why = if why.is_empty() {
            why.to_owned()
        } else {
            format!("{why} ")
        };
        Error::configuration(format!(
            "the recorder {why}has no reply for {} {} ({id:?}): give it one with {hint} or \
             `answer_with`; {there}",
            request.method, request.path
        ))
    }
}

impl Answer for Recorder {
    fn answer(&self, sent: &Arc<Sent>) -> Result<Reaction> {
        // It counts as sent before anybody answers: the function may ask.
        let index = {
            let mut state = self.state();
            let came = Came::Silence;
            let sent = sent.clone();
            state.exchanges.push(Exchange { sent, came });
            state.exchanges.len() - 1
        };
        let reaction = self.choose(sent);
        let mut state = self.state();
        if let Some(exchange) = state.exchanges.get_mut(index)
            && Arc::ptr_eq(&exchange.sent, sent)
        {
            exchange.came = match &reaction {
                Ok(reaction) => Came::from(reaction),
                Err(_) => Came::Unprepared(sent.id()),
            };
        }
        reaction
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
            .field("requests", &self.state().exchanges.len())
            .finish_non_exhaustive()
    }
}
