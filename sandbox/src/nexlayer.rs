//! Nexlayer: apps from a manifest, sessions, extensions and reservations.
//!
//! Replies have the nested `status`, `extend` and `claim` objects of the page
//! <https://nexlayer.com/docs/api/deployments>. Where the page names a text, it is sent as it stands; where it names
//! none, the words here are the sandbox's own, and a client must not depend on them.

mod beside;
mod bounds;
mod checked;
mod environment;
mod manifest;
mod view;

use std::time::Duration;

use serde_json::{Value, json};

use crate::access::NexlayerAccess;
use crate::clock::END;
use crate::ids::Ids;
use crate::model::{Reply, Request, text_field};
use crate::time::{Stage, Timing, rfc3339};

// 30 minutes, one extension of 120: the example of the page says 150 minutes and 0 extensions after the first one
// (Nexlayer/docs:data/openapi.json has the 30).
const LIFETIME: Duration = Duration::from_secs(30 * 60);
const EXTENSION: Duration = Duration::from_secs(120 * 60);
const EXTENSIONS: u32 = 1;
// "within the next 10 minutes": the texts of the two remove operations on the page.
const CLEANUP: Duration = Duration::from_secs(10 * 60);

/// What the user pays for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Plan {
    /// No plan: reservations are refused.
    Free,
    /// The plan Scale.
    #[default]
    Scale,
    /// The plan Conquer.
    Conquer,
}

/// The state of Nexlayer.
#[derive(Clone)]
pub struct Nexlayer {
    plan: Plan,
    /// Whether it has the route that newer files of the vendor lack.
    pods_status: bool,
    timing: Timing,
    /// Where the server around it listens, if there is one.
    server: Option<String>,
    ids: Ids,
    sessions: Vec<Session>,
}

#[derive(Clone, Debug)]
struct Session {
    token: String,
    applications: Vec<Application>,
}

#[derive(Clone, Debug)]
struct Application {
    name: String,
    pods: Vec<String>,
    environment: String,
    created_at: Duration,
    deployed_at: Duration,
    expires_at: Duration,
    gone_at: Duration,
    extensions: u32,
    reserved: bool,
}

impl Nexlayer {
    pub(crate) fn new(plan: Plan, pods_status: bool, timing: Timing, seed: u64) -> Self {
        Self {
            plan,
            pods_status,
            timing,
            server: None,
            ids: Ids::new(seed),
            sessions: Vec::new(),
        }
    }

    /// The way in, for a server that listens at `base_url`.
    pub fn access(&self, base_url: &str) -> NexlayerAccess {
        NexlayerAccess {
            base_url: base_url.to_owned(),
        }
    }

    /// Lets the sites be paths of a server.
    pub(crate) fn listen_at(&mut self, base_url: &str) {
        self.server = Some(base_url.to_owned());
    }

    /// Answers one request at `now`, the time since the Unix epoch.
    pub fn handle(&mut self, request: &Request, now: Duration) -> Reply {
        let now = now.min(END);
        self.sweep(now);
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        if let Some(label) = beside::site_of(request, &segments) {
            let mut apps = self
                .sessions
                .iter()
                .flat_map(|session| &session.applications);
            let app = apps.find(|app| app.label() == label);
            return beside::site(app, self.timing, now);
        }
        let query_token = request.query_value("sessionToken");
        let timing = self.timing;
        let reply = match (request.method.as_str(), segments.as_slice()) {
            ("POST", ["startUserDeployment"]) => self.start(request, query_token, now),
            // The token as last path segment: Nexlayer/website:.github/workflows/deploy.yml
            ("POST", ["startUserDeployment", token]) => self.start(request, Some(token), now),
            ("POST", ["updateUserDeployment"]) => self.update(request, query_token, now),
            ("POST", ["extendDeployment"]) => {
                self.with_application(request, |app, _, _| extend(app, now))
            }
            ("POST", ["claimDeployment"]) => {
                self.with_application(request, |_, token, _| claim(token))
            }
            ("GET", ["getReservations"]) => self.reservations(query_token, now),
            ("POST", ["addDeploymentReservation"]) => {
                self.with_application(request, |app, _, plan| reserve(app, plan))
            }
            ("POST", ["removeDeploymentReservation"]) => {
                self.with_application(request, |app, _, _| remove_reservation(app, now))
            }
            ("POST", ["removeReservations"]) => self.remove_reservations(request, now),
            ("POST", ["getPodsStatus"]) if self.pods_status => {
                self.with_application(request, |app, _, _| beside::pods(app, timing, now))
            }
            ("POST", ["validate"]) => beside::validate(request),
            ("GET", ["schema"]) => Reply::json(200, &manifest::schema()),
            ("POST", ["feedback"]) => beside::feedback(request),
            // Express's own page for a route that is not there, wrong method included (never 405).
            (method, _) => Reply::text(
                404,
                "text/html; charset=utf-8",
                &format!(
                    "<!DOCTYPE html>\n<pre>Cannot {method} {}</pre>\n",
                    request.path.replace('<', "&lt;")
                ),
            ),
        };
        checked::powered(reply)
    }

    /// A session lasts as long as it has deployments or reservations (<https://nexlayer.com/docs/api/authentication>).
    fn sweep(&mut self, now: Duration) {
        for session in &mut self.sessions {
            session
                .applications
                .retain(|app| app.reserved || now < app.gone_at);
        }
        self.sessions
            .retain(|session| !session.applications.is_empty());
    }

    fn start(&mut self, request: &Request, token: Option<&str>, now: Duration) -> Reply {
        let manifest = match manifest_of(request) {
            Ok(manifest) => manifest,
            Err(reply) => return reply,
        };
        let at = match token {
            // What an unknown token does here is documented nowhere; a new session would hide the mistake.
            Some(token) => match self
                .sessions
                .iter()
                .position(|session| session.token == token)
            {
                Some(at) => at,
                None => return failure(400, "Invalid session token"),
            },
            None => {
                // 12 letters and digits in every example: dCf0NdAQ64j6.
                let token = self.ids.alphanumeric(12);
                self.sessions.push(Session {
                    token,
                    applications: Vec::new(),
                });
                self.sessions.len() - 1
            }
        };
        let environment = self.environment();
        let (timing, server) = (self.timing, self.server.as_deref());
        let Some(session) = self.sessions.get_mut(at) else {
            return failure(500, "Internal server error");
        };
        // The vendor's own workflow redeploys by a start with the token
        // (Nexlayer/website:.github/workflows/deploy.yml); environment and lifetime stay.
        let known = session
            .applications
            .iter()
            .position(|app| app.name == manifest.name);
        let at = known.unwrap_or_else(|| {
            session.applications.push(Application {
                name: manifest.name,
                pods: Vec::new(),
                environment,
                created_at: now,
                deployed_at: now,
                expires_at: now + LIFETIME,
                gone_at: now + LIFETIME,
                extensions: EXTENSIONS,
                reserved: false,
            });
            session.applications.len() - 1
        });
        let token = session.token.clone();
        match session.applications.get_mut(at) {
            Some(app) => {
                app.deployed_at = now;
                app.pods = manifest.pods;
                let words = "Deployment started successfully";
                deployment(app, &token, words, timing, server, now)
            }
            None => failure(500, "Internal server error"),
        }
    }

    fn update(&mut self, request: &Request, token: Option<&str>, now: Duration) -> Reply {
        // "Required" in the parameter table of the page.
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return failure(400, "sessionToken is required");
        };
        let manifest = match manifest_of(request) {
            Ok(manifest) => manifest,
            Err(reply) => return reply,
        };
        let (timing, server) = (self.timing, self.server.as_deref());
        let Some(session) = self
            .sessions
            .iter_mut()
            .find(|session| session.token == token)
        else {
            return failure(400, "Invalid session token");
        };
        // There is no applicationName parameter: the manifest's name and the token find the app.
        let mut apps = session.applications.iter_mut();
        let Some(app) = apps.find(|app| app.name == manifest.name) else {
            return failure(400, "Application not found");
        };
        app.deployed_at = now;
        app.pods = manifest.pods;
        // Nexlayer/docs:data/openapi.json answers an update with the body of a start; its message is known nowhere.
        let words = "Deployment updated successfully";
        deployment(app, token, words, timing, server, now)
    }

    /// Runs `action` on the application that the body `{applicationName, sessionToken}` names.
    fn with_application(
        &mut self,
        request: &Request,
        action: impl FnOnce(&mut Application, &str, Plan) -> Reply,
    ) -> Reply {
        let body = match request.labelled_json_object() {
            Ok(body) => body,
            Err(problem) => return failure(400, problem.words()),
        };
        let Some(name) = text_field(&body, "applicationName") else {
            return failure(400, "applicationName is required");
        };
        let Some(token) = text_field(&body, "sessionToken") else {
            return failure(400, "sessionToken is required");
        };
        let app = self
            .sessions
            .iter_mut()
            .filter(|session| session.token == token)
            .flat_map(|session| session.applications.iter_mut())
            .find(|app| app.name == name);
        match app {
            Some(app) => action(app, token, self.plan),
            // The page's text; Nexlayer/docs:data/openapi.json uses it for an unknown token too.
            None => failure(400, "Application not found"),
        }
    }

    fn reservations(&self, token: Option<&str>, now: Duration) -> Reply {
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return failure(400, "sessionToken is required");
        };
        let Some(session) = self.sessions.iter().find(|session| session.token == token) else {
            // Status and body for an unknown token are documented nowhere.
            return failure(400, "Invalid session token");
        };
        let items: Vec<Value> = session
            .applications
            .iter()
            .filter(|app| app.reserved)
            .map(|app| {
                json!({
                    "applicationName": app.name,
                    "environment": app.environment,
                    "url": app.url(self.server.as_deref()),
                    "status": app.status(self.timing, now),
                    "createdAt": rfc3339(app.created_at),
                    "expiresAt": rfc3339(app.expires_at),
                })
            })
            .collect();
        Reply::json(200, &json!({ "reservedDeployments": items }))
    }

    /// The text of the page. Nexlayer/docs:data/openapi.json has a 400 without a body: the words are the sandbox's own.
    fn remove_reservations(&mut self, request: &Request, now: Duration) -> Reply {
        let body = match request.labelled_json_object() {
            Ok(body) => body,
            Err(problem) => return failure(400, problem.words()),
        };
        let Some(token) = text_field(&body, "sessionToken") else {
            return failure(400, "sessionToken is required");
        };
        let Some(session) = self
            .sessions
            .iter_mut()
            .find(|session| session.token == token)
        else {
            return failure(400, "Invalid session token");
        };
        for app in session.applications.iter_mut().filter(|app| app.reserved) {
            app.release(now);
        }
        bare_text(
            "Application reservations have been removed. If deployments have reached their time limits, application \
             sites will be removed within 10 minutes.",
        )
    }
}

impl Application {
    /// `{state, progress}` while it works, as in the page's start example, `{state}` alone after that, as in its
    /// reservation example. The page has one progress, 0: that it goes up to 100 is the sandbox's own.
    fn status(&self, timing: Timing, now: Duration) -> Value {
        match timing.stage(self.deployed_at, now) {
            Stage::Queued | Stage::Working => {
                json!({ "state": "deploying", "progress": timing.percent(self.deployed_at, now) })
            }
            Stage::Done => json!({ "state": "running" }),
            // Nexlayer/nexlayer-cli:pkg/core/api/client.go ends its wait on this word.
            Stage::Failed => json!({ "state": "failed" }),
        }
    }

    /// "If deployments have reached their time limits, application sites will be removed within 10 minutes", says the
    /// text for all reservations. That of one promises the 10 minutes without the condition; that the limit counts there
    /// as well is the sandbox's own, as is that they are used up.
    fn release(&mut self, now: Duration) {
        self.reserved = false;
        self.gone_at = if now < self.expires_at {
            self.expires_at
        } else {
            now + CLEANUP
        };
    }
}

fn deployment(
    app: &Application,
    token: &str,
    message: &str,
    timing: Timing,
    server: Option<&str>,
    now: Duration,
) -> Reply {
    let body = json!({
        "message": message,
        "url": app.url(server),
        "sessionToken": token,
        "applicationName": app.name,
        "environment": app.environment,
        "status": app.status(timing, now),
        "extend": { "available": app.extensions > 0, "expiresAt": rfc3339(app.expires_at) },
        // A claim is completed in the browser, which nobody does here.
        "claim": { "claimed": false },
    });
    Reply::json(200, &body)
}

fn extend(app: &mut Application, now: Duration) -> Reply {
    // The page: free deployments have limited extensions. The text of a refusal is documented nowhere.
    let Some(left) = app.extensions.checked_sub(1) else {
        return failure(400, "No extensions remaining");
    };
    app.extensions = left;
    app.expires_at += EXTENSION;
    app.gone_at = app.gone_at.max(app.expires_at);
    let minutes = app.expires_at.saturating_sub(now).as_secs_f64() / 60.0;
    bare_text(&format!(
        "Application {} has been extended. Environment will expire in {} minutes. {left} extension(s) remaining.",
        app.name,
        minutes.ceil(),
    ))
}

fn claim(token: &str) -> Reply {
    let body = json!({
        "message": "You're almost there! Visit the claim URL to finalize your deployment.",
        "claimUrl": format!("https://app.nexlayer.io/claim/{token}"),
        "claimToken": token,
    });
    Reply::json(200, &body)
}

fn reserve(app: &mut Application, plan: Plan) -> Reply {
    if plan == Plan::Free {
        // A business rule as a 500, text and all, on the page.
        return failure(
            500,
            "User is not on the Scale or Conquer plan. Please upgrade your plan to add a reservation.",
        );
    }
    // The text of the page. What a second reservation answers is not known: the same here.
    app.reserved = true;
    message(&format!(
        "Application {} reservation has been added.",
        app.name
    ))
}

fn remove_reservation(app: &mut Application, now: Duration) -> Reply {
    if !app.reserved {
        // Nexlayer/docs:data/openapi.json, a 500 again.
        return failure(
            500,
            &format!(
                "Application {} reservation has already been removed.",
                app.name
            ),
        );
    }
    app.release(now);
    message(&format!(
        "Application {} reservation has been removed. Application site will be removed within the next 10 minutes.",
        app.name,
    ))
}

/// The manifest in the body, or the refusal.
fn manifest_of(request: &Request) -> Result<manifest::Manifest, Reply> {
    // The page says text/x-yaml; Nexlayer/nexlayer-mcp:services/nexlayer-api.ts sends text/yaml.
    if !matches!(
        request.media_type().as_deref(),
        Some("text/x-yaml" | "text/yaml")
    ) {
        return Err(failure(400, "Content-Type must be text/x-yaml"));
    }
    let manifest: Value =
        serde_saphyr::from_slice(&request.body).map_err(|_| failure(400, "Invalid YAML"))?;
    manifest::read(&manifest).map_err(|findings| {
        let first = findings.first();
        let words = first.map(|finding| format!("{} {}", finding.path, finding.message));
        failure(400, &words.unwrap_or_default())
    })
}

/// A string handed to Express goes out as bare text under text/html, though the page prints it in quotes
/// (Nexlayer/docs:data/openapi.json types extend and removeReservations so).
fn bare_text(text: &str) -> Reply {
    Reply::text(200, "text/html; charset=utf-8", text)
}

fn message(text: &str) -> Reply {
    Reply::json(200, &json!({ "message": text }))
}

fn failure(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "error": text }))
}
