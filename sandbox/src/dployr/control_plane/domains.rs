//! Domains of one's own in front of a service.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::Dployr;
use super::{Role, allowed, failure, flat, not_modelled, not_routed, ok, page};
use crate::model::{Reply, Request, text_field};
use crate::time::millis;

#[derive(Clone, Debug)]
pub(in crate::dployr) struct Domain {
    id: String,
    name: String,
    service: String,
    token: String,
    created_at: Duration,
    activated_at: Option<Duration>,
}

impl Domain {
    pub(super) fn is_active(&self) -> bool {
        self.activated_at.is_some()
    }

    fn status(&self) -> &'static str {
        if self.is_active() {
            "active"
        } else {
            "pending"
        }
    }
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
                let domains = state.own.domains.iter().rev();
                page(
                    request,
                    domains.map(|domain| record(state, domain)).collect(),
                )
            }
            Err(reply) => reply,
        },
        ("GET" | "DELETE", [name]) | ("POST", [name, "verify"]) => {
            let name = name.to_lowercase();
            let found = state.own.domains.iter().find(|domain| domain.name == name);
            let Some(domain) = found.cloned() else {
                return flat(404, "Domain not found", "resource.missing_resource");
            };
            match method {
                "GET" => ok(Value::Object(describe(state, &domain))),
                // Seen: no body, and the second time there is none.
                "DELETE" => {
                    state.own.domains.retain(|other| other.id != domain.id);
                    emit(state, "domain.deleted", &domain, now);
                    Reply::empty(204)
                }
                _ => verify(state, &domain, now),
            }
        }
        _ => not_routed(),
    }
}

fn emit(state: &mut Dployr, event: &str, domain: &Domain, now: Duration) {
    let details = json!({ "domain": domain.name, "serviceName": domain.service });
    state.emit(event, details, now);
}

/// The records stand there as long as they have to be set; that they go was read in
/// dployr-io/dployr-base:src/routes/domains.ts, the rest was seen.
fn describe(state: &Dployr, domain: &Domain) -> Map<String, Value> {
    let mut data = super::object(json!({
        "domain": domain.name,
        "status": domain.status(),
        "clusterId": state.cluster_id,
        "provider": "unknown",
        "createdAt": millis(domain.created_at),
        "activatedAt": domain.activated_at.map(millis),
    }));
    if domain.activated_at.is_none() {
        data.extend(setup(domain));
    }
    data
}

/// Nothing is asked of any DNS. Names for testing, under `.test` (RFC 2606), have the record and no other has. The
/// refusal was seen; the 204 was read in dployr-io/dployr-base:src/routes/domains.ts.
fn verify(state: &mut Dployr, domain: &Domain, now: Duration) -> Reply {
    if !domain.name.ends_with(".test") {
        return failure(422, "TXT record not found", "request.unprocessable_entity");
    }
    let mut domains = state.own.domains.iter_mut();
    if let Some(kept) = domains.find(|kept| kept.id == domain.id) {
        // A domain that is verified stays so.
        kept.activated_at = kept.activated_at.or(Some(now));
    }
    if domain.activated_at.is_none() {
        emit(state, "domain.verified", domain, now);
    }
    Reply::empty(204)
}

/// What the server in front asks before it gets a certificate, without a token. Only the refusal of a domain that waits
/// was seen.
pub(super) fn is_verified(state: &Dployr, request: &Request) -> Reply {
    let name = request.query_value("domain").unwrap_or_default();
    let name = name.to_lowercase();
    let mut domains = state.own.domains.iter();
    match domains.find(|domain| domain.name == name) {
        Some(domain) if domain.activated_at.is_none() => {
            failure(403, "Domain not yet verified", "permission.forbidden")
        }
        _ => not_modelled(),
    }
}

/// The service behind a domain, as it is written there.
pub(super) fn service_of<'a>(state: &'a Dployr, name: &str) -> Option<&'a str> {
    let mut domains = state.own.domains.iter();
    let found = domains.find(|domain| domain.name == name);
    found.map(|domain| domain.service.as_str())
}

/// Whether it belongs to another tenant. There is none here: the vendor's own name stands for one.
fn of_others(name: &str) -> bool {
    name == "dployr.io" || name.ends_with(".dployr.io")
}

fn create(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    let body = request.json_object().unwrap_or_default();
    if let Err(reply) = allowed(state, text_field(&body, "clusterId"), Role::Developer) {
        return reply;
    }
    let name = text_field(&body, "domain").unwrap_or_default();
    if !(3..=253).contains(&name.chars().count()) || !name.contains('.') {
        let message = "domain: Invalid domain format";
        return failure(400, message, "request.bad_request");
    }
    let service = text_field(&body, "serviceName").unwrap_or_default();
    if !state.services.iter().any(|known| known.name == service) {
        return failure(404, "Service not found", "resource.missing_resource");
    }
    // Seen, for a domain that another tenant had registered.
    if of_others(&name.to_lowercase()) {
        let message = "Domain already registered to another instance";
        return failure(409, message, "resource.conflict");
    }
    // A 200, and the name in lower case. One that is there already stays as it is, with its service and its token
    // (dployr-io/dployr-base:src/routes/domains.ts).
    let mut domains = state.own.domains.iter();
    if let Some(known) = domains.find(|known| known.name == name.to_lowercase()) {
        return ok(Value::Object(to_set_up(known)));
    }
    let domain = Domain {
        id: state.ids.ulid(now),
        name: name.to_lowercase(),
        service: service.to_owned(),
        token: state.ids.ulid(now),
        created_at: now,
        activated_at: None,
    };
    let data = to_set_up(&domain);
    emit(state, "domain.created", &domain, now);
    state.own.domains.push(domain);
    ok(Value::Object(data))
}

fn to_set_up(domain: &Domain) -> Map<String, Value> {
    let mut data = super::object(json!({ "domain": domain.name, "provider": "unknown" }));
    data.extend(setup(domain));
    data
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
        "status": domain.status(),
        "verificationToken": domain.token,
        "provider": "unknown",
        "createdAt": millis(domain.created_at),
        "activatedAt": domain.activated_at.map(millis),
    })
}
