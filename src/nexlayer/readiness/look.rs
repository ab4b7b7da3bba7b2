//! Asking the signals how an application is, the best first, until one of them settles it.

use super::said::{Said, by_pods, by_site, by_state};
use super::{Readiness, Signal, Signals};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::nexlayer::readiness::site::Site;
use crate::nexlayer::{Application, PodStatus, Reservation};
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
        self.look(NoPods::default())
    }

    pub(super) fn look(&self, no_pods: NoPods) -> Call<Readiness> {
        let client = &self.session.client;
        let scope = match self.signals {
            Signals {
                reservation: true, ..
            } => client.scope_of(Op::GetReservations),
            Signals { site: true, .. } => client.scope(),
            _ => client.scope_of(Op::GetPodsStatus),
        };
        if self.signals == Signals::none() {
            let error = Error::invalid_request("no signal is on that could tell how it is");
            return Call::refused(scope, error);
        }
        let checked = self.session.token().and(self.name());
        let checked = checked.and(
            self.site
                .as_ref()
                .map_err(|why| Error::invalid_request(why.as_str())),
        );
        if let Err(error) = checked {
            return Call::refused(scope, error);
        }
        let application = self.clone();
        Call::new(scope, move |scope| async move {
            let limit = scope.deadline();
            let looked = Look::new(application, no_pods, scope.clone()).run();
            // A preview ends at the first request, and needs no clock.
            if scope.is_preview() {
                return looked.await;
            }
            match tokio::time::timeout(limit, looked).await {
                Ok(result) => result,
                Err(_) => Err(Target::READ.timed_out("the look", limit)),
            }
        })
    }
}

struct Look {
    application: Application,
    no_pods: NoPods,
    scope: Scope,
    reservation: Option<Reservation>,
    url: Option<String>,
    site_status: Option<u16>,
    pods: Vec<PodStatus>,
    /// What was said so far that settles nothing, the best first.
    said: Vec<(Signal, Said)>,
    /// Why a signal said nothing.
    fault: Option<Error>,
}

impl Look {
    fn new(application: Application, no_pods: NoPods, scope: Scope) -> Self {
        Self {
            url: site_of(&application).map(|site| site.url().to_string()),
            application,
            no_pods,
            scope,
            reservation: None,
            site_status: None,
            pods: Vec::new(),
            said: Vec::new(),
            fault: None,
        }
    }

    async fn run(mut self) -> Result<Readiness> {
        let signals = self.application.signals;
        let mut settled = None;
        if signals.reservation {
            settled = self.ask_reservation().await?;
        }
        if settled.is_none() && signals.site {
            settled = self.ask_site().await?;
        }
        if settled.is_none() && signals.pods && !self.no_pods.load(Ordering::Relaxed) {
            settled = self.ask_pods().await?;
        }
        match settled {
            Some((signal, said)) => Ok(self.readiness(signal, said)),
            None => self.unsettled(),
        }
    }

    async fn ask_reservation(&mut self) -> Result<Option<(Signal, Said)>> {
        let list = self.application.session.reservations();
        let list = match list.within(&self.scope).await {
            Ok(list) => list,
            Err(error) => return self.failed(error).map(|()| None),
        };
        let name = self.application.name()?;
        let mine = |item: &Reservation| item.application_name.as_deref() == Some(name);
        self.reservation = list.into_iter().find(mine);
        let Some(reservation) = &self.reservation else {
            return Ok(None);
        };
        if self.url.is_none() {
            self.url.clone_from(&reservation.url);
        }
        let state = reservation
            .status
            .as_ref()
            .and_then(|status| status.state.as_ref());
        let Some(said) = state.map(by_state) else {
            return Ok(None);
        };
        if said.phase != Phase::Unknown {
            return Ok(Some((Signal::Reservation, said)));
        }
        self.said.push((Signal::Reservation, said));
        Ok(None)
    }

    async fn ask_site(&mut self) -> Result<Option<(Signal, Said)>> {
        let known = site_of(&self.application).cloned();
        let Some(site) = known.or_else(|| self.reserved_site()) else {
            return Ok(None);
        };
        self.site_status = self.scope.step(None).probe(site.url()).await?;
        let said = by_site(self.site_status);
        if said.phase == Phase::Ready {
            return Ok(Some((Signal::Site, said)));
        }
        self.said.push((Signal::Site, said));
        Ok(None)
    }

    fn reserved_site(&self) -> Option<Site> {
        let url = self.reservation.as_ref()?.url.as_deref();
        let application = self.application.clone().given_site(url);
        site_of(&application).cloned()
    }

    async fn ask_pods(&mut self) -> Result<Option<(Signal, Said)>> {
        let pods = self.application.pods();
        match pods.within(&self.scope).await {
            Ok(page) => self.pods = page.items,
            Err(error) if error.kind() == ErrorKind::NoSuchRoute => {
                self.no_pods.store(true, Ordering::Relaxed);
                return Ok(None);
            }
            Err(error) => return self.failed(error).map(|()| None),
        }
        let Some(said) = by_pods(&self.pods) else {
            return Ok(None);
        };
        // That pods run does not say that the site is there, which was asked and is not.
        let site_is_asked = self.said.iter().any(|(signal, _)| *signal == Signal::Site);
        if said.phase == Phase::Failed || !site_is_asked && said.phase != Phase::Unknown {
            return Ok(Some((Signal::Pods, said)));
        }
        self.said.push((Signal::Pods, said));
        Ok(None)
    }

    /// Keeps the failure of a signal, unless another one would not help.
    fn failed(&mut self, error: Error) -> Result<()> {
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
                Ok(())
            }
        }
    }

    /// What the signals say together when none of them settles it.
    fn unsettled(mut self) -> Result<Readiness> {
        let asked_to_wait = |error: &Error| error.kind() == ErrorKind::RateLimited;
        if (self.said.is_empty() || self.fault.as_ref().is_some_and(asked_to_wait))
            && let Some(fault) = self.fault.take()
        {
            return Err(fault);
        }
        let mut said = std::mem::take(&mut self.said).into_iter();
        let Some((signal, mut best)) = said.next() else {
            return Err(nothing_tells());
        };
        for (_, other) in said {
            if best.raw_status.is_empty() {
                best.raw_status = other.raw_status;
            }
            best.reason = match (best.reason, other.reason) {
                (Some(one), Some(other)) => Some(format!("{one}; {other}")),
                (one, other) => one.or(other),
            };
        }
        Ok(self.readiness(signal, best))
    }

    fn readiness(self, signal: Signal, said: Said) -> Readiness {
        Readiness {
            phase: said.phase,
            signal,
            raw_status: said.raw_status,
            reason: said.reason,
            url: self.url,
            site_status: self.site_status,
            reservation: self.reservation,
            pods: self.pods,
        }
    }
}

fn site_of(application: &Application) -> Option<&Site> {
    application.site.as_ref().ok()?.as_ref()
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
