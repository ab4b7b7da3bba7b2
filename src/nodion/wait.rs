//! Waiting for a deployment, and watching those of an application.

use super::{ApplicationHandle, Deployment, DeploymentHandle, DeploymentStatus, LogWindow};
use crate::call::Call;
use crate::page::Page;
use crate::wait::{Schedule, Snapshot, Wait};
use crate::watch::{Observation, Phase, WatchSource, Watcher};
use std::time::{Duration, SystemTime};

/// How many lines of the log are asked for.
const TAIL: u32 = 20;
/// How long the platform keeps them.
const LOGS_KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
/// Building an image takes minutes.
const SCHEDULE: Schedule = Schedule::seconds(5, 20, 900);

impl DeploymentHandle {
    /// Waits until the deployment is available, and gives it.
    ///
    /// It looks for its id in the [list](ApplicationHandle::deployments) at once, after 5 s, and then
    /// at most every 20 s, and gives up after 15 minutes; see [`Wait`] for how to change that. A newer
    /// deployment, of a push or another program, is never taken for it; if that supersedes it, the
    /// platform says `expired`, as far as is known.
    ///
    /// ```no_run
    /// # async fn example(application: deploykit::nodion::ApplicationHandle) -> deploykit::Result<()> {
    /// let triggered = application.deploy().await?;
    /// let deployment = application.deployment(triggered.id);
    /// let live = deployment.wait().on_change(|seen| println!("{}", seen.raw_status)).await?;
    /// println!("number {} is live", live.deploy_number);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`WaitFailed`](crate::ErrorKind::WaitFailed) for one that is `failed` or `expired`,
    /// [`WaitTimedOut`](crate::ErrorKind::WaitTimedOut), [`Gone`](crate::ErrorKind::Gone) for one that
    /// is not listed, and the others of [`Wait`]. With the first two are the last lines that the
    /// application's instances printed, of whichever deployment they are: what a build prints, no call
    /// gives.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn wait(&self) -> Wait<Deployment> {
        let (polled, logged) = (self.clone(), self.application.clone());
        let id = self.name().map(str::to_owned);
        Wait::new("nodion deployment", id, SCHEDULE, move || polled.look()).with_log(move || {
            let since = SystemTime::now() - LOGS_KEPT_FOR;
            let window = LogWindow::new().after(since).limit(TAIL).newest_first();
            logged.logs(window).map(|lines| {
                let oldest_first = lines.into_iter().rev();
                oldest_first.map(|line| line.message).collect()
            })
        })
    }

    fn look(&self) -> Call<Snapshot<Deployment>> {
        self.get().map(|deployment| {
            let status = deployment.status.as_str().to_owned();
            Snapshot::new(phase_of(&deployment.status), status, deployment)
        })
    }
}

impl ApplicationHandle {
    /// Watches all deployments of the application, those that are made meanwhile too: one list call a
    /// round, however many there are.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn watch(&self) -> Watcher {
        Watcher::all(self.clone())
    }
}

impl WatchSource for ApplicationHandle {
    fn list(&self) -> Call<Page<(String, Observation)>> {
        self.deployments().map_items(|items: Vec<Deployment>| {
            let listed = items.into_iter().map(|deployment| {
                let phase = phase_of(&deployment.status);
                (
                    deployment.id,
                    Observation::new(phase, deployment.status.as_str()),
                )
            });
            listed.collect()
        })
    }

    /// There is no other call for it than the list.
    fn lookup(&self, _: &str) -> Option<Call<Observation>> {
        None
    }
}

/// How far a deployment is. `expired` is one that lost its turn, or was superseded: no page says.
fn phase_of(status: &DeploymentStatus) -> Phase {
    match status {
        DeploymentStatus::Created => Phase::Queued,
        DeploymentStatus::Waiting => Phase::InProgress,
        DeploymentStatus::Available => Phase::Ready,
        DeploymentStatus::Failed => Phase::Failed,
        DeploymentStatus::Expired => Phase::Ended,
        DeploymentStatus::Unknown(_) => Phase::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phase_of_each_status() {
        for (status, phase) in [
            ("created", Phase::Queued),
            ("waiting", Phase::InProgress),
            ("available", Phase::Ready),
            ("failed", Phase::Failed),
            ("expired", Phase::Ended),
            ("building", Phase::Unknown),
        ] {
            assert_eq!(phase_of(&DeploymentStatus::from(status)), phase, "{status}");
        }
    }
}
