//! Applications and their deployments.

use super::{ApplicationId, Client, Deployment};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::raw::nodion::Op;

/// A handle on an application; made by [`Client::application`].
#[derive(Clone, Debug)]
pub struct Application {
    client: Client,
    id: std::result::Result<ApplicationId, String>,
}

impl Application {
    pub(super) fn new(client: Client, id: Result<ApplicationId>) -> Self {
        let id = id.map_err(|error| error.message().unwrap_or_default().to_owned());
        Self { client, id }
    }

    /// All deployments, as a rule the newest first: `GET /v1/applications/{id}/deployments`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn deployments(&self) -> Call<Vec<Deployment>> {
        let op = Op::ListDeployments;
        match self.id() {
            Err(error) => self.client.refused(op, error),
            Ok(id) => self
                .client
                .call(op, move |raw| async move {
                    raw.list_deployments(id.as_str(), None).await
                })
                .map(|list| list.deployments),
        }
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
    /// call. After [`Effect::Unknown`](crate::Effect::Unknown) list the deployments and look for a
    /// greater `deploy_number` before you repeat it.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-deployments/>
    pub fn deploy(&self) -> Call<Deployment> {
        let op = Op::CreateDeployment;
        match self.id() {
            Err(error) => self.client.refused(op, error),
            Ok(id) => self
                .client
                .call(op, move |raw| async move {
                    raw.create_deployment(id.as_str(), None).await
                })
                .map(|envelope| envelope.deployment),
        }
    }

    fn id(&self) -> Result<ApplicationId> {
        self.id.clone().map_err(Error::invalid_request)
    }
}
