//! Times that no clock reaches, and deployments that take longer.

use std::time::Duration;

use deploykit_sandbox::{Builder, Dialect, Platform, Sandbox};

use crate::common::BEGIN;
use crate::play::{Play, Row, Seen};

const EDGEGAP: &[Row] = &[
    (
        "POST /v2/deployments",
        r#"{"application": "{app}", "version": "{version}", "webhook_on_ready": {"url": "http://127.0.0.1:1/"},
            "webhook_on_terminated": {"url": "http://127.0.0.1:1/"},
            "users": [{"user_type": "ip_address", "user_data": {"ip_address": "75.28.35.192"}}]}"#,
        202,
        "id=/request_id",
    ),
    ("GET /v1/status/{id}", "", 200, ""),
    ("GET /v1/deployments", "", 200, ""),
    ("GET /v1/metrics/deployment/{id}", "", 200, ""),
    (
        "GET /v1/metrics/deployment/{id}?start_time=1970-01-01+00:00:00&end_time=9999-12-31+23:59:59&steps=18446744073709551615s",
        "",
        400,
        "",
    ),
];

const NEXLAYER: &[Row] = &[
    (
        "POST /startUserDeployment",
        "application: {name: demo, pods: [{name: web, path: /, image: nginx, servicePorts: [80]}]}",
        200,
        "session=/sessionToken",
    ),
    (
        "POST /extendDeployment",
        r#"{"applicationName": "demo", "sessionToken": "{session}"}"#,
        200,
        "",
    ),
    (
        "POST /addDeploymentReservation",
        r#"{"applicationName": "demo", "sessionToken": "{session}"}"#,
        200,
        "",
    ),
    (
        "POST /removeReservations",
        r#"{"applicationName": "demo", "sessionToken": "{session}"}"#,
        200,
        "",
    ),
];

const NODION: &[Row] = &[
    ("POST /v1/applications/{id}/deployments", "", 200, ""),
    (
        "POST /v1/applications/{id}/scaling_events",
        r#"{"instance_amount": 3, "instance_type_id": "{type}"}"#,
        200,
        "",
    ),
    ("GET /v1/applications/{id}/scaling_events", "", 200, ""),
    ("GET /v1/applications/{id}/deployments", "", 200, ""),
    ("GET /v1/applications/{id}/instances", "", 200, ""),
    ("GET /v1/applications/{id}/logs", "", 200, ""),
    (
        "GET /v1/applications/{id}/logs?after=9999-12-31T23:59:60-23:59",
        "",
        200,
        "",
    ),
];

const DOCUMENTED: &[Row] = &[
    (
        "POST /v1/auth/login",
        r#"{"email": "{email}", "password": "{password}"}"#,
        200,
        "",
    ),
    (
        "POST /v1/deployments",
        r#"{"name": "my-app", "source": "image", "image": "nginx:1.27", "port": 3000}"#,
        202,
        "id=/id",
    ),
    ("GET /v1/deployments/{id}", "", 200, ""),
];

const CONTROL_PLANE: &[Row] = &[
    (
        "POST /v1/auth/login/email",
        r#"{"email": "{email}"}"#,
        200,
        "",
    ),
    ("@nobody", "", 0, ""),
    (
        "POST /v1/auth/login/email/verify",
        r#"{"email": "{email}", "code": "{code}"}"#,
        200,
        "",
    ),
    ("@session", "", 0, ""),
    (
        "POST /v1/auth/tokens",
        r#"{"name": "ci", "scopes": ["oidc:bind"], "expiresIn": 9223372036854775807}"#,
        201,
        "",
    ),
    ("@owner", "", 0, ""),
    (
        "POST /v1/deployments?clusterId={cluster}",
        r#"{"name": "web-one", "type": "web", "source": "image", "image": "node:20", "port": 3000}"#,
        202,
        "",
    ),
    ("GET /v1/deployments?clusterId={cluster}", "", 200, ""),
    ("GET /v1/runtime/events?clusterId={cluster}", "", 200, ""),
];

fn play(platform: Platform, builder: Builder, begin: Duration, rows: &[Row]) {
    let mut seen = Seen::default();
    let mut play = Play::new(platform, builder, &mut seen);
    play.world.now = begin;
    let (dployr, edgegap) = (
        play.world.state.dployr().access(""),
        play.world.state.edgegap().access(""),
    );
    let nodion = play.world.state.nodion().access("");
    for (name, value) in [
        ("app", &edgegap.application),
        ("version", &edgegap.version),
        ("id", &nodion.application_id),
        ("type", &nodion.instance_type_id),
        ("email", &dployr.email),
        ("password", &dployr.password),
        ("code", &dployr.login_code),
        ("cluster", &dployr.cluster_id),
    ] {
        play.name(name, value);
    }
    play.rows(rows);
    play.ask_everything();
    play.world.state.next_webhook(begin);
    for now in [begin, Duration::MAX] {
        play.world.state.webhooks_due(now);
        play.world.state.next_webhook(now);
    }
}

#[test]
fn no_time_is_too_long() {
    // With room for the waits of the test.
    let late = Duration::MAX - Duration::from_secs(1_000_000_000);
    for (begin, takes) in [
        (BEGIN, Duration::MAX),
        (late, Duration::ZERO),
        (late, Duration::MAX),
    ] {
        let builder = || Sandbox::builder().ready_after(takes).rate_limits(false);
        let plane = builder().dployr_dialect(Dialect::ControlPlane);
        play(Platform::Edgegap, builder(), begin, EDGEGAP);
        play(Platform::Nexlayer, builder(), begin, NEXLAYER);
        play(Platform::Nodion, builder(), begin, NODION);
        play(Platform::Dployr, builder(), begin, DOCUMENTED);
        play(Platform::Dployr, plane, begin, CONTROL_PLANE);
    }
}
