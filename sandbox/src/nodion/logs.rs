//! Logs: <https://www.nodion.com/en/docs/api/application-logs>.

use std::time::Duration;

use serde_json::json;

use super::applications::Application;
use super::{Now, bad_request, list};
use crate::platform::Call;
use crate::reply::HandlerResult;
use crate::time::{parse_rfc3339, rfc3339_millis};

/// How often a visitor comes to every instance, which prints a line then.
const VISITS: Duration = Duration::from_secs(5);
const HOUR: Duration = Duration::from_secs(3_600);
/// What is kept, says <https://www.nodion.com/en/docs/logs>.
const KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3_600);
const KEPT_LINES: usize = 2_500;

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
            // ISO 8601 has more forms than this. The lines have it in UTC, other times of the platform with an offset.
            Some(text) => parse_rfc3339(text)
                .map(Some)
                .ok_or_else(|| bad_request(&format!("{name} is not an ISO 8601 timestamp"))),
        };
        let (after, before) = (time("after")?, time("before")?);
        let limit = match request.query_value("limit") {
            None => 200,
            // What the platform makes of more than 2500 was not seen; to cut it down would hide the mistake.
            Some(text) => text
                .parse::<usize>()
                .ok()
                .filter(|limit| (1..=KEPT_LINES).contains(limit))
                .ok_or_else(|| bad_request("limit must be between 1 and 2500"))?,
        };
        // One hour, unless `after` says otherwise.
        let from = after.unwrap_or_else(|| before.unwrap_or(clock.now).saturating_sub(HOUR));
        let mut lines = self.lines(clock);
        lines.retain(|line| {
            let wanted = request.query_value("instance_id");
            line.at > from
                && before.is_none_or(|before| line.at < before)
                && wanted.is_none_or(|wanted| line.instance_id == wanted)
        });
        let surplus = lines.len().saturating_sub(limit);
        // Which lines are left out is not said. Of those after a time the first ones are kept, so that a reader can go
        // on; otherwise the last ones, so that one can go back.
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

    /// What is kept of what the instances that are online printed, the oldest line first.
    fn lines(&self, clock: Now) -> Vec<Line> {
        let mut lines = Vec::new();
        for instance in self.running(clock) {
            let label = instance.label();
            let visits = clock.now.saturating_sub(instance.since).as_secs() / VISITS.as_secs();
            let kept = u64::try_from(KEPT_LINES).unwrap_or(u64::MAX);
            for visit in visits.saturating_sub(kept)..=visits {
                let text = match (visit, label.starts_with("web")) {
                    (0, true) => format!("[{label}] Listening on 0.0.0.0:3000"),
                    (0, false) => format!("[{label}] Waiting for jobs"),
                    (_, true) => format!("[{label}] GET / 200"),
                    (_, false) => format!("[{label}] Job {visit} done"),
                };
                lines.push(Line {
                    at: instance.since + VISITS * u32::try_from(visit).unwrap_or(u32::MAX),
                    instance_id: instance.id.clone(),
                    text,
                });
            }
        }
        lines.retain(|line| line.at <= clock.now && line.at + KEPT_FOR > clock.now);
        lines.sort_by_key(|line| line.at);
        lines.drain(..lines.len().saturating_sub(KEPT_LINES));
        lines
    }
}
