//! A call that has been described and not yet sent.

mod next_page;
mod request;
mod response;

pub use crate::transport::observer::{CallEnd, CallReport};
pub use crate::transport::rate_limit::RateLimit;
pub(crate) use next_page::{PageRequest, Pager, Paging, ReceivedPage};
pub(crate) use request::request;
pub use response::{Response, ResponseHeaders};

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
use std::task::{Context, Poll, Waker};
use std::time::Duration;

/// A call under way.
pub(crate) type Running<T> = ExposingFuture<'static, Result<T>>;
type Run<T> = Pin<Box<dyn Future<Output = Result<T>> + Send>>;

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
    run: Box<dyn FnOnce(Scope) -> Run<T> + Send>,
    /// Requests the other pages of a list. Lost when the value is converted, except by `map_items`.
    pager: Option<Pager<T>>,
}

impl<T: Send + 'static> Call<T> {
    /// A call that runs in this scope, with this call's options in it.
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

    /// The same call, with its result turned into another. The pager is lost.
    fn then<U, F>(self, convert: F) -> Call<U>
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

    /// The same call, with its value turned into another.
    pub(crate) fn map<U, F>(self, convert: F) -> Call<U>
    where
        U: Send + 'static,
        F: FnOnce(T) -> U + Send + 'static,
    {
        self.then(|result, _| result.map(convert))
    }

    /// The same call, with its value turned into one that must not repeat the secrets of the request.
    pub(crate) fn map_with_secrets<U, F>(self, convert: F) -> Call<U>
    where
        U: Send + 'static,
        F: FnOnce(T, &[Secret]) -> U + Send + 'static,
    {
        self.then(|result, scope| Ok(convert(result?, &scope.secrets())))
    }

    /// The same call, with a failure turned into the success that it stands for.
    pub(crate) fn or_else<F>(self, recover: F) -> Self
    where
        F: FnOnce(Error) -> Result<T> + Send + 'static,
    {
        self.then(|result, _| result.or_else(recover))
    }

    /// Runs this call as a part of another one, with that one's options.
    pub(crate) fn within(mut self, whole: &Scope) -> Running<T> {
        self.scope = whole.step(self.scope.operation);
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

    /// How long one attempt may take; the client's limit otherwise.
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.scope.options.attempt = Some(limit);
        self
    }

    /// How long the whole call may take, waiting included; the client's limit otherwise.
    pub fn deadline(mut self, limit: Duration) -> Self {
        self.scope.options.deadline = Some(limit);
        self
    }

    /// When this call is sent again; the client's policy otherwise.
    pub fn retry(mut self, policy: Retry) -> Self {
        self.scope.options.retry = Some(policy);
        self
    }

    /// Takes the caller's word that this call may be sent twice, whatever its method and the spec
    /// say: because a second one changes nothing, or because a second effect does no harm.
    pub fn assume_idempotent(mut self) -> Self {
        self.scope.options.idempotent = true;
        self
    }

    /// Adds a header, for what this crate does not know yet. Its value is never shown.
    ///
    /// Credentials and framing (`Authorization`, `Cookie`, `Host`, `Content-Length`, ...) are
    /// refused, with an error when the call is awaited.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match extra_header(name, value) {
            Ok(header) => self.scope.options.headers.push(header),
            Err(error) => self.refuse(error),
        }
        self
    }

    /// Adds a query parameter, for what this crate does not know yet. Its value is never shown.
    ///
    /// A name that is known to carry a credential is refused, with an error when the call is
    /// awaited.
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

    pub(crate) fn attach_json(mut self, body: Value) -> Self {
        self.scope.options.json = Some(body);
        self
    }

    /// The operation that is called; `None` for one without a wrapper.
    pub fn operation(&self) -> Option<&'static Operation> {
        self.scope.operation
    }

    /// The exact request, with secrets left out. Nothing is sent, and no runtime is needed.
    ///
    /// # Errors
    /// Whatever would refuse the call before it is sent.
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

    /// Sends the call and gives status, headers, rate limit, attempts and time beside the value.
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

/// One request of a call that makes several.
pub(crate) async fn step<T>(
    scope: &Scope,
    request: impl Future<Output = std::result::Result<T, Stop>> + Send,
) -> Result<T> {
    let result = ExposingFuture::new(Box::pin(request)).await;
    result.map_err(|stop| stop.into_error(scope))
}

/// Why the closure of a wrapper stopped.
pub(crate) enum Stop {
    /// An argument is wrong, or the response cannot be converted.
    Error(Error),
    /// The generated client stopped; what the pipeline knows of it waits in the scope.
    Raw(progenitor_client::Error<()>),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<progenitor_client::Error<()>> for Stop {
    fn from(error: progenitor_client::Error<()>) -> Self {
        Self::Raw(error)
    }
}

/// Why an id or another argument that was checked before is invalid.
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
            Self::Raw(raw) => raw,
        };
        let failed = scope.state().error.take();
        if let Some(error) = failed {
            return error;
        }
        let target = Target {
            operation: scope.operation,
            // It counts only without an operation.
            method: Method::POST,
        };
        scope.complete(match raw {
            Raw::InvalidResponsePayload(bytes, error) => {
                scope.decode_error(&bytes, &error, &target)
            }
            Raw::CommunicationError(error) => network_error(error, &target),
            Raw::InvalidRequest(why) => Error::invalid_request(why),
            // `prepare` refused it. A preview is taken from the scope before anybody sees this.
            Raw::Custom(why) => Error::invalid_request(format!("the request was not sent: {why}")),
            // The pipeline hands on nothing but whole successes.
            _ => Error::new(ErrorKind::Decode, "the reply was not expected"),
        })
    }
}
