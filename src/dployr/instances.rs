//! Instances: the machines that run services.

use super::client::check_text;
use super::shapes::PAGING;
use super::{
    Client, Handle, Instance, InstanceHandle, InstanceId, InstanceKind, InstanceMetrics,
    InstanceRegistered, InstanceRole, InstanceTag, InstanceTask, NodeHandle, Page,
};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::page::{PageRequest, paged};
use crate::raw::dployr::{Op, types};
use std::net::Ipv4Addr;

/// A machine to register in the client's cluster.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing is registered until it is passed to a client"]
pub struct NewInstance {
    address: Ipv4Addr,
    tag: String,
    region: Option<String>,
    managed: Option<bool>,
    role: Option<InstanceRole>,
}

impl NewInstance {
    /// The machine at this address, with a tag of 3 to 21 characters that is unique on the server.
    pub fn new(address: Ipv4Addr, tag: impl Into<String>) -> Self {
        Self {
            address,
            tag: tag.into(),
            region: None,
            managed: None,
            role: None,
        }
    }

    /// Its region: `eu-west`. The control plane puts it into the instance's `metadata`; the field
    /// `region` of the reply keeps its default.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Whether the control plane manages it. Default: true.
    pub fn managed(mut self, managed: bool) -> Self {
        self.managed = Some(managed);
        self
    }

    /// Whether it runs services or builds them. Default: the server's choice.
    pub fn role(mut self, role: impl Into<InstanceRole>) -> Self {
        self.role = Some(role.into());
        self
    }

    fn into_raw(self, cluster: Result<String>) -> Result<types::InstanceCreate> {
        check_text("tag", &self.tag)?;
        if !(3..=21).contains(&self.tag.chars().count()) {
            return Err(Error::invalid_request("a tag has 3 to 21 characters"));
        }
        if let Some(region) = &self.region {
            check_text("region", region)?;
        }
        if let Some(role) = &self.role {
            check_text("role", role.as_str())?;
        }
        Ok(types::InstanceCreate {
            cluster_id: cluster?,
            address: self.address.to_string(),
            tag: self.tag,
            region: self.region,
            managed: self.managed,
            role: self.role,
        })
    }
}

/// The instances of a server; made by [`Client::instances`].
#[derive(Clone, Debug)]
#[must_use = "nothing is requested before `list` is awaited"]
pub struct Instances {
    pub(super) client: Client,
    page_request: PageRequest,
}

impl Instances {
    paged!("instances");

    /// One page of the instances, the newest first: `GET /v1/instances`.
    ///
    /// The control plane puts the instance of the pool on top of every page. Here only the first page
    /// has it.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a page or a
    /// size of zero. [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Instance>> {
        let client = self.client.clone();
        Call::paged(PAGING, self.page_request, move |page_request| {
            let cluster = client.cluster_parameter();
            client.call(Op::ListInstances, move |raw| async move {
                let (page, size) = page_request.parameters()?;
                let list = raw.list_instances(cluster.as_deref(), page, size).await?;
                Ok(without_the_pool(
                    list.into_inner().into_page_of(page_request),
                ))
            })
        })
    }

    /// Registers a machine in the client's cluster: `POST /v1/instances`.
    ///
    /// The reply has the token with which the machine joins. Only this reply shows it, and it is valid
    /// for 15 minutes.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent: a tag that is
    /// too short or too long, a client without a cluster. Of the server:
    /// [`Conflict`](crate::ErrorKind::Conflict) for a tag that is taken,
    /// [`Rejected`](crate::ErrorKind::Rejected), [`Forbidden`](crate::ErrorKind::Forbidden) without
    /// the role. After
    /// [`Effect::Unknown`](crate::Effect::Unknown) look for the tag in [`list`](Self::list).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn create(&self, new: NewInstance) -> Call<InstanceRegistered> {
        let cluster = self.client.required_cluster();
        self.client.call(Op::CreateInstance, |raw| async move {
            let reply = raw.create_instance(&new.into_raw(cluster)?).await?;
            Ok(reply.into_inner().0)
        })
    }
}

/// Removes the instance of the pool from all pages but the first.
fn without_the_pool(mut page: Page<Instance>) -> Page<Instance> {
    let first = page.items.first();
    if page.page > 1 && first.is_some_and(|first| first.kind == Some(InstanceKind::Pool)) {
        page.items.remove(0);
    }
    page
}

impl InstanceHandle {
    /// The instance: `GET /v1/instances/{id}`, by its id, not its tag.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound),
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for one of others and for one of the pool.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn get(&self) -> Call<Instance> {
        self.call(Op::GetInstance, |raw, id| async move {
            let reply = raw.get_instance(id.as_str()).await?;
            Ok(reply.into_inner().0)
        })
    }

    /// Processor, memory and disks of the instance: `GET /v1/instances/{id}/metrics`.
    ///
    /// No known server has this route. The fields are those that a node reports about itself, and each
    /// may be missing.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn metrics(&self) -> Call<InstanceMetrics> {
        self.call(Op::GetInstanceMetrics, |raw, id| async move {
            let reply = raw.get_instance_metrics(id.as_str()).await?;
            Ok(reply.into_inner().0)
        })
    }

    /// Removes the instance from its cluster: `DELETE /v1/instances/{id}`. The machine itself is left
    /// alone.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), the second time too;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the role of an administrator.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteInstance, |raw, id| async move {
            raw.delete_instance(id.as_str()).await?;
            Ok(())
        })
    }
}

impl NodeHandle {
    /// Pings the instance: `POST /v1/instances/{tag}/ping`, without a body. The ping is queued; its
    /// result changes the status in [`Instances::list`].
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) without
    /// the role.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn ping(&self) -> Call<InstanceTask> {
        self.call(Op::PingInstance, |raw, tag| async move {
            let reply = raw.ping_instance(tag.as_str()).await?;
            Ok(reply.into_inner().0)
        })
    }

    /// Reboots the machine: `POST /v1/instances/{tag}/system/reboot`. With `force` it does not wait for
    /// running work.
    ///
    /// Refusals of this call were observed on a running server; its success was read in the source.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Rejected`](crate::ErrorKind::Rejected) without a
    /// cluster, [`Forbidden`](crate::ErrorKind::Forbidden) without the role of an administrator,
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the instance is not connected.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn reboot(&self, force: bool) -> Call<InstanceTask> {
        let cluster = self.client.cluster_parameter();
        let body = types::InstanceInterruption { force };
        self.call(Op::RebootInstance, |raw, tag| async move {
            let reply = raw
                .reboot_instance(tag.as_str(), cluster.as_deref(), &body)
                .await?;
            Ok(reply.into_inner().0)
        })
    }

    /// Restarts the daemon on the machine, which stays up:
    /// `POST /v1/instances/{tag}/system/restart`. With `force` it does not wait for running work.
    ///
    /// # Errors
    /// As [`reboot`](Self::reboot).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn restart_daemon(&self, force: bool) -> Call<InstanceTask> {
        let cluster = self.client.cluster_parameter();
        let body = types::InstanceInterruption { force };
        self.call(Op::RestartInstance, |raw, tag| async move {
            let reply = raw
                .restart_instance(tag.as_str(), cluster.as_deref(), &body)
                .await?;
            Ok(reply.into_inner().0)
        })
    }
}

impl Client {
    /// The instances. It does no I/O.
    pub fn instances(&self) -> Instances {
        Instances {
            client: self.clone(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on an instance. It does no I/O.
    pub fn instance(&self, id: impl TryInto<InstanceId, Error: Into<Error>>) -> InstanceHandle {
        Handle::new(self, id)
    }

    /// A handle on an instance by its tag, for the calls that do not take its id. It does no I/O.
    pub fn node(&self, tag: impl TryInto<InstanceTag, Error: Into<Error>>) -> NodeHandle {
        Handle::new(self, tag)
    }
}
