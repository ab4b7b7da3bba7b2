//! What an application printed, by time.

use super::log_source;
use super::{ApplicationHandle, checks};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::logs::{LogCursor, LogLine, LogStream};
use crate::raw::nodion::Op;
use std::time::SystemTime;

/// The most lines that the platform gives at a time, and that it keeps.
pub(super) const MOST_LINES: u32 = 2500;

/// Which part of the logs is wanted. Without anything: the last hour, at most 200 lines.
///
/// ```no_run
/// # async fn example(application: deploykit::nodion::ApplicationHandle) -> deploykit::Result<()> {
/// use deploykit::nodion::LogWindow;
///
/// let lines = application.logs(LogWindow::new().limit(2500)).await?;
/// if let Some(last) = lines.last() {
///     let since = application.logs(LogWindow::new().after_line(last)).await?; // what came meanwhile
///     println!("{} more", since.len());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "nothing is read until it is given to an application"]
pub struct LogWindow {
    /// As the platform writes a time, or why it cannot be written.
    pub(super) after: Option<std::result::Result<String, String>>,
    before: Option<std::result::Result<String, String>>,
    pub(super) limit: Option<u32>,
    pub(super) instance: Option<String>,
    newest_first: bool,
}

impl LogWindow {
    /// The last hour.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only lines after this time, however long ago it is. The platform keeps 2500 lines and 7 days.
    pub fn after(mut self, time: SystemTime) -> Self {
        self.after = Some(sent(jiff::Timestamp::try_from(time).ok()));
        self
    }

    /// Only lines after the time of this one: how a reader goes on. Another line of exactly the same
    /// time is left out, too.
    pub fn after_line(mut self, line: &LogLine) -> Self {
        self.after = Some(time_of(line));
        self
    }

    /// Only lines before this time; those of the hour before it, unless there is an
    /// [`after`](Self::after).
    pub fn before(mut self, time: SystemTime) -> Self {
        self.before = Some(sent(jiff::Timestamp::try_from(time).ok()));
        self
    }

    /// Only lines before the time of this one: how a reader goes back.
    pub fn before_line(mut self, line: &LogLine) -> Self {
        self.before = Some(time_of(line));
        self
    }

    /// At most so many lines, from 1 to 2500. Which are left out when there are more is not
    /// documented.
    pub fn limit(mut self, lines: u32) -> Self {
        self.limit = Some(lines);
        self
    }

    /// The newest line comes first. With a [`limit`](Self::limit), only the newest are given: the
    /// platform does not say which it leaves out, so all are asked for and the rest is cut off here.
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// Only what this instance printed.
    pub fn instance(mut self, instance_id: impl Into<String>) -> Self {
        self.instance = Some(instance_id.into());
        self
    }

    /// Refuses what the platform does not take.
    fn check(&self) -> Result<()> {
        if let Some(instance) = &self.instance {
            checks::text("id of the instance", instance)?;
        }
        let limit = self.limit.unwrap_or(MOST_LINES);
        checks::range("lines", limit.into(), 1..=MOST_LINES.into())
    }
}

/// The time of a line in the digits that the server sent. Formatting it again could drop digits, and the
/// server would return the line again.
fn time_of(line: &LogLine) -> std::result::Result<String, String> {
    let timestamp = line.timestamp.as_ref();
    let timestamp = timestamp.ok_or("the line has no time")?;
    let text = timestamp.to_string();
    if text.parse::<jiff::Timestamp>().is_ok() {
        return Ok(text);
    }
    let millis = timestamp.unix_millis();
    sent(millis.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok()))
}

/// A time, as the platform's query has it.
fn sent(time: Option<jiff::Timestamp>) -> std::result::Result<String, String> {
    let time = time.ok_or("a time of the window is out of range")?;
    Ok(format!("{time:.3}"))
}

impl ApplicationHandle {
    /// What the instances that are online printed, the oldest line first unless the window says
    /// otherwise: `GET /v1/applications/{id}/logs`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a limit that the platform does not
    /// have and for a time that cannot be written,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-logs/>
    pub fn logs(&self, window: LogWindow) -> Call<Vec<LogLine>> {
        let id = self.id.clone();
        self.client.call(Op::ListLogs, move |raw| async move {
            window.check()?;
            let (id, after, before) = (id?, window.after.transpose()?, window.before.transpose()?);
            // Which lines the platform leaves out is unknown, so all are requested.
            let limit = window.limit.map(|limit| match window.newest_first {
                true => MOST_LINES.into(),
                false => limit.into(),
            });
            let (after, before) = (after.as_deref(), before.as_deref());
            let list = raw.list_logs(
                id.as_str(),
                after,
                before,
                window.instance.as_deref(),
                limit,
            );
            let lines = list.await?.into_inner().logs.into_iter();
            let mut lines: Vec<_> = lines.map(LogLine::from).collect();
            if window.newest_first {
                lines.reverse();
                lines.truncate(window.limit.unwrap_or(MOST_LINES) as usize);
            }
            Ok(lines)
        })
    }

    /// What the instances print, as it comes: `GET /v1/applications/{id}/logs`, again and again.
    ///
    /// It begins with the lines of the window, the newest [`limit`](LogWindow::limit) of them if there is
    /// one, and with those of the last hour if nothing is said. The platform does not stream, so the
    /// [`LogStream`] asks for what is new: after 5 s, and less often while nothing comes, up to 20 s
    /// ([`interval`](LogStream::interval)). It never ends because nothing comes. A policy without
    /// retries makes the first failure of a request the end.
    ///
    /// Each request begins 5 s before the latest line, so a line that an instance prints, or the
    /// platform shows, a little late is not missed; what was given is left out. The platform keeps 2500
    /// lines: if more came between two requests, an error of kind
    /// [`Unsupported`](crate::ErrorKind::Unsupported) stands for what is missing, and the stream goes
    /// on. Lines of an instance that is no longer online cannot be read any more.
    ///
    /// # Errors
    /// As [`logs`](Self::logs), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a window
    /// that has an end or the newest line first. What goes wrong later is an item of the stream.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-logs/>
    pub fn follow_logs(&self, window: LogWindow) -> Call<LogStream> {
        self.follow(window, None)
    }

    /// [`follow_logs`](Self::follow_logs) from where another stream was, in this process or an earlier
    /// one. The cursor does not contain the instance of the window: give it again.
    ///
    /// # Errors
    /// As [`follow_logs`](Self::follow_logs), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for
    /// a window that has a beginning or a limit, and for the cursor of another platform.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-logs/>
    pub fn resume_logs(&self, window: LogWindow, cursor: &LogCursor) -> Call<LogStream> {
        self.follow(window, Some(cursor.clone()))
    }

    fn follow(&self, window: LogWindow, cursor: Option<LogCursor>) -> Call<LogStream> {
        let id = self.id.clone();
        Call::new(self.client.scope_of(Op::ListLogs), |scope| async move {
            let id = id.map_err(Error::invalid_request)?;
            window.check()?;
            if window.before.is_some() || window.newest_first {
                return Err(Error::invalid_request(
                    "what is followed has no end, and its newest line comes last",
                ));
            }
            if cursor.is_some() && (window.after.is_some() || window.limit.is_some()) {
                return Err(Error::invalid_request(
                    "the cursor says where the stream begins",
                ));
            }
            log_source::follow(scope, id, window, cursor).await
        })
    }
}
