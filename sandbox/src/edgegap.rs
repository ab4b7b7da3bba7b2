//! Edgegap: deployments of a game server, to the cloud and to a private fleet.
//!
//! The two create operations and the hosts are those of edgegap/openapi-specification:edgegap-v2-openapi.yaml; what else
//! there is to a deployment is that of its edgegap-v1-openapi.yaml. The texts of errors are the sandbox's own.

mod body;
mod bounds;
mod bulk;
mod catalogue;
mod deployment;
mod filter;
mod hooks;
mod observe;
mod paging;
mod tags;
mod view;

use std::time::Duration;

use serde_json::{Value, json};

use crate::access::EdgegapAccess;
use crate::clock::END;
use crate::contract::{Checked, Problem};
use crate::ids::Ids;
use crate::model::{Platform, Reply, Request};
use crate::time::{Timing, Window};
use body::{Create, Kind};
use deployment::{Deployment, Status};
use filter::Query;
use hooks::Hooks;
use paging::described_page;
use tags::Tag;

// Both create operations say 40 a second; status 20 and list 10 in edgegap-v1-openapi.yaml. All per organisation. How a
// second is counted is not published: the sandbox's own windows are those of the clock, and what is refused counts too.
const CREATES_PER_SECOND: u64 = 40;
const STATUSES_PER_SECOND: u64 = 20;
const LISTS_PER_SECOND: u64 = 10;
// Of edgegap-v2-openapi.yaml.
const HOSTS_PER_SECOND: u64 = 10;

/// The one private fleet.
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
    deployments: Vec<Deployment>,
    creates: Window,
    statuses: Window,
    lists: Window,
    hosts: Window,
}

impl Edgegap {
    pub(crate) fn new(capacity: usize, timing: Timing, seed: u64) -> Self {
        let mut ids = Ids::new(seed);
        Self {
            timing,
            capacity,
            token: ids.uuid(),
            application: "my-app".to_owned(),
            version: "25.05.30-16.45.19-04".to_owned(),
            private_host_id: format!("alpha-north-america-{}", ids.hex(8)),
            ids,
            deployments: Vec::new(),
            creates: Window::default(),
            statuses: Window::default(),
            lists: Window::default(),
            hosts: Window::default(),
        }
    }

    /// The way in, for a server that listens at `base_url`.
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

    /// Answers one request at `now`, the time since the Unix epoch.
    pub fn handle(&mut self, request: &Request, now: Duration) -> Reply {
        let now = now.min(END);
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        // A container has a token of its own, without a word in front of it.
        if let ("DELETE", ["v1", "self", "stop", id, key]) =
            (request.method.as_str(), segments.as_slice())
        {
            return self.stop_from_inside(request, id, key, now);
        }
        // The token belongs to the organisation and opens everything, so it is asked for first.
        // `Authorization: token <uuid>`, the word once and in lower case: the vendor's API reference and
        // edgegap/edgegap-mcp:src/client.ts; `token token <uuid>` is the commonest set-up error in
        // edgegap/edgegap-agent-skills:skills/edgegap-unity/references/deploy.md.
        let expected = format!("token {}", self.token);
        match request.header("authorization") {
            None => return message(401, "Missing token"),
            Some(value) if value != expected => return message(401, "Invalid token"),
            Some(_) => {}
        }
        match (request.method.as_str(), segments.as_slice()) {
            ("POST", ["v2", "deployments"]) => self.create(request, Kind::Cloud, now),
            ("POST", ["v2", "private-fleets", "deployments"]) => {
                self.create(request, Kind::Fleet, now)
            }
            ("GET", ["v1", "status", id]) => self.status(id, now),
            ("GET", ["v1", "deployments"]) => self.list(request, now),
            ("POST", ["v1", "deployments", "bulk-stop"]) => self.bulk_stop(request, now),
            (method @ ("GET" | "POST"), ["v1", "deployments", id, "tags"]) => {
                self.tags(method, request, id, now)
            }
            (method @ ("GET" | "PATCH" | "DELETE"), ["v1", "deployments", id, "tags", name]) => {
                self.tag(method, request, id, name, now)
            }
            ("GET", ["v1", "locations"]) => self.locations(request),
            ("GET", ["v1", "apps"]) => self.applications(request),
            ("GET", ["v1", "app", name, "versions"]) => self.versions(request, name),
            ("GET", ["v2", "private-fleets", name, "hosts"]) => self.fleet_hosts(name, now),
            ("DELETE", ["v1", "stop", id]) => self.stop(request, id, now),
            ("GET", ["v1", "deployment", id, "container-logs"]) => self.logs(id, now),
            ("GET", ["v1", "metrics", "deployment", id]) => self.metrics(request, id, now),
            _ => elsewhere(segments.as_slice()),
        }
    }

    fn create(&mut self, request: &Request, kind: Kind, now: Duration) -> Reply {
        if !self.creates.take(now, 1, CREATES_PER_SECOND).allowed {
            return too_many();
        }
        let body = match request.labelled_json_object() {
            Ok(body) => body,
            // 415 is not among the documented statuses; 400 is, for every mistake of the client's side.
            Err(problem) => return message(400, problem.words()),
        };
        let create = match Create::read(&body, kind) {
            Ok(create) => create,
            Err((field, problem)) => {
                let body = json!({ "message": format!("Invalid request: {field} {problem}"), "details": { field: problem } });
                return Reply::json(400, &body);
            }
        };
        // "Invalid Application or Application Version. No deployment has been created": the 400 of the fleet operation.
        if create.application != self.application {
            return unknown("application", &create.application);
        }
        if create.version != self.version {
            return unknown("version", &create.version);
        }
        let live = self
            .deployments
            .iter()
            .filter(|deployment| {
                matches!(
                    deployment.status(self.timing, now),
                    Status::Seeking | Status::Deploying | Status::Ready
                )
            })
            .count();
        let no_capacity = live >= self.capacity;
        // 12 hexadecimal digits: a69f8e3e0555 in the document.
        let id = self.ids.hex(12);
        self.deployments.push(Deployment {
            id: id.clone(),
            application: create.application,
            version: create.version,
            tags: create
                .tags
                .into_iter()
                .map(|name| Tag::new(name, now))
                .collect(),
            // The first of the given hosts that there is; any other is passed over.
            host: create
                .hosts
                .into_iter()
                .find(|host| *host == self.private_host_id),
            // 203.0.113.0/24 is kept for documentation (RFC 5737).
            address: format!("203.0.113.{}", 1 + self.ids.below(254)),
            port: 30_000 + self.ids.below(2_768),
            created_at: now,
            stop_asked_at: None,
            no_capacity,
            hooks: Hooks::read(&body),
        });
        if no_capacity {
            // A deployment exists all the same and is in error: the 422 of the fleet operation says so, that of the
            // other one has the same form.
            return Reply::json(
                422,
                &json!({ "request_id": id, "message": "Could not allocate an Edge Server" }),
            );
        }
        Reply::json(202, &json!({ "request_id": id }))
    }

    fn status(&mut self, id: &str, now: Duration) -> Reply {
        if !self.statuses.take(now, 1, STATUSES_PER_SECOND).allowed {
            return too_many();
        }
        match self
            .deployments
            .iter()
            .find(|deployment| deployment.id == id)
        {
            Some(deployment) => Reply::json(200, &deployment.describe(self.timing, now)),
            // 404 is documented; the live service was seen to answer 400
            // (edgegap/edgegap-agent-skills:skills/edgegap-unity/references).
            None => message(400, "Deployment not found"),
        }
    }

    fn list(&mut self, request: &Request, now: Duration) -> Reply {
        if !self.lists.take(now, 1, LISTS_PER_SECOND).allowed {
            return too_many();
        }
        let query = match request.query_value("query").map(Query::read) {
            None => Query::default(),
            Some(Ok(query)) => query,
            Some(Err(problem)) => return message(400, &problem),
        };
        // The newest first: no order is published for a list that asks for none, and this is the sandbox's own. What
        // has terminated is not in it: "List of active deployments" (edgegap-v1-openapi.yaml).
        let mut live: Vec<&Deployment> = self
            .deployments
            .iter()
            .rev()
            .filter(|deployment| {
                let status = deployment.status(self.timing, now);
                status != Status::Terminated && query.takes(deployment, status)
            })
            .collect();
        if query.oldest_first {
            live.reverse();
        }
        let describe = |deployment: &Deployment| deployment.summary(self.timing, now);
        match described_page(request, "data", live, describe) {
            Ok(mut body) => {
                body.insert("message".to_owned(), json!([]));
                Reply::json(200, &body.into())
            }
            Err(reply) => reply,
        }
    }

    fn stop(&mut self, request: &Request, id: &str, now: Duration) -> Reply {
        // "true", "false" or the name of a storage; there is none here, and what is stored is not seen.
        if request.query_value("container_log_storage") == Some("") {
            return message(400, "container_log_storage is empty");
        }
        let timing = self.timing;
        let Some(deployment) = self
            .deployments
            .iter_mut()
            .find(|deployment| deployment.id == id)
        else {
            return message(404, "Deployment not found");
        };
        match deployment.status(timing, now) {
            Status::Terminated => message(410, "Deployment already terminated"),
            // "Returns 200 or 202 if deployment status is not READY and not ERROR, and stops deployment once either of
            // these statuses is reached" (edgegap/openapi-specification:edgegap-v1-openapi.yaml), however often it is
            // asked for; the 410 there is for what has terminated. Which of 200 and 202 is the sandbox's own.
            Status::Seeking | Status::Deploying => {
                deployment.stop(now);
                message(202, "Deployment will be stopped")
            }
            Status::Terminating => message(202, "Deployment is being stopped"),
            Status::Ready | Status::Error => {
                deployment.stop(now);
                let body = json!({
                    "message": "Deployment is being stopped",
                    "deployment_summary": deployment.describe(timing, now),
                });
                Reply::json(200, &body)
            }
        }
    }
}

impl Checked for Edgegap {
    const PLATFORM: Platform = Platform::Edgegap;

    fn handle(&mut self, request: &Request, now: Duration) -> Reply {
        Edgegap::handle(self, request, now)
    }

    fn refuse(&mut self, trial: Self, _: &Reply, problem: &Problem) -> Reply {
        self.creates = trial.creates;
        self.statuses = trial.statuses;
        self.lists = trial.lists;
        self.hosts = trial.hosts;
        let body = json!({
            "message": format!("Invalid request: {problem}"),
            "details": { &problem.place: problem.what },
        });
        Reply::json(400, &body)
    }
}

/// Of what the document does not require some may be null and some may not: the latter are not there.
fn leave_out_nulls(body: &mut Value, names: &[&str]) {
    if let Some(body) = body.as_object_mut() {
        body.retain(|name, value| !value.is_null() || !names.contains(&name.as_str()));
    }
}

fn unknown(field: &str, value: &str) -> Reply {
    let body = json!({ "message": format!("Unknown {field} {value}"), "details": { field: "does not exist" } });
    Reply::json(400, &body)
}

/// The limits are documented, the reply beyond them is not: no Retry-After, to promise nothing.
fn too_many() -> Reply {
    message(429, "Too many requests")
}

/// What a known path answers to another method is documented nowhere; 405 with `Allow` is what HTTP has for it.
fn elsewhere(segments: &[&str]) -> Reply {
    let allowed = match segments {
        ["v2", "deployments"]
        | ["v2", "private-fleets", "deployments"]
        | ["v1", "deployments", "bulk-stop"] => "POST",
        ["v1", "status", _]
        | ["v1", "deployments" | "locations" | "apps"]
        | ["v1", "app", _, "versions"]
        | ["v2", "private-fleets", _, "hosts"]
        | ["v1", "deployment", _, "container-logs"]
        | ["v1", "metrics", "deployment", _] => "GET",
        ["v1", "deployments", _, "tags"] => "GET, POST",
        ["v1", "deployments", _, "tags", _] => "GET, PATCH, DELETE",
        ["v1", "stop", _] | ["v1", "self", "stop", _, _] => "DELETE",
        _ => return message(404, "Not found"),
    };
    message(405, "Method not allowed").with_header("allow", allowed)
}

fn message(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "message": text }))
}
