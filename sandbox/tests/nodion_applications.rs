//! Nodion: applications and what belongs to them.

mod common;

use common::nodion::{list, missing, refused, world};
use common::{World, expect, expect_status, has};
use deploykit_sandbox::Request;
use serde_json::{Value, json};

const SMALL: &str = "c047eab3-7574-44f5-b25a-5ae9b490500c";
const LARGE: &str = "b2c3d4e5-f6a7-8901-bcde-f12345678901";

fn new(world: &World) -> Value {
    let access = world.state.nodion().access("");
    json!({
        "name": "Shop", "region_id": access.region_id, "instance_type_id": access.instance_type_id,
        "instance_amount": 2, "integration_id": "i", "repository_id": "r", "branch_id": "b"
    })
}

#[test]
fn applications_are_created_read_changed_and_deleted() {
    let (mut world, _) = world();
    let body = new(&world);
    let created = world.posted("/v1/applications", &body, 200);
    let created = &created["application"];
    has(created, json!({ "name": "Shop", "status": "created" }));
    has(created, json!({ "instance_amount": 2, "branch_id": "b" }));
    let path = format!("/v1/applications/{}", created["id"].as_str().unwrap());
    assert_eq!(
        list(&mut world, "/v1/applications", "applications").len(),
        3
    );

    // It is not deployed by that.
    let deployments = format!("{path}/deployments");
    assert!(list(&mut world, &deployments, "deployments").is_empty());
    assert!(list(&mut world, &format!("{path}/instances"), "instances").is_empty());
    let first = world.called(&deployments, 200);
    assert_eq!(first["deployment"]["deploy_number"], 1);
    for (wait, status, instances) in [(0, "deploying", 0), (1_200, "online", 2)] {
        world.wait(wait);
        let body = world.ok(&path);
        assert_eq!(body["application"]["status"], status);
        let running = list(&mut world, &format!("{path}/instances"), "instances");
        assert_eq!(running.len(), instances);
    }

    let branch = json!({ "integration_id": "i", "repository_id": "r", "branch_id": "other" });
    let body = expect_status(&world.patch(&path, &branch), 200);
    assert_eq!(body["application"]["branch_id"], "other");
    expect(&world.delete(&path), 200, &json!({ "deleted": true }));
    for reply in [
        world.get(&path),
        world.delete(&path),
        world.get(&deployments),
    ] {
        missing(&reply);
    }
    assert_eq!(
        list(&mut world, "/v1/applications", "applications").len(),
        2
    );
}

/// A field of a new application, its value, and what is wrong with it.
const WRONG: &str = r#"
name | " " | Name can't be blank
name | "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" | Name must be between 1 and 255 characters long
region_id | "nowhere" | Region must exist
instance_type_id | 1 | Instance type must exist
instance_amount | 0 | Instance amount must be between 1 and 16
instance_amount | 17 | Instance amount must be between 1 and 16
integration_id | "" | Integration must exist
repository_id | null | Repository must exist
branch_id | null | Branch must exist
"#;

#[test]
fn a_new_application_is_checked() {
    let (mut world, path) = world();
    for row in WRONG.trim().lines() {
        let (key, value, words) = common::three(row);
        let value: Value = serde_json::from_str(value).unwrap();

        let mut body = new(&world);
        body[key] = value;
        let reply = world.post("/v1/applications", &body);
        refused(&reply, words);
    }
    world.called("/v1/applications", 400);
    let reply = world.patch(&path, &json!({ "branch_id": "b" }));
    refused(&reply, "Integration must exist");
}

#[test]
fn what_can_be_chosen() {
    let (mut world, _) = world();
    assert_eq!(list(&mut world, "/v1/regions", "regions")[0]["slug"], "fra");
    let types = list(&mut world, "/v1/instance_types", "instance_types");
    let ids: Vec<_> = types
        .iter()
        .map(|one| one["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids, [SMALL, LARGE]);
    assert_eq!(types[0]["price_second"], "0.000001522070015");
}

#[test]
fn scaling_takes_a_while() {
    let (mut world, path) = world();
    let (events, instances) = (
        format!("{path}/scaling_events"),
        format!("{path}/instances"),
    );
    // One of the application itself, one of its worker.
    let before = list(&mut world, &instances, "instances");
    assert_eq!(before.len(), 2);
    assert_eq!(
        (&before[0]["worker"], &before[1]["worker"]["name"]),
        (&Value::Null, &json!("Worker"))
    );
    assert_eq!(before[0]["deployment"]["deploy_number"], 1);

    let body = json!({ "instance_amount": 3, "instance_type_id": LARGE });
    let begun = world.posted(&events, &body, 200);
    let begun = &begun["scaling_event"];
    has(begun, json!({ "status": "created", "finished_at": null }));
    has(
        begun,
        json!({ "instance_amount_old": 1, "instance_amount_new": 3 }),
    );
    assert_eq!(begun["instance_type_id_old"], SMALL);
    assert_eq!(list(&mut world, &instances, "instances").len(), 2);
    world.wait(1_200);
    assert_eq!(list(&mut world, &instances, "instances").len(), 4);
    assert_eq!(
        list(&mut world, &events, "scaling_events")[0]["status"],
        "finished"
    );

    let app = world.ok(&path)["application"].clone();
    has(
        &app,
        json!({ "instance_amount": 3, "instance_type_id": LARGE }),
    );
    let worker = app["workers"][0]["id"].clone();
    let body = json!({ "instance_amount": 2, "instance_type_id": SMALL, "worker_id": worker });
    let reply = world.posted(&events, &body, 200);
    assert_eq!(reply["scaling_event"]["worker"]["id"], worker);
    assert_eq!(list(&mut world, &events, "scaling_events").len(), 2);

    for (body, words) in [
        (
            json!({ "instance_amount": 0, "instance_type_id": SMALL }),
            "Instance amount must be between 1 and 16",
        ),
        (json!({ "instance_amount": 1 }), "Instance type must exist"),
        (
            json!({ "instance_amount": 1, "instance_type_id": SMALL, "worker_id": "w" }),
            "Worker must exist",
        ),
    ] {
        refused(&world.post(&events, &body), words);
    }
}

#[test]
fn a_process_is_stopped_with_zero() {
    let (mut world, path) = world();
    let all = list(&mut world, &format!("{path}/processes"), "processes");
    assert_eq!(
        (&all[0]["slug"], &all[0]["ports"][0]["port"]),
        (&json!("web"), &json!(3000))
    );
    has(&all[1], json!({ "slug": "worker", "entrypoint": null }));
    let worker = format!("{path}/processes/{}", all[1]["id"].as_str().unwrap());
    let reply = expect_status(&world.patch(&worker, &json!({ "instance_amount": 0 })), 200);
    assert_eq!(reply["process"]["instance_amount"], 0);
    assert_eq!(
        list(&mut world, &format!("{path}/instances"), "instances").len(),
        1
    );
    expect_status(&world.patch(&worker, &json!({})), 400);
    let nobody = format!("{path}/processes/nobody");
    missing(&world.patch(&nobody, &json!({ "instance_amount": 1 })));
}

fn times(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line["ts"].as_str().unwrap())
        .collect()
}

#[test]
fn logs_are_read_by_time() {
    let (mut world, path) = world();
    let logs = format!("{path}/logs");
    // Two instances, a line each in 5 s: an hour has 1440, of which 200 are wanted by default.
    let recent = list(&mut world, &logs, "logs");
    assert_eq!(recent.len(), 200);
    assert_eq!(
        list(&mut world, &format!("{logs}?limit=2500"), "logs").len(),
        1_440
    );
    let all = times(&recent);
    assert!(all.is_sorted(), "oldest first");
    // Both ends are left out.
    let (first, last) = (all[0], all[199]);
    let between = format!("{logs}?after={first}&before={last}&limit=2500");
    let between = list(&mut world, &between, "logs");
    assert!(times(&between).iter().all(|at| *at > first && *at < last));
    let back = list(&mut world, &format!("{logs}?before={first}"), "logs");
    assert!(times(&back).iter().all(|at| *at < first));
    assert!(list(&mut world, &format!("{logs}?after={last}"), "logs").is_empty());
    world.wait(10_000);
    let on = list(&mut world, &format!("{logs}?after={last}"), "logs");
    assert_eq!(on.len(), 4);
    // Without `after` it is one hour; with it, what is kept.
    let long_ago = format!("{logs}?after=2026-11-20T00:00:00Z&limit=2500");
    assert_eq!(list(&mut world, &long_ago, "logs").len(), 2_500);
    let instance = recent[0]["instance_id"].as_str().unwrap();
    let of_one = list(
        &mut world,
        &format!("{logs}?instance_id={instance}&limit=2500"),
        "logs",
    );
    assert_eq!(of_one.len(), 720);

    // A new deployment has new instances, which have just begun.
    world.post_empty(&format!("{path}/deployments"));
    world.wait(1_200);
    let lines = list(&mut world, &logs, "logs");
    let text: Vec<_> = lines
        .iter()
        .map(|line| line["msg"].as_str().unwrap())
        .collect();
    assert_eq!(
        text,
        [
            "[web.1] Listening on 0.0.0.0:3000",
            "[worker.1] Waiting for jobs"
        ]
    );
    for (query, words) in [
        ("limit=0", "limit must be between 1 and 2500"),
        ("limit=2501", "limit must be between 1 and 2500"),
        ("limit=x", "limit must be between 1 and 2500"),
        ("after=yesterday", "after is not an ISO 8601 timestamp"),
        ("before=1", "before is not an ISO 8601 timestamp"),
    ] {
        let reply = world.get(&format!("{logs}?{query}"));
        refused(&reply, words);
    }
}

#[test]
fn variables_are_added_read_changed_and_deleted() {
    let (mut world, path) = world();
    let all = format!("{path}/env_variables");
    assert!(list(&mut world, &all, "env_variables").is_empty());
    let body = json!({ "env_key": "A", "env_val": "1" });
    let added = world.posted(&all, &body, 200)["env_variable"].clone();
    has(&added, json!({ "env_val": "1", "buildtime": false }));
    let one = format!("{all}/{}", added["id"].as_str().unwrap());
    world.wait(1_000);
    let changed = world.patch(&one, &json!({ "env_val": "", "buildtime": true }));
    let changed = expect_status(&changed, 200)["env_variable"].clone();
    has(&changed, json!({ "env_key": "A", "env_val": "" }));
    assert_eq!(changed["buildtime"], true);
    assert_eq!(changed["created_at"], added["created_at"]);
    assert_ne!(changed["updated_at"], added["updated_at"]);
    assert_eq!(world.ok(&one)["env_variable"], changed);
    assert_eq!(list(&mut world, &all, "env_variables"), [changed]);

    world.posted(&all, &json!({ "env_key": "B", "env_val": "2" }), 200);
    for (body, words) in [
        (json!({ "env_val": "1" }), "Env key can't be blank"),
        (
            json!({ "env_key": " ", "env_val": "1" }),
            "Env key can't be blank",
        ),
        (json!({ "env_key": "C" }), "Env val can't be blank"),
        (
            json!({ "env_key": "C", "env_val": 1 }),
            "Env val must be a string",
        ),
        (
            json!({ "env_key": "A", "env_val": "1" }),
            "Env key has already been taken",
        ),
    ] {
        refused(&world.post(&all, &body), words);
    }
    let reply = world.patch(&one, &json!({ "env_key": "B" }));
    refused(&reply, "Env key has already been taken");
    expect(&world.delete(&one), 200, &json!({ "deleted": true }));
    missing(&world.delete(&one));
    missing(&world.get(&one));
}

#[test]
fn a_domain_is_verified_then_connected_then_deployed() {
    let (mut world, path) = world();
    let all = format!("{path}/domains");
    let given = list(&mut world, &all, "domains");
    has(
        &given[0],
        json!({ "domain_type": "sub", "status": "available" }),
    );
    let added = world.post(&all, &json!({ "domain_name": "www.example.com" }));
    let added = expect_status(&added, 200)["domain"].clone();
    has(
        &added,
        json!({ "domain_type": "main", "status": "created" }),
    );
    assert!(
        added["verification_code"]
            .as_str()
            .unwrap()
            .starts_with("nodion=")
    );
    let one = format!("{all}/{}", added["id"].as_str().unwrap());
    let status = |world: &mut World| list(world, &all, "domains")[1]["status"].clone();

    let reply = world.post_empty(&format!("{one}/connect"));
    refused(&reply, "Domain is not verified");
    for step in ["verify", "connect"] {
        let body = world.called(&format!("{one}/{step}"), 200);
        assert_eq!(body["domain"]["id"], added["id"]);
        assert_eq!(status(&mut world), "created", "after {step}");
    }
    world.post_empty(&format!("{path}/deployments"));
    assert_eq!(status(&mut world), "created");
    world.wait(1_200);
    assert_eq!(status(&mut world), "available");

    for name in ["", "localhost", "a b.example", "a..example"] {
        let reply = world.post(&all, &json!({ "domain_name": name }));
        expect_status(&reply, 400);
    }
    world.posted(&all, &json!({ "domain_name": "www.example.com" }), 400);
    expect(&world.delete(&one), 200, &json!({ "deleted": true }));
    missing(&world.delete(&one));
    missing(&world.post_empty(&format!("{one}/verify")));
}

#[test]
fn only_what_is_known_has_a_route() {
    let (mut world, path) = world();
    for (method, path) in [
        ("PUT", path.clone()),
        ("GET", format!("{path}/metrics")),
        ("GET", format!("{path}/deployments/1")),
        ("GET", format!("{path}/processes/1")),
        ("GET", format!("{path}/domains/1")),
        ("POST", format!("{path}/logs")),
        ("POST", format!("{path}/domains/1/nope")),
        ("POST", "/v1/regions".to_owned()),
        ("GET", "/v2/regions".to_owned()),
    ] {
        missing(&world.send(Request::new(method, &path)));
    }
    let keyless = world.raw(&Request::new("GET", "/v1/regions"));
    expect(
        &keyless,
        401,
        &json!({ "status": 401, "error": "Unauthorized" }),
    );
}
