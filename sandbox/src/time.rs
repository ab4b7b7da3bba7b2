//! Progress of deployments, and the platforms' timestamp formats.

use std::sync::LazyLock;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How long a deployment takes, and whether it fails.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) ready_after: Duration,
    pub(crate) fails: bool,
}

/// The progress of a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Queued,
    Working,
    Done,
    Failed,
}

impl Timing {
    /// The stage of a deployment that began at `begun`.
    ///
    /// It is queued for the first third of `ready_after`, then working. The split is an assumption: no
    /// platform documents it.
    pub(crate) fn stage(self, begun: Duration, now: Duration) -> Stage {
        match now.saturating_sub(begun) {
            elapsed if elapsed >= self.ready_after && self.fails => Stage::Failed,
            elapsed if elapsed >= self.ready_after => Stage::Done,
            elapsed if elapsed >= self.queue_time() => Stage::Working,
            _ => Stage::Queued,
        }
    }

    pub(crate) fn queue_time(self) -> Duration {
        self.ready_after / 3
    }

    /// Progress in percent, 0 to 100.
    pub(crate) fn percent(self, begun: Duration, now: Duration) -> u64 {
        let elapsed = now.saturating_sub(begun).as_millis();
        let whole = self.ready_after.as_millis().max(1);
        u64::try_from(elapsed * 100 / whole).unwrap_or(100).min(100)
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn millis(at: Duration) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(u64::MAX)
}

fn timestamp(at: Duration) -> Timestamp {
    let at = SignedDuration::try_from(at).ok();
    let at = at.and_then(|at| Timestamp::from_duration(at).ok());
    at.unwrap_or(Timestamp::MAX)
}

fn format_utc(at: Duration, format: &str) -> String {
    timestamp(at).strftime(format).to_string()
}

/// Formats a time as `2024-01-15T10:00:00Z`.
pub(crate) fn rfc3339(at: Duration) -> String {
    format_utc(at, "%Y-%m-%dT%H:%M:%SZ")
}

/// Formats a time as `2026-11-24T02:24:27.986Z`.
pub(crate) fn rfc3339_millis(at: Duration) -> String {
    format_utc(at, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// Formats a time as `2026-04-22 12:00:46.444265`, in UTC.
pub(crate) fn naive_micros(at: Duration) -> String {
    format_utc(at, "%Y-%m-%d %H:%M:%S%.6f")
}

/// Formats a time as `Tue, 24 Nov 2026 02:24:27 GMT`.
pub(crate) fn http_date(at: Duration) -> String {
    format_utc(at, "%a, %d %b %Y %H:%M:%S GMT")
}

/// Formats a time as `December 24, 2026`, in UTC.
pub(crate) fn day_in_words(at: Duration) -> String {
    format_utc(at, "%B %-d, %Y")
}

/// Formats a time as `2023-04-18T18:32:25.018+02:00`, in the time zone of Berlin.
pub(crate) fn rfc3339_berlin(at: Duration) -> String {
    // A POSIX time-zone rule needs no time-zone database.
    static BERLIN: LazyLock<TimeZone> =
        LazyLock::new(|| TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or(TimeZone::UTC));
    let local = timestamp(at).to_zoned_datetime(BERLIN.clone());
    local.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
}

/// Parses `2026-04-22T12:00:46Z` or `2026-04-22 12:00:46.444265`: UTC, fraction optional.
pub(crate) fn parse_utc(text: &str) -> Option<Duration> {
    let text = text.strip_suffix('Z').unwrap_or(text).replace('T', " ");
    let at = DateTime::strptime("%Y-%m-%d %H:%M:%S%.f", text).ok()?;
    let at = TimeZone::UTC.to_timestamp(at).ok()?;
    Duration::try_from(at.as_duration()).ok()
}

/// Parses RFC 3339 with any offset; times before the epoch become the epoch.
pub(crate) fn parse_rfc3339(text: &str) -> Option<Duration> {
    let at: Timestamp = text.parse().ok()?;
    Some(Duration::try_from(at.as_duration()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_formatted() {
        let at = Duration::from_millis(1_795_487_067_986);
        assert_eq!(rfc3339_millis(at), "2026-11-24T02:24:27.986Z");
        assert_eq!(rfc3339(at), "2026-11-24T02:24:27Z");
        assert_eq!(http_date(at), "Tue, 24 Nov 2026 02:24:27 GMT");
        assert_eq!(rfc3339_berlin(at), "2026-11-24T03:24:27.986+01:00");
        assert_eq!(naive_micros(at), "2026-11-24 02:24:27.986000");
        assert_eq!(day_in_words(at), "November 24, 2026");
        assert_eq!(
            rfc3339(Duration::from_secs(951_782_400)),
            "2000-02-29T00:00:00Z"
        );
    }

    #[test]
    fn timestamps_are_parsed() {
        for millis in [0, 951_782_399_999, 1_776_859_246_444, 4_102_444_800_000] {
            let at = Duration::from_millis(millis);
            assert_eq!(parse_utc(&naive_micros(at)), Some(at));
            assert_eq!(parse_utc(&rfc3339_millis(at)), Some(at));
            assert_eq!(parse_rfc3339(&rfc3339_millis(at)), Some(at));
            assert_eq!(parse_rfc3339(&rfc3339_berlin(at)), Some(at));
            let second = Duration::from_secs(at.as_secs());
            assert_eq!(parse_utc(&rfc3339(at)), Some(second));
        }
        for early in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00+01:00"] {
            assert_eq!(parse_rfc3339(early), Some(Duration::ZERO), "{early}");
        }
        for bad in [
            "",
            "now",
            "2026-04-22",
            "2026-13-01T00:00:00Z",
            "2026-04-22T12:00:46.Z1Z",
        ] {
            assert_eq!(parse_utc(bad), None, "{bad}");
            assert_eq!(parse_rfc3339(bad), None, "{bad}");
        }
        assert_eq!(parse_utc("2026-04-22T12:00:46+02:00"), None);
        assert_eq!(
            parse_rfc3339("2026-11-24T02:24:27"),
            None,
            "without an offset"
        );
    }

    #[test]
    fn daylight_saving_time_starts_and_ends() {
        for (seconds, offset) in [
            (1_774_745_999, "+01:00"), // 2026-03-29T00:59:59Z
            (1_774_746_000, "+02:00"),
            (1_792_889_999, "+02:00"), // 2026-10-25T00:59:59Z
            (1_792_890_000, "+01:00"),
        ] {
            let written = rfc3339_berlin(Duration::from_secs(seconds));
            assert!(written.ends_with(offset), "{written}");
        }
    }

    #[test]
    fn progress_follows_the_clock() {
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
        // Before the start, the stage is queued.
        assert_eq!(timing.stage(begun, Duration::ZERO), Stage::Queued);
    }
}
