//! The control-plane dialect: dployr-io/dployr-base at 05f89de.
//!
//! A rule without a named source was observed on a running control plane. This includes defects of the real
//! server. Routes outside the spec get 404.
//!
//! Not modelled: other tenants; the service limit of plans, except for the mistaken rejection in
//! [`deployments::create_deployment`]; deployments that are `queued` without an instance or `cached` by
//! `buildFingerprint`; servers without a log store (501 `LOGS_NOT_AVAILABLE`); the cluster's WebSocket; CORS
//! headers.

mod clusters;
mod deployments;
mod domains;
mod env;
mod events;
mod instances;
mod logs;
mod services;
pub(super) mod sessions;
mod webhooks;

use serde_json::{Map, Value, json};

use super::Dployr;
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::Request;
use crate::spec::Violation;
use crate::time::rfc3339_millis;

/// State that only the control plane has.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) credentials: sessions::Credentials,
    events: events::Events,
    account: clusters::Account,
    domains: Vec<domains::Domain>,
}

const MINUTE: u64 = 60;
/// Requests per minute, per user and per anonymous caller. The sandbox has one of each.
const LIMIT: u64 = 100;
/// Routes that check the token before the path.
///
/// An unknown path below them gets 401 without a token and a text/plain 404 with one. Missing, unknown and
/// expired tokens get the same reply.
const AUTHENTICATED_PREFIXES: [&str; 10] = [
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
    // Only paths below /v1 count against the rate limit.
    let ["v1", path @ ..] = segments.as_slice() else {
        return not_routed();
    };
    let authenticated = state.is_authenticated(call);
    state.control_plane.credentials.record_token_use(call);
    // Charged before routing: unknown paths count too and can get 429.
    let taken = state.charge(authenticated, call.now, MINUTE, LIMIT);
    let reply = if taken.allowed {
        route(state, call, path, authenticated).unwrap_or_else(|reply| reply)
    } else {
        let wait = taken.reset.saturating_sub(call.now.as_secs()).max(1);
        let message = format!("Rate limit exceeded. Try again in {wait} seconds.");
        handler_error(429, &message, "request.too_many_requests").with_header("retry-after", wait)
    };
    super::with_rate_limit_headers(reply, LIMIT, taken)
}

fn route(state: &mut Dployr, call: &Call, path: &[&str], authenticated: bool) -> HandlerResult {
    match call.id() {
        "get_health" => return Ok(health(call)),
        "get_domain_status" => return services::public_status(state, call),
        "list_versions" => return Ok(events::versions(call.request)),
        // The server lacks login by password and these two collections, which the reference documents.
        _ if matches!(path, ["auth", "login"] | ["projects" | "webhooks", ..]) => {
            return Err(not_routed());
        }
        _ => {}
    }
    let needs_token = path
        .first()
        .is_some_and(|first| AUTHENTICATED_PREFIXES.contains(first));
    if !authenticated && (needs_token || call.id() == "list_events") {
        return Err(unauthenticated());
    }
    match call.id() {
        "request_login_code" => sessions::send_code(state, call),
        "verify_login_code" => sessions::verify(state, call),
        "exchange_identity_token" => sessions::exchange(state, call),
        "logout" => sessions::logout(state, call),
        "create_api_token" => sessions::create_token(state, call, authenticated),
        "list_api_tokens" => sessions::list_tokens(state, call, authenticated),
        "delete_api_token" => sessions::delete_token(state, call, authenticated),
        "get_current_user" => clusters::current_user(state),
        "list_clusters" => clusters::clusters(state),
        "rename_cluster" => clusters::rename(state, call),
        "list_cluster_users" => clusters::users(state, call),
        "invite_cluster_users" => clusters::invite(state, call),
        "get_integrations" => webhooks::integrations_of(state, call.path("id")),
        "set_up_webhook" => webhooks::set_up_webhook(state, call),
        "list_events" => events::list(state, call),
        "create_deployment" => deployments::create_deployment(state, call),
        "list_deployments" => deployments::list_deployments(state, call),
        "get_deployment" => deployments::get_deployment(state, call.path("id")),
        "delete_deployment" => deployments::delete_deployment(state, call),
        "list_services" => services::list(state, call),
        "get_service" => services::get(state, call),
        "update_service" => services::update(state, call),
        "delete_service" => services::delete(state, call),
        "start_service" | "stop_service" => services::switch(state, call),
        "get_service_envs" => env::variables(state, call),
        "list_service_secrets" => env::list(state, call),
        "get_service_logs" => logs::of_service(state, call),
        "get_logs" => logs::of_cluster(state, call),
        "get_service_metrics" => services::traffic(state, call),
        "list_proxy_services" => services::routable(state, call),
        "list_instances" => instances::list(state, call),
        "get_instance" => instances::get(state, call.path("id")),
        "create_instance" => instances::create(state, call),
        "delete_instance" => instances::delete(state, call),
        "ping_instance" => instances::ping(state, call.path("tag")),
        "reboot_instance" | "restart_instance" => instances::reboot_or_restart(state, call),
        "create_domain" => domains::create(state, call),
        "list_domains" => domains::list(state, call),
        "get_domain" => domains::get(state, call),
        "delete_domain" => domains::delete(state, call),
        "verify_domain" => domains::verify(state, call),
        // Operations that only the reference documents do not exist here.
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

/// Checks that the user has this role in the cluster. Most routes do.
///
/// An unknown cluster gets the same 403 as a cluster of another tenant. The user is the owner of the only
/// cluster.
fn require_role(state: &Dployr, cluster_id: Option<&str>, role: Role) -> Result<(), Reply> {
    let Some(id) = cluster_id.filter(|id| !id.is_empty()) else {
        return Err(middleware_error(
            400,
            "clusterId is required",
            "request.bad_request",
        ));
    };
    if id == state.cluster_id {
        return Ok(());
    }
    let message = format!("Insufficient permissions. {role:?} role is required");
    let name = format!("{role:?}").to_lowercase();
    Err(middleware_error(
        403,
        &message,
        &format!("permission.{name}_role_required"),
    ))
}

/// Like [`require_role`], for the cluster in the query.
fn require_query_cluster(state: &Dployr, call: &Call, role: Role) -> Result<(), Reply> {
    require_role(state, call.request.query_value("clusterId"), role)
}

/// One page of `items`.
///
/// `page` is at least 1 and `pageSize` at most 100. Values that cannot be parsed become 1 and 20. A page
/// beyond the end is empty.
fn page(call: &Call, items: Vec<Value>) -> Reply {
    // The number 0 counts as missing (dployr-io/dployr-base:src/types/responses.ts).
    let number = |name: &str, default: usize| match leading_integer(call.request, name) {
        None | Some(0) => default,
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

/// The integer at the start of a query value, like JavaScript's `parseInt`.
fn leading_integer(request: &Request, name: &str) -> Option<i64> {
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
    success(200, data)
}

fn success(status: u16, data: Value) -> Reply {
    Reply::json(status, &json!({ "success": true, "data": data }))
}

fn ok_with_message(status: u16, data: Value, message: &str) -> Reply {
    let body = json!({ "success": true, "data": data, "message": message });
    Reply::json(status, &body)
}

/// An error from a route handler.
fn handler_error(status: u16, message: &str, code: &str) -> Reply {
    let error = json!({ "message": message, "code": code });
    Reply::json(status, &json!({ "success": false, "error": error }))
}

fn bad_request(message: &str) -> Reply {
    handler_error(400, message, "request.bad_request")
}

fn not_found(message: &str) -> Reply {
    handler_error(404, message, "resource.missing_resource")
}

fn not_connected(message: &str) -> Reply {
    handler_error(503, message, "runtime.node_not_connected")
}

/// The reply to a request that violates the spec, in the words of the server's validation.
pub(super) fn violation_reply(violation: &Violation) -> Reply {
    bad_request(&format!("Validation failed: {violation}"))
}

/// An error from middleware, a check before the handler: `error` is a string.
fn middleware_error(status: u16, message: &str, code: &str) -> Reply {
    Reply::json(status, &json!({ "error": message, "code": code }))
}

fn unauthenticated() -> Reply {
    middleware_error(401, "Not authenticated", "auth.bad_session")
}

/// The reply to an unknown route or a wrong method. The server never responds with 405.
fn not_routed() -> Reply {
    Reply::new(404, "text/plain; charset=UTF-8", "404 Not Found")
}

/// The web framework's reply when a handler fails to parse the body and does not catch the error.
fn internal_server_error() -> Reply {
    Reply::new(500, "text/plain; charset=UTF-8", "Internal Server Error")
}

/// The JSON body, for handlers that respond with 500 to any other body.
fn body_or_500(call: &Call) -> Result<Map<String, Value>, Reply> {
    call.request
        .json_object()
        .map_err(|_| internal_server_error())
}
