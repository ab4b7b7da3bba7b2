//! Properties of caller input and of received webhooks, for generated values.

use super::checks::{inputs, webhooks, with_canaries};
use super::values::{any_json, any_operation, for_all};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

#[test]
fn any_caller_input_is_accepted_or_rejected() {
    // The first byte selects the kind of input; 7 is a request body.
    let data = prop_oneof![
        vec(any::<u8>(), 0..40),
        "[\u{0}-\u{7}](%2e|\\.|/|:|@|\\\\|\\?|#|a|\u{7}|\u{8}|ü| |\n|https|http|ssh|=|&){0,12}"
            .prop_map(String::into_bytes),
        any_json().prop_map(|value| [b"\x07", value.to_string().as_bytes()].concat()),
    ];
    for_all(750, data, |data| inputs::check(&data));
}

#[test]
fn any_id_stays_one_path_segment_or_is_rejected() {
    let id = prop_oneof![
        any::<String>(),
        "(%|2e|2F|\\.|a|ü| |\\+|&|=|;|:|@|~|\\{|\\}|\\||\\^|`|\"|<|>)*"
    ];
    for_all(750, (any_operation(), id), |(operation, id)| {
        inputs::check_id_in_path(operation, &id);
    });
}

#[test]
fn any_webhook_body_is_parsed_or_rejected() {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..200),
        "[\\[\\]{}\",:0-9a-z]{0,60}".prop_map(String::into_bytes),
    ];
    for_all(500, bytes, |bytes| {
        webhooks::check_body(&with_canaries(&bytes))
    });
    for_all(500, any_json(), |value| {
        webhooks::check_body(value.to_string().as_bytes());
    });
}

/// The bodies are typical ones, with any value in one field.
#[test]
fn any_field_value_of_a_webhook_body_is_parsed_or_rejected() {
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
    for_all(1700, values, |(mut whole, name, value)| {
        match name.split_once('/') {
            Some((outer, name)) => whole[outer][name] = value,
            None => whole[name] = value,
        }
        webhooks::check_body(whole.to_string().as_bytes());
    });
}

#[test]
fn only_queries_with_exactly_one_secret_are_verified() {
    let known = ["\u{1}-and-more", "\u{8}-and-much-more", "", "x"];
    let known = known.map(|secret| format!("callback_secret={secret}"));
    let other = ["callback%5fsecret=x", "a=b", ""].map(str::to_owned);
    let pair = prop_oneof![
        3 => select([&known[..], &other].concat()),
        1 => "callback_secret=[ -~]{0,30}",
        1 => any::<String>(),
    ];
    for_all(1000, vec(pair, 0..4), |pairs| {
        let query = with_canaries(pairs.join("&").as_bytes());
        webhooks::check_query(&String::from_utf8(query).unwrap());
    });
}

#[test]
fn any_webhook_url_gets_the_secret_or_is_rejected() {
    let part = "(https|http|://|:|//|/|\\\\|u:p@|@|me\\.example|127\\.0\\.0\\.1|\\[::1\\]|localhost|:80|/hook|\\?\
        |a=b|&|callback_secret=x|callback%5fsecret|#| |\u{a0}|\t|%zz)";
    for_all(1500, vec(part, 1..10), |parts| {
        webhooks::check_url(&parts.concat())
    });
    let tail = "(/a|\\?|a=b|&|%41|ü|\\+|;|#){0,5}";
    for_all(500, tail, |tail| {
        webhooks::check_url(&format!("https://me.example{tail}"))
    });
    for_all(300, any::<String>(), |text| webhooks::check_url(&text));
}
