//! Where one reading of a log ends and the next one goes on: without gap and without repeat.
//!
//! Platforms number neither lines nor places; a line has a time, and several lines have the same. So
//! a reader goes on *from* the time of the line that it gave last, and leaves out what it has given
//! already: by what the lines say, and by how often.

use std::collections::BTreeMap;

/// How many different lines of the end are known by what they say. It bounds memory and cursors: so
/// many are about 5 KiB as JSON.
pub(crate) const MOST_KNOWN: usize = 256;

/// How far a log was read. Times are milliseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where to begin as long as no line was given.
    pub start: Option<i64>,
    /// The latest time of a line that was given.
    pub last: Option<i64>,
    /// From this time on it is known which lines were given; all before it were.
    pub floor: i64,
    /// Lines given from [`floor`](Self::floor) on: time, identity, how often.
    pub given: BTreeMap<(i64, u64), u32>,
    /// How many lines of the time `floor` were given beside those: more than can be known one by one.
    pub crowd: u64,
}

impl Place {
    /// The time to read from, that millisecond included.
    pub fn since(&self) -> Option<i64> {
        self.last.map(|_| self.floor).or(self.start)
    }

    fn note(&mut self, at: i64, identity: u64, overlap: i64) {
        match self.last {
            Some(_) if at < self.floor => return,
            Some(last) if at <= last => {}
            Some(_) => {
                self.last = Some(at);
                self.raise(at.saturating_sub(overlap));
            }
            None => {
                self.last = Some(at);
                self.floor = at.saturating_sub(overlap);
            }
        }
        if self.crowd > 0 && at == self.floor {
            self.crowd = self.crowd.saturating_add(1);
            return;
        }
        let times = self.given.entry((at, identity)).or_default();
        *times = times.saturating_add(1);
        while self.given.len() > MOST_KNOWN {
            match (self.given.first_key_value(), self.last) {
                (Some(((first, _), _)), Some(last)) if *first < last => self.raise(first + 1),
                (Some(((first, _), _)), _) => {
                    let first = *first;
                    let crowd = self.given.values().map(|times| u64::from(*times)).sum();
                    self.given.clear();
                    self.floor = first;
                    self.crowd = crowd;
                }
                (None, _) => return,
            }
        }
    }

    fn raise(&mut self, floor: i64) {
        if floor <= self.floor {
            return;
        }
        self.floor = floor;
        self.crowd = 0;
        if self
            .given
            .first_key_value()
            .is_some_and(|((first, _), _)| *first < floor)
        {
            self.given = self.given.split_off(&(floor, 0));
        }
    }
}

/// Lets through what was not given yet.
#[derive(Clone, Debug)]
pub(crate) struct Seam {
    place: Place,
    /// For how long before the latest line others may still turn up, in milliseconds.
    overlap: i64,
    reading: Reading,
    /// How many were let through.
    count: u64,
    /// A line was given whose place is not known.
    unplaced: bool,
}

/// One reading of the log: one connection, or one window.
#[derive(Clone, Debug, Default)]
struct Reading {
    /// What was given when it began.
    before: Option<Before>,
    /// The time of the latest line that had one: a line without a time belongs to the one before it.
    at: Option<i64>,
}

#[derive(Clone, Debug)]
struct Before {
    last: i64,
    floor: i64,
    /// What is to be left out from `floor` on.
    given: BTreeMap<(i64, u64), u32>,
    crowd: u64,
    /// Nothing came yet that is newer than all that was given.
    replaying: bool,
}

impl Seam {
    pub fn new(place: Place, overlap: i64) -> Self {
        let mut seam = Self {
            place,
            overlap,
            reading: Reading::default(),
            count: 0,
            unplaced: false,
        };
        seam.read_anew();
        seam
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Where to begin as long as no line was given.
    pub fn start_at(&mut self, start: Option<i64>) {
        self.place.start = start;
    }

    /// The next lines are those of a new reading, which may begin anywhere before the place.
    pub fn read_anew(&mut self) {
        let before = self.place.last.map(|last| Before {
            last,
            floor: self.place.floor,
            given: self.place.given.clone(),
            crowd: self.place.crowd,
            replaying: true,
        });
        self.reading = Reading {
            before,
            ..Reading::default()
        };
    }

    /// Whether the next thing of this reading is new. `is_line` is false for what could not be read.
    pub fn takes(&mut self, at: Option<i64>, identity: u64, is_line: bool) -> bool {
        let Some(at) = at.or(self.reading.at) else {
            // Before the first line with a time. Of a reading that goes on it is a repeat, as far as
            // one can tell; what went wrong is told twice rather than never.
            let new = self.reading.before.is_none() || !is_line;
            self.unplaced |= new && is_line;
            self.count += u64::from(new && is_line);
            return new;
        };
        self.reading.at = Some(at);
        if let Some(before) = &mut self.reading.before
            && before.had(at, identity)
        {
            return false;
        }
        self.place.note(at, identity, self.overlap);
        self.count += u64::from(is_line);
        true
    }

    /// How many lines were let through.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether this is known to have been given.
    pub fn knows(&self, at: Option<i64>, identity: u64) -> bool {
        at.is_some_and(|at| {
            let crowded = at == self.place.floor && self.place.crowd > 0;
            crowded || self.place.given.contains_key(&(at, identity))
        })
    }

    /// Whether a reading can go on from here.
    pub fn is_placed(&self) -> bool {
        self.place.last.is_some() || !self.unplaced
    }

    /// Gives up the millisecond that is being read.
    pub fn skip_millisecond(&mut self) {
        if let Some(last) = self.place.last {
            let next = last.saturating_add(1);
            self.place.last = Some(next);
            self.place.raise(next);
        }
    }
}

impl Before {
    fn had(&mut self, at: i64, identity: u64) -> bool {
        if at > self.last {
            self.replaying = false;
            return false;
        }
        if at < self.floor {
            return self.replaying;
        }
        if let Some(times) = self.given.get_mut(&(at, identity))
            && *times > 0
        {
            *times -= 1;
            return true;
        }
        if at == self.floor && self.crowd > 0 {
            self.crowd -= 1;
            return true;
        }
        false
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines: time, and what they say.
    type Log = Vec<(i64, u64)>;

    /// Reads `log` in pieces: each reading begins where `begin` says and ends after so many new lines.
    fn read(log: &Log, overlap: i64, cuts: &[usize], begin: impl Fn(&Seam) -> usize) -> Log {
        let mut seam = Seam::new(Place::default(), overlap);
        let mut seen = Log::new();
        for cut in cuts.iter().copied().chain([usize::MAX]) {
            let mut new = 0;
            for (at, identity) in log.iter().skip(begin(&seam)) {
                if new == cut {
                    break;
                }
                if seam.takes(Some(*at), *identity, true) {
                    seen.push((*at, *identity));
                    new += 1;
                }
            }
            seam.read_anew();
        }
        seen
    }

    /// As a server does that knows `since`.
    fn since(log: &Log) -> impl Fn(&Seam) -> usize {
        |seam| {
            let since = seam.place().since().unwrap_or(i64::MIN);
            log.iter()
                .position(|(at, _)| *at >= since)
                .unwrap_or(log.len())
        }
    }

    #[test]
    fn lines_of_the_last_millisecond_are_left_out_by_what_they_say_and_how_often() {
        let log = vec![(1, 7), (2, 7), (2, 8), (2, 7), (2, 7), (3, 7)];
        for cut in 0..=log.len() {
            assert_eq!(read(&log, 0, &[cut], since(&log)), log, "cut after {cut}");
            assert_eq!(read(&log, 0, &[cut, 0, 1], |_| 0), log, "cut after {cut}");
        }
    }

    #[test]
    fn a_millisecond_with_more_lines_than_are_known_goes_by_number() {
        let lines = u64::try_from(MOST_KNOWN).unwrap() + 50;
        let log: Log = (0..lines).map(|n| (5, n)).chain([(6, 1)]).collect();
        for cut in [MOST_KNOWN - 1, MOST_KNOWN, MOST_KNOWN + 1, MOST_KNOWN + 49] {
            assert_eq!(
                read(&log, 0, &[cut, 1], since(&log)),
                log,
                "cut after {cut}"
            );
            assert_eq!(
                read(&log, 9, &[cut, 1], since(&log)),
                log,
                "cut after {cut}"
            );
        }
    }

    #[test]
    fn what_is_known_is_bounded() {
        let mut seam = Seam::new(Place::default(), 1_000_000);
        for n in 0..10_000_u32 {
            assert!(seam.takes(Some(i64::from(n / 3)), u64::from(n), true));
            assert!(seam.place().given.len() <= MOST_KNOWN);
        }
        assert!(seam.place().floor > 3000, "it rises when there is no room");
    }

    #[test]
    fn a_line_that_turns_up_late_is_given_within_the_overlap() {
        let mut seam = Seam::new(Place::default(), 10);
        assert!(seam.takes(Some(100), 1, true));
        seam.read_anew();
        assert!(seam.takes(Some(95), 2, true), "it was not there before");
        assert!(!seam.takes(Some(100), 1, true));
        seam.read_anew();
        assert!(!seam.takes(Some(95), 2, true));
        assert!(!seam.takes(Some(89), 3, true), "before what is known");
        assert!(seam.takes(Some(101), 4, true));
        assert!(seam.takes(Some(89), 3, true), "the repeats are over");
    }

    #[test]
    fn a_line_without_a_time_belongs_to_the_one_before_it() {
        let mut seam = Seam::new(Place::default(), 0);
        for (at, identity) in [(Some(1), 1), (None, 9), (Some(2), 2), (None, 9)] {
            assert!(seam.takes(at, identity, true));
        }
        seam.read_anew();
        for (at, identity) in [(None, 8), (Some(1), 1), (None, 9), (Some(2), 2), (None, 9)] {
            assert!(!seam.takes(at, identity, true));
        }
        assert!(seam.takes(None, 9, true), "one more");
        assert!(seam.is_placed());

        let mut seam = Seam::new(Place::default(), 0);
        assert!(seam.is_placed());
        assert!(seam.takes(None, 1, true));
        assert!(!seam.is_placed());
    }

    #[test]
    fn what_could_not_be_read_is_told_once() {
        let mut seam = Seam::new(Place::default(), 0);
        assert!(seam.takes(Some(1), 1, true));
        assert!(seam.takes(None, 5, false));
        seam.read_anew();
        assert!(seam.takes(None, 6, false), "its place is not known");
        assert!(!seam.takes(Some(1), 1, true));
        assert!(!seam.takes(None, 5, false));
        assert_eq!(seam.count(), 1);
    }

    #[test]
    fn a_millisecond_can_be_given_up() {
        let mut seam = Seam::new(Place::default(), 0);
        assert!(seam.takes(Some(5), 1, true));
        seam.skip_millisecond();
        seam.read_anew();
        assert_eq!(seam.place().since(), Some(6));
        assert!(!seam.takes(Some(5), 2, true));
        assert!(seam.takes(Some(6), 3, true));
    }
}
