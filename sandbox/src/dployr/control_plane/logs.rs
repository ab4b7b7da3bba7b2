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
    /// Times are in milliseconds. A time of 0 and a limit below 1 are ignored (dployr-io/dployr-base:src/routes/logs.ts
    /// and services.ts).
    fn of(call: &Call, back: Duration) -> Self {
        let time = |name: &str| {
            let number = leading_integer(call.request, name).filter(|number| *number != 0)?;
            Some(u64::try_from(number).unwrap_or(0))
        };
        let limit = leading_integer(call.request, "limit").filter(|limit| *limit >= 1);
        let limit = limit.unwrap_or(1_000).min(5_000);
        Self {
            since: time("since").unwrap_or_else(|| millis(call.now.saturating_sub(back))),
            until: time("until").unwrap_or_else(|| millis(call.now)),
            limit: usize::try_from(limit).unwrap_or(5_000),
        }
    }

    fn has(&self, line: &LogLine) -> bool {
        (self.since..=self.until).contains(&millis(line.at))
    }
}

/// Finds the log by service id, service name, or name of a deployment without a service.
pub(super) fn of_service(state: &Dployr, call: &Call) -> HandlerResult {
    let id = call.path("id");
    let mut services = state.services.iter();
    let service = services.find(|service| service.id == id || service.name == id);
    let mut rows = state.deployments.iter();
    let name = service.map(|service| &service.name);
    let name = name.or_else(|| rows.find(|row| row.name == id).map(|row| &row.name));
    let name = name.ok_or_else(|| not_found("Service not found"))?;
    let follow = matches!(call.request.query_value("follow"), Some("true" | "1"));
    // Starts 24 hours ago, or 15 minutes ago when following. Returns the oldest lines, so `limit` is not a tail; `tail`
    // is ignored (dployr-io/dployr-base:src/routes/services.ts).
    let back = if follow {
        Duration::from_secs(15 * 60)
    } else {
        DAY
    };
    let window = TimeRange::of(call, back);
    // Other values are ignored (dployr-io/dployr-base:src/routes/services.ts).
    let wanted = |line: &&LogLine| match call.request.query_value("source") {
        Some("build") => matches!(line.source, "build" | "deploy"),
        Some("runtime") => line.source == "runtime",
        _ => true,
    };
    let lines = state
        .lines(name, call.now)
        .filter(|line| window.has(line))
        .filter(wanted);
    let lines = lines
        .take(window.limit)
        .map(|line| line.json(state.dialect));
    Ok(lines_reply(lines.collect(), follow))
}

/// `GET /v1/logs`
///
/// The handler itself checks the cluster (dployr-io/dployr-base:src/routes/logs.ts).
pub(super) fn of_cluster(state: &Dployr, call: &Call) -> HandlerResult {
    let wanted = |name: &str| call.request.non_empty_query(name);
    match wanted("clusterId") {
        None => return Err(bad_request("clusterId is required")),
        Some(id) if id != state.cluster_id => {
            let message = "Not a member of this cluster";
            return Err(handler_error(403, message, "permission.forbidden"));
        }
        Some(_) => {}
    }
    let window = TimeRange::of(call, DAY);
    let of_source = |line: &&LogLine| {
        let mut sources = wanted("source").unwrap_or(line.source).split('|');
        sources.any(|source| source == line.source)
    };
    let mut entries = Vec::new();
    // `serviceId` is the service's name, in the query and in the entries.
    let rows = state.deployments.iter().filter(|row| {
        wanted("serviceId").is_none_or(|name| name == row.name)
            && wanted("deploymentId").is_none_or(|id| id == row.id)
    });
    for row in rows {
        let lines = state
            .lines(&row.name, call.now)
            .filter(|line| window.has(line));
        for line in lines.filter(of_source) {
            let mut entry = object(line.json(state.dialect));
            entry.insert("serviceId".to_owned(), json!(row.name));
            entry.insert("deploymentId".to_owned(), json!(row.id));
            entries.push((line.at, Value::Object(entry)));
        }
    }
    entries.sort_by_key(|(at, _)| *at);
    if wanted("direction") == Some("backward") {
        entries.reverse();
    }
    let entries = entries
        .into_iter()
        .map(|(_, entry)| entry)
        .take(window.limit);
    let follow = matches!(wanted("follow"), Some("true" | "1"));
    Ok(lines_reply(entries.collect(), follow))
}
