//! Edgegap.

use deploykit_sandbox::{Platform, Sandbox};

use crate::play::{Play, Row, Seen};

const NEW: &str = r#"{"application": "{app}", "version": "{version}", "tags": ["eu"],
    "users": [{"user_type": "ip_address", "user_data": {"ip_address": "75.28.35.192"}}]}"#;
const FLEET: &str = r#"{"application": "{app}", "version": "{version}", "private_host_ids": ["{host}"],
    "users": [{"user_type": "ip_address", "user_data": {"ip_address": "75.28.35.192"}}]}"#;
const ALL: &str =
    r#"{"filters": [{"field": "request_id", "filter_type": "any", "values": ["{id}"]}]}"#;

const LIFE: &[Row] = &[
    ("GET /v1/apps", "", 200, ""),
    ("GET /v1/app/{app}/versions", "", 200, ""),
    ("GET /v1/locations", "", 200, ""),
    ("GET /v1/locations?app=other", "", 400, ""),
    ("GET /v2/private-fleets/{fleet}/hosts", "", 200, ""),
    ("GET /v2/private-fleets/other/hosts", "", 400, ""),
    (
        "POST /v2/private-fleets/deployments",
        FLEET,
        202,
        "id=/request_id",
    ),
    ("POST /v2/private-fleets/deployments", NEW, 400, ""),
    ("DELETE /v1/stop/{id}", "", 202, ""),
    ("POST /v2/deployments", NEW, 202, "id=/request_id"),
    ("POST /v2/deployments", "{}", 400, ""),
    ("@wait 1200", "", 0, ""),
    ("GET /v1/status/{id}", "", 200, ""),
    ("GET /v1/deployments", "", 200, ""),
    ("GET /v1/deployments?query=x", "", 400, ""),
    ("GET /v1/deployment/{id}/container-logs", "", 200, ""),
    ("GET /v1/metrics/deployment/{id}", "", 200, ""),
    ("GET /v1/metrics/deployment/{id}?steps=x", "", 422, ""),
    ("GET /v1/deployments/{id}/tags", "", 200, ""),
    (
        "POST /v1/deployments/{id}/tags",
        r#"{"name": "us"}"#,
        200,
        "",
    ),
    (
        "POST /v1/deployments/{id}/tags",
        r#"{"name": "us"}"#,
        409,
        "",
    ),
    ("POST /v1/deployments/{id}/tags", "{}", 400, ""),
    ("GET /v1/deployments/{id}/tags/us", "", 200, ""),
    (
        "PATCH /v1/deployments/{id}/tags/us",
        r#"{"name": "asia"}"#,
        200,
        "",
    ),
    (
        "PATCH /v1/deployments/{id}/tags/asia",
        r#"{"name": "eu"}"#,
        409,
        "",
    ),
    ("PATCH /v1/deployments/{id}/tags/asia", "{}", 400, ""),
    ("DELETE /v1/deployments/{id}/tags/asia", "", 204, ""),
    ("DELETE /v1/stop/{id}?container_log_storage=", "", 400, ""),
    ("DELETE /v1/stop/{id}", "", 200, ""),
    ("@wait 1200", "", 0, ""),
    ("DELETE /v1/stop/{id}", "", 410, ""),
    ("GET /v1/deployment/{id}/container-logs", "", 404, ""),
    ("POST /v2/deployments", NEW, 202, "id=/request_id"),
    ("POST /v1/deployments/bulk-stop", ALL, 202, ""),
    ("POST /v1/deployments/bulk-stop", "{}", 400, ""),
];

const FROM_INSIDE: &[Row] = &[
    ("@wait 1200", "", 0, ""),
    ("DELETE /v1/self/stop/{id}/other", "", 403, ""),
    ("DELETE {self}?container_log_storage=", "", 400, ""),
    ("DELETE {self}", "", 200, ""),
    ("DELETE {self}", "", 202, ""),
    ("@wait 1200", "", 0, ""),
    ("DELETE {self}", "", 404, ""),
    ("@owner", "", 0, ""),
];

const FULL: &[Row] = &[
    ("POST /v2/deployments", NEW, 422, ""),
    ("POST /v2/private-fleets/deployments", FLEET, 422, ""),
];

const RATES: &[(&str, &str, u32)] = &[
    ("POST /v2/deployments", NEW, 40),
    ("POST /v2/private-fleets/deployments", FLEET, 40),
    ("GET /v1/status/nothing", "", 20),
    ("GET /v1/deployments", "", 10),
    ("GET /v2/private-fleets/{fleet}/hosts", "", 10),
];

pub fn play(seen: &mut Seen) {
    let mut life = new(seen, usize::MAX);
    life.rows(LIFE);
    life.rows(&[("POST /v2/deployments", NEW, 202, "id=/request_id")]);
    let access = life.world.state.edgegap().access("");
    let (url, token) = access.self_stop(life.value("id"));
    life.name("self", &url);
    life.world.authorization = Some(token);
    life.rows(FROM_INSIDE);
    life.ask_everything();
    life.rows(&[("@nobody", "", 0, "")]);
    life.ask_everything();
    new(seen, 0).rows(FULL);
    let mut busy = new(seen, usize::MAX);
    for (line, body, limit) in RATES {
        busy.repeat(line, body, *limit);
        busy.world.wait(1_000);
    }
}

fn new(seen: &mut Seen, capacity: usize) -> Play<'_> {
    let builder = Sandbox::builder().edgegap_capacity(capacity);
    let mut play = Play::new(Platform::Edgegap, builder, seen);
    let access = play.world.state.edgegap().access("");
    for (name, value) in [
        ("app", &access.application),
        ("version", &access.version),
        ("host", &access.private_host_id),
        ("fleet", &access.fleet),
    ] {
        play.name(name, value);
    }
    play
}
