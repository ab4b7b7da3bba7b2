//! Stops one deployment, all deployments that match filters, or the deployment of the calling container.

use serde_json::{Value, json};

use super::deployments::{Deployment, Status};
use super::{Edgegap, authorize, body_of, message};
use crate::credentials::self_stop_credentials;
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};

/// A filter of the bulk stop; its form differs from the list's filters.
struct Condition {
    by_id: bool,
    kind: Kind,
    values: Vec<String>,
}

enum Kind {
    Any,
    All,
    Not,
}

impl Edgegap {
    pub(super) fn stop(&mut self, call: &Call) -> HandlerResult {
        // "true", "false" or the name of a storage. The sandbox stores no logs.
        if call.request.query_value("container_log_storage") == Some("") {
            return Err(message(400, "container_log_storage is empty"));
        }
        let (timing, now) = (self.timing, call.now);
        let id = call.path("deployment_id");
        let mut deployments = self.deployments.iter_mut();
        let deployment = deployments.find(|deployment| deployment.id == id);
        let deployment = deployment.ok_or_else(|| message(404, "Deployment not found"))?;
        match deployment.status(timing, now) {
            Status::Terminated => Err(message(410, "Deployment already terminated")),
            // "Returns 200 or 202 if deployment status is not READY and not ERROR, and stops deployment once
            // either of these statuses is reached" (edgegap/openapi-specification:edgegap-v1-openapi.yaml).
            // Assumptions: it is 202, also for a repeated stop.
            Status::Seeking | Status::Deploying => {
                deployment.stop(now);
                Ok(message(202, "Deployment will be stopped"))
            }
            Status::Terminating => Ok(message(202, "Deployment is being stopped")),
            Status::Ready | Status::Error => {
                deployment.stop(now);
                let body = json!({
                    "message": "Deployment is being stopped",
                    "deployment_summary": deployment.describe(timing, now),
                });
                Ok(Reply::json(200, &body))
            }
        }
    }

    /// Stops all deployments that match every filter.
    ///
    /// An empty list matches all: an assumption from the document's "Caution is advised".
    pub(super) fn stop_deployments(&mut self, call: &Call) -> HandlerResult {
        let body = body_of(call)?;
        let filters = body.get("filters").and_then(Value::as_array);
        let conditions: Option<Vec<Condition>> =
            filters.and_then(|filters| filters.iter().map(Condition::read).collect());
        let conditions = conditions.ok_or_else(|| {
            message(
                400,
                "filters must be a list of field, filter_type and values",
            )
        })?;
        let (timing, now) = (self.timing, call.now);
        let live = self.deployments.iter_mut().filter(|deployment| {
            let status = deployment.status(timing, now);
            !matches!(status, Status::Terminating | Status::Terminated)
        });
        let mut stopped = Vec::new();
        for deployment in live {
            if conditions
                .iter()
                .all(|condition| condition.is_met(deployment))
            {
                // A deployment that is starting stops later, as with `stop_deployment`. The list includes it:
                // "Deployments which will be stopped"
                // (edgegap/openapi-specification:edgegap-v1-openapi.yaml).
                deployment.stop(now);
                stopped.push(json!({ "request_id": deployment.id }));
            }
        }
        Ok(Reply::json(202, &json!({ "processable": stopped })))
    }

    /// Stops the deployment that the calling container belongs to.
    ///
    /// `Authorization` is the container's token without a prefix; the stop key is in the path.
    pub(super) fn stop_own_deployment(&mut self, call: &Call) -> HandlerResult {
        let (own_key, own_token) = self_stop_credentials(call.path("deployment_id"));
        authorize(call, &own_token)?;
        if call.path("stop_key") != own_key {
            return Err(message(403, "Invalid stop key"));
        }
        match self.stop(call) {
            // The document has 410 for `stop_deployment`, but not for this operation.
            Err(reply) if reply.status == 410 => Err(message(404, "Deployment already terminated")),
            answer => answer,
        }
    }
}

impl Condition {
    fn read(filter: &Value) -> Option<Self> {
        let text = |key: &str| filter.get(key).and_then(Value::as_str);
        let values = filter.get("values")?.as_array()?.iter();
        Some(Self {
            by_id: match text("field")? {
                "request_id" => true,
                "deployment_tags" => false,
                _ => return None,
            },
            kind: match text("filter_type")? {
                "any" => Kind::Any,
                "all" => Kind::All,
                "not" => Kind::Not,
                _ => return None,
            },
            values: values
                .map(|value| value.as_str().map(str::to_owned))
                .collect::<Option<_>>()?,
        })
    }

    fn is_met(&self, deployment: &Deployment) -> bool {
        let has = |value: &String| {
            if self.by_id {
                *value == deployment.id
            } else {
                deployment.tags.iter().any(|tag| tag.name == *value)
            }
        };
        match self.kind {
            Kind::Any => self.values.iter().any(has),
            Kind::All => self.values.iter().all(has),
            Kind::Not => !self.values.iter().any(has),
        }
    }
}
