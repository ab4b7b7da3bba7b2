//! Everything that all platforms share on the way to the wire and back.
//!
//! A call travels: wrapper, generated client, [`Scope::prepare`] (headers, credentials, options;
//! or, for a preview, the end of the way), [`Scope::execute`] (time limits, sending, reading), and
//! back through [`finish`] (errors, decoding). One file a concern:
//!
//! | file | concern |
//! |---|---|
//! | `config` | building a client: base URL, credentials, limits |
//! | `credentials` | where tokens come from, how they are renewed and kept, header forms |
//! | `describe` | what a request looks like, with secrets left out |
//! | `execute` | one request to one reply, within the limits of an attempt |
//! | `hints` | what a reply says about when to come back |
//! | `http_client` | connections: TLS, proxies, redirects |
//! | `limits` | the default time and size limits, and why they are what they are |
//! | `local` | a request as a stand-in gets it, and what that does |
//! | `mask` | leaving known secrets out of what a platform says |
//! | `observe` | telling a program about every call |
//! | `pace` | keeping to the rates that platforms allow |
//! | `prepare` | what every request gets |
//! | `probe` | asking an address that is not the platform's |
//! | `redact` | what may be shown of requests and replies |
//! | `reply` | reading a body, failures, decoding |
//! | `retry` | what is sent again, when and how often |
//! | `run` | a whole call: a token, a turn, its attempts, within its deadline |
//! | `spend` | a limit on creates |
//! | `wire` | the network, or a function in its place |

pub(crate) mod config;
pub(crate) mod credentials;
pub(crate) mod describe;
pub(crate) mod execute;
mod hints;
pub(crate) mod http_client;
pub(crate) mod limits;
#[cfg(feature = "testing")]
pub(crate) mod local;
pub(crate) mod mask;
pub(crate) mod observe;
pub(crate) mod pace;
pub(crate) mod prepare;
mod probe;
pub(crate) mod profile;
pub(crate) mod redact;
pub(crate) mod reply;
pub(crate) mod retry;
mod run;
mod spend;
pub(crate) mod wire;

use crate::call::ExtraHeader;
use crate::error::{Effect, Error, Result};
use crate::operation::Operation;
use crate::preview::RequestPreview;
use crate::secret::Secret;
use credentials::Auth;
use http::HeaderMap;
use limits::Limits;
use observe::Observer;
use pace::Pacer;
use profile::Profile;
use retry::Retry;
use serde_json::Value;
use spend::SpendGuard;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use wire::Wire;

/// What all calls of a client share.
pub struct Transport {
    pub(crate) profile: &'static Profile,
    pub(crate) base_url: String,
    pub(crate) http: reqwest::Client,
    /// Whether it is the user's own, of which nothing is known.
    pub(crate) own_http: bool,
    pub(crate) wire: Wire,
    pub(crate) auth: Auth,
    /// Headers that every call gets: name, value.
    pub(crate) headers: Vec<ExtraHeader>,
    pub(crate) limits: Limits,
    pub(crate) retry: Retry,
    pub(crate) pacer: Pacer,
    pub(crate) spend: Option<Arc<SpendGuard>>,
    pub(crate) observer: Option<Observer>,
}

/// The state of one call, which travels inside of the generated client.
///
/// Copies share what the call leaves behind; [`Scope::for_run`] begins anew.
#[derive(Clone)]
pub struct Scope {
    shared: Arc<Transport>,
    options: CallOptions,
    operation: Option<&'static Operation>,
    preview: bool,
    trace: Arc<Mutex<Trace>>,
}

/// What a caller set for one call.
#[derive(Clone, Default)]
pub(crate) struct CallOptions {
    pub attempt: Option<Duration>,
    pub deadline: Option<Duration>,
    pub retry: Option<Retry>,
    /// The caller's word that the call may be repeated.
    pub idempotent: bool,
    pub headers: Vec<ExtraHeader>,
    pub query: Vec<(String, String)>,
    /// A body that the generated client does not send, because for it a body is always or never.
    pub json: Option<Value>,
}

/// What a call leaves behind.
#[derive(Default)]
struct Trace {
    preview: Option<RequestPreview>,
    outcome: Option<Outcome>,
    error: Option<Error>,
    progress: Progress,
    /// Values from the request that a reply might repeat.
    secrets: Vec<Secret>,
}

/// How far a call got. It is kept here, as the call may be cut off at any point.
#[derive(Clone, Copy)]
struct Progress {
    /// How many attempts were begun.
    attempts: u32,
    /// Whether one is under way.
    under_way: bool,
    /// The worst of those that failed.
    effect: Effect,
}

impl Default for Progress {
    fn default() -> Self {
        Self {
            attempts: 0,
            under_way: false,
            effect: Effect::None,
        }
    }
}

/// What is known of a reply beside its value.
#[derive(Clone, Default)]
pub(crate) struct Outcome {
    pub status: u16,
    pub headers: HeaderMap,
    pub attempts: u32,
    pub elapsed: Duration,
}

impl Scope {
    pub(crate) fn new(shared: Arc<Transport>) -> Self {
        Self {
            shared,
            options: CallOptions::default(),
            operation: None,
            preview: false,
            trace: Arc::default(),
        }
    }

    /// The scope of a call to this operation.
    pub(crate) fn to(&self, operation: &'static Operation) -> Self {
        Self {
            operation: Some(operation),
            ..self.for_run()
        }
    }

    pub(crate) fn for_run(&self) -> Self {
        Self {
            trace: Arc::default(),
            ..self.clone()
        }
    }

    /// The scope of one of the requests of a call that makes several: they share what it leaves behind.
    pub(crate) fn step(&self, operation: Option<&'static Operation>) -> Self {
        Self {
            operation,
            ..self.clone()
        }
    }

    pub(crate) fn for_preview(&self) -> Self {
        Self {
            preview: true,
            ..self.for_run()
        }
    }

    /// The same client with other credentials, or with none: a login carries no token.
    pub(crate) fn with_token(&self, token: Option<&Secret>) -> Result<Self> {
        let shared = &*self.shared;
        let scheme = shared.profile.scheme;
        let header = token.map(|token| credentials::with_scheme(scheme, token));
        let auth = header.transpose()?.map_or(Auth::None, Auth::Fixed);
        Ok(Self::new(Arc::new(shared.with_auth(auth))))
    }

    /// The same client with a value of `Authorization` that is sent as it is.
    pub(crate) fn with_authorization(&self, value: &Secret) -> Result<Self> {
        let auth = Auth::Fixed(credentials::as_it_is(value)?);
        Ok(Self::new(Arc::new(self.shared.with_auth(auth))))
    }

    /// The same client with the cookie of a session in the place of a token.
    #[allow(dead_code)] // Most platforms have no sessions.
    pub(crate) fn with_cookie(&self, name: &str, value: &Secret) -> Result<Self> {
        let auth = Auth::Cookie(credentials::as_cookie(name, value)?);
        Ok(Self::new(Arc::new(self.shared.with_auth(auth))))
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.shared
    }

    pub(crate) fn operation(&self) -> Option<&'static Operation> {
        self.operation
    }

    pub(crate) fn options(&mut self) -> &mut CallOptions {
        &mut self.options
    }

    /// How long the whole call may take.
    pub(crate) fn deadline(&self) -> std::time::Duration {
        let limits = &self.shared.limits;
        let own = self.options.deadline;
        own.unwrap_or_else(|| limits.deadline(self.operation))
    }

    #[allow(dead_code)] // Only where one call makes several requests side by side with a clock.
    pub(crate) fn is_preview(&self) -> bool {
        self.preview
    }

    pub(crate) fn take_preview(&self) -> Option<RequestPreview> {
        self.trace().preview.take()
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.trace().outcome.clone()
    }

    fn trace(&self) -> MutexGuard<'_, Trace> {
        // A panic while the lock was held leaves a value that is whole: fields are set one by one.
        self.trace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Transport {
    /// The same with other credentials. Connections and the limit on spending are shared; the pace
    /// goes by the token.
    pub(crate) fn with_auth(&self, auth: Auth) -> Self {
        Self {
            profile: self.profile,
            base_url: self.base_url.clone(),
            http: self.http.clone(),
            own_http: self.own_http,
            wire: self.wire.clone(),
            pacer: self.pacer.of(self.profile.api, &self.base_url, &auth),
            auth,
            headers: self.headers.clone(),
            limits: self.limits,
            retry: self.retry.clone(),
            spend: self.spend.clone(),
            observer: self.observer.clone(),
        }
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope")
            .field("platform", &self.shared.profile.api)
            .field("operation", &self.operation.map(|operation| operation.id))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let token = match self.auth {
            Auth::None => "not set",
            Auth::Fixed(_) => "set",
            Auth::Renewed(_) => "renewed",
            Auth::Cookie(_) => "a session",
        };
        f.debug_struct("Client")
            .field("platform", &self.profile.api)
            .field("base_url", &self.base_url)
            .field("token", &format_args!("{token}"))
            .finish_non_exhaustive()
    }
}

/// Declares a platform as a type and its public client around the shared transport, and lets the
/// generated client travel through it. `PROFILE` must be in scope.
macro_rules! client {
    ($(#[$doc:meta])* $platform:ident, $raw:ident, $settings:ty) => {
        /// The platform, as a type.
        #[derive(Clone, Copy, Debug)]
        pub enum $platform {}

        impl crate::transport::config::sealed::Sealed for $platform {
            fn profile() -> &'static crate::transport::profile::Profile {
                &PROFILE
            }

            fn assemble(
                transport: std::sync::Arc<crate::transport::Transport>,
                settings: $settings,
            ) -> Client {
                Client {
                    scope: crate::transport::Scope::new(transport),
                    settings,
                }
            }
        }

        impl crate::transport::config::Platform for $platform {
            type Settings = $settings;
            type Client = Client;
        }

        impl progenitor_client::ClientHooks<crate::transport::Scope> for crate::raw::$raw::Client {
            async fn pre<E>(
                &self,
                request: &mut reqwest::Request,
                info: &progenitor_client::OperationInfo,
            ) -> Result<(), progenitor_client::Error<E>> {
                self.inner
                    .prepare(request, info.operation_id)
                    .map_err(|stop| progenitor_client::Error::Custom(stop.to_owned()))
            }

            async fn exec(
                &self,
                request: reqwest::Request,
                info: &progenitor_client::OperationInfo,
            ) -> reqwest::Result<reqwest::Response> {
                Ok(self.inner.execute(request, info.operation_id).await)
            }
        }

        $(#[$doc])*
        #[derive(Clone)]
        pub struct Client {
            scope: crate::transport::Scope,
            #[allow(dead_code)] // Most platforms' settings are empty.
            settings: $settings,
        }

        impl Client {
            /// A call of one operation through the generated client.
            pub(crate) fn call<T, F, R>(&self, op: crate::raw::$raw::Op, run: F) -> crate::Call<T>
            where
                T: serde::de::DeserializeOwned + Send + 'static,
                F: FnOnce(crate::raw::$raw::Client) -> R + Send + 'static,
                R: std::future::Future<
                        Output = Result<
                            progenitor_client::ResponseValue<T>,
                            progenitor_client::Error<()>,
                        >,
                    > + Send
                    + 'static,
            {
                crate::Call::new(self.scope_of(op), move |scope| async move {
                    let result = run(Self::raw_on(&scope)).await;
                    crate::transport::reply::finish(&scope, result)
                })
            }

            /// A call that is wrong and will not be sent.
            #[allow(dead_code)]
            pub(crate) fn refused<T: Send + 'static>(
                &self,
                op: crate::raw::$raw::Op,
                error: crate::Error,
            ) -> crate::Call<T> {
                crate::Call::refused(self.scope_of(op), error)
            }

            /// A call with the id of a handle, refused if that is none.
            #[allow(dead_code)]
            pub(crate) fn with<I, T, F>(
                &self,
                op: crate::raw::$raw::Op,
                id: &crate::id::Given<I>,
                call: F,
            ) -> crate::Call<T>
            where
                I: Clone,
                T: Send + 'static,
                F: FnOnce(I) -> crate::Call<T>,
            {
                match id {
                    Ok(id) => call(id.clone()),
                    Err(why) => self.refused(op, crate::Error::invalid_request(why.clone())),
                }
            }

            pub(crate) fn scope_of(&self, op: crate::raw::$raw::Op) -> crate::transport::Scope {
                self.scope.to(super::operations::info(op))
            }

            pub(crate) fn raw_on(scope: &crate::transport::Scope) -> crate::raw::$raw::Client {
                crate::raw::$raw::Client {
                    baseurl: scope.transport().base_url.clone(),
                    client: scope.transport().http.clone(),
                    inner: scope.clone(),
                }
            }

            /// The generated client on the same transport: every operation of the spec, positional
            /// arguments, no conversions. Exempt from semver. Its calls go through
            /// [`raw::sending`](crate::raw::sending).
            #[cfg(feature = "raw")]
            pub fn raw(&self) -> crate::raw::$raw::Client {
                Self::raw_on(&self.scope)
            }

            /// How the buckets of this client's account stand, for a dashboard or a log; none where the
            /// platform documents no rate or pacing is off.
            pub fn pacing(&self) -> Vec<crate::PaceState> {
                self.scope.transport().pacer.state()
            }

            /// The base URL without a slash at its end.
            pub fn base_url(&self) -> &str {
                &self.scope.transport().base_url
            }

            /// A call to an endpoint that has no wrapper, with the same options, credentials, limits
            /// and errors as every other call. The reply is JSON; text becomes a JSON string.
            ///
            /// `path` is appended to the base URL as it is and must begin with `/`. A query goes
            /// through [`Call::query`](crate::Call::query), a body through
            /// [`Call::json`](crate::Call::json).
            ///
            /// # Errors
            /// Those of every call; [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest)
            /// for a path that leads out of the base URL.
            pub fn request(&self, method: http::Method, path: &str) -> crate::Call<serde_json::Value> {
                crate::transport::execute::plain(self.scope.for_run(), method, path)
            }
        }

        impl std::fmt::Debug for Client {
            /// Platform, base URL, and whether there is a token.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.scope.transport(), f)
            }
        }
    };
}
pub(crate) use client;

/// Gives a platform's `Op` its entry in [`OPERATIONS`](crate::OPERATIONS), looked up once.
macro_rules! operation_info {
    ($api:literal, $op:ty) => {
        /// What is known about this operation.
        pub(crate) fn info(op: $op) -> &'static crate::Operation {
            // The table is written by the same build pass as the enum, in the same order.
            static FIRST: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
            let first = *FIRST.get_or_init(|| {
                crate::OPERATIONS
                    .iter()
                    .position(|operation| operation.api == $api)
                    .unwrap_or(0)
            });
            &crate::OPERATIONS[first + op as usize]
        }
    };
}
pub(crate) use operation_info;
