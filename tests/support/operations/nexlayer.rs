//! Calls of Nexlayer's operations.

use super::{AnyCall, Clients, Row, json, opaque, opaque_with_id};
use deploykit::nexlayer::{ApplicationHandle, Manifest, SessionHandle};

const MANIFEST: &str = include_str!("../../../examples/nexlayer.yaml");

fn row(id: &str, make: impl Fn(&Clients) -> AnyCall + Send + Sync + 'static) -> Row {
    super::row("nexlayer", id, make)
}

/// A session, for requests with the token in the body.
fn session(to: &Clients) -> SessionHandle {
    to.nexlayer.session(to.secret("body.sessionToken"))
}

/// A session, for requests with the token in the query.
fn session_in_query(to: &Clients) -> SessionHandle {
    to.nexlayer.session(to.secret("query.sessionToken"))
}

fn application(to: &Clients, name: &str) -> ApplicationHandle {
    session(to).application(to.id("application", name))
}

fn manifest() -> Manifest {
    Manifest::parse(MANIFEST).unwrap()
}

/// A manifest with CRLF, a comment, a quoted name, and one secret.
fn unusual(to: &Clients) -> Manifest {
    let secret = to.secret("body.<manifest>");
    let text = format!(
        "# ü\r\napplication:\r\n  name: \"My MERN App\"\r\n  pods: [{{name: a, vars: {{API_TOKEN: {secret}}}}}]\r\n"
    );
    Manifest::parse(text).unwrap()
}

/// A manifest with a secret in every field that may contain one.
fn with_secrets(to: &Clients) -> Manifest {
    let secret = to.secret("body.<manifest>");
    let text = format!(
        "# a comment\napplication:\n  name: \"My MERN App\"\n  registryLogin: {{registry: r.example, username: me, personalAccessToken: {secret}}}\n  pods:\n  - name: ü\n    command: a --password hush\n    servicePorts: [80, {{port: 1, targetPort: 2, name: x}}]\n    vars: {{API_TOKEN: {secret}, DB_PASSWORD: short, DB: \"postgres://u:{secret}@db.pod/x\", PORT: 6379, RATE: 1.5, URL: <% URL %>}}\n    secrets: [{{name: s, data: {secret}, mountPath: /s}}]\n"
    );
    Manifest::parse(text).unwrap()
}

pub fn rows() -> Vec<Row> {
    vec![
        row("get_schema", |to| json(to.nexlayer.schema())),
        row("validate_manifest", |to| {
            opaque(to.nexlayer.validate(&manifest()))
        })
        .variant("secrets", |to| {
            opaque(to.nexlayer.validate(&with_secrets(to)))
        }),
        row("start_user_deployment", |to| {
            opaque_with_id(to.nexlayer.deploy(manifest()), |deployed| {
                let session = deployed.session();
                // The spec's example for an older server has no token.
                let token = session.token().map(|token| token.expose().to_owned());
                token.unwrap_or_default()
            })
        })
        .variant("in_session", |to| {
            opaque(session_in_query(to).deploy(manifest()))
        })
        .variant("unusual_manifest", |to| {
            opaque(to.nexlayer.deploy(unusual(to)))
        })
        .variant("api_key", |to| {
            let builder = to.nexlayer_builder().token(to.secret("authorization"));
            let client = builder.build().unwrap();
            opaque(client.deploy(Manifest::parse("application: {name: a}").unwrap()))
        })
        .names("session", ""),
        row("update_user_deployment", |to| {
            opaque(session_in_query(to).update(manifest()))
        })
        .variant("secrets", |to| {
            opaque(session_in_query(to).update(with_secrets(to)))
        })
        .without_snapshot(),
        row("get_pods_status", |to| {
            opaque(application(to, "My MERN App").pods().list())
        }),
        row("extend_deployment", |to| {
            opaque(application(to, "Complete-Test-App").extend())
        })
        .variant("unusual_name", |to| {
            let name = to.id("unusual", "My \"MERN\" App %2e ü");
            opaque(session(to).application(name).extend())
        }),
        row("claim_deployment", |to| {
            opaque(application(to, "Complete-Test-App").claim())
        }),
        row("add_deployment_reservation", |to| {
            opaque(application(to, "Complete-Test-App").reserve())
        }),
        row("get_reservations", |to| {
            json(session_in_query(to).reservations().list())
        }),
        row("remove_deployment_reservation", |to| {
            opaque(application(to, "Complete-Test-App").delete_reservation())
        }),
        row("remove_reservations", |to| {
            opaque(session(to).reservations().delete_all())
        }),
        row("send_feedback", |to| {
            let session = to.nexlayer.session(to.secret("body.sessionID"));
            json(session.send_feedback("Works as it should."))
        }),
    ]
}
