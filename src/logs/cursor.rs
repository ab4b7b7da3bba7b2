//! A place in a log that can be stored.

use super::dedupe::Place;
use crate::error::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize};

/// Version of the serialized form.
const VERSION: u32 = 1;

/// How far a log was read: enough to continue in another process, without gaps or repeats.
///
/// Made by [`LogStream::cursor`](crate::logs::LogStream::cursor), behind the line that was yielded last.
/// Accepted by `resume_logs` of the platform's handle.
///
/// ```no_run
/// # async fn example(dployr: deploykit::dployr::Client, saved: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let cursor: deploykit::logs::LogCursor = serde_json::from_str(saved)?;
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
pub struct LogCursor {
    #[serde(deserialize_with = "known_version")]
    version: u32,
    platform: String,
    place: Place,
}

impl LogCursor {
    pub(crate) fn new(platform: &str, place: Place) -> Self {
        Self {
            version: VERSION,
            platform: platform.to_owned(),
            place,
        }
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

fn known_version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        VERSION => Ok(VERSION),
        other => Err(serde::de::Error::custom(format!(
            "unknown cursor version {other}, not {VERSION}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::super::dedupe::{Dedupe, MOST_KNOWN};
    use super::*;

    #[test]
    fn cursors_are_small_and_survive_json() {
        let mut dedupe = Dedupe::new(Place::default(), 0);
        for hash in [7, 7, u64::MAX] {
            dedupe.takes(Some(1_795_487_020_229), hash, true);
        }
        let cursor = LogCursor::new("dployr", dedupe.place().clone());
        let text = serde_json::to_string(&cursor).unwrap();
        assert_eq!(
            text,
            r#"{"version":1,"platform":"dployr","place":{"start":null,"last":1795487020229,"floor":1795487020229,"given":[[1795487020229,"0000000000000007",2],[1795487020229,"ffffffffffffffff",1]],"crowd":0}}"#
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
        let with = |version: u32, given: &str| {
            let place = format!(r#"{{"floor":0,"given":[{given}],"crowd":0}}"#);
            format!(r#"{{"version":{version},"platform":"d","place":{place}}}"#)
        };
        let read = |text: &str| serde_json::from_str::<LogCursor>(text);
        assert!(read(&with(1, r#"[0,"07",1]"#)).is_ok());
        let many = vec![r#"[0,"07",1]"#; MOST_KNOWN + 1].join(",");
        for (text, words) in [
            (with(2, ""), "version 2"),
            (r#"{"platform":"dployr"}"#.to_owned(), "version"),
            (with(1, r#"[0,"xy",1]"#), "digit"),
            (with(1, &many), "more than"),
        ] {
            let error = read(&text).unwrap_err();
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
