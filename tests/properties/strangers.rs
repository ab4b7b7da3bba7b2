//! What anybody may send to a callback URL.

use super::checks::webhooks::{address, body, query};
use super::checks::with_canaries;
use super::generated::{any_json, body as filled, holds};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

#[test]
fn any_bytes_as_a_body() {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..200),
        "[\\[\\]{}\",:0-9a-z]{0,60}".prop_map(String::into_bytes),
    ];
    holds(500, bytes, |bytes| body(&with_canaries(&bytes)));
}

#[test]
fn any_json_as_a_body() {
    holds(500, any_json(), |value| body(&filled(&value)));
}

/// Real bodies with any value in any of their fields.
#[test]
fn any_value_in_a_field() {
    let of_edgegap = json!({ "request_id": "a", "current_status": "Status.READY", "running": true, "ports": { "p": {} } });
    let of_dployr = json!({ "event": "x", "timestamp": "x", "data": { "deploymentId": "a" } });
    let names = [
        "request_id",
        "current_status",
        "last_status",
        "running",
        "error",
        "ports",
        "location",
        "tags",
        "start_time",
        "elapsed_time",
        "event",
        "timestamp",
        "data",
    ];
    let bodies = select(vec![of_edgegap, of_dployr]);
    let values = (bodies, select(names.to_vec()), any_json());
    holds(1500, values, |(mut whole, name, value)| {
        whole[name] = value;
        body(&filled(&whole));
    });
    let inner = (
        select(vec!["userEmail", "deploymentId", "instanceId", "x"]),
        any_json(),
    );
    holds(200, inner, |(name, value): (&str, Value)| {
        body(&filled(&json!({ "event": "x", "data": { name: value } })));
    });
}

#[test]
fn any_query_of_a_call() {
    let pair = prop_oneof![
        3 => select(vec!["callback_secret=\u{1}-and-more", "callback_secret=\u{8}-and-much-more", "callback%5fsecret=x", "a=b", ""]).prop_map(str::to_owned),
        1 => "callback_secret=[ -~]{0,30}",
        1 => any::<String>(),
    ];
    holds(1000, vec(pair, 0..4), |pairs| {
        query(&String::from_utf8(with_canaries(pairs.join("&").as_bytes())).unwrap());
    });
}

#[test]
fn any_address_to_call() {
    let part = select(vec![
        "https",
        "http",
        "://",
        ":",
        "//",
        "/",
        "\\",
        "u:p@",
        "@",
        "me.example",
        "127.0.0.1",
        "[::1]",
        "localhost",
        ":80",
        "/hook",
        "?",
        "a=b",
        "&",
        "callback_secret=x",
        "callback%5fsecret",
        "#",
        " ",
        "\u{a0}",
        "\t",
        "%zz",
    ]);
    holds(1500, vec(part, 1..10), |parts| address(&parts.concat()));
    let tail = vec(
        select(vec!["/a", "?", "a=b", "&", "%41", "ü", "+", ";", "#"]),
        0..6,
    );
    holds(500, tail, |tail| {
        address(&format!("https://me.example{}", tail.concat()))
    });
    holds(300, any::<String>(), |text| address(&text));
}
