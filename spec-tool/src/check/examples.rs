//! Validates each example of a spec against its schema: parameters, bodies, headers and schemas.

use super::json_schema::{Schemas, schemas, translate, validator};
use crate::build::problems::Problems;
use crate::build::schemas::{MAPS, entries, resolve};
use serde_json::Value;

/// Adds a problem for each value in an example that its schema refuses.
pub fn check(json: &Value, problems: &mut Problems) {
    let mut walk = Walk {
        json,
        schemas: schemas(&mut json.clone()),
        problems,
    };
    walk.below("$", json, false);
}

struct Walk<'a> {
    json: &'a Value,
    schemas: Schemas,
    problems: &'a mut Problems,
}

impl Walk<'_> {
    /// Checks the examples at and below this place. In a map, the keys are names.
    fn below(&mut self, at: &str, value: &Value, is_map: bool) {
        match value {
            Value::Object(fields) => {
                if !is_map {
                    self.examples(at, value);
                }
                for (key, inner) in fields {
                    let is_data = ["default", "enum", "example", "examples", "links"];
                    if is_map || !(is_data.contains(&key.as_str()) || key.starts_with("x-")) {
                        let has_names = !is_map && MAPS.contains(&key.as_str());
                        self.below(&format!("{at}.{key}"), inner, has_names);
                    }
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.below(&format!("{at}[{index}]"), item, false);
                }
            }
            _ => {}
        }
    }

    /// Checks the examples of a parameter, a body, a header or a schema.
    fn examples(&mut self, at: &str, value: &Value) {
        let schema = value.get("schema");
        if let Some(example) = value.get("example") {
            self.example(&format!("{at}.example"), schema.unwrap_or(value), example);
        }
        // Only a schema has no `schema`. It has no `examples` either, but the components have.
        for (name, example) in entries(value, "examples") {
            if let (Some(schema), Some(example)) =
                (schema, resolve(self.json, example).get("value"))
            {
                self.example(&format!("{at}.examples.{name}"), schema, example);
            }
        }
    }

    fn example(&mut self, at: &str, schema: &Value, example: &Value) {
        let Some(line) = schema.get("x-line") else {
            return self.value(at, schema, example);
        };
        for text in example.as_str().unwrap_or_default().lines() {
            let value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
            self.value(at, line, &value);
        }
    }

    fn value(&mut self, at: &str, schema: &Value, value: &Value) {
        let mut schema = schema.clone();
        translate(&mut schema);
        let Some(validator) = validator(&schema, &self.schemas) else {
            self.problems.add(
                at,
                "the schema of the example cannot be used",
                "compare the schema with the rules in specs/README.md",
            );
            return;
        };
        for error in validator.iter_errors(value).take(5) {
            let place = match error.instance_path().as_str() {
                "" => "it".to_owned(),
                place => format!("`{place}`"),
            };
            self.problems.add(
                at,
                format!(
                    "the example does not match its schema: {}",
                    error.masked_with(place)
                ),
                "correct the example, or the schema if servers send this",
            );
        }
    }
}

/// Whether a reply has an example, or needs none because it has no body.
pub fn has_example(reply: &Value) -> bool {
    let mut contents = entries(reply, "content").peekable();
    contents.peek().is_none()
        || contents.any(|(_, content)| {
            content.get("example").is_some() || entries(content, "examples").next().is_some()
        })
}

/// The successes of an operation.
pub fn successes<'a>(json: &'a Value, operation: &'a Value) -> impl Iterator<Item = &'a Value> {
    entries(operation, "responses")
        .filter(|(status, _)| status.starts_with('2'))
        .map(|(_, reply)| resolve(json, reply))
}
