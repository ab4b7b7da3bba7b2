//! The smaller collections of the reference: proxy routes, projects, variables and webhooks.
//!
//! Only their requests are documented (dployr-io/dployr-docs:docs/api.md). Replies carry the fields of the request, an id
//! and times; no server was ever seen to answer these paths. So the statuses are the sandbox's own, a 201 for what is made
//! among them, and what it checks beyond a field that the page shows is too: nothing is known.

use serde_json::{Map, Value, json};

use super::super::Dployr;
use super::{body, deleted, find_service, invalid, list, not_found};
use crate::call::Call;
use crate::model::{Answer, Reply, text_field};
use crate::time::rfc3339;

pub(super) fn route(state: &mut Dployr, call: &Call) -> Answer {
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
        // Deleting one is not documented.
        "list_webhooks" => list(state.webhooks.iter().cloned()),
        "create_webhook" => create_webhook(state, call, &body(call)?),
        _ => call.example().ok_or_else(|| not_found("route")),
    }
}

fn create_route(state: &mut Dployr, call: &Call, body: &Map<String, Value>) -> Answer {
    let wrong = |field, issue| invalid("Invalid proxy route", field, issue);
    let text = |field| text_field(body, field).ok_or_else(|| wrong(field, "is required"));
    let (domain, service_id) = (text("domain")?, text("service_id")?);
    let port = body.get("port").and_then(Value::as_u64);
    let port = port.filter(|port| (1..=65_535).contains(port));
    let port = port.ok_or_else(|| wrong("port", "must be an integer from 1 to 65535"))?;
    if !state
        .services
        .iter()
        .any(|service| service.id == service_id)
    {
        return Err(wrong("service_id", "No such service"));
    }
    // The sandbox's own, nothing is known.
    if state
        .routes
        .iter()
        .any(|route| route.get("domain") == Some(&json!(domain)))
    {
        return Err(wrong("domain", "is routed already"));
    }
    // Field by field those of the body, but for the status.
    let route = json!({
        "id": state.id("route", call.now),
        "domain": domain,
        "service_id": service_id,
        "port": port,
        // dployr-io/dployr:pkg/core/proxy/proxy.go
        "status": "active",
        "created_at": rfc3339(call.now),
    });
    Ok(kept(&mut state.routes, route))
}

fn create_project(state: &mut Dployr, call: &Call, body: &Map<String, Value>) -> Answer {
    let wrong = |field, issue| invalid("Invalid project", field, issue);
    // Lengths of the Laravel application that dployr once was (commit cca74b0, October 2025).
    let short = |text: &&str| text.chars().count() <= 100;
    let name = text_field(body, "name").filter(short);
    let name = name.ok_or_else(|| wrong("name", "is required, with at most 100 characters"))?;
    let description = body
        .get("description")
        .filter(|description| !description.is_null());
    if description.is_some_and(|text| text.as_str().filter(short).is_none()) {
        return Err(wrong(
            "description",
            "must be a string of at most 100 characters",
        ));
    }
    let now = rfc3339(call.now);
    let project = json!({
        "id": state.id("project", call.now),
        "name": name,
        "description": description,
        "created_at": now,
        "updated_at": now,
    });
    Ok(kept(&mut state.projects, project))
}

/// The variables of the service of the path.
fn variables<'a>(
    state: &'a mut Dployr,
    service_id: &str,
) -> Result<&'a mut super::super::Variables, Reply> {
    let service = find_service(state, service_id)?;
    Ok(state.env.entry(service.name).or_default())
}

fn set_variable(variables: &mut super::super::Variables, body: &Map<String, Value>) -> Answer {
    let required = |field| invalid("Invalid variable", field, "is required");
    let key = text_field(body, "key").ok_or_else(|| required("key"))?;
    // An empty value is a value.
    let value = body.get("value").and_then(Value::as_str);
    let value = value.ok_or_else(|| required("value"))?;
    variables.insert(key.to_owned(), value.to_owned());
    // Not a 201: it may have been there before.
    Ok(Reply::json(200, &json!({ "key": key, "value": value })))
}

/// Kept and shown, and never called: the page says nothing of what is sent, nor how it is signed.
fn create_webhook(state: &mut Dployr, call: &Call, body: &Map<String, Value>) -> Answer {
    let wrong = |field, issue| invalid("Invalid webhook", field, issue);
    let is_web = |url: &&str| url.starts_with("https://") || url.starts_with("http://");
    let url = text_field(body, "url").filter(is_web);
    let url = url.ok_or_else(|| wrong("url", "must be an http or https URL"))?;
    let events = body.get("events").and_then(Value::as_array);
    let events = events.filter(|all| !all.is_empty() && all.iter().all(Value::is_string));
    let events = events.ok_or_else(|| wrong("events", "must be an array of at least one event"))?;
    if body.get("secret").is_some_and(|secret| !secret.is_string()) {
        return Err(wrong("secret", "must be a string"));
    }
    // The secret goes in and never comes out.
    let webhook = json!({
        "id": state.id("webhook", call.now),
        "url": url,
        "events": events,
        "created_at": rfc3339(call.now),
    });
    Ok(kept(&mut state.webhooks, webhook))
}

fn kept(items: &mut Vec<Value>, item: Value) -> Reply {
    let reply = Reply::json(201, &item);
    items.push(item);
    reply
}

fn remove(items: &mut Vec<Value>, id: &str) -> bool {
    let before = items.len();
    items.retain(|item| item.get("id") != Some(&json!(id)));
    items.len() < before
}
