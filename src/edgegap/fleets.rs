//! Private fleets and their hosts.

use super::{Client, FleetName, Handle, Host, Page, shapes};
use crate::call::Call;
use crate::error::Error;
use crate::id::CheckedId;
use crate::page::PageRequest;
use crate::raw::edgegap::Op;

/// A handle on a private fleet; returned by [`Client::fleet`].
pub type FleetHandle = Handle<FleetName>;

/// The hosts of a private fleet; returned by [`FleetHandle::hosts`].
#[derive(Clone, Debug)]
#[must_use = "sends nothing until `list` is awaited"]
pub struct Hosts {
    client: Client,
    fleet: CheckedId<FleetName>,
}

impl Client {
    /// A handle on a private fleet, by its name. Does no I/O.
    ///
    /// Calls reject an invalid name.
    pub fn fleet(&self, name: impl TryInto<FleetName, Error: Into<Error>>) -> FleetHandle {
        Handle::new(self, name)
    }
}

impl FleetHandle {
    /// The hosts of the fleet. Does no I/O.
    pub fn hosts(&self) -> Hosts {
        Hosts {
            client: self.client.clone(),
            fleet: self.id.clone(),
        }
    }
}

impl Hosts {
    /// Lists the hosts: `GET /v2/private-fleets/{fleet_name}/hosts`.
    ///
    /// The list has the capacity of each host. To deploy on hosts, pass their ids to
    /// [`on_hosts`](super::NewDeployment::on_hosts).
    ///
    /// The vendor documents no parameter that selects a page. If the response reports a next page,
    /// [`all`](Call::all) fails with [`Pagination`](crate::ErrorKind::Pagination) instead of returning an
    /// incomplete list.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) or [`NotFound`](crate::ErrorKind::NotFound) for an
    /// unknown fleet.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/private-fleets>
    pub fn list(&self) -> Call<Page<Host>> {
        let fleet = self.fleet.clone();
        self.client.call(Op::ListFleetHosts, |raw| async move {
            let list = raw.list_fleet_hosts(fleet?.as_str()).await?.into_inner();
            let listed = (list.data, list.total_count, list.pagination);
            Ok(shapes::page(PageRequest::default(), listed))
        })
    }
}
