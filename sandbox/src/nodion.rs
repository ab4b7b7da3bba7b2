//! Nodion: applications, and what belongs to them.
//!
//! Bodies are those of <https://www.nodion.com/en/docs/api/application-deployments> and the pages beside it; the
//! pre-built image application answers as the newer examples of that page do.

mod applications;
mod bounds;
mod deployments;
mod domains;
mod env;
mod logs;
mod scaling;
mod view;

use std::time::Duration;

use serde_json::{Value, json};

use crate::access::NodionAccess;
use crate::clock::END;
use crate::contract::{Checked, Problem};
use crate::ids::Ids;
use crate::model::{Platform, Reply, Request};
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
struct Clock {
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

    /// Answers one request at `now`, the time since the Unix epoch.
    pub fn handle(&mut self, request: &Request, now: Duration) -> Reply {
        let now = now.min(END);
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let method = request.method.as_str();
        if !is_known(method, &segments) {
            return not_found();
        }
        // `Authorization: Bearer`: https://www.nodion.com/en/docs/api/authentication and nrdcg/nodion:client.go. The
        // body of a 401 was never seen; this is the framework's own form, as for 404.
        // The one key here is that of a project, which may do everything and for which `X-Nodion-Project` has no meaning.
        // The keys of users, which that page has as well, are not played: their scopes and the 403 without one, the
        // projects that they are for, their expiry. Of the scopes only `read` is known by name, and no 403 was seen.
        let expected = format!("Bearer {}", self.token);
        if request.header("authorization") != Some(expected.as_str()) {
            return rails(401, "Unauthorized");
        }
        let clock = Clock {
            timing: self.timing,
            now,
        };
        let result = match (method, segments.get(1..).unwrap_or_default()) {
            (_, ["regions"]) => Ok(applications::regions()),
            (_, ["instance_types"]) => Ok(applications::instance_types()),
            ("GET", ["applications"]) => {
                let all = self.applications.iter();
                let all: Vec<Value> = all.map(|one| one.describe(clock)).collect();
                Ok(Reply::json(200, &json!({ "applications": all })))
            }
            (_, ["applications"]) => self.create(request, clock),
            ("DELETE", ["applications", id]) => self.delete(id),
            (_, ["applications", id, rest @ ..]) => {
                let found = self.applications.iter_mut().find(|one| one.id == *id);
                match found {
                    Some(application) => application.handle(request, rest, &mut self.ids, clock),
                    None => Err(not_found()),
                }
            }
            _ => Err(not_found()),
        };
        result.unwrap_or_else(|refusal| refusal)
    }

    fn create(&mut self, request: &Request, clock: Clock) -> Result<Reply, Reply> {
        let application = Application::create(&mut self.ids, &body_of(request)?, clock)?;
        let body = json!({ "application": application.describe(clock) });
        self.applications.push(application);
        // 200, as with a deployment: the page's list of response codes.
        Ok(Reply::json(200, &body))
    }

    fn delete(&mut self, id: &str) -> Result<Reply, Reply> {
        let before = self.applications.len();
        self.applications.retain(|one| one.id != id);
        if self.applications.len() == before {
            return Err(not_found());
        }
        Ok(deleted())
    }
}

impl Checked for Nodion {
    const PLATFORM: Platform = Platform::Nodion;

    fn handle(&mut self, request: &Request, now: Duration) -> Reply {
        Nodion::handle(self, request, now)
    }

    fn refuse(&mut self, _: Self, _: &Reply, problem: &Problem) -> Reply {
        errors(&problem.to_string())
    }
}

/// The routes, whoever asks: an unknown one is answered before the key is looked at. That is how Rails does it, whose
/// form the 404 in nrdcg/nodion:fixtures has; it was not seen of Nodion itself.
fn is_known(method: &str, segments: &[&str]) -> bool {
    let ["v1", rest @ ..] = segments else {
        return false;
    };
    matches!(
        (method, rest),
        ("GET", ["regions" | "instance_types"])
            | ("GET" | "POST", ["applications"])
            | ("GET" | "PATCH" | "DELETE", ["applications", _])
            | (
                "GET" | "POST",
                [
                    "applications",
                    _,
                    "deployments" | "scaling_events" | "env_variables" | "domains"
                ],
            )
            | (
                "GET",
                ["applications", _, "instances" | "processes" | "logs"]
            )
            | ("PATCH", ["applications", _, "processes", _])
            | (
                "GET" | "PATCH" | "DELETE",
                ["applications", _, "env_variables", _],
            )
            | ("DELETE", ["applications", _, "domains", _])
            | (
                "POST",
                ["applications", _, "domains", _, "verify" | "connect"],
            )
    )
}

/// One more property.
fn add(body: &mut Value, name: &str, value: Value) {
    if let Some(map) = body.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
}

/// A body that has to be there. What Nodion answers where it is not, or is no JSON, is not known: the form of its other
/// 400s, in the sandbox's own words.
fn body_of(request: &Request) -> Result<serde_json::Map<String, Value>, Reply> {
    request
        .labelled_json_object()
        .map_err(|problem| errors(problem.words()))
}

/// nrdcg/nodion:client.go, for DNS zones: the only deletion whose reply is known.
fn deleted() -> Reply {
    Reply::json(200, &json!({ "deleted": true }))
}

/// nrdcg/nodion:fixtures, for an unknown id and an unknown route alike.
fn not_found() -> Reply {
    rails(404, "Not Found")
}

fn rails(status: u16, error: &str) -> Reply {
    Reply::json(status, &json!({ "status": status, "error": error }))
}

/// The form of a 400 in nrdcg/nodion:fixtures.
fn errors(text: &str) -> Reply {
    Reply::json(400, &json!({ "errors": [text] }))
}
