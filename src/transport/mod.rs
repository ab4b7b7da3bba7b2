//! From the request of a generated client to the network and back.
//!
//! The generated client builds the request, [`Scope::prepare`] adds headers, credentials and options
//! (or makes a preview), [`Scope::execute`] runs the pipeline, and the generated client decodes the
//! body. `pipeline` shows the order of the steps.
//!
//! | file | concern |
//! |---|---|
//! | `builder` | `ClientBuilder`: base URL, credentials, timeouts, limits, proxies |
//! | `credentials` | tokens: the `Authorization` header, sources, renewal, stores |
//! | `decode` | errors for bodies that do not decode: where and why |
//! | `failure` | errors for failure statuses, and their effect |
//! | `headers` | request headers: `User-Agent`, `Accept`, credentials, a caller's own |
//! | `http_client` | connections: base URL checks, TLS, proxies, no redirects |
//! | `limits` | default timeouts and size limits, with reasons |
//! | `mask` | finds known secrets in text from a server |
//! | `observer` | the function that gets a report of every call |
//! | `pacing` | client-side rate limits, per process or shared by several |
//! | `pipeline` | the order of the steps: spend limit, credentials, pacing, attempt, retry, deadline |
//! | `platform` | the differences between platforms |
//! | `probe` | a `GET` to an address that is not the platform's |
//! | `rate_limit` | `X-RateLimit-*` headers and used-up windows |
//! | `redact` | requests without their secrets, for previews and records |
//! | `response` | reads bodies up to a limit |
//! | `retry` | the retry policy: which failures, backoff, jitter, budget |
//! | `retry_after` | parses `Retry-After` |
//! | `send` | one attempt over the network, or answered by a test |
//! | `spend_limit` | `max_creates` |

pub(crate) mod builder;
pub(crate) mod credentials;
pub(crate) mod decode;
pub(crate) mod failure;
pub(crate) mod headers;
pub(crate) mod http_client;
pub(crate) mod limits;
pub(crate) mod mask;
pub(crate) mod observer;
pub(crate) mod pacing;
mod pipeline;
pub(crate) mod platform;
mod probe;
pub(crate) mod rate_limit;
pub(crate) mod redact;
pub(crate) mod response;
pub(crate) mod retry;
mod retry_after;
pub(crate) mod send;
mod spend_limit;

use crate::error::{Effect, Error};
use crate::operation::Operation;
use crate::preview::RequestPreview;
use crate::secret::Secret;
use credentials::Auth;
use headers::ExtraHeader;
use http::HeaderMap;
use http::header::COOKIE;
use limits::Limits;
use observer::Observer;
use pacing::Pacer;
use platform::Profile;
use reqwest::Request;
use retry::Retry;
use send::FakeNetwork;
use serde_json::Value;
use spend_limit::SpendGuard;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Settings and state that all calls of a client share.
#[derive(Clone)]
pub struct Transport {
    pub(crate) profile: &'static Profile,
    pub(crate) base_url: String,
    pub(crate) http: reqwest::Client,
    /// Whether `http` is the caller's own client.
    pub(crate) own_http: bool,
    /// Answers requests instead of the network: a recorder or an in-process platform.
    pub(crate) fake_network: Option<Arc<dyn FakeNetwork>>,
    pub(crate) auth: Auth,
    /// Headers of every call.
    pub(crate) headers: Vec<ExtraHeader>,
    pub(crate) limits: Limits,
    pub(crate) retry: Retry,
    pub(crate) pacer: Pacer,
    pub(crate) spend: Option<Arc<SpendGuard>>,
    pub(crate) observer: Option<Observer>,
}

/// One call, carried through the generated client. Clones share the state of the call.
#[derive(Clone)]
pub struct Scope {
    pub(crate) transport: Arc<Transport>,
    /// `None` for a request without a spec entry.
    pub(crate) operation: Option<&'static Operation>,
    pub(crate) options: CallOptions,
    state: Arc<Mutex<CallState>>,
}

/// A caller's options for one call.
#[derive(Clone, Default)]
pub(crate) struct CallOptions {
    pub attempt: Option<Duration>,
    pub deadline: Option<Duration>,
    pub retry: Option<Retry>,
    /// Set by `assume_idempotent`.
    pub idempotent: bool,
    pub headers: Vec<ExtraHeader>,
    pub query: Vec<(String, String)>,
    /// A body that the generated client cannot send, because the spec makes it optional.
    pub json: Option<Value>,
    /// Reads the response of a streaming operation into memory, within the limits of an attempt.
    pub whole: bool,
}

/// State of a call, shared by all its requests. Updated as the call proceeds, because a call may be
/// dropped at any point.
#[derive(Default)]
pub(crate) struct CallState {
    /// Store a preview instead of sending.
    pub preview_only: bool,
    pub preview: Option<RequestPreview>,
    /// The last prepared request, from which the secrets to mask are read.
    sent: Option<(Arc<Request>, Option<&'static Operation>)>,
    /// Tokens that were obtained for this call.
    tokens: Vec<Secret>,
    /// The error of the request, until the generated client has returned.
    pub error: Option<Error>,
    /// Whether an attempt is running.
    attempting: bool,
    /// The worst effect of the failed attempts.
    effect: Option<Effect>,
    pub outcome: Outcome,
}

/// The last response without its body, and the attempts.
#[derive(Clone, Default)]
pub(crate) struct Outcome {
    /// 0 until there is a response.
    pub status: u16,
    pub headers: HeaderMap,
    /// Number of started attempts.
    pub attempts: u32,
    pub elapsed: Duration,
}

impl CallState {
    fn effect(&self) -> Effect {
        self.effect.unwrap_or(Effect::None)
    }
}

impl Scope {
    pub(crate) fn new(transport: Arc<Transport>) -> Self {
        Self {
            transport,
            operation: None,
            options: CallOptions::default(),
            state: Arc::default(),
        }
    }

    /// A new call of this operation.
    pub(crate) fn to(&self, operation: &'static Operation) -> Self {
        Self {
            operation: Some(operation),
            ..self.fresh()
        }
    }

    /// A new call.
    pub(crate) fn fresh(&self) -> Self {
        Self {
            state: Arc::default(),
            ..self.clone()
        }
    }

    /// One request of a call that sends several; they share options and state.
    pub(crate) fn step(&self, operation: Option<&'static Operation>) -> Self {
        Self {
            operation,
            ..self.clone()
        }
    }

    /// The same client with other credentials. Connections and the spend limit are shared, pacing is
    /// not.
    pub(crate) fn with_auth(&self, auth: Auth) -> Self {
        let old = &*self.transport;
        Self::new(Arc::new(Transport {
            pacer: Pacer::new(&old.pacer.pacing, old.profile.api, &old.base_url, &auth),
            auth,
            ..old.clone()
        }))
    }

    /// The operation of this scope, or the operation that a direct caller of the generated client calls.
    fn operation_or(&self, id: &str) -> Option<&'static Operation> {
        self.operation
            .or_else(|| crate::operation::find(self.transport.profile.api, id))
    }

    /// The deadline of the call.
    pub(crate) fn deadline(&self) -> Duration {
        let own = self.options.deadline;
        own.unwrap_or_else(|| self.transport.limits.deadline(self.operation))
    }

    /// The retry policy.
    pub(crate) fn retry(&self) -> &Retry {
        self.options.retry.as_ref().unwrap_or(&self.transport.retry)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.state().outcome.clone()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, CallState> {
        // Valid even after a panic under the lock: fields are set one by one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.transport.fmt(f)
    }
}

impl fmt::Debug for Transport {
    /// Platform, base URL and kind of credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = match &self.auth {
            Auth::None => "not set",
            Auth::Header(name, _) if name == COOKIE => "a session",
            Auth::Header(..) => "set",
            Auth::Renewed(_) => "renewed",
        };
        f.debug_struct("Transport")
            .field("platform", &self.profile.api)
            .field("base_url", &self.base_url)
            .field("token", &format_args!("{token}"))
            .finish_non_exhaustive()
    }
}
