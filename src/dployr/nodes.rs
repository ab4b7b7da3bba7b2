//! Registering and removing instances, and what is told to one.

use super::client::{Given, check_text};
use super::shapes::{Ack, Single};
use super::{
    Client, InstanceHandle, InstanceRegistered, InstanceRole, InstanceTag, InstanceTask, Instances,
};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::raw::dployr::{Op, types};
use std::net::Ipv4Addr;

/// A machine to register in the client's cluster.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing is registered until it is given to a client"]
pub struct NewInstance {
    address: Ipv4Addr,
    tag: String,
    region: Option<String>,
    managed: Option<bool>,
    role: Option<InstanceRole>,
}

impl NewInstance {
    /// The machine at this address, under this name: 3 to 21 characters, unique on the server.
    pub fn new(address: Ipv4Addr, tag: impl Into<String>) -> Self {
        Self {
            address,
            tag: tag.into(),
            region: None,
            managed: None,
            role: None,
        }
    }

    /// Where it stands: `eu-west`. The control plane puts it into the instance's `metadata`; the
    /// field `region` of the reply stays as it is by default.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = Some(region.into());
        self
    }

    /// Whether the control plane manages it; it does unless told otherwise.
    pub fn managed(mut self, managed: bool) -> Self {
        self.managed = Some(managed);
        self
    }

    /// Whether it runs services or builds them. Left to the server unless set.
    pub fn role(mut self, role: impl Into<InstanceRole>) -> Self {
        self.role = Some(role.into());
        self
    }

    fn into_raw(self, cluster: Option<String>) -> Result<types::InstanceCreate> {
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
        let cluster_id = cluster.ok_or_else(|| {
            Error::invalid_request("an instance is registered in a cluster")
                .with_advice("give the client one: builder().cluster(id) or DPLOYR_CLUSTER_ID")
        })?;
        Ok(types::InstanceCreate {
            cluster_id,
            address: self.address.to_string(),
            tag: self.tag,
            region: self.region,
            managed: self.managed,
            role: self.role,
        })
    }
}

impl Instances {
    /// Registers a machine in the client's cluster: `POST /v1/instances`.
    ///
    /// The reply holds the token with which the machine joins. It is shown this once and good for
    /// 15 minutes.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent: a tag that is
    /// too short or too long, a client without a cluster. Of the server:
    /// [`Conflict`](crate::ErrorKind::Conflict) for a tag that is taken,
    /// [`Rejected`](crate::ErrorKind::Rejected), [`Forbidden`](crate::ErrorKind::Forbidden) without
    /// the role, and those of every call. After
    /// [`Effect::Unknown`](crate::Effect::Unknown) look for the tag in [`list`](Self::list).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn create(&self, new: NewInstance) -> Call<InstanceRegistered> {
        let op = Op::CreateInstance;
        match new.into_raw(self.client.cluster_id()) {
            Err(error) => self.client.refused(op, error),
            Ok(body) => self
                .client
                .call(
                    op,
                    move |raw| async move { raw.create_instance(&body).await },
                )
                .map(Single::into_inner),
        }
    }
}

impl InstanceHandle {
    /// Removes the instance from its cluster: `DELETE /v1/instances/{id}`. The machine itself is not
    /// touched.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), the second time too;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the role of an administrator; and those of
    /// every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn delete(&self) -> Call<()> {
        let op = Op::DeleteInstance;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(op, move |raw| async move {
                    raw.delete_instance(id.as_str()).await
                })
                .map(|_: Ack| ())
        })
    }
}

impl Client {
    /// A handle on an instance by its tag, for the calls that do not take its id. It does no I/O.
    pub fn node<I>(&self, tag: I) -> NodeHandle
    where
        I: TryInto<InstanceTag>,
        I::Error: Into<Error>,
    {
        NodeHandle {
            client: self.clone(),
            tag: super::client::given(tag),
        }
    }
}

/// A handle on an instance by its tag; made by [`Client::node`].
#[derive(Clone, Debug)]
pub struct NodeHandle {
    client: Client,
    tag: Given<InstanceTag>,
}

impl NodeHandle {
    /// Asks the instance for a sign of life: `POST /v1/instances/{tag}/ping`, without a body. The
    /// question is queued; the answer changes the status that
    /// [`Instances::list`](super::Instances::list) shows.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) without
    /// the role, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn ping(&self) -> Call<InstanceTask> {
        let op = Op::PingInstance;
        self.client.with(op, &self.tag, |tag| {
            self.client
                .call(op, move |raw| async move {
                    raw.ping_instance(tag.as_str()).await
                })
                .map(Single::into_inner)
        })
    }

    /// Reboots the machine: `POST /v1/instances/{tag}/system/reboot`. With `force` it does not wait
    /// for what runs there.
    ///
    /// Refusals of this call were seen from a running server; that it succeeds as
    /// [`restart`](Self::restart) does was read in the source.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Rejected`](crate::ErrorKind::Rejected) without a
    /// cluster, [`Forbidden`](crate::ErrorKind::Forbidden) without the role of an administrator,
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the instance is not connected, and those of
    /// every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn reboot(&self, force: bool) -> Call<InstanceTask> {
        let op = Op::RebootInstance;
        let cluster = self.client.cluster_id();
        let body = types::InstanceInterruption { force };
        self.client.with(op, &self.tag, |tag| {
            self.client
                .call(op, move |raw| async move {
                    raw.reboot_instance(tag.as_str(), cluster.as_deref(), &body)
                        .await
                })
                .map(Single::into_inner)
        })
    }

    /// Restarts the daemon on the machine, which stays up:
    /// `POST /v1/instances/{tag}/system/restart`. With `force` it does not wait for what the daemon
    /// is doing.
    ///
    /// # Errors
    /// As [`reboot`](Self::reboot).
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/instances.ts>
    pub fn restart(&self, force: bool) -> Call<InstanceTask> {
        let op = Op::RestartInstance;
        let cluster = self.client.cluster_id();
        let body = types::InstanceInterruption { force };
        self.client.with(op, &self.tag, |tag| {
            self.client
                .call(op, move |raw| async move {
                    raw.restart_instance(tag.as_str(), cluster.as_deref(), &body)
                        .await
                })
                .map(Single::into_inner)
        })
    }
}
