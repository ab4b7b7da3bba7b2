//! Every documented and recorded reply, decoded.

#[cfg(feature = "dployr")]
mod dployr;
#[cfg(feature = "edgegap")]
mod edgegap;
#[cfg(feature = "nexlayer")]
mod nexlayer;
#[cfg(feature = "nodion")]
mod nodion;
#[cfg(feature = "nodion")]
mod nodion_applications;
#[path = "../support/mod.rs"]
mod support;

use deploykit::testing::CannedReply;
use serde_json::Value;
use std::path::Path;

/// An example of a reply, from a spec.
#[allow(dead_code)] // Not every platform's tests look at every field.
pub struct Example {
    /// The id of its operation.
    pub operation: String,
    /// Its HTTP status.
    pub status: u16,
    /// Its media type.
    pub media: String,
    /// Its name; empty if it is the only one.
    pub name: String,
    /// Its body, as the spec has it.
    pub value: Value,
}

impl Example {
    /// The reply as it comes over the wire.
    #[allow(dead_code)]
    pub fn reply(&self) -> CannedReply {
        let body = match &self.value {
            Value::String(text) if !self.media.contains("application/json") => text.clone(),
            value => value.to_string(),
        };
        CannedReply::new(self.status, body).header("content-type", self.media.as_str())
    }
}

/// All examples of replies in the spec of a platform, failures too.
#[allow(dead_code)]
pub fn examples(api: &str) -> Vec<Example> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("specs/{api}.yaml"));
    let spec: Value = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let resolve = |value: &Value| match value.get("$ref").and_then(Value::as_str) {
        Some(target) => spec.pointer(&target[1..]).unwrap().clone(),
        None => value.clone(),
    };
    let entries = |value: Option<&Value>| -> Vec<(String, Value)> {
        let map = value
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        map.into_iter().collect()
    };
    let mut found = Vec::new();
    for (_, item) in entries(spec.get("paths")) {
        for (_, operation) in entries(Some(&item)) {
            let Some(id) = operation.get("operationId").and_then(Value::as_str) else {
                continue;
            };
            for (status, reply) in entries(operation.get("responses")) {
                for (media, content) in entries(resolve(&reply).get("content")) {
                    let mut named = entries(content.get("examples"));
                    for (_, example) in &mut named {
                        *example = resolve(example).get("value").unwrap().clone();
                    }
                    named.extend(
                        content
                            .get("example")
                            .map(|value| (String::new(), value.clone())),
                    );
                    found.extend(named.into_iter().map(|(name, value)| Example {
                        operation: id.to_owned(),
                        status: status.parse().unwrap(),
                        media: media.clone(),
                        name,
                        value,
                    }));
                }
            }
        }
    }
    assert!(!found.is_empty(), "the spec of {api} has no examples");
    found
}
