//! Deduplication: drops lines of a reading that an earlier reading yielded.
//!
//! Platforms number neither lines nor positions. A line has a time, and several lines may have the same
//! one. So a reader continues *from* the time of its last line, and drops the lines that it yielded
//! before, identified by time, hash and number of occurrences.

use serde::{Deserialize, Deserializer, Serialize};
use std::num::ParseIntError;

/// How many different lines are remembered. Bounds memory and cursors: this many are 10 KiB of JSON.
pub(crate) const MOST_KNOWN: usize = 256;

/// How far a log was read. Times are in milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Where to start while no line was yielded.
    pub start: Option<i64>,
    /// The latest time of a yielded line.
    pub last: Option<i64>,
    /// Lines from this time on are in `given` and `crowd`; all lines before it were yielded.
    floor: i64,
    /// Yielded lines, in order.
    #[serde(deserialize_with = "in_order")]
    given: Vec<Given>,
    /// Number of yielded lines with the time `floor` beside those: more than can be remembered.
    crowd: u64,
}

/// A line that was yielded.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "(i64, String, u32)", try_from = "(i64, String, u32)")]
pub(crate) struct Given {
    at: i64,
    hash: u64,
    /// Number of occurrences.
    times: u32,
}

/// Hashes are written as text: many readers of JSON lose digits of large numbers.
impl From<Given> for (i64, String, u32) {
    fn from(line: Given) -> Self {
        (line.at, format!("{:016x}", line.hash), line.times)
    }
}

impl TryFrom<(i64, String, u32)> for Given {
    type Error = ParseIntError;

    fn try_from((at, hash, times): (i64, String, u32)) -> Result<Self, ParseIntError> {
        let hash = u64::from_str_radix(&hash, 16)?;
        Ok(Self { at, hash, times })
    }
}

fn in_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Given>, D::Error> {
    let mut given = Vec::deserialize(deserializer)?;
    if given.len() > MOST_KNOWN {
        let problem = format!("a cursor with more than {MOST_KNOWN} lines");
        return Err(serde::de::Error::custom(problem));
    }
    given.sort();
    Ok(given)
}

impl Place {
    /// The time to read from, inclusive.
    pub fn since(&self) -> Option<i64> {
        self.last.map(|_| self.floor).or(self.start)
    }

    fn note(&mut self, at: i64, hash: u64, overlap: i64) {
        match self.last {
            Some(_) if at < self.floor => return,
            Some(last) if at <= last => {}
            Some(_) => self.raise(at.saturating_sub(overlap)),
            None => self.floor = at.saturating_sub(overlap),
        }
        self.last = self.last.max(Some(at));
        if self.crowd > 0 && at == self.floor {
            self.crowd = self.crowd.saturating_add(1);
            return;
        }
        match self.find(at, hash) {
            Ok(index) => self.given[index].times = self.given[index].times.saturating_add(1),
            Err(index) => self.given.insert(index, Given { at, hash, times: 1 }),
        }
        while self.given.len() > MOST_KNOWN {
            let first = self.given[0].at;
            if self.last.is_some_and(|last| first < last) {
                self.raise(first + 1);
            } else {
                // A millisecond with more lines than are remembered: count them only.
                self.crowd = self.given.iter().map(|line| u64::from(line.times)).sum();
                self.given.clear();
                self.floor = first;
            }
        }
    }

    fn find(&self, at: i64, hash: u64) -> Result<usize, usize> {
        self.given
            .binary_search_by_key(&(at, hash), |line| (line.at, line.hash))
    }

    /// Forgets the lines before a time.
    fn raise(&mut self, floor: i64) {
        if floor > self.floor {
            self.floor = floor;
            self.crowd = 0;
            let before = self.given.partition_point(|line| line.at < floor);
            self.given.drain(..before);
        }
    }

    /// Takes out a line that was yielded; returns whether it was.
    fn take(&mut self, at: i64, hash: u64) -> bool {
        if let Ok(index) = self.find(at, hash)
            && self.given[index].times > 0
        {
            self.given[index].times -= 1;
            return true;
        }
        let crowded = at == self.floor && self.crowd > 0;
        self.crowd -= u64::from(crowded);
        crowded
    }
}

/// Decides which lines are new.
#[derive(Clone, Debug)]
pub(crate) struct Dedupe {
    place: Place,
    /// How long after the latest line earlier ones may still arrive, in milliseconds.
    overlap: i64,
    /// What of the earlier readings may be read again; `None` if nothing was yielded.
    replay: Option<Replay>,
    /// Time of the last line of this reading that had one. A line without a time belongs to the one
    /// before it.
    at: Option<i64>,
    count: u64,
    /// A line without any time was yielded.
    unplaced: bool,
}

#[derive(Clone, Debug)]
struct Replay {
    place: Place,
    last: i64,
    /// No newer line was read yet.
    replaying: bool,
}

impl Dedupe {
    pub fn new(place: Place, overlap: i64) -> Self {
        let mut dedupe = Self {
            place,
            overlap,
            replay: None,
            at: None,
            count: 0,
            unplaced: false,
        };
        dedupe.read_anew();
        dedupe
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Sets where to start while no line was yielded.
    pub fn start_at(&mut self, start: Option<i64>) {
        self.place.start = start;
    }

    /// Begins a new reading, which may start anywhere before the current place.
    pub fn read_anew(&mut self) {
        self.replay = self.place.last.map(|last| Replay {
            place: self.place.clone(),
            last,
            replaying: true,
        });
        self.at = None;
    }

    /// Whether an item of this reading is new, and so is to be yielded. `is_line` is false for one that
    /// could not be decoded.
    pub fn takes(&mut self, at: Option<i64>, hash: u64, is_line: bool) -> bool {
        let Some(at) = at.or(self.at) else {
            // Before the first line with a time. In a later reading it is probably a repeat; errors
            // are rather repeated than lost.
            let new = self.replay.is_none() || !is_line;
            self.unplaced |= new && is_line;
            self.count += u64::from(new && is_line);
            return new;
        };
        self.at = Some(at);
        if self
            .replay
            .as_mut()
            .is_some_and(|replay| replay.has(at, hash))
        {
            return false;
        }
        self.place.note(at, hash, self.overlap);
        self.count += u64::from(is_line);
        true
    }

    /// Number of new lines.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether a line was yielded before.
    pub fn knows(&self, at: Option<i64>, hash: u64) -> bool {
        at.is_some_and(|at| {
            let crowded = at == self.place.floor && self.place.crowd > 0;
            crowded || self.place.find(at, hash).is_ok()
        })
    }

    /// Whether another reading can continue from here.
    pub fn is_placed(&self) -> bool {
        self.place.last.is_some() || !self.unplaced
    }

    /// Skips the rest of the millisecond of the last line.
    pub fn skip_millisecond(&mut self) {
        if let Some(last) = self.place.last {
            let next = last.saturating_add(1);
            self.place.last = Some(next);
            self.place.raise(next);
        }
    }
}

impl Replay {
    fn has(&mut self, at: i64, hash: u64) -> bool {
        if at > self.last {
            self.replaying = false;
            return false;
        }
        if at < self.place.floor {
            return self.replaying;
        }
        self.place.take(at, hash)
    }
}

#[cfg(test)]
mod tests;
