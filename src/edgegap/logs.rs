//! The logs of a deployment.

use super::{ContainerLogs, DeploymentHandle};
use crate::call::Call;
use crate::raw::edgegap::Op;

impl DeploymentHandle {
    /// What the container has written so far, and how it crashed if it did:
    /// `GET /v1/deployment/{deployment_id}/container-logs`. They are gone when the deployment has
    /// stopped, unless they are stored.
    ///
    /// It is a snapshot, and lines have no times. There is nothing to follow them by: to read it again and
    /// compare would miss what was cut off at the front and repeat what looks the same.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound),
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and those of every call.
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
    /// The last lines that the container has written.
    pub fn tail(&self, lines: usize) -> Vec<&str> {
        last_lines(self.logs.as_deref(), lines)
    }

    /// The last lines that it had written when it crashed; none if it did not.
    pub fn crash_tail(&self, lines: usize) -> Vec<&str> {
        last_lines(self.crash_logs.as_deref(), lines)
    }
}

fn last_lines(text: Option<&str>, lines: usize) -> Vec<&str> {
    let mut last: Vec<_> = text.unwrap_or_default().lines().rev().take(lines).collect();
    last.reverse();
    last
}
