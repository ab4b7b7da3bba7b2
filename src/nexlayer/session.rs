//! Sessions and the applications in them.

use super::readiness::Site;
use super::shapes::{Reply, Text};
use super::{Client, Manifest, Page, PodStatus, Reservation, Signal, Started, sentences};
use crate::call::Call;
use crate::check;
use crate::error::{Error, Result};
use crate::raw::nexlayer::{Op, types};
use crate::secret::Secret;
use std::time::Duration;

/// A handle on a session; made by [`Client::session`] and [`Started::session`].
///
/// Its token is the credential for everything in it.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) client: Client,
    token: Option<Secret>,
}

/// A handle on an application in a session; made by [`Session::application`].
#[derive(Clone, Debug)]
pub struct Application {
    pub(super) session: Session,
    name: String,
    /// The address of its site if known, or why the given one is refused.
    pub(super) site: std::result::Result<Option<Site>, String>,
    pub(super) signals: Vec<Signal>,
}

/// The response to an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extended {
    /// Time left.
    pub expires_in: Option<Duration>,
    /// Number of extensions left.
    pub extensions_remaining: Option<u32>,
    /// The platform's sentence, unchanged.
    pub text: String,
}

/// The response to the removal of one or all reservations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removed {
    /// Time until expired sites are removed.
    pub within: Option<Duration>,
    /// The platform's sentence, unchanged.
    pub text: String,
}

/// How to make an application permanent: a person visits [`url`](Self::url).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The address. A secret: whoever has it can take over the application.
    pub url: Option<Secret>,
    /// The token of the claim.
    pub token: Option<Secret>,
    /// The platform's message, which may contain the address.
    pub message: Option<Secret>,
}

impl Session {
    pub(super) fn new(client: Client, token: Option<Secret>) -> Self {
        Self { client, token }
    }

    /// The token, to keep it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when it is missing or invalid.
    pub fn token(&self) -> Result<&Secret> {
        let Some(token) = &self.token else {
            let message = "the response to the start had no session token";
            return Err(Error::invalid_request(message));
        };
        check::text("session token", token.expose())?;
        Ok(token)
    }

    /// A handle on an application, by the name in the response to its start. Does no I/O.
    pub fn application(&self, name: impl Into<String>) -> Application {
        Application {
            session: self.clone(),
            name: name.into(),
            site: Ok(None),
            signals: Signal::ALL.to_vec(),
        }
    }

    /// Starts another application in this session, or redeploys the one of the same name:
    /// `POST /startUserDeployment?sessionToken=…`.
    ///
    /// # Errors
    /// As [`Client::start`].
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn start(&self, manifest: Manifest) -> Call<Started> {
        let session = self.clone();
        self.client
            .call(Op::StartUserDeployment, move |raw| async move {
                let token = session.token()?;
                let name = manifest.application_name().to_owned();
                let reply = raw.start_user_deployment(Some(token), manifest.into_text());
                let Reply(reply) = reply.await?.into_inner();
                Ok(Started::new(
                    reply,
                    &session.client,
                    Some(token.clone()),
                    name,
                ))
            })
    }

    /// Updates the application of the manifest's name: `POST /updateUserDeployment?sessionToken=…`.
    ///
    /// # Errors
    /// As [`Client::start`].
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn update(&self, manifest: Manifest) -> Call<Started> {
        let session = self.clone();
        self.client
            .call(Op::UpdateUserDeployment, move |raw| async move {
                let token = session.token()?;
                let name = manifest.application_name().to_owned();
                let reply = raw.update_user_deployment(token, manifest.into_text());
                let Reply(reply) = reply.await?.into_inner();
                Ok(Started::new(
                    reply,
                    &session.client,
                    Some(token.clone()),
                    name,
                ))
            })
    }

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

    /// Sends feedback to the vendor: `POST /feedback`. Returns the platform's answer: `OK`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty text,
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from a server without this operation.
    ///
    /// Source: `Nexlayer/docs:data/openapi.json`
    pub fn feedback(&self, text: impl Into<String>) -> Call<String> {
        let (session, text) = (self.clone(), text.into());
        self.client.call(Op::SendFeedback, move |raw| async move {
            if text.trim().is_empty() {
                return Err(Error::invalid_request("the feedback is empty").into());
            }
            let session_id = session.token()?.clone();
            let body = types::FeedbackRequest { session_id, text };
            let Text(text) = raw.send_feedback(&body).await?.into_inner();
            Ok(text)
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
    /// The name.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when it is invalid.
    pub fn name(&self) -> Result<&str> {
        check::text("application name", &self.name)?;
        Ok(&self.name)
    }

    /// Extends the lifetime of the application: `POST /extendDeployment`. Each call uses up one of its
    /// few extensions.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an application that is not in the session. After
    /// [`Effect::Unknown`](crate::Effect::Unknown) an extension may be used up.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn extend(&self) -> Call<Extended> {
        let body = self.request();
        let client = &self.session.client;
        client.call(Op::ExtendDeployment, move |raw| async move {
            let Text(text) = raw.extend_deployment(&body?).await?.into_inner();
            Ok(Extended::read(text))
        })
    }

    /// Requests the address at which a person makes the application permanent:
    /// `POST /claimDeployment`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an application that is not in the session.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn claim(&self) -> Call<Claim> {
        let body = self.request();
        let client = &self.session.client;
        client.call(Op::ClaimDeployment, move |raw| async move {
            let Reply(claim) = raw.claim_deployment(&body?).await?.into_inner();
            Ok(Claim::from(claim))
        })
    }

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

    /// The pods with the platform's words for their states: `POST /getPodsStatus`.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from a server without this operation,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an application that is not in the session.
    ///
    /// Source: `Nexlayer/api-reference:openapi/nexlayer-api.yaml`, at e68c307
    pub fn pods(&self) -> Call<Page<PodStatus>> {
        let body = self.request();
        let client = &self.session.client;
        client.call(Op::GetPodsStatus, move |raw| async move {
            let Reply(reply) = raw.get_pods_status(&body?).await?.into_inner();
            Ok(Page::whole(reply.pods.unwrap_or_default()))
        })
    }

    fn request(&self) -> Result<types::ApplicationRequest> {
        Ok(types::ApplicationRequest {
            session_token: self.session.token()?.clone(),
            application_name: self.name()?.to_owned(),
        })
    }
}

impl Extended {
    fn read(text: String) -> Self {
        let words = sentences::normal(&text);
        let rest = sentences::after_name(&words);
        Self {
            expires_in: sentences::expiry(rest),
            extensions_remaining: sentences::extensions(rest),
            text,
        }
    }
}

impl Removed {
    fn read(text: String) -> Self {
        let words = sentences::normal(&text);
        Self {
            within: sentences::removal(sentences::after_name(&words)),
            text,
        }
    }
}

impl From<types::ClaimReply> for Claim {
    fn from(reply: types::ClaimReply) -> Self {
        let in_text = reply.message.as_deref().and_then(sentences::url);
        Self {
            url: reply
                .claim_url
                .filter(|url| !url.trim().is_empty())
                .or_else(|| in_text.map(str::to_owned))
                .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
                .map(Secret::from),
            token: reply.claim_token,
            message: reply.message.map(Secret::from),
        }
    }
}
