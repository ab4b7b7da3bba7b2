//! What happened in the cluster, and the versions of the daemon.
//!
//! Neither was recorded. Both are put together from dployr-io/dployr-base:src/routes/runtime.ts.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::Dployr;
use super::{Role, allowed, ok, page};
use crate::model::{Reply, Request};
use crate::time::millis;

/// More than any list shows.
const MOST_KEPT: usize = 1_000;
const DAY: u64 = 24 * 3_600;
/// The newest first. They are the sandbox's own: the real server asks its vendor's releases.
const RELEASED: [&str; 2] = ["v0.5.1", "v0.5.0"];
const PREVIEW: &str = "v0.6.0-beta.1";

/// What happened, as it came.
#[derive(Clone, Debug, Default)]
pub(in crate::dployr) struct Events {
    kept: Vec<Event>,
}

#[derive(Clone, Debug)]
struct Event {
    at: Duration,
    kind: String,
    actor: String,
    body: Value,
}

impl Dployr {
    /// Keeps an event for the list, whether a webhook wants it or not.
    pub(in crate::dployr) fn note(
        &mut self,
        kind: &str,
        (actor, actor_kind): (&str, &str),
        details: &Map<String, Value>,
        at: Duration,
    ) {
        let mut targets = vec![json!({ "id": self.cluster_id })];
        let record = details.get("deploymentId").or(details.get("instanceId"));
        targets.extend(record.map(|id| json!({ "id": id })));
        let body = json!({
            "id": self.ids.ulid(at),
            "type": kind,
            "actor": { "id": actor, "type": actor_kind },
            "targets": targets,
            "timestamp": millis(at),
            "timezone": "UTC",
        });
        let (kind, actor) = (kind.to_owned(), actor.to_owned());
        let event = Event {
            at,
            kind,
            actor,
            body,
        };
        let events = &mut self.own.events.kept;
        events.push(event);
        if events.len() > MOST_KEPT {
            events.remove(0);
        }
    }
}

/// The newest first, unless `sort=oldest`. A window that is not known is none.
pub(super) fn list(state: &Dployr, request: &Request, now: Duration) -> Reply {
    if let Err(reply) = allowed(state, request.query_value("clusterId"), Role::Viewer) {
        return reply;
    }
    let wanted = |name: &str| request.query_value(name).filter(|text| !text.is_empty());
    let days = match wanted("window") {
        Some("24h") => Some(1),
        Some("7d") => Some(7),
        Some("30d") => Some(30),
        _ => None,
    };
    let since = days.map_or(Duration::ZERO, |days| {
        now.saturating_sub(Duration::from_secs(days * DAY))
    });
    let search = wanted("search").map(str::to_lowercase);
    let events = state.own.events.kept.iter();
    let fits = |event: &&Event| {
        let text = || event.body.to_string().to_lowercase();
        event.at >= since
            && wanted("type").is_none_or(|kind| kind == event.kind)
            && wanted("actor").is_none_or(|actor| actor == event.actor)
            && search.as_ref().is_none_or(|search| text().contains(search))
    };
    let mut events: Vec<&Event> = events.filter(fits).collect();
    // The end of a deployment is noticed late.
    events.sort_by_key(|event| event.at);
    if wanted("sort") != Some("oldest") {
        events.reverse();
    }
    let items = events.into_iter().map(|event| event.body.clone());
    page(request, items.collect())
}

pub(super) fn versions(request: &Request) -> Reply {
    let previews = request.query_value("showPreReleases") == Some("true");
    let mut versions = RELEASED.to_vec();
    if previews {
        versions.insert(0, PREVIEW);
    }
    ok(json!({
        "latest": versions.first(),
        "oldestSupportedVersion": versions.last(),
        "versions": versions,
        "includePreReleases": previews,
    }))
}
