//! The platforms' ways to write a point in time, and the one clock rule they share: work takes a while, then it is done.

use std::time::Duration;

/// How long work takes and how it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) ready_after: Duration,
    pub(crate) fails: bool,
}

/// How far something got that was begun a while ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Queued,
    Working,
    Done,
    Failed,
}

impl Timing {
    /// A third of the time in the queue, the rest at work: the sandbox's own, for no platform says how its time is spent.
    pub(crate) fn stage(self, begun: Duration, now: Duration) -> Stage {
        let elapsed = now.saturating_sub(begun);
        if elapsed >= self.ready_after {
            if self.fails {
                Stage::Failed
            } else {
                Stage::Done
            }
        } else if elapsed >= self.queue() {
            Stage::Working
        } else {
            Stage::Queued
        }
    }

    pub(crate) fn queue(self) -> Duration {
        self.ready_after / 3
    }

    /// 0 to 100.
    pub(crate) fn percent(self, begun: Duration, now: Duration) -> u64 {
        let elapsed = now.saturating_sub(begun).as_millis();
        let whole = self.ready_after.as_millis().max(1);
        u64::try_from(elapsed * 100 / whole).unwrap_or(100).min(100)
    }
}

/// A rate limit over clock-aligned windows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Window {
    index: u64,
    used: u64,
    lifted: bool,
}

/// What a window says to one more request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) allowed: bool,
    pub(crate) remaining: u64,
    /// Unix seconds of the end of the window.
    pub(crate) reset: u64,
}

impl Window {
    /// One that says yes to everything, and counts nothing.
    pub(crate) fn lifted() -> Self {
        Self {
            lifted: true,
            ..Self::default()
        }
    }

    pub(crate) fn take(&mut self, now: Duration, seconds: u64, limit: u64) -> Taken {
        let index = now.as_secs() / seconds.max(1);
        if index != self.index {
            (self.index, self.used) = (index, 0);
        }
        let allowed = self.used < limit;
        if !self.lifted {
            self.used = self.used.saturating_add(1);
        }
        Taken {
            allowed,
            remaining: limit.saturating_sub(self.used),
            reset: (index + 1) * seconds,
        }
    }
}

pub(crate) fn millis(at: Duration) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(u64::MAX)
}

struct Civil {
    year: i64,
    month: u32,
    day: u32,
    seconds: u64,
}

/// Days since the epoch to a date (H. Hinnant's civil_from_days).
fn civil(seconds: u64) -> Civil {
    let days = i64::try_from(seconds / 86_400).unwrap_or(0) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Civil {
        year,
        month: u32::try_from(month).unwrap_or(1),
        day: u32::try_from(day).unwrap_or(1),
        seconds: seconds % 86_400,
    }
}

/// The point in time of `2026-04-22T12:00:46Z` or `2026-04-22 12:00:46.444265`: UTC, with or without a fraction.
pub(crate) fn parse_utc(text: &str) -> Option<Duration> {
    let text = text.strip_suffix('Z').unwrap_or(text);
    let (date, time) = text.split_once(['T', ' '])?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !in_range || fraction.len() > 9 {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Duration::new(seconds, nanos))
}

/// The point in time of RFC 3339 with any offset; one before the epoch is the epoch.
pub(crate) fn parse_rfc3339(text: &str) -> Option<Duration> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let (time, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-'])?);
    let ahead: i64 = match zone.split_at_checked(1)? {
        ("Z" | "z", "") => 0,
        (sign, offset) => {
            let [hours, minutes, _] = numbers(&format!("{offset}:0"), ':')?;
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = i64::try_from(hours * 3_600 + minutes * 60).ok()?;
            if sign == "-" { -seconds } else { seconds }
        }
    };
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let in_range = year <= 9999
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && !fraction.is_empty()
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !in_range {
        return None;
    }
    if year < 1970 {
        return Some(Duration::ZERO);
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    let seconds = u64::try_from(i64::try_from(seconds).ok()? - ahead).unwrap_or(0);
    let nanos: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    Some(Duration::new(seconds, nanos.parse().ok()?))
}

/// Three numbers of digits alone.
fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let mut parts = text.split(between).map(|part| {
        let digits = part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<u64>().ok()).flatten()
    });
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// Days from the epoch to a date from 1970 on (H. Hinnant's days_from_civil).
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn date_time(seconds: u64, between: char) -> String {
    let Civil {
        year,
        month,
        day,
        seconds,
    } = civil(seconds);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}")
}

/// `2024-01-15T10:00:00Z`
pub(crate) fn rfc3339(at: Duration) -> String {
    format!("{}Z", date_time(at.as_secs(), 'T'))
}

/// `2026-11-24T02:24:27.986Z`
pub(crate) fn rfc3339_millis(at: Duration) -> String {
    format!(
        "{}.{:03}Z",
        date_time(at.as_secs(), 'T'),
        at.subsec_millis()
    )
}

/// `2023-04-18T18:32:25.018+02:00`, the time of Berlin.
pub(crate) fn rfc3339_berlin(at: Duration) -> String {
    let offset = if summer_in_berlin(at.as_secs()) { 2 } else { 1 };
    let local = at.as_secs() + offset * 3_600;
    format!(
        "{}.{:03}+{offset:02}:00",
        date_time(local, 'T'),
        at.subsec_millis()
    )
}

/// `2026-04-22 12:00:46.444265`
pub(crate) fn naive_micros(at: Duration) -> String {
    format!("{}.{:06}", date_time(at.as_secs(), ' '), at.subsec_micros())
}

/// From the last Sunday of March to the last Sunday of October, 01:00 UTC both.
fn summer_in_berlin(seconds: u64) -> bool {
    let Civil {
        month,
        day,
        seconds: of_day,
        ..
    } = civil(seconds);
    // 1970-01-01 was a Thursday; Sunday is 0.
    let weekday = u32::try_from((seconds / 86_400 + 4) % 7).unwrap_or(0);
    let last_sunday_began = |day: u32| {
        // Both months have 31 days: the last Sunday is within the last seven.
        let sunday = day.checked_sub(weekday);
        match sunday {
            Some(sunday) if sunday >= 25 => weekday != 0 || of_day >= 3_600,
            _ => false,
        }
    };
    match month {
        4..=9 => true,
        3 => last_sunday_began(day),
        10 => !last_sunday_began(day),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms() {
        let at = Duration::from_millis(1_795_487_067_986);
        assert_eq!(rfc3339_millis(at), "2026-11-24T02:24:27.986Z");
        assert_eq!(rfc3339(at), "2026-11-24T02:24:27Z");
        assert_eq!(rfc3339_berlin(at), "2026-11-24T03:24:27.986+01:00");
        assert_eq!(naive_micros(at), "2026-11-24 02:24:27.986000");
        assert_eq!(
            rfc3339(Duration::from_secs(951_782_400)),
            "2000-02-29T00:00:00Z"
        );
    }

    #[test]
    fn read_forms() {
        for millis in [
            0,
            951_782_399_999,
            951_782_400_000,
            1_776_859_246_444,
            4_102_444_800_000,
        ] {
            let at = Duration::from_millis(millis);
            assert_eq!(parse_utc(&naive_micros(at)), Some(at));
            assert_eq!(parse_utc(&rfc3339_millis(at)), Some(at));
            let second = Duration::from_secs(at.as_secs());
            assert_eq!(parse_utc(&rfc3339(at)), Some(second));
        }
        for bad in [
            "",
            "2026-04-22",
            "2026-13-01T00:00:00Z",
            "2026-04-22T12:00:46+02:00",
            "2026-04-22T12:00Z",
            "2026-04-22T12:00:46.Z1Z",
            "now",
        ] {
            assert_eq!(parse_utc(bad), None, "{bad}");
        }
    }

    #[test]
    fn any_offset_is_read() {
        let at = Duration::from_millis(1_795_487_067_986);
        for text in [
            rfc3339_millis(at),
            rfc3339_berlin(at),
            "2026-11-23t21:54:27.986000000000-04:30".to_owned(),
        ] {
            assert_eq!(parse_rfc3339(&text), Some(at), "{text}");
        }
        for early in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00+01:00"] {
            assert_eq!(parse_rfc3339(early), Some(Duration::ZERO), "{early}");
        }
        for bad in [
            "",
            "2026-11-24",
            "2026-11-24T02:24:27",
            "2026-11-24T02:24:27.Z",
            "2026-11-24T02:24:27+24:00",
            "2026-11-24T02:24:27Z1",
            "2026-11-24T02:24:27+\u{e9}",
        ] {
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn summer_time_begins_and_ends() {
        for (seconds, summer) in [
            (1_774_745_999, false), // 2026-03-29T00:59:59Z
            (1_774_746_000, true),
            (1_774_828_800, true), // the Monday after
            (1_792_889_999, true), // 2026-10-25T00:59:59Z
            (1_792_890_000, false),
            (1_774_656_000, false), // Saturday 2026-03-28
        ] {
            assert_eq!(summer_in_berlin(seconds), summer, "{seconds}");
        }
    }

    #[test]
    fn stages_and_percent() {
        let timing = Timing {
            ready_after: Duration::from_millis(1_200),
            fails: false,
        };
        let begun = Duration::from_secs(10);
        let at = |ms| begun + Duration::from_millis(ms);
        assert_eq!(timing.stage(begun, at(0)), Stage::Queued);
        assert_eq!(timing.stage(begun, at(400)), Stage::Working);
        assert_eq!(timing.stage(begun, at(1_200)), Stage::Done);
        assert_eq!(timing.percent(begun, at(600)), 50);
        assert_eq!(timing.percent(begun, at(9_000)), 100);
        assert_eq!(
            timing.stage(begun, Duration::ZERO),
            Stage::Queued,
            "a clock that runs backwards does no harm"
        );
    }

    #[test]
    fn window_is_aligned() {
        let mut window = Window::default();
        let now = Duration::from_secs(119);
        assert_eq!(
            window.take(now, 60, 2),
            Taken {
                allowed: true,
                remaining: 1,
                reset: 120
            }
        );
        assert!(window.take(now, 60, 2).allowed);
        assert!(!window.take(now, 60, 2).allowed);
        assert_eq!(
            window.take(now + Duration::from_secs(1), 60, 2),
            Taken {
                allowed: true,
                remaining: 1,
                reset: 180
            }
        );
    }
}
