//! What is kept has an end, however much is asked for.

mod common;

use std::time::Duration;

use common::World;
use deploykit_sandbox::{Dialect, Platform, Request, Sandbox};
use serde_json::json;

/// The pages of this process that are in memory, in bytes.
fn in_memory() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4_096
}

/// A debug build does a tenth of it, which is beyond every bound too: the rest takes minutes there.
const SHARE: usize = if cfg!(debug_assertions) { 10 } else { 1 };

/// Does a thing so often, and again: what the second half adds is next to nothing.
fn does_not_grow(times: usize, mut act: impl FnMut(usize)) {
    let times = times / SHARE;
    (0..times / 2).for_each(&mut act);
    let half = in_memory();
    (times / 2..times).for_each(&mut act);
    let added = in_memory().saturating_sub(half);
    assert!(
        added < 8 << 20,
        "{added} bytes more after {times} times than after half of them"
    );
}

fn world(platform: Platform) -> World {
    World::new(platform, Sandbox::builder().rate_limits(false))
}

// One test, so that nothing else takes memory meanwhile.
#[test]
fn two_hundred_thousand_creations() {
    let mut edgegap = world(Platform::Edgegap);
    let access = edgegap.state.edgegap().access("");
    let body = json!({
        "application": access.application, "version": access.version, "tags": ["one"],
        "users": [{ "user_type": "ip_address", "user_data": { "ip_address": "198.51.100.7" } }],
        "webhook_on_ready": { "url": "http://127.0.0.1:1/" },
    });
    does_not_grow(30_000, |_| {
        assert_eq!(edgegap.post("/v2/deployments", &body).status, 202)
    });
    let list = edgegap.get("/v1/deployments").json_body();
    assert_eq!(list["total_count"], 1_000);

    let mut nexlayer = world(Platform::Nexlayer);
    does_not_grow(30_000, |number| {
        let request = common::nexlayer::yaml(
            "/startUserDeployment",
            &common::nexlayer::manifest(&format!("app-{number}")),
        );
        assert_eq!(nexlayer.send(request).status, 200);
    });

    let mut nodion = world(Platform::Nodion);
    let access = nodion.state.nodion().access("");
    let target = format!("/v1/applications/{}/deployments", access.application_id);
    does_not_grow(30_000, |_| {
        assert_eq!(nodion.post_empty(&target).status, 200)
    });
    let latest = (30_000 / SHARE + 2) as u64;
    let last = nodion.post_empty(&target).json_body();
    assert_eq!(last["deployment"]["deploy_number"], latest);
    let list = nodion.get(&target).json_body();
    let numbers: Vec<u64> = list["deployments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["deploy_number"].as_u64().unwrap())
        .collect();
    assert_eq!(
        (numbers.len(), numbers[0], numbers[249]),
        (250, latest, 1),
        "the one that serves stays"
    );

    let mut documented = world(Platform::Dployr);
    does_not_grow(30_000, |number| {
        let body = json!({ "name": format!("app-{number}"), "source": "image", "image": "nginx:1.27", "env": { "A": "b" } });
        assert_eq!(documented.post("/v1/deployments", &body).status, 202);
        documented.now += Duration::from_millis(10);
    });
    let list = documented.get("/v1/services").json_body();
    // One has come up since the last creation.
    assert_eq!(list.as_array().map(Vec::len), Some(1_001));

    let builder = Sandbox::builder()
        .rate_limits(false)
        .dployr_dialect(Dialect::ControlPlane);
    let mut plane = World::new(Platform::Dployr, builder);
    let cluster = plane.state.dployr().access("").cluster_id;
    let target = format!("/v1/deployments?clusterId={cluster}");
    does_not_grow(30_000, |number| {
        // Some numbers, and five digits of a kind, are refused in a name.
        let name = format!("app-{:03}-{:03}", number / 1_000, number % 1_000);
        let body = json!({ "name": name, "type": "web", "source": "image", "image": "nginx:1.27", "port": 3000 });
        let reply = plane.post(&target, &body);
        assert!(reply.status.is_success(), "{}", reply.text_body());
        plane.now += Duration::from_millis(10);
    });

    // The same thing over and over, and what belongs to one.
    let variables = format!("/v1/applications/{}/env_variables", access.application_id);
    does_not_grow(20_000, |number| {
        let body = json!({ "env_key": format!("KEY_{number}"), "env_val": "x" });
        assert_eq!(nodion.post(&variables, &body).status, 200);
    });
    does_not_grow(20_000, |_| {
        let again = json!({ "name": "again", "source": "image", "image": "nginx:1.27" });
        assert_eq!(documented.post("/v1/deployments", &again).status, 202);
        documented.now += Duration::from_millis(10);
    });
    does_not_grow(10_000, |number| {
        let request = Request::new("GET", &format!("/{number}"));
        assert_eq!(nodion.raw(&request).status, 404);
    });
}
