//! Readiness of an application, determined from several signals: check and wait.

mod signals;
mod site_url;

use super::{ApplicationHandle, PodStatus, Reservation};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::phase::Phase;
use crate::raw::nexlayer::Op;
use crate::transport::Scope;
use crate::transport::failure::Target;
use crate::wait::{Schedule, Snapshot, Wait};
use signals::SignalState;
pub(super) use site_url::SiteUrl;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Interval of the vendor's documentation, and deadline of the vendor's command line tool.
const SCHEDULE: Schedule = Schedule::seconds(5, 15, 300);

/// The state of an application; returned by [`ApplicationHandle::check_readiness`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Readiness {
    /// The phase of the application.
    pub phase: Phase,
    /// The signal that determined the phase.
    pub signal: Signal,
    /// The platform's status: `deploying`, `Pending`. Empty if the signal is the site.
    pub raw_status: String,
    /// The human-readable reason why the application is not ready: `the site answers 503`.
    pub reason: Option<String>,
    /// The URL of the site, if known.
    pub url: Option<String>,
    /// The status code of the site's response, if there was one.
    pub site_status: Option<u16>,
    /// The reservation of the application, if any.
    pub reservation: Option<Reservation>,
    /// The pods of the application. Empty if they were not requested.
    pub pods: Vec<PodStatus>,
}

/// A source for the state of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// The state in the reservation.
    Reservation,
    /// The status code of the site.
    Site,
    /// The states of the pods.
    Pods,
}

impl Signal {
    /// All signals, the most reliable one first.
    pub const ALL: [Self; 3] = [Self::Reservation, Self::Site, Self::Pods];
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Reservation => "reservation",
            Self::Site => "site",
            Self::Pods => "pods",
        })
    }
}

impl ApplicationHandle {
    /// Selects the signals to check. Default: [`Signal::ALL`].
    ///
    /// Applies to [`check_readiness`](Self::check_readiness) and [`wait`](Self::wait).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let nexlayer = deploykit_sandbox::Sandbox::builder().in_process().nexlayer()?;
    /// # let manifest = deploykit::nexlayer::Manifest::from_path("examples/nexlayer.yaml")?;
    /// # let deployed = nexlayer.deploy(manifest).await?;
    /// use deploykit::nexlayer::Signal;
    /// let application = deployed.application().signals([Signal::Reservation, Signal::Pods]);
    /// let ready = application.wait().await?; // sends no request to the site
    /// # Ok(()) }
    /// ```
    pub fn signals(mut self, signals: impl IntoIterator<Item = Signal>) -> Self {
        self.signals = signals.into_iter().collect();
        self
    }

    /// Sets the URL of the site: [`Deployed::url`](super::Deployed::url).
    ///
    /// Not needed for a handle from [`Deployed::application`](super::Deployed::application), nor for a
    /// reserved application. Query and fragment are removed. Calls reject a URL that is not `http` or
    /// `https`, contains credentials or the session token, or points to a private network.
    pub fn site_url(mut self, url: impl AsRef<str>) -> Self {
        self.site = self.parse_site_url(url.as_ref()).map(Some);
        self
    }

    /// Sets the URL of the site from a response. Ignores an invalid or unsafe URL.
    pub(super) fn site_url_from_response(mut self, url: Option<&str>) -> Self {
        self.site = Ok(url.and_then(|url| self.parse_site_url(url).ok()));
        self
    }

    fn parse_site_url(&self, url: &str) -> Result<SiteUrl, String> {
        let token = self.session.token().map(crate::Secret::expose);
        let platform = self.session.client.base_url();
        SiteUrl::parse(url, platform, token.unwrap_or_default())
            .map_err(|problem| format!("the URL of the site {problem}"))
    }

    /// Checks the state of the application with up to three requests.
    ///
    /// The platform has no operation for the state. This method requests the [signals](Self::signals) in
    /// this order, until one of them is conclusive:
    ///
    /// 1. The state in the reservation (`GET /getReservations?sessionToken=…`). Any known state is
    ///    conclusive.
    /// 2. The site (`GET` of its URL). A status below 500 is conclusive: even a 401 or 404 comes from a
    ///    running application.
    /// 3. The states of the pods (`POST /getPodsStatus`). A failed pod is conclusive. Running pods are
    ///    conclusive if the site was not requested. If the server lacks this operation, the signal is
    ///    skipped.
    ///
    /// A failed request is ignored if another signal shows a state.
    ///
    /// The request to the site contains no API key, session token or cookie, and no header or query parameter
    /// that you add to the call. Its timeout is 10 s. A redirect is not followed, but counts as a response.
    /// The body is not read. A URL in a private network is requested only if the platform itself is in one.
    /// The request uses the client's proxy, but a separate connection pool if you set
    /// [an HTTP client](crate::ClientBuilder::http_client). It is not reported to observers.
    ///
    /// Call options apply to each request to the platform; the deadline applies to all requests
    /// together. A [preview](Call::preview) shows the first request.
    ///
    /// # Errors
    /// - [`NotFound`](ErrorKind::NotFound) for an application that is not in the session;
    /// - [`Gone`](ErrorKind::Gone) for a session that has ended;
    /// - [`Unsupported`](ErrorKind::Unsupported) if no signal shows a state;
    /// - [`InvalidRequest`](ErrorKind::InvalidRequest) if no signal is selected.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn check_readiness(&self) -> Call<Readiness> {
        self.readiness_call(MissingPodsRoute::default())
    }

    /// Waits until the application is ready, and returns its state.
    ///
    /// Polls [`check_readiness`](Self::check_readiness) immediately, then at intervals that grow from 5 s
    /// to 15 s, for up to 5 minutes. [`Wait`] has methods to change these defaults.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let nexlayer = deploykit_sandbox::Sandbox::builder().in_process().nexlayer()?;
    /// # std::env::set_current_dir("examples").unwrap();
    /// use deploykit::nexlayer::Manifest;
    /// let deployed = nexlayer.deploy(Manifest::from_path("nexlayer.yaml")?).await?;
    /// let ready = deployed.application().wait().on_change(|now| println!("{:?}", now.reason)).await?;
    /// println!("{:?} is ready (signal: {})", ready.url, ready.signal);
    /// # Ok(()) }
    /// ```
    ///
    /// Limits:
    ///
    /// - A site that does not respond may be starting, broken or removed, so the wait continues until its
    ///   deadline.
    /// - The end of an application is detected only when the platform no longer knows the application or
    ///   its session.
    /// - After a redeploy, the old version may still respond at the same URL.
    ///
    /// # Errors
    /// - [`WaitFailed`](ErrorKind::WaitFailed) for a failed reservation or pod;
    /// - [`WaitTimedOut`](ErrorKind::WaitTimedOut) at the deadline;
    /// - [`Gone`](ErrorKind::Gone) if the platform does not know the application or the session;
    /// - the errors of [`check_readiness`](Self::check_readiness) and [`Wait`].
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn wait(&self) -> Wait<Readiness> {
        // Shared by all polls, so that only the first one requests a missing route.
        let (application, missing) = (self.clone(), MissingPodsRoute::default());
        let id = self.name().ok().map(ToString::to_string);
        Wait::new("nexlayer application", id, SCHEDULE, move || {
            application.readiness_call(missing.clone()).map(|now| {
                let reason = now.reason.clone();
                Snapshot::new(now.phase, now.raw_status.clone(), now).reason(reason)
            })
        })
    }

    fn readiness_call(&self, missing: MissingPodsRoute) -> Call<Readiness> {
        let application = self.clone();
        let client = &self.session.client;
        let mut signals = Signal::ALL.iter();
        let first = signals.find(|signal| self.signals.contains(signal));
        let scope = match first {
            Some(Signal::Site) => client.scope_of(Op::GetReservations).step(None),
            Some(Signal::Pods) => client.scope_of(Op::GetPodsStatus),
            _ => client.scope_of(Op::GetReservations),
        };
        Call::new(scope, move |scope| async move {
            let limit = scope.deadline();
            let readiness = application.query_signals(&scope, &missing);
            // A preview ends at the first request and must run without Tokio's timer.
            if scope.state().preview_only {
                return readiness.await;
            }
            let timed_out = |_| Err(Target::READ.timed_out(limit));
            let result = tokio::time::timeout(limit, readiness).await;
            result.unwrap_or_else(timed_out)
        })
    }

    async fn query_signals(&self, scope: &Scope, missing: &AtomicBool) -> Result<Readiness> {
        if self.signals.is_empty() {
            return Err(Error::invalid_request("no signal is selected"));
        }
        let is_selected = |signal| self.signals.contains(&signal);
        let name = self.name()?;
        let mut site = self.site.clone().map_err(Error::invalid_request)?;
        let mut readiness = Readiness {
            phase: Phase::Unknown,
            signal: Signal::Reservation,
            raw_status: String::new(),
            reason: None,
            url: site.as_ref().map(|site| site.as_url().to_string()),
            site_status: None,
            reservation: None,
            pods: Vec::new(),
        };
        let mut inconclusive: Option<SignalState> = None;
        let mut ignored_error = None;

        if is_selected(Signal::Reservation) {
            match self
                .session
                .reservations()
                .list()
                .complete()
                .within(scope)
                .await
            {
                Ok(list) => {
                    let mut list = list.into_iter();
                    readiness.reservation =
                        list.find(|item| item.application_name.as_ref() == Some(name));
                }
                Err(error) => ignored_error = Some(ignorable(error)?),
            }
        }
        if let Some(reservation) = &readiness.reservation {
            if site.is_none() {
                readiness.url.clone_from(&reservation.url);
                let url = reservation.url.as_deref();
                site = url.and_then(|url| self.parse_site_url(url).ok());
            }
            let status = reservation.status.as_ref();
            inconclusive = status
                .and_then(|status| status.state.as_ref())
                .map(SignalState::of_reservation);
            if let Some(state) = inconclusive.take_if(|state| state.phase != Phase::Unknown) {
                return Ok(readiness.with_state(state));
            }
        }

        let site = site.filter(|_| is_selected(Signal::Site));
        if let Some(site) = &site {
            readiness.site_status = scope.step(None).probe(site.as_url()).await?;
            let state = SignalState::of_site(readiness.site_status);
            if state.phase == Phase::Ready {
                return Ok(readiness.with_state(state));
            }
            inconclusive = Some(SignalState::merge(inconclusive, state));
        }

        if is_selected(Signal::Pods) && !missing.load(Ordering::Relaxed) {
            match self.pods().list().complete().within(scope).await {
                Ok(page) => readiness.pods = page.items,
                Err(error) if error.kind() == ErrorKind::NoSuchRoute => {
                    missing.store(true, Ordering::Relaxed);
                }
                Err(error) => {
                    let error = ignorable(error)?;
                    ignored_error.get_or_insert(error);
                }
            }
        }
        if let Some(state) = SignalState::of_pods(&readiness.pods) {
            let is_conclusive = match state.phase {
                Phase::Failed => true,
                Phase::Unknown => false,
                // Pods may run before the site responds.
                _ => site.is_none(),
            };
            if is_conclusive {
                return Ok(readiness.with_state(state));
            }
            inconclusive = Some(SignalState::merge(inconclusive, state));
        }

        match (inconclusive, ignored_error) {
            // Return the error, because the caller must respect its `retry_after`.
            (_, Some(error)) if error.kind() == ErrorKind::RateLimited => Err(error),
            (Some(state), _) => Ok(readiness.with_state(state)),
            (None, Some(error)) => Err(error),
            (None, None) => Err(no_signal()),
        }
    }
}

/// True after a response showed that the server has no route for pods.
type MissingPodsRoute = Arc<AtomicBool>;

impl Readiness {
    fn with_state(self, state: SignalState) -> Self {
        Self {
            phase: state.phase,
            signal: state.signal,
            raw_status: state.raw_status,
            reason: state.reason,
            ..self
        }
    }
}

/// Returns `Ok` for an error that does not end the check, because other signals may be conclusive.
fn ignorable(error: Error) -> Result<Error> {
    match error.kind() {
        ErrorKind::Unauthenticated if error.code() == Some("TOKEN_EXPIRED") => {
            Err(session_ended(error))
        }
        ErrorKind::InvalidRequest
        | ErrorKind::Configuration
        | ErrorKind::Unauthenticated
        | ErrorKind::NotFound => Err(error),
        _ => Ok(error),
    }
}

/// The error for an expired session token: a session ends with its last application and reservation.
///
/// Source: <https://nexlayer.com/docs/api/authentication>
fn session_ended(error: Error) -> Error {
    Error::new(ErrorKind::Gone, "the session and its applications ended")
        .with_code(error.code().map(str::to_owned))
        .with_status(error.status())
        .with_operation(error.operation())
        .with_attempts(error.attempts(), error.elapsed())
        .with_effect(Effect::None)
        .with_source(error)
}

fn no_signal() -> Error {
    let message = "no signal shows the state of the application: it has no reservation with a state, and neither its site nor its pods answer";
    let advice =
        "set the URL of its site with ApplicationHandle::site_url, or use Deployed::application";
    Error::new(ErrorKind::Unsupported, message)
        .with_effect(Effect::None)
        .with_advice(advice)
}
