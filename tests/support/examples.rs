//! Reads the example replies of the specs.

#![allow(dead_code)] // Each test uses only a part.

#[path = "../../build/yaml.rs"]
mod yaml;

use deploykit::operation::{OPERATIONS, Operation};
use deploykit::testing::CannedReply;
use serde_json::Value;
use std::path::Path;

/// An example reply of a spec.
#[derive(Clone, Debug)]
pub struct Example {
    pub operation: &'static Operation,
    pub status: u16,
    pub media: String,
    /// Empty if the spec has a single `example`.
    pub name: String,
    pub value: Value,
}

impl Example {
    /// The body as sent on the wire.
    pub fn body(&self) -> String {
        match &self.value {
            Value::String(text) if !self.media.contains("application/json") => text.clone(),
            value => value.to_string(),
        }
    }

    pub fn reply(&self) -> CannedReply {
        CannedReply::new(self.status, self.body()).header("content-type", self.media.as_str())
    }
}

/// All example replies of a platform, including failures.
pub fn examples(api: &str) -> Vec<Example> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("specs/{api}.yaml"));
    let text = std::fs::read_to_string(file).unwrap();
    let spec: Value = serde_saphyr::from_str_with_options(&text, yaml::options()).unwrap();
    let resolve = |value: &Value| match value.get("$ref").and_then(Value::as_str) {
        Some(target) => spec.pointer(&target[1..]).unwrap().clone(),
        None => value.clone(),
    };
    let mut found = Vec::new();
    for operation in OPERATIONS.iter().filter(|operation| operation.api == api) {
        let method = operation.method.to_lowercase();
        let responses = &spec["paths"][operation.path][method.as_str()]["responses"];
        for (status, response) in responses.as_object().unwrap() {
            let response = resolve(response);
            for (media, content) in response["content"].as_object().into_iter().flatten() {
                let named = content["examples"].as_object().into_iter().flatten();
                let named = named.map(|(name, example)| {
                    let value = resolve(example)["value"].clone();
                    (name.clone(), value)
                });
                let only = content.get("example").cloned();
                let only = only.map(|value| (String::new(), value));
                found.extend(named.chain(only).map(|(name, value)| Example {
                    operation,
                    status: status.parse().unwrap(),
                    media: media.clone(),
                    name,
                    value,
                }));
            }
        }
    }
    assert!(!found.is_empty(), "the spec of {api} has no examples");
    found
}
