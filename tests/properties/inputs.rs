//! The checks of a program's input, and of what strangers send to a callback URL, on generated values.

use super::checks::{inputs, webhooks, with_canaries};
use super::values::{any_json, any_operation, holds};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

#[test]
fn any_input() {
    let data = prop_oneof![
        vec(any::<u8>(), 0..40),
        "[\u{0}-\u{7}](%2e|\\.|/|:|@|\\\\|\\?|#|a|\u{7}|\u{8}|ü| |\n|https|http|ssh|=|&){0,12}"
            .prop_map(String::into_bytes),
        any_json().prop_map(|value| [b"\x07", value.to_string().as_bytes()].concat()),
    ];
    holds(750, data, |data| inputs::check(&data));
}

#[test]
fn any_id_in_any_path() {
    let id = prop_oneof![
        any::<String>(),
        "(%|2e|2F|\\.|a|ü| |\\+|&|=|;|:|@|~|\\{|\\}|\\||\\^|`|\"|<|>)*"
    ];
    holds(750, (any_operation(), id), |(operation, id)| {
        inputs::id_in_a_path(operation, &id);
    });
}

#[test]
fn any_callback_body() {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..200),
        "[\\[\\]{}\",:0-9a-z]{0,60}".prop_map(String::into_bytes),
    ];
    holds(500, bytes, |bytes| webhooks::body(&with_canaries(&bytes)));
    holds(500, any_json(), |value| {
        webhooks::body(value.to_string().as_bytes());
    });
}

/// Real bodies with any value in any of their fields.
#[test]
fn any_value_in_a_field_of_a_callback_body() {
    let of_edgegap = json!({ "request_id": "a", "current_status": "Status.READY", "running": true, "ports": { "p": {} } });
    let of_dployr = json!({ "event": "x", "timestamp": "x", "data": { "deploymentId": "a" } });
    let names = "request_id|current_status|last_status|running|error|ports|location|tags|start_time|\
        elapsed_time|event|timestamp|data|data/userEmail|data/deploymentId|data/instanceId|data/x";
    let names: Vec<_> = names.split('|').collect();
    let values = (
        select(vec![of_edgegap, of_dployr]),
        select(names),
        any_json(),
    );
    holds(1700, values, |(mut whole, name, value)| {
        match name.split_once('/') {
            Some((outer, name)) => whole[outer][name] = value,
            None => whole[name] = value,
        }
        webhooks::body(whole.to_string().as_bytes());
    });
}

#[test]
fn any_query_of_a_callback() {
    let known = ["\u{1}-and-more", "\u{8}-and-much-more", "", "x"];
    let known = known.map(|secret| format!("callback_secret={secret}"));
    let other = ["callback%5fsecret=x", "a=b", ""].map(str::to_owned);
    let pair = prop_oneof![
        3 => select([&known[..], &other].concat()),
        1 => "callback_secret=[ -~]{0,30}",
        1 => any::<String>(),
    ];
    holds(1000, vec(pair, 0..4), |pairs| {
        let query = with_canaries(pairs.join("&").as_bytes());
        webhooks::query(&String::from_utf8(query).unwrap());
    });
}

#[test]
fn any_callback_url() {
    let part = "(https|http|://|:|//|/|\\\\|u:p@|@|me\\.example|127\\.0\\.0\\.1|\\[::1\\]|localhost|:80|/hook|\\?\
        |a=b|&|callback_secret=x|callback%5fsecret|#| |\u{a0}|\t|%zz)";
    holds(1500, vec(part, 1..10), |parts| {
        webhooks::address(&parts.concat())
    });
    let tail = "(/a|\\?|a=b|&|%41|ü|\\+|;|#){0,5}";
    holds(500, tail, |tail| {
        webhooks::address(&format!("https://me.example{tail}"))
    });
    holds(300, any::<String>(), |text| webhooks::address(&text));
}
