//! Services. A successful deployment creates one.

use serde_json::{Map, Value, json};

use super::super::{Dployr, NodeTask, RunState, Service, deployment_body};
use super::deployments::describe as describe_deployment;
use super::logs::HOUR;
use super::{
    Role, bad_request, domains, env, middleware_error, not_connected, not_found, ok, page,
    require_query_cluster,
};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::{object, text_field};
use crate::time::millis;

const NO_NODE: &str = "No node connected to this cluster";

/// Finds the service by the id in the path; names are not accepted.
pub(super) fn find(state: &Dployr, call: &Call) -> Result<Service, Reply> {
    let id = call.path("id");
    let found = state.services.iter().find(|service| service.id == id);
    let missing = || middleware_error(404, "Service not found", "resource.missing_resource");
    found.cloned().ok_or_else(missing)
}

/// Lists the services, sorted by name.
pub(super) fn list(state: &Dployr, call: &Call) -> HandlerResult {
    require_query_cluster(state, call, Role::Viewer)?;
    let mut items: Vec<Map<String, Value>> = Vec::new();
    for service in &state.services {
        let mut item = describe(state, service);
        // Only the list has this field. It is null after the record of the deployment is deleted.
        let deployment = state.deployment(&service.deployment_id);
        let name = deployment.map(|deployment| &deployment.name);
        item.insert("deploymentName".to_owned(), json!(name));
        items.push(item);
    }
    items.sort_by_key(|item| item.get("name").map(Value::to_string));
    Ok(page(call, items.into_iter().map(Value::Object).collect()))
}

pub(super) fn get(state: &Dployr, call: &Call) -> HandlerResult {
    let service = find(state, call)?;
    Ok(ok(json!({ "service": describe(state, &service) })))
}

/// Deletes the service and its deployment record.
pub(super) fn delete(state: &mut Dployr, call: &Call) -> HandlerResult {
    let service = find(state, call)?;
    state.services.retain(|other| other.id != service.id);
    state.secrets.remove(&service.name);
    state
        .deployments
        .retain(|row| row.id != service.deployment_id);
    emit(state, "service.deleted", &service, call);
    Ok(ok(json!({})))
}

/// Starts or stops a service.
///
/// The reply is 200 with a task, not 202. Only the event shows a stop: `icedAt` of the service stays null,
/// because only the job that ices idle services sets it
/// (dployr-io/dployr-base:src/services/background/jobs/hobby-ice-supervisor.ts).
pub(super) fn switch(state: &mut Dployr, call: &Call) -> HandlerResult {
    let service = find(state, call)?;
    let (run_state, message) = match call.id() {
        "start_service" => (RunState::Starting(call.now), "started"),
        _ => (RunState::Stopped, "stopped"),
    };
    // The server sends the task before it saves anything (dployr-io/dployr-base:src/routes/services.ts).
    if !state.node_connected {
        return Err(not_connected(NO_NODE));
    }
    state.switch(&service.id, run_state, message, call.now);
    emit(state, &format!("service.{message}"), &service, call);
    let task_id = state.id("task", call.now);
    Ok(ok(json!({ "taskId": task_id })))
}

fn emit(state: &mut Dployr, event: &str, service: &Service, call: &Call) {
    let details = json!({ "serviceName": service.name, "deploymentId": service.deployment_id });
    state.emit(event, details, call.now);
}

/// The JSON of a service. Like on the real server, it has no status.
fn describe(state: &Dployr, service: &Service) -> Map<String, Value> {
    object(json!({
        "id": service.id,
        "clusterId": state.cluster_id,
        "name": service.name,
        "label": null,
        "type": service.kind,
        "deploymentId": service.deployment_id,
        "icedAt": null,
        "createdAt": millis(service.created_at),
        "updatedAt": millis(service.updated_at),
    }))
}

/// Updates and redeploys a service.
///
/// Absent fields keep their value, except `healthCheck`, which is reset to `/`. Null clears a field.
/// Variables are replaced as a whole.
pub(super) fn update(state: &mut Dployr, call: &Call) -> HandlerResult {
    let service = find(state, call)?;
    let body = call.request.json_object();
    let body = body.map_err(|_| bad_request("Request body is required"))?;
    let invalid = |problem: &str| bad_request(&format!("Validation failed: {problem}"));
    let instance = text_field(&body, "instanceName").ok_or_else(|| {
        invalid("instanceName: Invalid input: expected string, received undefined")
    })?;
    let variables = body
        .get("env_vars")
        .map(deployment_body::env_vars)
        .transpose();
    let variables = variables.map_err(|problem| invalid(&problem))?;
    if instance != state.instance.tag {
        return Err(not_found("Instance not found"));
    }
    // The server stores variables and secrets before it looks up the record of the deployment, so they stay
    // even if the update fails (dployr-io/dployr-base:src/routes/services.ts).
    if let Some(variables) = variables {
        state.env.insert(service.name.clone(), variables);
    }
    env::update(state, &service.name, &body, call.now);
    let found = state.deployment(&service.deployment_id);
    let found = found.ok_or_else(|| not_found("Service has no deployment record"))?;
    let mut settings = found.settings.clone();
    for (field, key) in deployment_body::UPDATE_FIELDS {
        match body.get(field) {
            Some(Value::String(text)) => {
                settings.texts.insert(key, text.clone());
            }
            Some(Value::Null) => {
                settings.texts.remove(key);
            }
            _ => {}
        }
    }
    // Absent or null becomes "/"; other values get a leading slash (dployr-io/dployr-base:src/lib/utils.ts).
    let health_check = text_field(&body, "health_check").unwrap_or("/");
    let health_check = format!("/{}", health_check.trim_matches('/'));
    settings.texts.insert("healthCheck", health_check);
    // `remote_url`, even null, makes it a git deployment and removes the image. Otherwise, if only one of
    // image and repository is set, it determines the source (dployr-io/dployr-base:src/routes/services.ts).
    let is_remote = body.contains_key("remote_url");
    if is_remote {
        settings.texts.remove("image");
    }
    let is_set = |key: &str| settings.text(key).is_some_and(|text| !text.is_empty());
    let source = match (is_set("image"), is_set("remoteUrl")) {
        _ if is_remote => Some("remote"),
        (true, false) => Some("image"),
        (false, true) => Some("remote"),
        _ => None,
    };
    let has_repository = is_set("remoteUrl");
    if state.deletes_record_during_update {
        // The server has read the record, and then finds none to update
        // (dployr-io/dployr-base:src/routes/services.ts).
        state
            .deployments
            .retain(|row| row.id != service.deployment_id);
        return Err(bad_request("Failed to patch deployment record"));
    }
    if let Some(source) = source {
        settings.texts.insert("source", source.to_owned());
    }
    if let Some(port) = body.get("port") {
        settings.port = port.as_u64();
    }
    // A git deployment with a repository needs a build node, any other one the node of the cluster.
    let from_git = settings.text("source") == Some("remote") && has_repository;
    let missing = match from_git {
        true => (!state.build_node).then_some("No build node available"),
        false => (!state.node_connected).then_some(NO_NODE),
    };
    if let Some(message) = missing {
        // The server saves the settings before it rejects (dployr-io/dployr-base:src/routes/services.ts).
        let mut rows = state.deployments.iter_mut();
        if let Some(row) = rows.find(|row| row.id == service.deployment_id) {
            row.settings = settings;
        }
        return Err(not_connected(message));
    }
    emit(state, "service.updated", &service, call);
    // The task gets the domain and the health check of the record, and the secrets with the id of the service.
    // Those of the first deployment have none, so they are lost even if `keep_secret_keys` names them
    // (`getDecrypted` in dployr-io/dployr-base:src/lib/db/store/db/service-secrets.ts).
    let secrets = state.secrets.get(&service.name).into_iter().flatten();
    let secrets = secrets.filter(|row| row.of_service);
    let task = NodeTask::new(&settings, secrets.map(|row| row.key.clone()));
    state.tasks.insert(service.name.clone(), task);
    let id = service.deployment_id.clone();
    let deployment = state.deploy(&service.name, settings, id, call.now);
    let task_id = state.id("task", call.now);
    let mut row = describe_deployment(state, &deployment, call);
    // Only this reply has null here.
    row.insert("updatedAt".to_owned(), Value::Null);
    let service = describe(state, &service);
    Ok(ok(
        json!({ "service": service, "deployment": row, "taskId": task_id }),
    ))
}

/// `GET /v1/status?domain=`
///
/// Needs no token; the reply has no envelope. The request starts a stopped service. The real server then
/// reports `starting` for 90 seconds, the sandbox for the duration of a deployment.
pub(super) fn public_status(state: &mut Dployr, call: &Call) -> HandlerResult {
    let Some(domain) = call.request.non_empty_query("domain") else {
        return Err(Reply::json(400, &json!({ "status": "not_found" })));
    };
    // A custom domain, verified or not, has priority over the vendor's, and the server does not check whether
    // its service still exists (dployr-io/dployr-base:src/routes/status.ts).
    let custom = domains::service_of(state, domain);
    let without_service = if custom.is_some() {
        "ready"
    } else {
        "not_found"
    };
    let name = custom.or(domain.strip_suffix(".dployr.run"));
    let mut services = state.services.iter();
    let service = services.find(|service| Some(service.name.as_str()) == name);
    let service = service.map(|service| (state.run_state(service, call.now), service.id.clone()));
    let status = match service {
        None => without_service,
        Some((RunState::Running, _)) => "ready",
        Some((RunState::Starting(_), _)) => "starting",
        Some((RunState::Stopped, id)) => {
            state.switch(
                &id,
                RunState::Starting(call.now),
                "woken by a request",
                call.now,
            );
            "starting"
        }
    };
    Ok(Reply::json(200, &json!({ "status": status })))
}

/// `GET /v1/proxy/services`
///
/// Lists each service with its instance.
pub(super) fn routable(state: &Dployr, call: &Call) -> HandlerResult {
    require_query_cluster(state, call, Role::Viewer)?;
    let cluster = &state.control_plane.account.cluster_name;
    let mut names: Vec<&String> = state.services.iter().map(|service| &service.name).collect();
    names.sort_unstable();
    let services = names.into_iter().map(|name| {
        json!({
            "serviceName": name,
            "instanceId": state.instance.id,
            "instanceTag": state.instance.tag,
            "url": format!("https://{name}.{cluster}.dployr.io"),
        })
    });
    Ok(ok(json!({
        "clusterId": state.cluster_id,
        "clusterName": cluster,
        "baseDomain": "dployr.io",
        "services": services.collect::<Vec<Value>>(),
    })))
}

/// `GET /v1/services/metrics/{name}`
///
/// Returns the numbers of a recording for every service, as traffic of the current hour. The totals without
/// traffic are an assumption.
pub(super) fn traffic(state: &Dployr, call: &Call) -> HandlerResult {
    require_query_cluster(state, call, Role::Viewer)?;
    let number = |key: &str| call.request.query_value(key)?.parse::<u64>().ok();
    let now = millis(call.now);
    let window =
        number("from").unwrap_or(now.saturating_sub(24 * HOUR))..=number("to").unwrap_or(now);
    let hour = now / HOUR * HOUR;
    let name = call.path("name");
    let known = state.services.iter().any(|service| service.name == name);
    if known && window.contains(&hour) {
        let bucket = json!({ "serviceName": name, "bucket": hour, "requests": 42, "bytesIn": 1000, "bytesOut": 20000 });
        let totals = json!({ "requests": 42, "bytesIn": 1000, "bytesOut": 20000 });
        return Ok(ok(json!({ "buckets": [bucket], "totals": totals })));
    }
    let totals = json!({ "requests": 0, "bytesIn": 0, "bytesOut": 0 });
    Ok(ok(json!({ "buckets": [], "totals": totals })))
}
