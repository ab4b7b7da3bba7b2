//! The documented replies of a spec.

use crate::{Result, yaml};
use deploykit::operation::OPERATIONS;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A documented reply.
pub struct Documented {
    pub status: u16,
    /// `None` for a reply without a body.
    pub media_type: Option<String>,
    /// Names of its examples.
    pub examples: Vec<String>,
}

/// The path of a platform's spec.
pub fn path(api: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../specs");
    folder.join(format!("{api}.yaml"))
}

/// Replies by `operationId`, one per status and media type.
pub fn replies(api: &str) -> Result<BTreeMap<&'static str, Vec<Documented>>> {
    let text = std::fs::read_to_string(path(api))?;
    let spec: Value = serde_saphyr::from_str_with_options(&text, yaml::options())?;
    let mut replies = BTreeMap::<_, Vec<_>>::new();
    for operation in OPERATIONS.iter().filter(|operation| operation.api == api) {
        let method = operation.method.to_lowercase();
        let documented = &spec["paths"][operation.path][method.as_str()]["responses"];
        let documented = documented
            .as_object()
            .ok_or_else(|| format!("{operation} has no responses in the spec of {api}"))?;
        for (status, reply) in documented {
            let status: u16 = status.parse()?;
            let target = reply["$ref"]
                .as_str()
                .map(|target| target.trim_start_matches('#'));
            let reply = target
                .and_then(|target| spec.pointer(target))
                .unwrap_or(reply);
            let contents = reply["content"].as_object().into_iter().flatten();
            let mut contents: Vec<_> = contents
                .map(|(media_type, content)| Documented {
                    status,
                    media_type: Some(media_type.clone()),
                    examples: content["examples"]
                        .as_object()
                        .map_or(Vec::new(), |examples| examples.keys().cloned().collect()),
                })
                .collect();
            if contents.is_empty() {
                contents.push(Documented {
                    status,
                    media_type: None,
                    examples: Vec::new(),
                });
            }
            replies.entry(operation.id).or_default().extend(contents);
        }
    }
    Ok(replies)
}
