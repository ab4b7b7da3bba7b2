//! Deployments: create, status, list, and their lifecycle.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::filters::Query;
use super::tags::Tag;
use super::webhooks::WebhookUrls;
use super::{
    CREATES_PER_SECOND, Edgegap, LISTS_PER_SECOND, STATUSES_PER_SECOND, body_of, charge,
    details_reply, message, page, remove_nulls, violation_reply,
};
use crate::platform::{Call, unaccepted_violation};
use crate::reply::{HandlerResult, Reply};
use crate::request::text_field;
use crate::time::{Timing, naive_micros};

/// Minutes after which a ready deployment is stopped: `max_duration` of
/// edgegap/openapi-specification:edgegap-v1-openapi.yaml.
///
/// 60 is the limit of the free tier (edgegap/edgegap-agent-skills:skills/edgegap-unity/references/deploy.md).
pub(super) const MAX_MINUTES: u64 = 60;
/// How long a failed deployment is kept.
///
/// The document only says "will be deleted automatically by our system after some some times" (422 of the
/// fleet operation). Assumptions: one hour, and the status TERMINATING before the end.
const FAILED_RETENTION: Duration = Duration::from_secs(60 * 60);

#[derive(Clone, Debug)]
pub(super) struct Deployment {
    pub(super) id: String,
    pub(super) application: String,
    pub(super) version: String,
    pub(super) tags: Vec<Tag>,
    /// The private host it runs on, if any.
    pub(super) host: Option<String>,
    pub(super) address: String,
    /// The first external port.
    pub(super) port: usize,
    /// The ports of the version.
    pub(super) ports: Vec<Value>,
    pub(super) created_at: Duration,
    /// Time of the first stop request.
    pub(super) stop_requested_at: Option<Duration>,
    pub(super) no_capacity: bool,
    /// Webhook URLs of the create request.
    pub(super) webhook_urls: WebhookUrls,
}

/// Deployment statuses, on the wire `Status.SEEKING` and so on.
///
/// There is no complete list. These statuses are from the vendor's documents, edgegap/nakama-edgegap and
/// edgegap/matchmaker-hosting-providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Seeking,
    Deploying,
    Ready,
    Error,
    Terminating,
    Terminated,
}

impl Status {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Status::Seeking => "Status.SEEKING",
            Status::Deploying => "Status.DEPLOYING",
            Status::Ready => "Status.READY",
            Status::Error => "Status.ERROR",
            Status::Terminating => "Status.TERMINATING",
            Status::Terminated => "Status.TERMINATED",
        }
    }
}

impl Deployment {
    /// When the deployment becomes ready or fails.
    pub(super) fn settles_at(&self, timing: Timing) -> Duration {
        if self.no_capacity {
            self.created_at
        } else {
            self.created_at.saturating_add(timing.ready_after)
        }
    }

    /// The status at [`settles_at`](Self::settles_at): READY or ERROR.
    pub(super) fn settles_as(&self, timing: Timing) -> Status {
        if self.no_capacity || timing.fails {
            Status::Error
        } else {
            Status::Ready
        }
    }

    /// When the deployment became ready; `None` before that and after a failure.
    pub(super) fn ready_at(&self, timing: Timing, now: Duration) -> Option<Duration> {
        let at = self.settles_at(timing);
        (now >= at && self.settles_as(timing) == Status::Ready).then_some(at)
    }

    /// Requests a stop. Only the first request counts.
    pub(super) fn stop(&mut self, now: Duration) {
        self.stop_requested_at.get_or_insert(now);
    }

    /// When the stop begins.
    ///
    /// A requested stop waits until the deployment is READY or ERROR
    /// (edgegap/openapi-specification:edgegap-v1-openapi.yaml, `DELETE /v1/stop/{deployment_id}`). Without a
    /// request, the platform stops the deployment after [`MAX_MINUTES`] or [`FAILED_RETENTION`].
    pub(super) fn stops_at(&self, timing: Timing) -> Duration {
        let settles_at = self.settles_at(timing);
        let kept = match self.settles_as(timing) {
            Status::Ready => Duration::from_secs(MAX_MINUTES * 60),
            _ => FAILED_RETENTION,
        };
        let automatic_stop_at = settles_at.saturating_add(kept);
        let requested_at = self.stop_requested_at.unwrap_or(automatic_stop_at);
        requested_at.clamp(settles_at, automatic_stop_at)
    }

    /// When the deployment is terminated. The duration of a stop is an assumption.
    pub(super) fn ends_at(&self, timing: Timing) -> Duration {
        self.stops_at(timing).saturating_add(timing.queue_time())
    }

    pub(super) fn status(&self, timing: Timing, now: Duration) -> Status {
        if now >= self.ends_at(timing) {
            Status::Terminated
        } else if now >= self.stops_at(timing) {
            Status::Terminating
        } else if now >= self.settles_at(timing) {
            self.settles_as(timing)
        } else if now.saturating_sub(self.created_at) >= timing.queue_time() {
            Status::Deploying
        } else {
            Status::Seeking
        }
    }

    /// The status before this one.
    fn previous_status(&self, status: Status, timing: Timing) -> Option<Status> {
        match status {
            Status::Seeking => None,
            Status::Deploying => Some(Status::Seeking),
            Status::Error if self.no_capacity => Some(Status::Seeking),
            Status::Ready | Status::Error => Some(Status::Deploying),
            Status::Terminating => Some(self.settles_as(timing)),
            Status::Terminated => Some(Status::Terminating),
        }
    }

    fn tag_names(&self) -> Vec<&str> {
        self.tags.iter().map(|tag| tag.name.as_str()).collect()
    }

    fn fqdn(&self) -> String {
        format!("{}.pr.edgegap.net", self.id)
    }

    fn ports(&self) -> Value {
        let ports = self.ports.iter().enumerate().map(|(index, port)| {
            let external = self.port + index;
            let name = port["name"].as_str().unwrap_or_default();
            let body = json!({
                "name": name,
                "link": format!("{}:{external}", self.fqdn()),
                "internal": port["port"],
                "external": external,
                "protocol": port["protocol"],
                "tls_upgrade": port["tls_upgrade"],
            });
            (name.to_owned(), body)
        });
        Value::Object(ports.collect())
    }

    /// The status reply, `V1DeploymentStatus`.
    ///
    /// Timestamps have a space and no zone. `start_time` and `elapsed_time` are required by the document but
    /// refer to "deployment becoming Ready", so they are absent before that.
    pub(super) fn describe(&self, timing: Timing, now: Duration) -> Value {
        let status = self.status(timing, now);
        let ready = status == Status::Ready;
        let (ready_at, ends_at) = (self.ready_at(timing, now), self.ends_at(timing));
        let stops_at = self.stops_at(timing);
        let error_detail = match (status, self.no_capacity) {
            (Status::Error, true) => Some("Could not allocate an Edge Server"),
            (Status::Error, false) => Some("The container did not start"),
            _ => None,
        };
        let mut body = json!({
            "request_id": self.id,
            "fqdn": self.fqdn(),
            "app_name": self.application,
            "app_version": self.version,
            // Null until the deployment has an address; the vendor's C# model allows null.
            "public_ip": ready.then_some(&self.address),
            "current_status": status.as_str(),
            "last_status": self.previous_status(status, timing).map(Status::as_str),
            "running": ready,
            "start_time": ready_at.map(naive_micros),
            "removal_time": (now >= stops_at).then(|| naive_micros(stops_at)),
            "elapsed_time": ready_at.map(|at| now.min(ends_at).saturating_sub(at).as_secs()),
            "max_duration": MAX_MINUTES,
            "error": status == Status::Error,
            "error_detail": error_detail,
            "ports": if ready { self.ports() } else { json!({}) },
            "location": ready.then(super::locations::montreal),
            "tags": self.tag_names(),
            "command": null,
            "arguments": null,
        });
        remove_nulls(
            &mut body,
            &["last_status", "start_time", "removal_time", "location"],
        );
        body
    }

    /// An item of the list.
    ///
    /// `status` is not in the document, but edgegap/nakama-edgegap:pkg/fleetmanager/models.go reads it.
    /// Address and ports are always present: the document requires the address, and no known client accepts
    /// null. `start_time` is absent until the deployment is ready.
    pub(super) fn summary(&self, timing: Timing, now: Duration) -> Value {
        let status = self.status(timing, now);
        let mut body = json!({
            "request_id": self.id,
            "fqdn": self.fqdn(),
            "public_ip": self.address,
            "ready": status == Status::Ready,
            "status": status.as_str(),
            "start_time": self.ready_at(timing, now).map(naive_micros),
            "ports": self.ports(),
            "tags": self.tag_names(),
        });
        remove_nulls(&mut body, &["start_time"]);
        body
    }
}

impl Edgegap {
    pub(super) fn create(&mut self, call: &Call) -> HandlerResult {
        charge(&mut self.limits.creates, call, CREATES_PER_SECOND)?;
        let body = body_of(call)?;
        if let Some(violation) = unaccepted_violation(self, call) {
            return Err(violation_reply(violation));
        }
        check_body(&body)?;
        let text = |name: &str| text_field(&body, name).unwrap_or_default().to_owned();
        let (application, version) = (text("application"), text("version"));
        // The 400 of the fleet operation: "Invalid Application or Application Version. No deployment has been
        // created".
        let refusal = |problem: &str, field: &str, value: &str, detail: &str| {
            details_reply(
                &format!("{problem} {field} {value}"),
                json!({ field: detail }),
            )
        };
        let unknown = |field, value| refusal("Unknown", field, value, "does not exist");
        let found = self.application(&application);
        let found = found.ok_or_else(|| unknown("application", &application))?;
        let its_version = found.version(&version);
        let its_version = its_version.ok_or_else(|| unknown("version", &version))?;
        // Assumption: the status is that of an unknown one.
        let inactive = |field, value| Err(refusal("Inactive", field, value, "is not active"));
        if !found.is_active() {
            return inactive("application", &application);
        }
        if !its_version.is_active() {
            return inactive("version", &version);
        }
        let ports = its_version.ports().to_vec();
        let is_live = |deployment: &&Deployment| {
            let status = deployment.status(self.timing, call.now);
            matches!(status, Status::Seeking | Status::Deploying | Status::Ready)
        };
        let no_capacity = self.deployments.iter().filter(is_live).count() >= self.capacity;
        let texts = |name: &str| {
            let all = body
                .get(name)
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            all.filter_map(Value::as_str).map(str::to_owned)
        };
        let is_fleet = call.id() == "create_fleet_deployment";
        // 12 hexadecimal digits, like a69f8e3e0555 in the document.
        let id = self.ids.hex(12);
        self.deployments.push(Deployment {
            id: id.clone(),
            application,
            version,
            tags: texts("tags").map(|name| Tag::new(name, call.now)).collect(),
            // The first known host. With unknown hosts only, the deployment runs in the cloud.
            host: texts("private_host_ids")
                .filter(|_| is_fleet)
                .find(|host| *host == self.private_host_id),
            // 203.0.113.0/24 is reserved for documentation (RFC 5737).
            address: format!("203.0.113.{}", 1 + self.ids.below(254)),
            port: 30_000 + self.ids.below(2_768),
            ports,
            created_at: call.now,
            stop_requested_at: None,
            no_capacity,
            webhook_urls: WebhookUrls::read(&body),
        });
        if no_capacity {
            // The deployment exists with status ERROR, as documented for the 422 of the fleet operation. The
            // 422 of the other operation has the same body.
            let body = json!({ "request_id": id, "message": "Could not allocate an Edge Server" });
            return Ok(Reply::json(422, &body));
        }
        Ok(Reply::json(202, &json!({ "request_id": id })))
    }

    pub(super) fn find(&self, id: &str) -> Option<&Deployment> {
        self.deployments
            .iter()
            .find(|deployment| deployment.id == id)
    }

    pub(super) fn status(&mut self, call: &Call) -> HandlerResult {
        charge(&mut self.limits.statuses, call, STATUSES_PER_SECOND)?;
        // The document says 404, but the real platform responds with 400
        // (edgegap/edgegap-agent-skills:skills/edgegap-unity/references).
        let deployment = self.find(call.path("deployment_id"));
        let deployment = deployment.ok_or_else(|| message(400, "Deployment not found"))?;
        Ok(Reply::json(
            200,
            &deployment.describe(self.timing, call.now),
        ))
    }

    pub(super) fn list(&mut self, call: &Call) -> HandlerResult {
        charge(&mut self.limits.lists, call, LISTS_PER_SECOND)?;
        let query = call.request.query_value("query").map(Query::read);
        let query = query
            .transpose()
            .map_err(|violation| message(400, &violation))?;
        let query = query.unwrap_or_default();
        // Newest first is an assumption: the default order is not documented. Terminated deployments are
        // excluded: "List of active deployments" (edgegap-v1-openapi.yaml).
        let matches = |deployment: &&Deployment| {
            let status = deployment.status(self.timing, call.now);
            status != Status::Terminated && query.matches(deployment, status)
        };
        let mut live: Vec<&Deployment> = self.deployments.iter().rev().filter(matches).collect();
        if query.oldest_first {
            live.reverse();
        }
        let describe = |deployment: &Deployment| deployment.summary(self.timing, call.now);
        let mut body = page(call.request, "data", live, describe)?;
        body.insert("message".to_owned(), json!([]));
        Ok(Reply::json(200, &body.into()))
    }
}

/// Checks rules for the create body that the spec does not express
/// (edgegap/openapi-specification:edgegap-v2-openapi.yaml).
fn check_body(body: &Map<String, Value>) -> Result<(), Reply> {
    let users = body.get("users").and_then(Value::as_array);
    for user in users.into_iter().flatten() {
        check_user(user).map_err(|problem| field_refusal("users", problem))?;
    }
    // A newer rule (version 20026.06.01 of the document).
    let resource = |name: &str| body.get("resources")?.get(name)?.as_i64();
    match (resource("cpu_units"), resource("memory_mib")) {
        (Some(cpu), Some(memory)) if memory > cpu.saturating_mul(2) => Err(field_refusal(
            "resources",
            "memory_mib may be at most twice cpu_units",
        )),
        _ => Ok(()),
    }
}

fn field_refusal(field: &str, problem: &str) -> Reply {
    let message = format!("Invalid request: {field} {problem}");
    details_reply(&message, json!({ field: problem }))
}

/// Checks a user.
///
/// The document does not restrict `user_data`. It has examples of two kinds, and no known client uses a third
/// (edgegap/edgegap-mcp:src/tools/curated.ts).
fn check_user(user: &Value) -> Result<(), &'static str> {
    let data = |name: &str| user.pointer(&format!("/user_data/{name}"));
    if user.get("user_type") == Some(&json!("ip_address")) {
        let address = data("ip_address").and_then(Value::as_str);
        let address = address.and_then(|address| address.parse::<IpAddr>().ok());
        return address
            .map(|_| ())
            .ok_or("ip_address needs user_data.ip_address");
    }
    let has_both = data("latitude").is_some() && data("longitude").is_some();
    let problem = "geo_coordinates needs user_data.latitude and user_data.longitude";
    has_both.then_some(()).ok_or(problem)
}
