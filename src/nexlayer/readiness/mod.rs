//! The readiness of an application, from several signals, and the wait for it.

mod signals;
mod site_url;

use super::{Application, PodStatus, Reservation};
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

/// The vendor's documents poll after 5 s; its command line gives up after 5 minutes.
const SCHEDULE: Schedule = Schedule::seconds(5, 15, 300);

/// The state of an application; see [`Application::readiness`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Readiness {
    /// The phase.
    pub phase: Phase,
    /// The signal that showed it.
    pub signal: Signal,
    /// The platform's word: `deploying`, `Pending`. Empty if it has none, as for a site.
    pub raw_status: String,
    /// Why it is not up, for people: `the site answers 503`.
    pub reason: Option<String>,
    /// The address of its site, if known.
    pub url: Option<String>,
    /// The status that its site answered, if any.
    pub site_status: Option<u16>,
    /// Its reservation, if any.
    pub reservation: Option<Reservation>,
    /// Its pods, if asked for.
    pub pods: Vec<PodStatus>,
}

/// A source of information about the state of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// The state in its reservation.
    Reservation,
    /// Whether its site answers.
    Site,
    /// The states of its pods.
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

impl Application {
    /// Selects the signals for [`readiness`](Self::readiness) and [`wait`](Self::wait). Default:
    /// [`Signal::ALL`].
    ///
    /// ```no_run
    /// # async fn example(started: deploykit::nexlayer::Started) -> deploykit::Result<()> {
    /// use deploykit::nexlayer::Signal;
    /// let application = started.application().signals([Signal::Reservation, Signal::Pods]);
    /// let ready = application.wait().await?; // without a request to its site
    /// # Ok(()) }
    /// ```
    pub fn signals(mut self, signals: impl IntoIterator<Item = Signal>) -> Self {
        self.signals = signals.into_iter().collect();
        self
    }

    /// Sets the address of the site: the [`url`](super::Started::url) of the response to the start.
    ///
    /// [`Started::application`](super::Started::application) has it already, and a reservation contains
    /// it. Query and fragment are removed. [`readiness`](Self::readiness) refuses an address that is not
    /// `http` or `https`, or contains credentials or the session token.
    pub fn at(mut self, url: impl AsRef<str>) -> Self {
        self.site = self.site_at(url.as_ref()).map(Some);
        self
    }

    /// Sets an address that the platform gave. Ignores one that must not be asked.
    pub(super) fn given_site(mut self, url: Option<&str>) -> Self {
        self.site = Ok(url.and_then(|url| self.site_at(url).ok()));
        self
    }

    fn site_at(&self, url: &str) -> Result<SiteUrl, String> {
        let token = self.session.token().map(crate::Secret::expose);
        let platform = self.session.client.base_url();
        SiteUrl::read(url, platform, token.unwrap_or_default())
            .map_err(|why| format!("the address of the site {why}"))
    }

    /// The current state of the application, from up to three signals.
    ///
    /// The platform's documented API does not report it. The signals are asked in this order until one
    /// is conclusive; [`signals`](Self::signals) selects them:
    ///
    /// 1. the state in its reservation (`GET /getReservations?sessionToken=…`). Every known state is
    ///    conclusive;
    /// 2. its site: a `GET` of the address that the platform gave. A status below 500 means that it is
    ///    up, including 401 and 404, which only a running application can answer. Anything else is
    ///    inconclusive;
    /// 3. its pods (`POST /getPodsStatus`): a failed pod is conclusive. Running pods are conclusive if
    ///    no site was asked. A server without the operation is ignored.
    ///
    /// The request to the site carries nothing of the client: no API key, session token, added header,
    /// added query or cookie. Redirects count as an answer and are not followed, the body is not read,
    /// and the timeout is 10 s. It uses the client's connections (or separate ones for
    /// [a client of the program](crate::ClientBuilder::http_client)), so a proxy sees the address. A
    /// recorder gets the request without an operation; the client's observer does not see it. Addresses
    /// of this machine or of a private network are not asked, unless the platform has one, too.
    ///
    /// Options of the call apply to each request to the platform, its deadline to all of them together.
    /// A [preview](Call::preview) shows the first request. A failed signal is ignored if another one
    /// says something.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for an application that is not in the session,
    /// [`Gone`](ErrorKind::Gone) when the session has ended, [`Unsupported`](ErrorKind::Unsupported)
    /// when no signal says anything, [`InvalidRequest`](ErrorKind::InvalidRequest) without a signal.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn readiness(&self) -> Call<Readiness> {
        self.check(NoPods::default())
    }

    /// Waits until the application is up.
    ///
    /// Polls its [`readiness`](Self::readiness) at once, and then every 5 s to 15 s for up to 5 minutes;
    /// see [`Wait`] for how to change that.
    ///
    /// ```no_run
    /// # async fn example(nexlayer: deploykit::nexlayer::Client) -> deploykit::Result<()> {
    /// use deploykit::nexlayer::Manifest;
    /// let started = nexlayer.start(Manifest::from_path("nexlayer.yaml")?).await?;
    /// let ready = started.application().wait().on_change(|seen| println!("{:?}", seen.reason)).await?;
    /// println!("{:?} is up (signal: {})", ready.url, ready.signal);
    /// # Ok(()) }
    /// ```
    ///
    /// Limits: a site that does not answer may not have started, be broken or be gone, so the wait goes
    /// on until its deadline. The end of an application is seen only when the platform no longer knows
    /// the application or its session. After a redeploy, the old version may still answer at the same
    /// address.
    ///
    /// # Errors
    /// [`WaitFailed`](crate::ErrorKind::WaitFailed) when its reservation or one of its pods has failed,
    /// [`WaitTimedOut`](crate::ErrorKind::WaitTimedOut), [`Gone`](crate::ErrorKind::Gone) when the
    /// platform does not know it or the session, and those of [`Wait`] and
    /// [`readiness`](Self::readiness).
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn wait(&self) -> Wait<Readiness> {
        let (application, no_pods) = (self.clone(), NoPods::default());
        let id = self.name().ok().map(str::to_owned);
        // Shared by all polls, so that a missing route is requested once.
        Wait::new("nexlayer application", id, SCHEDULE, move || {
            application.check(no_pods.clone()).map(|seen| {
                let reason = seen.reason.clone();
                Snapshot::new(seen.phase, seen.raw_status.clone(), seen).reason(reason)
            })
        })
    }
}

/// Whether the server is known to lack the route for pods.
type NoPods = Arc<AtomicBool>;

impl Application {
    fn check(&self, no_pods: NoPods) -> Call<Readiness> {
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
            let check = application.ask(&scope, &no_pods);
            // A preview ends at the first request, and needs no clock.
            if scope.state().preview_only {
                return check.await;
            }
            let timed_out = |_| Err(Target::READ.timed_out(limit));
            let result = tokio::time::timeout(limit, check).await;
            result.unwrap_or_else(timed_out)
        })
    }

    async fn ask(&self, scope: &Scope, no_pods: &AtomicBool) -> Result<Readiness> {
        if self.signals.is_empty() {
            return Err(Error::invalid_request("no signal is selected"));
        }
        let asks = |signal| self.signals.contains(&signal);
        let name = self.name()?;
        let mut site = self.site.clone().map_err(Error::invalid_request)?;
        let mut seen = Readiness {
            phase: Phase::Unknown,
            signal: Signal::Reservation,
            raw_status: String::new(),
            reason: None,
            url: site.as_ref().map(|site| site.url().to_string()),
            site_status: None,
            reservation: None,
            pods: Vec::new(),
        };
        let mut inconclusive: Option<SignalState> = None;
        let mut fault = None;

        if asks(Signal::Reservation) {
            match self.session.reservations().within(scope).await {
                Ok(list) => {
                    let mut list = list.into_iter();
                    seen.reservation =
                        list.find(|item| item.application_name.as_deref() == Some(name));
                }
                Err(error) => fault = Some(tolerated(error)?),
            }
        }
        if let Some(reservation) = &seen.reservation {
            if site.is_none() {
                seen.url.clone_from(&reservation.url);
                let url = reservation.url.as_deref();
                site = url.and_then(|url| self.site_at(url).ok());
            }
            let status = reservation.status.as_ref();
            inconclusive = status
                .and_then(|status| status.state.as_ref())
                .map(SignalState::of_reservation);
            if let Some(state) = inconclusive.take_if(|state| state.phase != Phase::Unknown) {
                return Ok(seen.concluded(state));
            }
        }

        let site = site.filter(|_| asks(Signal::Site));
        if let Some(site) = &site {
            seen.site_status = scope.step(None).probe(site.url()).await?;
            let state = SignalState::of_site(seen.site_status);
            if state.phase == Phase::Ready {
                return Ok(seen.concluded(state));
            }
            inconclusive = Some(SignalState::join(inconclusive, state));
        }

        if asks(Signal::Pods) && !no_pods.load(Ordering::Relaxed) {
            match self.pods().within(scope).await {
                Ok(page) => seen.pods = page.items,
                Err(error) if error.kind() == ErrorKind::NoSuchRoute => {
                    no_pods.store(true, Ordering::Relaxed);
                }
                Err(error) => {
                    let error = tolerated(error)?;
                    fault.get_or_insert(error);
                }
            }
        }
        if let Some(state) = SignalState::of_pods(&seen.pods) {
            let is_conclusive = match state.phase {
                Phase::Failed => true,
                Phase::Unknown => false,
                // Running pods do not overrule a site that does not answer.
                _ => site.is_none(),
            };
            if is_conclusive {
                return Ok(seen.concluded(state));
            }
            inconclusive = Some(SignalState::join(inconclusive, state));
        }

        match (inconclusive, fault) {
            (_, Some(fault)) if fault.kind() == ErrorKind::RateLimited => Err(fault),
            (Some(state), _) => Ok(seen.concluded(state)),
            (None, Some(fault)) => Err(fault),
            (None, None) => Err(no_signal()),
        }
    }
}

impl Readiness {
    fn concluded(self, state: SignalState) -> Self {
        Self {
            phase: state.phase,
            signal: state.signal,
            raw_status: state.raw_status,
            reason: state.reason,
            ..self
        }
    }
}

/// The failure of a signal, if another signal may still say something.
fn tolerated(error: Error) -> Result<Error> {
    match error.kind() {
        ErrorKind::Unauthenticated if error.code() == Some("TOKEN_EXPIRED") => Err(ended(error)),
        ErrorKind::InvalidRequest
        | ErrorKind::Configuration
        | ErrorKind::Unauthenticated
        | ErrorKind::NotFound => Err(error),
        _ => Ok(error),
    }
}

/// A session lasts as long as something in it runs or is reserved, says
/// <https://nexlayer.com/docs/api/authentication>.
fn ended(error: Error) -> Error {
    Error::new(ErrorKind::Gone, "the session and its applications ended")
        .with_code(error.code().map(str::to_owned))
        .with_status(error.status().unwrap_or_default())
        .with_operation(error.operation())
        .with_attempts(error.attempts(), error.elapsed())
        .with_effect(Effect::None)
        .with_source(error)
}

fn no_signal() -> Error {
    let message = "no signal shows the state: there is no reservation with a state, and neither site nor pods answer";
    let advice = "set the address of its site with Application::at, or use Started::application";
    Error::new(ErrorKind::Unsupported, message)
        .with_effect(Effect::None)
        .with_advice(advice)
}
