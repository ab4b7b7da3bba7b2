//! Edgegap: deployments of game servers, to the cloud and to a private fleet.
//!
//! The create operations and the hosts follow edgegap/openapi-specification:edgegap-v2-openapi.yaml, the
//! other operations its edgegap-v1-openapi.yaml. Comments call them "the document". The error messages are
//! made up.

mod applications;
mod deployments;
mod filters;
mod images;
mod locations;
mod logs;
mod metrics;
mod stop;
mod tags;
mod webhooks;

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::builder::SandboxBuilder;
use crate::credentials::EdgegapAccess;
use crate::ids::Ids;
use crate::platform::{Call, Platform, PlatformState, ResourceSummary};
use crate::rate_limit::RateLimit;
use crate::reply::{HandlerResult, Reply};
use crate::request::Request;
use crate::spec::{Spec, Violation};
use crate::time::Timing;
use applications::Application;
use deployments::{Deployment, Status};
use images::Registry;

// Rate limits per organisation, from the document. The two create operations share one limit. Assumptions: a
// window is one second of the clock, and rejected requests count.
const CREATES_PER_SECOND: u64 = 40;
const STATUSES_PER_SECOND: u64 = 20;
const LISTS_PER_SECOND: u64 = 10;
const HOSTS_PER_SECOND: u64 = 10;

/// The only private fleet.
const FLEET: &str = "alpha";

/// The state of Edgegap.
#[derive(Clone)]
pub struct Edgegap {
    timing: Timing,
    capacity: usize,
    ids: Ids,
    token: String,
    application: String,
    version: String,
    private_host_id: String,
    applications: Vec<Application>,
    registry: Registry,
    deployments: Vec<Deployment>,
    limits: Limits,
}

#[derive(Clone)]
struct Limits {
    creates: RateLimit,
    statuses: RateLimit,
    lists: RateLimit,
    hosts: RateLimit,
}

impl Edgegap {
    pub(crate) fn new(settings: &SandboxBuilder, timing: Timing, seed: u64) -> Self {
        let mut ids = Ids::new(seed);
        let window = RateLimit::new(settings.limits);
        let (application, version) = ("my-app", "25.05.30-16.45.19-04");
        Self {
            timing,
            capacity: settings.capacity,
            token: ids.uuid(),
            application: application.to_owned(),
            version: version.to_owned(),
            applications: vec![Application::first(application, version)],
            registry: Registry::new(version),
            private_host_id: format!("alpha-north-america-{}", ids.hex(8)),
            ids,
            deployments: Vec::new(),
            limits: Limits {
                creates: window,
                statuses: window,
                lists: window,
                hosts: window,
            },
        }
    }

    /// Credentials, for a server at `base_url`.
    pub fn access(&self, base_url: &str) -> EdgegapAccess {
        EdgegapAccess {
            base_url: base_url.to_owned(),
            token: self.token.clone(),
            application: self.application.clone(),
            version: self.version.clone(),
            private_host_id: self.private_host_id.clone(),
            fleet: FLEET.to_owned(),
        }
    }

    fn route(&mut self, call: &Call) -> HandlerResult {
        // Containers have their own token, without the prefix `token `.
        if call.id() == "stop_own_deployment" {
            return self.stop_own_deployment(call);
        }
        // Checked before the route: the organisation's token grants access to every operation. The header is
        // `token <uuid>` with a lower-case prefix (vendor's API reference,
        // edgegap/edgegap-mcp:src/client.ts); `token token <uuid>` is the most common setup error
        // (edgegap/edgegap-agent-skills:skills/edgegap-unity/references/deploy.md).
        authorize(call, &format!("token {}", self.token))?;
        match call.id() {
            "create_deployment" | "create_fleet_deployment" => self.create(call),
            "get_deployment" => self.status(call),
            "list_deployments" => self.list(call),
            "stop_deployment" => self.stop(call),
            "stop_deployments" => self.stop_deployments(call),
            "list_deployment_tags" => self.list_tags(call),
            "create_deployment_tag" => self.add_tag(call),
            "get_deployment_tag" => self.get_tag(call),
            "rename_deployment_tag" => self.rename_tag(call),
            "delete_deployment_tag" => self.delete_tag(call),
            "list_locations" => self.locations(call),
            "list_applications" => self.applications(call),
            "create_application" => self.create_application(call),
            "get_application" => self.get_application(call),
            "update_application" => self.update_application(call),
            "delete_application" => self.delete_application(call),
            "list_versions" => self.versions(call),
            "create_version" => self.create_version(call),
            "get_version" => self.get_version(call),
            "update_version" => self.update_version(call),
            "delete_version" => self.delete_version(call),
            "list_image_tags" => self.list_image_tags(call),
            "delete_image_tag" => self.delete_image_tag(call),
            "list_fleet_hosts" => self.fleet_hosts(call),
            "get_container_logs" => self.logs(call),
            "get_deployment_metrics" => self.metrics(call),
            _ => call.example().ok_or_else(|| unknown_route(call)),
        }
    }
}

impl PlatformState for Edgegap {
    const PLATFORM: Platform = Platform::Edgegap;

    fn handle(&mut self, call: &Call) -> Reply {
        self.route(call).unwrap_or_else(|reply| reply)
    }

    fn violation_reply(&self, violation: &Violation) -> Reply {
        violation_reply(violation)
    }

    /// All deployments, newest first, including terminated ones.
    fn resources(&self, now: Duration) -> Vec<ResourceSummary> {
        let deployments = self.deployments.iter().rev();
        let deployments = deployments.map(|deployment| {
            let status = deployment.status(self.timing, now);
            let stops_at = deployment.stops_at(self.timing);
            let stopped_at = Some(stops_at).filter(|at| now >= *at);
            let address = || format!("{}:{}", deployment.address, deployment.port);
            ResourceSummary {
                kind: "deployment",
                name: deployment.id.clone(),
                deployment: None,
                state: status.as_str().to_owned(),
                since: stopped_at.unwrap_or(deployment.created_at),
                address: (status == Status::Ready).then(address),
            }
        });
        deployments.collect()
    }
}

/// Shows counts only.
impl fmt::Debug for Edgegap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edgegap")
            .field("deployments", &self.deployments.len())
            .finish_non_exhaustive()
    }
}

fn authorize(call: &Call, expected: &str) -> Result<(), Reply> {
    match call.request.header("authorization") {
        None => Err(message(401, "Missing token")),
        Some(value) if value != expected => Err(message(401, "Invalid token")),
        Some(_) => Ok(()),
    }
}

/// Charges the rate limit. The reply above the limit is undocumented; here it has no `Retry-After`.
fn charge(window: &mut RateLimit, call: &Call, limit: u64) -> Result<(), Reply> {
    let taken = window.take(call.now, 1, limit);
    let too_many = || message(429, "Too many requests");
    taken.allowed.then_some(()).ok_or_else(too_many)
}

/// The JSON body. A wrong content type gets 400, because the document has no 415.
fn body_of(call: &Call) -> Result<Map<String, Value>, Reply> {
    let body = call.request.typed_json_object();
    body.map_err(|error| message(400, error.message()))
}

/// One page of a list, with the items below `key`; pages start at 1.
///
/// The format is from edgegap/openapi-specification:edgegap-v1-openapi.yaml. Only items on the page are
/// converted to JSON, because a list may have thousands.
fn page<T>(
    request: &Request,
    key: &str,
    items: Vec<T>,
    describe: impl Fn(T) -> Value,
) -> Result<Map<String, Value>, Reply> {
    let number = |name: &str, default: usize| match request.query_value(name) {
        None => Some(default),
        // `int64` in the document.
        Some(text) => usize::try_from(text.parse::<i64>().ok()?)
            .ok()
            .filter(|number| *number > 0),
    };
    // The default page size is not documented; 10 is an assumption.
    let (Some(page), Some(limit)) = (number("page", 1), number("limit", 10)) else {
        return Err(message(400, "page and limit must be at least 1"));
    };
    let total = items.len();
    let pages = total.div_ceil(limit).max(1);
    let first = (page - 1).saturating_mul(limit);
    let on_page = items.into_iter().skip(first).take(limit);
    let on_page: Vec<Value> = on_page.map(describe).collect();
    let pagination = json!({
        "number": page,
        "next_page_number": (page < pages).then(|| page + 1),
        "previous_page_number": (page > 1).then(|| page - 1),
        "paginator": { "num_pages": pages },
        "has_next": page < pages,
        "has_previous": page > 1,
    });
    Ok(Map::from_iter([
        (key.to_owned(), Value::Array(on_page)),
        ("total_count".to_owned(), json!(total)),
        ("pagination".to_owned(), pagination),
    ]))
}

/// A page of JSON items.
fn page_reply(request: &Request, key: &str, items: Vec<Value>) -> HandlerResult {
    let body = page(request, key, items, |item| item)?;
    Ok(Reply::json(200, &body.into()))
}

/// Removes a field of an object.
fn remove(body: &mut Value, name: &str) {
    if let Some(body) = body.as_object_mut() {
        body.remove(name);
    }
}

/// Removes these fields if they are null: the document allows their absence but not null.
fn remove_nulls(body: &mut Value, names: &[&str]) {
    if let Some(body) = body.as_object_mut() {
        body.retain(|name, value| !value.is_null() || !names.contains(&name.as_str()));
    }
}

/// 405 with `Allow` for a wrong method, as HTTP requires, else 404. The platform's reply is undocumented.
fn unknown_route(call: &Call) -> Reply {
    let allowed = Spec::of(Platform::Edgegap).allowed_methods(&call.request.path);
    if allowed.is_empty() {
        return message(404, "Not found");
    }
    message(405, "Method not allowed").with_header("allow", allowed)
}

/// The reply to a request that violates the spec.
fn violation_reply(violation: &Violation) -> Reply {
    let details = json!({ &violation.location: violation.message });
    details_reply(&format!("Invalid request: {violation}"), details)
}

fn details_reply(text: &str, details: Value) -> Reply {
    Reply::json(400, &json!({ "message": text, "details": details }))
}

fn message(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "message": text }))
}
