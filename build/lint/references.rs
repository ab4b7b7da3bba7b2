//! Checks each `$ref`: its target, what stands next to it, and that it does not lead in a circle.

use super::super::problems::Problems;
use super::super::schemas::{self, MAPS, entries, items, resolve, text};
use serde_json::{Map, Value};

/// Checks the whole document.
pub fn references(json: &Value, problems: &mut Problems) {
    below(json, "$", json, false, problems);
    for (name, _) in schemas::components(json) {
        problems.require(
            !contains_itself(json, name),
            format!("$.components.schemas.{name}"),
            "the component is defined by itself",
            "remove the `$ref` or the `allOf` that leads back to it; a property may refer to its own component",
        );
    }
}

fn below(json: &Value, at: &str, value: &Value, is_map: bool, problems: &mut Problems) {
    if !is_map && let Some(target) = text(value, "$ref") {
        reference(json, at, value, target, problems);
        return;
    }
    for (key, inner) in value.as_object().into_iter().flatten() {
        let here = format!("{at}.{key}");
        match key.as_str() {
            // Values, not parts of the document.
            "default" | "enum" | "example" if !is_map => {}
            key if !is_map && key.starts_with("x-") => {}
            "examples" if !is_map => {
                for (name, example) in entries(value, key) {
                    if let Some(target) = text(example, "$ref") {
                        reference(json, &format!("{here}.{name}"), example, target, problems);
                    }
                }
            }
            key => {
                let is_map = !is_map && MAPS.contains(&key);
                below(json, &here, inner, is_map, problems);
            }
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        below(json, &format!("{at}[{index}]"), item, false, problems);
    }
}

fn reference(json: &Value, at: &str, value: &Value, target: &str, problems: &mut Problems) {
    let keys = value.as_object().into_iter().flat_map(Map::keys);
    let others: Vec<_> = keys.filter(|key| *key != "$ref").cloned().collect();
    problems.require(
        others.is_empty(),
        at,
        format!(
            "the generator ignores `{}` next to $ref",
            others.join("`, `")
        ),
        "replace $ref by `allOf: [{$ref: ...}]`",
    );
    let name = target.strip_prefix("#/components/");
    if name.is_none_or(|name| name.split('/').count() != 2) {
        problems.add(
            at,
            format!("the $ref target `{target}` is not a component of this file"),
            "move the target to a component, and write `#/components/schemas/Name`",
        );
        return;
    }
    let pointer = target.strip_prefix('#').unwrap_or(target);
    problems.require(
        json.pointer(pointer).is_some(),
        at,
        format!("the $ref target `{target}` does not exist"),
        "correct the name or add the component",
    );
    problems.require(
        json.pointer(pointer).is_none() || text(resolve(json, value), "$ref").is_none(),
        at,
        format!("the $ref target `{target}` leads in a circle or to nothing"),
        "refer to a component that is not itself a reference",
    );
}

/// Whether a schema component is, without a property or an item between, a part of itself.
fn contains_itself(json: &Value, name: &str) -> bool {
    let mut seen = vec![name];
    let mut next = schemas::component(json, name)
        .map(parts)
        .unwrap_or_default();
    while let Some(part) = next.pop() {
        if part == name {
            return true;
        }
        if !seen.contains(&part) {
            seen.push(part);
            next.extend(
                schemas::component(json, part)
                    .map(parts)
                    .unwrap_or_default(),
            );
        }
    }
    false
}

/// The components that make up a schema.
fn parts(schema: &Value) -> Vec<&str> {
    let own = text(schema, "$ref").and_then(schemas::component_name);
    let nested = ["allOf", "anyOf", "oneOf"]
        .into_iter()
        .flat_map(|key| items(schema, key))
        .flat_map(parts);
    own.into_iter().chain(nested).collect()
}
