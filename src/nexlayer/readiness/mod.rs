//! The readiness of an application, from several signals, and the wait for it.
//!
//! | file | concern |
//! |---|---|
//! | `check` | asking the signals in turn |
//! | `verdict` | the verdict of each signal |
//! | `site` | addresses that may be asked |

mod check;
mod site;
mod verdict;

use super::{Application, PodStatus, Reservation};
use crate::phase::Phase;
use crate::wait::{Schedule, Snapshot, Wait};
use check::NoPods;
pub(super) use site::Site;
use std::fmt;

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

    fn site_at(&self, url: &str) -> Result<Site, String> {
        let token = self.session.token().map(crate::Secret::expose);
        let platform = self.session.client.base_url();
        Site::read(url, platform, token.unwrap_or_default())
            .map_err(|why| format!("the address of the site {why}"))
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
