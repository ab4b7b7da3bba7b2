//! Checks every schema of a spec: keywords that the generator misreads, inline objects and enums, enum values.

use super::super::open_enums;
use super::super::problems::Problems;
use super::super::schemas::{
    self, collect_references, component, component_name, entries, items, text,
};
use super::super::shared_parts::place;
use super::names;
use super::require_description;
use serde_json::Value;
use std::collections::BTreeSet;

/// Keywords of OpenAPI 3.1 and JSON Schema, which OpenAPI 3.0 and the generator ignore, and what to write.
const NEWER: [(&str, &str); 14] = [
    ("$defs", "move the schemas to components.schemas"),
    ("const", "write an enum component with this one value"),
    ("contains", "remove it"),
    ("contentEncoding", "write `format: byte`, or remove it"),
    ("contentMediaType", "write `format: binary`, or remove it"),
    ("dependentRequired", "remove it"),
    ("dependentSchemas", "remove it"),
    ("else", "remove it"),
    ("examples", "write one `example`"),
    ("if", "remove it"),
    ("patternProperties", "write `additionalProperties`"),
    ("prefixItems", "write `items` with the type of all items"),
    ("then", "remove it"),
    ("unevaluatedProperties", "remove it"),
];

/// A schema and its place.
struct Found<'a> {
    at: String,
    schema: &'a Value,
    kind: Kind,
    /// Whether the generator does not see it: it is in a component with `x-rust-type`, or in the reply of a
    /// failure.
    is_unseen: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Component,
    Property,
    /// An item, a map value, a part of `allOf`, or the schema of a parameter, body or reply.
    Part,
}

/// Checks all schemas.
pub fn schemas(json: &Value, problems: &mut Problems) {
    for found in &all(json) {
        keywords(found, problems);
        if !found.is_unseen {
            inline(found, problems);
            required(json, found, problems);
            names::properties(&found.at, found.schema, problems);
        }
        if found.schema.get("enum").is_some() && found.kind == Kind::Component {
            enum_values(found, problems);
        }
        if found.kind == Kind::Component
            || (found.kind == Kind::Property && found.schema.get("$ref").is_none())
        {
            require_description(found.schema, &found.at, problems);
        }
    }
    for (name, _) in schemas::components(json) {
        names::component(&format!("$.components.schemas.{name}"), name, problems);
    }
    directions(json, problems);
}

/// All schemas of components, parameters, bodies and replies, with those inside them.
fn all(json: &Value) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for (name, schema) in schemas::components(json) {
        let at = format!("$.components.schemas.{name}");
        collect(at, schema, Kind::Component, false, &mut found);
    }
    for (path, method, operation) in schemas::operations(json) {
        let at = format!("$.paths.{path}.{method}");
        for (index, parameter) in items(operation, "parameters").enumerate() {
            let at = place(parameter, format!("{at}.parameters[{index}]"));
            if let Some(schema) = parameter.get("schema") {
                collect(
                    format!("{at}.schema"),
                    schema,
                    Kind::Part,
                    false,
                    &mut found,
                );
            }
        }
        let body = operation.get("requestBody").into_iter();
        let bodies = body.map(|body| ("requestBody".to_owned(), body, false));
        let replies = entries(operation, "responses").map(|(status, reply)| {
            let is_failure = !status.starts_with('2');
            (format!("responses.{status}"), reply, is_failure)
        });
        for (key, part, is_unseen) in bodies.chain(replies) {
            let at = place(part, format!("{at}.{key}"));
            for (media, content) in entries(part, "content") {
                if let Some(schema) = content.get("schema") {
                    let at = format!("{at}.content.{media}.schema");
                    collect(at, schema, Kind::Part, is_unseen, &mut found);
                }
            }
        }
    }
    found
}

fn collect<'a>(
    at: String,
    schema: &'a Value,
    kind: Kind,
    is_unseen: bool,
    found: &mut Vec<Found<'a>>,
) {
    let is_unseen = is_unseen || schema.get("x-rust-type").is_some();
    for (name, property) in entries(schema, "properties") {
        let at = format!("{at}.properties.{name}");
        collect(at, property, Kind::Property, is_unseen, found);
    }
    for key in ["items", "additionalProperties"] {
        if let Some(part) = schema.get(key).filter(|part| part.is_object()) {
            collect(format!("{at}.{key}"), part, Kind::Part, is_unseen, found);
        }
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        for (index, part) in items(schema, key).enumerate() {
            let at = format!("{at}.{key}[{index}]");
            collect(at, part, Kind::Part, is_unseen, found);
        }
    }
    found.push(Found {
        at,
        schema,
        kind,
        is_unseen,
    });
}

const TYPES: [&str; 6] = ["array", "boolean", "integer", "number", "object", "string"];

/// Rejects keywords that the generator misreads.
fn keywords(found: &Found<'_>, problems: &mut Problems) {
    let Found { at, schema, .. } = found;
    for (key, value) in schema.as_object().into_iter().flatten() {
        let here = format!("{at}.{key}");
        match key.as_str() {
            "title" => problems.add(
                here,
                "the schema has a title",
                "remove it: the generator merges types with equal titles",
            ),
            "default" => problems.add(
                here,
                "the schema has a default",
                "remove it: the generator would send it with every request",
            ),
            "anyOf" | "oneOf" | "not" | "discriminator" if !found.is_unseen => problems.add(
                here,
                format!("`{key}` is not supported"),
                "use one object with optional fields, or bind the component with x-rust-type",
            ),
            "allOf" if !found.is_unseen => {
                let parts: Vec<_> = items(schema, key).collect();
                problems.require(
                    matches!(parts.as_slice(), [part] if part.get("$ref").is_some()),
                    &here,
                    "the generator guesses how to merge the parts of this `allOf`",
                    "write `allOf` with one `$ref`; copy the properties of other parts into one component",
                );
                problems.require(
                    entries(schema, "properties").next().is_none(),
                    &here,
                    "the generator guesses how to merge `allOf` and `properties`",
                    "copy the properties of both into one component",
                );
            }
            "type" => {
                problems.require(
                    value.is_string() && value != "null",
                    &here,
                    format!("the type {value} is OpenAPI 3.1"),
                    "write one type as text, with `nullable: true` if null is allowed",
                );
                problems.require(
                    !value.is_string()
                        || value == "null"
                        || TYPES.iter().any(|known| value == known),
                    &here,
                    format!("the type {value} does not exist"),
                    format!("write one of {}", TYPES.join(", ")),
                );
            }
            "exclusiveMinimum" | "exclusiveMaximum" if value.is_number() => problems.add(
                here,
                format!("a number as `{key}` is OpenAPI 3.1"),
                "write the number as `minimum` or `maximum`, and `true` here",
            ),
            "additionalProperties" if value.is_object() && !found.is_unseen => problems.require(
                entries(schema, "properties").next().is_none(),
                here,
                "the object has both named properties and a schema for others",
                "bind the component to a handwritten type with x-rust-type",
            ),
            "x-rust-type" => problems.require(
                found.kind == Kind::Component,
                here,
                "x-rust-type has no effect here",
                "move the schema to a component",
            ),
            _ => {
                if let Some((_, remedy)) = NEWER.iter().find(|(newer, _)| newer == key) {
                    problems.add(here, format!("`{key}` is not in OpenAPI 3.0"), *remedy);
                }
            }
        }
    }
}

/// Rejects inline objects and enums: the generator invents names for them, and merges types with equal names.
fn inline(found: &Found<'_>, problems: &mut Problems) {
    if found.kind == Kind::Component {
        return;
    }
    let Found { at, schema, .. } = found;
    problems.require(
        entries(schema, "properties").next().is_none(),
        at,
        "the object is inline",
        "move it to components.schemas and refer to it with $ref: the generator merges inline objects with equal names",
    );
    problems.require(
        schema.get("enum").is_none(),
        at,
        "the enum is inline",
        "move it to components.schemas and refer to it with $ref: the generator invents a name for an inline enum",
    );
}

/// Checks that each entry of `required` is a property.
fn required(json: &Value, found: &Found<'_>, problems: &mut Problems) {
    let merged = items(found.schema, "allOf")
        .filter_map(|part| component(json, component_name(text(part, "$ref")?)?))
        .any(|part| part.get("properties").is_some());
    for name in items(found.schema, "required").filter_map(Value::as_str) {
        let properties = found.schema.get("properties");
        problems.require(
            merged || properties.is_some_and(|properties| properties.get(name).is_some()),
            format!("{}.required", found.at),
            format!("the required property `{name}` does not exist"),
            "correct the name, or add the property",
        );
    }
}

/// Checks the values of an enum, which become variants of a Rust enum.
fn enum_values(found: &Found<'_>, problems: &mut Problems) {
    let at = format!("{}.enum", found.at);
    let values = found.schema.get("enum").and_then(Value::as_array);
    let values = values.map(Vec::as_slice).unwrap_or_default();
    problems.require(
        !values.is_empty() && text(found.schema, "type") == Some("string"),
        &at,
        "an enum must be a list of texts, with `type: string`",
        "write the values as texts; for other types, remove `enum` and describe the values",
    );
    problems.require(
        found.schema.get("nullable") != Some(&true.into()),
        &at,
        "the generator ignores that this enum is nullable",
        "remove `nullable`, and the property from `required`: optional fields accept null",
    );
    for value in values {
        problems.require(
            value.is_string(),
            &at,
            format!("the value {value} is not a text"),
            format!("write it in quotes: '{value}'"),
        );
    }
    for (variant, value) in open_enums::variants(values) {
        problems.require(
            names::is_name(&variant),
            &at,
            format!(
                "the value `{value}` would become the variant `{variant}`, which is not a Rust name"
            ),
            "remove the value: clients keep values without a variant as `Unknown`",
        );
    }
    if let Some(variant) = open_enums::collision(values) {
        problems.add(
            at,
            format!("two values become the Rust variant `{variant}` (`Unknown` always exists)"),
            "remove one of the values: clients keep values without a variant as `Unknown`",
        );
    }
}

/// Checks what depends on whether requests or replies contain a component.
fn directions(json: &Value, problems: &mut Problems) {
    let (mut requests, mut replies) = (BTreeSet::new(), BTreeSet::new());
    for (_, _, operation) in schemas::operations(json) {
        for part in ["parameters", "requestBody"] {
            if let Some(part) = operation.get(part) {
                collect_references(json, part, &mut requests);
            }
        }
        if let Some(part) = operation.get("responses") {
            collect_references(json, part, &mut replies);
        }
    }
    for (name, schema) in schemas::components(json) {
        let at = format!("$.components.schemas.{name}");
        let closed = schema.get("enum").is_some() && schema.get("x-open") != Some(&true.into());
        problems.require(
            !(closed && replies.contains(name)),
            &at,
            "a reply contains this closed enum, so one new value would make the whole reply fail",
            "add `x-open: true`: clients then keep unknown values",
        );
        for (property, inner) in entries(schema, "properties") {
            for (key, used, kind) in [
                ("readOnly", &requests, "requests"),
                ("writeOnly", &replies, "replies"),
            ] {
                problems.require(
                    inner.get(key) != Some(&true.into()) || !used.contains(name),
                    format!("{at}.properties.{property}.{key}"),
                    format!("the generator ignores `{key}`, and {kind} contain this component"),
                    "write one component for requests and one for replies",
                );
            }
        }
    }
}
