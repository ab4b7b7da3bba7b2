//! A deployment that exists, whichever platform it is on.

use super::Observation;
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind};
use crate::wait::Wait;
use std::fmt;

/// How a platform does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Way {
    /// It has a call for it.
    Native,
    /// It has none, and something else comes to the same or near it; see the method.
    Emulated,
    /// It cannot: the call is refused with [`Unsupported`](ErrorKind::Unsupported), and nothing is
    /// sent.
    Absent,
}

/// What a platform can do with a deployment, and how.
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
    /// Kept to this crate, so that methods can be added.
    pub trait Sealed {}
}

/// Something that runs or is to run: an Edgegap deployment, a Nexlayer application, a Nodion
/// deployment, a dployr deployment or service.
///
/// The handles of this crate are it, and nothing else can be. What a platform has of its own is with
/// its handle; here is what all have.
pub trait Deployment: sealed::Sealed + fmt::Debug + Send + Sync {
    /// The platform: `edgegap`.
    fn platform(&self) -> &'static str;

    /// The id on the platform; nothing for a handle that was made with none.
    fn id(&self) -> String;

    /// What the platform can do, and how.
    fn support(&self) -> Support;

    /// How it is now: one look, as [`wait`](Self::wait) takes many.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) for one that is not there, and those of every call.
    fn snapshot(&self) -> Call<Observation>;

    /// The last lines that it wrote: at most 20 of at most 500 bytes.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) where [`support`](Self::support) says
    /// [`Absent`](Way::Absent), and those of every call.
    fn recent_logs(&self) -> Call<Vec<String>>;

    /// Ends it. The platforms do so after they have answered:
    /// [`until_gone`](Wait::until_gone) waits for it.
    ///
    /// # Errors
    /// [`Unsupported`](ErrorKind::Unsupported) where [`support`](Self::support) says
    /// [`Absent`](Way::Absent), and those of every call.
    fn stop(&self) -> Call<()>;

    /// Waits until it is up, as the handle's own `wait`.
    fn wait(&self) -> Wait<Observation>;
}

/// What a handle gives to be a [`Deployment`].
pub(crate) trait Watched: fmt::Debug + Send + Sync {
    const PLATFORM: &'static str;
    const SUPPORT: Support;

    /// The handle's own wait, which knows how to look and where the log is.
    fn watched(&self) -> Wait<Observation>;

    /// Ends it.
    fn end(&self) -> Call<()>;

    /// A call for the log that is not made.
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

/// What a platform cannot do.
pub(crate) fn unsupported(platform: &str, what: &str) -> Error {
    let words = format!("{platform} has no call to {what}");
    Error::new(ErrorKind::Unsupported, words).with_effect(Effect::None)
}
