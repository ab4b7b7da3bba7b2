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
    /// call. After [`Effect::Unknown`](crate::Effect::Unknown) ask
    /// [`find_created_after`](Self::find_created_after) before you repeat it.
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

    /// The greatest deploy number so far, or 0 before the first deployment: what
    /// [`find_created_after`](Self::find_created_after) wants to know. The same request as
    /// [`deployments`](Self::deployments).
    ///
    /// # Errors
    /// As [`deployments`](Self::deployments).
    pub fn latest_deploy_number(&self) -> Call<i64> {
        self.deployments().map(|all| {
            let numbers = all.iter().map(|deployment| deployment.deploy_number);
            numbers.max().unwrap_or(0)
        })
    }

    /// What became of a [`deploy`](Self::deploy) that ended without an answer
    /// ([`Effect::Unknown`](crate::Effect::Unknown)): the deployments with a greater number than the
    /// last one before it, as a rule the newest first.
    ///
    /// ```no_run
    /// # async fn example(application: deploykit::nodion::Application) -> deploykit::Result<()> {
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
        self.deployments().map(move |mut all| {
            all.retain(|deployment| deployment.deploy_number > number);
            all
        })
    }

    fn id(&self) -> Result<ApplicationId> {
        self.id.clone().map_err(Error::invalid_request)
    }
}
