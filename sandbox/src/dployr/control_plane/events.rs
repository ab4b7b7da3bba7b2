//! Events of the cluster, and versions of the daemon.
//!
//! Replies of neither were recorded; both are from dployr-io/dployr-base:src/routes/runtime.ts. The targets of
//! an event are from dployr-io/dployr-base:src/services/background/jobs/notify.ts.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::Dployr;
use super::{Role, ok, page, require_query_cluster};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::Request;
use crate::time::millis;

const DAY: Duration = Duration::from_secs(24 * 3_600);
/// Made-up versions, newest first; the real server lists its vendor's releases.
const RELEASED: [&str; 2] = ["v0.5.1", "v0.5.0"];
const PREVIEW: &str = "v0.6.0-beta.1";

/// How long the server keeps an event (`EVENT_TTL` in dployr-io/dployr-base:src/lib/constants/duration.ts), in
/// days.
const KEPT_DAYS: u32 = 30;

/// The details that can be the target of an event. The first one that an event has is its only target; it has
/// no id of a service.
const TARGETS: [&str; 5] = [
    "serviceName",
    "domain",
    "deploymentId",
    "instanceId",
    "userEmail",
];

/// All events, in the order of their recording.
#[derive(Clone, Debug, Default)]
pub(super) struct Events(Vec<(Duration, Value)>);

impl Dployr {
    /// Records an event for the list, independently of the webhook.
    pub(in crate::dployr) fn record_event(
        &mut self,
        kind: &str,
        (actor, actor_kind): (&str, &str),
        details: &Map<String, Value>,
        at: Duration,
    ) {
        let text = |key: &&str| details.get(*key).and_then(Value::as_str);
        let target = match TARGETS.iter().find_map(text) {
            Some(name) => json!({ "id": name, "name": name }),
            None => {
                json!({ "id": self.cluster_id, "name": self.control_plane.account.cluster_name })
            }
        };
        let event = json!({
            "id": self.ids.ulid(at),
            "type": kind,
            "actor": { "id": actor, "type": actor_kind },
            "targets": [target],
            "timestamp": millis(at),
            "timezone": "UTC",
        });
        self.control_plane.events.0.push((at, event));
    }
}

/// Lists the events, newest first unless `sort=oldest`. An unknown `window` is ignored.
pub(super) fn list(state: &Dployr, call: &Call) -> HandlerResult {
    require_query_cluster(state, call, Role::Viewer)?;
    let parameter = |name: &str| call.request.non_empty_query(name);
    let days = match parameter("window") {
        Some("24h") => 1,
        Some("7d") => 7,
        _ => KEPT_DAYS,
    };
    let since = call.now.saturating_sub(DAY.saturating_mul(days));
    let search = parameter("search").map(str::to_lowercase);
    let text = |event: &Value, pointer: &str| {
        let text = event.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let matches = |(at, event): &&(Duration, Value)| {
        let whole = || event.to_string().to_lowercase();
        *at >= since
            && parameter("type").is_none_or(|kind| kind == text(event, "/type"))
            // Compares the type, not the id.
            && parameter("actor").is_none_or(|kind| kind == text(event, "/actor/type"))
            && search
                .as_ref()
                .is_none_or(|search| whole().contains(search))
    };
    let mut events: Vec<&(Duration, Value)> = state
        .control_plane
        .events
        .0
        .iter()
        .filter(matches)
        .collect();
    // The end of a deployment is recorded later than it happens, so the events must be sorted by time.
    events.sort_by_key(|(at, _)| *at);
    if parameter("sort") != Some("oldest") {
        events.reverse();
    }
    let items = events.into_iter().map(|(_, event)| event.clone());
    Ok(page(call, items.collect()))
}

pub(super) fn versions(request: &Request) -> Reply {
    let previews = request.query_value("showPreReleases") == Some("true");
    let preview = previews.then_some(PREVIEW);
    let versions: Vec<&str> = preview.into_iter().chain(RELEASED).collect();
    ok(json!({
        "latest": versions.first(),
        "oldestSupportedVersion": versions.last(),
        "versions": versions,
        "includePreReleases": previews,
    }))
}
