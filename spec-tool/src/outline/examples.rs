//! The shape of an example in JSON: its fields and their types.

use super::{Outline, field_in};
use serde_json::Value;

/// Adds a fact for each field of the example.
pub fn add(outline: &mut Outline, operation: &str, place: &str, example: &Value) {
    below(outline, operation, place, "", example);
}

fn below(outline: &mut Outline, operation: &str, place: &str, field: &str, value: &Value) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    outline.add(operation, place, field, kind);
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                below(outline, operation, place, &field_in(field, name), inner);
            }
        }
        Value::Array(items) => {
            for item in items {
                below(outline, operation, place, &format!("{field}[]"), item);
            }
        }
        _ => {}
    }
}
