//! The examples of a spec, as they go over the wire.

use serde_json::Value;

use super::load::{Content, Resolver};

/// `example` or the values of `examples`, those of one name after the other.
pub(super) fn read(resolver: &Resolver, content: &Value) -> Vec<Value> {
    if let Some(example) = content.get("example") {
        return vec![example.clone()];
    }
    let named = content.get("examples").and_then(Value::as_object);
    named
        .into_iter()
        .flat_map(|named| named.values())
        .filter_map(|example| resolver.resolve(example).get("value"))
        .cloned()
        .collect()
}

impl Content {
    pub(super) fn example(&self) -> Option<(&str, Vec<u8>)> {
        let body = match self.examples.first()? {
            // Text is itself; in JSON a text has quotes.
            Value::String(text) if !self.is_json() => text.clone(),
            example => example.to_string(),
        };
        Some((&self.media_type, body.into_bytes()))
    }

    pub(super) fn is_json(&self) -> bool {
        self.media_type == "application/json"
    }
}
