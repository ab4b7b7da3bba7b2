//! What time and reservations do to an application of Nexlayer.

mod common;

use common::nexlayer::*;
use common::{World, expect};
use deploykit_sandbox::{Plan, Platform, Sandbox};
use serde_json::json;

const MINUTE: u64 = 60_000;

#[test]
fn reservations_come_and_go() {
    let mut world = world();
    let token = start(&mut world);
    let list = format!("/getReservations?sessionToken={token}");
    expect(
        &world.get(&list),
        200,
        &json!({ "reservedDeployments": [] }),
    );
    let app = about(&token, APP);
    let added = json!({ "message": "Application Complete-Test-App reservation has been added." });
    expect(&world.post("/addDeploymentReservation", &app), 200, &added);
    world.wait(600);
    let body = world.ok(&list);
    let item = &body["reservedDeployments"][0];
    assert_eq!(
        item["status"],
        json!({ "state": "deploying", "progress": 50 })
    );
    assert_eq!(item["createdAt"], "2026-11-24T02:24:27Z");
    assert_eq!(item["expiresAt"], "2026-11-24T02:54:27Z");
    world.wait(600);
    let body = world.ok(&list);
    assert_eq!(
        body["reservedDeployments"][0]["status"],
        json!({ "state": "running" })
    );

    let removed = json!({
        "message": "Application Complete-Test-App reservation has been removed. Application site will be removed \
                    within the next 10 minutes.",
    });
    expect(
        &world.post("/removeDeploymentReservation", &app),
        200,
        &removed,
    );
    let already =
        json!({ "error": "Application Complete-Test-App reservation has already been removed." });
    expect(
        &world.post("/removeDeploymentReservation", &app),
        500,
        &already,
    );

    world.posted("/addDeploymentReservation", &app, 200);
    let text = bare(&world.post("/removeReservations", &json!({ "sessionToken": token })));
    assert_eq!(
        text,
        "Application reservations have been removed. If deployments have reached their time limits, application \
         sites will be removed within 10 minutes."
    );
    expect(
        &world.get(&list),
        200,
        &json!({ "reservedDeployments": [] }),
    );
}

#[test]
fn a_free_plan_reserves_nothing() {
    let error = json!({
        "error": "User is not on the Scale or Conquer plan. Please upgrade your plan to add a reservation.",
    });
    let mut world = World::new(
        Platform::Nexlayer,
        Sandbox::builder().nexlayer_plan(Plan::Free),
    );
    let token = start(&mut world);
    expect(
        &world.post("/addDeploymentReservation", &about(&token, APP)),
        500,
        &error,
    );
    let mut world = World::new(
        Platform::Nexlayer,
        Sandbox::builder().nexlayer_plan(Plan::Conquer),
    );
    let token = start(&mut world);
    world.posted("/addDeploymentReservation", &about(&token, APP), 200);
}

#[test]
fn a_failed_deployment_says_so() {
    let mut world = World::new(
        Platform::Nexlayer,
        Sandbox::builder().deployments_fail(true),
    );
    let token = start(&mut world);
    world.posted("/addDeploymentReservation", &about(&token, APP), 200);
    world.wait(1_200);
    let body = world.ok(&format!("/getReservations?sessionToken={token}"));
    assert_eq!(
        body["reservedDeployments"][0]["status"],
        json!({ "state": "failed" })
    );
}

#[test]
fn a_session_ends_with_its_last_application() {
    let mut world = world();
    let token = start(&mut world);
    let list = format!("/getReservations?sessionToken={token}");
    world.wait(30 * MINUTE - 1);
    world.ok(&list);
    world.wait(1);
    world.fails(&list, 400);
}

#[test]
fn a_reservation_keeps_an_application_past_its_limit() {
    let mut world = world();
    let token = start(&mut world);
    let app = about(&token, APP);
    world.posted("/addDeploymentReservation", &app, 200);
    world.wait(60 * MINUTE);
    world.posted("/removeDeploymentReservation", &app, 200);
    world.wait(10 * MINUTE - 1);
    world.posted("/claimDeployment", &app, 200);
    world.wait(1);
    world.posted("/claimDeployment", &app, 400);
}
