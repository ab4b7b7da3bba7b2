//! dployr as its open-source control plane was seen running: dployr-io/dployr-base at 05f89de.
//!
//! Every rule without another source was observed on that running control plane, defects included. Routes outside the
//! spec answer 404.
//!
//! Not modelled: other tenants; the limit of services that a plan has, except for the refusal by mistake in
//! [`create_deployment`]; a deployment that is `queued` for want of an instance or `cached` by its `buildFingerprint`; a
//! server without a store of logs, which answers 501 with `LOGS_NOT_AVAILABLE`; the WebSocket of a cluster; CORS headers.

mod account;
mod domains;
mod events;
mod instances;
mod logs;
mod secrets;
mod services;
pub(super) mod sessions;

use serde_json::{Map, Value, json};

use super::{Deployment, Dployr, create};
use crate::call::Call;
use crate::contract::Problem;
use crate::model::{Answer, Reply, Request, object, text_field};
use crate::time::{millis, rfc3339_millis};

/// What a control plane has and the reference knows nothing of.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    pub(super) access: sessions::Access,
    events: events::Events,
    account: account::Account,
    domains: Vec<domains::Domain>,
}

const MINUTE: u64 = 60;
/// For a user and for an anonymous caller alike. The sandbox knows one user and one anonymous caller.
const LIMIT: u64 = 100;
/// Under these prefixes the token is asked for before the route is looked up: 401 without one, text/plain 404 with one. A
/// missing, unknown or expired token all answer the same.
const GUARDED: [&str; 10] = [
    "users",
    "clusters",
    "instances",
    "deployments",
    "services",
    "logs",
    "proxy",
    "domains",
    "integrations",
    "notifications",
];

pub(super) fn handle(state: &mut Dployr, call: &Call) -> Reply {
    let segments = call.segments();
    // Outside /v1 nothing is counted.
    let ["v1", path @ ..] = segments.as_slice() else {
        return not_routed();
    };
    let known = state.knows(call);
    state.own.access.note_use(call);
    // Counted before routing: a route that does not exist is counted too, and can answer 429.
    let taken = state.charge(known, call.now, MINUTE, LIMIT);
    let reply = if taken.allowed {
        route(state, call, path, known).unwrap_or_else(|refusal| refusal)
    } else {
        let wait = taken.reset.saturating_sub(call.now.as_secs()).max(1);
        let message = format!("Rate limit exceeded. Try again in {wait} seconds.");
        failure(429, &message, "request.too_many_requests").with_header("retry-after", wait)
    };
    super::limited(reply, LIMIT, taken)
}

fn route(state: &mut Dployr, call: &Call, path: &[&str], known: bool) -> Answer {
    match call.id() {
        "get_health" => return Ok(health(call)),
        "get_domain_status" => return services::public_status(state, call),
        "list_versions" => return Ok(events::versions(call.request)),
        // A login by password is documented and exists nowhere; nor do these two collections, with or without a token.
        _ if matches!(path, ["auth", "login"] | ["projects" | "webhooks", ..]) => {
            return Err(not_routed());
        }
        _ => {}
    }
    let guarded = path.first().is_some_and(|first| GUARDED.contains(first));
    if !known && (guarded || call.id() == "list_events") {
        return Err(unauthenticated());
    }
    match call.id() {
        "request_login_code" => sessions::send_code(state, call),
        "verify_login_code" => sessions::verify(state, call),
        "exchange_identity_token" => sessions::exchange(state, call),
        "logout" => sessions::logout(state, call),
        "create_api_token" => sessions::create_token(state, call, known),
        "list_api_tokens" => sessions::list_tokens(state, call, known),
        "delete_api_token" => sessions::delete_token(state, call, known),
        "get_current_user" => account::current_user(state),
        "list_clusters" => account::clusters(state),
        "rename_cluster" => account::rename(state, call),
        "list_cluster_users" => account::users(state, call),
        "invite_cluster_users" => account::invite(state, call),
        "get_integrations" => account::integrations_of(state, call.path("id")),
        "set_up_webhook" => account::set_up_webhook(state, call),
        "list_events" => events::list(state, call),
        "create_deployment" => create_deployment(state, call),
        "list_deployments" => list_deployments(state, call),
        "get_deployment" => get_deployment(state, call.path("id")),
        "delete_deployment" => delete_deployment(state, call),
        "list_services" => services::list(state, call),
        "get_service" => services::get(state, call),
        "update_service" => services::update(state, call),
        "delete_service" => services::delete(state, call),
        "start_service" | "stop_service" => services::switch(state, call),
        "get_service_envs" => services::variables(state, call),
        "list_service_secrets" => secrets::list(state, call),
        "get_service_logs" => logs::of_service(state, call),
        "get_logs" => logs::of_cluster(state, call),
        "get_service_metrics" => logs::traffic(state, call),
        "list_proxy_services" => services::routable(state, call),
        "list_instances" => instances::list(state, call),
        "get_instance" => instances::get(state, call.path("id")),
        "create_instance" => instances::create(state, call),
        "delete_instance" => instances::delete(state, call),
        "ping_instance" => instances::ping(state, call.path("tag")),
        "reboot_instance" | "restart_instance" => instances::interrupt(state, call),
        "create_domain" => domains::create(state, call),
        "list_domains" => domains::list(state, call),
        "get_domain" => domains::get(state, call),
        "delete_domain" => domains::delete(state, call),
        "verify_domain" => domains::verify(state, call),
        // What only the reference has is not there.
        _ => match call.operation.filter(|operation| !operation.documented()) {
            Some(_) => call.example().ok_or_else(not_routed),
            None => Err(not_routed()),
        },
    }
}

fn health(call: &Call) -> Reply {
    let timestamp = rfc3339_millis(call.now);
    let body = json!({ "status": "ok", "timestamp": timestamp, "version": "sandbox" });
    Reply::json(200, &body)
}

#[derive(Clone, Copy, Debug)]
enum Role {
    Viewer,
    Developer,
    Admin,
    Owner,
}

/// The cluster check of most routes. A cluster that does not exist answers as one of somebody else.
fn allowed(state: &Dployr, cluster_id: Option<&str>, role: Role) -> Result<(), Reply> {
    let Some(id) = cluster_id.filter(|id| !id.is_empty()) else {
        return Err(flat(400, "clusterId is required", "request.bad_request"));
    };
    if id == state.cluster_id {
        return Ok(());
    }
    let message = format!("Insufficient permissions. {role:?} role is required");
    let name = format!("{role:?}").to_lowercase();
    Err(flat(
        403,
        &message,
        &format!("permission.{name}_role_required"),
    ))
}

/// The same for the cluster in the query.
fn scoped(state: &Dployr, call: &Call, role: Role) -> Result<(), Reply> {
    allowed(state, call.request.query_value("clusterId"), role)
}

fn create_deployment(state: &mut Dployr, call: &Call) -> Answer {
    let body = call.request.json_object();
    let in_query = call.request.query_value("clusterId");
    // The body goes before the query in the check.
    let in_body = body
        .as_ref()
        .ok()
        .and_then(|body| text_field(body, "clusterId"));
    allowed(state, in_body.or(in_query), Role::Developer)?;
    // Content-Type is not looked at.
    let body = body.map_err(|_| bad("Request body is required"))?;
    let (name, settings, env) = create::control_plane(&body).map_err(|words| bad(&words))?;
    if in_query.is_none() {
        // The handler reads the query alone, sees no cluster, takes it for one on the smallest plan and counts the
        // services of all tenants: a misleading refusal.
        return Err(bad(
            "Service limit reached for hobby plan (1 service max). Remove an existing service to deploy a new one.",
        ));
    }
    if settings.text("source") == Some("remote") && !state.build_node {
        return Err(not_connected("Instance build-node is not connected"));
    }
    state.env.insert(name.clone(), env);
    secrets::deploy(state, &name, &body, call.now);
    // A task, which is the id of the deployment the first time a name is used and of nothing after that.
    let task_id = state.id("task", call.now);
    let row = state.deploy(&name, settings, task_id.clone(), call.now);
    let details = json!({ "serviceName": name, "deploymentId": row.id });
    state.emit("deployment.created", details, call.now);
    Ok(made(202, json!({ "taskId": task_id })))
}

fn list_deployments(state: &Dployr, call: &Call) -> Answer {
    scoped(state, call, Role::Viewer)?;
    // An unknown status is not refused, and `serviceId` finds nothing: rows keep it null.
    let status = call.request.filled("status");
    let of_service = call.request.filled("serviceId").is_some();
    // Newest first; a redeploy does not move a row.
    let rows = state.deployments.iter().rev().filter(|row| {
        !of_service && status.is_none_or(|status| status == state.status(row, call.now))
    });
    Ok(page(
        call,
        rows.map(|row| describe(state, row, call).into()).collect(),
    ))
}

/// The check takes the path's id for a cluster id, so that no deployment can be had by its id: 403, and 404 for the one
/// id that passes.
fn get_deployment(state: &Dployr, id: &str) -> Answer {
    allowed(state, Some(id), Role::Viewer)?;
    Err(missing("Deployment not found"))
}

/// The same, but for a delete the body is read, and goes before the path.
fn delete_deployment(state: &mut Dployr, call: &Call) -> Answer {
    let id = call.path("id");
    let body = call.request.json_object().unwrap_or_default();
    allowed(
        state,
        text_field(&body, "clusterId").or(Some(id)),
        Role::Developer,
    )?;
    scoped(state, call, Role::Developer)?;
    let at = state.deployments.iter().position(|row| row.id == id);
    let at = at.ok_or_else(|| missing("Deployment not found"))?;
    let row = state.deployments.get(at);
    if row.is_some_and(|row| state.status(row, call.now) == "running") {
        return Err(bad("Cannot delete a running deployment"));
    }
    // The record goes, the service stays.
    let gone = state.deployments.remove(at);
    let details = json!({ "serviceName": gone.name, "deploymentId": gone.id });
    state.emit("deployment.deleted", details, call.now);
    Ok(ok(json!({})))
}

/// All keys always there. `serviceId` stays null, and no reason stands anywhere for a failure.
fn describe(state: &Dployr, deployment: &Deployment, call: &Call) -> Map<String, Value> {
    let settings = &deployment.settings;
    let mut row = object(json!({
        "id": deployment.id,
        "clusterId": state.cluster_id,
        "userId": state.user_id,
        "serviceId": null,
        "name": deployment.name,
        "status": state.status(deployment, call.now),
        "port": settings.port,
        "buildFingerprint": null,
        "createdAt": millis(deployment.created_at),
        "updatedAt": millis(state.updated_at(deployment, call.now)),
        "finishedAt": state.finished_at(deployment, call.now).map(millis),
    }));
    for key in create::KEYS {
        row.insert(key.to_owned(), json!(settings.text(key)));
    }
    row
}

/// `page` is at least 1, `pageSize` from 1 to 100; what cannot be read is 1 and 20. Beyond the end: no items, 200.
fn page(call: &Call, items: Vec<Value>) -> Reply {
    // Zero is as none (dployr-io/dployr-base:src/types/responses.ts).
    let number = |name: &str, otherwise: usize| match whole(call.request, name) {
        None | Some(0) => otherwise,
        Some(number) => usize::try_from(number).unwrap_or(1),
    };
    let (page, size) = (number("page", 1), number("pageSize", 20).min(100));
    let total = items.len();
    let pages = total.div_ceil(size);
    let first = (page - 1).saturating_mul(size);
    let items: Vec<Value> = items.into_iter().skip(first).take(size).collect();
    ok(json!({
        "items": items,
        "pagination": {
            "page": page,
            "pageSize": size,
            "totalItems": total,
            "totalPages": pages,
            "hasNextPage": page < pages,
            "hasPreviousPage": page > 1,
        },
    }))
}

/// The number at the beginning of a query parameter, as JavaScript's `parseInt` reads it: what follows the digits is not
/// looked at.
fn whole(request: &Request, name: &str) -> Option<i64> {
    let text = request.query_value(name)?.trim_start();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = text.split(|it: char| !it.is_ascii_digit()).next();
    let digits = digits.filter(|digits| !digits.is_empty())?;
    let number = digits.parse().unwrap_or(i64::MAX);
    Some(if negative { -number } else { number })
}

fn ok(data: Value) -> Reply {
    made(200, data)
}

fn made(status: u16, data: Value) -> Reply {
    Reply::json(status, &json!({ "success": true, "data": data }))
}

fn said(status: u16, data: Value, message: &str) -> Reply {
    let body = json!({ "success": true, "data": data, "message": message });
    Reply::json(status, &body)
}

/// How handlers answer an error.
fn failure(status: u16, message: &str, code: &str) -> Reply {
    let error = json!({ "message": message, "code": code });
    Reply::json(status, &json!({ "success": false, "error": error }))
}

fn bad(message: &str) -> Reply {
    failure(400, message, "request.bad_request")
}

fn missing(message: &str) -> Reply {
    failure(404, message, "resource.missing_resource")
}

fn not_connected(message: &str) -> Reply {
    failure(503, message, "runtime.node_not_connected")
}

/// A request that the spec does not allow, in the words of the control plane's own validation.
pub(super) fn refusal(problem: &Problem) -> Reply {
    bad(&format!("Validation failed: {problem}"))
}

/// How the checks before a handler answer an error: `error` is a string there.
fn flat(status: u16, message: &str, code: &str) -> Reply {
    Reply::json(status, &json!({ "error": message, "code": code }))
}

fn unauthenticated() -> Reply {
    flat(401, "Not authenticated", "auth.bad_session")
}

/// No route, or a wrong method, which is never a 405.
fn not_routed() -> Reply {
    Reply::new(404, "text/plain; charset=UTF-8", "404 Not Found")
}

/// The framework's answer where a handler does not guard against a body that is no JSON.
fn broken() -> Reply {
    Reply::new(500, "text/plain; charset=UTF-8", "Internal Server Error")
}

fn body_or_broken(call: &Call) -> Result<Map<String, Value>, Reply> {
    call.request.json_object().map_err(|_| broken())
}
