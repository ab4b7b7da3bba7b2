//! Observations of a wait, redacted and bounded: poll results, timeline, log tail.

use crate::call::Call;
use crate::phase::{Observation, Phase};
use crate::secret::Secret;
use crate::transport::mask::Mask;
use std::time::Duration;

/// Size limit of a status, in bytes.
const MAX_STATUS: usize = 200;
/// Size limit of a reason, in bytes.
const MAX_REASON: usize = 2 << 10;
/// Limit on log lines.
const MAX_LOG_LINES: usize = 20;
/// Size limit of a log line, in bytes.
const MAX_LINE: usize = 500;
/// Limit on recorded changes, for a status that flips back and forth.
const MAX_CHANGES: usize = 64;

/// The result of one poll: the observed state, and the record.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot<T> {
    pub observation: Observation,
    pub value: T,
}

impl<T> Snapshot<T> {
    pub fn new(phase: Phase, raw_status: impl Into<String>, value: T) -> Self {
        Self {
            observation: Observation::new(phase, raw_status),
            value,
        }
    }

    pub fn reason(mut self, reason: Option<String>) -> Self {
        self.observation.reason = reason;
        self
    }

    pub(super) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Snapshot<U> {
        Snapshot {
            observation: self.observation,
            value: convert(self.value),
        }
    }

    pub(super) fn redacted(mut self, secrets: &[Secret]) -> Self {
        self.observation = redacted(self.observation, secrets);
        self
    }
}

/// Shortens status and reason, and redacts secrets of the request in them.
pub(crate) fn redacted(observation: Observation, secrets: &[Secret]) -> Observation {
    let reason = observation
        .reason
        .map(|text| shorten(&text, secrets, MAX_REASON));
    Observation {
        raw_status: shorten(&observation.raw_status, secrets, MAX_STATUS),
        reason: reason.filter(|reason| !reason.is_empty()),
        ..observation
    }
}

/// The newest lines of a log, shortened and redacted.
pub(super) fn log_tail(log: Call<Vec<String>>) -> Call<Vec<String>> {
    log.map_with_secrets(|lines, secrets| {
        let surplus = lines.len().saturating_sub(MAX_LOG_LINES);
        let newest = lines.iter().skip(surplus);
        newest
            .map(|line| shorten(line, secrets, MAX_LINE))
            .collect()
    })
}

/// Converts a platform's text to one line of at most `max` bytes, redacted.
fn shorten(text: &str, secrets: &[Secret], max: usize) -> String {
    // Redact first: a secret cut in half would not be found.
    let text = Mask::of(secrets).text(text);
    crate::error::start_of(&crate::error::one_line(&text), max).to_owned()
}

/// The changes of phase or status, in order.
#[derive(Debug, Default)]
pub(super) struct Timeline(Vec<Observation>);

impl Timeline {
    /// Records an observation; returns whether phase or status changed.
    pub fn add(&mut self, mut seen: Observation, at: Duration) -> bool {
        if let Some(last) = self.0.last_mut()
            && last.phase == seen.phase
            && last.raw_status == seen.raw_status
        {
            // The reason may arrive after the status.
            last.reason = seen.reason.or(last.reason.take());
            return false;
        }
        if self.0.len() >= MAX_CHANGES {
            self.0.remove(1);
        }
        seen.at = at;
        self.0.push(seen);
        true
    }

    pub fn last(&self) -> Option<&Observation> {
        self.0.last()
    }

    pub fn phase(&self) -> Phase {
        self.last().map_or(Phase::Unknown, |last| last.phase)
    }

    pub fn to_vec(&self) -> Vec<Observation> {
        self.0.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_recorded_once_and_bounded() {
        let mut timeline = Timeline::default();
        let first = Observation::new(Phase::Queued, "created");
        assert!(timeline.add(first.clone(), Duration::ZERO));
        assert!(!timeline.add(first.clone(), Duration::from_secs(1)));
        for second in 2..500 {
            let seen = Observation::new(Phase::Unknown, format!("s{second}"));
            assert!(timeline.add(seen, Duration::from_secs(second)));
        }
        let kept = timeline.to_vec();
        assert_eq!(kept.len(), MAX_CHANGES);
        assert_eq!(kept.first(), Some(&first));
        assert_eq!(kept.last().unwrap().at, Duration::from_secs(499));
    }

    #[test]
    fn a_later_reason_is_kept() {
        let mut timeline = Timeline::default();
        let seen = Observation::new(Phase::Failed, "error");
        timeline.add(seen.clone(), Duration::ZERO);
        let mut with_reason = seen.clone();
        with_reason.reason = Some("no room".to_owned());
        assert!(!timeline.add(with_reason, Duration::from_secs(1)));
        timeline.add(seen, Duration::from_secs(2));
        let last = timeline.last().unwrap();
        assert_eq!(last.reason.as_deref(), Some("no room"));
        assert_eq!(last.at, Duration::ZERO);
    }
}
