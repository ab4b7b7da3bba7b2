//! The smaller collections of the reference: proxy routes, projects, variables and webhooks.
//!
//! Only their requests are documented (dployr-io/dployr-docs:docs/api.md). Replies carry the fields of the request, an id
//! and times; no server was ever seen to answer these paths. So the statuses are the sandbox's own, a 201 for what is made
//! among them, and what it checks beyond a field that the page shows is too: nothing is known.

use std::time::Duration;

use serde_json::{Value, json};

use super::Dployr;
use super::documented::{body, deleted, invalid, not_found};
use crate::model::{Reply, Request, text_field};
use crate::time::rfc3339;

pub(super) fn routes(state: &mut Dployr, request: &Request, rest: &[&str], now: Duration) -> Reply {
    match (request.method.as_str(), rest) {
        ("GET", []) => list(&state.routes),
        ("POST", []) => {
            const WHAT: &str = "Invalid proxy route";
            let body = match body(request) {
                Ok(body) => body,
                Err(reply) => return reply,
            };
            let Some(domain) = text_field(&body, "domain") else {
                return invalid(WHAT, "domain", "is required");
            };
            let Some(service_id) = text_field(&body, "service_id") else {
                return invalid(WHAT, "service_id", "is required");
            };
            let Some(port) = body
                .get("port")
                .and_then(Value::as_u64)
                .filter(|port| (1..=65_535).contains(port))
            else {
                return invalid(WHAT, "port", "must be an integer from 1 to 65535");
            };
            if !state
                .services
                .iter()
                .any(|service| service.id == service_id)
            {
                return invalid(WHAT, "service_id", "No such service");
            }
            // The sandbox's own, nothing is known.
            if state
                .routes
                .iter()
                .any(|route| route.get("domain").and_then(Value::as_str) == Some(domain))
            {
                return invalid(WHAT, "domain", "is routed already");
            }
            // Field by field those of the body, but for the status.
            let route = json!({
                "id": state.id("route", now),
                "domain": domain,
                "service_id": service_id,
                "port": port,
                // dployr-io/dployr:pkg/core/proxy/proxy.go
                "status": "active",
                "created_at": rfc3339(now),
            });
            state.routes.push(route.clone());
            Reply::json(201, &route)
        }
        ("DELETE", [id]) => deleted(remove(&mut state.routes, id), "proxy route"),
        _ => not_found("route"),
    }
}

pub(super) fn projects(
    state: &mut Dployr,
    request: &Request,
    rest: &[&str],
    now: Duration,
) -> Reply {
    match (request.method.as_str(), rest) {
        ("GET", []) => list(&state.projects),
        ("POST", []) => {
            const WHAT: &str = "Invalid project";
            let body = match body(request) {
                Ok(body) => body,
                Err(reply) => return reply,
            };
            // Lengths of the Laravel application that dployr once was (commit cca74b0, October 2025).
            let short = |text: &&str| text.chars().count() <= 100;
            let Some(name) = text_field(&body, "name").filter(short) else {
                return invalid(WHAT, "name", "is required, with at most 100 characters");
            };
            let description = match body.get("description") {
                None | Some(Value::Null) => None,
                Some(description) => match description.as_str().filter(short) {
                    Some(description) => Some(description),
                    None => {
                        return invalid(
                            WHAT,
                            "description",
                            "must be a string of at most 100 characters",
                        );
                    }
                },
            };
            let project = json!({
                "id": state.id("project", now),
                "name": name,
                "description": description,
                "created_at": rfc3339(now),
                "updated_at": rfc3339(now),
            });
            state.projects.push(project.clone());
            Reply::json(201, &project)
        }
        ("DELETE", [id]) => deleted(remove(&mut state.projects, id), "project"),
        _ => not_found("route"),
    }
}

/// Variables of the service called `name`.
pub(super) fn env(state: &mut Dployr, request: &Request, name: &str, rest: &[&str]) -> Reply {
    let variables = state.env.entry(name.to_owned()).or_default();
    match (request.method.as_str(), rest) {
        ("GET", []) => {
            let items: Vec<Value> = variables
                .iter()
                .map(|(key, value)| json!({ "key": key, "value": value }))
                .collect();
            list(&items)
        }
        ("POST", []) => {
            const WHAT: &str = "Invalid variable";
            let body = match body(request) {
                Ok(body) => body,
                Err(reply) => return reply,
            };
            let Some(key) = text_field(&body, "key") else {
                return invalid(WHAT, "key", "is required");
            };
            // An empty value is a value.
            let Some(value) = body.get("value").and_then(Value::as_str) else {
                return invalid(WHAT, "value", "is required");
            };
            variables.insert(key.to_owned(), value.to_owned());
            // Not a 201: it may have been there before.
            Reply::json(200, &json!({ "key": key, "value": value }))
        }
        ("DELETE", [key]) => deleted(variables.remove(*key).is_some(), "variable"),
        _ => not_found("route"),
    }
}

/// Kept and shown, and never called: the page says nothing of what is sent, nor how it is signed.
pub(super) fn webhooks(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    match request.method.as_str() {
        "GET" => list(&state.webhooks),
        "POST" => {
            const WHAT: &str = "Invalid webhook";
            let body = match body(request) {
                Ok(body) => body,
                Err(reply) => return reply,
            };
            let url = text_field(&body, "url")
                .filter(|url| url.starts_with("https://") || url.starts_with("http://"));
            let Some(url) = url else {
                return invalid(WHAT, "url", "must be an http or https URL");
            };
            let events = body.get("events").and_then(Value::as_array);
            let Some(events) =
                events.filter(|events| !events.is_empty() && events.iter().all(Value::is_string))
            else {
                return invalid(WHAT, "events", "must be an array of at least one event");
            };
            if body.get("secret").is_some_and(|secret| !secret.is_string()) {
                return invalid(WHAT, "secret", "must be a string");
            }
            // The secret goes in and never comes out.
            let webhook = json!({
                "id": state.id("webhook", now),
                "url": url,
                "events": events,
                "created_at": rfc3339(now),
            });
            state.webhooks.push(webhook.clone());
            Reply::json(201, &webhook)
        }
        // Deleting one is not documented.
        _ => not_found("route"),
    }
}

fn list(items: &[Value]) -> Reply {
    Reply::json(200, &Value::from(items.to_vec()))
}

fn remove(items: &mut Vec<Value>, id: &str) -> bool {
    let before = items.len();
    items.retain(|item| item.get("id").and_then(Value::as_str) != Some(id));
    items.len() < before
}
