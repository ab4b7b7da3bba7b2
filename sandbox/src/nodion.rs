//! Nodion: the deployments of an application.
//!
//! Bodies are those of <https://www.nodion.com/en/docs/api/application-deployments>; the pre-built image application
//! answers as the newer examples of that page do.

use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::access::NodionAccess;
use crate::ids::Ids;
use crate::model::{Reply, Request};
use crate::time::{Stage, Timing, rfc3339_berlin};

/// An application is connected before it can be used here, and connecting deploys it once: 2026-01-05.
const CONNECTED_AT: Duration = Duration::from_secs(1_767_600_000);

/// The state of Nodion.
#[derive(Clone, Debug)]
pub struct Nodion {
    timing: Timing,
    ids: Ids,
    token: String,
    applications: [Application; 2],
}

#[derive(Clone, Debug)]
struct Application {
    id: String,
    /// The image without a tag, for one that runs a pre-built image.
    image: Option<&'static str>,
    git_sha: String,
    deployments: Vec<Deployment>,
}

#[derive(Clone, Debug)]
struct Deployment {
    id: String,
    number: u64,
    image_tag: String,
    created_at: Duration,
}

impl Nodion {
    pub(crate) fn new(timing: Timing, seed: u64) -> Self {
        let mut ids = Ids::new(seed);
        let token = ids.alphanumeric(40);
        let mut application = |image| Application {
            id: ids.uuid(),
            image,
            git_sha: ids.hex(40),
            deployments: vec![Deployment {
                id: ids.uuid(),
                number: 1,
                image_tag: "latest".to_owned(),
                created_at: CONNECTED_AT,
            }],
        };
        let applications = [application(None), application(Some("docker.io/nginx"))];
        Self {
            timing,
            ids,
            token,
            applications,
        }
    }

    /// The way in, for a server that listens at `base_url`.
    pub fn access(&self, base_url: &str) -> NodionAccess {
        let [git, image] = &self.applications;
        NodionAccess {
            base_url: base_url.to_owned(),
            token: self.token.clone(),
            application_id: git.id.clone(),
            image_application_id: image.id.clone(),
        }
    }

    /// Answers one request at `now`, the time since the Unix epoch.
    pub fn handle(&mut self, request: &Request, now: Duration) -> Reply {
        let segments = request.segments();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let ["v1", "applications", id, "deployments"] = segments.as_slice() else {
            return not_found();
        };
        if !matches!(request.method.as_str(), "GET" | "POST") {
            return not_found();
        }
        // `Authorization: Bearer`: https://www.nodion.com/en/docs/api/authentication and nrdcg/nodion:client.go. The
        // body of a 401 was never seen; this is the framework's own form, as for 404.
        let expected = format!("Bearer {}", self.token);
        if request.header("authorization") != Some(expected.as_str()) {
            return rails(401, "Unauthorized");
        }
        let Some(application) = self
            .applications
            .iter_mut()
            .find(|application| application.id == *id)
        else {
            return not_found();
        };
        if request.method == "GET" {
            return list(application, self.timing, now);
        }
        let image_tag = match image_tag(request, application.image.is_some()) {
            Ok(tag) => tag.unwrap_or_else(|| "latest".to_owned()),
            Err(reply) => return reply,
        };
        let number = application
            .deployments
            .iter()
            .map(|deployment| deployment.number)
            .max()
            .unwrap_or(0)
            + 1;
        let deployment = Deployment {
            id: self.ids.uuid(),
            number,
            image_tag,
            created_at: now,
        };
        let mut body = application.describe(&deployment, self.timing, now);
        // Stands in the reply to POST and not in the list: the two examples of the page differ.
        body.insert("updated_at".to_owned(), Value::from(rfc3339_berlin(now)));
        application.deployments.push(deployment);
        // 200, not 201: the page's list of response codes.
        Reply::json(200, &json!({ "deployment": body }))
    }
}

impl Application {
    fn describe(
        &self,
        deployment: &Deployment,
        timing: Timing,
        now: Duration,
    ) -> Map<String, Value> {
        // created, waiting, then available or failed: dlyx-io/nodion-gateway:CLAUDE.md; the page shows the first and
        // the last.
        let status = match timing.stage(deployment.created_at, now) {
            _ if deployment.created_at == CONNECTED_AT => "available",
            Stage::Queued => "created",
            Stage::Working => "waiting",
            Stage::Done => "available",
            Stage::Failed => "failed",
        };
        let created_at = rfc3339_berlin(deployment.created_at);
        let body = match self.image {
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
            // git_sha is null and the committer made up for images, in the page's examples of 2025.
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
        };
        match body {
            Value::Object(body) => body,
            _ => Map::new(),
        }
    }
}

/// Newest first, as in the example of the page.
fn list(application: &Application, timing: Timing, now: Duration) -> Reply {
    let items: Vec<Map<String, Value>> = application
        .deployments
        .iter()
        .rev()
        .map(|deployment| application.describe(deployment, timing, now))
        .collect();
    Reply::json(200, &json!({ "deployments": items }))
}

/// The tag of the optional body. No body is the normal case (dlyx-io/nodion-gateway:src/proxy.ts sends none).
fn image_tag(request: &Request, takes_tag: bool) -> Result<Option<String>, Reply> {
    if request.body.is_empty() {
        return Ok(None);
    }
    let body = request
        .labelled_json_object()
        .map_err(|problem| errors(problem.words()))?;
    match body.get("image_tag") {
        None | Some(Value::Null) => Ok(None),
        // The page: only for applications with a pre-built image. What others answer was never seen; to ignore the
        // tag would hide the mistake.
        Some(_) if !takes_tag => Err(errors(
            "image_tag is only for applications with a pre-built image",
        )),
        Some(Value::String(tag)) if !tag.is_empty() => Ok(Some(tag.clone())),
        Some(_) => Err(errors("image_tag must be a string")),
    }
}

/// nrdcg/nodion:fixtures, for an unknown id and an unknown route alike.
fn not_found() -> Reply {
    rails(404, "Not Found")
}

fn rails(status: u16, error: &str) -> Reply {
    Reply::json(status, &json!({ "status": status, "error": error }))
}

/// The form of a 400 in nrdcg/nodion:fixtures.
fn errors(text: &str) -> Reply {
    Reply::json(400, &json!({ "errors": [text] }))
}
