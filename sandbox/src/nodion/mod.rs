//! Nodion: applications and their resources.
//!
//! Bodies follow <https://www.nodion.com/en/docs/api/application-deployments> and its sibling pages,
//! including the newer examples for pre-built images.

mod applications;
mod deployments;
mod domains;
mod env;
mod logs;
mod scaling;

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::credentials::NodionAccess;
use crate::ids::Ids;
use crate::platform::{Call, Platform, PlatformState, ResourceSummary};
use crate::reply::{HandlerResult, Reply};
use crate::spec::Violation;
use crate::time::Timing;
use applications::Application;

/// 2026-01-05: creation and first deployment of the initial applications.
const CONNECTED_AT: Duration = Duration::from_secs(1_767_600_000);

/// The state of Nodion.
#[derive(Clone)]
pub struct Nodion {
    timing: Timing,
    ids: Ids,
    token: String,
    applications: Vec<Application>,
    /// Ids of the two initial applications: one from git, one from an image.
    initial: [String; 2],
}

/// The time of a request, and the timing of deployments.
#[derive(Clone, Copy)]
struct Now {
    timing: Timing,
    now: Duration,
}

impl Nodion {
    pub(crate) fn new(timing: Timing, seed: u64) -> Self {
        let mut ids = Ids::new(seed);
        let token = ids.alphanumeric(40);
        let git = Application::connected(&mut ids, "My App", None);
        let image = Application::connected(&mut ids, "My Image", Some("docker.io/nginx"));
        Self {
            initial: [git.id.clone(), image.id.clone()],
            applications: vec![git, image],
            timing,
            ids,
            token,
        }
    }

    /// Credentials and initial ids, for a server at `base_url`.
    pub fn access(&self, base_url: &str) -> NodionAccess {
        let [git, image] = &self.initial;
        NodionAccess {
            base_url: base_url.to_owned(),
            token: self.token.clone(),
            application_id: git.clone(),
            image_application_id: image.clone(),
            region_id: applications::REGIONS[0].id.to_owned(),
            instance_type_id: applications::TYPES[0].id.to_owned(),
        }
    }

    fn clock(&self, now: Duration) -> Now {
        let timing = self.timing;
        Now { timing, now }
    }

    fn route(&mut self, call: &Call) -> HandlerResult {
        // Assumption: an unknown route gets 404 even without a valid key. Rails does this, and the 404 in
        // nrdcg/nodion:fixtures has the body of Rails.
        if call.operation.is_none() {
            return Err(not_found());
        }
        // `Authorization: Bearer` (https://www.nodion.com/en/docs/api/authentication,
        // nrdcg/nodion:client.go). The body of a 401 was not observed; it is assumed to be like the 404. The
        // only key belongs to a project and has all permissions. Keys of users (scopes, `X-Nodion-Project`,
        // expiry, 403) are not modelled: of their scopes, only the name `read` is known.
        let expected = format!("Bearer {}", self.token);
        if call.request.header("authorization") != Some(expected.as_str()) {
            return Err(rails_error(401, "Unauthorized"));
        }
        let clock = self.clock(call.now);
        let id = call.path("application_id");
        match call.id() {
            "list_regions" => applications::regions(),
            "list_instance_types" => applications::instance_types(),
            "list_applications" => {
                let all = self.applications.iter();
                list("applications", all.map(|one| one.describe(clock)))
            }
            "create_application" => {
                let application = Application::create(&mut self.ids, &body_of(call)?, clock)?;
                let body = application.describe(clock);
                self.applications.push(application);
                envelope("application", body)
            }
            "delete_application" => {
                let at = position(&self.applications, |one| one.id == id)?;
                self.applications.remove(at);
                deleted()
            }
            _ if id.is_empty() => call.example().ok_or_else(not_found),
            _ => {
                let found = self.applications.iter_mut().find(|one| one.id == id);
                let application = found.ok_or_else(not_found)?;
                application.answer(call, &mut self.ids, clock)
            }
        }
    }
}

impl PlatformState for Nodion {
    const PLATFORM: Platform = Platform::Nodion;

    fn handle(&mut self, call: &Call) -> Reply {
        self.route(call).unwrap_or_else(|reply| reply)
    }

    fn violation_reply(&self, violation: &Violation) -> Reply {
        bad_request(&violation.to_string())
    }

    /// All applications, newest first, each with the status of its latest deployment.
    fn resources(&self, now: Duration) -> Vec<ResourceSummary> {
        let clock = self.clock(now);
        let applications = self.applications.iter().rev();
        applications.map(|one| one.summary(clock)).collect()
    }
}

/// Shows counts only.
impl fmt::Debug for Nodion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodion")
            .field("applications", &self.applications.len())
            .finish_non_exhaustive()
    }
}

/// Index of the first match, or 404.
fn position<T>(all: &[T], matches: impl Fn(&T) -> bool) -> Result<usize, Reply> {
    all.iter().position(matches).ok_or_else(not_found)
}

/// A 200 reply with one key. The reference documents 200 for creations too.
fn envelope(key: &str, value: Value) -> HandlerResult {
    Ok(Reply::json(200, &json!({ key: value })))
}

fn list(key: &str, items: impl Iterator<Item = Value>) -> HandlerResult {
    envelope(key, items.collect())
}

/// Inserts a field into a JSON object.
fn insert_field(body: &mut Value, name: &str, value: Value) {
    if let Some(map) = body.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
}

/// The JSON body. The real reply to a missing or invalid body is unknown; this 400 and its message are made
/// up.
fn body_of(call: &Call) -> Result<Map<String, Value>, Reply> {
    let body = call.request.typed_json_object();
    body.map_err(|error| bad_request(error.message()))
}

/// The reply to a delete. The only known example is the reply for DNS zones (nrdcg/nodion:client.go).
fn deleted() -> HandlerResult {
    envelope("deleted", Value::Bool(true))
}

/// The 404 for unknown ids and unknown routes, from nrdcg/nodion:fixtures.
fn not_found() -> Reply {
    rails_error(404, "Not Found")
}

fn rails_error(status: u16, error: &str) -> Reply {
    Reply::json(status, &json!({ "status": status, "error": error }))
}

/// A 400 with one message, in the format of nrdcg/nodion:fixtures.
fn bad_request(text: &str) -> Reply {
    Reply::json(400, &json!({ "errors": [text] }))
}
