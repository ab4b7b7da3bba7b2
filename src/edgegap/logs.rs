//! Logs of a deployment.

use super::{ContainerLogs, DeploymentHandle};
use crate::call::Call;
use crate::raw::edgegap::Op;

impl DeploymentHandle {
    /// Gets the container's log: `GET /v1/deployment/{deployment_id}/container-logs`.
    ///
    /// The response is a snapshot without timestamps, so the log cannot be followed. The platform
    /// deletes logs when the deployment stops, unless they are stored.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn logs(&self) -> Call<ContainerLogs> {
        let id = self.id.clone();
        self.client.call(Op::GetContainerLogs, |raw| async move {
            Ok(raw.get_container_logs(id?.as_str()).await?.into_inner())
        })
    }
}

impl ContainerLogs {
    /// The last lines of the log.
    pub fn tail(&self, lines: usize) -> Vec<&str> {
        last_lines(self.logs.as_deref(), lines)
    }

    /// The last lines of the log at the time of the crash; empty without a crash.
    pub fn crash_tail(&self, lines: usize) -> Vec<&str> {
        last_lines(self.crash_logs.as_deref(), lines)
    }
}

fn last_lines(text: Option<&str>, lines: usize) -> Vec<&str> {
    let mut last: Vec<_> = text.unwrap_or_default().lines().rev().take(lines).collect();
    last.reverse();
    last
}
