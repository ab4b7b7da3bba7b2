//! Nexlayer: applications from a manifest, sessions, extensions and reservations.
//!
//! Replies have the nested `status`, `extend` and `claim` objects of
//! <https://nexlayer.com/docs/api/deployments>. Messages that are documented there are sent verbatim. Others
//! are made up; clients must not depend on them.

mod applications;
mod manifest;
mod reservations;
mod sites;

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::builder::SandboxBuilder;
use crate::credentials::NexlayerAccess;
use crate::ids::Ids;
use crate::platform::{Call, Platform, PlatformState, ResourceSummary};
use crate::reply::{HandlerResult, Reply};
use crate::request::text_field;
use crate::spec::Violation;
use crate::time::Timing;
use applications::{Session, claim, extend};
use reservations::{remove_reservation, reserve};

/// Plans of a Nexlayer user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum NexlayerPlan {
    /// No plan: reservations are rejected.
    Free,
    /// The Scale plan.
    #[default]
    Scale,
    /// The Conquer plan.
    Conquer,
}

/// The state of Nexlayer.
#[derive(Clone)]
pub struct Nexlayer {
    plan: NexlayerPlan,
    /// Whether the operation `getPodsStatus` exists. The vendor's newer API descriptions omit it.
    pods_status: bool,
    timing: Timing,
    /// Base URL of the sandbox's server for Nexlayer, if there is one.
    server: Option<String>,
    ids: Ids,
    sessions: Vec<Session>,
}

impl Nexlayer {
    pub(crate) fn new(settings: &SandboxBuilder, timing: Timing, seed: u64) -> Self {
        Self {
            plan: settings.plan,
            pods_status: settings.pods_status,
            timing,
            server: None,
            ids: Ids::new(seed),
            sessions: Vec::new(),
        }
    }

    /// Base URL, for a server at `base_url`.
    pub fn access(&self, base_url: &str) -> NexlayerAccess {
        NexlayerAccess {
            base_url: base_url.to_owned(),
        }
    }

    /// Serves the sites below this base URL.
    pub(crate) fn serve_sites(&mut self, base_url: &str) {
        self.server = Some(base_url.to_owned());
    }

    fn route(&mut self, call: &Call) -> HandlerResult {
        let (timing, now) = (self.timing, call.now);
        match (call.id(), call.segments().as_slice()) {
            // Takes the token from the last path segment (Nexlayer/website:.github/workflows/deploy.yml).
            (_, ["startUserDeployment", token]) if call.method() == "POST" => {
                self.start(call, Some(token))
            }
            ("start_user_deployment", _) => {
                self.start(call, call.request.query_value("sessionToken"))
            }
            ("update_user_deployment", _) => self.update(call),
            ("extend_deployment", _) => extend(self.application_of(call)?.0, now),
            ("claim_deployment", _) => {
                let (_, token) = self.application_of(call)?;
                Ok(claim(&token))
            }
            ("get_reservations", _) => self.reservations(call),
            ("add_deployment_reservation", _) => {
                let plan = self.plan;
                reserve(self.application_of(call)?.0, plan)
            }
            ("remove_deployment_reservation", _) => {
                remove_reservation(self.application_of(call)?.0, now)
            }
            ("remove_reservations", _) => self.remove_reservations(call),
            ("get_pods_status", _) if !self.pods_status => Err(not_routed(call)),
            ("get_pods_status", _) => Ok(applications::pods(
                self.application_of(call)?.0,
                timing,
                now,
            )),
            ("validate_manifest", _) => manifest::validate(call),
            ("get_schema", _) => Ok(Reply::json(200, &manifest::schema())),
            ("send_feedback", _) => feedback(call),
            _ => call.example().ok_or_else(|| not_routed(call)),
        }
    }
}

impl PlatformState for Nexlayer {
    const PLATFORM: Platform = Platform::Nexlayer;

    fn handle(&mut self, call: &Call) -> Reply {
        self.remove_expired(call.now);
        if let Some(label) = sites::site_of(call) {
            let mut apps = self
                .sessions
                .iter()
                .flat_map(|session| &session.applications);
            let app = apps.find(|app| app.label() == label);
            return sites::site(app, self.timing, call.now);
        }
        with_express_header(self.route(call).unwrap_or_else(|reply| reply))
    }

    fn violation_reply(&self, violation: &Violation) -> Reply {
        with_express_header(failure(400, &violation.to_string()))
    }

    /// All applications, newest first, without session tokens.
    fn resources(&self, now: Duration) -> Vec<ResourceSummary> {
        let sessions = self.sessions.iter().rev();
        let apps = sessions.flat_map(|session| session.applications.iter().rev());
        let apps = apps.filter(|app| app.exists(now));
        apps.map(|app| {
            let status = app.status(self.timing, now);
            let state = status.get("state").and_then(Value::as_str);
            ResourceSummary {
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

/// Shows counts only.
impl fmt::Debug for Nexlayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nexlayer")
            .field("sessions", &self.sessions.len())
            .finish_non_exhaustive()
    }
}

fn body_of(call: &Call) -> Result<Map<String, Value>, Reply> {
    let body = call.request.typed_json_object();
    body.map_err(|error| failure(400, error.message()))
}

fn required<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Reply> {
    let text = text_field(body, name);
    text.ok_or_else(|| failure(400, &format!("{name} is required")))
}

/// The session token in the query, which the reference marks as required.
fn required_token<'r>(call: &Call<'_, 'r>) -> Result<&'r str, Reply> {
    let token = call.request.non_empty_query("sessionToken");
    token.ok_or_else(|| failure(400, "sessionToken is required"))
}

/// A plain message with the content type text/html.
///
/// Express sends strings with this type, and Nexlayer/docs:data/openapi.json has it for extend and
/// removeReservations. The reference prints the messages in quotes, like JSON strings.
fn html_text(text: &str) -> Reply {
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

/// Express's page for an unknown route or a wrong method; it never responds with 405.
fn not_routed(call: &Call) -> Reply {
    let path = call.request.path.replace('<', "&lt;");
    let text = format!(
        "<!DOCTYPE html>\n<pre>Cannot {} {path}</pre>\n",
        call.method()
    );
    Reply::new(404, "text/html; charset=utf-8", text)
}

/// Adds the header that is recorded in Nexlayer/docs:content/docs/api-reference/endpoints.mdx.
fn with_express_header(reply: Reply) -> Reply {
    reply.with_header("x-powered-by", "Express")
}

/// Accepts feedback. `sessionID` and `text` are required; an unknown session is accepted, which is an
/// assumption.
pub(super) fn feedback(call: &Call) -> HandlerResult {
    let body = body_of(call)?;
    required(&body, "sessionID")?;
    required(&body, "text")?;
    // The ETag recorded in Nexlayer/docs:content/docs/api-reference/endpoints.mdx is the ETag of the body
    // `OK`.
    Ok(html_text("OK"))
}
