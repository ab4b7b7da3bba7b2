//! dployr, as its reference has it.

use deploykit_sandbox::{Platform, Sandbox};

use crate::play::{Play, Row, Seen};

const DEPLOYMENT: &str =
    r#"{"name": "my-app", "source": "image", "image": "nginx:1.27", "port": 3000}"#;
const DOMAIN: &str = r#"{"domain": "app.example.com", "service_id": "{service}", "port": 3000}"#;

const LIFE: &[Row] = &[
    (
        "POST /v1/auth/login",
        r#"{"email": "{email}", "password": "{password}"}"#,
        200,
        "",
    ),
    (
        "POST /v1/auth/login",
        r#"{"email": "{email}", "password": "wrong"}"#,
        401,
        "",
    ),
    ("POST /v1/auth/login", "{}", 400, ""),
    ("POST /v1/deployments", DEPLOYMENT, 202, "deployment=/id"),
    ("@wait 1200", "", 0, ""),
    ("GET /v1/deployments", "", 200, ""),
    ("GET /v1/deployments/{deployment}", "", 200, ""),
    (
        "PUT /v1/deployments/{deployment}",
        r#"{"port": "x"}"#,
        400,
        "",
    ),
    (
        "PUT /v1/deployments/{deployment}",
        r#"{"env": {"A": "1"}}"#,
        200,
        "",
    ),
    ("@wait 1200", "", 0, ""),
    ("GET /v1/services", "", 200, "service=/0/id"),
    ("GET /v1/services/{service}/status", "", 200, ""),
    ("POST /v1/services/{service}/stop", "", 200, ""),
    ("POST /v1/services/{service}/start", "", 200, ""),
    ("POST /v1/services/{service}/restart", "", 200, ""),
    ("GET /v1/services/{service}/logs", "", 200, ""),
    ("GET /v1/services/{service}/logs?tail=x", "", 400, ""),
    ("GET /v1/services/{service}/logs?follow=true", "", 200, ""),
    (
        "POST /v1/services/{service}/env",
        r#"{"key": "B", "value": "2"}"#,
        200,
        "",
    ),
    ("POST /v1/services/{service}/env", "{}", 400, ""),
    ("GET /v1/services/{service}/env", "", 200, ""),
    ("DELETE /v1/services/{service}/env/B", "", 204, ""),
    ("GET /v1/instances", "", 200, "instance=/0/id"),
    ("GET /v1/instances/{instance}", "", 200, ""),
    ("GET /v1/instances/{instance}/metrics", "", 200, ""),
    ("POST /v1/proxy/routes", DOMAIN, 201, "route=/id"),
    ("GET /v1/proxy/routes", "", 200, ""),
    ("DELETE /v1/proxy/routes/{route}", "", 204, ""),
    (
        "POST /v1/projects",
        r#"{"name": "Shop"}"#,
        201,
        "project=/id",
    ),
    ("GET /v1/projects", "", 200, ""),
    ("DELETE /v1/projects/{project}", "", 204, ""),
    (
        "POST /v1/webhooks",
        r#"{"url": "https://example.com/", "events": ["deployment.created"]}"#,
        201,
        "",
    ),
    ("GET /v1/webhooks", "", 200, ""),
    ("DELETE /v1/deployments/{deployment}", "", 204, ""),
];

pub fn play(seen: &mut Seen) {
    let mut life = Play::new(Platform::Dployr, Sandbox::builder(), seen);
    let access = life.world.state.dployr().access("");
    life.name("email", &access.email);
    life.name("password", &access.password);
    life.rows(LIFE);
    life.ask_everything();
    life.rows(&[("@nobody", "", 0, "")]);
    life.ask_everything();
    life.rows(&[("@wait 3600000", "", 0, "")]);
    life.ask_too_much(60);
}
