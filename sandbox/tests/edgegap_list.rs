//! Edgegap's list of deployments: pages, filters, order.

mod common;

use common::World;
use common::edgegap::{deploy, deploy_with, world};
use serde_json::{Value, json};

#[test]
fn the_list_has_pages() {
    let mut world = world();
    let ids: Vec<String> = (0..3).map(|_| deploy(&mut world)).collect();
    let first = world.ok("/v1/deployments?limit=2");
    assert_eq!(
        first["data"][0]["request_id"],
        ids[2].as_str(),
        "newest first"
    );
    assert_eq!(
        (
            &first["total_count"],
            &first["pagination"]["next_page_number"]
        ),
        (&json!(3), &json!(2))
    );
    let second = world.ok("/v1/deployments?limit=2&page=2");
    assert_eq!(second["data"][0]["request_id"], ids[0].as_str());
    assert_eq!(second["pagination"]["has_next"], false);
    world.fails("/v1/deployments?page=0", 400);
}

#[test]
fn the_list_is_filtered_and_ordered() {
    let mut world = world();
    let tagged = |world: &mut World, tag: &str| {
        let id = deploy_with(world, json!({ "tags": ["eu", tag] }), 202);
        world.wait(2_000);
        id
    };
    let [a, b, c] = ["a", "b", "c"].map(|tag| tagged(&mut world, tag));
    // Two seconds after the first.
    let made = "2026-11-24 02:24:29.000000";
    let time = made.replace(' ', "T") + "Z";
    let filter = |field: &str, operator: &str, value: Value| json!({ "filters": [{ "field": field, "operator": operator, "value": value }] });
    let oldest_first = json!({ "order_by": [{ "field": "created_at", "order": "asc" }] });
    for (query, ids) in [
        (json!({}), json!([c, b, a])),
        (json!({ "filters": [], "order_by": null }), json!([c, b, a])),
        (oldest_first, json!([a, b, c])),
        (filter("tags", "eq", json!("b")), json!([b])),
        (filter("tags", "eq", json!("eu")), json!([c, b, a])),
        (filter("tags", "eq", json!("nobody")), json!([])),
        (filter("tags", "neq", json!("b")), json!([c, a])),
        (filter("tags", "in", json!(["a", "b"])), json!([b, a])),
        (filter("request_id", "nin", json!([a])), json!([c, b])),
        (filter("created_at", "gte", json!(time)), json!([c, b])),
        (filter("created_at", "lte", json!(made)), json!([b, a])),
        (filter("created_at", "eq", json!(made)), json!([b])),
        (filter("status", "eq", json!("ready")), json!([c, b, a])),
        (filter("status", "eq", json!("error")), json!([])),
        (
            json!({ "filters": [
                { "field": "tags", "operator": "eq", "value": "eu" },
                { "field": "created_at", "operator": "gte", "value": made },
                { "field": "application", "operator": "eq", "value": "my-app" },
            ] }),
            json!([c, b]),
        ),
    ] {
        world.wait(1_000);
        let page = world.ok(&list_target(&query.to_string()));
        let items = page["data"].as_array().unwrap().iter();
        let found: Vec<&Value> = items.map(|item| &item["request_id"]).collect();
        assert_eq!(json!(found), ids, "{query}");
        assert_eq!(page["total_count"], found.len(), "{query}");
    }
    for query in [
        "hush".to_owned(),
        "[]".to_owned(),
        json!({ "filters": {} }).to_string(),
        filter("players", "eq", json!("1")).to_string(),
        filter("tags", "gte", json!("a")).to_string(),
        filter("tags", "eq", json!(["a"])).to_string(),
        filter("tags", "in", json!("a")).to_string(),
        filter("status", "in", json!(["ready"])).to_string(),
        filter("created_at", "neq", json!(made)).to_string(),
        filter("created_at", "gte", json!("yesterday")).to_string(),
        json!({ "order_by": [{ "field": "tags", "order": "asc" }] }).to_string(),
        json!({ "filters": [
            { "field": "tags", "operator": "eq", "value": "a" },
            { "field": "tags", "operator": "eq", "value": "b" },
        ] })
        .to_string(),
    ] {
        world.wait(1_000);
        let reply = world.fails(&list_target(&query), 400);
        assert!(reply["message"].is_string(), "{query}");
    }
}

/// The list with this value of `query`, encoded.
fn list_target(query: &str) -> String {
    let encoded: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
    format!("/v1/deployments?query={encoded}")
}
