//! Services on the control plane: what deployments leave running.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::{Dployr, Line, Power, Service, create, ndjson};
use super::{
    Role, allowed, describe as describe_deployment, domains, failure, flat, neighbour, not_routed,
    numbers, observed, ok, page, secrets,
};
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
        ("GET", ["metrics", name]) => observed::traffic(state, request, name, now),
        ("GET", [id, "logs"]) => logs(state, request, id, now),
        ("GET" | "PATCH" | "DELETE", [id])
        | ("GET", [id, "envs" | "secrets"])
        | ("POST", [id, "start" | "stop"]) => {
            let role = match (method, rest) {
                ("GET", [_] | [_, "envs"]) => Role::Viewer,
                _ => Role::Developer,
            };
            if let Some(refused) = neighbour::refuse_service(state, id, role) {
                return refused;
            }
            // By id alone; the name is not accepted. The cluster follows from the service.
            let Some(service) = state
                .services
                .iter()
                .find(|service| service.id == *id)
                .cloned()
            else {
                return flat(404, "Service not found", "resource.missing_resource");
            };
            match (method, rest) {
                ("GET", [_]) => ok(json!({ "service": describe(state, &service) })),
                ("PATCH", _) => update(state, request, &service, now),
                ("DELETE", _) => {
                    // The linked deployment goes too.
                    state.services.retain(|other| other.id != service.id);
                    state.secrets.remove(&service.name);
                    state
                        .deployments
                        .retain(|deployment| deployment.id != service.deployment_id);
                    emit(state, "service.deleted", &service, now);
                    ok(json!({}))
                }
                ("GET", [_, "secrets"]) => secrets::list(state, &service),
                ("GET", _) => {
                    ok(json!({ "envs": state.env.get(&service.name).cloned().unwrap_or_default() }))
                }
                (_, [_, "start"]) => switch(state, &service, Power::Rising(now), "started", now),
                _ => switch(state, &service, Power::Off, "stopped", now),
            }
        }
        // No create, no status, no restart, no metrics under an id, no write to one variable.
        _ => not_routed(),
    }
}

/// 200 with a task, not 202. The instance of the sandbox is always connected.
fn switch(
    state: &mut Dployr,
    service: &Service,
    power: Power,
    message: &str,
    now: Duration,
) -> Reply {
    state.switch(&service.id, power, message, now);
    emit(state, &format!("service.{message}"), service, now);
    let task_id = state.id("task", now);
    ok(json!({ "taskId": task_id }))
}

fn emit(state: &mut Dployr, event: &str, service: &Service, now: Duration) {
    let details = json!({ "serviceName": service.name, "deploymentId": service.deployment_id });
    state.emit(event, details, now);
}

/// By name, and with the rows of all tenants.
fn list(state: &Dployr, request: &Request) -> Reply {
    if let Err(reply) = allowed(state, request.query_value("clusterId"), Role::Viewer) {
        return reply;
    }
    let own = state.services.iter().map(|service| {
        let mut item = describe(state, service);
        // Stands in the list alone, and is null once the deployment's record is gone.
        let deployment = state
            .deployments
            .iter()
            .find(|deployment| deployment.id == service.deployment_id);
        let name = deployment.map_or(Value::Null, |deployment| {
            Value::from(deployment.name.clone())
        });
        item.insert("deploymentName".to_owned(), name);
        item
    });
    let mut items: Vec<_> = own.chain(neighbour::service_row(state)).collect();
    items.sort_by_key(|item| item.get("name").map(Value::to_string));
    page(request, items.into_iter().map(Value::Object).collect())
}

/// There is no status among them.
fn describe(state: &Dployr, service: &Service) -> Map<String, Value> {
    super::object(json!({
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

/// Everything that is left out stays, null clears, the variables are replaced as a whole, and each update deploys again.
/// `healthCheck` alone is reset to "/" when it is left out.
fn update(state: &mut Dployr, request: &Request, service: &Service, now: Duration) -> Reply {
    let Ok(body) = request.json_object() else {
        return failure(400, "Request body is required", "request.bad_request");
    };
    let Some(instance_name) = text_field(&body, "instanceName") else {
        let message =
            "Validation failed: instanceName: Invalid input: expected string, received undefined";
        return failure(400, message, "request.bad_request");
    };
    let env = match body.get("env_vars").map(create::env_vars) {
        None => None,
        Some(Ok(env)) => Some(env),
        Some(Err(problem)) => {
            return failure(
                400,
                &format!("Validation failed: {problem}"),
                "request.bad_request",
            );
        }
    };
    if instance_name != state.instance.tag {
        return failure(404, "Instance not found", "resource.missing_resource");
    }
    // Both are kept before the record is looked for (dployr-io/dployr-base:src/routes/services.ts).
    if let Some(env) = env {
        state.env.insert(service.name.clone(), env);
    }
    secrets::update(state, &service.name, &body, now);
    let found = state
        .deployments
        .iter()
        .find(|deployment| deployment.id == service.deployment_id);
    let Some(mut settings) = found.map(|deployment| deployment.settings.clone()) else {
        let message = "Service has no deployment record";
        return failure(404, message, "resource.missing_resource");
    };
    for (field, key) in [
        ("description", "description"),
        ("run_cmd", "runCmd"),
        ("build_cmd", "buildCmd"),
        ("working_dir", "workingDir"),
        ("static_dir", "staticDir"),
        ("image", "image"),
        ("domain", "domain"),
        ("runtime", "runtimeType"),
        ("version", "runtimeVersion"),
        ("remote_url", "remoteUrl"),
        ("remote_branch", "remoteBranch"),
    ] {
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
    // Left out or null, it becomes "/"; a slash is put in front of anything else
    // (dployr-io/dployr-base:src/lib/utils.ts).
    let health_check = text_field(&body, "health_check").unwrap_or("/");
    let health_check = format!("/{}", health_check.trim_matches('/'));
    settings.texts.insert("healthCheck", health_check);
    // A repository that is named, and be it none, makes it a deployment from git and takes the image away. Otherwise the
    // source follows what is there, if that is one thing (dployr-io/dployr-base:src/routes/services.ts).
    let named = body.contains_key("remote_url");
    if named {
        settings.texts.remove("image");
    }
    let there = |key: &str| settings.text(key).is_some_and(|text| !text.is_empty());
    let source = match (there("image"), there("remoteUrl")) {
        _ if named => Some("remote"),
        (true, false) => Some("image"),
        (false, true) => Some("remote"),
        _ => None,
    };
    if let Some(source) = source {
        settings.texts.insert("source", source.to_owned());
    }
    if let Some(port) = body.get("port") {
        settings.port = port.as_u64();
    }
    // A build node is needed where there is a repository, so not where it was taken away.
    let from_git = settings.text("source") == Some("remote")
        && settings
            .text("remoteUrl")
            .is_some_and(|url| !url.is_empty());
    if from_git && !state.build_node {
        // All of it is saved by then (dployr-io/dployr-base:src/routes/services.ts).
        let mut rows = state.deployments.iter_mut();
        if let Some(row) = rows.find(|row| row.id == service.deployment_id) {
            row.settings = settings;
        }
        return failure(503, "No build node available", "runtime.node_not_connected");
    }
    emit(state, "service.updated", service, now);
    let at = state.deploy(&service.name, settings, service.deployment_id.clone(), now);
    let task_id = state.id("task", now);
    let mut row = match state.deployments.get(at) {
        Some(deployment) => describe_deployment(state, deployment, now),
        None => Map::new(),
    };
    // The one reply in which it is null.
    row.insert("updatedAt".to_owned(), Value::Null);
    ok(json!({ "service": describe(state, service), "deployment": row, "taskId": task_id }))
}

/// By id, name, or the name of a deployment that has no service yet.
fn logs(state: &Dployr, request: &Request, id: &str, now: Duration) -> Reply {
    if let Some(refused) = neighbour::refuse_logs(state, id) {
        return refused;
    }
    let service = state
        .services
        .iter()
        .find(|service| service.id == id || service.name == id);
    let name = service.map(|service| service.name.as_str());
    let name = name.or_else(|| {
        state
            .deployments
            .iter()
            .find(|deployment| deployment.name == id)
            .map(|deployment| deployment.name.as_str())
    });
    let Some(name) = name else {
        return failure(404, "Service not found", "resource.missing_resource");
    };
    let follow = matches!(request.query_value("follow"), Some("true" | "1"));
    // 24 hours back, or 15 minutes when following, and the oldest lines of that window: `limit` is no tail, and `tail`
    // is not looked at (dployr-io/dployr-base:src/routes/services.ts).
    let back = if follow {
        Duration::from_secs(15 * 60)
    } else {
        observed::DAY
    };
    let (since, until, limit) = numbers::of_logs(request, back, now);
    // Two words are known and each other is as none (dployr-io/dployr-base:src/routes/services.ts).
    let wanted = |line: &&Line| match request.query_value("source") {
        Some("build") => matches!(line.source, "build" | "deploy"),
        Some("runtime") => line.source == "runtime",
        _ => true,
    };
    let lines: Vec<Value> = state
        .lines(name, now)
        .into_iter()
        .filter(|line| (since..=until).contains(&millis(line.at)))
        .filter(wanted)
        .take(limit)
        .map(|line| line.json(state.dialect))
        .collect();
    if follow {
        ndjson(&lines)
    } else {
        Reply::json(200, &Value::Array(lines))
    }
}

/// `GET /v1/status?domain=`, open to all and without an envelope. It wakes a service that was stopped. A service of which
/// that was asked, or that was started, is starting for 90 seconds there; here for as long as a deployment takes.
pub(super) fn public_status(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    let Some(domain) = request
        .query_value("domain")
        .filter(|domain| !domain.is_empty())
    else {
        return Reply::json(400, &json!({ "status": "not_found" }));
    };
    // A domain of one's own goes before the vendor's, verified or not, and nobody looks whether its service is still
    // there (dployr-io/dployr-base:src/routes/status.ts).
    let own = domains::service_of(state, domain);
    let name = own.or(domain.strip_suffix(".dployr.run"));
    let missing = if own.is_some() { "ready" } else { "not_found" };
    let service = state
        .services
        .iter()
        .find(|service| Some(service.name.as_str()) == name)
        .cloned();
    let status = match service.map(|service| (state.power(&service, now), service.id)) {
        None => missing,
        Some((Power::On, _)) => "ready",
        Some((Power::Rising(_), _)) => "starting",
        Some((Power::Off, id)) => {
            state.switch(&id, Power::Rising(now), "woken by a request", now);
            "starting"
        }
    };
    Reply::json(200, &json!({ "status": status }))
}

/// `POST /v1/proxy/invalidate`. There are no routes to forget here. The reply to `all` and the refusal were seen, the
/// other two replies and the 500 read in dployr-io/dployr-base:src/routes/proxy.ts.
pub(super) fn forget_routes(state: &Dployr, request: &Request) -> Reply {
    let body = request.json_object();
    let in_body = body.as_ref().ok();
    let in_body = in_body.and_then(|body| text_field(body, "clusterId"));
    let cluster = in_body.or(request.query_value("clusterId"));
    if let Err(reply) = allowed(state, cluster, Role::Viewer) {
        return reply;
    }
    let Ok(body) = body else {
        return Reply::text(500, "text/plain; charset=UTF-8", "Internal Server Error");
    };
    let (service, cluster) = (
        text_field(&body, "serviceName"),
        text_field(&body, "clusterName"),
    );
    let message = match (body.get("all") == Some(&json!(true)), service, cluster) {
        (true, ..) => "All routes invalidated".to_owned(),
        (_, Some(service), Some(cluster)) => format!("Route {service}.{cluster} invalidated"),
        (_, None, Some(cluster)) => format!("All routes for cluster {cluster} invalidated"),
        _ => {
            let message = "Specify serviceName+clusterName, clusterName, or all:true";
            return failure(400, message, "validation.missing_fields");
        }
    };
    ok(json!({ "message": message }))
}

/// `GET /v1/proxy/services`: each service on each instance.
pub(super) fn routable(state: &Dployr, request: &Request) -> Reply {
    if let Err(reply) = allowed(state, request.query_value("clusterId"), Role::Viewer) {
        return reply;
    }
    let by_name: BTreeMap<&str, &Service> = state
        .services
        .iter()
        .map(|service| (service.name.as_str(), service))
        .collect();
    let services: Vec<Value> = by_name
        .into_keys()
        .map(|name| {
            json!({
                "serviceName": name,
                "instanceId": state.instance.id,
                "instanceTag": state.instance.tag,
                "url": format!("https://{name}.{}.dployr.io", state.own.account.cluster_name),
            })
        })
        .collect();
    ok(json!({
        "clusterId": state.cluster_id,
        "clusterName": state.own.account.cluster_name,
        "baseDomain": "dployr.io",
        "services": services,
    }))
}
