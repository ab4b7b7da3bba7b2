//! What one poll showed, bounded and redacted.

use crate::call::Call;
use crate::phase::{Observation, Phase};
use crate::secret::Secret;
use crate::transport::mask::Mask;

/// Longest status that is kept, in bytes.
const LONGEST_STATUS: usize = 200;
/// Longest reason that is kept, in bytes.
const LONGEST_REASON: usize = 2 << 10;
/// Most log lines that are kept.
const LOG_LINES: usize = 20;
/// Longest log line that is kept, in bytes.
const LONGEST_LINE: usize = 500;

/// The result of one poll: the state, and the record itself.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot<T> {
    pub seen: Observation,
    pub value: T,
}

impl<T> Snapshot<T> {
    pub fn new(phase: Phase, raw_status: impl Into<String>, value: T) -> Self {
        Self {
            seen: Observation::new(phase, raw_status),
            value,
        }
    }

    pub fn reason(mut self, reason: Option<String>) -> Self {
        self.seen.reason = reason;
        self
    }

    pub(super) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Snapshot<U> {
        Snapshot {
            seen: self.seen,
            value: convert(self.value),
        }
    }

    pub(super) fn redacted(mut self, secrets: &[Secret]) -> Self {
        self.seen = redacted(self.seen, secrets);
        self
    }
}

/// Shortens status and reason, and redacts the secrets of the request in them.
pub(crate) fn redacted(seen: Observation, secrets: &[Secret]) -> Observation {
    let reason = seen
        .reason
        .map(|text| shorten(&text, secrets, LONGEST_REASON));
    Observation {
        raw_status: shorten(&seen.raw_status, secrets, LONGEST_STATUS),
        reason: reason.filter(|reason| !reason.is_empty()),
        ..seen
    }
}

/// The newest lines of a log, shortened and redacted.
pub(super) fn bounded(log: Call<Vec<String>>) -> Call<Vec<String>> {
    log.map_with_secrets(|lines, secrets| {
        let surplus = lines.len().saturating_sub(LOG_LINES);
        let newest = lines.iter().skip(surplus);
        newest
            .map(|line| shorten(line, secrets, LONGEST_LINE))
            .collect()
    })
}

/// A platform's text as one short line, redacted.
fn shorten(text: &str, secrets: &[Secret], longest: usize) -> String {
    // Redact first: a secret cut in half would not be found.
    let text = Mask::of(secrets).text(text);
    crate::error::start_of(&crate::error::one_line(&text), longest).to_owned()
}
