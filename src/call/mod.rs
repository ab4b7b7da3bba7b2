//! `Call`: a request with its options, sent when it is awaited.

mod request;
mod response;
#[cfg(any(feature = "dployr", feature = "edgegap"))]
mod steps;

pub use crate::transport::observer::{CallEnd, CallReport};
pub use crate::transport::rate_limit::RateLimit;
pub(crate) use request::request;
pub use response::{Response, ResponseHeaders};
#[cfg(any(feature = "dployr", feature = "edgegap"))]
pub(crate) use steps::{Steps, in_steps};

use crate::error::{Error, ErrorKind, Result};
use crate::operation::Operation;
use crate::preview::RequestPreview;
use crate::secret::{ExposingFuture, Secret, expose_secrets};
use crate::transport::failure::Target;
use crate::transport::headers::{extra_header, extra_query};
use crate::transport::observer::observed;
use crate::transport::retry::Retry;
use crate::transport::send::network_error;
use crate::transport::{CallOptions, Scope};
use http::Method;
use serde_json::Value;
use std::fmt;
use std::future::IntoFuture;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// The future of a call.
pub(crate) type Running<T> = ExposingFuture<'static, Result<T>>;
type Run<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

/// A call to a platform. Nothing is sent until it is awaited.
///
/// Every operation is a method that returns a `Call`, with the same options:
///
/// ```no_run
/// # async fn example(deploy: impl Fn() -> deploykit::Call<String>) -> deploykit::Result<()> {
/// use std::time::Duration;
/// println!("{}", deploy().preview()?); // sends nothing
/// let response = deploy().deadline(Duration::from_secs(20)).with_response().await?;
/// println!("{} took {:?}", response.status, response.elapsed);
/// # Ok(()) }
/// ```
///
/// # Errors
/// The kinds of errors that every call can return; the methods list only errors with a special meaning:
///
/// | [`ErrorKind`] | cause |
/// |---|---|
/// | `InvalidRequest` | an argument or option is invalid; nothing was sent |
/// | `Unauthenticated`, `Forbidden` | missing, expired or insufficient credentials |
/// | `NotFound`, `NoSuchRoute`, `Unsupported` | no such resource; no such endpoint on this server |
/// | `Rejected`, `Conflict`, `PlanLimit`, `Quota` | the platform rejected the request |
/// | `RateLimited`, `SpendLimit` | too many requests; `max_creates` is used up |
/// | `Server`, `Unavailable`, `Redirected` | the platform failed, or redirected the request |
/// | `Connect`, `Timeout`, `Interrupted` | the network failed |
/// | `Decode` | the response has an unexpected format |
///
/// Check [`Error::effect`] before you retry a call that must not happen twice.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<T> {
    scope: Scope,
    /// The error of an invalid option, which the call returns.
    refused: Option<Error>,
    run: Box<dyn FnOnce(Scope) -> Run<T> + Send>,
    /// Requests the other pages of a list. Lost when the value is converted, except by `map_items`.
    pager: Option<Pager<T>>,
}

impl<T: Send + 'static> Call<T> {
    /// A call that runs in this scope.
    pub(crate) fn new<F, R>(scope: Scope, run: F) -> Self
    where
        F: FnOnce(Scope) -> R + Send + 'static,
        R: Future<Output = Result<T>> + Send + 'static,
    {
        Self {
            scope,
            refused: None,
            run: Box::new(move |scope| Box::pin(run(scope))),
            pager: None,
        }
    }

    /// Converts the result. The pager is lost.
    pub(crate) fn then<U, F>(self, convert: F) -> Call<U>
    where
        U: Send + 'static,
        F: FnOnce(Result<T>, &Scope) -> Result<U> + Send + 'static,
    {
        let run = self.run;
        Call {
            scope: self.scope,
            refused: self.refused,
            run: Box::new(move |scope| {
                let running = run(scope.clone());
                Box::pin(async move { convert(running.await, &scope) })
            }),
            pager: None,
        }
    }

    /// Converts the value.
    pub(crate) fn map<U, F>(self, convert: F) -> Call<U>
    where
        U: Send + 'static,
        F: FnOnce(T) -> U + Send + 'static,
    {
        self.then(|result, _| result.map(convert))
    }

    /// Converts the value, given the secrets of the request, which the new value must not contain.
    pub(crate) fn map_with_secrets<U, F>(self, convert: F) -> Call<U>
    where
        U: Send + 'static,
        F: FnOnce(T, &[Secret]) -> U + Send + 'static,
    {
        self.then(|result, scope| Ok(convert(result?, &scope.secrets())))
    }

    /// Converts an error to a value if it means success.
    pub(crate) fn or_else<F>(self, recover: F) -> Self
    where
        F: FnOnce(Error) -> Result<T> + Send + 'static,
    {
        self.then(|result, _| result.or_else(recover))
    }

    /// Runs this call as a part of another call, with the options of that call.
    pub(crate) fn within(mut self, outer: &Scope) -> Running<T> {
        self.scope = outer.step(self.scope.operation);
        self.start()
    }

    fn start(self) -> Running<T> {
        ExposingFuture::new(match self.refused {
            Some(error) => Box::pin(std::future::ready(Err(error))),
            None => (self.run)(self.scope),
        })
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
        &mut self.scope.options
    }

    fn refuse(&mut self, error: Error) {
        let error = error.with_operation(self.scope.operation);
        self.refused.get_or_insert(error);
    }

    /// Timeout of one attempt. Default: the client's timeout.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.scope.options.attempt_timeout = Some(limit);
        self
    }

    /// Deadline of the call, retries and waits included.
    ///
    /// Default: the client's deadline.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.scope.options.deadline = Some(limit);
        self
    }

    /// Retry policy of this call. Default: the client's policy.
    pub fn retry(mut self, policy: Retry) -> Self {
        self.scope.options.retry = Some(policy);
        self
    }

    /// Declares the call idempotent: it is retried regardless of method and spec.
    ///
    /// Use it if a repeated request does no harm.
    pub fn assume_idempotent(mut self) -> Self {
        self.scope.options.idempotent = true;
        self
    }

    /// Adds a header. Its value is redacted in previews and errors.
    ///
    /// # Errors
    /// When awaited: [`ErrorKind::InvalidRequest`] for headers that the client sets (`Authorization`,
    /// `Cookie`, `Host`, `Content-Length`, ...).
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match extra_header(name, value) {
            Ok(header) => self.scope.options.headers.push(header),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Adds a query parameter. Its value is redacted in previews and errors.
    ///
    /// # Errors
    /// When awaited: [`ErrorKind::InvalidRequest`] for parameters that carry a credential.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        match extra_query(&self.scope, name) {
            Ok(()) => {
                let pair = (name.to_owned(), value.to_owned());
                self.scope.options.query.push(pair);
            }
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Sets a field of the JSON body, such as one without a method. Its value is redacted in previews and
    /// errors.
    ///
    /// # Errors
    /// When awaited: [`ErrorKind::InvalidRequest`] if the body of the request is not a JSON object.
    pub fn body_field(mut self, name: &str, value: impl Into<Value>) -> Self {
        let field = (name.to_owned(), value.into());
        self.scope.options.body_fields.push(field);
        self
    }

    pub(crate) fn attach_json(mut self, body: Value) -> Self {
        self.scope.options.json = Some(body);
        self
    }

    /// The operation of this call; `None` for a call without a wrapper.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.scope.operation
    }

    /// The exact request, with secrets redacted. Sends nothing and needs no runtime.
    ///
    /// # Errors
    /// Errors that occur before the request is sent, such as invalid arguments.
    pub fn preview(self) -> Result<RequestPreview> {
        if let Some(error) = self.refused {
            return Err(error);
        }
        let scope = self.scope;
        scope.state().preview_only = true;
        let mut future = (self.run)(scope.clone());
        let mut context = Context::from_waker(Waker::noop());
        let outcome = expose_secrets(|| future.as_mut().poll(&mut context));
        let preview = scope.state().preview.take();
        match (preview, outcome) {
            (Some(preview), _) => Ok(preview),
            (None, Poll::Ready(Err(error))) => Err(error),
            (None, _) => Err(Error::new(
                ErrorKind::Unsupported,
                "this call has no request to preview",
            )),
        }
    }

    /// Returns the value with status, headers, rate limit, attempts and duration.
    pub fn with_response(self) -> Call<Response<T>> {
        self.then(|result, scope| Ok(Response::new(result?, scope)))
    }
}

impl<T: Send + 'static> IntoFuture for Call<T> {
    type Output = Result<T>;
    type IntoFuture = Running<T>;

    fn into_future(self) -> Self::IntoFuture {
        match self.scope.transport.observer.clone() {
            Some(observer) => {
                let scope = self.scope.clone();
                ExposingFuture::new(Box::pin(observed(observer, scope, self.start())))
            }
            None => self.start(),
        }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operation = self.scope.operation.map(ToString::to_string);
        f.debug_struct("Call")
            .field("operation", &operation)
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}

/// Page number and page size of a list request. `None` selects the platform's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageRequest {
    pub page: Option<u32>,
    pub size: Option<u32>,
}

impl PageRequest {
    /// Number and size, as arguments of the generated clients.
    pub fn parameters(self) -> Result<(Option<i64>, Option<i64>)> {
        for (name, number) in [("page", self.page), ("page size", self.size)] {
            if number == Some(0) {
                return Err(Error::invalid_request(format!("the {name} is zero")));
            }
        }
        Ok((self.page.map(i64::from), self.size.map(i64::from)))
    }
}

/// Pagination of a platform.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paging {
    /// Largest page size that the platform accepts.
    pub largest: u32,
}

/// Requests any page of a list.
pub(crate) struct Pager<P> {
    pub make: Arc<dyn Fn(PageRequest) -> Call<ReceivedPage<P>> + Send + Sync>,
    pub paging: Paging,
    /// The page requested by the call.
    pub page_request: PageRequest,
}

/// A page after filtering, with number and fingerprint of the received records.
pub(crate) struct ReceivedPage<P> {
    pub page: P,
    /// Number of received records, before filtering.
    pub received: usize,
    /// Hash of the received records, and their size as JSON, in bytes. `None` if they cannot be serialized.
    pub fingerprint: Option<(u64, usize)>,
}

/// Runs one request of a call that sends several.
pub(crate) async fn step<T>(
    scope: &Scope,
    request: impl Future<Output = std::result::Result<T, Stop>> + Send,
) -> Result<T> {
    let result = ExposingFuture::new(Box::pin(request)).await;
    result.map_err(|stop| stop.into_error(scope))
}

/// The error of a wrapper's closure.
pub(crate) enum Stop {
    /// An argument is invalid, or the response cannot be converted.
    Error(Error),
    /// The generated client failed; the pipeline's error is in the scope.
    Raw(Box<progenitor_client::Error<()>>),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<progenitor_client::Error<()>> for Stop {
    fn from(error: progenitor_client::Error<()>) -> Self {
        Self::Raw(Box::new(error))
    }
}

/// The reason why an argument is invalid.
impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Error(Error::invalid_request(why))
    }
}

impl Stop {
    /// The error of the call.
    pub(crate) fn into_error(self, scope: &Scope) -> Error {
        use progenitor_client::Error as Raw;
        let raw = match self {
            Self::Error(error) => return scope.complete(error),
            Self::Raw(raw) => *raw,
        };
        let failed = scope.state().error.take();
        if let Some(error) = failed {
            return error;
        }
        let target = Target {
            operation: scope.operation,
            // Used only without an operation.
            method: Method::POST,
            pace: None,
        };
        scope.complete(match raw {
            Raw::InvalidResponsePayload(bytes, error) => {
                scope.decode_error(&bytes, &error, &target)
            }
            Raw::CommunicationError(error) => network_error(error, &target),
            Raw::InvalidRequest(why) => Error::invalid_request(why),
            // `prepare` rejected the request. Previews do not get here.
            Raw::Custom(why) => Error::invalid_request(format!("the request was not sent: {why}")),
            // The pipeline returns complete success responses only.
            _ => Error::new(ErrorKind::Decode, "unexpected response"),
        })
    }
}
