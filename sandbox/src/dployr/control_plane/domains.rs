//! Custom domains of services.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::Dployr;
use super::{
    Role, bad_request, handler_error, middleware_error, not_found, ok, page, require_query_cluster,
    require_role,
};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::{object, text_field};
use crate::time::millis;

#[derive(Clone, Debug)]
pub(super) struct Domain {
    id: String,
    name: String,
    service: String,
    token: String,
    created_at: Duration,
    activated_at: Option<Duration>,
}

impl Domain {
    fn is_active(&self) -> bool {
        self.activated_at.is_some()
    }

    fn status(&self) -> &'static str {
        if self.is_active() {
            "active"
        } else {
            "pending"
        }
    }

    /// The DNS records that the owner of the domain must set.
    fn setup(&self) -> Map<String, Value> {
        let host = self.name.split('.').next();
        let target = format!("{}.dployr.run", self.service);
        let proof = format!("dployr-verify={}", self.token);
        object(json!({
            "records": [{ "type": "CNAME", "name": host, "value": target, "ttl": 300 }],
            "verification": { "type": "TXT", "name": "_dployr", "value": proof },
            "manualGuideUrl": "https://docs.dployr.io/domains/manual",
        }))
    }

    fn setup_reply(&self) -> Reply {
        let mut data = object(json!({ "domain": self.name, "provider": "unknown" }));
        data.extend(self.setup());
        ok(data.into())
    }
}

fn named<'a>(state: &'a Dployr, name: &str) -> Option<&'a Domain> {
    let mut domains = state.control_plane.domains.iter();
    domains.find(|domain| domain.name == name)
}

/// Finds the domain named in the path.
fn find(state: &Dployr, call: &Call) -> Result<Domain, Reply> {
    let found = named(state, &call.path("domain").to_lowercase()).cloned();
    found.ok_or_else(|| middleware_error(404, "Domain not found", "resource.missing_resource"))
}

/// Lists the domains, newest first.
pub(super) fn list(state: &Dployr, call: &Call) -> HandlerResult {
    require_query_cluster(state, call, Role::Viewer)?;
    let items = state.control_plane.domains.iter().rev().map(|domain| {
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
    });
    Ok(page(call, items.collect()))
}

/// Returns a domain, with its DNS records until it is verified.
///
/// Omitting them afterwards is from dployr-io/dployr-base:src/routes/domains.ts; the rest was observed.
pub(super) fn get(state: &Dployr, call: &Call) -> HandlerResult {
    let domain = find(state, call)?;
    let mut data = object(json!({
        "domain": domain.name,
        "status": domain.status(),
        "clusterId": state.cluster_id,
        "provider": "unknown",
        "createdAt": millis(domain.created_at),
        "activatedAt": domain.activated_at.map(millis),
    }));
    if !domain.is_active() {
        data.extend(domain.setup());
    }
    Ok(ok(data.into()))
}

/// Deletes a domain: 204 without a body, then 404 (observed).
pub(super) fn delete(state: &mut Dployr, call: &Call) -> HandlerResult {
    let domain = find(state, call)?;
    state
        .control_plane
        .domains
        .retain(|other| other.id != domain.id);
    emit(state, "domain.deleted", &domain, call);
    Ok(Reply::empty(204))
}

fn emit(state: &mut Dployr, event: &str, domain: &Domain, call: &Call) {
    let details = json!({ "domain": domain.name, "serviceName": domain.service });
    state.emit(event, details, call.now);
}

/// Verifies a domain without a DNS lookup: only names below `.test` (RFC 2606) count as having the TXT
/// record.
///
/// The 422 was observed; the 204 is from dployr-io/dployr-base:src/routes/domains.ts.
pub(super) fn verify(state: &mut Dployr, call: &Call) -> HandlerResult {
    let domain = find(state, call)?;
    if !domain.name.ends_with(".test") {
        return Err(handler_error(
            422,
            "TXT record not found",
            "request.unprocessable_entity",
        ));
    }
    // A second verification changes nothing.
    if !domain.is_active() {
        let mut domains = state.control_plane.domains.iter_mut();
        if let Some(kept) = domains.find(|kept| kept.id == domain.id) {
            kept.activated_at = Some(call.now);
        }
        emit(state, "domain.verified", &domain, call);
    }
    Ok(Reply::empty(204))
}

/// The service behind a domain.
pub(super) fn service_of<'a>(state: &'a Dployr, name: &str) -> Option<&'a str> {
    named(state, name).map(|domain| domain.service.as_str())
}

/// Whether the name belongs to another tenant.
///
/// The sandbox has only one tenant, so names below the vendor's domain stand for those of other tenants.
fn belongs_to_another_tenant(name: &str) -> bool {
    name == "dployr.io" || name.ends_with(".dployr.io")
}

pub(super) fn create(state: &mut Dployr, call: &Call) -> HandlerResult {
    let body = call.request.json_object().unwrap_or_default();
    require_role(state, text_field(&body, "clusterId"), Role::Developer)?;
    let name = text_field(&body, "domain").unwrap_or_default();
    if !(3..=253).contains(&name.chars().count()) || !name.contains('.') {
        return Err(bad_request("domain: Invalid domain format"));
    }
    let service = text_field(&body, "serviceName").unwrap_or_default();
    if !state.services.iter().any(|known| known.name == service) {
        return Err(not_found("Service not found"));
    }
    // The reply has status 200 and the name in lower case.
    let name = name.to_lowercase();
    // Observed for a domain that another tenant had registered.
    if belongs_to_another_tenant(&name) {
        let message = "Domain already registered to another instance";
        return Err(handler_error(409, message, "resource.conflict"));
    }
    // An existing domain keeps its service and token (dployr-io/dployr-base:src/routes/domains.ts).
    if let Some(known) = named(state, &name) {
        return Ok(known.setup_reply());
    }
    let domain = Domain {
        id: state.ids.ulid(call.now),
        name,
        service: service.to_owned(),
        token: state.ids.ulid(call.now),
        created_at: call.now,
        activated_at: None,
    };
    emit(state, "domain.created", &domain, call);
    let reply = domain.setup_reply();
    state.control_plane.domains.push(domain);
    Ok(reply)
}
