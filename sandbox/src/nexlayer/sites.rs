//! The sites of applications.

use std::time::Duration;

use super::applications::Application;
use crate::platform::Call;
use crate::reply::Reply;
use crate::time::{Stage, Timing};

/// Domain of the sites without a server, as in the newer examples:
/// `https://jolly-tapir-complete-test-app.alpha.nexlayer.ai`.
pub(super) const DOMAIN: &str = ".alpha.nexlayer.ai";
/// First path segment of the sites on the sandbox's server, because [`DOMAIN`] does not resolve to it.
const SITES: &str = "sites";

/// The label of the requested site; `None` if the request is for the API.
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
/// The reference says only that the site exists while the application runs. The sandbox responds with 503
/// before and after.
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
    /// Without a server, it is a host of [`DOMAIN`], with the name in lower case and hyphens for spaces: the
    /// site of Complete-Test-App is `https://jolly-tapir-complete-test-app.alpha.nexlayer.ai`. With a server,
    /// it is a path.
    pub(super) fn url(&self, server: Option<&str>) -> String {
        match server {
            Some(server) => format!("{server}/{SITES}/{}", self.label()),
            None => format!("https://{}{DOMAIN}", self.label()),
        }
    }
}
