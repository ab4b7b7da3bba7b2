//! How a deployment on Edgegap ends, and what its times say.

mod common;

use common::edgegap::{self, status, world_of as world};
use common::{World, expect_status, has};
use deploykit_sandbox::Sandbox;
use serde_json::{Value, json};

const MINUTE: u64 = 60_000;

/// One that tells of its end.
fn deploy(world: &mut World, expected: u16) -> String {
    let hook = json!({ "webhook_on_terminated": { "url": "http://127.0.0.1:1/terminated" } });
    edgegap::deploy_with(world, hook, expected)
}

/// What it is and what it was.
#[track_caller]
fn expect_states(world: &mut World, id: &str, now: &str, before: Option<&str>) {
    let status = status(world, id);
    let before = before.map_or(Value::Null, |before| json!(format!("Status.{before}")));
    has(
        &status,
        json!({ "current_status": format!("Status.{now}"), "last_status": before }),
    );
}

/// Its `start_time`, `elapsed_time` and `removal_time`.
fn times(world: &mut World, id: &str) -> [Value; 3] {
    let status = status(world, id);
    ["start_time", "elapsed_time", "removal_time"].map(|name| status[name].clone())
}

#[test]
fn a_stop_waits_until_it_is_ready() {
    let mut world = world(Sandbox::builder());
    let id = deploy(&mut world, 202);
    let stop = format!("/v1/stop/{id}");
    world.deleted(&stop, 202);
    expect_states(&mut world, &id, "SEEKING", None);
    assert_eq!(times(&mut world, &id)[2], Value::Null);
    world.wait(400);
    expect_states(&mut world, &id, "DEPLOYING", Some("SEEKING"));
    world.deleted(&stop, 202);
    world.wait(799);
    expect_states(&mut world, &id, "DEPLOYING", Some("SEEKING"));
    world.wait(1);
    expect_states(&mut world, &id, "TERMINATING", Some("READY"));
    assert_eq!(
        times(&mut world, &id)[2],
        "2026-11-24 02:24:28.200000",
        "stopped when it was ready"
    );
    world.deleted(&stop, 202);
    world.wait(400);
    expect_states(&mut world, &id, "TERMINATED", Some("TERMINATING"));
    world.deleted(&stop, 410);
}

#[test]
fn a_stop_of_many_waits_as_well() {
    let mut world = world(Sandbox::builder());
    let id = deploy(&mut world, 202);
    let body = json!({ "filters": [] });
    let stop = |world: &mut World| {
        let reply = world.post("/v1/deployments/bulk-stop", &body);
        expect_status(&reply, 202)["processable"].clone()
    };
    for _ in 0..2 {
        assert_eq!(stop(&mut world), json!([{ "request_id": id }]));
        expect_states(&mut world, &id, "SEEKING", None);
    }
    world.wait(1_200);
    assert_eq!(stop(&mut world), json!([]));
    world.wait(400);
    expect_states(&mut world, &id, "TERMINATED", Some("TERMINATING"));
}

#[test]
fn a_stop_waits_until_it_is_in_error() {
    let mut world = world(Sandbox::builder().deployments_fail(true));
    let id = deploy(&mut world, 202);
    world.deleted(&format!("/v1/stop/{id}"), 202);
    world.wait(1_200);
    expect_states(&mut world, &id, "TERMINATING", Some("ERROR"));
}

#[test]
fn times_count_from_ready() {
    let mut world = world(Sandbox::builder());
    let id = deploy(&mut world, 202);
    for _ in 0..3 {
        assert_eq!(
            times(&mut world, &id),
            [Value::Null, Value::Null, Value::Null]
        );
        let list = world.ok("/v1/deployments");
        assert_eq!(list["data"][0]["start_time"], Value::Null);
        world.wait(399);
    }
    world.wait(3);
    let started = json!("2026-11-24 02:24:28.200000");
    assert_eq!(
        times(&mut world, &id),
        [started.clone(), json!(0), Value::Null]
    );
    let list = world.ok("/v1/deployments");
    assert_eq!(list["data"][0]["start_time"], started);
    expect_states(&mut world, &id, "READY", Some("DEPLOYING"));
    world.wait(34_000);
    assert_eq!(times(&mut world, &id)[1], 34);
    world.deleted(&format!("/v1/stop/{id}"), 200);
    // It has stopped after 34.4 seconds.
    world.wait(MINUTE);
    let stopped = json!("2026-11-24 02:25:02.200000");
    assert_eq!(times(&mut world, &id), [started, json!(34), stopped]);
}

#[test]
fn one_that_was_never_ready_has_no_time() {
    let mut failing = world(Sandbox::builder().deployments_fail(true));
    let id = deploy(&mut failing, 202);
    failing.wait(1_200);
    expect_states(&mut failing, &id, "ERROR", Some("DEPLOYING"));
    assert_eq!(times(&mut failing, &id)[..2], [Value::Null, Value::Null]);
    let mut full = world(Sandbox::builder().edgegap_capacity(0));
    let id = deploy(&mut full, 422);
    expect_states(&mut full, &id, "ERROR", Some("SEEKING"));
}

#[test]
fn the_platform_stops_what_is_ready_for_too_long() {
    let mut world = world(Sandbox::builder());
    let id = deploy(&mut world, 202);
    world.wait(1_200);
    assert_eq!(status(&mut world, &id)["max_duration"], 60);
    world.wait(60 * MINUTE - 1);
    expect_states(&mut world, &id, "READY", Some("DEPLOYING"));
    world.wait(1);
    expect_states(&mut world, &id, "TERMINATING", Some("READY"));
    assert_eq!(world.state.webhooks_due(world.now), []);
    world.wait(400);
    let [told] = world.state.webhooks_due(world.now).try_into().unwrap();
    assert_eq!(told.body, status(&mut world, &id));
    assert_eq!(told.body["current_status"], "Status.TERMINATED");
    assert_eq!(told.body["elapsed_time"], 3_600);
    world.deleted(&format!("/v1/stop/{id}"), 410);
}

#[test]
fn the_platform_clears_away_what_is_in_error() {
    let mut world = world(Sandbox::builder().edgegap_capacity(0));
    deploy(&mut world, 422);
    let left = |world: &mut World| world.ok("/v1/deployments")["total_count"].clone();
    assert_eq!(left(&mut world), 1);
    world.wait(61 * MINUTE);
    assert_eq!(left(&mut world), 0);
}
