//! dployr as its open-source control plane was seen running: dployr-io/dployr-base at 05f89de.
//!
//! Every rule without another source was observed on that running control plane, defects included. Routes of it that are
//! known here and not played answer 501 with the code `sandbox.not_modelled`, which no control plane sends; any other
//! answers 404, as a route that it has not.
//!
//! Never played: the limit of services that a plan has, except for the refusal by mistake in [`create_deployment`]; a
//! deployment that is `queued` for want of an instance or `cached` by its `buildFingerprint`; a server without a store of
//! logs, which answers 501 with `LOGS_NOT_AVAILABLE`; the WebSocket of a cluster; headers of CORS.

mod account;
mod bounds;
mod domains;
mod instances;
mod neighbour;
mod nodes;
mod numbers;
mod observed;
mod runtime;
mod secrets;
mod services;
pub(super) mod sessions;

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Deployment, Dployr, create};
use crate::contract;
use crate::model::{Reply, Request, text_field};
use crate::time::{millis, rfc3339_millis};

/// What a control plane has and the reference knows nothing of.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    pub(super) access: sessions::Access,
    pub(super) events: runtime::Events,
    account: account::Account,
    domains: Vec<domains::Domain>,
    /// Whether another tenant's service shows.
    neighbour: bool,
}

const MINUTE: u64 = 60;
/// For a user and for an anonymous caller alike. The sandbox knows one user and one anonymous caller.
const LIMIT: u64 = 100;

pub(super) fn handle(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    // Outside /v1 nothing is counted.
    let ["v1", path @ ..] = segments.as_slice() else {
        return not_routed();
    };
    let known = state.knows(request, now);
    state.own.access.note_use(request, now);
    // Nor under /v1/admin, of which nothing is played.
    if path.first() == Some(&"admin") {
        return route(state, request, path, known, now);
    }
    // Counted before routing: a route that does not exist is counted too, and can answer 429.
    let taken = state.charge(known, now, MINUTE, LIMIT);
    let reply = if taken.allowed {
        route(state, request, path, known, now)
    } else {
        let wait = taken.reset.saturating_sub(now.as_secs()).max(1);
        let message = format!("Rate limit exceeded. Try again in {wait} seconds.");
        failure(429, &message, "request.too_many_requests")
            .with_header("retry-after", wait.to_string())
    };
    reply
        .with_header("x-ratelimit-limit", LIMIT.to_string())
        .with_header("x-ratelimit-remaining", taken.remaining.to_string())
        .with_header("x-ratelimit-reset", taken.reset.to_string())
}

fn route(
    state: &mut Dployr,
    request: &Request,
    path: &[&str],
    known: bool,
    now: Duration,
) -> Reply {
    let method = if request.method == "HEAD" {
        "GET"
    } else {
        request.method.as_str()
    };
    match (method, path) {
        // Counted as of nobody, since a browser sends no credentials with it.
        ("OPTIONS", _) => return Reply::empty(204),
        ("GET", ["health"]) => {
            let body =
                json!({ "status": "ok", "timestamp": rfc3339_millis(now), "version": "sandbox" });
            return Reply::json(200, &body);
        }
        ("GET", ["status"]) => return services::public_status(state, request, now),
        // Without a token, both of them (seen, and dployr-io/dployr-base:src/routes/runtime.ts).
        ("GET", ["domains", "verify"]) => return domains::is_verified(state, request),
        ("GET", ["runtime", "versions"]) => return runtime::versions(request),
        ("POST", ["deployments", "finish"]) => return nodes::finish(request),
        // Open there as well (dployr-io/dployr-base:src/routes/domains.ts).
        ("POST", ["domains", "register"]) => return not_modelled(),
        // A login by password is documented and exists nowhere; nor do these two collections, with or without a token.
        (_, ["auth", "login"] | ["projects" | "webhooks", ..]) => return not_routed(),
        _ => {}
    }
    // Under these prefixes the token is asked for before the route is looked up: 401 without one, text/plain 404 with
    // one. A missing, unknown or expired token all answer the same.
    let guarded = matches!(
        path.first(),
        Some(
            &("users"
                | "clusters"
                | "instances"
                | "deployments"
                | "services"
                | "logs"
                | "proxy"
                | "domains"
                | "integrations"
                | "notifications")
        )
    ) || path == ["runtime", "events"];
    if guarded && !known {
        return flat(401, "Not authenticated", "auth.bad_session");
    }
    if let ["auth", rest @ ..] = path
        && let Some(reply) = sessions::route(state, request, method, rest, now)
    {
        return reply;
    }
    match (method, path) {
        ("GET", ["users", "me"]) => {
            ok(json!({ "user": account::user(state), "clusters": [account::cluster(state)] }))
        }
        ("PATCH", ["users", "me"]) => account::update_user(state, request, now),
        ("GET", ["runtime", "events"]) => runtime::list(state, request, now),
        // Those that the user was sent, not those of a cluster.
        ("GET", ["clusters", "users", "invites"]) => ok(json!({ "invites": [] })),
        ("GET", ["clusters"]) => ok(json!({ "clusters": [account::cluster(state)] })),
        ("GET", ["clusters", id, "integrations"]) => match allowed(state, Some(id), Role::Viewer) {
            Ok(()) => ok(account::integrations(state)),
            Err(reply) => reply,
        },
        ("GET", ["integrations", "list"]) => {
            match allowed(state, request.query_value("clusterId"), Role::Developer) {
                Ok(()) => ok_with(account::integrations(state), "Integrations retrieved"),
                Err(reply) => reply,
            }
        }
        ("POST", ["notifications", "webhook", "setup"]) => account::set_up_webhook(state, request),
        ("PATCH", ["clusters", id]) => account::rename(state, request, id, now),
        ("GET" | "PUT", ["clusters", id, "notifications"]) => {
            account::notifications(state, request, method, id, now)
        }
        ("GET", ["clusters", id, "users"]) => account::users(state, request, id),
        ("POST", ["clusters", id, "users"]) => account::invite(state, request, id, now),
        (_, ["domains", rest @ ..]) => domains::route(state, request, method, rest, now),
        ("POST", ["deployments"]) => create_deployment(state, request, now),
        ("GET", ["deployments"]) => list_deployments(state, request, now),
        ("GET", ["deployments", id]) => get_deployment(state, id),
        ("DELETE", ["deployments", id]) => delete_deployment(state, request, id, now),
        (_, ["services", rest @ ..]) => services::route(state, request, method, rest, now),
        (_, ["instances", rest @ ..]) => instances::route(state, request, method, rest, now),
        ("GET", ["logs"]) => observed::logs(state, request, now),
        ("GET", ["proxy", "services"]) => services::routable(state, request),
        ("POST", ["proxy", "invalidate"]) => services::forget_routes(state, request),
        // The permission check asks for a path parameter that these routes do not have.
        ("POST", ["proxy", "node", "routes" | "restart"])
        | ("GET", ["proxy", "node", "status"])
        | ("DELETE", ["proxy", "node", "routes", _]) => {
            flat(400, "Domain identifier is required", "request.bad_request")
        }
        _ if exists(method, path) => not_modelled(),
        _ => not_routed(),
    }
}

/// Routes of the control plane that the sandbox leaves out.
fn exists(method: &str, path: &[&str]) -> bool {
    // Of these it has all that there is.
    if let ["auth", "login" | "tokens" | "logout" | "oidc", ..]
    | ["runtime", "events" | "versions"]
    | ["clusters", _, "users"] = path
    {
        return false;
    }
    matches!(
        (method, path),
        ("GET", ["ws", "stats"] | ["clusters", _, _, ..])
            | ("POST" | "DELETE", ["clusters", _, "users", _, ..])
            | ("POST", ["notifications", _, "setup"])
            | (
                _,
                [
                    "auth" | "runtime" | "billing" | "node" | "jwks" | "admin",
                    _,
                    ..
                ]
            )
    )
}

#[derive(Clone, Copy)]
enum Role {
    Viewer,
    Developer,
    Admin,
    Owner,
}

/// The cluster check of most routes. A cluster that does not exist answers as one of somebody else.
fn allowed(state: &Dployr, cluster_id: Option<&str>, role: Role) -> Result<(), Reply> {
    match cluster_id.filter(|id| !id.is_empty()) {
        None => Err(flat(400, "clusterId is required", "request.bad_request")),
        Some(id) if id == state.cluster_id => Ok(()),
        Some(_) => Err(match role {
            Role::Viewer => flat(
                403,
                "Insufficient permissions. Viewer role is required",
                "permission.viewer_role_required",
            ),
            Role::Developer => flat(
                403,
                "Insufficient permissions. Developer role is required",
                "permission.developer_role_required",
            ),
            Role::Admin => flat(
                403,
                "Insufficient permissions. Admin role is required",
                "permission.admin_role_required",
            ),
            Role::Owner => flat(
                403,
                "Insufficient permissions. Owner role is required",
                "permission.owner_role_required",
            ),
        }),
    }
}

fn create_deployment(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    let body = request.json_object();
    let in_query = request.query_value("clusterId").map(str::to_owned);
    // The body goes before the query in the check.
    let in_body = body
        .as_ref()
        .ok()
        .and_then(|body| text_field(body, "clusterId"));
    if let Err(reply) = allowed(state, in_body.or(in_query.as_deref()), Role::Developer) {
        return reply;
    }
    // Content-Type is not looked at.
    let Ok(body) = body else {
        return failure(400, "Request body is required", "request.bad_request");
    };
    let (name, settings, env) = match create::control_plane(&body) {
        Ok(read) => read,
        Err(message) => return failure(400, &message, "request.bad_request"),
    };
    if let Some(taken) = neighbour::refuse_name(&name) {
        return taken;
    }
    if in_query.is_none() {
        // The handler reads the query alone, sees no cluster, takes it for one on the smallest plan and counts the
        // services of all tenants: a misleading refusal.
        return failure(
            400,
            "Service limit reached for hobby plan (1 service max). Remove an existing service to deploy a new one.",
            "request.bad_request",
        );
    }
    if settings.text("source") == Some("remote") && !state.build_node {
        return failure(
            503,
            "Instance build-node is not connected",
            "runtime.node_not_connected",
        );
    }
    state.env.insert(name.clone(), env);
    secrets::deploy(state, &name, &body, now);
    // A task, which is the id of the deployment the first time a name is used and of nothing after that.
    let task_id = state.id("task", now);
    let at = state.deploy(&name, settings, task_id.clone(), now);
    let id = state.deployments.get(at).map(|row| row.id.clone());
    let details = json!({ "serviceName": name, "deploymentId": id });
    state.emit("deployment.created", details, now);
    Reply::json(
        202,
        &json!({ "success": true, "data": { "taskId": task_id } }),
    )
}

fn list_deployments(state: &Dployr, request: &Request, now: Duration) -> Reply {
    if let Err(reply) = allowed(state, request.query_value("clusterId"), Role::Viewer) {
        return reply;
    }
    // An unknown status is not refused, and `serviceId` finds nothing: rows keep it null.
    let status = request
        .query_value("status")
        .filter(|status| !status.is_empty());
    let of_service = request
        .query_value("serviceId")
        .is_some_and(|id| !id.is_empty());
    let mut rows: Vec<&Deployment> = state
        .deployments
        .iter()
        .filter(|deployment| {
            !of_service && status.is_none_or(|status| status == state.status(deployment, now))
        })
        .collect();
    // Newest first; a redeploy does not move a row.
    rows.reverse();
    page(
        request,
        rows.into_iter()
            .map(|row| Value::Object(describe(state, row, now)))
            .collect(),
    )
}

/// The check takes the path's id for a cluster id, so that no deployment can be had by its id: 403, and 404 for the one
/// id that passes.
fn get_deployment(state: &Dployr, id: &str) -> Reply {
    match allowed(state, Some(id), Role::Viewer) {
        Ok(()) => failure(404, "Deployment not found", "resource.missing_resource"),
        Err(reply) => reply,
    }
}

/// The same, but for a delete the body is read, and goes before the path.
fn delete_deployment(state: &mut Dployr, request: &Request, id: &str, now: Duration) -> Reply {
    let body = request.json_object().unwrap_or_default();
    if let Err(reply) = allowed(
        state,
        text_field(&body, "clusterId").or(Some(id)),
        Role::Developer,
    ) {
        return reply;
    }
    if let Err(reply) = allowed(state, request.query_value("clusterId"), Role::Developer) {
        return reply;
    }
    let Some(at) = state
        .deployments
        .iter()
        .position(|deployment| deployment.id == id)
    else {
        return failure(404, "Deployment not found", "resource.missing_resource");
    };
    if state
        .deployments
        .get(at)
        .is_some_and(|deployment| state.status(deployment, now) == "running")
    {
        return failure(
            400,
            "Cannot delete a running deployment",
            "request.bad_request",
        );
    }
    // The record goes, the service stays.
    let gone = state.deployments.remove(at);
    let details = json!({ "serviceName": gone.name, "deploymentId": gone.id });
    state.emit("deployment.deleted", details, now);
    ok(json!({}))
}

/// All keys always there. `serviceId` stays null, and no reason stands anywhere for a failure.
fn describe(state: &Dployr, deployment: &Deployment, now: Duration) -> Map<String, Value> {
    let settings = &deployment.settings;
    let mut row = object(json!({
        "id": deployment.id,
        "clusterId": state.cluster_id,
        "userId": state.user_id,
        "serviceId": null,
        "name": deployment.name,
        "status": state.status(deployment, now),
        "port": settings.port,
        "buildFingerprint": null,
        "createdAt": millis(deployment.created_at),
        "updatedAt": millis(state.updated_at(deployment, now)),
        "finishedAt": state.finished_at(deployment, now).map(millis),
    }));
    for key in [
        "type",
        "source",
        "description",
        "runCmd",
        "buildCmd",
        "workingDir",
        "staticDir",
        "image",
        "domain",
        "runtimeType",
        "runtimeVersion",
        "remoteUrl",
        "remoteBranch",
        "remoteCommitHash",
        "healthCheck",
    ] {
        row.insert(key.to_owned(), settings.json(key));
    }
    row
}

/// `page` is at least 1, `pageSize` from 1 to 100; what cannot be read is 1 and 20. Beyond the end: no items, 200.
fn page(request: &Request, items: Vec<Value>) -> Reply {
    let page = numbers::of_page(request, "page", 1);
    let size = numbers::of_page(request, "pageSize", 20).min(100);
    let total = items.len();
    let pages = total.div_ceil(size);
    let items: Vec<Value> = items
        .into_iter()
        .skip((page - 1).saturating_mul(size))
        .take(size)
        .collect();
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

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}

fn ok(data: Value) -> Reply {
    Reply::json(200, &json!({ "success": true, "data": data }))
}

fn ok_with(data: Value, message: &str) -> Reply {
    Reply::json(
        200,
        &json!({ "success": true, "data": data, "message": message }),
    )
}

/// How handlers answer an error.
fn failure(status: u16, message: &str, code: &str) -> Reply {
    Reply::json(
        status,
        &json!({ "success": false, "error": { "message": message, "code": code } }),
    )
}

/// A request that the spec does not allow, in the words of the control plane's own validation.
pub(super) fn refusal(problem: &contract::Problem) -> Reply {
    failure(
        400,
        &format!("Validation failed: {problem}"),
        "request.bad_request",
    )
}

/// How the checks before a handler answer an error: `error` is a string there.
fn flat(status: u16, message: &str, code: &str) -> Reply {
    Reply::json(status, &json!({ "error": message, "code": code }))
}

/// What no control plane sends.
fn not_modelled() -> Reply {
    let message = "The sandbox does not model this route";
    failure(501, message, "sandbox.not_modelled")
}

/// No route, or a wrong method, which is never a 405.
fn not_routed() -> Reply {
    Reply::text(404, "text/plain; charset=UTF-8", "404 Not Found")
}
