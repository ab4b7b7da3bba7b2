//! Domains of one's own in front of a service.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::Dployr;
use super::{Role, allowed, failure, flat, not_routed, ok, page};
use crate::model::{Reply, Request, text_field};
use crate::time::millis;

#[derive(Clone, Debug)]
pub(in crate::dployr) struct Domain {
    id: String,
    name: String,
    service: String,
    token: String,
    created_at: Duration,
}

pub(super) fn route(
    state: &mut Dployr,
    request: &Request,
    method: &str,
    rest: &[&str],
    now: Duration,
) -> Reply {
    match (method, rest) {
        ("POST", []) => create(state, request, now),
        ("GET", []) => match allowed(state, request.query_value("clusterId"), Role::Viewer) {
            Ok(()) => {
                // The newest first.
                let domains = state.domains.iter().rev();
                page(
                    request,
                    domains.map(|domain| record(state, domain)).collect(),
                )
            }
            Err(reply) => reply,
        },
        ("GET" | "DELETE", [name]) | ("POST", [name, "verify"]) => {
            let name = name.to_lowercase();
            let found = state.domains.iter().find(|domain| domain.name == name);
            let Some(domain) = found.cloned() else {
                return flat(404, "Domain not found", "resource.missing_resource");
            };
            match method {
                "GET" => {
                    let mut data = super::object(json!({
                        "domain": domain.name,
                        "status": "pending",
                        "clusterId": state.cluster_id,
                        "provider": "unknown",
                        "createdAt": millis(domain.created_at),
                        "activatedAt": null,
                    }));
                    data.extend(setup(&domain));
                    ok(Value::Object(data))
                }
                "DELETE" => {
                    state.domains.retain(|other| other.id != domain.id);
                    Reply::empty(204)
                }
                // Nobody sets a TXT record for a domain of a sandbox.
                _ => failure(422, "TXT record not found", "request.unprocessable_entity"),
            }
        }
        _ => not_routed(),
    }
}

fn create(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    let body = request.json_object().unwrap_or_default();
    if let Err(reply) = allowed(state, text_field(&body, "clusterId"), Role::Developer) {
        return reply;
    }
    let name = text_field(&body, "domain").unwrap_or_default();
    if !(3..=253).contains(&name.len()) || !name.contains('.') {
        let message = "domain: Invalid domain format";
        return failure(400, message, "request.bad_request");
    }
    let service = text_field(&body, "serviceName").unwrap_or_default();
    if !state.services.iter().any(|known| known.name == service) {
        return failure(404, "Service not found", "resource.missing_resource");
    }
    // A 200, and the name in lower case.
    let domain = Domain {
        id: state.ids.ulid(now),
        name: name.to_lowercase(),
        service: service.to_owned(),
        token: state.ids.ulid(now),
        created_at: now,
    };
    let mut data = super::object(json!({ "domain": domain.name, "provider": "unknown" }));
    data.extend(setup(&domain));
    state.domains.retain(|other| other.name != domain.name);
    state.domains.push(domain);
    ok(Value::Object(data))
}

/// What the owner of the domain has to set in the DNS.
fn setup(domain: &Domain) -> Map<String, Value> {
    let host = domain.name.split('.').next().unwrap_or_default();
    super::object(json!({
        "records": [{ "type": "CNAME", "name": host, "value": format!("{}.dployr.run", domain.service), "ttl": 300 }],
        "verification": { "type": "TXT", "name": "_dployr", "value": format!("dployr-verify={}", domain.token) },
        "manualGuideUrl": "https://docs.dployr.io/domains/manual",
    }))
}

fn record(state: &Dployr, domain: &Domain) -> Value {
    json!({
        "id": domain.id,
        "clusterId": state.cluster_id,
        "serviceName": domain.service,
        "domain": domain.name,
        "status": "pending",
        "verificationToken": domain.token,
        "provider": "unknown",
        "createdAt": millis(domain.created_at),
        "activatedAt": null,
    })
}
