//! Nexlayer applications.

use super::{TestPlatform, expect_status};
use deploykit_sandbox::{Platform, Request, Sandbox};

const MANIFEST: &str = "application: {name: demo, pods: [{name: web, image: 'nginx:1.27', path: /, servicePorts: [80]}]}";

pub fn api() -> TestPlatform {
    TestPlatform::new(Platform::Nexlayer, Sandbox::builder())
}

/// Starts an application and returns its session token.
pub fn start(api: &mut TestPlatform) -> String {
    let request = Request::new("POST", "/startUserDeployment").with_body("text/x-yaml", MANIFEST);
    let body = expect_status(&api.send(request), 200);
    body["sessionToken"].as_str().unwrap().to_owned()
}
