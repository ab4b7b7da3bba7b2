//! What Nexlayer answers beside the eight operations of its page, and what its sites do.

mod common;

use common::nexlayer::*;
use common::server;
use common::{World, expect, expect_status};
use deploykit_sandbox::{Platform, Request, Sandbox};
use serde_json::json;
use std::collections::HashSet;

const MINUTE: u64 = 60_000;

/// The status with which the site at this URL answers.
fn site(world: &mut World, url: &str) -> u16 {
    let host = url.strip_prefix("https://").unwrap();
    let request = Request::new("GET", "/").with_header("host", host);
    world.raw(&request).status.as_u16()
}

#[test]
fn a_site_answers_503_until_its_application_runs() {
    let mut world = world();
    let body = deploy(&mut world, "/startUserDeployment", "My MERN App");
    let url = body["url"].as_str().unwrap();
    assert_eq!(site(&mut world, url), 503);
    world.wait(1_199);
    assert_eq!(site(&mut world, url), 503);
    world.wait(1);
    assert_eq!(site(&mut world, url), 200);
    let token = body["sessionToken"].as_str().unwrap();
    let again = format!("/startUserDeployment?sessionToken={token}");
    deploy(&mut world, &again, "My MERN App");
    assert_eq!(site(&mut world, url), 503);
    world.wait(1_200);
    assert_eq!(site(&mut world, url), 200);
    world.wait(30 * MINUTE);
    assert_eq!(site(&mut world, url), 503, "it is gone");
    assert_eq!(
        site(&mut world, "https://no-such-app.alpha.nexlayer.ai"),
        503
    );
}

#[test]
fn the_site_of_an_application_that_fails_never_answers() {
    let builder = Sandbox::builder().deployments_fail(true);
    let mut world = World::new(Platform::Nexlayer, builder);
    let body = deploy(&mut world, "/startUserDeployment", "demo");
    world.wait(5_000);
    assert_eq!(site(&mut world, body["url"].as_str().unwrap()), 503);
    let token = body["sessionToken"].as_str().unwrap();
    let pods = json!({ "pods": [{ "name": "web", "status": "failed" }] });
    expect(
        &world.post("/getPodsStatus", &about(token, "demo")),
        200,
        &pods,
    );
}

#[test]
fn no_two_applications_have_one_site() {
    let mut world = world();
    let urls: HashSet<String> = (0..400)
        .map(|_| {
            let reply = world.send(yaml("/startUserDeployment", &manifest("demo")));
            let body = expect_status(&reply, 200);
            let environment = body["environment"].as_str().unwrap();
            assert_eq!(environment.matches('-').count(), 1, "{environment}");
            body["url"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(urls.len(), 400);
    // What is gone leaves its name to others.
    world.wait(40 * MINUTE);
    let reply = world.send(yaml("/startUserDeployment", &manifest("demo")));
    let body = expect_status(&reply, 200);
    let environment = body["environment"].as_str().unwrap();
    assert!(
        !environment.contains(|letter: char| letter.is_ascii_digit()),
        "{environment}"
    );
}

#[test]
fn pods_wait_and_run() {
    let mut world = world();
    let token = start(&mut world);
    let app = about(&token, APP);
    for (wait, status) in [(0, "Pending"), (600, "Pending"), (600, "Running")] {
        world.wait(wait);
        let pods = json!({ "pods": [{ "name": "web", "status": status }] });
        expect(&world.post("/getPodsStatus", &app), 200, &pods);
    }
    let reply = world.post("/getPodsStatus", &about("nope", APP));
    refused(&reply, "Application not found");
    world.wait(30 * MINUTE);
    world.posted("/getPodsStatus", &app, 400);
}

#[test]
fn newer_servers_have_no_pods_status() {
    let builder = Sandbox::builder().nexlayer_pods_status(false);
    let mut world = World::new(Platform::Nexlayer, builder);
    let token = start(&mut world);
    let reply = world.post("/getPodsStatus", &about(&token, APP));
    assert_eq!(reply.status.as_u16(), 404);
    assert!(reply.text_body().contains("Cannot POST /getPodsStatus"));
}

#[test]
fn a_manifest_is_validated_by_the_rules_of_a_start() {
    let mut world = world();
    let valid = json!({ "application": { "name": "demo", "pods": [{ "name": "web" }] } });
    let words = json!({ "message": "Nexlayer YAML file is valid." });
    expect(&world.post("/validate", &valid), 200, &words);
    for (manifest, details) in [
        (
            json!({}),
            json!([
                { "path": "application.name", "message": "is required" },
                { "path": "application.pods", "message": "needs at least one pod" },
            ]),
        ),
        (
            json!({ "application": { "name": "demo", "pods": [] } }),
            json!([{ "path": "application.pods", "message": "needs at least one pod" }]),
        ),
    ] {
        let body = json!({ "error": "Invalid Nexlayer YAML file", "details": details });
        expect(&world.post("/validate", &manifest), 400, &body);
    }
    let reply = world.send(yaml("/validate", &manifest("demo")));
    refused(&reply, "Content-Type must be application/json");
}

#[test]
fn the_schema_is_a_draft_7_object() {
    let mut world = world();
    let schema = world.ok("/schema");
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(schema["title"], "Nexlayer YAML Schema");
}

#[test]
fn feedback_needs_both_fields() {
    let mut world = world();
    let said = json!({ "sessionID": "B9wNA4eSNdy6P", "text": "Good." });
    assert_eq!(bare(&world.post("/feedback", &said)), "OK");
    for (body, missing) in [
        (json!({ "text": "Good." }), "sessionID is required"),
        (json!({ "sessionID": "a", "text": "" }), "text is required"),
    ] {
        refused(&world.post("/feedback", &body), missing);
    }
}

#[tokio::test]
async fn on_a_server_a_site_is_a_path_of_it() {
    let sandbox = server::start(Sandbox::builder()).await;
    let base_url = &sandbox.nexlayer().base_url;
    // Loopback needs no TLS, but built together with deploykit reqwest wants to know a provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    let started = client
        .post(format!("{base_url}/startUserDeployment"))
        .header("content-type", "text/x-yaml")
        .body(manifest("demo"));
    let body: serde_json::Value = started.send().await.unwrap().json().await.unwrap();
    let url = body["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{base_url}/sites/")), "{url}");
    assert_eq!(client.get(url).send().await.unwrap().status(), 503);
    sandbox.advance(std::time::Duration::from_secs(5));
    assert_eq!(client.get(url).send().await.unwrap().status(), 200);
}
