//! Reservations, which keep applications running after they expire.

use super::shapes::{self, Reply, Text};
use super::{ApplicationHandle, Page, Reservation, SessionHandle};
use crate::call::Call;
use crate::raw::nexlayer::{Op, types};
use std::time::Duration;

/// The reservations of a session; returned by [`SessionHandle::reservations`].
#[derive(Clone, Debug)]
pub struct Reservations {
    pub(super) session: SessionHandle,
}

/// The response to [`ApplicationHandle::delete_reservation`] and [`Reservations::delete_all`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedReservations {
    /// Time within which the platform removes the sites of expired applications.
    pub sites_removed_within: Option<Duration>,
    /// The platform's message, unchanged.
    pub message: String,
}

impl Reservations {
    /// Lists all reservations of the session: `GET /getReservations?sessionToken=…`.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn list(&self) -> Call<Page<Reservation>> {
        let session = self.session.clone();
        let client = &self.session.client;
        client.call(Op::GetReservations, move |raw| async move {
            let list = raw.get_reservations(session.token()?).await?;
            let Reply(list) = list.into_inner();
            let list = list.reserved_deployments;
            Ok(list.map_or_else(|| Page::whole(Vec::new()), Page::whole))
        })
    }

    /// Deletes all reservations of the session: `POST /removeReservations`.
    ///
    /// The platform removes the sites of expired applications within minutes. The other applications keep
    /// running until they expire.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn delete_all(&self) -> Call<DeletedReservations> {
        let session = self.session.clone();
        let client = &self.session.client;
        client.call(Op::RemoveReservations, move |raw| async move {
            let body = types::SessionRequest::new(session.token()?.clone());
            let Text(message) = raw.remove_reservations(&body).await?.into_inner();
            Ok(DeletedReservations::parse(message))
        })
    }
}

impl ApplicationHandle {
    /// Reserves the application: `POST /addDeploymentReservation`.
    ///
    /// A reserved application keeps running after it expires, until the reservation is deleted. Returns
    /// the platform's message.
    ///
    /// # Errors
    /// [`PlanLimit`](crate::ErrorKind::PlanLimit) if the account has no Scale or Conquer plan.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn reserve(&self) -> Call<String> {
        let body = self.request();
        let client = &self.session.client;
        client.call(Op::AddDeploymentReservation, move |raw| async move {
            let reply = raw.add_deployment_reservation(&body?).await?;
            let Reply(reply) = reply.into_inner();
            Ok(reply.message.unwrap_or_default())
        })
    }

    /// Deletes the reservation of the application: `POST /removeDeploymentReservation`.
    ///
    /// If the application has expired, the platform removes its site within minutes. Otherwise the
    /// application keeps running until it expires: no operation removes it earlier.
    ///
    /// # Errors
    /// [`AlreadyRemoved`](crate::ErrorKind::AlreadyRemoved) if the application has no reservation.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn delete_reservation(&self) -> Call<DeletedReservations> {
        let body = self.request();
        let client = &self.session.client;
        client.call(Op::RemoveDeploymentReservation, move |raw| async move {
            let reply = raw.remove_deployment_reservation(&body?).await?;
            let Reply(reply) = reply.into_inner();
            Ok(DeletedReservations::parse(
                reply.message.unwrap_or_default(),
            ))
        })
    }
}

impl DeletedReservations {
    fn parse(message: String) -> Self {
        let text = shapes::normalize(&message);
        Self {
            sites_removed_within: shapes::removed_within(shapes::after_name(&text)),
            message,
        }
    }
}
