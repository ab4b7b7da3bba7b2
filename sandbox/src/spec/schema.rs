//! JSON Schema validation, compiled on first use because a test needs few schemas.

use std::sync::OnceLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use serde_json::{Value, json};

use super::json_schema::{Schemas, validator};
use super::{MAX_VIOLATIONS, Violation};

/// A schema of a spec.
pub(super) struct Schema {
    source: Value,
    schemas: Schemas,
    compiled: OnceLock<Option<Validator>>,
}

impl Schema {
    pub(super) fn new(source: Option<&Value>, schemas: &Schemas) -> Self {
        Self {
            source: source.cloned().unwrap_or_else(|| json!({})),
            schemas: schemas.clone(),
            compiled: OnceLock::new(),
        }
    }

    fn validator(&self) -> Option<&Validator> {
        let compile = || validator(&self.source, &self.schemas);
        self.compiled.get_or_init(compile).as_ref()
    }

    pub(super) fn allows(&self, value: &Value) -> bool {
        self.validator()
            .is_some_and(|schema| schema.is_valid(value))
    }

    /// Adds the violations of `value`, found at `location`.
    pub(super) fn check(&self, location: &str, value: &Value, violations: &mut Vec<Violation>) {
        let Some(validator) = self.validator() else {
            violations.push(Violation::new(location, "has a schema that cannot be used"));
            return;
        };
        // `iter_errors` is much slower than `is_valid`.
        if !validator.is_valid(value) {
            let limit = MAX_VIOLATIONS.saturating_sub(violations.len());
            let errors = validator.iter_errors(value).take(limit);
            violations.extend(errors.map(|error| violation(location, &error)));
        }
    }
}

/// Converts an error to a violation: its location and rule, without the value.
fn violation(root: &str, error: &ValidationError) -> Violation {
    let mut location = root.to_owned();
    for part in error.instance_path().as_str().split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.bytes().all(|byte| byte.is_ascii_digit()) {
            location.push_str(&format!("[{part}]"));
        } else {
            location.push_str(&format!(".{part}"));
        }
    }
    if let ValidationErrorKind::Required { property } = error.kind() {
        let name = property.as_str().unwrap_or_default();
        return Violation::new(format!("{location}.{name}"), "is required");
    }
    Violation::new(location, error.masked_with("it").to_string())
}

#[cfg(test)]
mod tests {
    use super::super::json_schema::schemas;
    use super::*;

    fn schema(source: Value) -> Schema {
        let mut document = json!({ "source": source, "components": { "schemas": {
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
        } } });
        let schemas = schemas(&mut document);
        Schema::new(document.get("source"), &schemas)
    }

    fn found(schema: &Schema, value: Value) -> Vec<String> {
        let mut violations = Vec::new();
        schema.check("body", &value, &mut violations);
        violations.iter().map(Violation::to_string).collect()
    }

    #[test]
    fn violations_name_location_and_rule() {
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
    fn many_violations_and_long_names_are_truncated() {
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
        assert_eq!(found_many.len(), MAX_VIOLATIONS);
    }
}
