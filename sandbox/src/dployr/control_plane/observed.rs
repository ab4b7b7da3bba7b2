//! What the control plane collects about services: the logs of a cluster, and traffic.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Dployr, ndjson};
use super::{Role, allowed, failure, numbers, ok};
use crate::model::{Reply, Request};
use crate::time::millis;

const HOUR: u64 = 3_600_000;
pub(super) const DAY: Duration = Duration::from_millis(24 * HOUR);

/// `GET /v1/logs`. That a cluster is missing or somebody else's is said by the handler, in its form
/// (dployr-io/dployr-base:src/routes/logs.ts).
pub(super) fn logs(state: &Dployr, request: &Request, now: Duration) -> Reply {
    match request.query_value("clusterId").filter(|id| !id.is_empty()) {
        None => return failure(400, "clusterId is required", "request.bad_request"),
        Some(id) if id != state.cluster_id => {
            return failure(403, "Not a member of this cluster", "permission.forbidden");
        }
        Some(_) => {}
    }
    let wanted = |name: &str| request.query_value(name).filter(|text| !text.is_empty());
    let (since, until, limit) = numbers::of_logs(request, DAY, now);
    let mut entries = Vec::new();
    for deployment in &state.deployments {
        // `serviceId` is the name of the service, in the query as in the entries.
        if wanted("serviceId").is_some_and(|name| name != deployment.name)
            || wanted("deploymentId").is_some_and(|id| id != deployment.id)
        {
            continue;
        }
        for line in state.lines(&deployment.name, now) {
            let fits = wanted("source")
                .is_none_or(|sources| sources.split('|').any(|source| source == line.source));
            if fits && (since..=until).contains(&millis(line.at)) {
                let mut entry = super::object(line.json(state.dialect));
                entry.insert("serviceId".to_owned(), Value::from(deployment.name.clone()));
                entry.insert(
                    "deploymentId".to_owned(),
                    Value::from(deployment.id.clone()),
                );
                entries.push((line.at, Value::Object(entry)));
            }
        }
    }
    entries.sort_by_key(|(at, _)| *at);
    if request.query_value("direction") == Some("backward") {
        entries.reverse();
    }
    let entries: Vec<Value> = entries
        .into_iter()
        .map(|(_, entry)| entry)
        .take(limit)
        .collect();
    if matches!(request.query_value("follow"), Some("true" | "1")) {
        ndjson(&entries)
    } else {
        Reply::json(200, &Value::Array(entries))
    }
}

/// `GET /v1/services/metrics/{name}`: the numbers that were recorded, in the hour of now, for each name that has a
/// service. Others have no traffic; what the totals are then was not recorded.
pub(super) fn traffic(state: &Dployr, request: &Request, name: &str, now: Duration) -> Reply {
    if let Err(reply) = allowed(state, request.query_value("clusterId"), Role::Viewer) {
        return reply;
    }
    let number = |key: &str| {
        request
            .query_value(key)
            .and_then(|text| text.parse::<u64>().ok())
    };
    let from = number("from").unwrap_or_else(|| millis(now).saturating_sub(24 * HOUR));
    let to = number("to").unwrap_or_else(|| millis(now));
    let hour = millis(now) / HOUR * HOUR;
    let known = state.services.iter().any(|service| service.name == name);
    if known && (from..=to).contains(&hour) {
        let bucket = json!({ "serviceName": name, "bucket": hour, "requests": 42, "bytesIn": 1000, "bytesOut": 20000 });
        let totals = json!({ "requests": 42, "bytesIn": 1000, "bytesOut": 20000 });
        return ok(json!({ "buckets": [bucket], "totals": totals }));
    }
    ok(json!({ "buckets": [], "totals": { "requests": 0, "bytesIn": 0, "bytesOut": 0 } }))
}
