//! Instances: the machines that run services.

use super::client::{check_text, check_texts};
use super::shapes::PAGING;
use super::{
    Client, Handle, Instance, InstanceId, InstanceKind, InstanceMetrics, InstanceRegistered,
    InstanceRole, InstanceTag, InstanceTask, Page,
};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::page::{PageRequest, paged};
use crate::raw::dployr::{Op, types};
use std::net::Ipv4Addr;

/// A machine to register in the client's cluster.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to a client"]
pub struct NewInstance {
    address: Ipv4Addr,
    tag: String,
    region: Option<String>,
    managed: Option<bool>,
    role: Option<InstanceRole>,
}

impl NewInstance {
    /// A machine with this address and a tag of 3 to 21 characters, unique on the server.
    pub fn new(address: Ipv4Addr, tag: impl Into<String>) -> Self {
        Self {
            address,
            tag: tag.into(),
            region: None,
            managed: None,
            role: None,
        }
    }

    /// Region: `eu-west`. The control plane stores it in the `metadata` of the instance, not in `region`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Whether the control plane manages it. Default: true.
    pub fn managed(mut self, managed: bool) -> Self {
        self.managed = Some(managed);
        self
    }

    /// Role: runs services or builds them. Default: the server's choice.
    pub fn role(mut self, role: impl Into<InstanceRole>) -> Self {
        self.role = Some(role.into());
        self
    }

    fn into_raw(self, cluster: Result<String>) -> Result<types::InstanceCreate> {
        check_text("tag", &self.tag)?;
        if !(3..=21).contains(&self.tag.chars().count()) {
            return Err(Error::invalid_request("a tag has 3 to 21 characters"));
        }
        check_texts([
            ("region", self.region.as_deref()),
            ("role", self.role.as_ref().map(InstanceRole::as_str)),
        ])?;
        Ok(types::InstanceCreate {
            region: self.region,
            managed: self.managed,
            role: self.role,
            ..types::InstanceCreate::new(cluster?, self.address.to_string(), self.tag)
        })
    }
}

/// The instances of a cluster; returned by [`Client::instances`].
#[derive(Clone, Debug)]
#[must_use = "does nothing until `list` is awaited"]
pub struct Instances {
    pub(super) client: Client,
    page_request: PageRequest,
}

impl Instances {
    paged!("instances");

    /// Lists one page of the instances, the newest first: `GET /v1/instances`.
    ///
    /// The control plane repeats the shared pool instance on every page. This list has it on the first
    /// page only.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for page 0 or page size 0,
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Instance>> {
        let client = self.client.clone();
        Call::paged(PAGING, self.page_request, move |page_request| {
            let cluster = client.cluster_parameter();
            client.call(Op::ListInstances, move |raw| async move {
                let (page, size) = page_request.parameters()?;
                let list = raw.list_instances_with(|options| {
                    (options.page, options.page_size) = (page, size);
                    options.cluster_id = cluster.as_deref();
                });
                let list = list.await?.into_inner();
                Ok(without_repeated_pool(list.into_page_of(page_request)))
            })
        })
    }

    /// Registers a machine in the client's cluster: `POST /v1/instances`.
    ///
    /// The response contains the join token of the machine. No other response has it; it is valid for 15
    /// minutes.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid tag and for a client
    /// without a cluster, [`Conflict`](crate::ErrorKind::Conflict) for a used tag,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the admin role. After
    /// [`Effect::Unknown`](crate::Effect::Unknown), look for the tag in [`list`](Self::list).
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

/// Removes the pool instance from every page except the first.
fn without_repeated_pool(mut page: Page<Instance>) -> Page<Instance> {
    let first = page.items.first();
    if page.page > 1 && first.is_some_and(|first| first.kind == Some(InstanceKind::Pool)) {
        page.items.remove(0);
    }
    page
}

/// A handle on an instance; returned by [`Client::instance`].
pub type InstanceHandle = Handle<InstanceId>;

impl InstanceHandle {
    /// Reads the instance: `GET /v1/instances/{id}`, by its id, not its tag.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), and [`Forbidden`](crate::ErrorKind::Forbidden) for an
    /// instance of another user or of the pool.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn get(&self) -> Call<Instance> {
        self.call(Op::GetInstance, |raw, id| async move {
            Ok(raw.get_instance(id.as_str()).await?.into_inner().0)
        })
    }

    /// Reads the load of processors, memory and disks: `GET /v1/instances/{id}/metrics`.
    ///
    /// No known server has this route. The fields are those that a node reports; each may be missing.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn metrics(&self) -> Call<InstanceMetrics> {
        self.call(Op::GetInstanceMetrics, |raw, id| async move {
            Ok(raw.get_instance_metrics(id.as_str()).await?.into_inner().0)
        })
    }

    /// Deletes the instance from its cluster, not the machine: `DELETE /v1/instances/{id}`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), also the second time;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the admin role.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteInstance, |raw, id| async move {
            raw.delete_instance(id.as_str()).await?;
            Ok(())
        })
    }
}

/// A handle on an instance by its tag; returned by [`Client::instance_by_tag`].
pub type TaggedInstanceHandle = Handle<InstanceTag>;

impl TaggedInstanceHandle {
    /// Pings the instance: `POST /v1/instances/{tag}/ping`.
    ///
    /// The ping is queued. Its result updates the status in [`Instances::list`].
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) without
    /// the developer role.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn ping(&self) -> Call<InstanceTask> {
        self.call(Op::PingInstance, |raw, tag| async move {
            Ok(raw.ping_instance(tag.as_str()).await?.into_inner().0)
        })
    }

    /// Reboots the machine: `POST /v1/instances/{tag}/system/reboot`.
    ///
    /// `force` interrupts running work. Only rejections were observed: the type of a successful response
    /// comes from the server's source code.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Rejected`](crate::ErrorKind::Rejected) without a
    /// cluster, [`Forbidden`](crate::ErrorKind::Forbidden) without the admin role,
    /// [`Unavailable`](crate::ErrorKind::Unavailable) if the instance is not connected.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn reboot(&self, force: bool) -> Call<InstanceTask> {
        let cluster = self.client.cluster_parameter();
        let body = types::InstanceInterruption::new(force);
        self.call(Op::RebootInstance, |raw, tag| async move {
            let reply = raw.reboot_instance_with(tag.as_str(), &body, |options| {
                options.cluster_id = cluster.as_deref();
            });
            Ok(reply.await?.into_inner().0)
        })
    }

    /// Restarts the daemon on the machine: `POST /v1/instances/{tag}/system/restart`.
    ///
    /// The machine stays up. `force` interrupts running work.
    ///
    /// # Errors
    /// As [`reboot`](Self::reboot).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn restart_daemon(&self, force: bool) -> Call<InstanceTask> {
        let cluster = self.client.cluster_parameter();
        let body = types::InstanceInterruption::new(force);
        self.call(Op::RestartInstance, |raw, tag| async move {
            let reply = raw.restart_instance_with(tag.as_str(), &body, |options| {
                options.cluster_id = cluster.as_deref();
            });
            Ok(reply.await?.into_inner().0)
        })
    }
}

impl Client {
    /// The instances of the client's cluster. Does no I/O.
    pub fn instances(&self) -> Instances {
        Instances {
            client: self.clone(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on an instance, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn instance(&self, id: impl TryInto<InstanceId, Error: Into<Error>>) -> InstanceHandle {
        Handle::new(self, id)
    }

    /// A handle on an instance by its tag, for calls that require the tag. Does no I/O.
    ///
    /// Calls reject an invalid tag.
    pub fn instance_by_tag(
        &self,
        tag: impl TryInto<InstanceTag, Error: Into<Error>>,
    ) -> TaggedInstanceHandle {
        Handle::new(self, tag)
    }
}
