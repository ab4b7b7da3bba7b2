//! How far something is, in words that all platforms share.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// How far a deployment is.
///
/// It is read from a platform's own status by the kind of thing that has it: dployr's `running` is
/// [`InProgress`](Self::InProgress) of a deployment, and [`Ready`](Self::Ready) of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// Accepted, and not begun.
    Queued,
    /// Being made, or starting.
    InProgress,
    /// Up: it can be used.
    Ready,
    /// It came to a bad end.
    Failed,
    /// Being stopped.
    Stopping,
    /// Over: stopped, asleep, superseded or removed.
    Ended,
    /// The platform says something that this version does not know, or nothing.
    #[default]
    #[serde(other)]
    Unknown,
}

impl Phase {
    /// `in_progress`
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Ready => "ready",
            Self::Failed => "failed",
            Self::Stopping => "stopping",
            Self::Ended => "ended",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What was seen of a deployment at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Observation {
    /// How far it is.
    pub phase: Phase,
    /// The platform's own word for that: `Status.DEPLOYING`. Empty if it says none, and for one that
    /// is not there any more.
    pub raw_status: String,
    /// What the platform says about why, for people.
    pub reason: Option<String>,
    /// How long after the beginning of the wait it was first seen so; zero in a single look.
    pub at: Duration,
}

impl Observation {
    pub(crate) fn new(phase: Phase, raw_status: impl Into<String>) -> Self {
        Self {
            phase,
            raw_status: raw_status.into(),
            reason: None,
            at: Duration::ZERO,
        }
    }
}

impl fmt::Display for Observation {
    /// `failed (Status.ERROR): Pull image timeout exceeded`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.phase)?;
        if !self.raw_status.is_empty() {
            write!(f, " ({})", self.raw_status)?;
        }
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}
