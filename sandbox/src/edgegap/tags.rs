//! The tags of a deployment: list, add, get, rename, delete.
//!
//! Statuses and forms are those of edgegap/openapi-specification:edgegap-v1-openapi.yaml; 1 to 40 characters there.

use std::time::Duration;

use serde_json::{Value, json};

use super::deployment::Status;
use super::{Deployment, Edgegap, message, paging};
use crate::model::{Reply, Request, text_field};
use crate::time::naive_micros;

#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) name: String,
    made: Duration,
    changed: Duration,
}

impl Tag {
    pub(super) fn new(name: String, now: Duration) -> Self {
        Self {
            name,
            made: now,
            changed: now,
        }
    }

    fn describe(&self) -> Value {
        json!({
            "name": self.name,
            "create_time": naive_micros(self.made),
            "last_updated": naive_micros(self.changed),
        })
    }
}

impl Edgegap {
    pub(super) fn tags(
        &mut self,
        method: &str,
        request: &Request,
        id: &str,
        now: Duration,
    ) -> Reply {
        let Some(deployment) = self.tagged(id, now) else {
            return message(404, "Deployment not found");
        };
        match method {
            "GET" => {
                let items = deployment.tags.iter().map(Tag::describe).collect();
                paging::reply(request, "tags", items)
            }
            "POST" => match written(request) {
                Err(reply) => reply,
                Ok(name) if deployment.tags.iter().any(|tag| tag.name == name) => {
                    message(409, "Tag already exists")
                }
                Ok(name) => {
                    let tag = Tag::new(name, now);
                    let reply = Reply::json(200, &tag.describe());
                    deployment.tags.push(tag);
                    reply
                }
            },
            _ => message(404, "Not found"),
        }
    }

    pub(super) fn tag(
        &mut self,
        method: &str,
        request: &Request,
        id: &str,
        name: &str,
        now: Duration,
    ) -> Reply {
        let Some(deployment) = self.tagged(id, now) else {
            return message(404, "Deployment not found");
        };
        let names: Vec<String> = deployment.tags.iter().map(|tag| tag.name.clone()).collect();
        let Some(tag) = deployment.tags.iter_mut().find(|tag| tag.name == name) else {
            return message(404, "Tag not found");
        };
        match method {
            "GET" => Reply::json(200, &tag.describe()),
            "PATCH" => match written(request) {
                Err(reply) => reply,
                Ok(new) if names.contains(&new) => message(409, "Tag already exists"),
                Ok(new) => {
                    tag.name = new;
                    tag.changed = now;
                    Reply::json(200, &tag.describe())
                }
            },
            "DELETE" => {
                deployment.tags.retain(|tag| tag.name != name);
                Reply::empty(204)
            }
            _ => message(404, "Not found"),
        }
    }

    /// What the tags of a terminated deployment are is not known. To answer as if there were none is the sandbox's own.
    fn tagged(&mut self, id: &str, now: Duration) -> Option<&mut Deployment> {
        let timing = self.timing;
        let mut all = self.deployments.iter_mut();
        all.find(|known| known.id == id && known.status(timing, now) != Status::Terminated)
    }
}

fn written(request: &Request) -> Result<String, Reply> {
    let body = request
        .labelled_json_object()
        .map_err(|problem| message(400, problem.words()))?;
    text_field(&body, "name")
        .filter(|name| name.chars().count() <= 40)
        .map(str::to_owned)
        .ok_or_else(|| message(400, "name must have 1 to 40 characters"))
}
