//! The HTTP pipeline: sends the requests of the generated clients and reads the responses.
//!
//! 1. The generated client builds a request and calls [`Scope::prepare`], which adds headers, credentials
//!    and the caller's options. A preview ends here.
//! 2. [`Scope::execute`] runs the pipeline. [`Scope::run`] and the functions below it show the order of the
//!    steps.
//! 3. The generated client decodes the body of the response.
//!
//! | file | concern |
//! |---|---|
//! | `builder` | `ClientBuilder`: base URL, credentials, timeouts, limits, proxies |
//! | `credentials/mod` | `Credentials`, `Tokens`, `TokenSource`; `Auth`: the credentials of one client |
//! | `credentials/auth_header` | builds the `Authorization` header and the session cookie |
//! | `credentials/renewal` | when tokens are renewed; one renewal for all concurrent calls |
//! | `credentials/token_store` | `TokenStore`, `FileStore`: tokens that several processes share |
//! | `decode` | errors for bodies that cannot be decoded: JSON path and reason |
//! | `failure` | errors for failure statuses, and whether the platform acted |
//! | `headers` | request headers: `User-Agent`, `Accept`, credentials, those of the caller |
//! | `http_client` | builds the `reqwest::Client`: TLS, proxies, no redirects; checks base URLs |
//! | `limits` | default timeouts and size limits, with reasons |
//! | `mask` | replaces the secrets of a request in text from a server |
//! | `observer` | reports the end of every call to the caller's function |
//! | `pacing/mod` | `Pacing`: client-side rate limits; which clients share them |
//! | `pacing/bucket` | one rate limit: token bucket, queue, pauses |
//! | `pacing/shared_budget` | `SharedBudget`: a rate limit for several processes; fallback |
//! | `pacing/redis_budget` | `RedisBudget`: a shared budget on a Redis server |
//! | `pipeline` | the order of the steps: spend limit, credentials, pacing, attempt, retry, deadline |
//! | `platform` | `Profile`: constants and functions that differ by platform |
//! | `probe` | a `GET` to a server other than the platform's, such as a deployed site |
//! | `rate_limit` | parses `Retry-After` and `X-RateLimit-*`; how long to wait after a response |
//! | `redact` | redacts requests for previews, records and errors |
//! | `response` | reads response bodies up to a limit; request ids |
//! | `retry` | the retry policy: which failures, backoff, jitter, budget |
//! | `send` | sends one attempt: over the network, or to the fake network of a test |
//! | `spend_limit` | `max_creates`: limits the calls that cost money |

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
use tokio::time::Instant;

/// Settings and state that all calls of a client share.
#[derive(Clone)]
pub struct Transport {
    pub(crate) profile: &'static Profile,
    pub(crate) base_url: String,
    /// The next step if the server cannot be reached.
    pub(crate) connect_advice: Option<&'static str>,
    pub(crate) http: reqwest::Client,
    pub(crate) proxy_secrets: Vec<Secret>,
    /// Whether the caller supplied `http`.
    pub(crate) is_custom_http: bool,
    /// Replaces the network: a recorder or an in-process platform.
    pub(crate) fake_network: Option<Arc<dyn FakeNetwork>>,
    pub(crate) auth: Auth,
    /// Headers that every request gets.
    pub(crate) headers: Vec<ExtraHeader>,
    pub(crate) limits: Limits,
    pub(crate) retry: Retry,
    pub(crate) pacer: Pacer,
    pub(crate) spend: Option<Arc<SpendGuard>>,
    pub(crate) observer: Option<Observer>,
}

/// Client, operation, options and state of one call, carried through the generated client.
///
/// Clones share the state.
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
    /// Timeout of one attempt.
    pub attempt_timeout: Option<Duration>,
    pub deadline: Option<Duration>,
    pub retry: Option<Retry>,
    /// Set by `assume_idempotent`.
    pub idempotent: bool,
    pub headers: Vec<ExtraHeader>,
    pub query: Vec<(String, String)>,
    /// Replaces the body. The generated client cannot send a body that is optional in the spec.
    pub json: Option<Value>,
    /// Set in the JSON body.
    pub body_fields: Vec<(String, Value)>,
    /// Read the response of a streaming operation into memory, within the limits of an attempt.
    pub buffer_stream: bool,
}

/// State of a call, shared by all its requests.
///
/// Kept up to date during the call, because the call may be dropped at any point.
#[derive(Default)]
pub(crate) struct CallState {
    /// Store a preview instead of sending.
    pub preview_only: bool,
    pub preview: Option<RequestPreview>,
    /// The last request that ran, and its operation. Its secrets are masked in text from the server.
    last_request: Option<(Arc<Request>, Option<&'static Operation>)>,
    /// Renewed tokens that this call used; masked as well.
    tokens: Vec<Secret>,
    /// The pipeline's error, which the generated client cannot carry.
    pub error: Option<Error>,
    /// The deadline of the last request.
    pub until: Option<Instant>,
    /// Whether an attempt is running.
    pub is_attempting: bool,
    /// The worst effect of the failed attempts.
    effect: Option<Effect>,
    pub outcome: Outcome,
}

/// Status and headers of the last response; attempts and duration of its request.
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

    /// A new call of this operation, with the same client and options.
    pub(crate) fn to(&self, operation: &'static Operation) -> Self {
        Self {
            operation: Some(operation),
            ..self.fresh()
        }
    }

    /// A new call with the same client, operation and options.
    pub(crate) fn fresh(&self) -> Self {
        Self {
            state: Arc::default(),
            ..self.clone()
        }
    }

    /// The same call, for one of its requests. All requests of a call share options and state.
    pub(crate) fn step(&self, operation: Option<&'static Operation>) -> Self {
        Self {
            operation,
            ..self.clone()
        }
    }

    /// A new call of the same client with other credentials. They share connections and the spend limit;
    /// pacing depends on the credentials.
    pub(crate) fn with_auth(&self, auth: Auth) -> Self {
        let old = &*self.transport;
        Self::new(Arc::new(Transport {
            pacer: Pacer::new(&old.pacer.pacing, old.profile.api, &old.base_url, &auth),
            auth,
            ..old.clone()
        }))
    }

    /// The operation of this call. A direct call of the generated client sets none: it is looked up by id.
    fn operation_or_find(&self, id: &str) -> Option<&'static Operation> {
        self.operation
            .or_else(|| crate::operation::find(self.transport.profile.api, id))
    }

    pub(crate) fn deadline(&self) -> Duration {
        let limits = &self.transport.limits;
        self.options
            .deadline
            .unwrap_or_else(|| limits.deadline(self.operation))
    }

    pub(crate) fn retry(&self) -> &Retry {
        self.options.retry.as_ref().unwrap_or(&self.transport.retry)
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.state().outcome.clone()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, CallState> {
        // After a panic under the lock, the state is still valid: each field is set on its own.
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
