//! Asks the signals about an application in turn, until one of them is conclusive.

use super::verdict::{Verdict, by_pods, by_site, by_state};
use super::{Readiness, Signal};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::nexlayer::Application;
use crate::phase::Phase;
use crate::raw::nexlayer::Op;
use crate::transport::Scope;
use crate::transport::failure::Target;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the server is known to lack the route for pods.
pub(super) type NoPods = Arc<AtomicBool>;

impl Application {
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

    pub(super) fn check(&self, no_pods: NoPods) -> Call<Readiness> {
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
        let mut inconclusive: Option<Verdict> = None;
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
                .map(by_state);
            if let Some(verdict) = inconclusive.take_if(|verdict| verdict.phase != Phase::Unknown) {
                return Ok(seen.concluded(verdict));
            }
        }

        let site = site.filter(|_| asks(Signal::Site));
        if let Some(site) = &site {
            seen.site_status = scope.step(None).probe(site.url()).await?;
            let verdict = by_site(seen.site_status);
            if verdict.phase == Phase::Ready {
                return Ok(seen.concluded(verdict));
            }
            inconclusive = Some(Verdict::join(inconclusive, verdict));
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
        if let Some(verdict) = by_pods(&seen.pods) {
            let is_conclusive = match verdict.phase {
                Phase::Failed => true,
                Phase::Unknown => false,
                // Running pods do not overrule a site that does not answer.
                _ => site.is_none(),
            };
            if is_conclusive {
                return Ok(seen.concluded(verdict));
            }
            inconclusive = Some(Verdict::join(inconclusive, verdict));
        }

        match (inconclusive, fault) {
            (_, Some(fault)) if fault.kind() == ErrorKind::RateLimited => Err(fault),
            (Some(verdict), _) => Ok(seen.concluded(verdict)),
            (None, Some(fault)) => Err(fault),
            (None, None) => Err(no_signal()),
        }
    }
}

impl Readiness {
    fn concluded(self, verdict: Verdict) -> Self {
        Self {
            phase: verdict.phase,
            signal: verdict.signal,
            raw_status: verdict.raw_status,
            reason: verdict.reason,
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
