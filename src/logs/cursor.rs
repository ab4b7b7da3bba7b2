//! A place in a log that can be stored.

use super::dedupe::{Given, MOST_KNOWN, Place};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Version of the serialized form.
const VERSION: u32 = 1;

/// How far a log was read: enough to continue in another process, without gaps or repeats.
///
/// Made by [`LogStream::cursor`](crate::LogStream::cursor), behind the line that was yielded last.
/// Accepted by `resume_logs` of the platform's handle.
///
/// ```no_run
/// # async fn example(dployr: deploykit::dployr::Client, saved: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let cursor: deploykit::LogCursor = serde_json::from_str(saved)?;
/// let mut lines = dployr.service("web").resume_logs(&cursor).await?;
/// while let Some(line) = lines.next().await {
///     println!("{}", line?.message);
///     std::fs::write("cursor.json", serde_json::to_string(&lines.cursor())?)?;
/// }
/// # Ok(()) }
/// ```
///
/// Contains times and hashes of the last lines: no text, no id and no credentials. As JSON it has
/// about 100 bytes, and at most 16 KiB. Deserializing an unknown version fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct LogCursor {
    platform: String,
    place: Place,
}

/// The serialized form.
#[derive(Serialize, Deserialize)]
struct Form {
    version: u32,
    platform: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<i64>,
    #[serde(default, skip_serializing_if = "is_zero")]
    floor: i64,
    /// Time, hash in hexadecimal digits, number of occurrences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    given: Vec<(i64, String, u32)>,
    #[serde(default, skip_serializing_if = "is_zero")]
    crowd: u64,
}

fn is_zero<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

impl LogCursor {
    pub(crate) fn new(platform: &str, place: Place) -> Self {
        Self {
            platform: platform.to_owned(),
            place,
        }
    }

    /// The platform of the log: `dployr`.
    pub fn platform(&self) -> &str {
        &self.platform
    }

    /// The time of the latest line, in milliseconds since 1970; `None` if there was none.
    pub fn last_millis(&self) -> Option<i64> {
        self.place.last
    }

    /// The place, if the cursor belongs to this platform.
    pub(crate) fn place_on(&self, platform: &str) -> Result<Place> {
        if self.platform == platform {
            return Ok(self.place.clone());
        }
        let found = &self.platform;
        Err(Error::invalid_request(format!(
            "the log cursor belongs to {found:?}, not to {platform}"
        )))
    }
}

impl From<LogCursor> for Form {
    fn from(cursor: LogCursor) -> Self {
        let Place {
            start,
            last,
            floor,
            given,
            crowd,
        } = cursor.place;
        let given = given.into_iter();
        let given = given.map(|line| (line.at, format!("{:016x}", line.hash), line.times));
        Self {
            version: VERSION,
            platform: cursor.platform,
            start,
            last,
            floor,
            given: given.collect(),
            crowd,
        }
    }
}

impl TryFrom<Form> for LogCursor {
    type Error = String;

    fn try_from(form: Form) -> std::result::Result<Self, String> {
        if form.version != VERSION {
            let version = form.version;
            return Err(format!("unknown cursor version {version}, not {VERSION}"));
        }
        if form.given.len() > MOST_KNOWN {
            return Err(format!("a cursor with more than {MOST_KNOWN} lines"));
        }
        let given = form.given.into_iter().map(|(at, hash, times)| {
            let hash = u64::from_str_radix(&hash, 16);
            let hash = hash.map_err(|_| "a cursor with a malformed hash")?;
            Ok(Given { at, hash, times })
        });
        let mut given: Vec<_> = given.collect::<std::result::Result<_, &str>>()?;
        given.sort();
        Ok(Self {
            platform: form.platform,
            place: Place {
                start: form.start,
                last: form.last,
                floor: form.floor,
                given,
                crowd: form.crowd,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::dedupe::Dedupe;
    use super::*;

    #[test]
    fn cursors_are_small_and_survive_json() {
        let mut dedupe = Dedupe::new(Place::default(), 0);
        let empty = LogCursor::new("dployr", dedupe.place().clone());
        let text = serde_json::to_string(&empty).unwrap();
        assert_eq!(text, r#"{"version":1,"platform":"dployr"}"#);
        assert_eq!(serde_json::from_str::<LogCursor>(&text).unwrap(), empty);

        for hash in [7, 7, u64::MAX] {
            dedupe.takes(Some(1_795_487_020_229), hash, true);
        }
        let cursor = LogCursor::new("dployr", dedupe.place().clone());
        let text = serde_json::to_string(&cursor).unwrap();
        assert_eq!(
            text,
            r#"{"version":1,"platform":"dployr","last":1795487020229,"floor":1795487020229,"given":[[1795487020229,"0000000000000007",2],[1795487020229,"ffffffffffffffff",1]]}"#
        );
        assert_eq!(serde_json::from_str::<LogCursor>(&text).unwrap(), cursor);

        let mut dedupe = Dedupe::new(Place::default(), 1_000);
        for n in 0..10_000_u32 {
            dedupe.takes(Some(i64::MAX - 10_000 + i64::from(n)), u64::from(n), true);
        }
        let cursor = LogCursor::new("nodion", dedupe.place().clone());
        let text = serde_json::to_string(&cursor).unwrap();
        assert!(text.len() <= 16 << 10, "{}", text.len());
    }

    #[test]
    fn malformed_cursors_are_refused() {
        let many = vec![r#"[0,"07",1]"#; MOST_KNOWN + 1].join(",");
        let many = format!(r#"{{"version":1,"platform":"d","given":[{many}]}}"#);
        for (text, words) in [
            (r#"{"version":2,"platform":"dployr"}"#, "version 2"),
            (r#"{"platform":"dployr"}"#, "version"),
            (
                r#"{"version":1,"platform":"d","given":[[0,"xy",1]]}"#,
                "hash",
            ),
            (&many, "more than"),
        ] {
            let error = serde_json::from_str::<LogCursor>(text).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
