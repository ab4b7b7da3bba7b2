//! What the vendor's files have beside the eight operations of the page, and the sites themselves.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Application, bare_text, body_of, manifest, message, required};
use crate::call::Call;
use crate::model::{Answer, Reply};
use crate::time::{Stage, Timing};

/// Where sites are without a server around the state machine: `https://jolly-tapir-complete-test-app.alpha.nexlayer.ai`
/// in every newer example.
pub(super) const DOMAIN: &str = ".alpha.nexlayer.ai";
/// Where they are with one, since that name leads elsewhere.
const SITES: &str = "sites";

/// The label of the site that a request is for, if it is for one.
pub(super) fn site_of(call: &Call) -> Option<String> {
    if let [SITES, label, ..] = call.segments().as_slice() {
        return Some((*label).to_owned());
    }
    let host = call.request.header("host")?;
    let host = host.split(':').next().unwrap_or(host);
    host.strip_suffix(DOMAIN).map(str::to_owned)
}

/// The site, as the platform's edge answers for it. Nothing is documented but that it is there when the application
/// runs and goes with it: 503 stands for "not yet" and for "not any more".
pub(super) fn site(app: Option<&Application>, timing: Timing, now: Duration) -> Reply {
    match app.map(|app| timing.stage(app.deployed_at, now)) {
        Some(Stage::Done) => Reply::new(200, "text/html; charset=utf-8", "<h1>It works</h1>\n"),
        _ => Reply::new(503, "text/plain; charset=utf-8", "no available server\n"),
    }
}

impl Application {
    pub(super) fn label(&self) -> String {
        let slug = self.name.to_lowercase().replace(' ', "-");
        format!("{}-{slug}", self.environment)
    }

    /// `https://jolly-tapir-complete-test-app.alpha.nexlayer.ai` for Complete-Test-App: lower case, spaces to hyphens.
    /// On a server a path of it stands for that, so that somebody answers.
    pub(super) fn url(&self, server: Option<&str>) -> String {
        match server {
            Some(server) => format!("{server}/{SITES}/{}", self.label()),
            None => format!("https://{}{DOMAIN}", self.label()),
        }
    }
}

/// `{"pods": [{"name", "status"}]}`: Nexlayer/api-reference:openapi/nexlayer-api.yaml at e68c307. `Pending` and
/// `Running` are in a captured start, `failed` in a list of the vendor's older pages, in lower case.
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

/// The two bodies are those of Nexlayer/docs:data/openapi.json; the words about what is wrong are the sandbox's own.
pub(super) fn validate(call: &Call) -> Answer {
    let Err(findings) = manifest::read(&body_of(call)?.into()) else {
        return Ok(message("Nexlayer YAML file is valid."));
    };
    let details = findings.iter();
    let details =
        details.map(|finding| json!({ "path": finding.path, "message": finding.message }));
    let details: Vec<Value> = details.collect();
    let body = json!({ "error": "Invalid Nexlayer YAML file", "details": details });
    Err(Reply::json(400, &body))
}

/// `sessionID` and `text` are both required there. What an unknown session does is documented nowhere.
pub(super) fn feedback(call: &Call) -> Answer {
    let body = body_of(call)?;
    required(&body, "sessionID")?;
    required(&body, "text")?;
    // The captured ETag in Nexlayer/docs:content/docs/api-reference/endpoints.mdx is that of these two bytes.
    Ok(bare_text("OK"))
}
