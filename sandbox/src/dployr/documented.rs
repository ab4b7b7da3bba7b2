//! dployr as its published reference describes it: dployr-io/dployr-docs:docs/api.md.
//!
//! The reference shows one reply, that of the login; like it, all others are bare objects and arrays in snake case here.
//! Their fields are those of the request bodies, completed from dployr-io/dployr:api/openapi.yaml (the daemon).

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Deployment, Dployr, Power, Service, Settings, create, extras, ndjson};
use crate::contract::{self, Contract};
use crate::model::{Platform, Reply, Request, text_field};
use crate::time::rfc3339;

const HOUR: u64 = 3_600;
// "Authenticated requests: 1000 requests per hour", and 60 for the rest.
const KNOWN_LIMIT: u64 = 1_000;
const ANONYMOUS_LIMIT: u64 = 60;
// `expires_in` of the login example.
const LOGIN_LASTS: Duration = Duration::from_secs(3_600);

pub(super) fn handle(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    let known = state.knows(request, now);
    let limit = if known { KNOWN_LIMIT } else { ANONYMOUS_LIMIT };
    let taken = state.charge(known, now, HOUR, limit);
    let reply = if taken.allowed {
        route(state, request, known, now)
    } else {
        error(429, "Rate limit exceeded", json!({}))
    };
    // On every reply; the reset is in Unix seconds. No Retry-After is documented.
    reply
        .with_header("x-ratelimit-limit", limit.to_string())
        .with_header("x-ratelimit-remaining", taken.remaining.to_string())
        .with_header("x-ratelimit-reset", taken.reset.to_string())
}

fn route(state: &mut Dployr, request: &Request, known: bool, now: Duration) -> Reply {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let ["v1", path @ ..] = segments.as_slice() else {
        return not_found("route");
    };
    if let ("POST", ["auth", "login"]) = (request.method.as_str(), path) {
        return login(state, request, now);
    }
    // What only the control plane has is not there, whoever asks: some of it takes no token.
    let operation = Contract::of(Platform::Dployr).operation(&request.method, &request.path);
    if operation.is_some_and(|operation| !operation.documented()) {
        return not_found("route");
    }
    // "All API requests require authentication using a bearer token."
    if !known {
        return error(401, "Missing or invalid access token", json!({}));
    }
    match (request.method.as_str(), path) {
        ("POST", ["deployments"]) => create_deployment(state, request, now),
        ("GET", ["deployments"]) => {
            let items = state
                .deployments
                .iter()
                .rev()
                .map(|deployment| describe(state, deployment, now))
                .collect();
            Reply::json(200, &Value::Array(items))
        }
        ("GET", ["deployments", id]) => match deployment(state, id) {
            Some(deployment) => Reply::json(200, &describe(state, deployment, now)),
            None => not_found("deployment"),
        },
        ("PUT", ["deployments", id]) => update_deployment(state, request, id, now),
        // The record alone goes, as on the control plane (seen there).
        ("DELETE", ["deployments", id]) => {
            let before = state.deployments.len();
            state.deployments.retain(|deployment| deployment.id != *id);
            deleted(state.deployments.len() < before, "deployment")
        }
        ("GET", ["services"]) => {
            let items = state
                .services
                .iter()
                .map(|service| describe_service(state, service, now))
                .collect();
            Reply::json(200, &Value::Array(items))
        }
        ("GET", ["services", id, "logs"]) => logs(state, request, id, now),
        (_, ["services", id, rest @ ..]) => match service(state, id).cloned() {
            Some(service) => route_service(state, request, &service, rest, now),
            None => not_found("service"),
        },
        ("GET", ["instances"]) => Reply::json(200, &json!([instance(state)])),
        ("GET", ["instances", id]) if *id == state.instance.id => {
            Reply::json(200, &instance(state))
        }
        ("GET", ["instances", id, "metrics"]) if *id == state.instance.id => {
            Reply::json(200, &metrics(now))
        }
        ("GET", ["instances", _] | ["instances", _, "metrics"]) => not_found("instance"),
        (_, ["proxy", "routes", rest @ ..]) => extras::routes(state, request, rest, now),
        (_, ["projects", rest @ ..]) => extras::projects(state, request, rest, now),
        (_, ["webhooks"]) => extras::webhooks(state, request, now),
        _ => not_found("route"),
    }
}

fn route_service(
    state: &mut Dployr,
    request: &Request,
    service: &Service,
    rest: &[&str],
    now: Duration,
) -> Reply {
    let switched = |state: &mut Dployr, power, message| {
        state.switch(&service.id, power, message, now);
        // A task handle by the control plane's name; the reference shows no reply.
        let task_id = state.id("task", now);
        Reply::json(200, &json!({ "taskId": task_id }))
    };
    match (request.method.as_str(), rest) {
        ("GET", ["status"]) => {
            // Words of dployr-io/dployr:pkg/core/service/service.go, and the control plane's `starting`.
            let body = json!({
                "id": service.id,
                "name": service.name,
                "status": power(state, service, now),
                "updated_at": rfc3339(service.updated_at),
            });
            Reply::json(200, &body)
        }
        ("POST", ["start"]) => switched(state, Power::Rising(now), "started"),
        ("POST", ["stop"]) => switched(state, Power::Off, "stopped"),
        ("POST", ["restart"]) => switched(state, Power::Rising(now), "restarted"),
        (_, ["env", rest @ ..]) => extras::env(state, request, &service.name, rest),
        _ => not_found("route"),
    }
}

fn login(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    let body = match body(request) {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let (Some(email), Some(password)) = (text_field(&body, "email"), text_field(&body, "password"))
    else {
        let field = if text_field(&body, "email").is_none() {
            "email"
        } else {
            "password"
        };
        return invalid("Invalid login", field, "is required");
    };
    if email != state.email || password != state.password {
        return error(401, "Wrong email or password", json!({}));
    }
    let access_token = state.ids.alphanumeric(48);
    let refresh_token = state.ids.alphanumeric(48);
    state.logins.retain(|(_, ends)| now < *ends);
    state.logins.push((access_token.clone(), now + LOGIN_LASTS));
    // There is a refresh token and no documented way to use it.
    let body = json!({
        "access_token": access_token,
        "refresh_token": refresh_token,
        "expires_in": LOGIN_LASTS.as_secs(),
    });
    Reply::json(200, &body)
}

fn create_deployment(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    const WHAT: &str = "Invalid deployment configuration";
    let body = match body(request) {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    let Some(name) = text_field(&body, "name") else {
        return invalid(WHAT, "name", "is required");
    };
    if !create::is_name(name) {
        return invalid(
            WHAT,
            "name",
            "must be lower case letters, digits and hyphens",
        );
    }
    let mut settings = Settings::default();
    if let Err((field, issue)) = create::documented(&body, &mut settings) {
        return invalid(WHAT, &field, issue);
    }
    let env = match body.get("env").map(create::string_map) {
        None => None,
        Some(Some(env)) => Some(env),
        Some(None) => return invalid(WHAT, "env", "must be a map of strings"),
    };
    // The sandbox's own, nothing is known: a name that is deployed again has the variables of the new body alone, while an
    // update adds to those that are there.
    state.env.insert(name.to_owned(), env.unwrap_or_default());
    let fresh_id = state.id("deployment", now);
    let at = state.deploy(name, settings, fresh_id, now);
    // The status of a success is not documented; 202 is what the control plane answers.
    reply_at(state, at, 202, now)
}

fn update_deployment(state: &mut Dployr, request: &Request, id: &str, now: Duration) -> Reply {
    const WHAT: &str = "Invalid deployment configuration";
    let Some(Deployment {
        name,
        mut settings,
        id,
        ..
    }) = deployment(state, id).cloned()
    else {
        return not_found("deployment");
    };
    let body = match body(request) {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    // The example sends `version` and `env` alone: what is left out stays.
    if let Err((field, issue)) = create::documented(&body, &mut settings) {
        return invalid(WHAT, &field, issue);
    }
    match body.get("env").map(create::string_map) {
        None => {}
        Some(Some(env)) => state.env.entry(name.clone()).or_default().extend(env),
        Some(None) => return invalid(WHAT, "env", "must be a map of strings"),
    }
    let at = state.deploy(&name, settings, id, now);
    reply_at(state, at, 200, now)
}

fn logs(state: &Dployr, request: &Request, id: &str, now: Duration) -> Reply {
    // By id or by name, as on the control plane.
    let Some(service) = state
        .services
        .iter()
        .find(|service| service.id == id || service.name == id)
    else {
        return not_found("service");
    };
    let mut lines = state.lines(&service.name, now);
    if let Some(tail) = request.query_value("tail") {
        let tail = tail.parse::<i64>().ok();
        let Some(tail) = tail.and_then(|tail| usize::try_from(tail).ok()) else {
            return invalid("Invalid query", "tail", "must be a number");
        };
        lines.drain(..lines.len().saturating_sub(tail));
    }
    let lines: Vec<Value> = lines
        .into_iter()
        .map(|line| line.json(state.dialect))
        .collect();
    match request.query_value("follow") {
        Some("true" | "1") => ndjson(&lines),
        _ => Reply::json(200, &Value::Array(lines)),
    }
}

fn deployment<'a>(state: &'a Dployr, id: &str) -> Option<&'a Deployment> {
    state
        .deployments
        .iter()
        .find(|deployment| deployment.id == id)
}

fn service<'a>(state: &'a Dployr, id: &str) -> Option<&'a Service> {
    state.services.iter().find(|service| service.id == id)
}

fn reply_at(state: &Dployr, at: usize, status: u16, now: Duration) -> Reply {
    match state.deployments.get(at) {
        Some(deployment) => Reply::json(status, &describe(state, deployment, now)),
        None => error(500, "Internal server error", json!({})),
    }
}

/// The fields of the create body, with id, status and times.
fn describe(state: &Dployr, deployment: &Deployment, now: Duration) -> Value {
    let settings = &deployment.settings;
    json!({
        "id": deployment.id,
        "name": deployment.name,
        "source": settings.json("source"),
        "runtime": settings.json("runtimeType"),
        "version": settings.json("runtimeVersion"),
        "remote": settings.json("remoteUrl"),
        "branch": settings.json("remoteBranch"),
        "build_cmd": settings.json("buildCmd"),
        "run_cmd": settings.json("runCmd"),
        "image": settings.json("image"),
        "port": settings.port,
        "status": state.status(deployment, now),
        "created_at": rfc3339(deployment.created_at),
        "updated_at": rfc3339(state.updated_at(deployment, now)),
    })
}

fn describe_service(state: &Dployr, service: &Service, now: Duration) -> Value {
    json!({
        "id": service.id,
        "name": service.name,
        "type": service.kind,
        "status": power(state, service, now),
        "deployment_id": service.deployment_id,
        "created_at": rfc3339(service.created_at),
        "updated_at": rfc3339(service.updated_at),
    })
}

fn power(state: &Dployr, service: &Service, now: Duration) -> &'static str {
    match state.power(service, now) {
        Power::On => "running",
        Power::Off => "stopped",
        Power::Rising(_) => "starting",
    }
}

fn instance(state: &Dployr) -> Value {
    json!({
        "id": state.instance.id,
        "tag": state.instance.tag,
        "address": state.instance.address,
        "status": "healthy",
        "created_at": rfc3339(super::SET_UP_AT),
        "updated_at": rfc3339(super::SET_UP_AT),
    })
}

/// The sections that a node reports: dployr-io/dployr:pkg/core/system/update_v1_1.go.
fn metrics(now: Duration) -> Value {
    const GIB: u64 = 1 << 30;
    json!({
        "cpu": { "count": 2, "user_percent": 12.5, "system_percent": 3.5, "idle_percent": 84.0, "iowait_percent": 0.0 },
        "memory": { "total_bytes": 4 * GIB, "used_bytes": GIB, "free_bytes": 2 * GIB, "available_bytes": 3 * GIB },
        "swap": { "total_bytes": 0, "used_bytes": 0, "free_bytes": 0, "available_bytes": 0 },
        "disks": [{
            "filesystem": "/dev/vda1",
            "mount_point": "/",
            "total_bytes": 40 * GIB,
            "used_bytes": 10 * GIB,
            "available_bytes": 30 * GIB,
        }],
        "uptime": now.saturating_sub(super::SET_UP_AT).as_secs(),
        "timestamp": rfc3339(now),
    })
}

/// The JSON body, which the reference sends with `Content-Type: application/json` throughout.
pub(super) fn body(request: &Request) -> Result<Map<String, Value>, Reply> {
    request
        .labelled_json_object()
        .map_err(|problem| invalid("Invalid request body", "body", problem.words()))
}

/// 204 has no evidence against it: the reference shows no reply to a delete.
pub(super) fn deleted(found: bool, what: &str) -> Reply {
    if found {
        Reply::empty(204)
    } else {
        not_found(what)
    }
}

pub(super) fn not_found(what: &str) -> Reply {
    error(404, &format!("No such {what}"), json!({}))
}

/// A request that the spec does not allow.
pub(super) fn refusal(problem: &contract::Problem) -> Reply {
    invalid("Invalid request", &problem.place, &problem.what)
}

pub(super) fn invalid(message: &str, field: &str, issue: &str) -> Reply {
    error(400, message, json!({ "field": field, "issue": issue }))
}

/// "All errors follow this format." Of the codes only `invalid_request` is shown; the others are its like.
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
