//! Instances: the machines that services run on.

use super::client::Given;
use super::envelope::{Listing, Single};
use super::{Client, Instance, InstanceId, InstanceMetrics, Page};
use crate::call::Call;
use crate::raw::dployr::Op;

/// The instances of a server; made by [`Client::instances`].
#[derive(Clone, Debug)]
pub struct Instances {
    pub(super) client: Client,
}

impl Instances {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The instances, the newest first: `GET /v1/instances`. The first page of them, from a server
    /// that pages. An instance of the pool stands on every page, on top of the others.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a cluster of others, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Instance>> {
        let cluster = self.client.cluster_id();
        self.client
            .call(Op::ListInstances, move |raw| async move {
                raw.list_instances(cluster.as_deref()).await
            })
            .map(Listing::into_page)
    }
}

/// A handle on an instance; made by [`Client::instance`].
#[derive(Clone, Debug)]
pub struct InstanceHandle {
    pub(super) client: Client,
    pub(super) id: Given<InstanceId>,
}

impl InstanceHandle {
    pub(super) fn new(client: Client, id: Given<InstanceId>) -> Self {
        Self { client, id }
    }

    /// The instance: `GET /v1/instances/{id}`. It is found by its id, not by its tag.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound),
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for one of others and for one of the pool, and those
    /// of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn get(&self) -> Call<Instance> {
        let op = Op::GetInstance;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(
                    op,
                    move |raw| async move { raw.get_instance(id.as_str()).await },
                )
                .map(Single::into_inner)
        })
    }

    /// Processor, memory and disks of the instance: `GET /v1/instances/{id}/metrics`.
    ///
    /// No server is known to have this route. The fields are those that a node reports about itself,
    /// and each may be missing.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn metrics(&self) -> Call<InstanceMetrics> {
        let op = Op::GetInstanceMetrics;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(op, move |raw| async move {
                    raw.get_instance_metrics(id.as_str()).await
                })
                .map(Single::into_inner)
        })
    }
}
