//! Schemas of OpenAPI 3.0, made into JSON Schema and compiled when they are first needed: most of a spec is never asked
//! for in a test.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Map, Value, json};

use super::{MOST_PROBLEMS, Problem};

/// The named schemas of a spec, as written there.
#[derive(Default)]
pub(super) struct Components(Map<String, Value>);

impl Components {
    pub(super) fn new(schemas: Option<&Value>) -> Arc<Self> {
        let schemas = schemas.and_then(Value::as_object);
        Arc::new(Self(schemas.cloned().unwrap_or_default()))
    }

    fn named(&self, reference: &str) -> Option<&Value> {
        self.0.get(name_of(reference)?)
    }
}

/// One schema of a spec.
pub(super) struct Schema {
    source: Value,
    components: Arc<Components>,
    compiled: OnceLock<Option<Validator>>,
}

impl Schema {
    pub(super) fn new(source: Option<&Value>, components: &Arc<Components>) -> Self {
        Self {
            source: source.cloned().unwrap_or_default(),
            components: Arc::clone(components),
            compiled: OnceLock::new(),
        }
    }

    /// What is wrong with `value`, which stands at `place`.
    pub(super) fn check(&self, place: &str, value: &Value, problems: &mut Vec<Problem>) {
        let compiled = self.compiled.get_or_init(|| self.compile().ok());
        let Some(validator) = compiled else {
            problems.push(Problem::new(place, "has a schema that cannot be used"));
            return;
        };
        // To collect what is wrong costs much more than to see that nothing is.
        if !validator.is_valid(value) {
            let room = MOST_PROBLEMS.saturating_sub(problems.len());
            let errors = validator.iter_errors(value).take(room);
            problems.extend(errors.map(|error| problem(place, &error)));
        }
    }

    /// The `type`, wherever the schema says it.
    pub(super) fn kind(&self) -> Option<&str> {
        kind(&self.components, &self.source, 0)
    }

    /// A value that it allows, with nothing in it that may be left out.
    pub(super) fn smallest(&self) -> Value {
        smallest(&self.components, &self.source, 0)
    }

    fn compile(&self) -> Result<Validator, ValidationError<'static>> {
        jsonschema::options()
            .with_draft(Draft::Draft202012)
            .build(&self.standalone())
    }

    /// The schema with the components that it needs, and no others.
    fn standalone(&self) -> Value {
        let mut wanted = Vec::new();
        let mut root = translate(&self.source, &mut wanted);
        let mut parts: BTreeMap<String, Value> = BTreeMap::new();
        while let Some(name) = wanted.pop() {
            if let (Some(part), false) = (self.components.0.get(&name), parts.contains_key(&name)) {
                let part = translate(part, &mut wanted);
                parts.insert(name, part);
            }
        }
        if let Some(root) = root.as_object_mut() {
            root.insert("$defs".to_owned(), json!(parts));
        }
        root
    }
}

fn name_of(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

fn kind<'a>(components: &'a Components, schema: &'a Value, depth: u8) -> Option<&'a str> {
    if let Some(kind) = schema.get("type").and_then(Value::as_str) {
        return Some(kind);
    }
    let next = match schema.get("$ref").and_then(Value::as_str) {
        Some(reference) => components.named(reference)?,
        None => schema.get("allOf")?.get(0)?,
    };
    if depth < 8 {
        kind(components, next, depth + 1)
    } else {
        None
    }
}

fn smallest(components: &Components, schema: &Value, depth: u8) -> Value {
    // Nothing that must be there contains itself.
    if depth > 16 {
        return Value::Null;
    }
    let inner = |schema: &Value| smallest(components, schema, depth + 1);
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        return components.named(reference).map_or(Value::Null, inner);
    }
    let first = |keyword: &str| schema.get(keyword).and_then(|list| list.get(0));
    if let Some(value) = first("enum") {
        return value.clone();
    }
    if let Some(one) = first("allOf").or_else(|| first("oneOf")) {
        return inner(one);
    }
    let least = |keyword: &str| schema.get(keyword).and_then(Value::as_u64).unwrap_or(0);
    match kind(components, schema, 0) {
        Some("string") => "x"
            .repeat(usize::try_from(least("minLength")).unwrap_or(0))
            .into(),
        Some("integer" | "number") => least("minimum").into(),
        Some("boolean") => false.into(),
        Some("array") => {
            let item = schema.get("items").map_or(Value::Null, inner);
            (0..least("minItems")).map(|_| item.clone()).collect()
        }
        _ => {
            let required = schema.get("required").and_then(Value::as_array);
            let names = required.into_iter().flatten().filter_map(Value::as_str);
            let of = |name: &str| schema.get("properties")?.get(name).map(inner);
            let fields = names.map(|name| (name.to_owned(), of(name).unwrap_or_default()));
            Value::Object(fields.collect())
        }
    }
}

/// Leaves out descriptions, formats but `int64`, and extensions: no server refuses anything by them.
fn translate(schema: &Value, wanted: &mut Vec<String>) -> Value {
    let Some(source) = schema.as_object() else {
        return json!({});
    };
    if let Some(name) = source.get("$ref").and_then(Value::as_str).and_then(name_of) {
        wanted.push(name.to_owned());
        return json!({ "$ref": format!("#/$defs/{name}") });
    }
    let mut out = Map::new();
    for (keyword, value) in source {
        let translated = match keyword.as_str() {
            "type" | "enum" | "required" | "minLength" | "maxLength" | "pattern" | "minimum"
            | "maximum" | "multipleOf" | "minItems" | "maxItems" | "uniqueItems"
            | "minProperties" | "maxProperties" => value.clone(),
            "items" => translate(value, wanted),
            "additionalProperties" if value.is_object() => translate(value, wanted),
            "additionalProperties" => value.clone(),
            "format" if value == "int64" => {
                out.entry("maximum").or_insert(i64::MAX.into());
                continue;
            }
            "allOf" | "oneOf" => {
                let all = value.as_array().into_iter().flatten();
                all.map(|one| translate(one, wanted)).collect()
            }
            "properties" => {
                let all = value.as_object().into_iter().flatten();
                let all = all.map(|(name, one)| (name.clone(), translate(one, wanted)));
                Value::Object(all.collect())
            }
            _ => continue,
        };
        out.insert(keyword.clone(), translated);
    }
    if source.get("nullable") != Some(&Value::Bool(true)) {
        return Value::Object(out);
    }
    let Some(kind) = out.get("type").cloned() else {
        return json!({ "anyOf": [out, { "type": "null" }] });
    };
    out.insert("type".to_owned(), json!([kind, "null"]));
    if let Some(values) = out.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    Value::Object(out)
}

/// The place and the rule, never the value.
fn problem(root: &str, error: &ValidationError) -> Problem {
    let mut place = root.to_owned();
    for part in error.instance_path().as_str().split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            place.push_str(&format!("[{part}]"));
        } else {
            place.push_str(&format!(".{part}"));
        }
    }
    if let ValidationErrorKind::Required { property } = error.kind() {
        let name = property.as_str().unwrap_or_default();
        return Problem::new(format!("{place}.{name}"), "is required");
    }
    Problem::new(place, error.masked_with("it").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(source: Value) -> Schema {
        let components = json!({
            "Name": { "type": "string", "minLength": 2 },
            "Tree": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": { "description": "The name.", "allOf": [{ "$ref": "#/components/schemas/Name" }] },
                    "nullable": { "type": "boolean" },
                    "height": { "type": "integer", "format": "int64" },
                    "kind": { "type": "string", "enum": ["a", "b"], "nullable": true },
                    "branches": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } },
                    "labels": { "type": "object", "additionalProperties": { "type": "string" } },
                },
            },
        });
        Schema::new(Some(&source), &Components::new(Some(&components)))
    }

    fn found(schema: &Schema, value: Value) -> Vec<String> {
        let mut problems = Vec::new();
        schema.check("body", &value, &mut problems);
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn problems_name_the_place_and_the_rule() {
        let tree = schema(json!({ "$ref": "#/components/schemas/Tree" }));
        let valid =
            json!({ "name": "oak", "kind": null, "more": 1, "branches": [{ "name": "ash" }] });
        assert_eq!(found(&tree, valid), [""; 0]);
        assert_eq!(found(&tree, json!({})), ["body.name: is required"]);
        let wrong = json!({
            "name": "oak",
            "kind": "hunter2",
            "nullable": "hunter2",
            "height": 9_223_372_036_854_775_808_u64,
            "branches": [{ "name": "ash" }, { "name": 7 }],
            "labels": { "a": 5 },
        });
        assert_eq!(
            found(&tree, wrong),
            [
                "body.branches[1].name: it is not of type \"string\"",
                "body.height: it is greater than the maximum of 9223372036854775807",
                "body.kind: it is not one of \"a\", \"b\" or null",
                "body.labels.a: it is not of type \"string\"",
                "body.nullable: it is not of type \"boolean\"",
            ]
        );
        assert_eq!(
            found(&tree, json!({ "name": "x" })),
            ["body.name: it is shorter than 2 characters"]
        );
    }

    #[test]
    fn many_mistakes_and_long_names_are_cut() {
        let tree = schema(json!({ "$ref": "#/components/schemas/Tree" }));
        let long = "é".repeat(1_000);
        let labels = json!({ long: 5 });
        let found_long = found(&tree, json!({ "name": "oak", "labels": labels }));
        assert_eq!(
            found_long,
            [format!(
                "body.labels.{}…: it is not of type \"string\"",
                "é".repeat(200 - "body.labels.".len())
            )]
        );
        let branches = vec![json!(7); 30_000];
        let found_many = found(&tree, json!({ "name": "oak", "branches": branches }));
        assert_eq!(found_many.len(), MOST_PROBLEMS);
    }

    #[test]
    fn kinds_are_seen_through_references() {
        let through = schema(json!({ "allOf": [{ "$ref": "#/components/schemas/Name" }] }));
        assert_eq!(through.kind(), Some("string"));
        assert_eq!(schema(json!({})).kind(), None);
    }
}
