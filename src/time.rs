//! Timestamps in the forms that platforms send.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Number, Value};
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Larger numbers are milliseconds: in seconds, this is the year 5138.
const MILLISECONDS_FROM: i64 = 100_000_000_000;

/// A point in time in a response.
///
/// Platforms send Unix seconds, Unix milliseconds, RFC 3339 with any offset, RFC 1123, or a date and time
/// with a separate offset (`… +0200`, `… UTC`) or without one, which means UTC. Any other text is kept and has no [`unix_millis`](Self::unix_millis).
///
/// ```
/// use deploykit::Timestamp;
/// for text in ["1795487067098", "\"1795487067098\"", "\"2026-11-24T02:24:27.098Z\"", "\"2026-11-24 02:24:27.098\""] {
///     let at: Timestamp = serde_json::from_str(text).unwrap();
///     assert_eq!(at.unix_millis(), Some(1_795_487_067_098));
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Timestamp(Raw);

/// The value that the platform sent; parsed on use.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
enum Raw {
    Number(Number),
    Text(String),
}

impl Timestamp {
    /// Milliseconds since 1970 (UTC); `None` if the form is unknown.
    pub fn unix_millis(&self) -> Option<i64> {
        match &self.0 {
            Raw::Number(number) => millis_of(&number.to_string()),
            Raw::Text(text) => millis_of(text.trim()),
        }
    }

    /// Converts to [`SystemTime`]; `None` if the form is unknown or before 1970.
    pub fn to_system_time(&self) -> Option<SystemTime> {
        let millis = u64::try_from(self.unix_millis()?).ok()?;
        UNIX_EPOCH.checked_add(Duration::from_millis(millis))
    }

    /// Wraps a text in any form.
    ///
    /// Never fails; [`unix_millis`](Self::unix_millis) is `None` if the form is unknown.
    pub fn parse(text: impl Into<String>) -> Self {
        Self(Raw::Text(text.into()))
    }
}

impl fmt::Display for Timestamp {
    /// The value that the platform sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Raw::Number(number) => write!(f, "{number}"),
            Raw::Text(text) => f.write_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Number(number) => Ok(Self(Raw::Number(number))),
            other => String::deserialize(other)
                .map(Self::parse)
                .map_err(D::Error::custom),
        }
    }
}

fn millis_of(text: &str) -> Option<i64> {
    if let Ok(number) = text.parse::<i64>() {
        return Some(match number.saturating_abs() >= MILLISECONDS_FROM {
            true => number,
            false => number * 1000,
        });
    }
    if let Ok(number) = text.parse::<f64>() {
        let milliseconds = match number.abs() >= MILLISECONDS_FROM as f64 {
            true => number,
            false => number * 1000.0,
        };
        // 2.6e14 ms is after the year 9999. Larger floats would saturate in i64.
        return (milliseconds.is_finite() && milliseconds.abs() < 2.6e14)
            .then_some(milliseconds as i64);
    }
    let joined = text.replace(" +", "+").replace(" -", "-");
    let joined = match joined.strip_suffix(" UTC") {
        // Go writes an offset, too.
        Some(with_offset) if with_offset.contains('+') => with_offset.to_owned(),
        Some(time) => format!("{time}Z"),
        None => joined,
    };
    if let Ok(instant) = joined.parse::<jiff::Timestamp>() {
        return Some(instant.as_millisecond());
    }
    if let Ok(zoned) = jiff::fmt::rfc2822::parse(text) {
        return Some(zoned.timestamp().as_millisecond());
    }
    let naive: jiff::civil::DateTime = text.parse().ok()?;
    let utc = jiff::tz::Offset::UTC.to_timestamp(naive).ok()?;
    Some(utc.as_millisecond())
}

/// Formats as `2026-04-22T12:00:46Z`, rounded down; `None` after the year 9999.
pub(crate) fn rfc3339_seconds(at: SystemTime) -> Option<String> {
    let seconds = jiff::Timestamp::try_from(at).ok()?.as_second();
    Some(jiff::Timestamp::from_second(seconds).ok()?.to_string())
}

/// Formats as `2026-04-22 12:00:46.00` in UTC, rounded down, without an offset.
pub(crate) fn naive_seconds(at: SystemTime) -> Option<String> {
    let text = rfc3339_seconds(at)?;
    Some(text.replace('T', " ").replace('Z', ".00"))
}

/// Assumed maximum difference between the clocks of two machines.
pub(crate) const CLOCK_SKEW: Duration = Duration::from_secs(60);

/// The earliest time that another machine's clock may have shown at `at`.
pub(crate) fn allow_for_skew(at: SystemTime) -> SystemTime {
    at.checked_sub(CLOCK_SKEW).unwrap_or(at)
}

/// Parses an HTTP date such as `Wed, 21 Oct 2015 07:28:00 GMT`.
pub(crate) fn parse_http_date(text: &str) -> Option<SystemTime> {
    let zoned = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    SystemTime::try_from(zoned.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Timestamp {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn every_known_form_is_read() {
        for (json, millis) in [
            ("1795487067098", Some(1_795_487_067_098)),
            ("1795487067", Some(1_795_487_067_000)),
            ("1795487067.5", Some(1_795_487_067_500)),
            ("\"1795487067\"", Some(1_795_487_067_000)),
            ("\"2024-01-15T12:00:00Z\"", Some(1_705_320_000_000)),
            ("\"2023-04-18T18:32:25.018+02:00\"", Some(1_681_835_545_018)),
            ("\"2026-04-22 12:00:46.444265\"", Some(1_776_859_246_444)),
            ("\"2024-01-15 12:00:00 UTC\"", Some(1_705_320_000_000)),
            ("\"2024-01-15 14:00:00 +0200\"", Some(1_705_320_000_000)),
            ("\"2024-01-15 10:00:00 -02:00\"", Some(1_705_320_000_000)),
            ("\"Mon, 15 Jan 2024 12:00:00 GMT\"", Some(1_705_320_000_000)),
            ("\"soon\"", None),
            ("\"\"", None),
            ("-5", Some(-5_000)),
            ("18446744073709551615", None),
            ("1e300", None),
        ] {
            assert_eq!(read(json).unix_millis(), millis, "{json}");
        }
    }

    #[test]
    fn display_and_serialize_keep_the_original_form() {
        for json in [
            "1795487067098",
            "\"2023-04-18T18:32:25.018+02:00\"",
            "\"soon\"",
        ] {
            assert_eq!(serde_json::to_string(&read(json)).unwrap(), json);
        }
        assert_eq!(read("\"soon\"").to_string(), "soon");
    }

    #[test]
    fn formatted_times_are_rounded_down_to_the_second() {
        let at = UNIX_EPOCH + Duration::from_millis(1_776_859_246_999);
        let text = rfc3339_seconds(at).unwrap();
        assert_eq!(text, "2026-04-22T12:00:46Z");
        assert_eq!(rfc3339_seconds(UNIX_EPOCH).unwrap(), "1970-01-01T00:00:00Z");
        assert_eq!(naive_seconds(at).unwrap(), "2026-04-22 12:00:46.00");
    }

    #[test]
    fn http_dates_are_parsed() {
        let at = parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        assert_eq!(
            at.duration_since(UNIX_EPOCH).unwrap().as_secs(),
            1_445_412_480
        );
        assert!(parse_http_date("yesterday").is_none());
    }
}
