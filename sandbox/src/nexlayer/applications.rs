//! Sessions and applications: start, update, extend, claim, and pod status.

use std::time::Duration;

use serde_json::{Value, json};

use super::manifest::{Manifest, manifest_of};
use super::{Nexlayer, body_of, failure, html_text, not_found, required, required_token};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::time::{Stage, Timing, rfc3339};

/// Lifetime of a deployment (Nexlayer/docs:data/openapi.json).
const LIFETIME: Duration = Duration::from_secs(30 * 60);
/// Time that an extension adds. In the vendor's example, 150 minutes and 0 extensions remain after the first
/// one.
const EXTENSION: Duration = Duration::from_secs(120 * 60);
/// Number of extensions.
const EXTENSIONS: u32 = 1;
/// Time until a released application is removed: "within the next 10 minutes" in the examples of the two
/// remove operations.
const CLEANUP: Duration = Duration::from_secs(10 * 60);

#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) token: String,
    pub(super) applications: Vec<Application>,
}

#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) name: String,
    pub(super) pods: Vec<String>,
    pub(super) environment: String,
    pub(super) created_at: Duration,
    pub(super) deployed_at: Duration,
    pub(super) expires_at: Duration,
    /// When the application is removed, unless it is reserved.
    pub(super) gone_at: Duration,
    /// Extensions left.
    pub(super) extensions: u32,
    pub(super) reserved: bool,
}

impl Nexlayer {
    /// Removes expired applications.
    ///
    /// A session lasts as long as it has deployments or reservations
    /// (<https://nexlayer.com/docs/api/authentication>).
    pub(super) fn remove_expired(&mut self, now: Duration) {
        for session in &mut self.sessions {
            session.applications.retain(|app| app.exists(now));
        }
        self.sessions
            .retain(|session| !session.applications.is_empty());
    }

    pub(super) fn session(&mut self, token: &str) -> Result<&mut Session, Reply> {
        let found = self
            .sessions
            .iter_mut()
            .find(|session| session.token == token);
        // The reply to an unknown token is undocumented.
        found.ok_or_else(|| failure(400, "Invalid session token"))
    }

    pub(super) fn start(&mut self, call: &Call, token: Option<&str>) -> HandlerResult {
        let manifest = manifest_of(call)?;
        let now = call.now;
        let token = match token {
            // Undocumented: an unknown token is rejected, because a new session would hide the mistake.
            Some(token) => self.session(token)?.token.clone(),
            None => {
                // 12 letters and digits, as in the examples: dCf0NdAQ64j6.
                let token = self.ids.alphanumeric(12);
                self.sessions.push(Session {
                    token: token.clone(),
                    applications: Vec::new(),
                });
                token
            }
        };
        // The example has `jolly-tapir`. The digits make the URL of each site unique.
        let environment = format!("jolly-tapir-{}", self.ids.hex(6));
        let session = self.session(&token)?;
        // A start with a token redeploys an existing application
        // (Nexlayer/website:.github/workflows/deploy.yml). Its environment and lifetime stay.
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

    pub(super) fn update(&mut self, call: &Call) -> HandlerResult {
        let token = required_token(call)?;
        let manifest = manifest_of(call)?;
        // The reply has the body of a start (Nexlayer/docs:data/openapi.json); the message is made up.
        self.deploy(token, manifest, "Deployment updated successfully", call.now)
    }

    /// Deploys an existing application, found by the token and the manifest's name.
    pub(super) fn deploy(
        &mut self,
        token: &str,
        manifest: Manifest,
        message: &str,
        now: Duration,
    ) -> HandlerResult {
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
            // Claims are completed in a browser, which the sandbox does not model.
            "claim": { "claimed": false },
        });
        Ok(Reply::json(200, &body))
    }

    /// Finds the application of a body with `applicationName` and `sessionToken`. Also returns the token.
    pub(super) fn application_of(
        &mut self,
        call: &Call,
    ) -> Result<(&mut Application, String), Reply> {
        let body = body_of(call)?;
        let (name, token) = (
            required(&body, "applicationName")?,
            required(&body, "sessionToken")?,
        );
        // Nexlayer/docs:data/openapi.json has this message for an unknown token too.
        let session = self.session(token).map_err(|_| not_found())?;
        Ok((session.application(name)?, token.to_owned()))
    }
}

impl Session {
    pub(super) fn application(&mut self, name: &str) -> Result<&mut Application, Reply> {
        let found = self.applications.iter_mut().find(|app| app.name == name);
        found.ok_or_else(not_found)
    }
}

impl Application {
    pub(super) fn exists(&self, now: Duration) -> bool {
        self.reserved || now < self.gone_at
    }

    /// The application's status.
    ///
    /// `{state, progress}` while deploying and `{state}` afterwards, as in the vendor's examples. The
    /// examples only have progress 0; counting up to 100 is an assumption.
    pub(super) fn status(&self, timing: Timing, now: Duration) -> Value {
        match timing.stage(self.deployed_at, now) {
            Stage::Queued | Stage::Working => {
                json!({ "state": "deploying", "progress": timing.percent(self.deployed_at, now) })
            }
            Stage::Done => json!({ "state": "running" }),
            // Nexlayer/nexlayer-cli:pkg/core/api/client.go stops waiting for this state.
            Stage::Failed => json!({ "state": "failed" }),
        }
    }

    /// Removes the reservation. If the application is past its time limit, it is removed 10 minutes later.
    ///
    /// The vendor's message about all reservations states this rule: "If deployments have reached their time
    /// limits, application sites will be removed within 10 minutes". The message about one reservation omits
    /// the condition. The sandbox applies the condition to both.
    pub(super) fn release(&mut self, now: Duration) {
        self.reserved = false;
        self.gone_at = if now < self.expires_at {
            self.expires_at
        } else {
            now + CLEANUP
        };
    }
}

pub(super) fn extend(app: &mut Application, now: Duration) -> HandlerResult {
    // The vendor limits the extensions of free deployments. The error message is made up.
    let left = app.extensions.checked_sub(1);
    let left = left.ok_or_else(|| failure(400, "No extensions remaining"))?;
    app.extensions = left;
    app.expires_at += EXTENSION;
    app.gone_at = app.gone_at.max(app.expires_at);
    let minutes = app.expires_at.saturating_sub(now).as_secs_f64() / 60.0;
    Ok(html_text(&format!(
        "Application {} has been extended. Environment will expire in {} minutes. {left} extension(s) remaining.",
        app.name,
        minutes.ceil(),
    )))
}

pub(super) fn claim(token: &str) -> Reply {
    let body = json!({
        "message": "You're almost there! Visit the claim URL to finalize your deployment.",
        "claimUrl": format!("https://app.nexlayer.io/claim/{token}"),
        "claimToken": token,
    });
    Reply::json(200, &body)
}

/// The status of the pods.
///
/// The format is from Nexlayer/api-reference:openapi/nexlayer-api.yaml at e68c307. `Pending` and `Running`
/// are in a recorded start of an application; `failed`, in lower case, is in the vendor's older pages.
pub(super) fn pods(app: &Application, timing: Timing, now: Duration) -> Reply {
    let status = match timing.stage(app.deployed_at, now) {
        Stage::Queued | Stage::Working => "Pending",
        Stage::Done => "Running",
        Stage::Failed => "failed",
    };
    let pods = app.pods.iter();
    let pods = pods.map(|name| json!({ "name": name, "status": status }));
    let pods: Vec<Value> = pods.collect();
    Reply::json(200, &json!({ "pods": pods }))
}
