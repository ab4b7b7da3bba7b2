//! Nodion: applications, and what belongs to them.
//!
//! Bodies are those of <https://www.nodion.com/en/docs/api/application-deployments> and the pages beside it; the
//! pre-built image application answers as the newer examples of that page do.

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

/// An application is connected before it can be used here, and connecting deploys it once: 2026-01-05.
const CONNECTED_AT: Duration = Duration::from_secs(1_767_600_000);

/// The state of Nodion.
#[derive(Clone)]
pub struct Nodion {
    timing: Timing,
    ids: Ids,
    token: String,
    applications: Vec<Application>,
    /// The two that are there from the beginning: from git, and from an image.
    first: [String; 2],
}

/// When a request is answered, and how long things take.
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
            first: [git.id.clone(), image.id.clone()],
            applications: vec![git, image],
            timing,
            ids,
            token,
        }
    }

    /// The way in, for a server that listens at `base_url`.
    pub fn access(&self, base_url: &str) -> NodionAccess {
        let [git, image] = &self.first;
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
        // An unknown route is answered before the key is looked at. That is how Rails does it, whose form the 404 in
        // nrdcg/nodion:fixtures has; it was not seen of Nodion itself.
        if call.operation.is_none() {
            return Err(not_found());
        }
        // `Authorization: Bearer`: https://www.nodion.com/en/docs/api/authentication and nrdcg/nodion:client.go. The
        // body of a 401 was never seen; this is the framework's own form, as for 404.
        // The one key here is that of a project, which may do everything and for which `X-Nodion-Project` has no meaning.
        // The keys of users, which that page has as well, are not played: their scopes and the 403 without one, the
        // projects that they are for, their expiry. Of the scopes only `read` is known by name, and no 403 was seen.
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
        self.route(call).unwrap_or_else(|refusal| refusal)
    }

    fn violation_reply(&self, problem: &Violation) -> Reply {
        bad_request(&problem.to_string())
    }

    /// The newest first, each with the status of its latest deployment.
    fn resources(&self, now: Duration) -> Vec<ResourceSummary> {
        let clock = self.clock(now);
        let applications = self.applications.iter().rev();
        applications.map(|one| one.summary(clock)).collect()
    }
}

/// The number of deployments and the like.
impl fmt::Debug for Nodion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodion")
            .field("applications", &self.applications.len())
            .finish_non_exhaustive()
    }
}

/// Where the first item is that matches.
fn position<T>(all: &[T], matches: impl Fn(&T) -> bool) -> Result<usize, Reply> {
    all.iter().position(matches).ok_or_else(not_found)
}

/// 200 for everything, what is made included: the page's list of response codes.
fn envelope(key: &str, value: Value) -> HandlerResult {
    Ok(Reply::json(200, &json!({ key: value })))
}

fn list(key: &str, items: impl Iterator<Item = Value>) -> HandlerResult {
    envelope(key, items.collect())
}

/// One more property.
fn insert_field(body: &mut Value, name: &str, value: Value) {
    if let Some(map) = body.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
}

/// A body that has to be there. What Nodion answers where it is not, or is no JSON, is not known: the form of its other
/// 400s, in the sandbox's own words.
fn body_of(call: &Call) -> Result<Map<String, Value>, Reply> {
    let body = call.request.labelled_json_object();
    body.map_err(|problem| bad_request(problem.words()))
}

/// nrdcg/nodion:client.go, for DNS zones: the only deletion whose reply is known.
fn deleted() -> HandlerResult {
    envelope("deleted", Value::Bool(true))
}

/// nrdcg/nodion:fixtures, for an unknown id and an unknown route alike.
fn not_found() -> Reply {
    rails_error(404, "Not Found")
}

fn rails_error(status: u16, error: &str) -> Reply {
    Reply::json(status, &json!({ "status": status, "error": error }))
}

/// The form of a 400 in nrdcg/nodion:fixtures.
fn bad_request(text: &str) -> Reply {
    Reply::json(400, &json!({ "errors": [text] }))
}
