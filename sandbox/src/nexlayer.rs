//! Nexlayer: apps from a manifest, sessions, extensions and reservations.
//!
//! Replies have the nested `status`, `extend` and `claim` objects of the page
//! <https://nexlayer.com/docs/api/deployments>. Where the page names a text, it is sent as it stands; where it names
//! none, the words here are the sandbox's own, and a client must not depend on them.

mod beside;
mod manifest;

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::access::NexlayerAccess;
use crate::call::{Call, Player};
use crate::contract::Problem;
use crate::deployed::Deployed;
use crate::ids::Ids;
use crate::model::{Answer, Platform, Reply, text_field};
use crate::state::Builder;
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
    pub(crate) fn new(settings: &Builder, timing: Timing, seed: u64) -> Self {
        Self {
            plan: settings.plan,
            pods_status: settings.pods_status,
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

    fn route(&mut self, call: &Call) -> Answer {
        let (timing, now) = (self.timing, call.now);
        match (call.id(), call.segments().as_slice()) {
            // The token as last path segment: Nexlayer/website:.github/workflows/deploy.yml
            (_, ["startUserDeployment", token]) if call.method() == "POST" => {
                self.start(call, Some(token))
            }
            ("start_user_deployment", _) => {
                self.start(call, call.request.query_value("sessionToken"))
            }
            ("update_user_deployment", _) => self.update(call),
            ("extend_deployment", _) => extend(self.named(call)?.0, now),
            ("claim_deployment", _) => {
                let (_, token) = self.named(call)?;
                Ok(claim(&token))
            }
            ("get_reservations", _) => self.reservations(call),
            ("add_deployment_reservation", _) => {
                let plan = self.plan;
                reserve(self.named(call)?.0, plan)
            }
            ("remove_deployment_reservation", _) => remove_reservation(self.named(call)?.0, now),
            ("remove_reservations", _) => self.remove_reservations(call),
            ("get_pods_status", _) if !self.pods_status => Err(not_routed(call)),
            ("get_pods_status", _) => Ok(beside::pods(self.named(call)?.0, timing, now)),
            ("validate_manifest", _) => beside::validate(call),
            ("get_schema", _) => Ok(Reply::json(200, &manifest::schema())),
            ("send_feedback", _) => beside::feedback(call),
            _ => call.example().ok_or_else(|| not_routed(call)),
        }
    }

    /// A session lasts as long as it has deployments or reservations (<https://nexlayer.com/docs/api/authentication>).
    fn sweep(&mut self, now: Duration) {
        for session in &mut self.sessions {
            session.applications.retain(|app| app.is_there(now));
        }
        self.sessions
            .retain(|session| !session.applications.is_empty());
    }

    fn session(&mut self, token: &str) -> Result<&mut Session, Reply> {
        let found = self
            .sessions
            .iter_mut()
            .find(|session| session.token == token);
        // Status and body for an unknown token are documented nowhere.
        found.ok_or_else(|| failure(400, "Invalid session token"))
    }

    fn start(&mut self, call: &Call, token: Option<&str>) -> Answer {
        let manifest = manifest_of(call)?;
        let now = call.now;
        let token = match token {
            // What an unknown token does here is documented nowhere; a new session would hide the mistake.
            Some(token) => self.session(token)?.token.clone(),
            None => {
                // 12 letters and digits in every example: dCf0NdAQ64j6.
                let token = self.ids.alphanumeric(12);
                self.sessions.push(Session {
                    token: token.clone(),
                    applications: Vec::new(),
                });
                token
            }
        };
        // jolly-tapir on the page. The digits keep the sites of two applications apart.
        let environment = format!("jolly-tapir-{}", self.ids.hex(6));
        let session = self.session(&token)?;
        // The vendor's own workflow redeploys by a start with the token
        // (Nexlayer/website:.github/workflows/deploy.yml); environment and lifetime stay.
        if !session
            .applications
            .iter()
            .any(|app| app.name == manifest.name)
        {
            session.applications.push(Application {
                name: manifest.name.clone(),
                pods: Vec::new(),
                environment,
                created_at: now,
                deployed_at: now,
                expires_at: now + LIFETIME,
                gone_at: now + LIFETIME,
                extensions: EXTENSIONS,
                reserved: false,
            });
        }
        self.deploy(&token, manifest, "Deployment started successfully", now)
    }

    fn update(&mut self, call: &Call) -> Answer {
        let token = required_token(call)?;
        let manifest = manifest_of(call)?;
        // Nexlayer/docs:data/openapi.json answers an update with the body of a start; its message is known nowhere.
        self.deploy(token, manifest, "Deployment updated successfully", call.now)
    }

    /// Deploys an application that is there. There is no applicationName parameter: the manifest's name and the token
    /// find it.
    fn deploy(
        &mut self,
        token: &str,
        manifest: manifest::Manifest,
        message: &str,
        now: Duration,
    ) -> Answer {
        let (timing, server) = (self.timing, self.server.clone());
        let app = self.session(token)?.application(&manifest.name)?;
        app.deployed_at = now;
        app.pods = manifest.pods;
        let body = json!({
            "message": message,
            "url": app.url(server.as_deref()),
            "sessionToken": token,
            "applicationName": app.name,
            "environment": app.environment,
            "status": app.status(timing, now),
            "extend": { "available": app.extensions > 0, "expiresAt": rfc3339(app.expires_at) },
            // A claim is completed in the browser, which nobody does here.
            "claim": { "claimed": false },
        });
        Ok(Reply::json(200, &body))
    }

    /// The application that the body `{applicationName, sessionToken}` names, and the token.
    fn named(&mut self, call: &Call) -> Result<(&mut Application, String), Reply> {
        let body = body_of(call)?;
        let (name, token) = (
            required(&body, "applicationName")?,
            required(&body, "sessionToken")?,
        );
        // The page's text; Nexlayer/docs:data/openapi.json uses it for an unknown token too.
        let session = self.session(token).map_err(|_| not_found())?;
        Ok((session.application(name)?, token.to_owned()))
    }

    fn reservations(&mut self, call: &Call) -> Answer {
        let (timing, server) = (self.timing, self.server.clone());
        let apps = self.session(required_token(call)?)?.applications.iter();
        let items = apps.filter(|app| app.reserved).map(|app| {
            json!({
                "applicationName": app.name,
                "environment": app.environment,
                "url": app.url(server.as_deref()),
                "status": app.status(timing, call.now),
                "createdAt": rfc3339(app.created_at),
                "expiresAt": rfc3339(app.expires_at),
            })
        });
        let items: Vec<Value> = items.collect();
        Ok(Reply::json(200, &json!({ "reservedDeployments": items })))
    }

    /// The text of the page. Nexlayer/docs:data/openapi.json has a 400 without a body: the words are the sandbox's own.
    fn remove_reservations(&mut self, call: &Call) -> Answer {
        let body = body_of(call)?;
        let session = self.session(required(&body, "sessionToken")?)?;
        for app in session.applications.iter_mut().filter(|app| app.reserved) {
            app.release(call.now);
        }
        Ok(bare_text(
            "Application reservations have been removed. If deployments have reached their time limits, application \
             sites will be removed within 10 minutes.",
        ))
    }
}

impl Player for Nexlayer {
    const PLATFORM: Platform = Platform::Nexlayer;

    fn answer(&mut self, call: &Call) -> Reply {
        self.sweep(call.now);
        if let Some(label) = beside::site_of(call) {
            let mut apps = self
                .sessions
                .iter()
                .flat_map(|session| &session.applications);
            let app = apps.find(|app| app.label() == label);
            return beside::site(app, self.timing, call.now);
        }
        powered(self.route(call).unwrap_or_else(|refusal| refusal))
    }

    fn refusal(&self, problem: &Problem) -> Reply {
        powered(failure(400, &problem.to_string()))
    }

    /// The newest first. Session tokens stay inside.
    fn deployed(&self, now: Duration) -> Vec<Deployed> {
        let sessions = self.sessions.iter().rev();
        let apps = sessions.flat_map(|session| session.applications.iter().rev());
        let apps = apps.filter(|app| app.is_there(now));
        apps.map(|app| {
            let status = app.status(self.timing, now);
            let state = status.get("state").and_then(Value::as_str);
            Deployed {
                kind: "application",
                name: app.name.clone(),
                deployment: None,
                state: state.unwrap_or_default().to_owned(),
                since: app.deployed_at,
                address: Some(app.url(self.server.as_deref())),
            }
        })
        .collect()
    }
}

/// The number of sessions.
impl fmt::Debug for Nexlayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nexlayer")
            .field("sessions", &self.sessions.len())
            .finish_non_exhaustive()
    }
}

impl Session {
    fn application(&mut self, name: &str) -> Result<&mut Application, Reply> {
        let found = self.applications.iter_mut().find(|app| app.name == name);
        found.ok_or_else(not_found)
    }
}

impl Application {
    fn is_there(&self, now: Duration) -> bool {
        self.reserved || now < self.gone_at
    }

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

fn extend(app: &mut Application, now: Duration) -> Answer {
    // The page: free deployments have limited extensions. The text of a refusal is documented nowhere.
    let left = app.extensions.checked_sub(1);
    let left = left.ok_or_else(|| failure(400, "No extensions remaining"))?;
    app.extensions = left;
    app.expires_at += EXTENSION;
    app.gone_at = app.gone_at.max(app.expires_at);
    let minutes = app.expires_at.saturating_sub(now).as_secs_f64() / 60.0;
    Ok(bare_text(&format!(
        "Application {} has been extended. Environment will expire in {} minutes. {left} extension(s) remaining.",
        app.name,
        minutes.ceil(),
    )))
}

fn claim(token: &str) -> Reply {
    let body = json!({
        "message": "You're almost there! Visit the claim URL to finalize your deployment.",
        "claimUrl": format!("https://app.nexlayer.io/claim/{token}"),
        "claimToken": token,
    });
    Reply::json(200, &body)
}

fn reserve(app: &mut Application, plan: Plan) -> Answer {
    if plan == Plan::Free {
        // A business rule as a 500, text and all, on the page.
        return Err(failure(
            500,
            "User is not on the Scale or Conquer plan. Please upgrade your plan to add a reservation.",
        ));
    }
    // The text of the page. What a second reservation answers is not known: the same here.
    app.reserved = true;
    let name = &app.name;
    Ok(message(&format!(
        "Application {name} reservation has been added."
    )))
}

fn remove_reservation(app: &mut Application, now: Duration) -> Answer {
    if !app.reserved {
        // Nexlayer/docs:data/openapi.json, a 500 again.
        let name = &app.name;
        let text = format!("Application {name} reservation has already been removed.");
        return Err(failure(500, &text));
    }
    app.release(now);
    Ok(message(&format!(
        "Application {} reservation has been removed. Application site will be removed within the next 10 minutes.",
        app.name,
    )))
}

fn body_of(call: &Call) -> Result<Map<String, Value>, Reply> {
    let body = call.request.labelled_json_object();
    body.map_err(|problem| failure(400, problem.words()))
}

fn required<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Reply> {
    let text = text_field(body, name);
    text.ok_or_else(|| failure(400, &format!("{name} is required")))
}

/// The token in the query: "Required" in the parameter table of the page.
fn required_token<'r>(call: &Call<'_, 'r>) -> Result<&'r str, Reply> {
    let token = call.request.filled("sessionToken");
    token.ok_or_else(|| failure(400, "sessionToken is required"))
}

/// The manifest in the body, or the refusal.
fn manifest_of(call: &Call) -> Result<manifest::Manifest, Reply> {
    // The page says text/x-yaml; Nexlayer/nexlayer-mcp:services/nexlayer-api.ts sends text/yaml.
    let label = call.request.media_type();
    if !matches!(label.as_deref(), Some("text/x-yaml" | "text/yaml")) {
        return Err(failure(400, "Content-Type must be text/x-yaml"));
    }
    let manifest = serde_saphyr::from_slice(&call.request.body);
    let manifest: Value = manifest.map_err(|_| failure(400, "Invalid YAML"))?;
    manifest::read(&manifest).map_err(|findings| {
        let first = findings.first();
        let words = first.map(|finding| format!("{} {}", finding.path, finding.message));
        failure(400, &words.unwrap_or_default())
    })
}

/// A string handed to Express goes out as bare text under text/html, though the page prints it in quotes
/// (Nexlayer/docs:data/openapi.json types extend and removeReservations so).
fn bare_text(text: &str) -> Reply {
    Reply::new(200, "text/html; charset=utf-8", text)
}

fn message(text: &str) -> Reply {
    Reply::json(200, &json!({ "message": text }))
}

fn failure(status: u16, text: &str) -> Reply {
    Reply::json(status, &json!({ "error": text }))
}

fn not_found() -> Reply {
    failure(400, "Application not found")
}

/// Express's own page for a route that is not there, wrong method included (never 405).
fn not_routed(call: &Call) -> Reply {
    let path = call.request.path.replace('<', "&lt;");
    let text = format!(
        "<!DOCTYPE html>\n<pre>Cannot {} {path}</pre>\n",
        call.method()
    );
    Reply::new(404, "text/html; charset=utf-8", text)
}

/// Nexlayer/docs:content/docs/api-reference/endpoints.mdx has captured headers.
fn powered(reply: Reply) -> Reply {
    reply.with_header("x-powered-by", "Express")
}
