//! Deployments: <https://www.nodion.com/en/docs/api/application-deployments>.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::applications::Application;
use super::{CONNECTED_AT, Now, bad_request, body_of, envelope, list};
use crate::ids::Ids;
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::request::object;
use crate::time::{Stage, rfc3339_berlin};

#[derive(Clone, Debug)]
pub(super) struct Deployment {
    pub(super) id: String,
    pub(super) number: u64,
    image_tag: String,
    pub(super) created_at: Duration,
}

impl Deployment {
    pub(super) fn new(id: String, number: u64, image_tag: &str, created_at: Duration) -> Self {
        Self {
            id,
            number,
            image_tag: image_tag.to_owned(),
            created_at,
        }
    }

    /// The status: `created`, `waiting`, then `available` or `failed`.
    ///
    /// From dlyx-io/nodion-gateway:CLAUDE.md; the reference shows two of them. That file also has `expired`,
    /// which never occurs here, because its meaning is unknown.
    pub(super) fn status(&self, clock: Now) -> &'static str {
        match clock.timing.stage(self.created_at, clock.now) {
            _ if self.created_at == CONNECTED_AT => "available",
            Stage::Queued => "created",
            Stage::Working => "waiting",
            Stage::Done => "available",
            Stage::Failed => "failed",
        }
    }

    /// When its instances started.
    pub(super) fn ready_at(&self, clock: Now) -> Duration {
        if self.created_at == CONNECTED_AT {
            CONNECTED_AT
        } else {
            self.created_at + clock.timing.ready_after
        }
    }
}

impl Application {
    /// The live deployment: the last available one (dlyx-io/nodion-gateway:CLAUDE.md).
    pub(super) fn live(&self, clock: Now) -> Option<&Deployment> {
        let mut newest_first = self.deployments.iter().rev();
        newest_first.find(|one| one.status(clock) == "available")
    }

    /// Lists the deployments, newest first as in the reference's example.
    pub(super) fn list_deployments(&self, clock: Now) -> HandlerResult {
        let newest_first = self.deployments.iter().rev();
        let all = newest_first.map(|one| self.describe_deployment(one, clock).into());
        list("deployments", all)
    }

    pub(super) fn create_deployment(
        &mut self,
        call: &Call,
        ids: &mut Ids,
        clock: Now,
    ) -> HandlerResult {
        let tag = image_tag(call, self.image.is_some())?;
        let tag = tag.as_deref().unwrap_or("latest");
        let numbers = self.deployments.iter().map(|deployment| deployment.number);
        let number = numbers.max().unwrap_or(0) + 1;
        let deployment = Deployment::new(ids.uuid(), number, tag, clock.now);
        let mut body = self.describe_deployment(&deployment, clock);
        // In the two examples of the reference, only the reply to POST has this field.
        body.insert("updated_at".to_owned(), rfc3339_berlin(clock.now).into());
        self.deployments.push(deployment);
        envelope("deployment", body.into())
    }

    pub(super) fn describe_deployment(
        &self,
        deployment: &Deployment,
        clock: Now,
    ) -> Map<String, Value> {
        let status = deployment.status(clock);
        let created_at = rfc3339_berlin(deployment.created_at);
        object(match self.image {
            None => json!({
                "id": deployment.id,
                "status": status,
                "deploy_number": deployment.number,
                "git_sha": self.git_sha,
                "commit_message": "test",
                "committer_name": "Jo Example",
                "committer_email": "jo@example.com",
                "committer_username": "jo-example",
                "commit_timestamp": rfc3339_berlin(CONNECTED_AT),
                "created_at": created_at,
            }),
            // As in the reference's examples of 2025: `git_sha` is null, and the committer is a placeholder.
            Some(image) => json!({
                "id": deployment.id,
                "status": status,
                "deploy_number": deployment.number,
                "git_sha": null,
                "commit_message": format!("Image: {image}:{}", deployment.image_tag),
                "committer_name": "Container Registry",
                "committer_email": "registry@example.com",
                "committer_username": "container-registry",
                "commit_timestamp": created_at,
                "strategy": "prebuilt_image",
                "image_reference": format!("{image}:{}", deployment.image_tag),
                "created_at": created_at,
            }),
        })
    }
}

/// The image tag of the optional body. Most clients send no body (dlyx-io/nodion-gateway:src/proxy.ts).
fn image_tag(call: &Call, accepts_tag: bool) -> Result<Option<String>, Reply> {
    if call.request.body.is_empty() {
        return Ok(None);
    }
    match body_of(call)?.get("image_tag") {
        None | Some(Value::Null) => Ok(None),
        // The reference allows a tag only for applications with a pre-built image. The real reply for others
        // is unknown; ignoring the tag would hide the mistake.
        Some(_) if !accepts_tag => Err(bad_request(
            "image_tag is only for applications with a pre-built image",
        )),
        Some(Value::String(tag)) if !tag.is_empty() => Ok(Some(tag.clone())),
        Some(_) => Err(bad_request("image_tag must be a string")),
    }
}
