//! Logs: <https://www.nodion.com/en/docs/api/application-logs>.

use std::time::Duration;

use serde_json::json;

use super::applications::Application;
use super::{Now, bad_request, list};
use crate::platform::Call;
use crate::reply::HandlerResult;
use crate::time::{parse_rfc3339, rfc3339_millis};

/// Interval of the log lines of each instance. Their contents are made up.
const LOG_INTERVAL: Duration = Duration::from_secs(5);
const DEFAULT_RANGE: Duration = Duration::from_secs(3_600);
/// Retention (<https://www.nodion.com/en/docs/logs>).
const RETENTION: Duration = Duration::from_secs(7 * 24 * 3_600);
const MAX_LINES: usize = 2_500;

struct Line {
    at: Duration,
    instance_id: String,
    text: String,
}

impl Application {
    pub(super) fn list_logs(&self, call: &Call, clock: Now) -> HandlerResult {
        let request = call.request;
        let time = |name: &str| match request.query_value(name) {
            None => Ok(None),
            // The reference says ISO 8601; only its RFC 3339 subset is accepted.
            Some(text) => parse_rfc3339(text)
                .map(Some)
                .ok_or_else(|| bad_request(&format!("{name} is not an ISO 8601 timestamp"))),
        };
        let (after, before) = (time("after")?, time("before")?);
        let limit = match request.query_value("limit") {
            None => 200,
            // The real reply above 2500 is unknown. It is rejected, because clamping would hide the mistake.
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|limit| (1..=MAX_LINES).contains(limit))
                .ok_or_else(|| bad_request("limit must be between 1 and 2500"))?,
        };
        // The last hour, unless `after` is set.
        let from =
            after.unwrap_or_else(|| before.unwrap_or(clock.now).saturating_sub(DEFAULT_RANGE));
        let instance_id = request.query_value("instance_id");
        let mut lines = self.lines(clock);
        lines.retain(|line| {
            line.at > from
                && before.is_none_or(|before| line.at < before)
                && instance_id.is_none_or(|id| line.instance_id == id)
        });
        let surplus = lines.len().saturating_sub(limit);
        // Undocumented. With `after` alone, the first lines are returned, so that a reader can page forward;
        // otherwise the last lines, so that it can page backward.
        if after.is_some() && before.is_none() {
            lines.truncate(limit);
        } else {
            lines.drain(..surplus);
        }
        let lines = lines.iter().map(|line| {
            json!({ "ts": rfc3339_millis(line.at), "msg": line.text, "instance_id": line.instance_id })
        });
        list("logs", lines)
    }

    /// The retained lines of running instances, oldest first.
    fn lines(&self, clock: Now) -> Vec<Line> {
        let mut lines = Vec::new();
        for instance in self.running(clock) {
            let label = instance.label();
            let visits =
                clock.now.saturating_sub(instance.since).as_secs() / LOG_INTERVAL.as_secs();
            let max_lines = u64::try_from(MAX_LINES).unwrap_or(u64::MAX);
            for visit in visits.saturating_sub(max_lines)..=visits {
                let text = match (visit, label.starts_with("web")) {
                    (0, true) => format!("[{label}] Listening on 0.0.0.0:3000"),
                    (0, false) => format!("[{label}] Waiting for jobs"),
                    (_, true) => format!("[{label}] GET / 200"),
                    (_, false) => format!("[{label}] Job {visit} done"),
                };
                lines.push(Line {
                    at: instance.since + LOG_INTERVAL * u32::try_from(visit).unwrap_or(u32::MAX),
                    instance_id: instance.id.clone(),
                    text,
                });
            }
        }
        lines.retain(|line| line.at <= clock.now && line.at + RETENTION > clock.now);
        lines.sort_by_key(|line| line.at);
        lines.drain(..lines.len().saturating_sub(MAX_LINES));
        lines
    }
}
