//! Reservations, which keep applications beyond their lifetime.

use super::shapes::{self, Reply, Text};
use super::{Application, Page, Reservation, Session};
use crate::call::Call;
use crate::raw::nexlayer::{Op, types};
use std::time::Duration;

/// The response to the removal of one or all reservations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removed {
    /// Time until expired sites are removed.
    pub within: Option<Duration>,
    /// The platform's sentence, unchanged.
    pub text: String,
}

impl Session {
    /// The reservations of this session: `GET /getReservations?sessionToken=…`.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn reservations(&self) -> Call<Page<Reservation>> {
        let session = self.clone();
        self.client
            .call(Op::GetReservations, move |raw| async move {
                let list = raw.get_reservations(session.token()?).await?;
                let Reply(list) = list.into_inner();
                Ok(Page::whole(list.reserved_deployments.unwrap_or_default()))
            })
    }

    /// Removes all reservations of this session: `POST /removeReservations`. Expired sites are removed
    /// within minutes.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn remove_reservations(&self) -> Call<Removed> {
        let session = self.clone();
        self.client
            .call(Op::RemoveReservations, move |raw| async move {
                let session_token = session.token()?.clone();
                let body = types::SessionRequest { session_token };
                let Text(text) = raw.remove_reservations(&body).await?.into_inner();
                Ok(Removed::read(text))
            })
    }
}

impl Application {
    /// Keeps the application beyond its lifetime: `POST /addDeploymentReservation`. Returns the
    /// platform's sentence.
    ///
    /// # Errors
    /// [`PlanLimit`](crate::ErrorKind::PlanLimit) without the Scale or Conquer plan.
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

    /// Removes the application's reservation: `POST /removeDeploymentReservation`. An expired site is
    /// removed within minutes.
    ///
    /// # Errors
    /// [`AlreadyRemoved`](crate::ErrorKind::AlreadyRemoved) the second time.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn unreserve(&self) -> Call<Removed> {
        let body = self.request();
        let client = &self.session.client;
        client.call(Op::RemoveDeploymentReservation, move |raw| async move {
            let reply = raw.remove_deployment_reservation(&body?).await?;
            let Reply(reply) = reply.into_inner();
            Ok(Removed::read(reply.message.unwrap_or_default()))
        })
    }
}

impl Removed {
    fn read(text: String) -> Self {
        let words = shapes::normalize(&text);
        Self {
            within: shapes::removed_within(shapes::after_name(&words)),
            text,
        }
    }
}
