//! The registry of the organisation. The sandbox has one image; the contents are made up.
//!
//! Formats are from edgegap/openapi-specification:edgegap-v1-openapi.yaml.

use serde_json::{Value, json};

use super::{Edgegap, message, page};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};

/// The only image.
const IMAGE: &str = "my-game-server";
const PUSHED: &str = "2026-04-22 20:30:52.283949";

/// The tags of the only image.
#[derive(Clone)]
pub(super) struct Registry {
    tags: Vec<Tag>,
}

#[derive(Clone)]
struct Tag {
    name: String,
    /// Tags with the same hash refer to the same artifact.
    hash: String,
}

impl Registry {
    /// The image of the first version, and a newer one with two tags.
    pub(super) fn new(first: &str) -> Self {
        let tag = |name: &str, digit: &str| Tag {
            name: name.to_owned(),
            hash: format!("sha256:{}", digit.repeat(64)),
        };
        Self {
            tags: vec![
                tag(first, "a"),
                tag("25.06.01-10.00.00-04", "b"),
                tag("dev", "b"),
            ],
        }
    }

    pub(super) fn has(&self, image: &str, tag: &str) -> bool {
        image == IMAGE && self.tags.iter().any(|known| known.name == tag)
    }

    /// The artifact of a tag.
    fn artifact(&self, tag: &Tag, is_deleted: bool) -> Value {
        let others = self.tags.iter();
        let others = others.filter(|other| other.hash == tag.hash && other.name != tag.name);
        let others: Vec<&str> = others.map(|other| other.name.as_str()).collect();
        json!({
            // Assumption: an artifact with other tags is kept.
            "artifact_deleted": is_deleted && others.is_empty(),
            "image_hash": tag.hash,
            "remaining_tags": others,
            "size_mb": 512.5,
        })
    }
}

impl Edgegap {
    /// The total number is in `count`, as in edgegap/edgegap-mcp:src/tools.ts; the document has no pagination.
    pub(super) fn list_image_tags(&self, call: &Call) -> HandlerResult {
        check_image(call)?;
        let describe = |tag: &Tag| {
            json!({
                "tag": tag.name,
                "last_push_at": PUSHED,
                "artifact": self.registry.artifact(tag, false),
            })
        };
        let tags = self.registry.tags.iter().collect();
        let mut body = page(call.request, "data", tags, describe)?;
        let total = body.remove("total_count").unwrap_or_default();
        body.insert("count".to_owned(), total);
        Ok(Reply::json(200, &body.into()))
    }

    /// Assumption: versions that use the tag do not prevent its deletion.
    pub(super) fn delete_image_tag(&mut self, call: &Call) -> HandlerResult {
        check_image(call)?;
        let name = call.path("tag_name");
        let mut tags = self.registry.tags.iter();
        let at = tags.position(|tag| tag.name == name);
        let at = at.ok_or_else(|| message(404, "Tag not found"))?;
        let tag = self.registry.tags.remove(at);
        let artifact = self.registry.artifact(&tag, true);
        let body = json!({ "deleted_tag": tag.name, "artifact": artifact });
        Ok(Reply::json(200, &body))
    }
}

/// Rejects other images. With the project in front, the platform does not know the image
/// (edgegap/edgegap-mcp:src/tools.ts).
fn check_image(call: &Call) -> Result<(), Reply> {
    match call.path("image_name") {
        IMAGE => Ok(()),
        _ => Err(message(404, "Image not found")),
    }
}
