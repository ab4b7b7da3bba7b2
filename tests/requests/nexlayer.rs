use super::{CANARY, refused, shows, shows_as};
use deploykit::nexlayer::{Client, Manifest, Session};

const MANIFEST: &str = include_str!("../../examples/nexlayer.yaml");

fn client() -> Client {
    Client::new().unwrap()
}

fn session() -> Session {
    client().session(CANARY)
}

fn manifest() -> Manifest {
    Manifest::parse(MANIFEST).unwrap()
}

#[test]
pub fn start() {
    shows(client().start(manifest()));
    shows_as("in_session", session().start(manifest()));
    let text = format!(
        "# ü\r\napplication:\r\n  name: \"My MERN App\"\r\n  pods: [{{name: a, vars: {{API_TOKEN: {CANARY}}}}}]\r\n"
    );
    shows_as(
        "unusual_manifest",
        client().start(Manifest::parse(text).unwrap()),
    );
    let with_key = Client::builder().token(CANARY).build().unwrap();
    shows_as(
        "api_key",
        with_key.start(Manifest::parse("application: {name: a}").unwrap()),
    );
}

#[test]
pub fn update() {
    shows(session().update(manifest()));
}

#[test]
pub fn applications() {
    let application = session().application("Complete-Test-App");
    shows(application.extend());
    shows(application.claim());
    shows(application.reserve());
    shows(application.unreserve());
    shows_as(
        "unusual_name",
        session().application("My \"MERN\" App %2e ü").extend(),
    );
}

#[test]
pub fn pods() {
    shows(session().application("My MERN App").pods());
    refused(session().application("").pods(), "application name");
    refused(
        client().session("").application("a").pods(),
        "session token",
    );
}

#[test]
pub fn feedback() {
    shows(session().feedback("Works as it should."));
    refused(session().feedback(" \n"), "the feedback is empty");
    refused(client().session("").feedback("a"), "session token");
}

#[test]
pub fn what_a_manifest_may_say() {
    shows(client().schema());
    shows(client().validate(&manifest()));
    let text = format!(
        "# {CANARY}\napplication:\n  name: \"My MERN App\"\n  registryLogin: {{registry: r.example, username: me, personalAccessToken: {CANARY}}}\n  pods:\n  - name: ü\n    command: a --password {CANARY}\n    servicePorts: [80, {{port: 1, targetPort: 2, name: x}}]\n    vars: {{API_TOKEN: {CANARY}, DB_PASSWORD: short, DB: \"postgres://u:{CANARY}@db.pod/x\", PORT: 6379, RATE: 1.5, URL: <% URL %>}}\n    secrets: [{{name: s, data: {CANARY}, mountPath: /s}}]\n"
    );
    let manifest = Manifest::parse(text).unwrap();
    shows_as("secrets", client().validate(&manifest));
}

#[test]
pub fn reservations() {
    shows(session().reservations());
    shows(session().remove_reservations());
}

#[test]
pub fn what_cannot_be_a_token_or_a_name_is_refused() {
    for token in ["", " ", "a\nb"] {
        let session = client().session(token);
        refused(session.reservations(), "session token");
        refused(session.remove_reservations(), "session token");
        refused(session.start(manifest()), "session token");
        refused(session.update(manifest()), "session token");
        refused(session.application("a").extend(), "session token");
    }
    for name in ["", "\t", "a\u{0}"] {
        let application = session().application(name);
        refused(application.extend(), "application name");
        refused(application.claim(), "application name");
        refused(application.reserve(), "application name");
        refused(application.unreserve(), "application name");
    }
    let other = session().reservations().query("sessionToken", CANARY);
    refused(other, "carries a credential");
}
