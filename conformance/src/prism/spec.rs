//! The replies that a spec documents.

use crate::Result;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// A reply that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Documented {
    pub status: u16,
    /// The names of its examples in JSON, if they have names.
    pub examples: Vec<String>,
}

/// Where the spec of a platform is.
pub fn path(api: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
    folder.join(format!("{api}.yaml"))
}

/// The replies of every operation, by its id.
pub fn replies(api: &str) -> Result<BTreeMap<String, Vec<Documented>>> {
    let text = std::fs::read_to_string(path(api))?;
    let spec: Value = serde_saphyr::from_str(&text)?;
    let mut replies = BTreeMap::new();
    let paths = spec.get("paths").and_then(Value::as_object);
    for item in paths.into_iter().flat_map(|paths| paths.values()) {
        for operation in METHODS.iter().filter_map(|method| item.get(method)) {
            let id = operation.get("operationId").and_then(Value::as_str);
            let documented = operation.get("responses").and_then(Value::as_object);
            let (Some(id), Some(documented)) = (id, documented) else {
                return Err(format!("an operation of {api} has no id or no replies").into());
            };
            let documented = documented.iter().map(|(status, reply)| {
                Ok(Documented {
                    status: status.parse()?,
                    examples: examples(&spec, reply),
                })
            });
            replies.insert(id.to_owned(), documented.collect::<Result<_>>()?);
        }
    }
    Ok(replies)
}

fn examples(spec: &Value, reply: &Value) -> Vec<String> {
    let reply = match reply.get("$ref").and_then(Value::as_str) {
        Some(reference) => spec.pointer(reference.trim_start_matches('#')),
        None => Some(reply),
    };
    let examples = reply.and_then(|reply| reply.pointer("/content/application~1json/examples"));
    let examples = examples.and_then(Value::as_object);
    let names = examples.into_iter().flat_map(|examples| examples.keys());
    names.cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use deploykit::OPERATIONS;

    #[test]
    fn every_operation_has_replies() {
        for operation in OPERATIONS {
            let replies = replies(operation.api).unwrap();
            let replies = &replies[operation.id];
            assert!(replies.iter().any(|one| one.status < 300), "{operation}");
            assert!(replies.iter().any(|one| one.status >= 400), "{operation}");
        }
    }
}
