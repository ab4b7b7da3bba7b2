//! Reading one deployment, also from a server that refuses it.

use super::fallback::{Steps, is_misread_id};
use super::shapes::Single;
use super::{Deployment, DeploymentHandle, Routed, Via};
use crate::call::Call;
use crate::error::ErrorKind;
use crate::raw::dployr::Op;

impl DeploymentHandle {
    /// The deployment: `GET /v1/deployments/{id}`, by its id or its name.
    ///
    /// The open-source control plane refuses this for every deployment, because it takes the id for
    /// that of a cluster. Then it is looked for in [`Deployments::list`](super::Deployments::list), page
    /// by page, 100 at a time,
    /// and [`Via`](super::Via) says so: `without_fallbacks` on the builder turns that off. The id of a
    /// task that deployed a name anew finds nothing.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) without
    /// the right to read the cluster, and from that control plane always if the client has no
    /// cluster or no fallbacks; and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn get(&self) -> Call<Routed<Deployment>> {
        let handle = self.clone();
        Call::new(
            self.client.scope_of(Op::GetDeployment),
            move |scope| async move {
                let steps = Steps::of(scope);
                let error = match steps.run(handle.get_as_documented()).await {
                    Ok(deployment) => return Ok(Routed::documented(deployment)),
                    Err(error) => error,
                };
                let client = &handle.client;
                let misread = is_misread_id(&error) && client.cluster().is_some();
                let id = match &handle.id {
                    Ok(id) if misread || steps.lacks_route(&error) => id.as_str(),
                    _ => return Err(error),
                };
                if !client.falls_back() {
                    return Err(error);
                }
                let found = steps.deployment(client, |found| found.id == id || found.name == id);
                match found.await? {
                    Some(deployment) => Ok(Routed::by(Via::Listing, deployment)),
                    None => Err(steps.error(
                        ErrorKind::NotFound,
                        "no deployment of this id or name is in the list of the cluster",
                    )),
                }
            },
        )
    }

    fn get_as_documented(&self) -> Call<Deployment> {
        let op = Op::GetDeployment;
        let cluster = self.client.cluster_id();
        self.client.with(op, &self.id, |id| {
            self.client
                .call(op, move |raw| async move {
                    raw.get_deployment(id.as_str(), cluster.as_deref()).await
                })
                .map(Single::into_inner)
        })
    }
}
