//! Checks names that become Rust names: operation ids, parameters, components, properties and enum values.

use super::super::open_enums::variant;
use super::super::optional_parameters;
use super::super::problems::Problems;
use super::super::schemas::{self, entries, items, text};
use super::super::shared_parts::place;
use heck::{ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;
use std::collections::BTreeMap;

/// Methods that the generated client already has.
const METHODS: [&str; 2] = ["new", "new_with_client"];

/// Variables in a generated method. `body` is one only if the operation has a request body.
const VARIABLES: [&str; 7] = [
    "header_map",
    "info",
    "options",
    "request",
    "response",
    "result",
    "url",
];

/// Checks the operation ids of the whole document.
pub fn operation_ids(json: &Value, problems: &mut Problems) {
    // By the variant of `Op`, which ignores some underscores, as does the struct of optional parameters.
    let mut seen: BTreeMap<String, (&str, String)> = BTreeMap::new();
    let mut with_options = Vec::new();
    for (path, method, operation) in schemas::operations(json) {
        let at = format!("$.paths.{path}.{method}.operationId");
        let Some(id) = text(operation, "operationId") else {
            problems.add(
                at,
                "the operation has no operationId",
                "add one in the form `verb_noun`: it becomes a Rust method",
            );
            continue;
        };
        problems.require(
            id == id.to_snake_case() && is_name(id) && !METHODS.contains(&id),
            &at,
            format!("the operationId `{id}` is not a valid method name"),
            "use snake_case, but not `new` or `new_with_client`: the generated client has these methods",
        );
        with_options.push((optional_parameters::method_name(id), at.clone()));
        if let Some((other, place)) = seen.insert(variant(id), (id, at.clone())) {
            problems.add(
                at,
                format!("the operationId `{id}` has the same Rust name as `{other}` at {place}"),
                "rename one of them: `get_thing2` and `get_thing_2` both become `GetThing2`",
            );
        }
    }
    for (method, at) in with_options {
        let same = seen.get(&variant(&method));
        if let Some((_, other)) = same.filter(|(id, _)| *id == method) {
            problems.add(
                other,
                format!("the operationId `{method}` is also the method with the optional parameters of {at}"),
                "rename one of them",
            );
        }
    }
}

/// Checks the names of the parameters of one operation.
pub fn parameters(at: &str, operation: &Value, problems: &mut Problems) {
    let mut names: BTreeMap<String, (&str, &str)> = BTreeMap::new();
    for (index, parameter) in items(operation, "parameters").enumerate() {
        let name = text(parameter, "name").unwrap_or_default();
        let kind = text(parameter, "in").unwrap_or_default();
        let at = place(parameter, format!("{at}.parameters[{index}]"));
        let argument = name.to_snake_case();
        let is_body = argument == "body" && operation.get("requestBody").is_some();
        problems.require(
            !is_body && !VARIABLES.contains(&argument.as_str()) && has_rust_name(name),
            &at,
            format!("the parameter `{name}` cannot be an argument of the generated method"),
            "leave it out, and let the wrapper send it: the method has a variable of this name, or it is not a Rust name",
        );
        if let Some((other, other_kind)) = names.insert(argument, (name, kind)) {
            problems.add(
                &at,
                format!("`{other}` in {other_kind} and `{name}` in {kind} would become the same argument of the generated method"),
                "rename one of them",
            );
        }
    }
}

/// Checks the name of a component schema.
pub fn component(at: &str, name: &str, problems: &mut Problems) {
    let rust = name.to_upper_camel_case();
    problems.require(
        rust == name && is_name(name),
        at,
        format!("the component `{name}` is not named like a Rust type"),
        format!("rename it, for example to `{rust}`: passes find the generated type by its name"),
    );
}

/// Checks the properties of a schema: two must not have one Rust name.
pub fn properties(at: &str, schema: &Value, problems: &mut Problems) {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for (name, _) in entries(schema, "properties") {
        let at = format!("{at}.properties.{name}");
        problems.require(
            has_rust_name(name),
            &at,
            format!("the property `{name}` has no Rust name"),
            "bind the component to a handwritten type with x-rust-type",
        );
        if let Some(other) = names.insert(name.to_snake_case(), name) {
            problems.add(
                at,
                format!("the properties `{other}` and `{name}` have the same Rust name"),
                "keep one of them, or bind the component to a handwritten type with x-rust-type",
            );
        }
    }
}

/// Whether the generator can make a Rust name of it; it appends `_` to keywords.
fn has_rust_name(name: &str) -> bool {
    name.is_ascii() && name.contains(|c: char| c.is_ascii_alphanumeric())
}

/// Whether the text is a Rust name that needs no escape.
pub fn is_name(text: &str) -> bool {
    syn::parse_str::<syn::Ident>(text).is_ok()
}
