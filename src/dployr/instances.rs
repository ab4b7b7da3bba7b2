//! Instances: the machines that services run on.

use super::client::Given;
use super::shapes::{PAGING, Single};
use super::{Client, Instance, InstanceId, InstanceKind, InstanceMetrics, Page};
use crate::call::Call;
use crate::page::{Ask, paged};
use crate::raw::dployr::Op;

/// The instances of a server; made by [`Client::instances`].
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `list` is awaited"]
pub struct Instances {
    pub(super) client: Client,
    ask: Ask,
}

impl Instances {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            ask: Ask::default(),
        }
    }

    paged!("instances");

    /// One page of the instances, the newest first: `GET /v1/instances`.
    ///
    /// The control plane puts the instance of the pool, if there is one, on top of every page. It is
    /// left out of all pages but the first here, so that it comes once.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent, for a page or a
    /// size of zero. [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a cluster of others, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Instance>> {
        let client = self.client.clone();
        Call::paged(PAGING, self.ask, move |ask| {
            let (op, cluster) = (Op::ListInstances, client.cluster_id());
            match ask.parameters() {
                Err(error) => client.refused(op, error),
                Ok((page, size)) => client
                    .call(op, move |raw| async move {
                        raw.list_instances(cluster.as_deref(), page, size).await
                    })
                    .map(move |list| without_the_pool(list.into_page_of(ask))),
            }
        })
    }
}

/// Leaves the instance of the pool out where it stands once more.
fn without_the_pool(mut page: Page<Instance>) -> Page<Instance> {
    let first = page.items.first();
    if page.page > 1 && first.is_some_and(|first| first.kind == Some(InstanceKind::Pool)) {
        page.items.remove(0);
    }
    page
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
