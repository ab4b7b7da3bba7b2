//! Logs of a service and of the cluster.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Dployr, LogLine, lines_reply};
use super::{bad_request, handler_error, leading_integer, not_found};
use crate::platform::Call;
use crate::reply::HandlerResult;
use crate::request::object;
use crate::time::millis;

pub(super) const HOUR: u64 = 3_600_000;
const DAY: Duration = Duration::from_millis(24 * HOUR);

/// Time range and line limit of a log request.
struct TimeRange {
    since: u64,
    until: u64,
    limit: usize,
}

impl TimeRange {
    /// Reads `since`, `until` and `limit`. Without `since`, the range starts `default_range` ago.
    ///
    /// Times are in milliseconds. A time of 0 and a limit below 1 are ignored
    /// (dployr-io/dployr-base:src/routes/logs.ts and services.ts).
    fn of(call: &Call, default_range: Duration) -> Self {
        let time = |name: &str| {
            let number = leading_integer(call.request, name).filter(|number| *number != 0)?;
            Some(u64::try_from(number).unwrap_or(0))
        };
        let limit = leading_integer(call.request, "limit").filter(|limit| *limit >= 1);
        let limit = limit.unwrap_or(1_000).min(5_000);
        Self {
            since: time("since").unwrap_or_else(|| millis(call.now.saturating_sub(default_range))),
            until: time("until").unwrap_or_else(|| millis(call.now)),
            limit: usize::try_from(limit).unwrap_or(5_000),
        }
    }

    fn has(&self, line: &LogLine) -> bool {
        (self.since..=self.until).contains(&millis(line.at))
    }
}

/// `GET /v1/services/{id}/logs`
///
/// The id is a service id, a service name, or the name of a deployment without a service.
pub(super) fn of_service(state: &Dployr, call: &Call) -> HandlerResult {
    let id = call.path("id");
    let mut services = state.services.iter();
    let service = services.find(|service| service.id == id || service.name == id);
    let mut rows = state.deployments.iter();
    let name = service.map(|service| &service.name);
    let name = name.or_else(|| rows.find(|row| row.name == id).map(|row| &row.name));
    let name = name.ok_or_else(|| not_found("Service not found"))?;
    let follow = matches!(call.request.query_value("follow"), Some("true" | "1"));
    // By default, the range starts 24 hours ago, or 15 minutes ago when following. `limit` keeps the oldest
    // lines, not the latest; `tail` is ignored (dployr-io/dployr-base:src/routes/services.ts).
    let default_range = if follow {
        Duration::from_secs(15 * 60)
    } else {
        DAY
    };
    let range = TimeRange::of(call, default_range);
    // Unknown values of `source` are ignored (dployr-io/dployr-base:src/routes/services.ts).
    let source_matches = |line: &&LogLine| match call.request.query_value("source") {
        Some("build") => matches!(line.source, "build" | "deploy"),
        Some("runtime") => line.source == "runtime",
        _ => true,
    };
    let lines = state
        .lines(name, call.now)
        .filter(|line| range.has(line))
        .filter(source_matches);
    let lines = lines.take(range.limit).map(|line| line.json(state.dialect));
    Ok(lines_reply(lines.collect(), follow))
}

/// `GET /v1/logs`
///
/// The handler checks the cluster itself, with other errors than [`super::require_role`]
/// (dployr-io/dployr-base:src/routes/logs.ts).
pub(super) fn of_cluster(state: &Dployr, call: &Call) -> HandlerResult {
    let parameter = |name: &str| call.request.non_empty_query(name);
    match parameter("clusterId") {
        None => return Err(bad_request("clusterId is required")),
        Some(id) if id != state.cluster_id => {
            let message = "Not a member of this cluster";
            return Err(handler_error(403, message, "permission.forbidden"));
        }
        Some(_) => {}
    }
    let range = TimeRange::of(call, DAY);
    let source_matches = |line: &&LogLine| {
        let mut sources = parameter("source").unwrap_or(line.source).split('|');
        sources.any(|source| source == line.source)
    };
    let mut entries = Vec::new();
    // `serviceId` is the service's name, in the query and in the entries.
    let rows = state.deployments.iter().filter(|row| {
        parameter("serviceId").is_none_or(|name| name == row.name)
            && parameter("deploymentId").is_none_or(|id| id == row.id)
    });
    for row in rows {
        let lines = state
            .lines(&row.name, call.now)
            .filter(|line| range.has(line));
        for line in lines.filter(source_matches) {
            let mut entry = object(line.json(state.dialect));
            entry.insert("serviceId".to_owned(), json!(row.name));
            entry.insert("deploymentId".to_owned(), json!(row.id));
            entries.push((line.at, Value::Object(entry)));
        }
    }
    entries.sort_by_key(|(at, _)| *at);
    if parameter("direction") == Some("backward") {
        // Fetches the newest lines, one more than `limit` and at most 5,000, sorts them by time and returns the
        // first ones. So the order is ascending, and only a limit of 5,000 includes the newest line
        // (dployr-io/dployr-base:src/services/loki.ts).
        let fetched = (range.limit + 1).min(5_000);
        entries.drain(..entries.len().saturating_sub(fetched));
    }
    let entries = entries
        .into_iter()
        .map(|(_, entry)| entry)
        .take(range.limit);
    let follow = matches!(parameter("follow"), Some("true" | "1"));
    Ok(lines_reply(entries.collect(), follow))
}
