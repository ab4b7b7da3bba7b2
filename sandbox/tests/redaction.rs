//! `Debug`, `Display` and log lines contain no credentials.

mod common;

use std::fmt::Debug;

use common::TestPlatform;
use deploykit_sandbox::{Dialect, Fault, Platform, Request, Sandbox};
use serde_json::json;

/// The redacted path of a request with the credential `sent/it`.
fn redacted_path(platform: Platform, method: &str, path: &str) -> String {
    let mut api = TestPlatform::new(platform, Sandbox::builder());
    api.raw(&Request::new(method, path).with_header("authorization", "Bearer sent/it"));
    let recorded = api.state.requests().remove(0);
    let redacted = recorded.redacted_path();
    assert!(recorded.to_string().contains(&format!(" {redacted} ")));
    redacted
}

/// Requests and their redacted paths.
const PATHS: &str = "
nodion GET / => /
nodion GET /v1/applications/a-1 => /v1/applications/a-1
nodion GET /v1/applications/sent%2Fit => /v1/applications/***
nodion GET /v1/applications/sent%2fi%74 => /v1/applications/***
nodion GET /v1/applications/key/ => /v1/applications/***/
nodion PUT /v1/regions/key => /v1/regions/***
dployr GET /v1/%73ervices/web => /v1/%73ervices/web
dployr GET /v1/domains/verify => /v1/domains/verify
edgegap DELETE /v1/self/stop/abc/key => /v1/self/stop/abc/***
edgegap DELETE /v1/self/sto%70/abc/key => /v1/self/sto%70/abc/***
edgegap DELETE /v1//self/stop/abc/key => /v1//self/stop/***/***
edgegap DELETE /v1/self/stop/abc/key/ => /v1/self/stop/***/***/
edgegap GET /v1/self/stop/abc/key => /v1/self/stop/***/***
edgegap DELETE v1/self/stop/abc/key => v1/self/stop/abc/***
nexlayer POST /startUserDeployment/key => /startUserDeployment/***
nexlayer POST /startUserDeploymen%74/key => /startUserDeploymen%74/***
nexlayer POST /startUserDeployment//key => /startUserDeployment//***
nexlayer POST //key => //***
nexlayer OPTIONS * => ***
";

#[test]
fn secret_path_segments_are_redacted_in_every_encoding() {
    for row in PATHS.trim().lines() {
        let (request, redacted) = row.split_once(" => ").unwrap();
        let parts: Vec<&str> = request.splitn(3, ' ').collect();
        let mut platforms = Platform::ALL.into_iter();
        let platform = platforms.find(|one| one.to_string() == parts[0]).unwrap();
        assert_eq!(
            redacted_path(platform, parts[1], parts[2]),
            redacted,
            "{row}"
        );
    }
}

#[track_caller]
fn assert_redacted(value: &impl Debug, secrets: &[&str]) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[test]
fn debug_output_shows_no_credentials() {
    let state = Sandbox::builder().state();
    let (dployr, nodion) = (state.dployr().access("url-1"), state.nodion().access(""));
    let edgegap = state.edgegap().access("");
    let secrets = [
        dployr.token.as_str(),
        &dployr.password,
        &dployr.login_code,
        &dployr.identity_token,
        &nodion.token,
        &edgegap.token,
    ];
    assert_redacted(&(&dployr, &nodion, &edgegap), &secrets);
    assert_redacted(&state, &secrets);
    let plane = Sandbox::builder().dployr_dialect(Dialect::ControlPlane);
    let plane = plane.state();
    assert_redacted(&plane, &[&plane.dployr().access("").token]);
    // Non-secret fields are printed.
    let shown = format!("{dployr:?}");
    assert!(shown.contains("url-1") && shown.contains(&dployr.cluster_id));
    assert!(format!("{nodion:?}").contains(&nodion.application_id));
    assert!(format!("{edgegap:?}").contains(&edgegap.version));
}

#[test]
fn debug_output_shows_no_bodies_or_session_tokens() {
    let canary = "canary";
    let request = Request::new("POST", "/startUserDeploymen%74/canary?sessionToken=canary")
        .with_header("x-api-key", canary)
        .with_header("cookie", "session=canary")
        .with_json(&json!({ "env": { "KEY": canary } }));
    assert_redacted(&request, &[canary]);
    let shown = format!("{request:?}");
    for public in [
        "/startUserDeploymen%74/***",
        "sessionToken",
        "x-api-key",
        "application/json",
    ] {
        assert!(shown.contains(public), "{shown}");
    }

    let mut plane = TestPlatform::new(
        Platform::Dployr,
        Sandbox::builder().dployr_dialect(Dialect::ControlPlane),
    );
    let access = plane.state.dployr().access("");
    let email = json!({ "email": access.email });
    plane.post("/v1/auth/login/email", &email);
    let login = json!({ "email": access.email, "code": access.login_code });
    let reply = plane.post("/v1/auth/login/email/verify", &login);
    let cookie = reply.header("set-cookie").unwrap().to_owned();
    let session = cookie.split(['=', ';']).nth(1).unwrap();
    assert_redacted(&reply, &[session]);
    let token = Request::new("POST", "/v1/auth/tokens")
        .with_header("cookie", &format!("session={session}"))
        .with_json(&json!({ "name": "ci", "scopes": ["oidc:bind"] }));
    let reply = plane.raw(&token);
    let token = reply.json_body()["data"]["token"].clone();
    let token = token.as_str().unwrap();
    assert_redacted(&reply, &[token]);
    assert_redacted(&plane.state, &[session, token, &access.token]);

    let mut nexlayer = common::nexlayer::api();
    let session = common::nexlayer::start(&mut nexlayer);
    assert_redacted(&nexlayer.state, &[&session]);

    let mut edgegap = TestPlatform::new(Platform::Edgegap, Sandbox::builder());
    let access = edgegap.state.edgegap().access("");
    let new = json!({
        "application": access.application, "version": access.version,
        "users": [{ "user_type": "ip_address", "user_data": { "ip_address": "198.51.100.7" } }],
        "environment_variables": [{ "key": "PASSWORD", "value": canary, "is_hidden": true }],
        "webhook_on_ready": { "url": "http://canary:canary@127.0.0.1/canary?key=canary" },
    });
    assert_eq!(edgegap.post("/v2/deployments", &new).status, 202);
    assert_redacted(&edgegap.state, &[canary]);
    edgegap.wait(5_000);
    let webhooks = edgegap.state.take_due_webhooks(edgegap.now);
    assert_eq!(webhooks.len(), 1);
    assert_redacted(&webhooks, &[canary, "request_id"]);
}

#[test]
fn recorded_requests_show_no_credentials() {
    let mut api = TestPlatform::new(Platform::Edgegap, Sandbox::builder());
    let token = api.state.edgegap().access("").token;
    api.get("/v1/deployments?query=canary-1");
    api.raw(
        &Request::new("DELETE", "/v1/self/stop/abc/canary-2")
            .with_header("authorization", "canary-3"),
    );
    api.send(Request::new("POST", "/v2/deployments").with_json(&json!({ "x": "canary-4" })));
    api.platform = Platform::Nexlayer;
    api.raw(
        &Request::new("POST", "/startUserDeployment/canary-5").with_header("x-api-key", "canary-6"),
    );
    api.get(&format!("/{token}"));
    for recorded in api.state.requests() {
        let shown = format!("{recorded:?} {recorded:#?} {recorded}");
        assert!(
            !shown.contains("canary") && !shown.contains(&token),
            "{shown}"
        );
    }
    let requests = api.state.requests();
    assert_eq!(
        requests[1].to_string(),
        "edgegap DELETE /v1/self/stop/abc/*** 401"
    );
    assert_eq!(
        requests[3].to_string(),
        "nexlayer POST /startUserDeployment/*** 400"
    );

    let http = requests[0].to_http().unwrap();
    assert_eq!(
        (http.method().as_str(), http.uri().to_string()),
        ("GET", "/v1/deployments?query=canary-1".to_owned())
    );
    assert_eq!(http.headers()["authorization"], format!("token {token}"));
    let reply = api.raw(&Request::new("GET", "/a%20b?x=1%262&y=%C3%A9"));
    assert_eq!(reply.status, 404);
    let http = api.state.requests().pop().unwrap().to_http().unwrap();
    assert_eq!(http.uri(), "/a%20b?x=1%262&y=%C3%A9");
}

#[test]
fn log_lines_are_truncated() {
    let long = "x".repeat(50_000);
    let fault = Fault::on_any().nth(1);
    let fault = fault.status_with(500, "text/plain", long.as_str());
    let mut api = TestPlatform::new(Platform::Edgegap, Sandbox::builder().fault(fault));
    api.raw(&Request::new(&long, "/"));
    api.raw(&Request::new("GET", &format!("/{long}")));
    api.raw(&Request::new("GET", &"/v1".repeat(20_000)));
    let users = vec![json!({ long.as_str(): 1 }); 100];
    let body = json!({ long.as_str(): 1, "users": users });
    api.post("/v2/deployments", &body);
    for request in api.state.requests() {
        let line = request.log_line();
        assert!(line.chars().count() <= 1_001, "{} bytes", line.len());
        assert!(line.contains(&format!(" {}", request.status)), "{line}");
    }
}
