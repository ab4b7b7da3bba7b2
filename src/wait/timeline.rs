//! What was seen so far.

use super::cursor::{Seen, WaitCursor, millis};
use crate::watch::{Observation, Phase};
use std::time::Duration;

/// The most that is kept of a status that goes to and fro.
const LONGEST: usize = 64;

/// Each change once, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Timeline(Vec<Observation>);

impl Timeline {
    /// What a cursor knows of it.
    pub fn of(cursor: &WaitCursor) -> Self {
        let last = cursor.last().map(|seen| Observation {
            at: Duration::from_millis(seen.at),
            ..Observation::new(seen.phase, seen.raw_status.as_str())
        });
        Self(last.into_iter().collect())
    }

    /// Adds what is seen at this time; says whether phase or status changed.
    pub fn add(&mut self, mut seen: Observation, at: Duration) -> bool {
        if let Some(last) = self.0.last_mut()
            && last.phase == seen.phase
            && last.raw_status == seen.raw_status
        {
            // The reason may come later than the status.
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

    /// The last one as a cursor keeps it.
    pub fn seen(&self) -> Option<Seen> {
        let last = self.last()?;
        Some(Seen {
            phase: last.phase,
            raw_status: last.raw_status.clone(),
            at: millis(last.at),
        })
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
    fn changes_are_kept_and_bounded() {
        let mut timeline = Timeline::default();
        let first = Observation::new(Phase::Queued, "created");
        assert!(timeline.add(first.clone(), Duration::ZERO));
        assert!(!timeline.add(first.clone(), Duration::from_secs(1)));
        for second in 2..500 {
            let status = format!("s{second}");
            assert!(timeline.add(
                Observation::new(Phase::Unknown, status),
                Duration::from_secs(second)
            ));
        }
        let kept = timeline.to_vec();
        assert_eq!(kept.len(), LONGEST);
        assert_eq!(kept.first(), Some(&first), "how it began");
        assert_eq!(kept.last().unwrap().at, Duration::from_secs(499));
    }

    #[test]
    fn a_reason_that_comes_later_is_kept() {
        let mut timeline = Timeline::default();
        let seen = Observation::new(Phase::Failed, "error");
        timeline.add(seen.clone(), Duration::ZERO);
        let mut why = seen.clone();
        why.reason = Some("no room".to_owned());
        assert!(!timeline.add(why, Duration::from_secs(1)));
        timeline.add(seen, Duration::from_secs(2));
        let last = timeline.last().unwrap();
        assert_eq!(last.reason.as_deref(), Some("no room"));
        assert_eq!(last.at, Duration::ZERO);
    }
}
