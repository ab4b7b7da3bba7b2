//! The sites of applications.

use std::time::Duration;

use super::applications::Application;
use crate::platform::Call;
use crate::reply::Reply;
use crate::time::{Stage, Timing};

/// Domain of the sites if there is no server, as in the newer examples:
/// `https://jolly-tapir-complete-test-app.alpha.nexlayer.ai`.
pub(super) const DOMAIN: &str = ".alpha.nexlayer.ai";
/// Path of the sites on the sandbox's server, because that domain is not local.
const SITES: &str = "sites";

/// The label of the requested site, if the request is for one.
pub(super) fn site_of(call: &Call) -> Option<String> {
    if let [SITES, label, ..] = call.segments().as_slice() {
        return Some((*label).to_owned());
    }
    let host = call.request.header("host")?;
    let host = host.split(':').next().unwrap_or(host);
    host.strip_suffix(DOMAIN).map(str::to_owned)
}

/// The site's reply.
///
/// The reference says only that the site exists while the application runs. The sandbox answers 503 before and after.
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

    /// The URL of the site.
    ///
    /// Complete-Test-App is `https://jolly-tapir-complete-test-app.alpha.nexlayer.ai`: lower case, spaces as hyphens.
    /// On a server it is a path instead.
    pub(super) fn url(&self, server: Option<&str>) -> String {
        match server {
            Some(server) => format!("{server}/{SITES}/{}", self.label()),
            None => format!("https://{}{DOMAIN}", self.label()),
        }
    }
}
