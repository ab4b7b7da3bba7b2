//! Instances on the control plane: the one that is connected, and those that were registered and have not joined.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::{Dployr, Registered, SET_UP_AT};
use super::{Role, allowed, failure, flat, not_modelled, not_routed, object, ok, page};
use crate::model::{Reply, Request, text_field};
use crate::time::millis;

pub(super) fn route(
    state: &mut Dployr,
    request: &Request,
    method: &str,
    rest: &[&str],
    now: Duration,
) -> Reply {
    match (method, rest) {
        ("GET", []) => list(state, request),
        // `data` is the instance itself, and only the id finds it, not the tag.
        ("GET", [id]) => match find(state, id) {
            Some(instance) => ok(Value::Object(instance)),
            None => flat(404, "Instance not found", "resource.missing_resource"),
        },
        ("POST", []) => create(state, request, now),
        ("DELETE", [id]) => delete(state, id, now),
        ("POST", [tag, "ping"]) => match connected(state, tag) {
            Some(_) => ok(json!({ "status": "enqueued" })),
            // Not recorded; as the calls below answer it.
            None => failure(404, "instance not found", "resource.missing_resource"),
        },
        ("POST", [tag, "system", call @ ("reboot" | "restart")]) => {
            interrupt(state, request, tag, call, now)
        }
        ("POST", [_, "tokens", "rotate"] | [_, "domain"]) => not_modelled(),
        // No metrics, no health, no update.
        _ => not_routed(),
    }
}

/// The newest first.
fn list(state: &Dployr, request: &Request) -> Reply {
    if let Err(reply) = allowed(state, request.query_value("clusterId"), Role::Viewer) {
        return reply;
    }
    let wanted = request.query_value("role");
    let newer = state.registered.iter().rev();
    let all = newer.map(|other| registered(state, other));
    let items = all
        .chain([main(state)])
        .filter(|item| wanted.is_none_or(|role| item.get("role") == Some(&Value::from(role))))
        .map(|mut item| {
            item.insert(
                "clusterName".to_owned(),
                Value::from(state.own.account.cluster_name.clone()),
            );
            Value::Object(item)
        })
        .collect();
    page(request, items)
}

fn find(state: &Dployr, id: &str) -> Option<Map<String, Value>> {
    if id == state.instance.id {
        return Some(main(state));
    }
    let found = state.registered.iter().find(|other| other.id == id);
    found.map(|other| registered(state, other))
}

/// Whether the instance of this tag is connected, if there is one.
fn connected(state: &Dployr, tag: &str) -> Option<bool> {
    if tag == state.instance.tag {
        return Some(true);
    }
    let known = state.registered.iter().any(|other| other.tag == tag);
    known.then_some(false)
}

fn main(state: &Dployr) -> Map<String, Value> {
    object(json!({
        "id": state.instance.id,
        "kind": "dedicated",
        "address": state.instance.address,
        "tag": state.instance.tag,
        "status": "healthy",
        "role": "instance",
        "region": "us-east",
        "clusterId": state.cluster_id,
        "managed": true,
        "metadata": { "region": "eu-west" },
        "clusterCount": 0,
        "createdAt": millis(SET_UP_AT),
        "updatedAt": millis(SET_UP_AT),
    }))
}

/// Healthy from the beginning, joined or not. The region that was asked for stands in the metadata alone.
fn registered(state: &Dployr, instance: &Registered) -> Map<String, Value> {
    object(json!({
        "id": instance.id,
        "kind": "dedicated",
        "address": instance.address,
        "tag": instance.tag,
        "status": "healthy",
        "role": instance.role,
        "region": "us-east",
        "clusterId": state.cluster_id,
        "managed": instance.managed,
        "metadata": instance.region.as_ref().map_or(json!({}), |region| json!({ "region": region })),
        "clusterCount": 0,
        "createdAt": millis(instance.created_at),
        "updatedAt": millis(instance.created_at),
    }))
}

fn create(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    // Nobody guards the reading of this body.
    let Ok(body) = request.json_object() else {
        return Reply::text(500, "text/plain; charset=UTF-8", "Internal Server Error");
    };
    // That it takes an admin is the sandbox's own: copies of dployr-io/dployr-base:src/routes/instances.ts ask for an owner
    // or for nobody.
    let cluster = text_field(&body, "clusterId").or(request.query_value("clusterId"));
    if let Err(reply) = allowed(state, cluster, Role::Admin) {
        return reply;
    }
    let address = text_field(&body, "address").unwrap_or_default();
    let tag = text_field(&body, "tag").unwrap_or_default();
    let mut problems = Vec::new();
    if address.parse::<std::net::Ipv4Addr>().is_err() {
        problems.push("address: Address must be a valid IPv4 address");
    }
    match tag.chars().count() {
        0..=2 => problems.push("tag: Tag with a minimum of 3 characters is required"),
        3..=21 => {}
        // dployr-io/dployr-base:src/routes/instances.ts
        _ => problems.push("tag: Tag must be a maximum of 21 characters"),
    }
    if !problems.is_empty() {
        let message = format!("Validation failed — {}", problems.join(", "));
        return failure(400, &message, "request.bad_request");
    }
    if connected(state, tag).is_some() {
        let message = "An instance with this tag already exists";
        return failure(409, message, "resource.conflict");
    }
    let instance = Registered {
        id: state.id("instance", now),
        tag: tag.to_owned(),
        address: address.to_owned(),
        region: text_field(&body, "region").map(str::to_owned),
        role: text_field(&body, "role").unwrap_or("instance").to_owned(),
        managed: body.get("managed").and_then(Value::as_bool).unwrap_or(true),
        created_at: now,
    };
    // A signed token there, good for 15 minutes and shown once.
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.sandbox", instance.id);
    let shown = registered(state, &instance);
    emit(state, "instance.created", &instance.id, now);
    state.registered.push(instance);
    let data = json!({ "instance": shown, "token": token });
    Reply::json(201, &json!({ "success": true, "data": data }))
}

/// Of an instance that comes or goes (dployr-io/dployr-base:src/routes/instances.ts).
fn emit(state: &mut Dployr, event: &str, id: &str, now: Duration) {
    let email = state.email.clone();
    let details = json!({ "instanceId": id, "userEmail": email });
    state.emit(event, details, now);
}

fn delete(state: &mut Dployr, id: &str, now: Duration) -> Reply {
    let at = state.registered.iter().position(|other| other.id == id);
    match at {
        Some(at) => {
            let gone = state.registered.remove(at);
            emit(state, "instance.deleted", &gone.id, now);
            ok(json!({ "deleted": true, "instance": gone.tag }))
        }
        // Everything in the sandbox runs on it.
        None if id == state.instance.id => failure(
            501,
            "The sandbox cannot do without its instance",
            "sandbox.not_modelled",
        ),
        None => flat(404, "Instance not found", "resource.missing_resource"),
    }
}

fn interrupt(state: &mut Dployr, request: &Request, tag: &str, call: &str, now: Duration) -> Reply {
    if let Err(reply) = allowed(state, request.query_value("clusterId"), Role::Admin) {
        return reply;
    }
    match connected(state, tag) {
        None => failure(404, "instance not found", "resource.missing_resource"),
        Some(false) => failure(
            503,
            &format!("Instance {tag} is not connected"),
            "runtime.node_not_connected",
        ),
        Some(true) => {
            let body = request.json_object().unwrap_or_default();
            let force = body.get("force") == Some(&Value::Bool(true));
            // The last was seen, the others read in dployr-io/dployr-base:src/lib/instances/instance-helpers.ts.
            let message = match (call, force) {
                ("reboot", true) => "Reboot instance task with force mode sent",
                ("reboot", false) => "Reboot instance task sent",
                (_, true) => "Restart daemon task with force mode sent",
                (_, false) => "Restart daemon task sent",
            };
            let task_id = state.id("task", now);
            let data = json!({ "status": "accepted", "taskId": task_id, "message": message });
            Reply::json(202, &json!({ "success": true, "data": data }))
        }
    }
}
