//! What the vendor's files have beside the eight operations of the page, and the sites themselves.

use std::time::Duration;

use super::applications::Application;
use crate::platform::Call;
use crate::reply::Reply;
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
