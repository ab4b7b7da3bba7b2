//! Deployments of the reference.

use serde_json::{Map, Value, json};

use super::super::{Deployment, Dployr, Settings, Variables, deployment_body};
use super::{DEPLOYMENT, body, invalid, not_found};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::text_field;
use crate::time::rfc3339;

/// The fields of a body, over those that are there, and its variables.
pub(super) fn read(
    body: &Map<String, Value>,
    mut settings: Settings,
) -> Result<(Settings, Option<Variables>), Reply> {
    let read = deployment_body::documented(body, &mut settings);
    read.map_err(|(field, issue)| invalid(DEPLOYMENT, field, issue))?;
    Ok((
        settings,
        body.get("env").and_then(deployment_body::string_map),
    ))
}

pub(super) fn create_deployment(state: &mut Dployr, call: &Call) -> HandlerResult {
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

pub(super) fn update_deployment(state: &mut Dployr, call: &Call, id: &str) -> HandlerResult {
    let Deployment { name, settings, .. } = find_deployment(state, id)?.clone();
    // The example sends `version` and `env` alone: what is left out stays.
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

/// The fields of the create body, with id, status and times.
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
