//! Stops beside the plain one: of all that match, and from inside of a container.

use std::time::Duration;

use serde_json::{Value, json};

use super::deployment::{Deployment, Status};
use super::{Edgegap, message};
use crate::access::own_stop;
use crate::model::{Reply, Request};

/// A condition: another form than those of the list.
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
    /// Every deployment that meets all conditions. That no condition is met by every one is
    /// concluded: the filters identify what to stop, and the document says "Caution is advised".
    pub(super) fn bulk_stop(&mut self, request: &Request, now: Duration) -> Reply {
        let body = match request.labelled_json_object() {
            Ok(body) => body,
            Err(problem) => return message(400, problem.words()),
        };
        let filters = body.get("filters").and_then(Value::as_array);
        let conditions: Option<Vec<Condition>> =
            filters.and_then(|filters| filters.iter().map(Condition::read).collect());
        let Some(conditions) = conditions else {
            return message(
                400,
                "filters must be a list of field, filter_type and values",
            );
        };
        let timing = self.timing;
        let mut stopped = Vec::new();
        for deployment in &mut self.deployments {
            let ended = matches!(
                deployment.status(timing, now),
                Status::Terminating | Status::Terminated
            );
            if !ended
                && conditions
                    .iter()
                    .all(|condition| condition.is_met(deployment))
            {
                // What starts is stopped later, as by the plain stop, and is among "Deployments which will be stopped"
                // (edgegap/openapi-specification:edgegap-v1-openapi.yaml) each time until then.
                deployment.stop(now);
                stopped.push(json!({ "request_id": deployment.id }));
            }
        }
        Reply::json(202, &json!({ "processable": stopped }))
    }

    /// `Authorization` is the token of the container, as it is; the key stands in the path.
    pub(super) fn stop_from_inside(
        &mut self,
        request: &Request,
        id: &str,
        key: &str,
        now: Duration,
    ) -> Reply {
        let (own_key, own_token) = own_stop(id);
        match request.header("authorization") {
            None => return message(401, "Missing token"),
            Some(token) if token != own_token => return message(401, "Invalid token"),
            Some(_) => {}
        }
        if key != own_key {
            return message(403, "Invalid stop key");
        }
        match self.stop(request, id, now) {
            // The document has the 410 for a stop from outside alone.
            reply if reply.status == 410 => message(404, "Deployment already terminated"),
            reply => reply,
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
