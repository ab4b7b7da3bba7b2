//! Deployments of an application: deploy, list, get, wait and watch.

use super::client::check_no_whitespace;
use super::{
    ApplicationHandle, ChildHandle, Deployment, DeploymentId, DeploymentStatus, LogOptions, Page,
};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind};
use crate::raw::nodion::Op;
use crate::wait::{Schedule, Snapshot, Wait};
use crate::watch::{Observation, Phase, WatchSource, Watcher};
use serde::Serialize;
use serde_json::json;
use std::time::{Duration, SystemTime};

/// Number of log lines in the error of a failed wait.
const LOG_TAIL: u32 = 20;
/// How long the platform keeps log lines.
const LOG_RETENTION: Duration = Duration::from_secs(7 * 24 * 3600);
/// Poll intervals and deadline of a wait: building an image takes minutes.
const SCHEDULE: Schedule = Schedule::seconds(5, 20, 900);

/// The deployments of an application; returned by [`ApplicationHandle::deployments`].
#[derive(Clone, Debug)]
pub struct Deployments {
    application: ApplicationHandle,
}

/// A handle on a deployment; returned by [`Deployed::deployment`] and
/// [`ApplicationHandle::deployment`].
pub type DeploymentHandle = ChildHandle<DeploymentId>;

/// A created deployment; returned by [`ApplicationHandle::deploy`].
///
/// Serializes as its record.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Deployed {
    /// The id of the deployment.
    #[serde(skip)]
    pub id: DeploymentId,
    /// The deployment as the platform returned it.
    #[serde(flatten)]
    pub record: Deployment,
    #[serde(skip)]
    application: ApplicationHandle,
}

impl Deployed {
    /// A handle on the deployment. Does no I/O.
    pub fn deployment(&self) -> DeploymentHandle {
        self.application.deployment(&self.id)
    }
}

impl ApplicationHandle {
    /// The deployments of the application. Does no I/O.
    pub fn deployments(&self) -> Deployments {
        Deployments {
            application: self.clone(),
        }
    }

    /// A handle on a deployment, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn deployment(
        &self,
        id: impl TryInto<DeploymentId, Error: Into<Error>>,
    ) -> DeploymentHandle {
        ChildHandle::new(self, id)
    }

    /// Deploys the latest commit of the connected branch, or the image:
    /// `POST /v1/applications/{id}/deployments`.
    ///
    /// Returns before the deployment is ready: see [`wait`](DeploymentHandle::wait). To restart an
    /// application, redeploy it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let sandbox = deploykit_sandbox::Sandbox::builder().in_process();
    /// # let application = sandbox.nodion()?.application(sandbox.nodion_access().application_id);
    /// let deployed = application.deploy().await?;
    /// let live = deployed.deployment().wait().await?;
    /// println!("number {} is {}", live.deploy_number, live.status);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// After [`Effect::Unknown`], call [`Deployments::find_created`] before you
    /// retry.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn deploy(&self) -> Call<Deployed> {
        self.deploy_tag(None)
    }

    /// Deploys this image tag instead of the application's default tag:
    /// `POST /v1/applications/{id}/deployments` with the body `{"image_tag": …}`.
    ///
    /// Only for applications from an image.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the tag is empty or contains whitespace
    /// or a control character. Otherwise as [`deploy`](Self::deploy).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn deploy_image_tag(&self, tag: impl Into<String>) -> Call<Deployed> {
        let tag = tag.into();
        let body = json!({ "image_tag": tag });
        self.deploy_tag(Some(tag)).attach_json(body)
    }

    /// Sends no body. [`deploy_image_tag`](Self::deploy_image_tag) attaches one, because the generated method
    /// takes no optional body, and it is unknown how the platform handles `{}`.
    fn deploy_tag(&self, tag: Option<String>) -> Call<Deployed> {
        let application = self.clone();
        self.client.call(Op::CreateDeployment, |raw| async move {
            if let Some(tag) = tag {
                check_no_whitespace("image tag", &tag)?;
            }
            let id = application.id.clone()?;
            let envelope = raw.create_deployment(id.as_str()).await?;
            let record = envelope.into_inner().deployment;
            Ok(Deployed {
                id: record.id.clone(),
                record,
                application,
            })
        })
    }
}

impl Deployments {
    /// Lists all deployments, usually the newest first:
    /// `GET /v1/applications/{id}/deployments`.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn list(&self) -> Call<Page<Deployment>> {
        self.application
            .call(Op::ListDeployments, |raw, id| async move {
                let list = raw.list_deployments(id.as_str()).await?.into_inner();
                Ok(Page::whole(list.deployments))
            })
    }

    /// Returns the highest deploy number, or 0 without deployments:
    /// `GET /v1/applications/{id}/deployments`.
    ///
    /// Call it before [`deploy`](ApplicationHandle::deploy), for [`find_created`](Self::find_created).
    pub fn latest_number(&self) -> Call<i64> {
        self.list().complete().map(|all| {
            let numbers = all.items.iter().map(|deployment| deployment.deploy_number);
            numbers.max().unwrap_or(0)
        })
    }

    /// Finds deployments with a higher number than `after_number`:
    /// `GET /v1/applications/{id}/deployments`.
    ///
    /// Use it after a [`deploy`](ApplicationHandle::deploy) with
    /// [`Effect::Unknown`]. Get the latest number before you deploy:
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let sandbox = deploykit_sandbox::Sandbox::builder().in_process();
    /// # let application = sandbox.nodion()?.application(sandbox.nodion_access().application_id);
    /// use deploykit::Effect;
    /// use std::time::Duration;
    ///
    /// let deployments = application.deployments();
    /// let before = deployments.latest_number().await?;
    /// match application.deploy().await {
    ///     Err(error) if error.effect() == Effect::Unknown => {
    ///         tokio::time::sleep(Duration::from_secs(5)).await; // the list may lag behind
    ///         match deployments.find_created(before).await?.last() {
    ///             Some(found) => println!("number {} is {}", found.deploy_number, found.status),
    ///             None => println!("not listed yet"),
    ///         }
    ///     }
    ///     result => println!("{}", result?.id),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// **A result proves** that the application was deployed after you read the number. It does not prove
    /// that your call created the deployment: a push, the dashboard and other programs deploy, too.
    ///
    /// **An empty result proves nothing**: the request may still be in progress, and the list may lag
    /// behind. Try a few times before you deploy again.
    pub fn find_created(&self, after_number: i64) -> Call<Vec<Deployment>> {
        self.list().complete().map(move |all| {
            let mut all = all.items;
            all.retain(|deployment| deployment.deploy_number > after_number);
            all
        })
    }

    /// Watches all deployments of the application, including new ones:
    /// `GET /v1/applications/{id}/deployments`.
    ///
    /// Each round sends one request.
    pub fn watch(&self) -> Watcher {
        Watcher::all(self.clone())
    }
}

impl WatchSource for Deployments {
    fn list(&self) -> Call<Page<(String, Observation)>> {
        self.list().map_items(|items: Vec<Deployment>| {
            let listed = items.into_iter().map(|deployment| {
                let phase = phase_of(&deployment.status);
                let observation = Observation::new(phase, deployment.status.as_str());
                (deployment.id.into(), observation)
            });
            listed.collect()
        })
    }

    /// The platform has no request for a single deployment.
    fn lookup(&self, _: &str) -> Option<Call<Observation>> {
        None
    }
}

impl DeploymentHandle {
    /// Gets the deployment from the application's list:
    /// `GET /v1/applications/{id}/deployments`.
    ///
    /// The platform has no request for a single deployment.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) if the list does not contain the deployment. Very new and
    /// very old deployments may be missing.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn get(&self) -> Call<Deployment> {
        self.call(Op::ListDeployments, |raw, application, id| async move {
            let list = raw.list_deployments(application.as_str()).await?;
            let all = Page::whole(list.into_inner().deployments);
            let complete = all.check_complete();
            let mut all = all.into_iter();
            let found =
                all.find(|deployment| deployment.id.as_str().eq_ignore_ascii_case(id.as_str()));
            if found.is_none() {
                complete?;
            }
            Ok(found.ok_or_else(|| {
                let problem = format!("the application's list has no deployment {id}");
                Error::new(ErrorKind::NotFound, problem).with_effect(Effect::None)
            })?)
        })
    }

    /// Waits until the deployment is ready (`available`), and returns it.
    ///
    /// Polls [`get`](Self::get) immediately, then at intervals that grow from 5 s to 20 s, for up to 15
    /// minutes. [`Wait`] has methods to change these defaults.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let sandbox = deploykit_sandbox::Sandbox::builder().in_process();
    /// # let application = sandbox.nodion()?.application(sandbox.nodion_access().application_id);
    /// let deployed = application.deploy().await?;
    /// let wait = deployed.deployment().wait();
    /// let live = wait.on_change(|seen| println!("{}", seen.raw_status)).await?;
    /// println!("number {} is live", live.deploy_number);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// - [`WaitFailed`](crate::ErrorKind::WaitFailed) for the statuses `failed` and `expired`. `expired`
    ///   probably means that a newer deployment replaced this one.
    /// - [`WaitTimedOut`](crate::ErrorKind::WaitTimedOut) at the deadline.
    ///
    /// After both, [`Error::log_tail`](crate::Error::log_tail) has the last 20 log lines of the application's
    /// instances. The platform has no request for the build log.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn wait(&self) -> Wait<Deployment> {
        let (polled, application) = (self.clone(), self.application.clone());
        let id = self.id.as_ref().ok().map(ToString::to_string);
        let poll = move || polled.poll();
        Wait::new("nodion deployment", id, SCHEDULE, poll).with_log(move || {
            let since = SystemTime::now() - LOG_RETENTION;
            let lines = application.logs(LogOptions::new().since(since).tail(LOG_TAIL));
            lines.map(|lines| lines.into_iter().map(|line| line.message).collect())
        })
    }

    fn poll(&self) -> Call<Snapshot<Deployment>> {
        self.get().map(|deployment| {
            let status = deployment.status.as_str().to_owned();
            Snapshot::new(phase_of(&deployment.status), status, deployment)
        })
    }
}

/// The phase of a status. `expired` is undocumented: a newer deployment probably replaced this one.
fn phase_of(status: &DeploymentStatus) -> Phase {
    match status {
        DeploymentStatus::Created => Phase::Queued,
        DeploymentStatus::Waiting => Phase::InProgress,
        DeploymentStatus::Available => Phase::Ready,
        DeploymentStatus::Failed => Phase::Failed,
        DeploymentStatus::Expired => Phase::Ended,
        _ => Phase::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_phase() {
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
