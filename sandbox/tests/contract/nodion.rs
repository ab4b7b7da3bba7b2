//! Nodion.

use deploykit_sandbox::{Platform, Sandbox};

use crate::play::{Play, Row, Seen};

const NEW: &str = r#"{"name": "Shop", "region_id": "{region}", "instance_type_id": "{type}", "instance_amount": 2,
    "integration_id": "i", "repository_id": "r", "branch_id": "b"}"#;
const BRANCH: &str = r#"{"integration_id": "i", "repository_id": "r", "branch_id": "main"}"#;

const LIFE: &[Row] = &[
    ("GET /v1/regions", "", 200, ""),
    ("GET /v1/instance_types", "", 200, ""),
    ("GET /v1/applications", "", 200, ""),
    ("POST /v1/applications", NEW, 200, "app=/application/id"),
    ("POST /v1/applications", "{}", 400, ""),
    ("GET /v1/applications/{app}", "", 200, ""),
    ("PATCH /v1/applications/{app}", BRANCH, 200, ""),
    ("PATCH /v1/applications/{app}", "{}", 400, ""),
    ("POST /v1/applications/{app}/deployments", "", 200, ""),
    ("GET /v1/applications/{app}/deployments", "", 200, ""),
    (
        "POST /v1/applications/{image}/deployments",
        r#"{"image_tag": ""}"#,
        400,
        "",
    ),
    ("@wait 1200", "", 0, ""),
    ("GET /v1/applications/{app}/instances", "", 200, ""),
    ("GET /v1/applications/{app}/logs", "", 200, ""),
    ("GET /v1/applications/{app}/logs?limit=0", "", 400, ""),
    (
        "GET /v1/applications/{app}/processes",
        "",
        200,
        "process=/processes/0/id",
    ),
    (
        "PATCH /v1/applications/{app}/processes/{process}",
        r#"{"instance_amount": 1, "instance_type_id": "{type}"}"#,
        200,
        "",
    ),
    (
        "PATCH /v1/applications/{app}/processes/{process}",
        "{}",
        400,
        "",
    ),
    (
        "POST /v1/applications/{app}/scaling_events",
        r#"{"instance_amount": 3, "instance_type_id": "{type}"}"#,
        200,
        "",
    ),
    ("POST /v1/applications/{app}/scaling_events", "{}", 400, ""),
    ("GET /v1/applications/{app}/scaling_events", "", 200, ""),
    (
        "POST /v1/applications/{app}/env_variables",
        r#"{"env_key": "A", "env_val": "1"}"#,
        200,
        "variable=/env_variable/id",
    ),
    ("POST /v1/applications/{app}/env_variables", "{}", 400, ""),
    ("GET /v1/applications/{app}/env_variables", "", 200, ""),
    (
        "GET /v1/applications/{app}/env_variables/{variable}",
        "",
        200,
        "",
    ),
    (
        "PATCH /v1/applications/{app}/env_variables/{variable}",
        r#"{"env_val": "2"}"#,
        200,
        "",
    ),
    (
        "PATCH /v1/applications/{app}/env_variables/{variable}",
        r#"{"env_key": ""}"#,
        400,
        "",
    ),
    (
        "DELETE /v1/applications/{app}/env_variables/{variable}",
        "",
        200,
        "",
    ),
    (
        "POST /v1/applications/{app}/domains",
        r#"{"domain_name": "www.example.com"}"#,
        200,
        "domain=/domain/id",
    ),
    ("POST /v1/applications/{app}/domains", "{}", 400, ""),
    ("GET /v1/applications/{app}/domains", "", 200, ""),
    (
        "POST /v1/applications/{app}/domains/{domain}/connect",
        "",
        400,
        "",
    ),
    (
        "POST /v1/applications/{app}/domains/{domain}/verify",
        "",
        200,
        "",
    ),
    (
        "POST /v1/applications/{app}/domains/{domain}/connect",
        "",
        200,
        "",
    ),
    (
        "DELETE /v1/applications/{app}/domains/{domain}",
        "",
        200,
        "",
    ),
    ("DELETE /v1/applications/{app}", "", 200, ""),
];

pub fn play(seen: &mut Seen) {
    let mut life = Play::new(Platform::Nodion, Sandbox::builder(), seen);
    let access = life.world.state.nodion().access("");
    for (name, value) in [
        ("region", &access.region_id),
        ("type", &access.instance_type_id),
        ("image", &access.image_application_id),
    ] {
        life.name(name, value);
    }
    life.rows(LIFE);
    life.ask_everything();
    life.rows(&[("@nobody", "", 0, "")]);
    life.ask_everything();
}
