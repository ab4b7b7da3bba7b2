//! What is known of many deployments, in little memory.

use super::{Observation, Phase};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// So many different words of a platform are kept once for all.
const SHARED_WORDS: usize = 64;

/// What is known of one.
#[derive(Debug)]
struct Entry {
    /// Empty if the platform says none.
    raw_status: Arc<str>,
    phase: Phase,
    /// Whether it was ever seen.
    seen: bool,
    /// In which round it was last heard of; 0 for never.
    round: u32,
}

/// What is known of all.
#[derive(Debug)]
pub(super) struct Known {
    entries: HashMap<Box<str>, Entry>,
    words: Vec<Arc<str>>,
    /// Whether those that nobody asked for are left out.
    only_given: bool,
    nothing: Arc<str>,
}

/// How something was before, and how it is now.
pub(super) struct Turn {
    pub before: Option<Phase>,
    pub now: Observation,
}

impl Known {
    /// Of all that there are.
    pub fn of_all() -> Self {
        Self {
            entries: HashMap::new(),
            words: Vec::new(),
            only_given: false,
            nothing: Arc::from(""),
        }
    }

    /// Of these.
    pub fn of(ids: impl IntoIterator<Item = Box<str>>) -> Self {
        let mut known = Self::of_all();
        known.only_given = true;
        for id in ids {
            let raw_status = known.nothing.clone();
            let entry = Entry {
                raw_status,
                phase: Phase::Unknown,
                seen: false,
                round: 0,
            };
            known.entries.insert(id, entry);
        }
        known.entries.shrink_to_fit();
        known
    }

    /// Whether there is nothing left to look at.
    pub fn is_over(&self) -> bool {
        self.only_given && self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// How one was when it was last heard of; `None` if it was never seen.
    pub fn phase(&self, id: &str) -> Option<Phase> {
        let entry = self.entries.get(id)?;
        entry.seen.then_some(entry.phase)
    }

    pub fn was_seen(&self, id: &str) -> bool {
        self.phase(id).is_some()
    }

    /// Hears of one; says whether that is news.
    pub fn hear(
        &mut self,
        id: &str,
        phase: Phase,
        raw_status: &str,
        round: u32,
        at: Duration,
    ) -> Option<Turn> {
        let known = self.entries.get_mut(id);
        if known.is_none() && self.only_given {
            return None;
        }
        let before = match known {
            Some(entry) => {
                entry.round = round;
                if entry.seen && entry.phase == phase && *entry.raw_status == *raw_status {
                    return None;
                }
                entry.seen.then_some(entry.phase)
            }
            None => None,
        };
        if self.only_given && phase == Phase::Ended {
            self.entries.remove(id);
        } else {
            let raw_status = self.word(raw_status);
            let entry = Entry {
                raw_status,
                phase,
                seen: true,
                round,
            };
            match self.entries.get_mut(id) {
                Some(known) => *known = entry,
                None => {
                    self.entries.insert(id.into(), entry);
                }
            }
        }
        let mut now = Observation::new(phase, raw_status);
        now.at = at;
        Some(Turn { before, now })
    }

    /// Takes out one that is not there any more.
    pub fn forget(&mut self, id: &str, at: Duration) -> Turn {
        let entry = self.entries.remove(id);
        let before = entry.filter(|entry| entry.seen).map(|entry| entry.phase);
        let mut now = Observation::new(Phase::Ended, "");
        now.at = at;
        Turn { before, now }
    }

    /// Those that were not heard of in this round, the longest missing first, at most so many.
    pub fn missing(&self, round: u32, most: usize) -> Vec<Box<str>> {
        let missing = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.round != round);
        let mut missing: Vec<_> = missing.map(|(id, entry)| (entry.round, id)).collect();
        missing.sort_unstable();
        missing.truncate(most);
        missing.into_iter().map(|(_, id)| id.clone()).collect()
    }

    /// A word of the platform, of which there are few and which many share.
    fn word(&mut self, word: &str) -> Arc<str> {
        if word.is_empty() {
            return self.nothing.clone();
        }
        if let Some(known) = self.words.iter().find(|known| ***known == *word) {
            return known.clone();
        }
        let new: Arc<str> = Arc::from(word);
        if self.words.len() < SHARED_WORDS {
            self.words.push(new.clone());
        }
        new
    }
}
