//! Generated values. Every run uses the same values.

use super::checks::{NUMBER, PASSWORD, QUERY, SESSION, TOKEN, VALUE};
use super::specs::{self, Example};
use deploykit::operation::{OPERATIONS, Operation};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Runs a check on a number of generated values.
pub fn for_all<S: Strategy>(cases: u32, values: S, check: impl Fn(S::Value)) {
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let result = runner.run(&values, |value| {
        check(value);
        Ok(())
    });
    if let Err(failed) = result {
        panic!("{failed}");
    }
}

/// The example responses of all specs, including failures.
pub fn examples() -> Vec<Example> {
    let apis = ["dployr", "edgegap", "nexlayer", "nodion"];
    apis.into_iter().flat_map(specs::examples).collect()
}

pub fn any_operation() -> impl Strategy<Value = &'static Operation> {
    select(OPERATIONS.iter().collect::<Vec<_>>())
}

/// The property names of the examples, and some others.
pub fn property_names() -> Vec<String> {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            Value::Object(map) => map.iter().for_each(|(name, inner)| {
                found.insert(name.clone());
                collect(inner, found);
            }),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    examples()
        .iter()
        .for_each(|example| collect(&example.value, &mut found));
    found.extend(["", "x", TOKEN, "created_at", "ü", "a.b[0]"].map(str::to_owned));
    found.into_iter().collect()
}

/// Any text, often a secret of the request.
pub fn any_text() -> impl Strategy<Value = String> {
    let url = "https://u:canary-user-9f@a/?q=canary-query-e1";
    let known = ["", " ", "a", "..", "hush-1", "running", "<html>", url]
        .into_iter()
        .chain(["2024-01-15T12:00:00Z", TOKEN, SESSION, PASSWORD, VALUE])
        .chain([NUMBER, QUERY]);
    prop_oneof![
        2 => select(known.map(str::to_owned).collect::<Vec<_>>()),
        1 => any::<String>(),
    ]
}

/// Any JSON scalar, often a secret of the request.
pub fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        // `NUMBER` as a JSON number.
        Just(json!(7_734_419_902_u64)),
        any_text().prop_map(Value::from),
    ]
}

/// Any JSON, with known property names.
pub fn any_json() -> impl Strategy<Value = Value> {
    let name = select(property_names());
    any_scalar().prop_recursive(4, 24, 6, move |inner| {
        let entries = vec((name.clone(), inner.clone()), 0..6);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            entries.prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// A log line, valid or invalid.
pub fn log_line() -> impl Strategy<Value = String> {
    let message = any::<String>().prop_map(|text| json!({ "message": text }).to_string());
    let full = (any::<String>(), any::<i64>(), any_text()).prop_map(|(message, at, level)| {
        json!({ "message": message, "timestamp": at, "level": level }).to_string()
    });
    let odd = [
        "", " ", ": ping", "{}", "null", "\u{feff}", "{\"mess", TOKEN,
    ];
    prop_oneof![
        2 => message,
        2 => full,
        1 => any_json().prop_map(|value| value.to_string()),
        1 => select(odd.to_vec()).prop_map(str::to_owned),
    ]
}
