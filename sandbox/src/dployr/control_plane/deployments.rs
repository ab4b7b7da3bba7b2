//! Deployments on the control plane.

use serde_json::{Map, Value, json};

use super::super::{Deployment, Dployr, NodeTask, deployment_body};
use super::{
    Role, bad_request, env, not_connected, not_found, ok, page, require_query_cluster,
    require_role, success,
};
use crate::platform::Call;
use crate::reply::HandlerResult;
use crate::request::{object, text_field};
use crate::time::millis;

pub(super) fn create_deployment(state: &mut Dployr, call: &Call) -> HandlerResult {
    let body = call.request.json_object();
    let in_query = call.request.query_value("clusterId");
    // The permission check prefers the cluster in the body over the cluster in the query.
    let in_body = body
        .as_ref()
        .ok()
        .and_then(|body| text_field(body, "clusterId"));
    require_role(state, in_body.or(in_query), Role::Developer)?;
    // The content type is ignored.
    let body = body.map_err(|_| bad_request("Request body is required"))?;
    let (name, mut settings, variables) =
        deployment_body::control_plane(&body).map_err(|words| bad_request(&words))?;
    if in_query.is_none() {
        // A defect of the real server: the handler reads the cluster only from the query. Without it, the
        // handler assumes the smallest plan and counts the services of all tenants.
        return Err(bad_request(
            "Service limit reached for hobby plan (1 service max). Remove an existing service to deploy a new one.",
        ));
    }
    // No record is saved. An image needs the node of the cluster, and the real server keeps its request for 30
    // minutes, so the client reports an unknown effect (dployr-io/dployr-base:src/services/deployments.ts).
    let missing = match settings.text("source") {
        Some("remote") => (!state.build_node).then_some("build-node"),
        _ => (!state.node_connected).then_some(state.instance.tag.as_str()),
    };
    if let Some(tag) = missing {
        return Err(not_connected(&format!("Instance {tag} is not connected")));
    }
    state.env.insert(name.clone(), variables);
    env::deploy(state, &name, &body, call.now);
    let task = NodeTask::new(&settings, env::keys(&body).into_iter().flatten().cloned());
    state.tasks.insert(name.clone(), task);
    // Only the task has these two: a deployment does not change them in the record, which shows null after the
    // first one.
    let known = state.deployments.iter().find(|row| row.name == name);
    for key in ["healthCheck", "domain"] {
        settings.texts.remove(key);
        let kept = known.and_then(|row| row.settings.text(key));
        settings
            .texts
            .extend(kept.map(|text| (key, text.to_owned())));
    }
    // At the first deployment of a name, the task id is also the deployment id. Later they differ.
    let task_id = state.id("task", call.now);
    let row = state.deploy(&name, settings, task_id.clone(), call.now);
    let details = json!({ "serviceName": name, "deploymentId": row.id });
    state.emit("deployment.created", details, call.now);
    Ok(success(202, json!({ "taskId": task_id })))
}

pub(super) fn list_deployments(state: &Dployr, call: &Call) -> HandlerResult {
    require_query_cluster(state, call, Role::Viewer)?;
    // An unknown status is accepted. `serviceId` matches nothing, because it is null in every record.
    let status = call.request.non_empty_query("status");
    let of_service = call.request.non_empty_query("serviceId").is_some();
    // Newest first; a redeploy keeps the position.
    let rows = state.deployments.iter().rev().filter(|row| {
        !of_service && status.is_none_or(|status| status == state.status(row, call.now))
    });
    Ok(page(
        call,
        rows.map(|row| describe(state, row, call).into()).collect(),
    ))
}

/// Never returns a deployment: the permission check uses the path's id as a cluster id.
///
/// It responds with 403, or 404 if the id is the user's cluster.
pub(super) fn get_deployment(state: &Dployr, id: &str) -> HandlerResult {
    require_role(state, Some(id), Role::Viewer)?;
    Err(not_found("Deployment not found"))
}

/// Like [`get_deployment`], but the check prefers the cluster id in the body.
pub(super) fn delete_deployment(state: &mut Dployr, call: &Call) -> HandlerResult {
    let id = call.path("id");
    let body = call.request.json_object().unwrap_or_default();
    require_role(
        state,
        text_field(&body, "clusterId").or(Some(id)),
        Role::Developer,
    )?;
    require_query_cluster(state, call, Role::Developer)?;
    let at = state.deployments.iter().position(|row| row.id == id);
    let at = at.ok_or_else(|| not_found("Deployment not found"))?;
    let row = state.deployments.get(at);
    if row.is_some_and(|row| state.status(row, call.now) == "running") {
        return Err(bad_request("Cannot delete a running deployment"));
    }
    // Deletes the record; the service stays.
    let deleted = state.deployments.remove(at);
    let details = json!({ "serviceName": deleted.name, "deploymentId": deleted.id });
    state.emit("deployment.deleted", details, call.now);
    Ok(ok(json!({})))
}

/// The record of a deployment as JSON. All keys are always present.
///
/// `serviceId` is always null, and no field gives the reason of a failure.
pub(super) fn describe(state: &Dployr, deployment: &Deployment, call: &Call) -> Map<String, Value> {
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
    for key in deployment_body::TEXT_FIELDS {
        row.insert(key.to_owned(), json!(settings.text(key)));
    }
    row
}
