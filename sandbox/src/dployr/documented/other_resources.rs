//! Proxy routes, projects and webhooks.
//!
//! Only their requests are documented (dployr-io/dployr-docs:docs/api.md). Replies have the fields of the
//! request, an id and timestamps. No server with these paths is known, so the statuses are made up.

use serde_json::{Map, Value, json};

use super::super::Dployr;
use super::services::{set_variable, variables};
use super::{body, deleted, invalid, list, not_found};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::text_field;
use crate::time::rfc3339;

pub(super) fn route(state: &mut Dployr, call: &Call) -> HandlerResult {
    let id = call.path("id");
    match call.id() {
        "list_routes" => list(state.routes.iter().cloned()),
        "create_route" => create_route(state, call, &body(call)?),
        "delete_route" => deleted(remove(&mut state.routes, id), "proxy route"),
        "list_projects" => list(state.projects.iter().cloned()),
        "create_project" => create_project(state, call, &body(call)?),
        "delete_project" => deleted(remove(&mut state.projects, id), "project"),
        "list_service_env" => {
            let variables = variables(state, id)?.iter();
            list(variables.map(|(key, value)| json!({ "key": key, "value": value })))
        }
        "set_service_env" => set_variable(variables(state, id)?, &body(call)?),
        "delete_service_env" => {
            let removed = variables(state, id)?.remove(call.path("key"));
            deleted(removed.is_some(), "variable")
        }
        // The reference has no operation that deletes a webhook.
        "list_webhooks" => list(state.webhooks.iter().cloned()),
        "create_webhook" => create_webhook(state, call, &body(call)?),
        _ => call.example().ok_or_else(|| not_found("route")),
    }
}

fn create_route(state: &mut Dployr, call: &Call, body: &Map<String, Value>) -> HandlerResult {
    let refuse = |field, issue| invalid("Invalid proxy route", field, issue);
    let text = |field| text_field(body, field).unwrap_or_default();
    let (domain, service_id) = (text("domain"), text("service_id"));
    let mut services = state.services.iter();
    if !services.any(|service| service.id == service_id) {
        return Err(refuse("service_id", "No such service"));
    }
    // Assumption: a second route for the same domain is refused.
    let mut routes = state.routes.iter();
    if routes.any(|route| route.get("domain") == Some(&json!(domain))) {
        return Err(refuse("domain", "is routed already"));
    }
    let route = json!({
        "id": state.id("route", call.now),
        "domain": domain,
        "service_id": service_id,
        "port": body.get("port"),
        // dployr-io/dployr:pkg/core/proxy/proxy.go
        "status": "active",
        "created_at": rfc3339(call.now),
    });
    Ok(stored(&mut state.routes, route))
}

fn create_project(state: &mut Dployr, call: &Call, body: &Map<String, Value>) -> HandlerResult {
    let now = rfc3339(call.now);
    let project = json!({
        "id": state.id("project", call.now),
        "name": body.get("name"),
        "description": body.get("description"),
        "created_at": now,
        "updated_at": now,
    });
    Ok(stored(&mut state.projects, project))
}

/// Stores the webhook and returns it without the secret. The sandbox never calls it, because the format of
/// the calls is undocumented.
fn create_webhook(state: &mut Dployr, call: &Call, body: &Map<String, Value>) -> HandlerResult {
    let webhook = json!({
        "id": state.id("webhook", call.now),
        "url": body.get("url"),
        "events": body.get("events"),
        "created_at": rfc3339(call.now),
    });
    Ok(stored(&mut state.webhooks, webhook))
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
