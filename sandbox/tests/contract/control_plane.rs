//! dployr, as its open-source control plane has it.

use deploykit_sandbox::{Dialect, Platform, Sandbox};

use crate::play::{Play, Row, Seen};

const DEPLOYMENT: &str = r#"{"name": "web-one", "type": "web", "source": "image", "image": "node:20-alpine", "port": 3000}"#;
const FROM_GIT: &str = r#"{"name": "from-git", "type": "web", "source": "remote", "remote": {"url": "https://example.com/app.git"}}"#;
const INSTANCE: &str =
    r#"{"clusterId": "{cluster}", "address": "203.0.113.20", "tag": "node-two"}"#;
const DOMAIN: &str =
    r#"{"clusterId": "{cluster}", "domain": "app.test", "serviceName": "web-one"}"#;

const ACCOUNT: &[Row] = &[
    (
        "POST /v1/auth/login/email",
        r#"{"email": "{email}"}"#,
        200,
        "",
    ),
    (
        "POST /v1/auth/login/email/verify",
        r#"{"email": "{email}", "code": "WRONG1"}"#,
        400,
        "",
    ),
    (
        "POST /v1/auth/login/email/verify",
        r#"{"email": "no@example.com", "code": "WRONG1"}"#,
        404,
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
        r#"{"name": "ci", "scopes": ["oidc:bind"]}"#,
        201,
        "token=/data/id",
    ),
    (
        "POST /v1/auth/tokens",
        r#"{"name": "ci", "scopes": ["other"]}"#,
        400,
        "",
    ),
    ("GET /v1/auth/tokens", "", 200, ""),
    ("DELETE /v1/auth/tokens/{token}", "", 200, ""),
    ("DELETE /v1/auth/tokens/{token}", "", 404, ""),
    ("GET /v1/auth/logout", "", 200, ""),
    ("@owner", "", 0, ""),
    (
        "POST /v1/auth/tokens",
        r#"{"name": "ci", "scopes": ["oidc:bind"]}"#,
        403,
        "",
    ),
    ("GET /v1/auth/tokens", "", 403, ""),
    ("DELETE /v1/auth/tokens/{token}", "", 403, ""),
    (
        "POST /v1/auth/oidc/exchange",
        r#"{"token": "x.y.z"}"#,
        401,
        "",
    ),
    ("POST /v1/auth/oidc/exchange", "{}", 400, ""),
    ("@nobody", "", 0, ""),
    (
        "POST /v1/auth/oidc/exchange",
        r#"{"token": "{identity}"}"#,
        200,
        "",
    ),
    ("@session", "", 0, ""),
    ("GET /v1/users/me", "", 200, ""),
    ("@owner", "", 0, ""),
    ("GET /v1/clusters", "", 200, ""),
    ("GET /v1/clusters/{cluster}/users", "", 200, ""),
    (
        "POST /v1/clusters/{cluster}/users",
        r#"{"users": ["new@example.com"]}"#,
        200,
        "",
    ),
    ("GET /v1/clusters/{cluster}/integrations", "", 200, ""),
    ("PATCH /v1/clusters/{cluster}", "{}", 400, ""),
    (
        "PATCH /v1/clusters/{cluster}",
        r#"{"name": "acme"}"#,
        200,
        "",
    ),
    (
        "PATCH /v1/clusters/{cluster}",
        r#"{"name": "other"}"#,
        429,
        "",
    ),
    (
        "POST /v1/notifications/webhook/setup?clusterId={cluster}",
        "{}",
        200,
        "",
    ),
    (
        "POST /v1/notifications/webhook/setup?clusterId={cluster}",
        "{broken",
        500,
        "",
    ),
    ("GET /v1/runtime/versions", "", 200, ""),
    ("GET /v1/health", "", 200, ""),
    ("GET /v1/status?domain=web-one.dployr.run", "", 200, ""),
    ("GET /v1/status", "", 400, ""),
    ("@wait 60000", "", 0, ""),
];

const LIFE: &[Row] = &[
    (
        "POST /v1/deployments?clusterId={cluster}",
        DEPLOYMENT,
        202,
        "deployment=/data/taskId",
    ),
    (
        "POST /v1/deployments?clusterId={cluster}",
        FROM_GIT,
        503,
        "",
    ),
    ("POST /v1/deployments?clusterId=other", DEPLOYMENT, 403, ""),
    ("GET /v1/deployments?clusterId={cluster}", "", 200, ""),
    ("GET /v1/deployments?clusterId=other", "", 403, ""),
    ("GET /v1/deployments/{cluster}", "", 404, ""),
    ("@wait 500", "", 0, ""),
    (
        "DELETE /v1/deployments/{deployment}?clusterId={cluster}",
        r#"{"clusterId": "{cluster}"}"#,
        400,
        "",
    ),
    ("@wait 700", "", 0, ""),
    ("GET /v1/runtime/events?clusterId={cluster}", "", 200, ""),
    (
        "GET /v1/services?clusterId={cluster}",
        "",
        200,
        "service=/data/items/1/id",
    ),
    ("GET /v1/services/{service}", "", 200, ""),
    ("GET /v1/services/{service}/envs", "", 200, ""),
    ("GET /v1/services/{service}/secrets", "", 200, ""),
    ("GET /v1/services/{service}/logs", "", 200, ""),
    ("GET /v1/logs?clusterId={cluster}", "", 200, ""),
    ("GET /v1/logs?clusterId={cluster}&follow=1", "", 200, ""),
    ("GET /v1/logs", "", 400, ""),
    ("GET /v1/logs?clusterId=other", "", 403, ""),
    (
        "GET /v1/services/metrics/web-one?clusterId={cluster}",
        "",
        200,
        "",
    ),
    (
        "GET /v1/services/metrics/web-one?clusterId=other",
        "",
        403,
        "",
    ),
    ("GET /v1/proxy/services?clusterId={cluster}", "", 200, ""),
    ("GET /v1/proxy/services?clusterId=other", "", 403, ""),
    (
        "PATCH /v1/services/{service}",
        r#"{"instanceName": "{tag}", "port": 4000}"#,
        200,
        "",
    ),
    ("PATCH /v1/services/{service}", "{}", 400, ""),
    (
        "PATCH /v1/services/{service}",
        r#"{"instanceName": "ghost"}"#,
        404,
        "",
    ),
    (
        "PATCH /v1/services/{service}",
        r#"{"instanceName": "{tag}", "remote_url": "https://example.com/app.git"}"#,
        503,
        "",
    ),
    ("POST /v1/services/{service}/stop", "", 200, ""),
    ("POST /v1/services/{service}/start", "", 200, ""),
    ("POST /v1/domains", DOMAIN, 200, ""),
    (
        "POST /v1/domains",
        r#"{"clusterId": "{cluster}", "domain": "x.dployr.io", "serviceName": "web-one"}"#,
        409,
        "",
    ),
    (
        "POST /v1/domains",
        r#"{"clusterId": "{cluster}", "domain": "b.test", "serviceName": "ghost"}"#,
        404,
        "",
    ),
    (
        "POST /v1/domains",
        r#"{"clusterId": "other", "domain": "b.test", "serviceName": "web-one"}"#,
        403,
        "",
    ),
    ("GET /v1/domains?clusterId={cluster}", "", 200, ""),
    ("GET /v1/domains/app.test", "", 200, ""),
    ("POST /v1/domains/app.test/verify", "", 204, ""),
    ("DELETE /v1/domains/app.test", "", 204, ""),
    (
        "POST /v1/domains",
        r#"{"clusterId": "{cluster}", "domain": "b.example.com", "serviceName": "web-one"}"#,
        200,
        "",
    ),
    ("POST /v1/domains/b.example.com/verify", "", 422, ""),
    (
        "POST /v1/instances",
        INSTANCE,
        201,
        "second=/data/instance/id",
    ),
    ("POST /v1/instances", INSTANCE, 409, ""),
    ("POST /v1/instances", "{broken", 500, ""),
    (
        "POST /v1/instances",
        r#"{"clusterId": "{cluster}"}"#,
        400,
        "",
    ),
    (
        "GET /v1/instances?clusterId={cluster}",
        "",
        200,
        "instance=/data/items/1/id",
    ),
    ("GET /v1/instances/{instance}", "", 200, ""),
    ("POST /v1/instances/{tag}/ping", "", 200, ""),
    (
        "POST /v1/instances/{tag}/system/restart?clusterId={cluster}",
        r#"{"force": true}"#,
        202,
        "",
    ),
    (
        "POST /v1/instances/node-two/system/restart?clusterId={cluster}",
        r#"{"force": true}"#,
        503,
        "",
    ),
    (
        "POST /v1/instances/ghost/system/restart?clusterId={cluster}",
        r#"{"force": true}"#,
        404,
        "",
    ),
    (
        "POST /v1/instances/{tag}/system/reboot?clusterId={cluster}",
        r#"{"force": true}"#,
        202,
        "",
    ),
    (
        "POST /v1/instances/node-two/system/reboot?clusterId={cluster}",
        r#"{"force": true}"#,
        503,
        "",
    ),
    (
        "POST /v1/instances/ghost/system/reboot?clusterId={cluster}",
        r#"{"force": true}"#,
        404,
        "",
    ),
    ("DELETE /v1/instances/{second}", "", 200, ""),
    ("DELETE /v1/services/{service}", "", 200, ""),
    ("@wait 60000", "", 0, ""),
    (
        "POST /v1/deployments?clusterId={cluster}",
        DEPLOYMENT,
        202,
        "deployment=/data/taskId",
    ),
    ("@wait 1200", "", 0, ""),
    (
        "DELETE /v1/deployments/{deployment}?clusterId={cluster}",
        r#"{"clusterId": "{cluster}"}"#,
        200,
        "",
    ),
    (
        "DELETE /v1/deployments/{deployment}?clusterId={cluster}",
        r#"{"clusterId": "{cluster}"}"#,
        404,
        "",
    ),
];

const OF_OTHERS: &[Row] = &[
    (
        "POST /v1/deployments?clusterId={cluster}",
        r#"{"name": "neighbour-app", "type": "web", "source": "image", "image": "node:20-alpine"}"#,
        409,
        "",
    ),
    ("GET /v1/instances?clusterId=other", "", 403, ""),
    ("GET /v1/services?clusterId=other", "", 403, ""),
    ("GET /v1/domains?clusterId=other", "", 403, ""),
    ("GET /v1/runtime/events?clusterId=other", "", 403, ""),
    (
        "POST /v1/notifications/webhook/setup?clusterId=other",
        "{}",
        403,
        "",
    ),
];

/// Alone in the list.
const OF_A_NEIGHBOUR: &[Row] = &[
    (
        "GET /v1/services?clusterId={cluster}",
        "",
        200,
        "service=/data/items/0/id",
    ),
    ("GET /v1/services/{service}", "", 403, ""),
    ("GET /v1/services/{service}/envs", "", 403, ""),
    ("GET /v1/services/{service}/secrets", "", 403, ""),
    (
        "PATCH /v1/services/{service}",
        r#"{"instanceName": "{tag}"}"#,
        403,
        "",
    ),
    ("POST /v1/services/{service}/start", "", 403, ""),
    ("POST /v1/services/{service}/stop", "", 403, ""),
    ("GET /v1/services/{service}/logs", "", 403, ""),
    ("DELETE /v1/services/{service}", "", 403, ""),
];

fn new(seen: &mut Seen) -> Play<'_> {
    let builder = Sandbox::builder()
        .dployr_dialect(Dialect::ControlPlane)
        .dployr_build_node(false)
        .dployr_neighbour(true);
    let mut play = Play::new(Platform::Dployr, builder, seen);
    let access = play.world.state.dployr().access("");
    for (name, value) in [
        ("email", &access.email),
        ("code", &access.login_code),
        ("identity", &access.identity_token),
        ("cluster", &access.cluster_id),
        ("tag", &access.instance_tag),
    ] {
        play.name(name, value);
    }
    play
}

pub fn play(seen: &mut Seen) {
    let mut life = new(seen);
    life.rows(OF_A_NEIGHBOUR);
    life.rows(ACCOUNT);
    life.rows(LIFE);
    life.rows(OF_OTHERS);
    life.ask_everything();
    life.rows(&[("@nobody", "", 0, "")]);
    life.ask_everything();
    life.rows(&[("@owner", "", 0, ""), ("@wait 60000", "", 0, "")]);
    life.ask_too_much(100);
}
