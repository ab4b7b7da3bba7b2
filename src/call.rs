//! A call that has been described and not yet sent.

use crate::error::{Error, ErrorKind, Result};
use crate::operation::Operation;
use crate::page::Pager;
use crate::preview::RequestPreview;
use crate::secret::{Exposed, Secret};
use crate::transport::retry::Retry;
use crate::transport::{CallOptions, Outcome, Scope};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use std::fmt;
use std::future::IntoFuture;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

pub(crate) type Running<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// A call to a platform: `.await` sends it, and nothing is sent before.
///
/// Every method of this crate that talks to a platform returns one, so that the same options exist
/// everywhere:
///
/// ```no_run
/// # async fn example(deploy: impl Fn() -> deploykit::Call<String>) -> deploykit::Result<()> {
/// use std::time::Duration;
/// println!("{}", deploy().preview()?); // look, send nothing
/// let reply = deploy().deadline(Duration::from_secs(20)).with_response().await?;
/// println!("{} took {:?}", reply.status, reply.elapsed);
/// # Ok(()) }
/// ```
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T> {
    scope: Scope,
    refused: Option<Error>,
    run: Box<dyn FnOnce(Scope) -> Running<T> + Send>,
    /// How a list is asked for another page. Lost when the value is turned into another, but for
    /// `map_items`.
    pager: Option<Pager<T>>,
}

/// A value together with what the reply said beside it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Response<T> {
    /// The value.
    pub value: T,
    /// The HTTP status: `202`.
    pub status: u16,
    /// All headers of the reply, without cookies.
    pub headers: ResponseHeaders,
    /// The id that the server gave to this HTTP request, if it gives one.
    pub request_id: Option<String>,
    /// What the platform says about its rate limit.
    pub rate_limit: Option<RateLimit>,
    /// How often sending the request was tried, repetitions included.
    pub attempts: u32,
    /// How long the call took.
    pub elapsed: Duration,
}

/// The headers of a reply. `Debug` shows the values of a few known, harmless ones only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ResponseHeaders(pub(crate) HeaderMap);

impl ResponseHeaders {
    /// The value of a header, if it is there and readable; the name in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.to_str().ok()
    }

    /// All headers.
    pub fn as_map(&self) -> &HeaderMap {
        &self.0
    }
}

impl fmt::Debug for ResponseHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(crate::transport::redact::response_headers(&self.0))
            .finish()
    }
}

/// A platform's rate limit, as the `X-RateLimit-*` headers of a reply state it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateLimit {
    /// How many requests a window has.
    pub limit: Option<u64>,
    /// How many are left in this one.
    pub remaining: Option<u64>,
    /// When the next one begins, in seconds since 1970.
    pub reset: Option<u64>,
}

impl<T: Send + 'static> Call<T> {
    /// A call that runs on a copy of the client's state with this call's options in it.
    pub(crate) fn new<F, R>(scope: Scope, run: F) -> Self
    where
        F: FnOnce(Scope) -> R + Send + 'static,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        Self {
            scope,
            refused: None,
            run: Box::new(move |scope| Box::pin(Exposed(Box::pin(run(scope))))),
            pager: None,
        }
    }

    /// A call that was found to be wrong when it was described.
    pub(crate) fn refused(scope: Scope, error: Error) -> Self {
        let mut call = Self::new(scope, |_| async {
            Err(Error::invalid_request("the call was refused"))
        });
        call.refuse(error);
        call
    }

    /// The same call, with its value turned into another.
    pub(crate) fn and_then<U, F>(self, convert: F) -> Call<U>
    where
        U: Send + 'static,
        F: FnOnce(T) -> Result<U> + Send + 'static,
    {
        let run = self.run;
        Call {
            scope: self.scope,
            refused: self.refused,
            run: Box::new(move |scope| {
                let value = run(scope.clone());
                Box::pin(async move {
                    convert(value.await?)
                        .map_err(|error| crate::transport::reply::complete(error, &scope))
                })
            }),
            pager: None,
        }
    }

    /// The same call, with its value turned into another.
    pub(crate) fn map<U, F>(self, convert: F) -> Call<U>
    where
        U: Send + 'static,
        F: FnOnce(T) -> U + Send + 'static,
    {
        self.and_then(|value| Ok(convert(value)))
    }

    /// The same call, with its value turned into another by one that must not repeat the secrets of
    /// the request.
    pub(crate) fn map_with_secrets<U, F>(self, convert: F) -> Call<U>
    where
        U: Send + 'static,
        F: FnOnce(T, &[Secret]) -> U + Send + 'static,
    {
        let run = self.run;
        Call {
            scope: self.scope,
            refused: self.refused,
            pager: None,
            run: Box::new(move |scope| {
                let value = run(scope.clone());
                Box::pin(async move { Ok(convert(value.await?, &scope.secrets())) })
            }),
        }
    }

    /// The same call, with a failure turned into the success that it stands for.
    #[allow(dead_code)] // Not every platform has such failures.
    pub(crate) fn or_else<F>(self, recover: F) -> Self
    where
        F: FnOnce(Error) -> Result<T> + Send + 'static,
    {
        let run = self.run;
        Self {
            scope: self.scope,
            refused: self.refused,
            run: Box::new(move |scope| {
                let value = run(scope);
                Box::pin(async move { value.await.or_else(recover) })
            }),
            pager: None,
        }
    }

    /// Runs this call as a part of another one, with that one's options.
    #[allow(dead_code)] // Not every platform has calls that are made of several.
    pub(crate) fn within(self, whole: &Scope) -> Running<T> {
        match self.refused {
            Some(error) => Box::pin(std::future::ready(Err(error))),
            None => (self.run)(whole.step(self.scope.operation())),
        }
    }

    pub(crate) fn with_pager(mut self, pager: Pager<T>) -> Self {
        self.pager = Some(pager);
        self
    }

    pub(crate) fn take_pager(&mut self) -> Option<Pager<T>> {
        self.pager.take()
    }

    pub(crate) fn take_refused(&mut self) -> Option<Error> {
        self.refused.take()
    }

    pub(crate) fn options(&mut self) -> &mut CallOptions {
        self.scope.options()
    }

    fn refuse(&mut self, error: Error) {
        let error = error.with_operation(self.scope.operation());
        self.refused.get_or_insert(error);
    }

    /// How long one attempt may take; the client's limit otherwise.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.scope.options().attempt = Some(limit);
        self
    }

    /// How long the whole call may take, waiting included; the client's limit otherwise.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.scope.options().deadline = Some(limit);
        self
    }

    /// When this call is sent again; the client's policy otherwise.
    pub fn retry(mut self, policy: Retry) -> Self {
        self.scope.options().retry = Some(policy);
        self
    }

    /// Takes the caller's word that this call may be sent twice, whatever its method and the spec
    /// say: because a second one changes nothing, or because a second effect does no harm.
    pub fn assume_idempotent(mut self) -> Self {
        self.scope.options().idempotent = true;
        self
    }

    /// Adds a header, for what this crate does not know yet. Its value is never shown.
    ///
    /// Credentials and framing (`Authorization`, `Cookie`, `Host`, `Content-Length`, ...) are
    /// refused, with an error when the call is awaited.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match crate::transport::config::extra_header(name, value) {
            Ok(header) => self.scope.options().headers.push(header),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Adds a query parameter, for what this crate does not know yet. Its value is never shown.
    ///
    /// A name that is known to carry a credential is refused, with an error when the call is
    /// awaited.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        match crate::transport::config::extra_query(&self.scope, name) {
            Ok(()) => {
                let pair = (name.to_owned(), value.to_owned());
                self.scope.options().query.push(pair);
            }
            Err(error) => self.refuse(error),
        }
        self
    }

    pub(crate) fn attach_json(mut self, body: Value) -> Self {
        self.scope.options().json = Some(body);
        self
    }

    /// The operation that is called; `None` for one without a wrapper.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.scope.operation()
    }

    /// The exact request, with secrets left out. Nothing is sent, and no runtime is needed.
    ///
    /// # Errors
    /// Whatever would refuse the call before it is sent.
    pub fn preview(self) -> Result<RequestPreview> {
        if let Some(error) = self.refused {
            return Err(error);
        }
        let scope = self.scope.for_preview();
        let future = pin!((self.run)(scope.clone()));
        let outcome = future.poll(&mut Context::from_waker(Waker::noop()));
        match (scope.take_preview(), outcome) {
            (Some(preview), _) => Ok(preview),
            (None, Poll::Ready(Err(error))) => Err(error),
            (None, _) => Err(Error::new(
                ErrorKind::Unsupported,
                "this call has no request to preview",
            )),
        }
    }

    /// Sends the call and gives status, headers, rate limit, attempts and time beside the value.
    pub fn with_response(self) -> Call<Response<T>> {
        let run = self.run;
        Call {
            scope: self.scope,
            refused: self.refused,
            run: Box::new(move |scope| {
                let value = run(scope.clone());
                Box::pin(async move {
                    let value = value.await?;
                    let outcome = scope.outcome().unwrap_or_default();
                    Ok(outcome.with(value, &scope.secrets()))
                })
            }),
            pager: None,
        }
    }
}

impl Call<Value> {
    /// Sends this value as the JSON body of a request without a wrapper.
    pub fn json(mut self, body: &impl Serialize) -> Self {
        match crate::secret::exposed(|| serde_json::to_value(body)) {
            Ok(body) => self.scope.options().json = Some(body),
            Err(error) => self.refuse(
                Error::invalid_request(format!("the body cannot be written as JSON: {error}"))
                    .with_source(error),
            ),
        }
        self
    }
}

impl<T: Send + 'static> IntoFuture for Call<T> {
    type Output = Result<T>;
    type IntoFuture = Running<T>;

    fn into_future(self) -> Self::IntoFuture {
        let scope = self.scope.for_run();
        let running: Running<T> = match self.refused {
            Some(error) => Box::pin(std::future::ready(Err(error))),
            None => (self.run)(scope.clone()),
        };
        match scope.transport().observer.clone() {
            Some(observer) => Box::pin(observer.watch(scope, running)),
            None => running,
        }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.scope.operation().map(ToString::to_string);
        f.debug_struct("Call")
            .field("operation", &operation)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

impl Outcome {
    fn with<T>(self, value: T, secrets: &[Secret]) -> Response<T> {
        let number = |name: &str| {
            let text = self.headers.get(name)?.to_str().ok()?;
            text.trim().parse::<u64>().ok()
        };
        let rate_limit = RateLimit {
            limit: number("x-ratelimit-limit"),
            remaining: number("x-ratelimit-remaining"),
            reset: number("x-ratelimit-reset"),
        };
        let known = [rate_limit.limit, rate_limit.remaining, rate_limit.reset];
        Response {
            value,
            status: self.status,
            // A server may repeat the id that a caller sent, which counts as a secret.
            request_id: crate::transport::reply::request_id(&self.headers)
                .map(|id| crate::transport::redact::mask(&id, secrets)),
            rate_limit: known.iter().any(Option::is_some).then_some(rate_limit),
            attempts: self.attempts,
            elapsed: self.elapsed,
            headers: ResponseHeaders(without_cookies(self.headers)),
        }
    }
}

fn without_cookies(mut headers: HeaderMap) -> HeaderMap {
    headers.remove(http::header::SET_COOKIE);
    // So that the map itself does not show them in `Debug` either.
    for (name, value) in &mut headers {
        if !crate::transport::redact::is_harmless_in_a_reply(name) {
            value.set_sensitive(true);
        }
    }
    headers
}

/// A header that a caller adds, checked.
pub(crate) type ExtraHeader = (HeaderName, HeaderValue);
