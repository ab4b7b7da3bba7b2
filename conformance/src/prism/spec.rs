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
    /// `None` for a reply without a body.
    pub media_type: Option<String>,
    /// The names of its examples, if they have names.
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
            let mut all = Vec::new();
            for (status, reply) in documented {
                contents(&spec, status.parse()?, reply, &mut all);
            }
            replies.insert(id.to_owned(), all);
        }
    }
    Ok(replies)
}

/// One reply for each media type of a status.
fn contents(spec: &Value, status: u16, reply: &Value, all: &mut Vec<Documented>) {
    let reply = match reply.get("$ref").and_then(Value::as_str) {
        Some(reference) => spec.pointer(reference.trim_start_matches('#')),
        None => Some(reply),
    };
    let contents = reply.and_then(|reply| reply.get("content")?.as_object());
    let Some(contents) = contents.filter(|contents| !contents.is_empty()) else {
        all.push(Documented {
            status,
            media_type: None,
            examples: Vec::new(),
        });
        return;
    };
    all.extend(contents.iter().map(|(media_type, content)| {
        let examples = content.get("examples").and_then(Value::as_object);
        let names = examples.into_iter().flat_map(|examples| examples.keys());
        Documented {
            status,
            media_type: Some(media_type.clone()),
            examples: names.cloned().collect(),
        }
    }));
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
