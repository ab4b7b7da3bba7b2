//! One deployment, as far as the platform has it: an entry of a list.

use super::{ApplicationHandle, Deployment, DeploymentId};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind};
use crate::id::{CheckedId, checked};
use crate::raw::nodion::Op;

/// A handle on a deployment; made by [`ApplicationHandle::deployment`].
#[derive(Clone, Debug)]
pub struct DeploymentHandle {
    pub(super) application: ApplicationHandle,
    id: CheckedId<DeploymentId>,
}

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
}
