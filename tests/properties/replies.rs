//! Properties of responses, for examples and generated values.

use super::checks::replies::{Case, check, check_case};
use super::checks::{
    SESSION, block_on, logs, nexlayer_messages, platforms, rate_limit_headers, with_canaries,
};
use super::specs::Example;
use super::support::{LAST_CHUNK, Server, chunks};
use super::values::{
    any_json, any_operation, any_scalar, any_text, examples, for_all, log_line, property_names,
};
use deploykit::nexlayer::Manifest;
use deploykit::testing::CannedReply;
use deploykit::{dployr, operation::Operation, pacing::Pacing};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex};

/// Known status codes, and some invalid ones.
const STATUSES: [u16; 43] = [
    200, 201, 202, 203, 204, 206, 299, 100, 101, 199, 300, 301, 302, 303, 304, 307, 308, 400, 401,
    402, 403, 404, 405, 408, 409, 410, 418, 422, 425, 426, 429, 431, 451, 500, 501, 502, 503, 504,
    505, 511, 599, 600, 999,
];
/// Content types; empty for a response without one.
const TYPES: &str = "|application/json|application/json; charset=utf-8|application/problem+json|\
    application/x-ndjson|text/plain; charset=UTF-8|text/html|b\\ad";

fn content_type() -> impl Strategy<Value = &'static str> {
    select(TYPES.split('|').collect::<Vec<_>>())
}

fn status() -> impl Strategy<Value = u16> {
    select(STATUSES.to_vec())
}

/// Checks one response. An odd body length requests a log stream where the operation has one.
fn check_response(operation: &'static Operation, status: u16, content_type: &str, body: &[u8]) {
    check_case(&Case {
        operation,
        status,
        content_type: content_type.to_owned(),
        follow: body.len() % 2 == 1,
        body: body.to_owned(),
    });
}

#[test]
fn any_json_response_is_decoded_or_an_error() {
    let status = prop_oneof![
        2 => select(vec![200_u16, 201, 202, 204]),
        1 => status(),
    ];
    let values = (any_operation(), status, content_type(), any_json());
    for_all(2000, values, |(operation, status, content_type, value)| {
        check_response(
            operation,
            status,
            content_type,
            value.to_string().as_bytes(),
        );
    });
}

#[test]
fn any_response_body_is_decoded_or_an_error() {
    let bytes = prop_oneof![
        vec(any::<u8>(), 0..200),
        any_text().prop_map(String::into_bytes)
    ];
    let values = (any_operation(), status(), content_type(), bytes);
    for_all(500, values, |(operation, status, content_type, bytes)| {
        check_response(operation, status, content_type, &with_canaries(&bytes));
    });
}

#[test]
fn every_example_is_decoded_or_an_error() {
    for example in examples() {
        let body = example.body();
        check_response(
            example.operation,
            example.status,
            &example.media,
            body.as_bytes(),
        );
    }
}

/// A change to one value of an example.
#[derive(Clone, Debug)]
enum Change {
    Replace(Value),
    /// Adds a property.
    Add(String, Value),
    /// Removes the property with this number.
    Remove(usize),
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        any_scalar().prop_map(Change::Replace),
        any_json().prop_map(Change::Replace),
        (select(property_names()), any_scalar()).prop_map(|(name, value)| Change::Add(name, value)),
        (0_usize..8).prop_map(Change::Remove),
    ]
}

/// Changes the value at a position, counted depth first. A change that does not fit the value doubles it.
fn change(value: &mut Value, position: &mut usize, to: &Change) {
    if *position == 0 {
        match (to, &mut *value) {
            (Change::Replace(other), here) => *here = other.clone(),
            (Change::Add(name, other), Value::Object(map)) => {
                map.insert(name.clone(), other.clone());
            }
            (Change::Remove(number), Value::Object(map)) => {
                if let Some(name) = map.keys().nth(*number).cloned() {
                    map.remove(&name);
                }
            }
            (_, Value::Array(items)) => items.extend(items.clone()),
            (_, scalar) => *scalar = json!([scalar, scalar]),
        }
    }
    // After the change, the number wraps around and does not reach zero again.
    *position = position.wrapping_sub(1);
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| change(item, position, to)),
        Value::Object(map) => map.values_mut().for_each(|item| change(item, position, to)),
        _ => {}
    }
}

#[test]
fn every_modified_example_is_decoded_or_an_error() {
    let edits = vec((0_usize..60, changes()), 1..4);
    let status = prop_oneof![3 => Just(None), 1 => status().prop_map(Some)];
    let values = (select(examples()), edits, status);
    for_all(2000, values, |(example, edits, status): (Example, _, _)| {
        let mut value = example.value;
        for (mut position, to) in edits {
            change(&mut value, &mut position, &to);
        }
        let status = status.unwrap_or(example.status);
        check_response(
            example.operation,
            status,
            &example.media,
            value.to_string().as_bytes(),
        );
    });
}

/// Only the response to the first deploy contains the session token, so the token must never be lost.
#[test]
fn the_session_token_is_read_from_any_response_that_contains_it() {
    let entries = vec((select(property_names()), any_json()), 0..8);
    for_all(750, entries, |entries| {
        let mut reply: Map<_, _> = entries.into_iter().collect();
        for name in ["error", "success", "data"] {
            reply.remove(name);
        }
        reply.insert("sessionToken".to_owned(), Value::from("a-new-one"));
        let manifest = Manifest::parse("application: {name: a}").unwrap();
        let started = platforms::with(|platforms| {
            platforms.answer(CannedReply::json(200, Value::Object(reply).to_string()));
            let session = platforms.nexlayer.session(SESSION);
            block_on(session.deploy(manifest).into_future())
        });
        let started = started.unwrap();
        assert_eq!(started.session().token().unwrap().expose(), "a-new-one");
        assert!(!format!("{started:?}").contains("a-new-one"));
    });
}

#[test]
fn any_text_response_of_nexlayer_is_returned_or_an_error() {
    let words = "(Application |a| has been extended|\\. |will expire in |[0-9]{1,12}| minutes| extension| reservation has been removed|ü|\u{2}|<|\"|\\\\|https://)";
    for_all(200, vec(words, 0..12), |words| {
        nexlayer_messages::check_any_text(
            &String::from_utf8(with_canaries(words.concat().as_bytes())).unwrap(),
        );
    });
    for_all(100, any::<String>(), |words| {
        nexlayer_messages::check_any_text(&words)
    });
}

#[test]
fn known_sentences_of_nexlayer_are_parsed() {
    let name = prop_oneof![
        any::<String>(),
        "(has been extended|reservation|\\.| will expire in 5 minutes|7 extension| [a-z]{1,4}){1,5}",
    ];
    let values = (name, any::<u32>(), any::<u32>());
    for_all(200, values, |(name, minutes, extensions)| {
        nexlayer_messages::check_known_sentences(&name, minutes, extensions);
    });
}

#[test]
fn rate_limit_headers_of_any_form_are_parsed() {
    let value = prop_oneof![
        Just(String::new()),
        "[0-9]{1,20}",
        "-?[0-9]{1,3}(\\.[0-9])?",
        "(Mon|Tue|Wed), [0-3]?[0-9] (Jan|Oct|Dec) [0-9]{2,5} [0-2][0-9]:[0-6][0-9]:[0-6][0-9] (GMT|UTC|\\+0200)",
        "[ -~]{0,20}",
    ];
    for_all(750, (any::<u8>(), vec(value, 6)), |(choice, lines)| {
        rate_limit_headers::check(&[&[choice][..], lines.join("\n").as_bytes()].concat());
    });
}

#[test]
fn log_lines_are_parsed_between_any_other_lines() {
    let ends = select(vec!["\n", "\r\n", "\n\n"]);
    let values = (vec(log_line(), 0..8), ends, any::<bool>());
    for_all(300, values, |(lines, end, last)| {
        let last = if last { end } else { "" };
        logs::check(format!("{}{last}", lines.join(end)).as_bytes());
    });
}

/// The chunks come from a socket and end at any byte.
#[test]
fn log_lines_are_parsed_in_any_chunks() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    let pieces = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let sent = pieces.clone();
    let server = runtime.block_on(Server::answers(move |_| {
        let mut reply = chunks("200 OK", &[], &*sent.lock().unwrap());
        reply.extend_from_slice(LAST_CHUNK);
        reply
    }));
    let builder = dployr::Client::builder().base_url(&server.base_url);
    let client = builder.token("t").pacing(Pacing::off()).build().unwrap();
    let values = (vec(log_line(), 0..6), vec(any::<usize>(), 0..8));
    for_all(60, values, |(lines, cuts)| {
        let text = lines.join("\n").into_bytes();
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (text.len() + 1)).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let cut = cuts.windows(2).map(|ends| text[ends[0]..ends[1]].to_vec());
        *pieces.lock().unwrap() = cut.collect();
        runtime.block_on(async {
            let stream = client
                .service("s")
                .follow_logs(deploykit::dployr::LogOptions::new())
                .await
                .unwrap();
            logs::check_stream(&text, stream.without_reconnecting()).await;
        });
    });
}

#[test]
fn long_values_are_truncated_in_errors() {
    let long = "ü".repeat(30_000);
    let message = format!(r#"{{"message":"{long}"}}"#);
    let id = format!(r#"{{"request_id":"{long}"}}"#);
    let name = format!(r#"{{"{long}":{{"{long}":1}}}}"#);
    for (head, body) in [
        ("edgegap create_deployment 400", &message),
        ("nodion create_deployment 400", &message),
        ("dployr create_deployment 400", &message),
        ("edgegap create_deployment 422", &id),
        ("nexlayer extend_deployment 500", &long),
        ("nodion list_deployments 200", &name),
    ] {
        check(format!("{head} application/json\n{body}").as_bytes());
    }
}

/// The excerpt of the body ends within the secret.
#[test]
fn a_truncated_secret_is_redacted() {
    for length in 2030..2048 {
        let page = format!("\"<html>{}\u{1}\"", " ".repeat(length));
        check(format!("nodion create_deployment 200 application/json\n{page}").as_bytes());
    }
}
