//! Waiting for a deployment.

use super::{Deployment, DeploymentHandle, DeploymentStatus};
use crate::call::Call;
use crate::wait::{Schedule, Snapshot, Wait};
use crate::watch::Phase;

/// As the vendor's own clients look: every 2 s, growing to 10 s, for 3 minutes.
const SCHEDULE: Schedule = Schedule::seconds(2, 10, 180);
/// How many lines of each log are kept.
const LOG_LINES: usize = 20;

impl DeploymentHandle {
    /// Waits until players can connect, and gives the deployment as it is then.
    ///
    /// It asks for [`status`](Self::status) after 0, 2, 5, ... seconds, at most every 10 s, and gives
    /// up after 3 minutes; see [`Wait`] for how to change that. For more than a few deployments
    /// at once, one list for all costs less than a status for each.
    ///
    /// ```no_run
    /// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
    /// let server = edgegap.deployment("c0653765de3b");
    /// let ready = server.wait().on_change(|seen| println!("{}", seen.raw_status)).await?;
    /// println!("{}", ready.endpoint("gameport")?);
    ///
    /// server.stop().await?;
    /// server.wait().until_gone().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`WaitFailed`](crate::ErrorKind::WaitFailed) for one that is in error or was stopped,
    /// [`WaitTimedOut`](crate::ErrorKind::WaitTimedOut), [`Gone`](crate::ErrorKind::Gone) and the
    /// others of [`Wait`]. The last lines of the container are with the first two, if the platform
    /// still has them.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn wait(&self) -> Wait<Deployment> {
        let (polled, logged) = (self.clone(), self.clone());
        let id = self.name().map(str::to_owned);
        Wait::new("edgegap deployment", id, SCHEDULE, move || polled.look())
            .with_log(move || logged.log_tail())
    }

    pub(super) fn look(&self) -> Call<Snapshot<Deployment>> {
        self.status().map(|deployment| {
            let status = deployment.current_status.as_str().to_owned();
            let reason = deployment.error_detail.clone();
            Snapshot::new(phase_of(&deployment), status, deployment).reason(reason)
        })
    }

    fn log_tail(&self) -> Call<Vec<String>> {
        self.logs().map(|logs| {
            let lines = [logs.tail(LOG_LINES), logs.crash_tail(LOG_LINES)].concat();
            lines.into_iter().map(str::to_owned).collect()
        })
    }
}

/// How far a deployment is. What it says beside its status counts as well: that it is in error, or
/// that it runs.
pub(super) fn phase_of(deployment: &Deployment) -> Phase {
    if deployment.has_failed() {
        return Phase::Failed;
    }
    if deployment.is_ready() {
        return Phase::Ready;
    }
    phase_of_status(&deployment.current_status)
}

/// What a status means by itself.
pub(super) fn phase_of_status(status: &DeploymentStatus) -> Phase {
    match status {
        DeploymentStatus::Seeking => Phase::Queued,
        DeploymentStatus::Deploying => Phase::InProgress,
        DeploymentStatus::Ready => Phase::Ready,
        DeploymentStatus::Error => Phase::Failed,
        DeploymentStatus::Terminating => Phase::Stopping,
        DeploymentStatus::Terminated => Phase::Ended,
        DeploymentStatus::Unknown(_) => Phase::Unknown,
    }
}
