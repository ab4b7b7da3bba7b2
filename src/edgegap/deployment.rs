//! One deployment that exists.

use super::stop::{LogStorage, Stopped};
use super::{Client, ContainerLogs, Deployment, DeploymentStatus, RequestId};
use crate::call::Call;
use crate::error::Error;
use crate::id::{CheckedId, checked};
use crate::raw::edgegap::Op;

/// A handle on a deployment; made by [`Client::deployment`].
#[derive(Clone, Debug)]
pub struct DeploymentHandle {
    pub(super) client: Client,
    pub(super) id: CheckedId<RequestId>,
}

impl Client {
    /// A handle on a deployment: its status, its logs, its tags, its end. It does no I/O; an id that
    /// could not stand in a path is refused by the first call.
    ///
    /// ```no_run
    /// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
    /// let server = edgegap.deployment("c0653765de3b");
    /// let now = server.status().await?;
    /// if now.is_ready() {
    ///     println!("{}", now.endpoint("gameport")?); // c0653765de3b.pr.edgegap.net:30345
    /// }
    /// server.stop().await?;
    /// # Ok(()) }
    /// ```
    pub fn deployment<I>(&self, id: I) -> DeploymentHandle
    where
        I: TryInto<RequestId>,
        I::Error: Into<Error>,
    {
        DeploymentHandle {
            client: self.clone(),
            id: checked(id),
        }
    }
}

impl DeploymentHandle {
    /// The id; `None` if it is invalid.
    pub(super) fn name(&self) -> Option<&str> {
        self.id.as_ref().ok().map(RequestId::as_str)
    }

    /// The deployment as it is now: `GET /v1/status/{deployment_id}`, at most 20 a second for all of
    /// an organisation.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an id that the platform does not know, which it
    /// says with a 404 or a 400; [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and those of
    /// every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn status(&self) -> Call<Deployment> {
        let id = self.id.clone();
        self.client.call(Op::GetDeployment, |raw| async move {
            Ok(raw.get_deployment(id?.as_str()).await?.into_inner())
        })
    }

    /// Ends the deployment: `DELETE /v1/stop/{deployment_id}`.
    ///
    /// The platform answers while it stops, so look at [`status`](Self::status) to see it gone. To
    /// stop twice is no failure: the reply says that it has stopped already.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an id that the platform does not know,
    /// [`Forbidden`](crate::ErrorKind::Forbidden),
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and those of every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn stop(&self) -> Call<Stopped> {
        self.stop_with(None)
    }

    /// [`stop`](Self::stop), and says whether and where the logs are kept, which are gone otherwise
    /// unless the application version stores them.
    ///
    /// # Errors
    /// As [`stop`](Self::stop), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a storage
    /// without a name.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn stop_and_store_logs(&self, storage: impl Into<LogStorage>) -> Call<Stopped> {
        self.stop_with(Some(storage.into()))
    }

    fn stop_with(&self, storage: Option<LogStorage>) -> Call<Stopped> {
        let id = self.id.clone();
        let stopped = self.client.call(Op::StopDeployment, |raw| async move {
            let (id, storage) = (id?, storage.map(LogStorage::into_raw).transpose()?);
            let reply = raw.stop_deployment(id.as_str(), storage.as_deref());
            Ok(Stopped::of(reply.await?))
        });
        stopped.or_else(Stopped::of_failure)
    }

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

impl Deployment {
    /// Whether players can connect: it says so itself, or its status does. Never after an error.
    pub fn is_ready(&self) -> bool {
        let says_so = self.current_status == DeploymentStatus::Ready || self.running == Some(true);
        says_so && !self.is_over()
    }

    /// Whether something went wrong; `error_detail` may say what.
    pub fn has_failed(&self) -> bool {
        self.error == Some(true) || self.current_status == DeploymentStatus::Error
    }

    /// Whether it will not become ready any more: it failed, it stops, or it has stopped.
    pub fn is_over(&self) -> bool {
        let ends = [DeploymentStatus::Terminating, DeploymentStatus::Terminated];
        self.has_failed() || ends.contains(&self.current_status)
    }
}
