//! Asks the signals about an application in turn, until one of them settles its state.

use super::verdict::{Verdict, by_pods, by_site, by_state};
use super::{Readiness, Signal, Signals, Site};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::nexlayer::{Application, Reservation};
use crate::raw::nexlayer::Op;
use crate::transport::Scope;
use crate::transport::failure::Target;
use crate::watch::Phase;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server is known to lack the route for pods.
pub(super) type NoPods = Arc<AtomicBool>;

impl Application {
    /// How the application is now. The page of the platform has no call for that, so up to three
    /// signals are asked, one after the other, until one settles it; [`signals`](Self::signals)
    /// switches them off and on:
    ///
    /// 1. the state in its reservation, if it has one and the server sends it (`GET
    ///    /getReservations?sessionToken=…`): a state that is known settles it;
    /// 2. its site: a `GET` of the address that the platform gave. Any answer below 500 settles that
    ///    it is up, a 401 or a 404 too, since only what runs could give it; anything else settles
    ///    nothing;
    /// 3. its pods (`POST /getPodsStatus`): one that failed settles it, and if no site could be asked,
    ///    so does that all run. A server without the operation does no harm.
    ///
    /// To the site goes a plain `GET` and nothing else: no API key, no session token, no header or
    /// query that was added to the client or to the call, no cookie. Redirects count as an answer and
    /// are not followed, the body is not read, and 10 s without an answer are none. It goes through
    /// the client's connections (or, if the program brought
    /// [its own](crate::ClientBuilder::http_client), through ones without what that may add), so a
    /// proxy sees the address, and a recorder gets the request without an operation. An address of
    /// this machine or of a private network is not asked, unless the platform itself is at one. It is
    /// not told to the client's observer.
    ///
    /// Options of the call hold for each request to the platform; its deadline for all of them
    /// together. A [preview](Call::preview) shows the first one. A signal that fails is passed over if
    /// another one says something.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for an application that is not in the session,
    /// [`Gone`](ErrorKind::Gone) when the platform says that the session has ended,
    /// [`Unsupported`](ErrorKind::Unsupported) when no signal says anything: it is not reserved, the
    /// address of its site is not known (see [`at`](Self::at)) and the server does not tell of pods,
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) without any signal on, and those of every call.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn readiness(&self) -> Call<Readiness> {
        self.check(NoPods::default())
    }

    pub(super) fn check(&self, no_pods: NoPods) -> Call<Readiness> {
        let client = &self.session.client;
        let scope = match self.signals {
            Signals {
                reservation: true, ..
            } => client.scope_of(Op::GetReservations),
            Signals { site: true, .. } => client.scope(),
            _ => client.scope_of(Op::GetPodsStatus),
        };
        let application = self.clone();
        Call::new(scope, move |scope| async move {
            let limit = scope.deadline();
            let check = Check::new(application, scope.clone(), no_pods)?.run();
            // A preview ends at the first request, and needs no clock.
            if scope.is_preview() {
                return check.await;
            }
            match tokio::time::timeout(limit, check).await {
                Ok(result) => result,
                Err(_) => Err(Target::READ.timed_out("the look", limit)),
            }
        })
    }
}

struct Check {
    application: Application,
    scope: Scope,
    no_pods: NoPods,
    site: Option<Site>,
    /// The result, before the signals have told the phase.
    seen: Readiness,
    /// Verdicts that settle nothing, the best signal first.
    open: Vec<Verdict>,
    /// Why a signal gave no verdict.
    fault: Option<Error>,
}

impl Check {
    fn new(application: Application, scope: Scope, no_pods: NoPods) -> Result<Self> {
        if application.signals == Signals::none() {
            let message = "no signal is on that could tell how it is";
            return Err(Error::invalid_request(message));
        }
        application.request().map_err(Error::invalid_request)?;
        let site = application.site.clone().map_err(Error::invalid_request)?;
        let seen = Readiness {
            phase: Phase::Unknown,
            signal: Signal::Reservation,
            raw_status: String::new(),
            reason: None,
            url: site.as_ref().map(|site| site.url().to_string()),
            site_status: None,
            reservation: None,
            pods: Vec::new(),
        };
        Ok(Self {
            application,
            scope,
            no_pods,
            site,
            seen,
            open: Vec::new(),
            fault: None,
        })
    }

    async fn run(mut self) -> Result<Readiness> {
        let signals = self.application.signals;
        let mut settled = None;
        if signals.reservation {
            settled = self.reservation().await?;
        }
        if settled.is_none() && signals.site {
            settled = self.site().await?;
        }
        if settled.is_none() && signals.pods && !self.no_pods.load(Ordering::Relaxed) {
            settled = self.pods().await?;
        }
        let verdict = match settled {
            Some(verdict) => verdict,
            None => self.combined()?,
        };
        Ok(Readiness {
            phase: verdict.phase,
            signal: verdict.signal,
            raw_status: verdict.raw_status,
            reason: verdict.reason,
            ..self.seen
        })
    }

    async fn reservation(&mut self) -> Result<Option<Verdict>> {
        let list = match self
            .application
            .session
            .reservations()
            .within(&self.scope)
            .await
        {
            Ok(list) => list,
            Err(error) => return self.failed(error),
        };
        let name = self.application.name()?;
        let is_mine = |item: &Reservation| item.application_name.as_deref() == Some(name);
        let Some(reservation) = list.into_iter().find(is_mine) else {
            return Ok(None);
        };
        if self.site.is_none() {
            self.seen.url.clone_from(&reservation.url);
            let url = reservation.url.as_deref();
            self.site = url.and_then(|url| self.application.site_at(url).ok());
        }
        let status = reservation.status.as_ref();
        let verdict = status
            .and_then(|status| status.state.as_ref())
            .map(by_state);
        self.seen.reservation = Some(reservation);
        Ok(verdict.and_then(|verdict| self.settle(verdict.phase != Phase::Unknown, verdict)))
    }

    async fn site(&mut self) -> Result<Option<Verdict>> {
        let Some(site) = &self.site else {
            return Ok(None);
        };
        self.seen.site_status = self.scope.step(None).probe(site.url()).await?;
        let verdict = by_site(self.seen.site_status);
        Ok(self.settle(verdict.phase == Phase::Ready, verdict))
    }

    async fn pods(&mut self) -> Result<Option<Verdict>> {
        match self.application.pods().within(&self.scope).await {
            Ok(page) => self.seen.pods = page.items,
            Err(error) if error.kind() == ErrorKind::NoSuchRoute => {
                self.no_pods.store(true, Ordering::Relaxed);
                return Ok(None);
            }
            Err(error) => return self.failed(error),
        }
        let Some(verdict) = by_pods(&self.seen.pods) else {
            return Ok(None);
        };
        // Pods that run do not outvote a site that was asked and is not there.
        let site_is_asked = self.open.iter().any(|open| open.signal == Signal::Site);
        let settles = match verdict.phase {
            Phase::Failed => true,
            Phase::Unknown => false,
            _ => !site_is_asked,
        };
        Ok(self.settle(settles, verdict))
    }

    /// The verdict, if it settles the state; otherwise it is kept.
    fn settle(&mut self, settles: bool, verdict: Verdict) -> Option<Verdict> {
        if settles {
            return Some(verdict);
        }
        self.open.push(verdict);
        None
    }

    /// Keeps the failure of a signal, unless no other signal would help.
    fn failed(&mut self, error: Error) -> Result<Option<Verdict>> {
        match error.kind() {
            ErrorKind::Unauthenticated if error.code() == Some("TOKEN_EXPIRED") => {
                Err(ended(error))
            }
            ErrorKind::InvalidRequest
            | ErrorKind::Configuration
            | ErrorKind::Unauthenticated
            | ErrorKind::NotFound => Err(error),
            _ => {
                self.fault.get_or_insert(error);
                Ok(None)
            }
        }
    }

    /// What the signals say together when none of them settles the state.
    fn combined(&mut self) -> Result<Verdict> {
        let is_limited = |error: &mut Error| error.kind() == ErrorKind::RateLimited;
        let mut fault = self.fault.take();
        if let Some(fault) = fault.take_if(|error| self.open.is_empty() || is_limited(error)) {
            return Err(fault);
        }
        let verdicts = std::mem::take(&mut self.open).into_iter();
        verdicts.reduce(Verdict::and).ok_or_else(nothing_tells)
    }
}

/// A session lasts as long as something runs in it or is reserved, says
/// <https://nexlayer.com/docs/api/authentication>.
fn ended(error: Error) -> Error {
    let gone = Error::new(
        ErrorKind::Gone,
        "the session has ended, and with it what ran in it",
    );
    gone.with_status(error.status().unwrap_or_default())
        .with_code(error.code().map(str::to_owned))
        .with_operation(error.operation())
        .with_attempts(error.attempts(), error.elapsed())
        .with_effect(Effect::None)
        .with_source(error)
}

fn nothing_tells() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "nothing tells how the application is: it has no reservation with a state, and neither site nor pods say anything",
    )
    .with_effect(Effect::None)
    .with_advice("tell where its site is with Application::at, or take the application of the reply to its start")
}
