//! What an application printed, by time.

use super::{ApplicationHandle, LogLine, checks};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::raw::nodion::Op;
use crate::time::Timestamp;
use std::time::SystemTime;

/// The most lines that the platform gives at a time.
const MOST_LINES: u32 = 2500;

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
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Moment {
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

    /// Only what this instance printed.
    pub fn instance(mut self, instance_id: impl Into<String>) -> Self {
        self.instance = Some(instance_id.into());
        self
    }
}

impl Moment {
    /// As the platform's query has it. The text of a line stays as it came: written anew it could lose
    /// digits, and the line would come again.
    fn text(&self) -> Result<String> {
        let (instant, text) = match self {
            Self::At(time) => (jiff::Timestamp::try_from(*time).ok(), None),
            Self::Of(stamp) => {
                let text = stamp.to_string();
                match text.parse::<jiff::Timestamp>() {
                    Ok(instant) => (Some(instant), Some(text)),
                    Err(_) => {
                        let millis = stamp.unix_millis();
                        let instant = millis.map(jiff::Timestamp::from_millisecond);
                        (instant.and_then(std::result::Result::ok), None)
                    }
                }
            }
        };
        match (instant, text) {
            (Some(_), Some(text)) => Ok(text),
            (Some(instant), None) => Ok(format!("{instant:.3}")),
            (None, _) => Err(Error::invalid_request(
                "a time of the window is none that could be sent",
            )),
        }
    }
}

impl ApplicationHandle {
    /// What the instances that are online printed, the oldest line first:
    /// `GET /v1/applications/{id}/logs`.
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
        let op = Op::ListLogs;
        self.client.with(op, &self.id, |id| {
            self.client.with_body(op, window.into_query(), |query| {
                self.client
                    .call(op, move |raw| async move {
                        raw.list_logs(
                            id.as_str(),
                            query.after.as_deref(),
                            query.before.as_deref(),
                            query.instance.as_deref(),
                            query.limit,
                            None,
                        )
                        .await
                    })
                    .map(|list| list.logs)
            })
        })
    }
}

struct Query {
    after: Option<String>,
    before: Option<String>,
    instance: Option<String>,
    limit: Option<i64>,
}

impl LogWindow {
    fn into_query(self) -> Result<Query> {
        let text = |moment: Option<Moment>| moment.map(|moment| moment.text()).transpose();
        if let Some(instance) = &self.instance {
            checks::text("id of the instance", instance)?;
        }
        let limit = self
            .limit
            .map(|lines| checks::range("lines", lines, 1..=MOST_LINES));
        Ok(Query {
            after: text(self.after)?,
            before: text(self.before)?,
            instance: self.instance,
            limit: limit.transpose()?,
        })
    }
}
