//! Deduplication: drops log lines that an earlier reading yielded.
//!
//! Platforms number neither lines nor positions, and several lines may have the same time. So the next
//! reading starts *at* the time of the last line, and lines that were already yielded are dropped. They
//! are identified by time, hash and number of occurrences.

use serde::{Deserialize, Deserializer, Serialize};
use std::num::ParseIntError;

/// Limit on remembered lines. It bounds memory and cursors to about 10 KiB of JSON.
pub(crate) const MAX_LINES: usize = 256;

/// Position in a log. Times are in milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogPosition {
    /// Start time of the log, used until a line is yielded.
    pub start: Option<i64>,
    /// The latest time of a yielded line.
    pub last: Option<i64>,
    /// All lines before this time were yielded. Yielded lines from this time on are in `lines` and
    /// `overflow`.
    floor: i64,
    /// Yielded lines, sorted.
    #[serde(deserialize_with = "sorted_and_bounded")]
    lines: Vec<YieldedLine>,
    /// Number of further yielded lines at the time `floor`, which exceed [`MAX_LINES`].
    overflow: u64,
}

/// A line that was yielded before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "(i64, String, u32)", try_from = "(i64, String, u32)")]
pub(crate) struct YieldedLine {
    at: i64,
    hash: u64,
    /// Number of occurrences.
    times: u32,
}

/// Hashes are serialized as text, because many JSON parsers lose digits of large numbers.
impl From<YieldedLine> for (i64, String, u32) {
    fn from(line: YieldedLine) -> Self {
        (line.at, format!("{:016x}", line.hash), line.times)
    }
}

impl TryFrom<(i64, String, u32)> for YieldedLine {
    type Error = ParseIntError;

    fn try_from((at, hash, times): (i64, String, u32)) -> Result<Self, ParseIntError> {
        let hash = u64::from_str_radix(&hash, 16)?;
        Ok(Self { at, hash, times })
    }
}

fn sorted_and_bounded<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<YieldedLine>, D::Error> {
    let mut lines = Vec::deserialize(deserializer)?;
    if lines.len() > MAX_LINES {
        let problem = format!("a cursor with more than {MAX_LINES} lines");
        return Err(serde::de::Error::custom(problem));
    }
    lines.sort();
    Ok(lines)
}

impl LogPosition {
    /// The inclusive start time of the next reading.
    pub fn since(&self) -> Option<i64> {
        self.last.map(|_| self.floor).or(self.start)
    }

    fn record(&mut self, at: i64, hash: u64, overlap: i64) {
        match self.last {
            Some(_) if at < self.floor => return,
            Some(last) if at <= last => {}
            Some(_) => self.forget_before(at.saturating_sub(overlap)),
            None => self.floor = at.saturating_sub(overlap),
        }
        self.last = self.last.max(Some(at));
        if self.overflow > 0 && at == self.floor {
            self.overflow = self.overflow.saturating_add(1);
            return;
        }
        match self.find(at, hash) {
            Ok(index) => self.lines[index].times = self.lines[index].times.saturating_add(1),
            Err(index) => self.lines.insert(index, YieldedLine { at, hash, times: 1 }),
        }
        while self.lines.len() > MAX_LINES {
            let first = self.lines[0].at;
            if self.last.is_some_and(|last| first < last) {
                self.forget_before(first + 1);
            } else {
                // More lines in one millisecond than the limit: only count them.
                self.overflow = self.lines.iter().map(|line| u64::from(line.times)).sum();
                self.lines.clear();
                self.floor = first;
            }
        }
    }

    fn find(&self, at: i64, hash: u64) -> Result<usize, usize> {
        self.lines
            .binary_search_by_key(&(at, hash), |line| (line.at, line.hash))
    }

    /// Forgets lines before a time.
    fn forget_before(&mut self, floor: i64) {
        if floor > self.floor {
            self.floor = floor;
            self.overflow = 0;
            let before = self.lines.partition_point(|line| line.at < floor);
            self.lines.drain(..before);
        }
    }

    /// Removes one occurrence of a yielded line; returns whether there was one.
    fn remove(&mut self, at: i64, hash: u64) -> bool {
        if let Ok(index) = self.find(at, hash)
            && self.lines[index].times > 0
        {
            self.lines[index].times -= 1;
            return true;
        }
        let in_overflow = at == self.floor && self.overflow > 0;
        self.overflow -= u64::from(in_overflow);
        in_overflow
    }
}

/// Drops lines that were already yielded.
#[derive(Clone, Debug)]
pub(crate) struct Dedupe {
    position: LogPosition,
    /// How much earlier than the latest line a new line may be, in milliseconds.
    overlap: i64,
    /// The lines of earlier readings that may repeat; `None` if nothing was yielded.
    replay: Option<Replay>,
    /// The last known time in this reading. A line without a time gets the time of the line before it.
    at: Option<i64>,
    count: u64,
    /// Whether a line was yielded before any line with a time.
    yielded_untimed: bool,
}

#[derive(Clone, Debug)]
struct Replay {
    position: LogPosition,
    last: i64,
    /// Whether this reading is still at or before the last yielded line.
    replaying: bool,
}

impl Dedupe {
    pub fn new(position: LogPosition, overlap: i64) -> Self {
        let mut dedupe = Self {
            position,
            overlap,
            replay: None,
            at: None,
            count: 0,
            yielded_untimed: false,
        };
        dedupe.start_reading();
        dedupe
    }

    pub fn position(&self) -> &LogPosition {
        &self.position
    }

    /// Sets the start time, which applies until a line was yielded.
    pub fn start_at(&mut self, start: Option<i64>) {
        self.position.start = start;
    }

    /// Starts a new reading, at or before the current position.
    pub fn start_reading(&mut self) {
        self.replay = self.position.last.map(|last| Replay {
            position: self.position.clone(),
            last,
            replaying: true,
        });
        self.at = None;
    }

    /// Records an item of this reading; returns false for a repeat. `is_line` is false for an item that
    /// cannot be decoded.
    pub fn accept(&mut self, at: Option<i64>, hash: u64, is_line: bool) -> bool {
        let Some(at) = at.or(self.at) else {
            // No time is known yet. In a later reading, a line is probably a repeat; an error is yielded
            // again rather than lost.
            let new = self.replay.is_none() || !is_line;
            self.yielded_untimed |= new && is_line;
            self.count += u64::from(new && is_line);
            return new;
        };
        self.at = Some(at);
        if self
            .replay
            .as_mut()
            .is_some_and(|replay| replay.is_repeat(at, hash))
        {
            return false;
        }
        self.position.record(at, hash, self.overlap);
        self.count += u64::from(is_line);
        true
    }

    /// Number of accepted lines.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether this line was already yielded, as all lines before the floor were.
    pub fn has_yielded(&self, at: Option<i64>, hash: u64) -> bool {
        at.is_some_and(|at| {
            let in_overflow = at == self.position.floor && self.position.overflow > 0;
            at < self.position.floor || in_overflow || self.position.find(at, hash).is_ok()
        })
    }

    /// Whether the next reading can start at a known time.
    pub fn has_position(&self) -> bool {
        self.position.last.is_some() || !self.yielded_untimed
    }

    /// Skips the rest of the millisecond of the last line.
    pub fn skip_millisecond(&mut self) {
        if let Some(last) = self.position.last {
            let next = last.saturating_add(1);
            self.position.last = Some(next);
            self.position.forget_before(next);
        }
    }
}

impl Replay {
    fn is_repeat(&mut self, at: i64, hash: u64) -> bool {
        if at > self.last {
            self.replaying = false;
            return false;
        }
        if at < self.position.floor {
            return self.replaying;
        }
        self.position.remove(at, hash)
    }
}

const HASH_MULTIPLIER: u64 = 0x517c_c1b7_2722_0a95;

/// Hashes the bytes of a line, eight at a time, to identify it within its millisecond.
///
/// Cursors contain the hash, so its values must never change.
pub(crate) fn line_hash(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut hash = HASH_MULTIPLIER ^ length;
    for word in words.iter().chain([&last]) {
        let word = u64::from_le_bytes(*word);
        hash = (hash.rotate_left(23) ^ word).wrapping_mul(HASH_MULTIPLIER);
    }
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests;
