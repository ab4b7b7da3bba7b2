//! Instances of an application, and the types of instances.

use super::{ApplicationHandle, Client, Instance, InstanceType, Page};
use crate::call::Call;
use crate::raw::nodion::Op;

impl ApplicationHandle {
    /// What runs now: `GET /v1/applications/{id}/instances`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an unknown application,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a key without the scope, and those of every
    /// call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/application-instances/>
    pub fn instances(&self) -> Call<Page<Instance>> {
        let id = self.id.clone();
        self.client.call(Op::ListInstances, move |raw| async move {
            let list = raw.list_instances(id?.as_str()).await?.into_inner();
            Ok(Page::whole(list.instances))
        })
    }
}

impl Client {
    /// What instances there are, and what they cost: `GET /v1/instance_types`.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// Source: <https://www.nodion.com/en/docs/api/>
    pub fn instance_types(&self) -> Call<Page<InstanceType>> {
        self.call(Op::ListInstanceTypes, |raw| async move {
            let list = raw.list_instance_types().await?.into_inner();
            Ok(Page::whole(list.instance_types))
        })
    }
}
