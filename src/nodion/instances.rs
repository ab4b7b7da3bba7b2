//! Instances of an application, and instance types.

use super::{ApplicationHandle, Client, Instance, InstanceType, Page};
use crate::call::Call;
use crate::raw::nodion::Op;

/// The running instances of an application; returned by [`ApplicationHandle::instances`].
#[derive(Clone, Debug)]
pub struct Instances {
    application: ApplicationHandle,
}

/// The instance types of the platform; returned by [`Client::instance_types`].
#[derive(Clone, Debug)]
pub struct InstanceTypes {
    client: Client,
}

impl ApplicationHandle {
    /// The running instances of the application. Does no I/O.
    pub fn instances(&self) -> Instances {
        Instances {
            application: self.clone(),
        }
    }
}

impl Client {
    /// The instance types that applications can use. Does no I/O.
    pub fn instance_types(&self) -> InstanceTypes {
        InstanceTypes {
            client: self.clone(),
        }
    }
}

impl Instances {
    /// Lists all running instances of the application and of its workers:
    /// `GET /v1/applications/{id}/instances`.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-instances/>
    pub fn list(&self) -> Call<Page<Instance>> {
        self.application
            .call(Op::ListInstances, |raw, id| async move {
                let list = raw.list_instances(id.as_str()).await?.into_inner();
                Ok(Page::whole(list.instances))
            })
    }
}

impl InstanceTypes {
    /// Lists all instance types with their prices: `GET /v1/instance_types`.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/>
    pub fn list(&self) -> Call<Page<InstanceType>> {
        self.client.call(Op::ListInstanceTypes, |raw| async move {
            let list = raw.list_instance_types().await?.into_inner();
            Ok(Page::whole(list.instance_types))
        })
    }
}
