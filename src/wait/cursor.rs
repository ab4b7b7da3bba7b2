//! Where a wait is, so that another process can go on with it.

use crate::error::{Error, Result};
use crate::watch::Phase;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The form of a cursor. Another one is refused, rather than read as something else.
const VERSION: u32 = 1;

/// Where a wait is: small, without secrets, and the same in every process that reads it.
///
/// Keep it as JSON with whatever else you keep; [`Wait::resume`](crate::Wait::resume) goes on from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitCursor {
    #[serde(rename = "v")]
    version: u32,
    /// What is waited for.
    subject: String,
    /// Milliseconds since 1970.
    started_at: u64,
    /// Milliseconds of the deadline.
    used: u64,
    polls: u32,
    /// What was seen last; none if nothing was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<Seen>,
}

/// What was seen last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    pub phase: Phase,
    pub raw_status: String,
    /// Milliseconds after the beginning.
    pub at: u64,
}

impl WaitCursor {
    pub(super) fn new(subject: String, started_at: SystemTime) -> Self {
        Self {
            version: VERSION,
            subject,
            started_at: millis(started_at.duration_since(UNIX_EPOCH).unwrap_or_default()),
            used: 0,
            polls: 0,
            last: None,
        }
    }

    pub(super) fn moved(&self, used: Duration, polls: u32, last: Option<Seen>) -> Self {
        Self {
            used: millis(used),
            polls,
            last,
            ..self.clone()
        }
    }

    /// Whether this version can go on from it, with this.
    pub(super) fn check(&self, subject: &str) -> Result<()> {
        let problem = if self.version != VERSION {
            format!(
                "has form {}, and this version knows form {VERSION}",
                self.version
            )
        } else if self.subject != subject {
            format!("is for {}, not for {subject}", self.subject)
        } else {
            return Ok(());
        };
        Err(Error::invalid_request(format!(
            "the cursor of the wait {problem}"
        )))
    }

    /// When the wait began, by the clock of the machine where it did.
    pub fn started_at(&self) -> SystemTime {
        let since = Duration::from_millis(self.started_at);
        UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
    }

    /// How much of the deadline was used when the cursor was taken.
    pub fn used(&self) -> Duration {
        Duration::from_millis(self.used)
    }

    /// How often the platform was asked until then.
    pub fn polls(&self) -> u32 {
        self.polls
    }

    /// How far the deployment was when it was seen last; `None` if it was not seen.
    pub fn phase(&self) -> Option<Phase> {
        Some(self.last.as_ref()?.phase)
    }

    pub(super) fn last(&self) -> Option<&Seen> {
        self.last.as_ref()
    }
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
