//! Log cursors: positions in a log that can be stored.

use super::dedupe::LogPosition;
use crate::error::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize};

/// Version of the serialized form.
const VERSION: u32 = 1;

/// A position in a log that can be stored.
///
/// Another process can continue from it without gaps or repeats. Returned by
/// [`LogStream::cursor`](crate::logs::LogStream::cursor), and accepted by `resume_logs` of the platform's
/// handle.
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
/// Contains times and hashes of the last lines, but no text, ids or credentials. Its JSON has about 100
/// bytes, at most 16 KiB. Deserializing an unknown version fails.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCursor {
    #[serde(deserialize_with = "known_version")]
    version: u32,
    platform: String,
    position: LogPosition,
}

impl LogCursor {
    pub(crate) fn new(platform: &str, position: LogPosition) -> Self {
        Self {
            version: VERSION,
            platform: platform.to_owned(),
            position,
        }
    }

    /// The position, if the cursor belongs to this platform.
    pub(crate) fn position_on(&self, platform: &str) -> Result<LogPosition> {
        if self.platform == platform {
            return Ok(self.position.clone());
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
    use super::super::dedupe::{Dedupe, MAX_LINES};
    use super::*;

    #[test]
    fn cursors_are_small_and_round_trip_through_json() {
        let mut dedupe = Dedupe::new(LogPosition::default(), 0);
        for hash in [7, 7, u64::MAX] {
            dedupe.accept(Some(1_795_487_020_229), hash, true);
        }
        let cursor = LogCursor::new("dployr", dedupe.position().clone());
        let text = serde_json::to_string(&cursor).unwrap();
        assert_eq!(
            text,
            r#"{"version":1,"platform":"dployr","position":{"start":null,"last":1795487020229,"floor":1795487020229,"lines":[[1795487020229,"0000000000000007",2],[1795487020229,"ffffffffffffffff",1]],"overflow":0}}"#
        );
        assert_eq!(serde_json::from_str::<LogCursor>(&text).unwrap(), cursor);

        let mut dedupe = Dedupe::new(LogPosition::default(), 1_000);
        for n in 0..10_000_u32 {
            dedupe.accept(Some(i64::MAX - 10_000 + i64::from(n)), u64::from(n), true);
        }
        let cursor = LogCursor::new("nodion", dedupe.position().clone());
        let text = serde_json::to_string(&cursor).unwrap();
        assert!(text.len() <= 16 << 10, "{}", text.len());
    }

    #[test]
    fn malformed_cursors_are_refused() {
        let with = |version: u32, lines: &str| {
            let position = format!(r#"{{"floor":0,"lines":[{lines}],"overflow":0}}"#);
            format!(r#"{{"version":{version},"platform":"d","position":{position}}}"#)
        };
        let read = |text: &str| serde_json::from_str::<LogCursor>(text);
        assert!(read(&with(1, r#"[0,"07",1]"#)).is_ok());
        let many = vec![r#"[0,"07",1]"#; MAX_LINES + 1].join(",");
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
