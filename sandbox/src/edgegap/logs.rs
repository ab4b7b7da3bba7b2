//! Container logs.
//!
//! The format is from edgegap/openapi-specification:edgegap-v1-openapi.yaml; the contents are made up.

use serde_json::json;

use super::deployments::{Deployment, Status};
use super::{Edgegap, message, remove_nulls};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};

impl Edgegap {
    /// Logs are deleted when the deployment terminates (edgegap/edgegap-mcp, edgegap/edgegap-agent-skills).
    pub(super) fn logs(&self, call: &Call) -> HandlerResult {
        let deployment = self.known_deployment(call)?;
        let status = deployment.status(self.timing, call.now);
        let crashed = status == Status::Error && !deployment.no_capacity;
        let logs = match status {
            Status::Terminated => {
                return Err(message(404, "No logs for a terminated deployment"));
            }
            Status::Seeking | Status::Deploying => "",
            Status::Error if deployment.no_capacity => "",
            _ => "listening on 7777\n",
        };
        let mut body = json!({
            "logs": logs,
            "crash_logs": crashed.then_some("listening on 7777\ncannot load the map\n"),
            "crash_data": crashed.then(|| json!({ "exit_code": 1, "message": "Error", "restart_count": 0 })),
            "encoding": "utf-8",
            "logs_link": null,
        });
        remove_nulls(&mut body, &["crash_data"]);
        Ok(Reply::json(200, &body))
    }

    pub(super) fn known_deployment(&self, call: &Call) -> Result<&Deployment, Reply> {
        let found = self.find(call.path("deployment_id"));
        found.ok_or_else(|| message(404, "Deployment not found"))
    }
}
