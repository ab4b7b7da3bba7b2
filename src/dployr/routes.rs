//! Routes of the proxy, from a domain to a service.

use super::client::check_port;
use super::domains::check_domain;
use super::{Client, Handle, Page, RoutableService, Route, RouteId, ServiceId};
use crate::call::{Call, Stop};
use crate::error::{Error, Result};
use crate::id::{CheckedId, checked};
use crate::raw::dployr::{Op, types};

/// A route to create, from a domain to a service.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Routes::create`"]
pub struct NewRoute {
    domain: String,
    service: CheckedId<ServiceId>,
    port: u32,
}

impl NewRoute {
    /// A route from this domain, without scheme and path, to this port of the service, 1 to 65535.
    pub fn new(
        domain: impl Into<String>,
        service_id: impl TryInto<ServiceId, Error: Into<Error>>,
        port: u32,
    ) -> Self {
        Self {
            domain: domain.into(),
            service: checked(service_id),
            port,
        }
    }

    fn into_raw(self) -> Result<types::RouteCreate, Stop> {
        check_domain(&self.domain)?;
        let port = i64::from(self.port);
        check_port(port)?;
        let service = self.service?.into();
        Ok(types::RouteCreate::new(self.domain, service, port))
    }
}

/// The routes of the proxy; returned by [`Client::routes`].
///
/// No known server has these routes. The control plane has [`Client::routable_services`] and
/// [`Client::domains`] instead.
#[derive(Clone, Debug)]
pub struct Routes {
    client: Client,
}

impl Routes {
    /// Lists the routes: `GET /v1/proxy/routes`.
    ///
    /// Pagination is not documented: if a server reports another page, [`all`](Call::all) fails with
    /// [`Pagination`](crate::ErrorKind::Pagination).
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Route>> {
        let cluster = self.client.cluster_parameter();
        self.client.call(Op::ListRoutes, |raw| async move {
            let list = raw.list_routes_with(|options| options.cluster_id = cluster.as_deref());
            Ok(list.await?.into_inner().into_page())
        })
    }

    /// Creates a route from a domain to a service: `POST /v1/proxy/routes`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid domain, service id or
    /// port;
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn create(&self, new: NewRoute) -> Call<Route> {
        let cluster = self.client.cluster_parameter();
        self.client.call(Op::CreateRoute, |raw| async move {
            let body = new.into_raw()?;
            let reply = raw.create_route_with(&body, |options| {
                options.cluster_id = cluster.as_deref();
            });
            Ok(reply.await?.into_inner().0)
        })
    }
}

/// A handle on a route; returned by [`Client::route`].
pub type RouteHandle = Handle<RouteId>;

impl RouteHandle {
    /// Deletes the route: `DELETE /v1/proxy/routes/{id}`. No known server has this route.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteRoute, |raw, id| async move {
            raw.delete_route(id.as_str()).await?;
            Ok(())
        })
    }
}

/// The services that the proxy routes to; returned by [`Client::routable_services`].
#[derive(Clone, Debug)]
pub struct RoutableServices {
    client: Client,
}

impl RoutableServices {
    /// Lists the services of the cluster with their addresses: `GET /v1/proxy/services`.
    ///
    /// All records are on one page, one record per service and instance.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/proxy.ts>
    pub fn list(&self) -> Call<Page<RoutableService>> {
        let cluster = self.client.cluster_parameter();
        self.client.call(Op::ListProxyServices, |raw| async move {
            let list =
                raw.list_proxy_services_with(|options| options.cluster_id = cluster.as_deref());
            Ok(list.await?.into_inner().into_page())
        })
    }
}

impl Client {
    /// The services that the proxy of the client's cluster routes to. Does no I/O.
    pub fn routable_services(&self) -> RoutableServices {
        RoutableServices {
            client: self.clone(),
        }
    }

    /// The routes of the proxy. Does no I/O.
    pub fn routes(&self) -> Routes {
        Routes {
            client: self.clone(),
        }
    }

    /// A handle on a route of the proxy, by its id. Does no I/O.
    ///
    /// Calls reject an invalid id.
    pub fn route(&self, id: impl TryInto<RouteId, Error: Into<Error>>) -> RouteHandle {
        Handle::new(self, id)
    }
}
