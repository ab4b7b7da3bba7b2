//! Every rule of Nexlayer.

mod common;

use common::nexlayer::*;
use common::{World, expect, expect_status};
use deploykit_sandbox::Request;
use serde_json::json;

#[test]
fn start_answers_with_the_nested_objects() {
    let mut world = world();
    let reply = world.send(yaml("/startUserDeployment", &manifest(APP)));
    assert_eq!(reply.header("x-powered-by"), Some("Express"));
    let body = expect_status(&reply, 200);
    let token = body["sessionToken"].as_str().unwrap();
    assert!(token.len() == 12 && token.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let environment = body["environment"].as_str().unwrap();
    let (adjective, animal) = environment.split_once('-').unwrap();
    assert!(!adjective.is_empty() && !animal.is_empty());
    let expected = json!({
        "message": "Deployment started successfully",
        "url": format!("https://{environment}-complete-test-app.alpha.nexlayer.ai"),
        "sessionToken": token,
        "applicationName": "Complete-Test-App",
        "environment": environment,
        "status": { "state": "deploying", "progress": 0 },
        "extend": { "available": true, "expiresAt": "2026-11-24T02:54:27Z" },
        "claim": { "claimed": false },
    });
    assert_eq!(body, expected);
}

#[test]
fn a_name_with_spaces_becomes_a_host_label() {
    let mut world = world();
    let body = deploy(&mut world, "/startUserDeployment", "My MERN App");
    assert_eq!(body["applicationName"], "My MERN App");
    assert!(
        body["url"]
            .as_str()
            .unwrap()
            .ends_with("-my-mern-app.alpha.nexlayer.ai")
    );
}

/// A manifest, and what is wrong with it.
const WRONG: &str = r#"
 => application.name is required
application: {pods: [{name: web}]} => application.name is required
application: {name: '', pods: [{name: web}]} => application.name is required
application: {name: [a], pods: [{name: web}]} => application.name is required
name: demo => application.name is required
application: {name: demo} => application.pods needs at least one pod
application: {name: demo, pods: []} => application.pods needs at least one pod
application: {name: demo => Invalid YAML
"#;

#[test]
fn the_manifest_is_checked() {
    let mut world = world();
    for row in WRONG.trim_matches('\n').lines() {
        let (manifest, error) = row.split_once(" => ").unwrap();

        refused(&world.send(yaml("/startUserDeployment", manifest)), error);
    }
    let beside = "application: {name: demo}\npods: [{name: web}]";
    expect_status(&world.send(yaml("/startUserDeployment", beside)), 200);
}

#[test]
fn the_content_type_is_checked() {
    let mut world = world();
    let start =
        |kind: &str| Request::new("POST", "/startUserDeployment").with_body(kind, manifest("demo"));
    for kind in ["application/json", "text/plain", "application/octet-stream"] {
        let reply = world.send(start(kind));
        refused(&reply, "Content-Type must be text/x-yaml");
    }
    for kind in ["text/x-yaml", "text/yaml", "Text/X-YAML; charset=utf-8"] {
        expect_status(&world.send(start(kind)), 200);
    }
    let reply = world.send(Request::new("POST", "/extendDeployment").with_body("text/plain", "{}"));
    refused(&reply, "Content-Type must be application/json");
    let reply =
        world.send(Request::new("POST", "/extendDeployment").with_body("application/json", "{"));
    refused(&reply, "the body is not valid JSON");
}

#[test]
fn one_session_holds_several_applications() {
    let mut world = world();
    let token = start(&mut world);
    let second = format!("/startUserDeployment?sessionToken={token}");
    let body = deploy(&mut world, &second, "other");
    assert_eq!(body["sessionToken"], token.as_str());
    assert_eq!(body["applicationName"], "other");
    // The token as last path segment does the same.
    let body = deploy(
        &mut world,
        &format!("/startUserDeployment/{token}"),
        "third",
    );
    assert_eq!(body["sessionToken"], token.as_str());
    for app in ["Complete-Test-App", "other", "third"] {
        world.posted("/addDeploymentReservation", &about(&token, app), 200);
    }
    let body = world.ok(&format!("/getReservations?sessionToken={token}"));
    assert_eq!(body["reservedDeployments"].as_array().unwrap().len(), 3);
}

#[test]
fn a_start_under_a_known_name_deploys_again() {
    let mut world = world();
    let token = start(&mut world);
    world.posted("/addDeploymentReservation", &about(&token, APP), 200);
    let listed = |world: &mut World| {
        let body = world.ok(&format!("/getReservations?sessionToken={token}"));
        body["reservedDeployments"][0].clone()
    };
    world.wait(5_000);
    let before = listed(&mut world);
    assert_eq!(before["status"]["state"], "running");
    let again = yaml(
        &format!("/startUserDeployment?sessionToken={token}"),
        &manifest(APP),
    );
    let body = expect_status(&world.send(again), 200);
    assert_eq!(body["environment"], before["environment"]);
    assert_eq!(
        body["status"],
        json!({ "state": "deploying", "progress": 0 })
    );
    let after = listed(&mut world);
    assert_eq!(after["status"]["state"], "deploying");
    assert_eq!(after["expiresAt"], before["expiresAt"]);
}

#[test]
fn an_unknown_session_token_is_refused() {
    let mut world = world();
    for target in [
        "/startUserDeployment?sessionToken=nope",
        "/updateUserDeployment?sessionToken=nope",
    ] {
        let reply = world.send(yaml(target, &manifest("demo")));
        refused(&reply, "Invalid session token");
    }
    refused(
        &world.get("/getReservations?sessionToken=nope"),
        "Invalid session token",
    );
    let reply = world.post("/removeReservations", &json!({ "sessionToken": "nope" }));
    refused(&reply, "Invalid session token");
}

#[test]
fn a_missing_session_token_is_refused() {
    let mut world = world();
    let error = json!({ "error": "sessionToken is required" });
    expect(
        &world.send(yaml("/updateUserDeployment", &manifest("demo"))),
        400,
        &error,
    );
    expect(&world.get("/getReservations"), 400, &error);
    expect(&world.post("/removeReservations", &json!({})), 400, &error);
    for operation in ["extend", "claim"] {
        let reply = world.post(
            &format!("/{operation}Deployment"),
            &json!({ "applicationName": "demo" }),
        );
        expect(&reply, 400, &error);
        let reply = world.post(
            &format!("/{operation}Deployment"),
            &json!({ "sessionToken": "x" }),
        );
        refused(&reply, "applicationName is required");
    }
}

#[test]
fn update_finds_the_application_by_the_manifest() {
    let mut world = world();
    let token = start(&mut world);
    world.wait(5_000);
    let target = format!("/updateUserDeployment?sessionToken={token}");
    let body = deploy(&mut world, &target, APP);
    assert_eq!(
        body["status"],
        json!({ "state": "deploying", "progress": 0 })
    );
    let reply = world.send(yaml(&target, &manifest("other")));
    refused(&reply, "Application not found");
}

#[test]
fn one_extension_and_no_second() {
    let mut world = world();
    let token = start(&mut world);
    world.wait(1_200);
    let text = bare(&world.post("/extendDeployment", &about(&token, APP)));
    assert_eq!(
        text,
        "Application Complete-Test-App has been extended. Environment will expire in 150 minutes. 0 extension(s) remaining."
    );
    let reply = world.post("/extendDeployment", &about(&token, APP));
    refused(&reply, "No extensions remaining");
    let target = format!("/updateUserDeployment?sessionToken={token}");
    let body = deploy(&mut world, &target, APP);
    assert_eq!(
        body["extend"],
        json!({ "available": false, "expiresAt": "2026-11-24T04:54:27Z" })
    );
}

#[test]
fn an_unknown_application_is_refused() {
    let mut world = world();
    let token = start(&mut world);
    for operation in [
        "extendDeployment",
        "claimDeployment",
        "addDeploymentReservation",
        "removeDeploymentReservation",
    ] {
        for body in [about(&token, "complete-test-app"), about("nope", APP)] {
            let reply = world.post(&format!("/{operation}"), &body);
            refused(&reply, "Application not found");
        }
    }
}

#[test]
fn claim_gives_a_link() {
    let mut world = world();
    let token = start(&mut world);
    let expected = json!({
        "message": "You're almost there! Visit the claim URL to finalize your deployment.",
        "claimUrl": format!("https://app.nexlayer.io/claim/{token}"),
        "claimToken": token,
    });
    expect(
        &world.post("/claimDeployment", &about(&token, APP)),
        200,
        &expected,
    );
}

#[test]
fn an_unknown_route_is_a_page_of_express() {
    let mut world = world();
    for (method, path) in [
        ("GET", "/startUserDeployment"),
        ("POST", "/nope"),
        ("POST", "/startUserDeployment/a/b"),
    ] {
        let reply = world.send(Request::new(method, path));
        assert_eq!(reply.status.as_u16(), 404);
        assert_eq!(
            reply.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        assert!(
            reply
                .text_body()
                .contains(&format!("Cannot {method} {path}"))
        );
    }
}
