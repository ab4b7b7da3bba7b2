//! How far a log was read, to keep.

use super::seam::{MOST_KNOWN, Place};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The version of what is written.
const VERSION: u32 = 1;

/// How far a log was read: enough to go on in another process, without gap and without repeat.
///
/// Made by [`LogStream::cursor`](crate::LogStream::cursor), at any moment: it stands behind the line
/// that was given last. Taken up by `resume_logs` of the platform's handle.
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
/// It holds times and numbers that stand for the last lines: no text of a line, no id and no
/// credentials. As JSON it is some 100 bytes, and never more than 16 KiB. A version that this crate
/// does not know is refused when it is read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Form", into = "Form")]
pub struct LogCursor {
    platform: String,
    place: Place,
}

/// The cursor as it is written.
#[derive(Serialize, Deserialize)]
struct Form {
    version: u32,
    platform: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<i64>,
    #[serde(default, skip_serializing_if = "is_nothing")]
    floor: i64,
    /// Milliseconds after `floor`, identity, how often.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    given: Vec<(i64, String, u32)>,
    #[serde(default, skip_serializing_if = "is_nothing")]
    crowd: u64,
}

fn is_nothing<N: Default + PartialEq>(number: &N) -> bool {
    *number == N::default()
}

impl LogCursor {
    pub(crate) fn new(platform: &str, place: Place) -> Self {
        Self {
            platform: platform.to_owned(),
            place,
        }
    }

    /// The platform that it is of: `dployr`.
    pub fn platform(&self) -> &str {
        &self.platform
    }

    /// The time of the latest line that was given, in milliseconds since 1970; `None` if there was
    /// none.
    pub fn last_millis(&self) -> Option<i64> {
        self.place.last
    }

    /// The place, if it is one of this platform.
    pub(crate) fn place_on(&self, platform: &str) -> Result<Place> {
        if self.platform == platform {
            return Ok(self.place.clone());
        }
        Err(Error::invalid_request(format!(
            "the cursor is not one of {platform}"
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
        let given = given.into_iter().map(|((at, identity), times)| {
            (at.saturating_sub(floor), format!("{identity:016x}"), times)
        });
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
            return Err(format!(
                "a cursor of version {}; this is version {VERSION}",
                form.version
            ));
        }
        if form.given.len() > MOST_KNOWN {
            return Err(format!("a cursor with more than {MOST_KNOWN} lines"));
        }
        let floor = form.floor;
        let given = form.given.into_iter().map(|(after, identity, times)| {
            let at = floor.checked_add(after).filter(|_| after >= 0);
            let identity = u64::from_str_radix(&identity, 16).ok();
            Some(((at?, identity?), times))
        });
        Ok(Self {
            platform: form.platform,
            place: Place {
                start: form.start,
                last: form.last,
                floor,
                given: given.collect::<Option<_>>().ok_or("a line that is none")?,
                crowd: form.crowd,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::seam::Seam;
    use super::*;

    #[test]
    fn it_is_small_and_comes_back_as_it_was() {
        let mut seam = Seam::new(Place::default(), 0);
        let empty = LogCursor::new("dployr", seam.place().clone());
        let text = serde_json::to_string(&empty).unwrap();
        assert_eq!(text, r#"{"version":1,"platform":"dployr"}"#);
        assert_eq!(serde_json::from_str::<LogCursor>(&text).unwrap(), empty);

        for identity in [7, 7, u64::MAX] {
            seam.takes(Some(1_795_487_020_229), identity, true);
        }
        let cursor = LogCursor::new("dployr", seam.place().clone());
        let text = serde_json::to_string(&cursor).unwrap();
        assert_eq!(
            text,
            r#"{"version":1,"platform":"dployr","last":1795487020229,"floor":1795487020229,"given":[[0,"0000000000000007",2],[0,"ffffffffffffffff",1]]}"#
        );
        assert_eq!(serde_json::from_str::<LogCursor>(&text).unwrap(), cursor);

        let mut seam = Seam::new(Place::default(), 1_000);
        for n in 0..10_000_u32 {
            seam.takes(Some(i64::MAX - 10_000 + i64::from(n)), u64::from(n), true);
        }
        let text = serde_json::to_string(&LogCursor::new("nodion", seam.place().clone())).unwrap();
        assert!(text.len() <= 16 << 10, "{}", text.len());
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let many = vec![r#"[0,"07",1]"#; MOST_KNOWN + 1].join(",");
        for (text, words) in [
            (
                r#"{"version":2,"platform":"dployr"}"#.to_owned(),
                "version 2",
            ),
            (r#"{"platform":"dployr"}"#.to_owned(), "version"),
            (
                r#"{"version":1,"platform":"d","given":[[-1,"07",1]]}"#.to_owned(),
                "none",
            ),
            (
                r#"{"version":1,"platform":"d","given":[[0,"xy",1]]}"#.to_owned(),
                "none",
            ),
            (
                r#"{"version":1,"platform":"d","floor":9223372036854775807,"given":[[1,"07",1]]}"#
                    .to_owned(),
                "none",
            ),
            (
                format!(r#"{{"version":1,"platform":"d","given":[{many}]}}"#),
                "more than",
            ),
        ] {
            let error = serde_json::from_str::<LogCursor>(&text).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
