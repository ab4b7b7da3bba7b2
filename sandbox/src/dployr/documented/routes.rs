//! Proxy routes.
//!
//! Only the request is documented (dployr-io/dployr-docs:docs/api.md). The response has the fields of the
//! request, an id and timestamps. No server with this path is known.

use serde_json::json;

use super::super::Dployr;
use super::{body, invalid, stored};
use crate::platform::Call;
use crate::reply::HandlerResult;
use crate::request::text_field;
use crate::time::rfc3339;

pub(super) fn create_route(state: &mut Dployr, call: &Call) -> HandlerResult {
    let body = body(call)?;
    let refuse = |field, issue| invalid("Invalid proxy route", field, issue);
    let text = |field| text_field(&body, field).unwrap_or_default();
    let (domain, service_id) = (text("domain"), text("service_id"));
    let mut services = state.services.iter();
    if !services.any(|service| service.id == service_id) {
        return Err(refuse("service_id", "No such service"));
    }
    // Assumption: a second route for the same domain is rejected.
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
