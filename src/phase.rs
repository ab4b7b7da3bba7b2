//! Phase and observed state of a deployment, the same for all platforms.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::time::Duration;

/// Phase of a deployment.
///
/// Derived from the platform's own status and the kind of resource: dployr's `running` is
/// [`InProgress`](Self::InProgress) for a deployment, and [`Ready`](Self::Ready) for a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Phase {
    /// Accepted, not started.
    Queued,
    /// Building or starting.
    InProgress,
    /// Up and usable.
    Ready,
    /// Failed.
    Failed,
    /// Stopping.
    Stopping,
    /// Stopped, asleep, superseded or removed.
    Ended,
    /// The platform reports no status, or an unknown one.
    #[default]
    #[serde(other)]
    Unknown,
}

impl Phase {
    /// The phase in snake case: `in_progress`.
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

/// The observed state of a deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Observation {
    /// The phase, derived from the status.
    pub phase: Phase,
    /// The platform's own status: `Status.DEPLOYING`.
    ///
    /// Empty if the platform reports none, or if the deployment no longer exists.
    pub raw_status: String,
    /// The platform's explanation of the status.
    pub reason: Option<String>,
    /// When this state was first observed, since the start of the wait or watcher.
    ///
    /// Zero outside of a wait or watcher.
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
