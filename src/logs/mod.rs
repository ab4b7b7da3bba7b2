//! Log lines, followed logs and cursors, the same for all platforms.
//!
//! [`LogStream`] reconnects and drops repeated lines. [`LogCursor`] continues a log in another process.

mod cursor;
mod dedupe;
mod reconnect;
mod source;
mod stream;

pub use cursor::LogCursor;
pub use stream::LogStream;

pub(crate) use dedupe::{Dedupe, LogPosition, line_hash};
pub(crate) use reconnect::{Backoff, Reconnect};
pub(crate) use source::{
    Event, Item, MIN_COST, Source, lines_lost, next_array_item, poll_batch, server_time_millis,
};

use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A line of a log.
///
/// `Display` gives the time, the level and the message: `2026-11-30T10:00:00Z ERROR no such table`.
/// A field is `None` where the platform does not send it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
#[non_exhaustive]
pub struct LogLine {
    /// When the line was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The text of the line.
    pub message: String,
    /// Severity, as the platform writes it: `error` (dployr).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<String>,
    /// Origin of the line: `build`, `deploy` or `runtime` (dployr).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Name of the service (in the log of a dployr cluster).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Id of the deployment (in the log of a dployr cluster).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment_id: Option<String>,
    /// Id of the instance that wrote the line (Nodion).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance_id: Option<String>,
}

impl LogLine {
    /// A line with a message only, for tests of your own code.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }
}

impl fmt::Display for LogLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(timestamp) = &self.timestamp {
            write!(f, "{timestamp} ")?;
        }
        if let Some(level) = &self.level {
            write!(f, "{} ", level.to_uppercase())?;
        }
        f.write_str(&self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_shows_time_level_and_message() {
        let mut line = LogLine::new("no such table");
        assert_eq!(line.to_string(), "no such table");
        line.timestamp = Some(Timestamp::parse("2026-11-30T10:00:00Z"));
        line.level = Some("error".to_owned());
        assert_eq!(line.to_string(), "2026-11-30T10:00:00Z ERROR no such table");
    }
}
