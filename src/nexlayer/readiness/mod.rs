//! Whether an application is up. No call on the platform's page says so, so several signals are asked.
//!
//! | file | concern |
//! |---|---|
//! | `check` | asking the signals in turn |
//! | `verdict` | what each of them says |
//! | `site` | which addresses may be asked |
//! | `wait` | waiting until it is up |
//! | `watch` | the common interface of deployments |

mod check;
mod site;
mod verdict;
mod wait;
mod watch;

use super::{Application, PodStatus, Reservation};
use crate::watch::Phase;
pub(super) use site::Site;
use std::fmt;

/// How an application is, as far as the signals can tell; see [`Application::readiness`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Readiness {
    /// How far it is.
    pub phase: Phase,
    /// The signal that told.
    pub signal: Signal,
    /// The platform's word for it: `deploying`, `Pending`. Empty if it said none, as a site does not.
    pub raw_status: String,
    /// Why it is not up, for people: `the site answers 503`.
    pub reason: Option<String>,
    /// Where it is, if that is known.
    pub url: Option<String>,
    /// The status with which its site answered, if it was asked and did.
    pub site_status: Option<u16>,
    /// Its reservation, if it has one and that was asked for.
    pub reservation: Option<Reservation>,
    /// Its pods, if they were asked for.
    pub pods: Vec<PodStatus>,
}

/// What can tell how an application is.
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

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Reservation => "reservation",
            Self::Site => "site",
            Self::Pods => "pods",
        })
    }
}

/// Which signals are asked how an application is. All are, unless this says otherwise.
///
/// ```
/// use deploykit::nexlayer::Signals;
/// let without_the_site = Signals::all().site(false);
/// let pods_alone = Signals::none().pods(true);
/// # assert_ne!(without_the_site, pods_alone);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signals {
    reservation: bool,
    site: bool,
    pods: bool,
}

impl Signals {
    /// Everything that can tell.
    pub const fn all() -> Self {
        Self {
            reservation: true,
            site: true,
            pods: true,
        }
    }

    /// Nothing, to add to it. Asked with nothing on, an application is refused.
    pub const fn none() -> Self {
        Self {
            reservation: false,
            site: false,
            pods: false,
        }
    }

    /// The state in the reservation of the application: `GET /getReservations?sessionToken=…`. Only an
    /// application that is reserved has one, and not every server sends a state. Default: yes.
    pub const fn reservation(mut self, on: bool) -> Self {
        self.reservation = on;
        self
    }

    /// Whether the application's own site answers; see [`Application::readiness`] for what is sent
    /// there. Default: yes.
    pub const fn site(mut self, on: bool) -> Self {
        self.site = on;
        self
    }

    /// The states of the pods: `POST /getPodsStatus`. Newer servers may not have it. Default: yes.
    pub const fn pods(mut self, on: bool) -> Self {
        self.pods = on;
        self
    }
}

impl Default for Signals {
    fn default() -> Self {
        Self::all()
    }
}

impl Application {
    /// The same application, asked how it is by other signals. Default: [`Signals::all`].
    ///
    /// ```no_run
    /// # async fn example(started: deploykit::nexlayer::Started) -> deploykit::Result<()> {
    /// use deploykit::nexlayer::Signals;
    /// let application = started.application().signals(Signals::all().site(false));
    /// let ready = application.wait().await?; // nothing but the platform was asked
    /// # Ok(()) }
    /// ```
    pub fn signals(mut self, signals: Signals) -> Self {
        self.signals = signals;
        self
    }

    /// The same application, whose site is here: the [`url`](super::Started::url) of the reply to its
    /// start, for a program that kept it. [`Started::application`](super::Started::application) knows
    /// it already, and so does a reservation.
    ///
    /// What cannot be the address of a site (`http` or `https`, nobody who logs in, no session token)
    /// is refused when the application is asked how it is. Query and fragment are left out.
    pub fn at(mut self, url: impl AsRef<str>) -> Self {
        self.site = self.site_at(url.as_ref()).map(Some);
        self
    }

    /// The same with an address that the platform gave. One that cannot be asked is left alone.
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
