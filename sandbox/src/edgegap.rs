//! Edgegap: deployments of a game server, to the cloud and to a private fleet.
//!
//! The two create operations and the hosts are those of edgegap/openapi-specification:edgegap-v2-openapi.yaml; what else
//! there is to a deployment is that of its edgegap-v1-openapi.yaml. The texts of errors are the sandbox's own.

mod body;
mod catalogue;
mod deployment;
mod filter;
mod hooks;
mod observe;
mod stop;
mod tags;

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::access::EdgegapAccess;
use crate::call::{Call, Player, refusable};
use crate::contract::{Contract, Problem};
use crate::deployed::Deployed;
use crate::ids::Ids;
use crate::model::{Answer, Platform, Reply, Request, text_field};
use crate::state::Builder;
use crate::time::{Timing, Window};
use deployment::{Deployment, Status};
use filter::Query;
use hooks::Hooks;
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
    limits: Limits,
}

#[derive(Clone)]
struct Limits {
    creates: Window,
    statuses: Window,
    lists: Window,
    hosts: Window,
}

impl Edgegap {
    pub(crate) fn new(settings: &Builder, timing: Timing, seed: u64) -> Self {
        let mut ids = Ids::new(seed);
        let window = Window::new(settings.limits);
        Self {
            timing,
            capacity: settings.capacity,
            token: ids.uuid(),
            application: "my-app".to_owned(),
            version: "25.05.30-16.45.19-04".to_owned(),
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

    fn route(&mut self, call: &Call) -> Answer {
        // A container has a token of its own, without a word in front of it.
        if call.id() == "stop_own_deployment" {
            return self.stop_own_deployment(call);
        }
        // The token belongs to the organisation and opens everything, so it is asked for first.
        // `Authorization: token <uuid>`, the word once and in lower case: the vendor's API reference and
        // edgegap/edgegap-mcp:src/client.ts; `token token <uuid>` is the commonest set-up error in
        // edgegap/edgegap-agent-skills:skills/edgegap-unity/references/deploy.md.
        authorize(call, &format!("token {}", self.token))?;
        match call.id() {
            "create_deployment" | "create_fleet_deployment" => self.create(call),
            "get_deployment" => self.status(call),
            "list_deployments" => self.list(call),
            "stop_deployment" => self.stop(call),
            "stop_deployments" => self.stop_deployments(call),
            "list_deployment_tags" => self.list_tags(call),
            "add_deployment_tag" => self.add_tag(call),
            "get_deployment_tag" => self.get_tag(call),
            "rename_deployment_tag" => self.rename_tag(call),
            "delete_deployment_tag" => self.delete_tag(call),
            "list_locations" => self.locations(call),
            "list_applications" => self.applications(call),
            "list_versions" => self.versions(call),
            "list_fleet_hosts" => self.fleet_hosts(call),
            "get_container_logs" => self.logs(call),
            "get_deployment_metrics" => self.metrics(call),
            _ => call.example().ok_or_else(|| elsewhere(call)),
        }
    }

    fn create(&mut self, call: &Call) -> Answer {
        take(&mut self.limits.creates, call, CREATES_PER_SECOND)?;
        let body = body_of(call)?;
        if let Some(problem) = refusable(self, call) {
            return Err(refusal(problem));
        }
        body::check(&body)?;
        let text = |name: &str| text_field(&body, name).unwrap_or_default().to_owned();
        let (application, version) = (text("application"), text("version"));
        // "Invalid Application or Application Version. No deployment has been created": the 400 of the fleet operation.
        for (field, value, known) in [
            ("application", &application, &self.application),
            ("version", &version, &self.version),
        ] {
            if value != known {
                let message = format!("Unknown {field} {value}");
                let details = json!({ field: "does not exist" });
                return Err(details_reply(&message, details));
            }
        }
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
        // 12 hexadecimal digits: a69f8e3e0555 in the document.
        let id = self.ids.hex(12);
        self.deployments.push(Deployment {
            id: id.clone(),
            application,
            version,
            tags: texts("tags").map(|name| Tag::new(name, call.now)).collect(),
            // The first of the given hosts that there is; any other is passed over: a host that is not known is no
            // mistake, the deployment overflows to the cloud.
            host: texts("private_host_ids")
                .filter(|_| is_fleet)
                .find(|host| *host == self.private_host_id),
            // 203.0.113.0/24 is kept for documentation (RFC 5737).
            address: format!("203.0.113.{}", 1 + self.ids.below(254)),
            port: 30_000 + self.ids.below(2_768),
            created_at: call.now,
            stop_asked_at: None,
            no_capacity,
            hooks: Hooks::read(&body),
        });
        if no_capacity {
            // A deployment exists all the same and is in error: the 422 of the fleet operation says so, that of the
            // other one has the same form.
            let body = json!({ "request_id": id, "message": "Could not allocate an Edge Server" });
            return Ok(Reply::json(422, &body));
        }
        Ok(Reply::json(202, &json!({ "request_id": id })))
    }

    fn find(&self, id: &str) -> Option<&Deployment> {
        self.deployments
            .iter()
            .find(|deployment| deployment.id == id)
    }

    fn status(&mut self, call: &Call) -> Answer {
        take(&mut self.limits.statuses, call, STATUSES_PER_SECOND)?;
        // 404 is documented; the live service was seen to answer 400
        // (edgegap/edgegap-agent-skills:skills/edgegap-unity/references).
        let deployment = self.find(call.path("deployment_id"));
        let deployment = deployment.ok_or_else(|| message(400, "Deployment not found"))?;
        Ok(Reply::json(
            200,
            &deployment.describe(self.timing, call.now),
        ))
    }

    fn list(&mut self, call: &Call) -> Answer {
        take(&mut self.limits.lists, call, LISTS_PER_SECOND)?;
        let query = call.request.query_value("query").map(Query::read);
        let query = query
            .transpose()
            .map_err(|problem| message(400, &problem))?;
        let query = query.unwrap_or_default();
        // The newest first: no order is published for a list that asks for none, and this is the sandbox's own. What
        // has terminated is not in it: "List of active deployments" (edgegap-v1-openapi.yaml).
        let wanted = |deployment: &&Deployment| {
            let status = deployment.status(self.timing, call.now);
            status != Status::Terminated && query.takes(deployment, status)
        };
        let mut live: Vec<&Deployment> = self.deployments.iter().rev().filter(wanted).collect();
        if query.oldest_first {
            live.reverse();
        }
        let describe = |deployment: &Deployment| deployment.summary(self.timing, call.now);
        let mut body = page(call.request, "data", live, describe)?;
        body.insert("message".to_owned(), json!([]));
        Ok(Reply::json(200, &body.into()))
    }
}

impl Player for Edgegap {
    const PLATFORM: Platform = Platform::Edgegap;

    fn answer(&mut self, call: &Call) -> Reply {
        self.route(call).unwrap_or_else(|refusal| refusal)
    }

    fn refusal(&self, problem: &Problem) -> Reply {
        refusal(problem)
    }

    /// The newest first, those that have ended included.
    fn deployed(&self, now: Duration) -> Vec<Deployed> {
        let deployments = self.deployments.iter().rev();
        let deployments = deployments.map(|deployment| {
            let status = deployment.status(self.timing, now);
            let stops_at = deployment.stops_at(self.timing);
            let stopped_at = Some(stops_at).filter(|at| now >= *at);
            let address = || format!("{}:{}", deployment.address, deployment.port);
            Deployed {
                kind: "deployment",
                name: deployment.id.clone(),
                deployment: None,
                state: status.wire().to_owned(),
                since: stopped_at.unwrap_or(deployment.created_at),
                address: (status == Status::Ready).then(address),
            }
        });
        deployments.collect()
    }
}

/// The number of deployments.
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

/// The limits are documented, the reply beyond them is not: no Retry-After, to promise nothing.
fn take(window: &mut Window, call: &Call, limit: u64) -> Result<(), Reply> {
    let taken = window.take(call.now, 1, limit);
    let too_many = || message(429, "Too many requests");
    taken.allowed.then_some(()).ok_or_else(too_many)
}

/// 415 is not among the documented statuses; 400 is, for every mistake of the client's side.
fn body_of(call: &Call) -> Result<Map<String, Value>, Reply> {
    let body = call.request.labelled_json_object();
    body.map_err(|problem| message(400, problem.words()))
}

/// One page of a list of edgegap/openapi-specification:edgegap-v1-openapi.yaml, under this key; pages are numbered from 1.
/// Only the items on the page are described: there may be many thousands.
fn page<T>(
    request: &Request,
    key: &str,
    items: Vec<T>,
    describe: impl Fn(T) -> Value,
) -> Result<Map<String, Value>, Reply> {
    let number = |name: &str, otherwise: usize| match request.query_value(name) {
        None => Some(otherwise),
        // `int64` in the file.
        Some(text) => usize::try_from(text.parse::<i64>().ok()?)
            .ok()
            .filter(|number| *number > 0),
    };
    // How many there are on a page without `limit` is not published: ten is the sandbox's own.
    let (Some(page), Some(limit)) = (number("page", 1), number("limit", 10)) else {
        return Err(message(400, "page and limit must be at least 1"));
    };
    let total = items.len();
    let pages = total.div_ceil(limit).max(1);
    let first = (page - 1).saturating_mul(limit);
    let some = items.into_iter().skip(first).take(limit);
    let some: Vec<Value> = some.map(describe).collect();
    let pagination = json!({
        "number": page,
        "next_page_number": (page < pages).then(|| page + 1),
        "previous_page_number": (page > 1).then(|| page - 1),
        "paginator": { "num_pages": pages },
        "has_next": page < pages,
        "has_previous": page > 1,
    });
    Ok(Map::from_iter([
        (key.to_owned(), Value::Array(some)),
        ("total_count".to_owned(), json!(total)),
        ("pagination".to_owned(), pagination),
    ]))
}

/// A page of items as they are.
fn paged(request: &Request, key: &str, items: Vec<Value>) -> Answer {
    let body = page(request, key, items, |item| item)?;
    Ok(Reply::json(200, &body.into()))
}

/// Of what the document does not require some may be null and some may not: the latter are not there.
fn leave_out_nulls(body: &mut Value, names: &[&str]) {
    if let Some(body) = body.as_object_mut() {
        body.retain(|name, value| !value.is_null() || !names.contains(&name.as_str()));
    }
}

/// What a known path answers to another method is documented nowhere; 405 with `Allow` is what HTTP has for it.
fn elsewhere(call: &Call) -> Reply {
    let allowed = Contract::of(Platform::Edgegap).allowed(&call.request.path);
    if allowed.is_empty() {
        return message(404, "Not found");
    }
    message(405, "Method not allowed").with_header("allow", allowed)
}

/// A request that the spec does not allow.
fn refusal(problem: &Problem) -> Reply {
    let details = json!({ &problem.place: problem.what });
    details_reply(&format!("Invalid request: {problem}"), details)
}

fn details_reply(text: &str, details: Value) -> Reply {
    Reply::json(400, &json!({ "message": text, "details": details }))
}

fn message(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "message": text }))
}
