//! What an error reports about the wait that it ended.

use super::Error;
use crate::phase::Observation;

/// What a wait saw before it failed; filled by [`wait`](crate::watch::Wait).
#[derive(Clone, Debug, Default)]
pub(crate) struct WaitReport {
    pub timeline: Vec<Observation>,
    pub log_tail: Vec<String>,
}

impl Error {
    /// What a failed wait saw: each change of phase or status, with its time since the wait began.
    /// At most 64, the first one and the latest. Empty for other errors.
    pub fn timeline(&self) -> &[Observation] {
        self.0.wait.as_ref().map_or(&[], |report| &report.timeline)
    }

    /// The platform's last known status of the deployment that was waited for: `Status.ERROR`.
    pub fn raw_status(&self) -> Option<&str> {
        let known = self.timeline().iter().rev();
        let mut words = known.map(|seen| seen.raw_status.as_str());
        words.find(|word| !word.is_empty())
    }

    /// The platform's reason for that status.
    pub fn reason(&self) -> Option<&str> {
        self.timeline().last()?.reason.as_deref()
    }

    /// The last lines of the deployment's log, where the platform has one: at most 20 of at most 500
    /// bytes. Known secrets are redacted; others that the program wrote are not.
    pub fn log_tail(&self) -> &[String] {
        self.0.wait.as_ref().map_or(&[], |report| &report.log_tail)
    }
}
