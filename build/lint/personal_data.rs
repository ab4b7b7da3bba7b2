//! Checks that e-mail addresses are marked as personal: in requests by `x-behaviour.secrets`, in replies by
//! their Rust type.

use super::super::problems::Problems;
use super::super::schemas::{entries, items, resolve, text};
use super::super::shared_parts;
use serde_json::Value;

/// Depth limit, because schemas may be recursive.
const DEPTH: usize = 12;

/// A value that is an e-mail address.
struct Address {
    /// The place as in `x-behaviour.secrets`, without the leading `body.`: `users`.
    place: String,
    /// Whether its Rust type redacts it.
    is_redacted: bool,
}

/// Checks the e-mail addresses of one operation.
pub fn personal_data(json: &Value, at: &str, operation: &Value, problems: &mut Problems) {
    let behaviour = operation.get("x-behaviour").unwrap_or(&Value::Null);
    let mut require_mark = |at: String, place: String| {
        let is_marked = items(behaviour, "secrets").any(|secret| *secret == *place);
        problems.require(
            is_marked,
            at,
            format!("the e-mail address `{place}` is not marked as personal"),
            format!("add `{place}` to x-behaviour.secrets, so that it is redacted"),
        );
    };
    for (index, parameter) in items(operation, "parameters").enumerate() {
        let (name, kind) = (text(parameter, "name"), text(parameter, "in"));
        let (name, kind) = (name.unwrap_or_default(), kind.unwrap_or_default());
        let schema = parameter.get("schema").unwrap_or(&Value::Null);
        for address in addresses(json, schema, name) {
            let place = format!("{kind}.{}", address.place);
            require_mark(
                shared_parts::place(parameter, format!("{at}.parameters[{index}]")),
                place,
            );
        }
    }
    if let Some(body) = operation.get("requestBody") {
        for (_, media) in entries(body, "content") {
            let schema = media.get("schema").unwrap_or(&Value::Null);
            for address in addresses(json, schema, "") {
                let place = format!("body.{}", address.place);
                require_mark(format!("{at}.requestBody"), place);
            }
        }
    }
    for (status, response) in entries(operation, "responses") {
        for (_, media) in entries(response, "content") {
            let schema = media.get("schema").unwrap_or(&Value::Null);
            for Address { place, is_redacted } in addresses(json, schema, "") {
                problems.require(
                    is_redacted,
                    format!("{at}.responses.{status}"),
                    format!("the e-mail address `{place}` is not marked as personal"),
                    "use a component with `x-rust-type: crate::secret::PersonalData`",
                );
            }
        }
    }
}

fn addresses(json: &Value, schema: &Value, place: &str) -> Vec<Address> {
    let mut found = Vec::new();
    collect(json, schema, place, DEPTH, &mut found);
    found.sort_by(|a, b| a.place.cmp(&b.place));
    found.dedup_by(|a, b| a.place == b.place);
    found
}

/// Collects the texts that have the format `email`, or a name such as `email`, `emails` or `user_email`.
fn collect(json: &Value, schema: &Value, place: &str, depth: usize, found: &mut Vec<Address>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    let schema = resolve(json, schema);
    let name = place.rsplit('.').next().unwrap_or(place).to_lowercase();
    let is_named = name
        .trim_end_matches("[]")
        .trim_end_matches('s')
        .ends_with("email");
    let is_text = text(schema, "type") == Some("string");
    if text(schema, "format") == Some("email") || (is_text && is_named) {
        let rust_type = text(schema, "x-rust-type").unwrap_or_default();
        found.push(Address {
            // A marked list redacts its items.
            place: place.trim_end_matches("[]").to_owned(),
            is_redacted: rust_type.ends_with("::PersonalData"),
        });
    }
    for part in ["allOf", "anyOf", "oneOf"].map(|key| items(schema, key)) {
        part.for_each(|part| collect(json, part, place, depth, found));
    }
    let below = |name: &str| match place {
        "" => name.to_owned(),
        place => format!("{place}.{name}"),
    };
    for (name, property) in entries(schema, "properties") {
        collect(json, property, &below(name), depth, found);
    }
    if let Some(item) = schema.get("items") {
        collect(json, item, &format!("{place}[]"), depth, found);
    }
    if let Some(value) = schema.get("additionalProperties") {
        collect(json, value, &below("*"), depth, found);
    }
}
