//! Deployments.

use serde_json::{Map, Value, json};

use super::super::{Deployment, Dployr, Settings, Variables, deployment_body};
use super::{INVALID_DEPLOYMENT, body, invalid, not_found};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::text_field;
use crate::time::rfc3339;

/// Applies the fields of a body to `settings`. Also returns the variables in the body.
pub(super) fn read(
    body: &Map<String, Value>,
    mut settings: Settings,
) -> Result<(Settings, Option<Variables>), Reply> {
    let read = deployment_body::documented(body, &mut settings);
    read.map_err(|(field, issue)| invalid(INVALID_DEPLOYMENT, field, issue))?;
    Ok((
        settings,
        body.get("env").and_then(deployment_body::string_map),
    ))
}

pub(super) fn create_deployment(state: &mut Dployr, call: &Call) -> HandlerResult {
    let body = body(call)?;
    let name = text_field(&body, "name").unwrap_or_default();
    let (settings, variables) = read(&body, Settings::default())?;
    // Assumption: a redeploy replaces the variables, and an update adds to them.
    state
        .env
        .insert(name.to_owned(), variables.unwrap_or_default());
    let fresh_id = state.id("deployment", call.now);
    let deployment = state.deploy(name, settings, fresh_id, call.now);
    // The success status is undocumented; the control plane responds with 202.
    Ok(Reply::json(202, &describe(state, &deployment, call)))
}

pub(super) fn update_deployment(state: &mut Dployr, call: &Call, id: &str) -> HandlerResult {
    let Deployment { name, settings, .. } = find_deployment(state, id)?.clone();
    // The reference's example sends only `version` and `env`, so absent fields keep their value.
    let (settings, variables) = read(&body(call)?, settings)?;
    if let Some(variables) = variables {
        state.env.entry(name.clone()).or_default().extend(variables);
    }
    let deployment = state.deploy(&name, settings, id.to_owned(), call.now);
    Ok(Reply::json(200, &describe(state, &deployment, call)))
}

pub(super) fn find_deployment<'a>(state: &'a Dployr, id: &str) -> Result<&'a Deployment, Reply> {
    state.deployment(id).ok_or_else(|| not_found("deployment"))
}

/// The fields of the create body, plus id, status and timestamps.
pub(super) fn describe(state: &Dployr, deployment: &Deployment, call: &Call) -> Value {
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
