//! Environment variables of services.

use serde_json::{Map, Value, json};

use super::super::{Dployr, Variables};
use super::services::find_service;
use super::{body, deleted, list};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};

pub(super) fn list_variables(state: &mut Dployr, service_id: &str) -> HandlerResult {
    let variables = variables(state, service_id)?.iter();
    list(variables.map(|(key, value)| json!({ "key": key, "value": value })))
}

pub(super) fn set_variable(state: &mut Dployr, call: &Call, service_id: &str) -> HandlerResult {
    let variables = variables(state, service_id)?;
    let body: Map<String, Value> = body(call)?;
    let text = |field| body.get(field).and_then(Value::as_str).unwrap_or_default();
    let (key, value) = (text("key"), text("value"));
    variables.insert(key.to_owned(), value.to_owned());
    // 200 instead of 201: the variable may already exist.
    Ok(Reply::json(200, &json!({ "key": key, "value": value })))
}

pub(super) fn delete_variable(state: &mut Dployr, call: &Call, service_id: &str) -> HandlerResult {
    let removed = variables(state, service_id)?.remove(call.path("key"));
    deleted(removed.is_some(), "variable")
}

/// The variables of a service.
fn variables<'a>(state: &'a mut Dployr, service_id: &str) -> Result<&'a mut Variables, Reply> {
    let service = find_service(state, service_id)?;
    Ok(state.env.entry(service.name).or_default())
}
