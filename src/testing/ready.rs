//! Examples for [`becomes_ready`](super::Recorder::becomes_ready): what was created is found, and ready
//! at the second look.

use super::CannedReply;
use super::recorder::Exchange;
use crate::preview::{PreviewBody, RequestPreview};
use serde_json::{Value, json};
use std::sync::Arc;

/// The reply to a request that looks at a created deployment; `None` for other requests.
pub(super) fn follow_up(before: &[Arc<Exchange>], request: &RequestPreview) -> Option<CannedReply> {
    let example = |name: &str, change: &dyn Fn(&mut Value)| {
        let operation = format!("{} {}", request.api, request.operation?);
        CannedReply::example(&operation, name)
            .ok()?
            .with_json(change)
    };
    match (request.api, request.operation?) {
        ("edgegap", "get_deployment") => {
            let name = match is_first(before, request) {
                true => "seeking",
                false => "ready",
            };
            let id = request.path.rsplit('/').next()?;
            example(name, &|body| put(body, "/request_id", json!(id)))
        }
        ("nodion", "list_deployments") => {
            let (create, first) = last_create(before, "create_deployment", request)?;
            let reply: Value = serde_json::from_slice(create.reply.get()?).ok()?;
            let mut created = reply.get("deployment")?.clone();
            let status = match first {
                true => "waiting",
                false => "available",
            };
            put(&mut created, "/status", json!(status));
            example("documented", &|body| {
                let list = body.pointer_mut("/deployments");
                if let Some(list) = list.and_then(Value::as_array_mut) {
                    list.insert(0, created.clone());
                }
            })
        }
        ("dployr", "list_deployments") => {
            let (create, first) = last_create(before, "create_deployment", request)?;
            let created = sent_field(create, "name")?;
            let name = match first {
                true => "observedPending",
                false => "observedSuccess",
            };
            example(name, &|body| {
                put(body, "/data/items/0/name", created.clone());
            })
        }
        ("nexlayer", "get_reservations") => {
            let (create, first) = last_create(before, "add_deployment_reservation", request)?;
            let created = sent_field(create, "applicationName")?;
            let state = match first {
                true => "deploying",
                false => "running",
            };
            example("documented", &|body| {
                let place = "/reservedDeployments/0/applicationName";
                put(body, place, created.clone());
                put(body, "/reservedDeployments/0/status/state", json!(state));
            })
        }
        _ => None,
    }
}

/// Whether none of these requests is the same look.
fn is_first(since: &[Arc<Exchange>], look: &RequestPreview) -> bool {
    !since.iter().any(|exchange| {
        exchange.request.operation == look.operation && exchange.request.path == look.path
    })
}

/// The last create of the same platform, and whether this is the first look since.
fn last_create<'a>(
    before: &'a [Arc<Exchange>],
    create: &str,
    look: &RequestPreview,
) -> Option<(&'a Exchange, bool)> {
    let at = before.iter().rposition(|exchange| {
        exchange.request.api == look.api && exchange.request.operation == Some(create)
    })?;
    let (create, since) = before.get(at..)?.split_first()?;
    Some((create.as_ref(), is_first(since, look)))
}

fn sent_field(create: &Exchange, name: &str) -> Option<Value> {
    match &create.request.body {
        PreviewBody::Json(body) => body.get(name).cloned(),
        _ => None,
    }
}

fn put(body: &mut Value, pointer: &str, value: Value) {
    if let Some(place) = body.pointer_mut(pointer) {
        *place = value;
    }
}
