//! Deployments of an application: deploy, list, wait and watch.

use super::client::check_word;
use super::{ApplicationHandle, Deployment, DeploymentId, DeploymentStatus, LogWindow, Page};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind};
use crate::id::{CheckedId, checked};
use crate::raw::nodion::Op;
use crate::wait::{Schedule, Snapshot, Wait};
use crate::watch::{Fleet, Observation, Phase, Watcher};
use serde_json::json;
use std::time::{Duration, SystemTime};

/// How many lines of the log are asked for.
const TAIL: u32 = 20;
/// How long the platform keeps them.
const LOGS_KEPT_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
/// Building an image takes minutes.
const SCHEDULE: Schedule = Schedule::seconds(5, 20, 900);

impl ApplicationHandle {
    /// A handle on one deployment. It does no I/O.
    pub fn deployment<I>(&self, id: I) -> DeploymentHandle
    where
        I: TryInto<DeploymentId>,
        I::Error: Into<Error>,
    {
        DeploymentHandle {
            application: self.clone(),
            id: checked(id),
        }
    }

    /// All deployments, as a rule the newest first: `GET /v1/applications/{id}/deployments`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn deployments(&self) -> Call<Page<Deployment>> {
        let id = self.id.clone();
        self.client
            .call(Op::ListDeployments, move |raw| async move {
                let list = raw.list_deployments(id?.as_str()).await?.into_inner();
                Ok(Page::whole(list.deployments))
            })
    }

    /// Deploys the latest commit of the connected branch, or the image:
    /// `POST /v1/applications/{id}/deployments`, without a body.
    ///
    /// This is the restart, too. It answers 200 at once with a deployment that is being made.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) with the platform's reasons for a 400,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call. After [`Effect::Unknown`](crate::Effect::Unknown) ask
    /// [`find_created_after`](Self::find_created_after) before you repeat it.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn deploy(&self) -> Call<Deployment> {
        self.deploy_with(None)
    }

    /// Deploys this tag of the image instead of the application's own:
    /// `POST /v1/applications/{id}/deployments` with `{"image_tag": …}`. Only for an application that
    /// is made of an image.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a tag that is empty or contains a
    /// space, and as [`deploy`](Self::deploy).
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn deploy_image(&self, tag: impl Into<String>) -> Call<Deployment> {
        let tag = tag.into();
        let body = json!({ "image_tag": tag });
        self.deploy_with(Some(tag)).attach_json(body)
    }

    /// The generated client sends a body always or never, and without a tag there must be none: nobody
    /// knows what the platform makes of `{}`. So the body is attached.
    fn deploy_with(&self, tag: Option<String>) -> Call<Deployment> {
        let id = self.id.clone();
        self.client.call(Op::CreateDeployment, |raw| async move {
            if let Some(tag) = tag {
                check_word("tag of the image", &tag)?;
            }
            let envelope = raw.create_deployment(id?.as_str()).await?;
            Ok(envelope.into_inner().deployment)
        })
    }

    /// The greatest deploy number so far, or 0 before the first deployment: what
    /// [`find_created_after`](Self::find_created_after) wants to know. The same request as
    /// [`deployments`](Self::deployments).
    ///
    /// # Errors
    /// As [`deployments`](Self::deployments).
    pub fn latest_deploy_number(&self) -> Call<i64> {
        self.deployments().map(|all| {
            let numbers = all.items.iter().map(|deployment| deployment.deploy_number);
            numbers.max().unwrap_or(0)
        })
    }

    /// What became of a [`deploy`](Self::deploy) that ended without an answer
    /// ([`Effect::Unknown`](crate::Effect::Unknown)): the deployments with a greater number than the
    /// last one before it, as a rule the newest first.
    ///
    /// ```no_run
    /// # async fn example(application: deploykit::nodion::ApplicationHandle) -> deploykit::Result<()> {
    /// use deploykit::Effect;
    /// use std::time::Duration;
    ///
    /// let before = application.latest_deploy_number().await?;
    /// match application.deploy().await {
    ///     Err(error) if error.effect() == Effect::Unknown => {
    ///         tokio::time::sleep(Duration::from_secs(5)).await; // let the list catch up
    ///         match application.find_created_after(before).await?.last() {
    ///             Some(found) => println!("number {} is {}", found.deploy_number, found.status),
    ///             None => println!("not there by now"),
    ///         }
    ///     }
    ///     other => println!("{}", other?.id),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// **A hit proves** that the application was deployed since you read the number. A push to the
    /// connected branch, the dashboard or another program deploys it too, and nothing tells whose a
    /// deployment is; but whoever started it, it fetched the latest commit after you asked for that.
    ///
    /// **A miss does not prove** that nothing was started: the request may still be under way, and the
    /// platform may take a while to list what it started. Ask again a few times before you deploy
    /// anew.
    ///
    /// # Errors
    /// As [`deployments`](Self::deployments).
    pub fn find_created_after(&self, number: i64) -> Call<Vec<Deployment>> {
        self.deployments().map(move |all| {
            let mut all = all.items;
            all.retain(|deployment| deployment.deploy_number > number);
            all
        })
    }

    /// Watches all deployments of the application, those that are made meanwhile too: one list call a
    /// round, however many there are.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn watch(&self) -> Watcher {
        Watcher::all(self.clone())
    }
}

/// A handle on a deployment; made by [`ApplicationHandle::deployment`].
#[derive(Clone, Debug)]
pub struct DeploymentHandle {
    pub(super) application: ApplicationHandle,
    id: CheckedId<DeploymentId>,
}

impl DeploymentHandle {
    /// The id; `None` if it is invalid.
    pub(super) fn name(&self) -> Option<&str> {
        self.id.as_ref().ok().map(DeploymentId::as_str)
    }

    /// The deployment, found by its id among those of the application:
    /// `GET /v1/applications/{id}/deployments`. There is no call for a single one. A push, the
    /// dashboard or another program may have made a newer one meanwhile; this is never taken for that.
    ///
    /// ```no_run
    /// # async fn example(application: deploykit::nodion::ApplicationHandle) -> deploykit::Result<()> {
    /// let triggered = application.deploy().await?;
    /// let now = application.deployment(&triggered.id).get().await?;
    /// println!("{} is {}", now.deploy_number, now.status);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application and for a deployment that is
    /// not listed: one that is unknown, one that is not listed yet, or one so old that it is listed no
    /// more; and as [`ApplicationHandle::deployments`].
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn get(&self) -> Call<Deployment> {
        let (application, id) = (self.application.id.clone(), self.id.clone());
        let client = &self.application.client;
        client.call(Op::ListDeployments, |raw| async move {
            let id = id?;
            let list = raw.list_deployments(application?.as_str()).await?;
            let mut all = list.into_inner().deployments.into_iter();
            let found = all.find(|one| one.id.eq_ignore_ascii_case(id.as_str()));
            Ok(found.ok_or_else(|| {
                let words = format!("the application has no deployment {id} in its list");
                Error::new(ErrorKind::NotFound, words).with_effect(Effect::None)
            })?)
        })
    }

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

impl Fleet for ApplicationHandle {
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
    fn look(&self, _: &str) -> Option<Call<Observation>> {
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
