//! The readiness of an application, from several signals.
//!
//! | file | concern |
//! |---|---|
//! | `check` | asking the signals in turn |
//! | `verdict` | the verdict of each signal |
//! | `site` | addresses that may be asked |
//! | `wait` | waiting until it is up |

mod check;
mod site;
mod verdict;
mod wait;

use super::{Application, PodStatus, Reservation};
use crate::phase::Phase;
pub(super) use site::Site;
use std::fmt;

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
}
