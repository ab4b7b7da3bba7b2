//! What Edgegap has beside the start of a deployment: logs, metrics, tags, stops of many and from inside, and what can
//! be deployed.

mod common;

use common::edgegap::{FLEET, body_with, deploy_with, world, world_of};
use common::{World, expect, expect_status, has};
use deploykit_sandbox::{Request, Sandbox};
use serde_json::{Value, json};

fn deploy(world: &mut World, tags: &[&str]) -> String {
    deploy_with(world, json!({ "tags": tags }), 202)
}

fn status(world: &mut World, id: &str) -> Value {
    common::edgegap::status(world, id)["current_status"].clone()
}

#[test]
fn tags_are_added_renamed_and_deleted() {
    let mut world = world();
    let id = deploy(&mut world, &["eu"]);
    let tags = format!("/v1/deployments/{id}/tags");
    let at = "2026-11-24 02:24:27.000000";
    let eu = json!({ "name": "eu", "create_time": at, "last_updated": at });
    let list = world.ok(&tags);
    has(&list, json!({ "tags": [eu], "total_count": 1 }));
    expect(&world.get(&format!("{tags}/eu")), 200, &eu);

    world.wait(1_000);
    let later = "2026-11-24 02:24:28.000000";
    let ranked = json!({ "name": "ranked", "create_time": later, "last_updated": later });
    expect(
        &world.post(&tags, &json!({ "name": "ranked" })),
        200,
        &ranked,
    );
    world.posted(&tags, &json!({ "name": "ranked" }), 409);
    for wrong in [
        json!({}),
        json!({ "name": "" }),
        json!({ "name": "x".repeat(41) }),
    ] {
        world.posted(&tags, &wrong, 400);
    }
    let renamed = json!({ "name": "us", "create_time": at, "last_updated": later });
    let old = format!("{tags}/eu");
    expect(&world.patch(&old, &json!({ "name": "us" })), 200, &renamed);
    expect_status(&world.patch(&old, &json!({ "name": "us" })), 404);
    let ranked = format!("{tags}/ranked");
    expect_status(&world.patch(&ranked, &json!({ "name": "us" })), 409);
    expect_status(&world.patch(&ranked, &json!({})), 400);
    let reply = world.delete(&ranked);
    assert_eq!((reply.status.as_u16(), reply.body.len()), (204, 0));
    world.deleted(&ranked, 404);
    let seen = world.ok(&format!("/v1/status/{id}"));
    assert_eq!(seen["tags"], json!(["us"]));
    world.fails("/v1/deployments/a69f8e3e0555/tags", 404);
    let page = world.ok(&format!("{tags}?page=2&limit=1"));
    assert_eq!(
        (&page["tags"], &page["pagination"]["number"]),
        (&json!([]), &json!(2))
    );
    world.fails(&format!("{tags}?page=0"), 400);
}

#[test]
fn a_stop_of_many_ends_those_that_match() {
    let mut world = world();
    let make = |world: &mut World, tags: &[&str]| deploy(world, tags);
    let a = make(&mut world, &["eu", "a"]);
    let b = make(&mut world, &["eu", "b"]);
    let c = make(&mut world, &["us", "a"]);
    world.wait(1_200);
    let stop = "/v1/deployments/bulk-stop";
    let filter = |field: &str, kind: &str, values: Value| json!({ "field": field, "filter_type": kind, "values": values });
    let stopped = |ids: &[&String]| {
        let ids: Vec<Value> = ids.iter().map(|id| json!({ "request_id": id })).collect();
        json!({ "processable": ids })
    };
    let body = json!({ "filters": [
        filter("deployment_tags", "all", json!(["eu", "a"])),
        filter("request_id", "any", json!([a, b, c])),
    ] });
    expect(&world.post(stop, &body), 202, &stopped(&[&a]));
    assert_eq!(status(&mut world, &a), "Status.TERMINATING");
    expect(&world.post(stop, &body), 202, &stopped(&[]));
    let body = json!({ "filters": [filter("deployment_tags", "not", json!(["us"]))] });
    expect(&world.post(stop, &body), 202, &stopped(&[&b]));
    // No condition is met by everything.
    expect(
        &world.post(stop, &json!({ "filters": [] })),
        202,
        &stopped(&[&c]),
    );
    for wrong in [
        json!({}),
        json!({ "request_ids": [a] }),
        json!({ "filters": [filter("tags", "any", json!(["eu"]))] }),
        json!({ "filters": [filter("request_id", "eq", json!([a]))] }),
        json!({ "filters": [filter("request_id", "any", json!(a))] }),
    ] {
        world.posted(stop, &wrong, 400);
    }
}

#[test]
fn a_container_ends_itself_with_a_token_of_its_own() {
    let mut world = world();
    let id = deploy(&mut world, &[]);
    let access = world.state.edgegap().access("");
    let (url, token) = access.self_stop(&id);
    let request = |token: &str| Request::new("DELETE", &url).with_header("authorization", token);
    expect_status(&world.raw(&Request::new("DELETE", &url)), 401);
    for wrong in [format!("token {token}"), format!("token {}", access.token)] {
        expect_status(&world.raw(&request(&wrong)), 401);
    }
    let other = format!("/v1/self/stop/{id}/0x");
    let other = Request::new("DELETE", &other).with_header("authorization", &token);
    expect_status(&world.raw(&other), 403);
    world.wait(1_200);
    expect_status(&world.raw(&request(&token)), 200);
    world.wait(400);
    assert_eq!(status(&mut world, &id), "Status.TERMINATED");
    expect_status(&world.raw(&request(&token)), 404);
}

#[test]
fn what_can_be_deployed_and_where() {
    let mut world = world();
    let access = world.state.edgegap().access("");
    let apps = world.ok("/v1/apps");
    assert_eq!(apps["applications"][0]["name"], access.application.as_str());
    let versions = format!("/v1/app/{}/versions", access.application);
    let versions = world.ok(&versions);
    assert_eq!(versions["versions"][0]["name"], access.version.as_str());
    world.fails("/v1/app/other/versions", 404);
    let all = world.ok("/v1/locations?limit=1");
    assert_eq!(
        (&all["total_count"], &all["pagination"]["has_next"]),
        (&json!(2), &json!(true))
    );
    world.fails("/v1/locations?app=other", 400);
}

#[test]
fn a_fleet_fills_up_and_its_deployments_are_found() {
    let mut world = world();
    let access = world.state.edgegap().access("");
    let hosts = format!("/v2/private-fleets/{}/hosts", access.fleet);
    let used = |world: &mut World| {
        world.wait(1_000);
        let list = world.ok(&hosts);
        assert_eq!(list["data"][0]["host_id"], access.private_host_id.as_str());
        list["data"][0]["allocated_cpu_units"].clone()
    };
    assert_eq!(used(&mut world), 0);
    deploy(&mut world, &[]);
    let hosts_of_it = json!(["a-host-nobody-knows", access.private_host_id]);
    let body = body_with(&world, json!({ "private_host_ids": hosts_of_it }));
    let made = world.posted(FLEET, &body, 202);
    let id = made["request_id"].as_str().unwrap().to_owned();
    assert_eq!(used(&mut world), 256);
    for (field, operator, value, found) in [
        ("fleet_name", "eq", json!(access.fleet), true),
        ("fleet_name", "ilike", json!("AL%a"), true),
        ("fleet_name", "ilike", json!("al%b"), false),
        ("host_name", "in", json!([access.private_host_id]), true),
        ("host_name", "ilike", json!("%america%"), true),
        ("host_name", "ilike", json!("%a%h%%a%"), true),
        ("host_name", "ilike", json!("alpha-%north%north%"), false),
        // Neither takes long.
        ("host_name", "ilike", json!("%".repeat(40)), true),
        ("host_name", "ilike", json!("%".repeat(40) + "z"), false),
        ("host_name", "ilike", json!("%a".repeat(40)), false),
        ("host_name", "neq", json!(access.private_host_id), false),
    ] {
        world.wait(1_000);
        let query =
            json!({ "filters": [{ "field": field, "operator": operator, "value": value }] });
        let encoded: String = query
            .to_string()
            .bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect();
        let list = world.ok(&format!("/v1/deployments?query={encoded}"));
        let ids = list["data"].as_array().unwrap().iter();
        let listed = ids
            .into_iter()
            .any(|item| item["request_id"] == id.as_str());
        assert_eq!(listed, found, "{query}");
    }
    world.fails("/v2/private-fleets/other/hosts", 400);
    world.wait(1_000);
    for _ in 0..10 {
        world.ok(&hosts);
    }
    world.fails(&hosts, 429);
}

#[test]
fn logs_are_gone_with_the_deployment() {
    let mut world = world();
    let id = deploy(&mut world, &[]);
    let logs = format!("/v1/deployment/{id}/container-logs");
    assert_eq!(world.ok(&logs)["logs"], "");
    world.wait(1_200);
    let running = world.ok(&logs);
    assert_eq!(running["logs"], "listening on 7777\n");
    assert_eq!(running["crash_data"], Value::Null);
    world.deleted(&format!("/v1/stop/{id}"), 200);
    world.ok(&logs);
    world.wait(400);
    world.fails(&logs, 404);
    world.fails("/v1/deployment/a69f8e3e0555/container-logs", 404);

    let mut world = world_of(Sandbox::builder().deployments_fail(true));
    let id = deploy(&mut world, &[]);
    world.wait(1_200);
    let logs = format!("/v1/deployment/{id}/container-logs");
    let crashed = world.ok(&logs);
    assert_eq!(crashed["crash_data"]["exit_code"], 1);
    assert!(crashed["crash_logs"].is_string());
}

#[test]
fn metrics_have_points_in_the_asked_window() {
    let mut world = world();
    let id = deploy(&mut world, &[]);
    let metrics = format!("/v1/metrics/deployment/{id}");
    let times = |world: &mut World, query: &str| -> Vec<String> {
        let reply = world.ok(&format!("{metrics}{query}"));
        let values = reply["cpu"]["datasets"].as_array().unwrap();
        let times = &reply["cpu"]["timestamps"];
        let times: Vec<String> = serde_json::from_value(times.clone()).unwrap();
        assert_eq!(values.len(), times.len());
        times
    };
    let ends = |times: &[String]| [times[0].clone(), times[times.len() - 1].clone()];
    world.wait(1_199);
    assert!(times(&mut world, "").is_empty());
    world.wait(1 + 95_000);
    let since_start = times(&mut world, "");
    assert_eq!(since_start.len(), 4);
    let first_and_last = ["2026-11-24 02:24:28.200", "2026-11-24 02:25:58.200"];
    assert_eq!(ends(&since_start), first_and_last);
    world.deleted(&format!("/v1/stop/{id}"), 200);
    // It has stopped by then.
    world.wait(60_000);
    assert_eq!(times(&mut world, ""), since_start);
    // Too many points are fewer: every 4 seconds.
    let long = "?start_time=2026-11-24%2000:00:00&end_time=2026-11-24%2001:06:36&steps=1s";
    let some = times(&mut world, long);
    let first_and_last = ["2026-11-24 00:00:00.000", "2026-11-24 01:06:36.000"];
    assert_eq!(
        (some.len(), ends(&some)),
        (1_000, first_and_last.map(str::to_owned))
    );
    let all = "?start_time=1970-01-01%2000:00:00&end_time=9999-01-01%2000:00:00&steps=1s";
    assert!((900..=1_000).contains(&times(&mut world, all).len()));
    let window = "start_time=2026-11-24%2002:00:00.00&end_time=2026-11-24%2002:10:00.00";
    let some = world.ok(&format!("{metrics}?{window}&steps=1m"));
    let times = some["mem"]["timestamps"].as_array().unwrap();
    assert_eq!(times.len(), 11);
    assert_eq!(times[1], "2026-11-24 02:01:00.000");
    assert_eq!(some["mem"]["labels"][1], "02:01:00");
    for query in [
        "start_time=yesterday",
        "end_time=",
        "steps=30",
        "steps=0s",
        "start_time=2026-11-25%2000:00:00",
        "end_time=2020-01-01%2000:00:00",
    ] {
        world.fails(&format!("{metrics}?{query}"), 422);
    }
    world.fails("/v1/metrics/deployment/a69f8e3e0555", 404);
}
