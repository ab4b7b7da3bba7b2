//! Waiting for deployments and services, and watching many.

use super::deployments::Deployments;
use super::{
    Client, Deployment, DeploymentHandle, DeploymentId, DeploymentStatus, Service, ServiceHandle,
    ServiceState, ServiceStatus,
};
use crate::call::Call;
use crate::error::ErrorKind;
use crate::id::CheckedId;
use crate::logs::LogLine;
use crate::page::Page;
use crate::raw::dployr::Op;
use crate::wait::{Schedule, Snapshot, Wait};
use crate::watch::{Observation, Phase, WatchSource, Watcher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Building takes minutes.
const SCHEDULE: Schedule = Schedule::seconds(3, 15, 900);
/// What stands for the state of a service of which only that is known.
const AWAKE: &str = "awake";
/// How many lines of the log are asked for.
const TAIL: u32 = 20;

impl DeploymentHandle {
    /// Waits until the deployment is made, and gives it: that its service is up is another thing, see
    /// [`ServiceHandle::wait`].
    ///
    /// It looks for its id in the list (`GET /v1/deployments`, page by page: the control plane refuses
    /// the call for a single one) at once, after 3 s, and then at most every 15 s, and gives up after
    /// 15 minutes; see [`Wait`] for how to change that. When a name is deployed anew, its record goes
    /// back to `pending` and keeps its id; the id of the task, which the server answers with, is not
    /// listed, and would be [`Gone`](ErrorKind::Gone).
    ///
    /// ```no_run
    /// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
    /// let made = dployr.deployment("01M85NWXQH0M1DQ4109E4PJNZT").wait().await?;
    /// println!("{} is {:?}", made.name, made.status);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`WaitFailed`](ErrorKind::WaitFailed), [`WaitTimedOut`](ErrorKind::WaitTimedOut),
    /// [`Gone`](ErrorKind::Gone) for one that is not listed, and the others of [`Wait`]. With the first
    /// two are the last lines of the log under its name, from a server that keeps one.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn wait(&self) -> Wait<Deployment> {
        let (polled, logged) = (self.clone(), self.clone());
        Wait::new("dployr deployment", id_of(&self.id), SCHEDULE, move || {
            polled.look()
        })
        .with_log(move || logged.log_tail())
    }

    fn look(&self) -> Call<Snapshot<Deployment>> {
        listed(&self.client, &self.id).map(|deployment| {
            let (phase, word) = how(&deployment);
            Snapshot::new(phase, word, deployment)
        })
    }

    /// The log goes by the name of the service, which is that of the deployment.
    fn log_tail(&self) -> Call<Vec<String>> {
        let (client, id) = (self.client.clone(), self.id.clone());
        self.client
            .in_steps(Op::GetServiceLogs, |steps| async move {
                let found = steps.run(listed(&client, &id)).await?;
                let lines = client.service(found.name).logs(Some(TAIL));
                Ok(texts(steps.run(lines).await?))
            })
    }
}

impl ServiceHandle {
    /// Waits until the service is up.
    ///
    /// It asks for the [`status`](Self::status) at once, after 3 s, and then at most every 15 s, and
    /// gives up after 15 minutes; see [`Wait`] for how to change that. A service that sleeps is not
    /// over: a visitor or [`start`](Self::start) wakes it, so the wait goes on. After a
    /// [`stop`](Self::stop), [`until_gone`](Wait::until_gone) waits until it sleeps.
    ///
    /// No server is known to have that route. From one that says so, the [record](Self::get) of the
    /// service is read instead, which tells whether it sleeps and nothing else: the status is
    /// `sleeping` or `awake`, and one that is awake counts as up, though after a start it takes up to
    /// 90 s until it answers. `without_fallbacks` on the builder turns this off.
    ///
    /// # Errors
    /// [`WaitFailed`](ErrorKind::WaitFailed), [`WaitTimedOut`](ErrorKind::WaitTimedOut),
    /// [`Gone`](ErrorKind::Gone) and the others of [`Wait`];
    /// [`NoSuchRoute`](ErrorKind::NoSuchRoute) from the known servers without fallbacks.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn wait(&self) -> Wait<ServiceStatus> {
        let (polled, logged) = (self.clone(), self.clone());
        // Found out once, so that it is not asked for again.
        let no_status = Arc::<AtomicBool>::default();
        let poll = move || polled.look(no_status.clone());
        Wait::new("dployr service", id_of(&self.id), SCHEDULE, poll)
            .with_log(move || logged.logs(Some(TAIL)).map(texts))
            .restartable()
    }

    fn look(&self, no_status: Arc<AtomicBool>) -> Call<Snapshot<ServiceStatus>> {
        let handle = self.clone();
        self.client
            .in_steps(Op::GetServiceStatus, |steps| async move {
                if !no_status.load(Ordering::Relaxed) {
                    if let Some(status) = steps.documented(handle.status()).await? {
                        return Ok(of_status(status));
                    }
                    no_status.store(true, Ordering::Relaxed);
                }
                steps.run(handle.get()).await.map(of_record)
            })
    }
}

impl Deployments {
    /// Watches all deployments, those that are made meanwhile too: one list call a page.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn watch(&self) -> Watcher {
        Watcher::all(self.clone())
    }
}

impl WatchSource for Deployments {
    fn list(&self) -> Call<Page<(String, Observation)>> {
        Deployments::list(self).map_items(|items: Vec<Deployment>| {
            let listed = items.into_iter().map(|deployment| {
                let (phase, word) = how(&deployment);
                (deployment.id, Observation::new(phase, word))
            });
            listed.collect()
        })
    }

    fn lookup(&self, id: &str) -> Option<Call<Observation>> {
        let id = DeploymentId::new(id).map_err(|error| error.to_string());
        Some(listed(&self.client, &id).map(|deployment| {
            let (phase, word) = how(&deployment);
            Observation::new(phase, word)
        }))
    }
}

fn id_of<I: ToString>(id: &CheckedId<I>) -> Option<String> {
    id.as_ref().ok().map(I::to_string)
}

fn texts(lines: Vec<LogLine>) -> Vec<String> {
    lines.into_iter().map(|line| line.message).collect()
}

/// The deployment with this id, of the pages of the list.
fn listed(client: &Client, id: &CheckedId<DeploymentId>) -> Call<Deployment> {
    let (searched, id) = (client.clone(), id.clone());
    client.in_steps(Op::ListDeployments, |steps| async move {
        let id = id.map_err(|why| steps.error(ErrorKind::InvalidRequest, &why))?;
        let found = steps.deployment(&searched, |one| one.id == id.as_str());
        found.await?.ok_or_else(|| {
            let words = format!("there is no deployment {id} in the list");
            steps.error(ErrorKind::NotFound, &words)
        })
    })
}

/// The status that a service's record shows: only whether it sleeps.
fn of_record(service: Service) -> Snapshot<ServiceStatus> {
    let status = match service.iced_at {
        Some(_) => ServiceState::Sleeping,
        None => ServiceState::Unknown(AWAKE.to_owned()),
    };
    let mut snapshot = of_status(ServiceStatus {
        id: Some(service.id),
        name: Some(service.name),
        status,
        updated_at: service.updated_at,
        uptime: None,
    });
    if snapshot.observation.phase == Phase::Unknown {
        snapshot.observation.phase = Phase::Ready;
        snapshot.observation.reason =
            Some("all that is known is that it does not sleep".to_owned());
    }
    snapshot
}

fn of_status(service: ServiceStatus) -> Snapshot<ServiceStatus> {
    let word = service.status.as_str().to_owned();
    Snapshot::new(phase_of_service(&service.status), word, service)
}

/// How far a deployment is, and the server's word for it.
fn how(deployment: &Deployment) -> (Phase, String) {
    let status = deployment.status.as_ref();
    let word = status.map_or("", DeploymentStatus::as_str).to_owned();
    (status.map_or(Phase::Unknown, phase_of), word)
}

/// How far a deployment is: `running` is one that is being made.
fn phase_of(status: &DeploymentStatus) -> Phase {
    match status {
        DeploymentStatus::Pending => Phase::Queued,
        DeploymentStatus::Running | DeploymentStatus::InProgress => Phase::InProgress,
        DeploymentStatus::Success | DeploymentStatus::Completed => Phase::Ready,
        DeploymentStatus::Failed => Phase::Failed,
        DeploymentStatus::Unknown(_) => Phase::Unknown,
    }
}

/// How a service is: `running` is one that is up.
fn phase_of_service(state: &ServiceState) -> Phase {
    match state {
        ServiceState::Starting => Phase::InProgress,
        ServiceState::Running | ServiceState::Ready => Phase::Ready,
        ServiceState::Failed => Phase::Failed,
        ServiceState::Stopped | ServiceState::Sleeping => Phase::Ended,
        ServiceState::Unknown(_) => Phase::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phase_of_each_status_of_a_deployment() {
        for (status, phase) in [
            ("pending", Phase::Queued),
            ("running", Phase::InProgress),
            ("in_progress", Phase::InProgress),
            ("success", Phase::Ready),
            ("completed", Phase::Ready),
            ("failed", Phase::Failed),
            ("cancelled", Phase::Unknown),
        ] {
            assert_eq!(phase_of(&DeploymentStatus::from(status)), phase, "{status}");
        }
    }

    #[test]
    fn the_phase_of_each_state_of_a_service() {
        for (state, phase) in [
            ("starting", Phase::InProgress),
            ("running", Phase::Ready),
            ("ready", Phase::Ready),
            ("failed", Phase::Failed),
            ("stopped", Phase::Ended),
            ("sleeping", Phase::Ended),
            ("unknown", Phase::Unknown),
        ] {
            assert_eq!(
                phase_of_service(&ServiceState::from(state)),
                phase,
                "{state}"
            );
        }
    }
}
