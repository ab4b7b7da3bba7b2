//! dployr as its published reference describes it: dployr-io/dployr-docs:docs/api.md.
//!
//! The reference shows one reply, that of the login; like it, all others are bare objects and arrays in snake case here.
//! Their fields are those of the request bodies, completed from dployr-io/dployr:api/openapi.yaml (the daemon).

mod extras;

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Deployment, Dployr, Power, Service, Settings, create, limited, lines_reply};
use crate::call::Call;
use crate::contract::Problem;
use crate::model::{Answer, Reply, text_field};
use crate::time::rfc3339;

const HOUR: u64 = 3_600;
// "Authenticated requests: 1000 requests per hour", and 60 for the rest.
const KNOWN_LIMIT: u64 = 1_000;
const ANONYMOUS_LIMIT: u64 = 60;
// `expires_in` of the login example.
const LOGIN_LASTS: Duration = Duration::from_secs(3_600);
const DEPLOYMENT: &str = "Invalid deployment configuration";

pub(super) fn handle(state: &mut Dployr, call: &Call) -> Reply {
    let known = state.knows(call);
    let limit = if known { KNOWN_LIMIT } else { ANONYMOUS_LIMIT };
    let taken = state.charge(known, call.now, HOUR, limit);
    let reply = if taken.allowed {
        route(state, call, known).unwrap_or_else(|refusal| refusal)
    } else {
        error(429, "Rate limit exceeded", json!({}))
    };
    // On every reply; the reset is in Unix seconds. No Retry-After is documented.
    limited(reply, limit, taken)
}

fn route(state: &mut Dployr, call: &Call, known: bool) -> Answer {
    let path = call.segments();
    // What only the control plane has is not there, whoever asks: some of it takes no token.
    let is_other = call
        .operation
        .is_some_and(|operation| !operation.documented());
    if path.first() != Some(&"v1") || is_other {
        return Err(not_found("route"));
    }
    if call.id() == "login" {
        return login(state, call);
    }
    // "All API requests require authentication using a bearer token."
    if !known {
        return Err(error(401, "Missing or invalid access token", json!({})));
    }
    let id = call.path("id");
    match call.id() {
        "create_deployment" => create_deployment(state, call),
        "list_deployments" => {
            let newest_first = state.deployments.iter().rev();
            list(newest_first.map(|deployment| describe(state, deployment, call)))
        }
        "get_deployment" => {
            let deployment = find_deployment(state, id)?;
            Ok(Reply::json(200, &describe(state, deployment, call)))
        }
        "update_deployment" => update_deployment(state, call, id),
        // The record alone goes, as on the control plane (seen there).
        "delete_deployment" => {
            let before = state.deployments.len();
            state.deployments.retain(|deployment| deployment.id != id);
            deleted(state.deployments.len() < before, "deployment")
        }
        "list_services" => {
            let services = state.services.iter();
            list(services.map(|service| describe_service(state, service, call)))
        }
        "get_service_status" => {
            let service = find_service(state, id)?;
            let body = json!({
                "id": service.id,
                "name": service.name,
                "status": state.power(&service, call.now).word(),
                "updated_at": rfc3339(service.updated_at),
            });
            Ok(Reply::json(200, &body))
        }
        "start_service" => switch(state, call, Power::Rising(call.now), "started"),
        "stop_service" => switch(state, call, Power::Off, "stopped"),
        "restart_service" => switch(state, call, Power::Rising(call.now), "restarted"),
        "get_service_logs" => logs(state, call, id),
        "list_instances" => list([instance(state)].into_iter()),
        "get_instance" | "get_instance_metrics" if id != state.instance.id => {
            Err(not_found("instance"))
        }
        "get_instance" => Ok(Reply::json(200, &instance(state))),
        "get_instance_metrics" => Ok(Reply::json(200, &metrics(call))),
        _ => extras::route(state, call),
    }
}

fn list(items: impl Iterator<Item = Value>) -> Answer {
    Ok(Reply::json(200, &items.collect()))
}

fn switch(state: &mut Dployr, call: &Call, power: Power, message: &str) -> Answer {
    let service = find_service(state, call.path("id"))?;
    state.switch(&service.id, power, message, call.now);
    // A task handle by the control plane's name; the reference shows no reply.
    let task_id = state.id("task", call.now);
    Ok(Reply::json(200, &json!({ "taskId": task_id })))
}

fn login(state: &mut Dployr, call: &Call) -> Answer {
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
        .push((access_token.clone(), call.now + LOGIN_LASTS));
    // There is a refresh token and no documented way to use it.
    let body = json!({
        "access_token": access_token,
        "refresh_token": refresh_token,
        "expires_in": LOGIN_LASTS.as_secs(),
    });
    Ok(Reply::json(200, &body))
}

/// The fields of a body, over those that are there, and its variables.
fn read(
    body: &Map<String, Value>,
    mut settings: Settings,
) -> Result<(Settings, Option<super::Variables>), Reply> {
    let read = create::documented(body, &mut settings);
    read.map_err(|(field, issue)| invalid(DEPLOYMENT, field, issue))?;
    Ok((settings, body.get("env").and_then(create::string_map)))
}

fn create_deployment(state: &mut Dployr, call: &Call) -> Answer {
    let body = body(call)?;
    let name = text_field(&body, "name").unwrap_or_default();
    let (settings, variables) = read(&body, Settings::default())?;
    // The sandbox's own, nothing is known: a name that is deployed again has the variables of the new body alone, while an
    // update adds to those that are there.
    state
        .env
        .insert(name.to_owned(), variables.unwrap_or_default());
    let fresh_id = state.id("deployment", call.now);
    let deployment = state.deploy(name, settings, fresh_id, call.now);
    // The status of a success is not documented; 202 is what the control plane answers.
    Ok(Reply::json(202, &describe(state, &deployment, call)))
}

fn update_deployment(state: &mut Dployr, call: &Call, id: &str) -> Answer {
    let Deployment { name, settings, .. } = find_deployment(state, id)?.clone();
    // The example sends `version` and `env` alone: what is left out stays.
    let (settings, variables) = read(&body(call)?, settings)?;
    if let Some(variables) = variables {
        state.env.entry(name.clone()).or_default().extend(variables);
    }
    let deployment = state.deploy(&name, settings, id.to_owned(), call.now);
    Ok(Reply::json(200, &describe(state, &deployment, call)))
}

fn logs(state: &Dployr, call: &Call, id: &str) -> Answer {
    // By id or by name, as on the control plane.
    let mut services = state.services.iter();
    let service = services.find(|service| service.id == id || service.name == id);
    let service = service.ok_or_else(|| not_found("service"))?;
    let lines = state.lines(&service.name, call.now);
    let mut lines: Vec<Value> = lines.map(|line| line.json(state.dialect)).collect();
    if let Some(tail) = call.request.query_value("tail") {
        let wrong = |_| invalid("Invalid query", "tail", "must be a number");
        let tail: usize = tail.parse().map_err(wrong)?;
        lines.drain(..lines.len().saturating_sub(tail));
    }
    let follow = matches!(call.request.query_value("follow"), Some("true" | "1"));
    Ok(lines_reply(lines, follow))
}

fn find_deployment<'a>(state: &'a Dployr, id: &str) -> Result<&'a Deployment, Reply> {
    state.deployment(id).ok_or_else(|| not_found("deployment"))
}

fn find_service(state: &Dployr, id: &str) -> Result<Service, Reply> {
    let found = state.services.iter().find(|service| service.id == id);
    found.cloned().ok_or_else(|| not_found("service"))
}

/// The fields of the create body, with id, status and times.
fn describe(state: &Dployr, deployment: &Deployment, call: &Call) -> Value {
    let text = |key: &str| deployment.settings.text(key);
    json!({
        "id": deployment.id,
        "name": deployment.name,
        "source": text("source"),
        "runtime": text("runtimeType"),
        "version": text("runtimeVersion"),
        "remote": text("remoteUrl"),
        "branch": text("remoteBranch"),
        "build_cmd": text("buildCmd"),
        "run_cmd": text("runCmd"),
        "image": text("image"),
        "port": deployment.settings.port,
        "status": state.status(deployment, call.now),
        "created_at": rfc3339(deployment.created_at),
        "updated_at": rfc3339(state.updated_at(deployment, call.now)),
    })
}

fn describe_service(state: &Dployr, service: &Service, call: &Call) -> Value {
    json!({
        "id": service.id,
        "name": service.name,
        "type": service.kind,
        "status": state.power(service, call.now).word(),
        "deployment_id": service.deployment_id,
        "created_at": rfc3339(service.created_at),
        "updated_at": rfc3339(service.updated_at),
    })
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
fn metrics(call: &Call) -> Value {
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
        "uptime": call.now.saturating_sub(super::SET_UP_AT).as_secs(),
        "timestamp": rfc3339(call.now),
    })
}

/// The JSON body, which the reference sends with `Content-Type: application/json` throughout.
fn body(call: &Call) -> Result<Map<String, Value>, Reply> {
    let body = call.request.labelled_json_object();
    body.map_err(|problem| invalid("Invalid request body", "body", problem.words()))
}

/// 204 has no evidence against it: the reference shows no reply to a delete.
fn deleted(found: bool, what: &str) -> Answer {
    let found = found.then(|| Reply::empty(204));
    found.ok_or_else(|| not_found(what))
}

fn not_found(what: &str) -> Reply {
    error(404, &format!("No such {what}"), json!({}))
}

/// A request that the spec does not allow.
pub(super) fn refusal(problem: &Problem) -> Reply {
    invalid("Invalid request", &problem.place, &problem.what)
}

fn invalid(message: &str, field: &str, issue: &str) -> Reply {
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
