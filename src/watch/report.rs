//! What an error says about a wait.

use super::Observation;
use crate::error::Error;

/// What was seen of a deployment until a wait for it failed.
#[derive(Clone, Debug, Default)]
pub(crate) struct WaitReport {
    pub timeline: Vec<Observation>,
    pub log_tail: Vec<String>,
}

impl Error {
    /// What was seen of the deployment that was waited for: each change with its time since the wait
    /// began, at most 64 of them (the first one and the latest). Empty for an error that ended no
    /// wait.
    pub fn timeline(&self) -> &[Observation] {
        self.wait_report().map_or(&[], |report| &report.timeline)
    }

    /// The platform's word for how far the deployment was that was waited for, as it was seen last:
    /// `Status.ERROR`.
    pub fn raw_status(&self) -> Option<&str> {
        let known = self.timeline().iter().rev();
        let mut words = known.map(|seen| seen.raw_status.as_str());
        words.find(|word| !word.is_empty())
    }

    /// What the platform says about why the deployment that was waited for is as it is.
    pub fn reason(&self) -> Option<&str> {
        self.timeline().last()?.reason.as_deref()
    }

    /// The last lines that the deployment wrote before the wait for it failed, where the platform has
    /// them: at most 20 of at most 500 bytes. Secrets that are known are left out; what a program
    /// writes is its own affair.
    pub fn log_tail(&self) -> &[String] {
        self.wait_report().map_or(&[], |report| &report.log_tail)
    }
}
