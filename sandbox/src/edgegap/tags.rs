//! Tags of a deployment.
//!
//! Statuses and formats are from edgegap/openapi-specification:edgegap-v1-openapi.yaml; names have 1 to 40
//! characters.

use std::time::Duration;

use serde_json::{Value, json};

use super::deployments::{Deployment, Status};
use super::{Edgegap, body_of, message, page};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::text_field;
use crate::time::naive_micros;

#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    created_at: Duration,
    updated_at: Duration,
}

impl Tag {
    pub(super) fn new(name: String, now: Duration) -> Self {
        Self {
            name,
            created_at: now,
            updated_at: now,
        }
    }

    fn describe(&self) -> Value {
        json!({
            "name": self.name,
            "create_time": naive_micros(self.created_at),
            "last_updated": naive_micros(self.updated_at),
        })
    }
}

impl Edgegap {
    pub(super) fn list_tags(&mut self, call: &Call) -> HandlerResult {
        let tags = self.tagged_deployment(call)?.tags.iter().collect();
        let body = page(call.request, "tags", tags, Tag::describe)?;
        Ok(Reply::json(200, &body.into()))
    }

    pub(super) fn add_tag(&mut self, call: &Call) -> HandlerResult {
        let deployment = self.tagged_deployment(call)?;
        let tag = Tag::new(new_name(deployment, call)?, call.now);
        let reply = Reply::json(200, &tag.describe());
        deployment.tags.push(tag);
        Ok(reply)
    }

    pub(super) fn get_tag(&mut self, call: &Call) -> HandlerResult {
        let deployment = self.tagged_deployment(call)?;
        let tag = tag(deployment, call)?;
        Ok(Reply::json(200, &tag.describe()))
    }

    pub(super) fn rename_tag(&mut self, call: &Call) -> HandlerResult {
        let deployment = self.tagged_deployment(call)?;
        tag(deployment, call)?;
        let name = new_name(deployment, call)?;
        let tag = tag(deployment, call)?;
        tag.name = name;
        tag.updated_at = call.now;
        Ok(Reply::json(200, &tag.describe()))
    }

    pub(super) fn delete_tag(&mut self, call: &Call) -> HandlerResult {
        let deployment = self.tagged_deployment(call)?;
        let name = tag(deployment, call)?.name.clone();
        deployment.tags.retain(|tag| tag.name != name);
        Ok(Reply::empty(204))
    }

    /// Finds the deployment of a tag operation.
    ///
    /// Assumption: a terminated deployment counts as unknown.
    fn tagged_deployment(&mut self, call: &Call) -> Result<&mut Deployment, Reply> {
        let timing = self.timing;
        let id = call.path("deployment_id");
        let found = self
            .deployments
            .iter_mut()
            .find(|known| known.id == id && known.status(timing, call.now) != Status::Terminated);
        found.ok_or_else(|| message(404, "Deployment not found"))
    }
}

/// Finds the tag named in the path.
fn tag<'a>(deployment: &'a mut Deployment, call: &Call) -> Result<&'a mut Tag, Reply> {
    let mut tags = deployment.tags.iter_mut();
    let found = tags.find(|tag| tag.name == call.path("tag_name"));
    found.ok_or_else(|| message(404, "Tag not found"))
}

/// The new name in the body. Rejects a name that the deployment already has.
fn new_name(deployment: &Deployment, call: &Call) -> Result<String, Reply> {
    let body = body_of(call)?;
    let name = text_field(&body, "name").filter(|name| name.chars().count() <= 40);
    let name = name.ok_or_else(|| message(400, "name must have 1 to 40 characters"))?;
    if deployment.tags.iter().any(|tag| tag.name == name) {
        return Err(message(409, "Tag already exists"));
    }
    Ok(name.to_owned())
}
