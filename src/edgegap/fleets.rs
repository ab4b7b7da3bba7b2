//! Private fleets.

use super::shapes;
use super::{Client, FleetName, Host, Page};
use crate::call::Call;
use crate::error::Error;
use crate::id::{CheckedId, checked};
use crate::page::PageRequest;
use crate::raw::edgegap::Op;

/// A handle on a private fleet; made by [`Client::fleet`].
#[derive(Clone, Debug)]
pub struct FleetHandle {
    client: Client,
    name: CheckedId<FleetName>,
}

impl Client {
    /// A handle on a private fleet: its hosts. It does no I/O; a name that could not stand in a path is
    /// refused by the first call.
    pub fn fleet<N>(&self, name: N) -> FleetHandle
    where
        N: TryInto<FleetName>,
        N::Error: Into<Error>,
    {
        FleetHandle {
            client: self.clone(),
            name: checked(name),
        }
    }
}

impl FleetHandle {
    /// The hosts of the fleet, and how much room they have:
    /// `GET /v2/private-fleets/{fleet_name}/hosts`. Their ids are what
    /// [`on_hosts`](super::NewDeployment::on_hosts) takes.
    ///
    /// The reply has pages, but the vendor documents no way to ask for another one than the first. If
    /// there are more, [`all`](Call::all) fails with [`Pagination`](crate::ErrorKind::Pagination)
    /// rather than to leave hosts out.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) or [`NotFound`](crate::ErrorKind::NotFound) for a
    /// fleet that there is not, [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and those of
    /// every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/private-fleets>
    pub fn hosts(&self) -> Call<Page<Host>> {
        let name = self.name.clone();
        self.client.call(Op::ListFleetHosts, |raw| async move {
            let list = raw.list_fleet_hosts(name?.as_str()).await?.into_inner();
            let (total, pagination) = (list.total_count, list.pagination);
            Ok(shapes::page(
                PageRequest::default(),
                list.data,
                total,
                pagination,
            ))
        })
    }
}
