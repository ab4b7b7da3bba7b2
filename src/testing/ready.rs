//! Examples that follow what a program did: what it created is there, and ready at the second look.
//!
//! The examples of a spec know nothing of each other: the id that a create answers is not the one in
//! the list. Here they are made to fit, as far as a wait needs it.

use super::CannedReply;
use super::exchange::{Came, Exchange};
use crate::transport::local::Sent;
use serde_json::{Value, json};

/// The reply to a look at something that was created, if the last of these requests is one.
pub(super) fn look(exchanges: &[Exchange]) -> Option<CannedReply> {
    let (last, before) = exchanges.split_last()?;
    let of = (last.sent.profile.api, last.sent.id());
    match of {
        ("edgegap", "get_deployment") => {
            let name = match is_first(before, &last.sent, 0) {
                true => "seeking",
                false => "ready",
            };
            let id = last.sent.url.path_segments()?.next_back()?.to_owned();
            changed(of, name, |body| put(body, "/request_id", json!(id)))
        }
        ("nodion", "list_deployments") => {
            let (at, create) = last_of(before, "create_deployment", &last.sent)?;
            let mut made = reply_of(create)?.get("deployment")?.clone();
            let status = match is_first(before, &last.sent, at) {
                true => "waiting",
                false => "available",
            };
            put(&mut made, "/status", json!(status));
            changed(of, "documented", |body| {
                let list = body.pointer_mut("/deployments");
                if let Some(list) = list.and_then(Value::as_array_mut) {
                    list.insert(0, made);
                }
            })
        }
        ("dployr", "list_deployments") => {
            let (at, create) = last_of(before, "create_deployment", &last.sent)?;
            let body = create.sent.body.as_deref()?;
            let body: Value = serde_json::from_slice(body).ok()?;
            let named = body.get("name")?.clone();
            let name = match is_first(before, &last.sent, at) {
                true => "observedPending",
                false => "observedSuccess",
            };
            changed(of, name, |body| put(body, "/data/items/0/name", named))
        }
        ("nexlayer", "get_reservations") => {
            let (at, reserve) = last_of(before, "add_deployment_reservation", &last.sent)?;
            let body = reserve.sent.body.as_deref()?;
            let body: Value = serde_json::from_slice(body).ok()?;
            let named = body.get("applicationName")?.clone();
            let state = match is_first(before, &last.sent, at) {
                true => "deploying",
                false => "running",
            };
            changed(of, "documented", |body| {
                put(body, "/reservedDeployments/0/applicationName", named);
                put(body, "/reservedDeployments/0/status/state", json!(state));
            })
        }
        _ => None,
    }
}

/// Whether nothing of the kind was asked since then.
fn is_first(before: &[Exchange], sent: &Sent, since: usize) -> bool {
    let asked = before.iter().skip(since).any(|exchange| {
        exchange.sent.operation == sent.operation && exchange.sent.url.path() == sent.url.path()
    });
    !asked
}

/// The last request of an operation of the same platform, and where it stands.
fn last_of<'a>(
    before: &'a [Exchange],
    operation: &str,
    sent: &Sent,
) -> Option<(usize, &'a Exchange)> {
    let of = |exchange: &&Exchange| {
        exchange.sent.profile.api == sent.profile.api && exchange.sent.id() == operation
    };
    let at = before.iter().rposition(|exchange| of(&exchange))?;
    before.get(at).map(|exchange| (at, exchange))
}

fn reply_of(exchange: &Exchange) -> Option<Value> {
    match &exchange.came {
        Came::Reply { body, .. } => serde_json::from_slice(body).ok(),
        _ => None,
    }
}

fn changed(
    (api, operation): (&str, &str),
    example: &str,
    change: impl FnOnce(&mut Value),
) -> Option<CannedReply> {
    let reply = CannedReply::example(&format!("{api} {operation}"), example).ok()?;
    reply.with_json(change)
}

fn put(body: &mut Value, pointer: &str, value: Value) {
    if let Some(place) = body.pointer_mut(pointer) {
        *place = value;
    }
}
