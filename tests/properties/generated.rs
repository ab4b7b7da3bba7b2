//! The same checks on generated values: the same ones in every run.

use super::checks::replies::{Case, STATUSES, TYPES, check_case};
use super::checks::{SESSION, block_on, hints, inputs, logs, manifests, platforms, texts};
use super::checks::{with_canaries, with_canaries as filled};
use super::seeds::{Example, examples};
use deploykit::OPERATIONS;
use deploykit::nexlayer::Manifest;
use deploykit::testing::CannedReply;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Runs a check on so many values.
pub fn holds<S: Strategy>(cases: u32, values: S, check: impl Fn(S::Value)) {
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

/// The names that the examples have, and some that none has.
fn names() -> Vec<String> {
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
    found.extend(["", "x", "\u{1}", "created_at", "ü", "a.b[0]"].map(str::to_owned));
    found.into_iter().collect()
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        2 => select(vec!["", " ", "a", "hush-1", "\u{1}", "no \u{2} \u{4}", "\u{3}", "\u{6}", "<html>\u{1}", "2024-01-15T12:00:00Z", "..", "running", "https://u:\u{7}@a/?q=\u{8}"])
            .prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(7_734_419_902_u64)),
        text().prop_map(Value::from),
    ]
}

/// Any JSON, with names that mean something somewhere.
pub fn any_json() -> impl Strategy<Value = Value> {
    let name = select(names());
    leaf().prop_recursive(4, 24, 6, move |inner| {
        let entries = vec((name.clone(), inner.clone()), 0..6);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            entries.prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

/// Puts the secrets into a value as text: in JSON they would be escaped once more.
pub fn body(value: &Value) -> Vec<u8> {
    fn fill(value: &Value) -> Value {
        let text = |text: &str| String::from_utf8(filled(text.as_bytes())).unwrap();
        match value {
            Value::String(words) => Value::from(text(words)),
            Value::Array(items) => items.iter().map(fill).collect(),
            Value::Object(map) => {
                let entries = map.iter().map(|(name, inner)| (text(name), fill(inner)));
                Value::Object(entries.collect())
            }
            other => other.clone(),
        }
    }
    fill(value).to_string().into_bytes()
}

fn case(operation: usize, status: u16, content_type: &'static str, body: &[u8]) {
    check_case(&Case {
        operation: &OPERATIONS[operation],
        status,
        content_type,
        follow: body.len() % 2 == 1,
        body,
    });
}

#[test]
fn any_json_to_any_operation() {
    let status = prop_oneof![
        2 => select(vec![200_u16, 201, 202, 204]),
        1 => select(STATUSES.to_vec()),
    ];
    let operations = 0..OPERATIONS.len();
    let values = (operations, status, select(TYPES.to_vec()), any_json());
    holds(2000, values, |(operation, status, content_type, value)| {
        case(operation, status, content_type, &body(&value));
    });
}

#[test]
fn any_bytes_to_any_operation() {
    let operations = 0..OPERATIONS.len();
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..200),
        text().prop_map(String::into_bytes)
    ];
    let values = (
        operations,
        select(STATUSES.to_vec()),
        select(TYPES.to_vec()),
        bytes,
    );
    holds(500, values, |(operation, status, content_type, bytes)| {
        case(operation, status, content_type, &with_canaries(&bytes));
    });
}

/// What is done to one place of an example.
#[derive(Clone, Debug)]
enum Change {
    Remove,
    Rename(String),
    Replace(Value),
    Add(String, Value),
    Repeat,
}

/// Changes the value at the given place, counted through the whole.
fn change(value: &mut Value, place: &mut usize, change_to: &Change) {
    fn done(place: &mut usize) -> bool {
        let here = *place == 0;
        *place = place.wrapping_sub(1);
        here
    }
    match value {
        Value::Object(map) => {
            if done(place) {
                match change_to {
                    Change::Add(name, value) => {
                        map.insert(name.clone(), value.clone());
                    }
                    Change::Replace(other) => *value = other.clone(),
                    _ => {}
                }
                return;
            }
            for name in map.keys().cloned().collect::<Vec<_>>() {
                if *place == 0 {
                    *place = usize::MAX;
                    return change_entry(map, &name, change_to);
                }
                let Some(inner) = map.get_mut(&name) else {
                    return;
                };
                change(inner, place, change_to);
                if *place > usize::MAX / 2 {
                    return;
                }
            }
        }
        Value::Array(items) => {
            if done(place) {
                match change_to {
                    Change::Replace(other) => *value = other.clone(),
                    Change::Repeat => items.extend(items.clone()),
                    _ => items.truncate(1),
                }
                return;
            }
            for item in items {
                change(item, place, change_to);
                if *place > usize::MAX / 2 {
                    return;
                }
            }
        }
        leaf => {
            if done(place) {
                *leaf = match change_to {
                    Change::Replace(other) | Change::Add(_, other) => other.clone(),
                    Change::Repeat => json!([leaf.clone(), leaf.clone()]),
                    Change::Rename(name) => Value::from(name.clone()),
                    Change::Remove => Value::Null,
                };
            }
        }
    }
}

fn change_entry(map: &mut Map<String, Value>, name: &str, change: &Change) {
    let old = map.remove(name).unwrap_or_default();
    let (name, new) = match change {
        Change::Remove => return,
        Change::Rename(other) => (other.as_str(), old),
        Change::Replace(other) => (name, other.clone()),
        Change::Repeat => (name, json!([old.clone(), old])),
        Change::Add(other, value) => {
            map.insert(other.clone(), value.clone());
            (name, old)
        }
    };
    map.insert(name.to_owned(), new);
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Remove),
        Just(Change::Repeat),
        select(names()).prop_map(Change::Rename),
        leaf().prop_map(Change::Replace),
        any_json().prop_map(Change::Replace),
        (select(names()), leaf()).prop_map(|(name, value)| Change::Add(name, value)),
    ]
}

#[test]
fn every_example_changed_in_a_few_places() {
    let examples = examples();
    let places = vec((0_usize..60, changes()), 1..4);
    let status = prop_oneof![3 => Just(None), 1 => select(STATUSES.to_vec()).prop_map(Some)];
    let values = (select(examples), places, status);
    holds(
        2000,
        values,
        |(example, places, status): (Example, _, _)| {
            let mut value = example.value.clone();
            for (mut place, to) in places {
                change(&mut value, &mut place, &to);
            }
            let content_type = example.content_type;
            case(
                example.operation,
                status.unwrap_or(example.status),
                content_type,
                &body(&value),
            );
        },
    );
}

/// The only copy of a session's token is in the reply to a start: what else is in it must not stand in
/// its way.
#[test]
fn a_start_hands_out_its_token_whatever_else_is_in_the_reply() {
    let entries = vec((select(names()), any_json()), 0..8);
    holds(750, entries, |entries| {
        let mut reply: Map<_, _> = entries.into_iter().collect();
        for name in ["error", "success", "data"] {
            reply.remove(name);
        }
        reply.insert("sessionToken".to_owned(), Value::from("a-new-one"));
        let manifest = Manifest::parse("application: {name: a}").unwrap();
        let started = platforms::with(|platforms| {
            platforms.answer(CannedReply::json(200, Value::Object(reply).to_string()));
            block_on(
                platforms
                    .nexlayer
                    .session(SESSION)
                    .start(manifest)
                    .into_future(),
            )
        });
        let started = started.unwrap();
        assert_eq!(started.session().token().unwrap().expose(), "a-new-one");
        assert!(!format!("{started:?}").contains("a-new-one"));
    });
}

#[test]
fn any_sentence() {
    let words = "(Application |a| has been extended|\\. |will expire in |[0-9]{1,12}| minutes| extension| reservation has been removed|ü|\u{2}|<|\"|\\\\|https://)";
    holds(200, vec(words, 0..12), |words| {
        texts::any_text(&String::from_utf8(filled(words.concat().as_bytes())).unwrap());
    });
    holds(100, any::<String>(), |words| texts::any_text(&words));
}

#[test]
fn known_sentences() {
    let name = prop_oneof![
        any::<String>(),
        "(has been extended|reservation|\\.| will expire in 5 minutes|7 extension| [a-z]{1,4}){1,5}",
    ];
    holds(
        200,
        (name, any::<u32>(), any::<u32>()),
        |(name, minutes, left)| {
            texts::known_sentences(&name, minutes, left);
        },
    );
}

/// A scalar of YAML in every style, with a secret in it.
fn scalar() -> impl Strategy<Value = String> {
    let secret = "(hush|Hush|HUSH)[-_ 0-9'ü]{0,5}[0-9]{2}";
    (secret, 0..7_u8).prop_map(|(secret, style)| match style {
        0 => secret.replace('\'', ""),
        1 => format!("'{}'", secret.replace('\'', "''")),
        2 => format!("\"{secret}\""),
        3 => format!("\"{}\"", secret.replace('h', "\\x68")),
        4 => format!("|\n      {secret}\n      {secret}"),
        5 => format!(">-\n      {secret}\n\n      x{secret}"),
        _ => format!("&anchor '{}'", secret.replace('\'', "")),
    })
}

#[test]
fn manifests_with_secrets_in_every_style() {
    let key = select(vec![
        "token",
        "Token",
        "\"password\"",
        "personalAccessToken",
        "other",
        "? token\n   ",
    ]);
    let entry = (key, scalar(), "( # hush| )?");
    let file = (vec(entry, 1..5), any::<bool>(), any::<bool>());
    holds(750, file, |(entries, windows, list)| {
        let mut text = "application:\n  name: a\n  vars:\n".to_owned();
        for (key, value, end) in entries {
            let dash = if list { "- " } else { "  " };
            text.push_str(&format!("  {dash}{key}: {value}{end}\n"));
        }
        if windows {
            text = text.replace('\n', "\r\n");
        }
        manifests::check(text.as_bytes());
    });
    holds(500, vec(any::<u8>(), 0..100), |bytes| {
        manifests::check(&bytes)
    });
    let flow =
        "(\\{|\\}|\\[|\\]|token|: |, |a|hush-12|'|\"|\n|  |- |&x |\\*x|!!binary |\\||>|#){0,20}";
    holds(750, flow, |rest| {
        manifests::check(format!("application: {{name: a}}\n{rest}").as_bytes());
    });
}

#[test]
fn hints_in_any_form() {
    let value = prop_oneof![
        Just(String::new()),
        "[0-9]{1,20}",
        "-?[0-9]{1,3}(\\.[0-9])?",
        "(Mon|Tue|Wed), [0-3]?[0-9] (Jan|Oct|Dec) [0-9]{2,5} [0-2][0-9]:[0-6][0-9]:[0-6][0-9] (GMT|UTC|\\+0200)",
        "[ -~]{0,20}",
    ];
    holds(750, (any::<u8>(), vec(value, 6)), |(choice, lines)| {
        hints::check(&[&[choice][..], lines.join("\n").as_bytes()].concat());
    });
}

/// A line of a log, good or not.
pub fn line() -> impl Strategy<Value = String> {
    let message = any::<String>().prop_map(|text| json!({ "message": text }).to_string());
    let full = (any::<String>(), any::<i64>(), text()).prop_map(|(message, at, level)| {
        json!({ "message": message, "timestamp": at, "level": level }).to_string()
    });
    prop_oneof![
        2 => message,
        2 => full,
        1 => any_json().prop_map(|value| value.to_string()),
        1 => select(vec!["", " ", ": ping", "{}", "null", "\u{feff}", "{\"type\":\"ping\"}", "{\"mess", "\u{1}"])
            .prop_map(str::to_owned),
    ]
}

#[test]
fn logs_with_anything_between_their_lines() {
    let ends = select(vec!["\n", "\r\n", "\n\n"]);
    holds(
        300,
        (vec(line(), 0..8), ends, any::<bool>()),
        |(lines, end, last)| {
            let mut text = lines.join(end);
            if last {
                text.push_str(end);
            }
            logs::check(text.as_bytes());
        },
    );
}

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
    holds(750, (0..OPERATIONS.len(), id), |(operation, id)| {
        inputs::id_in_a_path(&OPERATIONS[operation], &id);
    });
}
