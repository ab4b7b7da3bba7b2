//! The trait that deployment handles of all platforms implement.

use super::Observation;
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind};
use crate::wait::Wait;
use std::fmt;

/// How a platform supports an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Way {
    /// By an operation of its API.
    Native,
    /// By other operations with the same or a similar effect; see the method.
    Emulated,
    /// Not at all: the call fails with [`Unsupported`](ErrorKind::Unsupported) before anything is
    /// sent.
    Absent,
}

/// The actions that a platform supports for a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Support {
    /// [`Deployment::snapshot`], and with it [`Deployment::wait`].
    pub snapshot: Way,
    /// [`Deployment::recent_logs`].
    pub recent_logs: Way,
    /// [`Deployment::stop`].
    pub stop: Way,
}

impl Support {
    pub(crate) const fn new(snapshot: Way, recent_logs: Way, stop: Way) -> Self {
        Self {
            snapshot,
            recent_logs,
            stop,
        }
    }
}

pub(crate) mod sealed {
    /// Prevents implementations elsewhere, so that methods can be added.
    pub trait Sealed {}
}

/// An Edgegap deployment, a Nexlayer application, a Nodion deployment, or a dployr deployment or service.
///
/// Implemented by the handles of this crate only. Contains what all platforms have in common; the handles
/// offer more.
pub trait Deployment: sealed::Sealed + fmt::Debug + Send + Sync {
    /// The platform: `edgegap`.
    fn platform(&self) -> &'static str;

    /// The id on the platform; empty for a handle without one.
    fn id(&self) -> String;

    /// The actions that the platform supports.
    fn support(&self) -> Support;

    /// The current state: a single poll of [`wait`](Self::wait).
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) if the deployment does not exist.
    fn snapshot(&self) -> Call<Observation>;

    /// The last lines of its log: at most 20 of at most 500 bytes.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) where [`support`](Self::support) is
    /// [`Absent`](Way::Absent).
    fn recent_logs(&self) -> Call<Vec<String>>;

    /// Stops it. Platforms respond before it has stopped: wait with
    /// [`until_gone`](Wait::until_gone).
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) where [`support`](Self::support) is
    /// [`Absent`](Way::Absent).
    fn stop(&self) -> Call<()>;

    /// Waits until it is ready, as the handle's own `wait`.
    fn wait(&self) -> Wait<Observation>;
}

/// What a handle implements to be a [`Deployment`].
pub(crate) trait Watched: fmt::Debug + Send + Sync {
    const PLATFORM: &'static str;
    const SUPPORT: Support;

    /// The handle's own wait, which can poll and read the log.
    fn watched(&self) -> Wait<Observation>;

    /// Stops it.
    fn end(&self) -> Call<()>;

    /// A log call that fails with this error.
    fn no_log(&self, error: Error) -> Call<Vec<String>>;
}

impl<W: Watched> sealed::Sealed for W {}

impl<W: Watched> Deployment for W {
    fn platform(&self) -> &'static str {
        W::PLATFORM
    }

    fn id(&self) -> String {
        self.watched().id().unwrap_or_default()
    }

    fn support(&self) -> Support {
        W::SUPPORT
    }

    fn snapshot(&self) -> Call<Observation> {
        self.watched().look()
    }

    fn recent_logs(&self) -> Call<Vec<String>> {
        let call = self.watched().log_tail();
        call.unwrap_or_else(|| self.no_log(unsupported(W::PLATFORM, "read the log of this")))
    }

    fn stop(&self) -> Call<()> {
        self.end()
    }

    fn wait(&self) -> Wait<Observation> {
        self.watched()
    }
}

/// The error for an action that a platform does not support.
pub(crate) fn unsupported(platform: &str, what: &str) -> Error {
    let words = format!("{platform} has no call to {what}");
    Error::new(ErrorKind::Unsupported, words).with_effect(Effect::None)
}
