//! The documented dialect: dployr-io/dployr-docs:docs/api.md.
//!
//! The reference shows only the reply to the login. Like it, all replies are objects or arrays without an
//! envelope, in snake case. They have the fields of the request bodies, plus fields from
//! dployr-io/dployr:api/openapi.yaml (the daemon).

mod deployments;
mod env;
mod instances;
mod projects;
mod routes;
mod services;
mod webhooks;

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Dployr, RunState, with_rate_limit_headers};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::text_field;
use crate::spec::Violation;
use crate::time::rfc3339;

const HOUR: u64 = 3_600;
// "Authenticated requests: 1000 requests per hour", and 60 for unauthenticated requests.
const USER_LIMIT: u64 = 1_000;
const ANONYMOUS_LIMIT: u64 = 60;
// `expires_in` in the login example.
const LOGIN_LIFETIME: Duration = Duration::from_secs(3_600);
const INVALID_DEPLOYMENT: &str = "Invalid deployment configuration";

pub(super) fn handle(state: &mut Dployr, call: &Call) -> Reply {
    let authenticated = state.is_authenticated(call);
    let limit = if authenticated {
        USER_LIMIT
    } else {
        ANONYMOUS_LIMIT
    };
    let taken = state.charge(authenticated, call.now, HOUR, limit);
    let reply = if taken.allowed {
        route(state, call, authenticated).unwrap_or_else(|reply| reply)
    } else {
        error(429, "Rate limit exceeded", json!({}))
    };
    // Every reply has these headers. The reset is in Unix seconds. The reference has no `Retry-After`.
    with_rate_limit_headers(reply, limit, taken)
}

fn route(state: &mut Dployr, call: &Call, authenticated: bool) -> HandlerResult {
    let path = call.segments();
    // Operations that only the control plane has do not exist here, not even those without authentication.
    let is_control_plane_only = call
        .operation
        .is_some_and(|operation| !operation.documented());
    if path.first() != Some(&"v1") || is_control_plane_only {
        return Err(not_found("route"));
    }
    if call.id() == "login" {
        return login(state, call);
    }
    // "All API requests require authentication using a bearer token."
    if !authenticated {
        return Err(error(401, "Missing or invalid access token", json!({})));
    }
    let id = call.path("id");
    match call.id() {
        "create_deployment" => deployments::create_deployment(state, call),
        "list_deployments" => {
            let newest_first = state.deployments.iter().rev();
            list(newest_first.map(|deployment| deployments::describe(state, deployment, call)))
        }
        "get_deployment" => {
            let deployment = deployments::find_deployment(state, id)?;
            Ok(Reply::json(
                200,
                &deployments::describe(state, deployment, call),
            ))
        }
        "update_deployment" => deployments::update_deployment(state, call, id),
        // Deletes the record of the deployment but not its service, as observed on the control plane.
        "delete_deployment" => {
            let before = state.deployments.len();
            state.deployments.retain(|deployment| deployment.id != id);
            deleted(state.deployments.len() < before, "deployment")
        }
        "list_services" => {
            let services = state.services.iter();
            list(services.map(|service| services::describe_service(state, service, call)))
        }
        "get_service_status" => {
            let service = services::find_service(state, id)?;
            let body = json!({
                "id": service.id,
                "name": service.name,
                "status": state.run_state(&service, call.now).as_str(),
                "updated_at": rfc3339(service.updated_at),
            });
            Ok(Reply::json(200, &body))
        }
        "start_service" => services::switch(state, call, RunState::Starting(call.now), "started"),
        "stop_service" => services::switch(state, call, RunState::Stopped, "stopped"),
        "restart_service" => {
            services::switch(state, call, RunState::Starting(call.now), "restarted")
        }
        "get_service_logs" => services::logs(state, call, id),
        "list_instances" => list([instances::instance(state)].into_iter()),
        "get_instance" | "get_instance_metrics" if id != state.instance.id => {
            Err(not_found("instance"))
        }
        "get_instance" => Ok(Reply::json(200, &instances::instance(state))),
        "get_instance_metrics" => Ok(Reply::json(200, &instances::metrics(call))),
        "list_service_env" => env::list_variables(state, id),
        "set_service_env" => env::set_variable(state, call, id),
        "delete_service_env" => env::delete_variable(state, call, id),
        "list_routes" => list(state.routes.iter().cloned()),
        "create_route" => routes::create_route(state, call),
        "delete_route" => deleted(remove(&mut state.routes, id), "proxy route"),
        "list_projects" => list(state.projects.iter().cloned()),
        "create_project" => projects::create_project(state, call),
        "delete_project" => deleted(remove(&mut state.projects, id), "project"),
        // The reference has no operation that deletes a webhook.
        "list_webhooks" => list(state.webhooks.iter().cloned()),
        "create_webhook" => webhooks::create_webhook(state, call),
        _ => call.example().ok_or_else(|| not_found("route")),
    }
}

fn list(items: impl Iterator<Item = Value>) -> HandlerResult {
    Ok(Reply::json(200, &items.collect()))
}

/// Stores the item and returns it with 201.
fn stored(items: &mut Vec<Value>, item: Value) -> Reply {
    let reply = Reply::json(201, &item);
    items.push(item);
    reply
}

/// Removes the item with this id. Returns whether there was one.
fn remove(items: &mut Vec<Value>, id: &str) -> bool {
    let before = items.len();
    items.retain(|item| item.get("id") != Some(&json!(id)));
    items.len() < before
}

fn login(state: &mut Dployr, call: &Call) -> HandlerResult {
    let body = body(call)?;
    let required = |field: &str| {
        let text = text_field(&body, field);
        text.ok_or_else(|| invalid("Invalid login", field, "is required"))
    };
    let (email, password) = (required("email")?, required("password")?);
    if email != state.email || password != state.password {
        return Err(error(401, "Wrong email or password", json!({})));
    }
    let access_token = state.ids.alphanumeric(48);
    let refresh_token = state.ids.alphanumeric(48);
    state.logins.retain(|(_, ends)| call.now < *ends);
    state
        .logins
        .push((access_token.clone(), call.now + LOGIN_LIFETIME));
    // The reference documents no use of the refresh token.
    let body = json!({
        "access_token": access_token,
        "refresh_token": refresh_token,
        "expires_in": LOGIN_LIFETIME.as_secs(),
    });
    Ok(Reply::json(200, &body))
}

/// The JSON body. Requires `Content-Type: application/json`, which all examples of the reference send.
fn body(call: &Call) -> Result<Map<String, Value>, Reply> {
    let body = call.request.typed_json_object();
    body.map_err(|error| invalid("Invalid request body", "body", error.message()))
}

/// The reply to a delete: 204 or 404. The reference shows none, so 204 is an assumption.
fn deleted(found: bool, resource: &str) -> HandlerResult {
    let reply = found.then(|| Reply::empty(204));
    reply.ok_or_else(|| not_found(resource))
}

fn not_found(resource: &str) -> Reply {
    error(404, &format!("No such {resource}"), json!({}))
}

/// The reply to a request that violates the spec.
pub(super) fn violation_reply(violation: &Violation) -> Reply {
    invalid("Invalid request", &violation.location, &violation.message)
}

fn invalid(message: &str, field: &str, issue: &str) -> Reply {
    error(400, message, json!({ "field": field, "issue": issue }))
}

/// An error in the format of the reference, which says "All errors follow this format."
///
/// The reference shows only the code `invalid_request`; the others are made up.
fn error(status: u16, message: &str, details: Value) -> Reply {
    let code = match status {
        400 => "invalid_request",
        401 => "unauthorized",
        404 => "not_found",
        429 => "rate_limit_exceeded",
        _ => "internal_error",
    };
    Reply::json(
        status,
        &json!({ "error": { "code": code, "message": message, "details": details } }),
    )
}
