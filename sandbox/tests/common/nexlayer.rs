//! Nexlayer applications.

use super::{TestPlatform, expect_status};
use deploykit_sandbox::{Platform, Request, Sandbox};

const MANIFEST: &str = "application: {name: demo, pods: [{name: web, image: 'nginx:1.27', path: /, servicePorts: [80]}]}";

pub fn world() -> TestPlatform {
    TestPlatform::new(Platform::Nexlayer, Sandbox::builder())
}

/// Starts an application and returns its session token.
pub fn start(world: &mut TestPlatform) -> String {
    let request = Request::new("POST", "/startUserDeployment").with_body("text/x-yaml", MANIFEST);
    let body = expect_status(&world.send(request), 200);
    body["sessionToken"].as_str().unwrap().to_owned()
}
