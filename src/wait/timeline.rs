//! Everything that a wait has seen.

use crate::phase::{Observation, Phase};
use std::time::Duration;

/// Limit on recorded changes, for a status that flips back and forth.
const LONGEST: usize = 64;

/// Each change of phase or status once, in order.
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
        if self.0.len() >= LONGEST {
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
        assert_eq!(kept.len(), LONGEST);
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
