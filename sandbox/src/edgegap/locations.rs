//! Locations, and hosts of the private fleet.
//!
//! Formats are from edgegap/openapi-specification; the contents are made up.

use serde_json::{Value, json};

use super::deployments::Status;
use super::{Edgegap, FLEET, HOSTS_PER_SECOND, charge, message, page, page_reply};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::Request;

/// The location in the document's example of `LocationData`.
pub(super) fn montreal() -> Value {
    json!({
        "city": "Montreal",
        "country": "Canada",
        "continent": "North America",
        "administrative_division": "Quebec",
        "timezone": "Eastern Time",
        "latitude": 45.508888,
        "longitude": -73.561668,
    })
}

impl Edgegap {
    pub(super) fn locations(&self, call: &Call) -> HandlerResult {
        let wanted = |name: &str| call.request.query_value(name);
        // Assumption: without an application, the version of any application counts.
        let mut applications = self.applications.iter();
        let is_known = applications.any(|application| {
            wanted("app").is_none_or(|name| application.name() == name)
                && wanted("version").is_none_or(|name| application.version(name).is_some())
        });
        if !is_known && (wanted("app").is_some() || wanted("version").is_some()) {
            return Err(message(400, "Unknown application or version"));
        }
        let frankfurt = json!({
            "city": "Frankfurt",
            "country": "Germany",
            "continent": "Europe",
            "administrative_division": "Hesse",
            "timezone": "Central European Time",
            "latitude": 50.110924,
            "longitude": 8.682127,
        });
        let mut body = page(
            call.request,
            "locations",
            vec![montreal(), frankfurt],
            |item| item,
        )?;
        body.insert("messages".to_owned(), json!([]));
        Ok(Reply::json(200, &body.into()))
    }

    /// Hosts of the private fleet.
    ///
    /// Since 2026-06-01 the reply is paginated, but no parameter selects a page. The reply to an unknown
    /// fleet is undocumented; 400 is an assumption. In contrast to other replies, timestamps are RFC 3339.
    pub(super) fn fleet_hosts(&mut self, call: &Call) -> HandlerResult {
        charge(&mut self.limits.hosts, call, HOSTS_PER_SECOND)?;
        if call.path("fleet_name") != FLEET {
            return Err(message(400, "Unknown private fleet"));
        }
        let on_host = self.deployments.iter().filter(|deployment| {
            let status = deployment.status(self.timing, call.now);
            deployment.host.is_some() && !matches!(status, Status::Error | Status::Terminated)
        });
        let used = on_host.count();
        let host = json!({
            "host_id": self.private_host_id,
            "status": "ACTIVE",
            "created_at": "2026-04-22T12:00:46Z",
            "updated_at": "2026-04-22T12:00:46Z",
            "allocated_cpu_units": used * 256,
            "allocated_memory_mb": used * 512,
            "allocatable_cpu_units": 8192,
            "allocatable_memory_mb": 16384,
            "city": "Montreal",
            "country": "Canada",
            "continent": "North America",
            "fleet_host_specifications": { "cpu_units": 8192, "memory_mb": 16384, "base_clock_speed_mhz": 3200 },
        });
        page_reply(&Request::new("GET", "/"), "data", vec![host])
    }
}
