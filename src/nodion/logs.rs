//! What an application printed, by time.

use super::log_source;
use super::{ApplicationHandle, LogLine, LogStream, checks};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::logs::LogCursor;
use crate::raw::nodion::Op;
use crate::time::Timestamp;
use std::time::{Duration, SystemTime};

/// The most lines that the platform gives at a time, and that it keeps.
pub(super) const MOST_LINES: u32 = 2500;
/// How long it keeps them.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);

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
    after: Option<Moment>,
    before: Option<Moment>,
    limit: Option<u32>,
    instance: Option<String>,
    newest_first: bool,
    cursor: Option<LogCursor>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    At(SystemTime),
    Of(Timestamp),
}

impl LogWindow {
    /// The last hour.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only lines after this time, however long ago it is. The platform keeps 2500 lines and 7 days.
    pub fn after(mut self, time: SystemTime) -> Self {
        self.after = Some(Moment::At(time));
        self
    }

    /// Only lines after the time of this one: how a reader goes on. Another line of exactly the same
    /// time is left out, too.
    pub fn after_line(mut self, line: &LogLine) -> Self {
        self.after = Some(Moment::Of(line.ts.clone()));
        self
    }

    /// Only lines before this time; those of the hour before it, unless there is an
    /// [`after`](Self::after).
    pub fn before(mut self, time: SystemTime) -> Self {
        self.before = Some(Moment::At(time));
        self
    }

    /// Only lines before the time of this one: how a reader goes back.
    pub fn before_line(mut self, line: &LogLine) -> Self {
        self.before = Some(Moment::Of(line.ts.clone()));
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

    /// Begin where another stream was. For
    /// [`follow_logs`](ApplicationHandle::follow_logs) only.
    pub fn resume(mut self, cursor: LogCursor) -> Self {
        self.cursor = Some(cursor);
        self
    }

    /// Only what this instance printed.
    pub fn instance(mut self, instance_id: impl Into<String>) -> Self {
        self.instance = Some(instance_id.into());
        self
    }
}

impl Moment {
    /// As the platform's query has it. The text of a line stays as it came: written anew it could lose
    /// digits, and the line would come again.
    pub(super) fn text(&self) -> Result<String> {
        let instant = match self {
            Self::At(time) => jiff::Timestamp::try_from(*time).ok(),
            Self::Of(stamp) => {
                let text = stamp.to_string();
                if text.parse::<jiff::Timestamp>().is_ok() {
                    return Ok(text);
                }
                let millis = stamp.unix_millis();
                millis.and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
            }
        };
        let instant = instant.ok_or_else(|| {
            Error::invalid_request("a time of the window is none that could be sent")
        })?;
        Ok(format!("{instant:.3}"))
    }
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
            let newest = window.newest_first.then_some(window.limit);
            let query = window.into_query()?;
            let id = id?;
            let list = raw.list_logs(
                id.as_str(),
                query.after.as_deref(),
                query.before.as_deref(),
                query.instance.as_deref(),
                query.limit,
            );
            let lines = list.await?.into_inner().logs;
            let Some(limit) = newest else {
                return Ok(lines);
            };
            let most = limit.and_then(|limit| usize::try_from(limit).ok());
            let newest = lines.into_iter().rev();
            Ok(newest.take(most.unwrap_or(usize::MAX)).collect())
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
    /// that has an end or the newest line first, and for the cursor of another platform. What goes wrong
    /// later is an item of the stream.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-logs/>
    pub fn follow_logs(&self, window: LogWindow) -> Call<LogStream> {
        let id = self.id.clone();
        Call::new(self.client.scope_of(Op::ListLogs), |scope| async move {
            let id = id.map_err(Error::invalid_request)?;
            log_source::follow(scope, id, window.into_following()?).await
        })
    }

    /// [`follow_logs`](Self::follow_logs) from where another stream was, in this process or an earlier
    /// one. What the cursor's stream was told of an instance is not in it: give it again with a
    /// [`LogWindow::resume`].
    ///
    /// # Errors
    /// As [`follow_logs`](Self::follow_logs).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-logs/>
    pub fn resume_logs(&self, cursor: &LogCursor) -> Call<LogStream> {
        self.follow_logs(LogWindow::new().resume(cursor.clone()))
    }

    /// The last lines as text, for what waits for the application.
    pub(crate) fn recent_logs(&self, lines: u32) -> Call<Vec<String>> {
        let kept = SystemTime::now().checked_sub(KEPT_FOR);
        let window = LogWindow::new().newest_first().limit(lines.min(MOST_LINES));
        let window = match kept {
            Some(kept) => window.after(kept),
            None => window,
        };
        self.logs(window).map(|lines| {
            let lines = lines.into_iter().rev();
            lines.map(|line| line.msg).collect()
        })
    }
}

struct Query {
    after: Option<String>,
    before: Option<String>,
    instance: Option<String>,
    limit: Option<i64>,
}

/// Where a stream begins.
pub(super) struct Following {
    pub after: Option<Moment>,
    pub cursor: Option<LogCursor>,
    pub instance: Option<String>,
    pub newest: Option<usize>,
}

impl LogWindow {
    fn checked_limit(&self) -> Result<Option<i64>> {
        let limit = self.limit.map(i64::from);
        if let Some(lines) = limit {
            checks::range("lines", lines, 1..=i64::from(MOST_LINES))?;
        }
        Ok(limit)
    }

    fn check_instance(&self) -> Result<()> {
        match &self.instance {
            Some(instance) => checks::text("id of the instance", instance),
            None => Ok(()),
        }
    }

    fn into_query(self) -> Result<Query> {
        let text = |moment: Option<Moment>| moment.map(|moment| moment.text()).transpose();
        self.check_instance()?;
        if self.cursor.is_some() {
            return Err(Error::invalid_request(
                "a cursor is for a stream, not for one window",
            ));
        }
        let limit = self.checked_limit()?;
        Ok(Query {
            after: text(self.after)?,
            before: text(self.before)?,
            instance: self.instance,
            limit: limit.map(|limit| match self.newest_first {
                true => i64::from(MOST_LINES),
                false => limit,
            }),
        })
    }

    fn into_following(self) -> Result<Following> {
        self.check_instance()?;
        self.checked_limit()?;
        if self.before.is_some() || self.newest_first {
            return Err(Error::invalid_request(
                "what is followed has no end, and its newest line comes last",
            ));
        }
        if self.cursor.is_some() && (self.after.is_some() || self.limit.is_some()) {
            return Err(Error::invalid_request(
                "the cursor says where the stream begins",
            ));
        }
        if let Some(after) = &self.after {
            after.text()?;
        }
        Ok(Following {
            after: self.after,
            cursor: self.cursor,
            instance: self.instance,
            newest: self.limit.and_then(|limit| usize::try_from(limit).ok()),
        })
    }
}
