//! Nexlayer.

use deploykit_sandbox::{Plan, Platform, Sandbox};

use crate::play::{Play, Row, Seen};

const MANIFEST: &str =
    "application: {name: demo, pods: [{name: web, image: nginx, servicePorts: [80]}]}";
const ABOUT: &str = r#"{"applicationName": "demo", "sessionToken": "{session}"}"#;
const NOBODY: &str = r#"{"applicationName": "demo", "sessionToken": "nobody"}"#;

const LIFE: &[Row] = &[
    ("POST /startUserDeployment", "application: {}", 400, ""),
    (
        "POST /startUserDeployment",
        MANIFEST,
        200,
        "session=/sessionToken",
    ),
    (
        "POST /updateUserDeployment?sessionToken={session}",
        MANIFEST,
        200,
        "",
    ),
    ("POST /updateUserDeployment", MANIFEST, 400, ""),
    ("POST /getPodsStatus", ABOUT, 200, ""),
    ("POST /getPodsStatus", NOBODY, 400, ""),
    ("POST /extendDeployment", ABOUT, 200, ""),
    ("POST /extendDeployment", ABOUT, 400, ""),
    ("POST /claimDeployment", ABOUT, 200, ""),
    ("POST /claimDeployment", NOBODY, 400, ""),
    ("POST /addDeploymentReservation", ABOUT, 200, ""),
    ("POST /addDeploymentReservation", NOBODY, 400, ""),
    ("GET /getReservations?sessionToken={session}", "", 200, ""),
    ("GET /getReservations", "", 400, ""),
    ("POST /removeDeploymentReservation", ABOUT, 200, ""),
    ("POST /removeDeploymentReservation", ABOUT, 500, ""),
    ("POST /removeDeploymentReservation", NOBODY, 400, ""),
    ("POST /removeReservations", ABOUT, 200, ""),
    ("POST /removeReservations", NOBODY, 400, ""),
    ("GET /schema", "", 200, ""),
    (
        "POST /validate",
        r#"{"application": {"name": "demo", "pods": [{"name": "web"}]}}"#,
        200,
        "",
    ),
    ("POST /validate", r#"{"application": {}}"#, 400, ""),
    (
        "POST /feedback",
        r#"{"sessionID": "{session}", "text": "Good."}"#,
        200,
        "",
    ),
    ("POST /feedback", r#"{"text": "Good."}"#, 400, ""),
];

const FREE: &[Row] = &[
    (
        "POST /startUserDeployment",
        MANIFEST,
        200,
        "session=/sessionToken",
    ),
    ("POST /addDeploymentReservation", ABOUT, 500, ""),
    ("POST /getPodsStatus", ABOUT, 404, ""),
];

pub fn play(seen: &mut Seen) {
    let mut life = Play::new(Platform::Nexlayer, Sandbox::builder(), seen);
    life.rows(LIFE);
    life.ask_everything();
    let builder = Sandbox::builder()
        .nexlayer_plan(Plan::Free)
        .nexlayer_pods_status(false);
    Play::new(Platform::Nexlayer, builder, seen).rows(FREE);
}
