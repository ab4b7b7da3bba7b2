//! Instances. One is connected, unless the test disconnects it; instances that clients register never connect.

use std::net::Ipv4Addr;

use serde_json::{Map, Value, json};

use super::super::{Dployr, Instance};
use super::{
    Role, body_or_500, handler_error, middleware_error, not_connected, not_found, ok, page,
    require_query_cluster, require_role, success,
};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::{object, text_field};
use crate::time::millis;

/// Lists the instances, newest first.
pub(super) fn list(state: &Dployr, call: &Call) -> HandlerResult {
    require_query_cluster(state, call, Role::Viewer)?;
    let role = call.request.query_value("role");
    let registered = state.registered.iter().rev();
    let all = registered.chain([&state.instance]);
    let items = all.filter(|item| role.is_none_or(|role| item.role == role));
    let items = items.map(|instance| {
        let mut item = describe(state, instance);
        let cluster = &state.control_plane.account.cluster_name;
        item.insert("clusterName".to_owned(), json!(cluster));
        Value::Object(item)
    });
    Ok(page(call, items.collect()))
}

/// Finds an instance by id, not by tag. `data` is the instance itself, not an object that contains it.
pub(super) fn get(state: &Dployr, id: &str) -> HandlerResult {
    let mut all = state.registered.iter().chain([&state.instance]);
    let found = all.find(|one| one.id == id).ok_or_else(unknown_id)?;
    Ok(ok(describe(state, found).into()))
}

pub(super) fn ping(state: &Dployr, tag: &str) -> HandlerResult {
    // The reply to an unknown tag was not recorded; assumed to be the same as for other operations by tag.
    connected(state, tag).ok_or_else(|| not_found("instance not found"))?;
    Ok(ok(json!({ "status": "enqueued" })))
}

fn unknown_id() -> Reply {
    middleware_error(404, "Instance not found", "resource.missing_resource")
}

/// Whether the instance with this tag is connected; `None` if the tag is unknown.
fn connected(state: &Dployr, tag: &str) -> Option<bool> {
    if tag == state.instance.tag {
        return Some(state.node_connected);
    }
    let known = state.registered.iter().any(|other| other.tag == tag);
    known.then_some(false)
}

/// The JSON of an instance. It is healthy from the start, and the requested region is only in the metadata.
fn describe(state: &Dployr, instance: &Instance) -> Map<String, Value> {
    let region = instance.region.as_ref();
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
        "metadata": region.map_or(json!({}), |region| json!({ "region": region })),
        "clusterCount": 0,
        "createdAt": millis(instance.created_at),
        "updatedAt": millis(instance.created_at),
    }))
}

pub(super) fn create(state: &mut Dployr, call: &Call) -> HandlerResult {
    let body = body_or_500(call)?;
    // Requiring an admin is an assumption: some versions of dployr-io/dployr-base:src/routes/instances.ts
    // require an owner, others no role.
    let cluster = text_field(&body, "clusterId").or(call.request.query_value("clusterId"));
    require_role(state, cluster, Role::Admin)?;
    let address = text_field(&body, "address").unwrap_or_default();
    let tag = text_field(&body, "tag").unwrap_or_default();
    let mut problems = Vec::new();
    if address.parse::<Ipv4Addr>().is_err() {
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
        return Err(handler_error(400, &message, "request.bad_request"));
    }
    if connected(state, tag).is_some() {
        let message = "An instance with this tag already exists";
        return Err(handler_error(409, message, "resource.conflict"));
    }
    let instance = Instance {
        id: state.id("instance", call.now),
        tag: tag.to_owned(),
        address: address.to_owned(),
        region: text_field(&body, "region").map(str::to_owned),
        role: text_field(&body, "role").unwrap_or("instance").to_owned(),
        managed: body.get("managed").and_then(Value::as_bool).unwrap_or(true),
        created_at: call.now,
    };
    // The real server returns a signed token, only in this reply, that is valid for 15 minutes.
    let token = format!("eyJhbGciOiJSUzI1NiJ9.{}.sandbox", instance.id);
    let shown = describe(state, &instance);
    emit(state, "instance.created", &instance.id, call);
    state.registered.push(instance);
    Ok(success(201, json!({ "instance": shown, "token": token })))
}

/// Emits an instance event (dployr-io/dployr-base:src/routes/instances.ts).
fn emit(state: &mut Dployr, event: &str, id: &str, call: &Call) {
    let details = json!({ "instanceId": id, "userEmail": state.email });
    state.emit(event, details, call.now);
}

pub(super) fn delete(state: &mut Dployr, call: &Call) -> HandlerResult {
    let id = call.path("id");
    if id == state.instance.id {
        // The sandbox rejects this, because all its services run on this instance.
        let message = "The sandbox cannot do without its instance";
        return Err(handler_error(501, message, "sandbox.not_modelled"));
    }
    let at = state.registered.iter().position(|other| other.id == id);
    let deleted = state.registered.remove(at.ok_or_else(unknown_id)?);
    emit(state, "instance.deleted", &deleted.id, call);
    Ok(ok(json!({ "deleted": true, "instance": deleted.tag })))
}

/// Reboots an instance or restarts its daemon.
pub(super) fn reboot_or_restart(state: &mut Dployr, call: &Call) -> HandlerResult {
    require_query_cluster(state, call, Role::Admin)?;
    let tag = call.path("tag");
    if !connected(state, tag).ok_or_else(|| not_found("instance not found"))? {
        return Err(not_connected(&format!("Instance {tag} is not connected")));
    }
    // `Restart daemon` was observed; `Reboot instance` is from
    // dployr-io/dployr-base:src/lib/instances/instance-helpers.ts.
    let task = match call.id() {
        "reboot_instance" => "Reboot instance",
        _ => "Restart daemon",
    };
    let body = call.request.json_object().unwrap_or_default();
    let mode = match body.get("force") {
        Some(Value::Bool(true)) => " with force mode",
        _ => "",
    };
    let message = format!("{task} task{mode} sent");
    let task_id = state.id("task", call.now);
    let data = json!({ "status": "accepted", "taskId": task_id, "message": message });
    Ok(success(202, data))
}
