//! Sessions, the applications in them, and what can be done with both.

use super::readiness::Site;
use super::shapes::{Reply, Text};
use super::{
    Client, Manifest, Page, PodStatus, Reservation, Sentence, Signals, Started, sentences,
};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::raw::nexlayer::{Op, types};
use crate::secret::{REDACTED, Secret};
use std::fmt;
use std::time::Duration;

/// A handle on a session; made by [`Client::session`] and [`Started::session`].
///
/// Its token is the credential for everything in it.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) client: Client,
    token: std::result::Result<Secret, String>,
}

/// A handle on an application in a session; made by [`Session::application`].
#[derive(Clone, Debug)]
pub struct Application {
    pub(super) session: Session,
    name: std::result::Result<String, String>,
    /// Where its site is, if that is known; or why it cannot be there where a program says it is.
    pub(super) site: std::result::Result<Option<Site>, String>,
    pub(super) signals: Signals,
}

/// What an extension brought.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extended {
    /// The application, as the sentence names it.
    pub application: Option<String>,
    /// How long it now lives.
    pub expires_in: Option<Duration>,
    /// How many more extensions it has.
    pub extensions_remaining: Option<u32>,
    /// The platform's sentence, as it came.
    pub text: String,
}

/// What a reservation brought.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reserved {
    /// The application, as the sentence names it.
    pub application: Option<String>,
    /// The platform's sentence, as it came.
    pub text: String,
}

/// What the removal of one or all reservations brought.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Removed {
    /// The application, as the sentence names it; `None` for all.
    pub application: Option<String>,
    /// Within what time the sites go, if they are past their time.
    pub within: Option<Duration>,
    /// The platform's sentence, as it came.
    pub text: String,
}

/// How to make an application permanent: a person visits [`url`](Self::url).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// Where to go. Whoever has it can take the application, so it shows its host alone;
    /// [`ClaimUrl::expose`] gives all of it.
    pub url: Option<ClaimUrl>,
    /// The token of the claim.
    pub token: Option<Secret>,
    /// The platform's sentence, which may contain the address.
    pub message: Option<Sentence>,
}

/// The address of a claim. It ends in a token, so `Debug` and `Display` show the host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimUrl(String);

impl Session {
    pub(super) fn new(client: Client, token: Secret) -> Self {
        let token = check("session token", token.expose()).map(|()| token);
        Self { client, token }
    }

    /// A session whose token did not come: every call says so.
    pub(super) fn missing(client: Client) -> Self {
        let why =
            "the reply to the start had no session token, so nothing can be done with its session";
        Self {
            client,
            token: Err(why.to_owned()),
        }
    }

    /// The token, to keep it.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when there is none.
    pub fn token(&self) -> Result<&Secret> {
        self.token
            .as_ref()
            .map_err(|why| Error::invalid_request(why.clone()))
    }

    /// A handle on an application, by the name in the reply to its start. It does no I/O.
    pub fn application(&self, name: impl Into<String>) -> Application {
        let name = name.into();
        Application {
            session: self.clone(),
            name: check("application name", &name).map(|()| name),
            site: Ok(None),
            signals: Signals::all(),
        }
    }

    /// Starts a further application in this session, or the one of the same name again:
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
                let (token, name) = (session.token?, manifest.application_name().to_owned());
                let reply = raw.start_user_deployment(Some(&token), manifest.into_text());
                let Reply(reply) = reply.await?.into_inner();
                Ok(Started::new(reply, &session.client, Some(token), name))
            })
    }

    /// Changes an application of this session to what the manifest says:
    /// `POST /updateUserDeployment?sessionToken=…`.
    ///
    /// The platform finds it by the manifest's `application.name`.
    ///
    /// # Errors
    /// As [`Client::start`].
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn update(&self, manifest: Manifest) -> Call<Started> {
        let session = self.clone();
        self.client
            .call(Op::UpdateUserDeployment, move |raw| async move {
                let (token, name) = (session.token?, manifest.application_name().to_owned());
                let reply = raw.update_user_deployment(&token, manifest.into_text());
                let Reply(reply) = reply.await?.into_inner();
                Ok(Started::new(reply, &session.client, Some(token), name))
            })
    }

    /// The reservations of this session: `GET /getReservations?sessionToken=…`.
    ///
    /// # Errors
    /// Those of every call. What the platform says to a token that has ended is not known.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn reservations(&self) -> Call<Page<Reservation>> {
        let session = self.clone();
        let token = session.token.clone();
        session
            .client
            .call(Op::GetReservations, move |raw| async move {
                let Reply(list) = raw.get_reservations(&token?).await?.into_inner();
                Ok(Page::whole(list.reserved_deployments.unwrap_or_default()))
            })
    }

    /// Tells the people behind the platform something: `POST /feedback`. What comes back is their
    /// platform's word for it: `OK`.
    ///
    /// The session's token goes along as the body's `sessionID`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty text,
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from a server without this operation, which the
    /// platform's page does not have, and those of every call.
    ///
    /// Source: `Nexlayer/docs:data/openapi.json`
    pub fn feedback(&self, text: impl Into<String>) -> Call<String> {
        let (token, text) = (self.token.clone(), text.into());
        self.client.call(Op::SendFeedback, move |raw| async move {
            if text.trim().is_empty() {
                return Err(Error::invalid_request("the feedback is empty").into());
            }
            let session_id = token?;
            let body = types::FeedbackRequest { session_id, text };
            let Text(text) = raw.send_feedback(&body).await?.into_inner();
            Ok(text)
        })
    }

    /// Ends all reservations of this session: `POST /removeReservations`. Sites that are past their
    /// time then go within minutes.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn remove_reservations(&self) -> Call<Removed> {
        let token = self.token.clone();
        self.client
            .call(Op::RemoveReservations, move |raw| async move {
                let session_token = token?;
                let body = types::SessionRequest { session_token };
                let Text(text) = raw.remove_reservations(&body).await?.into_inner();
                Ok(Removed::read(text))
            })
    }
}

impl Application {
    /// The name, as it was given.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when it cannot be one.
    pub fn name(&self) -> Result<&str> {
        match &self.name {
            Ok(name) => Ok(name),
            Err(why) => Err(Error::invalid_request(why.clone())),
        }
    }

    /// Makes the application live longer: `POST /extendDeployment`. Each call uses up one of its few
    /// extensions.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an application that is not in the session, and
    /// those of every call. After [`Effect::Unknown`](crate::Effect::Unknown) an extension may be used
    /// up.
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

    /// Asks for the address at which a person makes the application permanent:
    /// `POST /claimDeployment`.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an application that is not in the session, and
    /// those of every call.
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

    /// Keeps the application beyond its time: `POST /addDeploymentReservation`.
    ///
    /// # Errors
    /// [`PlanLimit`](crate::ErrorKind::PlanLimit) without the Scale or Conquer plan, and those of
    /// every call.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn reserve(&self) -> Call<Reserved> {
        let body = self.request();
        let client = &self.session.client;
        client.call(Op::AddDeploymentReservation, move |raw| async move {
            let reply = raw.add_deployment_reservation(&body?).await?;
            let Reply(reply) = reply.into_inner();
            Ok(Reserved::read(reply.message.unwrap_or_default()))
        })
    }

    /// Ends the application's reservation: `POST /removeDeploymentReservation`. A site that is past
    /// its time then goes within minutes.
    ///
    /// # Errors
    /// [`AlreadyRemoved`](crate::ErrorKind::AlreadyRemoved) the second time, and those of every call.
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

    /// The pods with their states, as the platform words them: `POST /getPodsStatus`.
    ///
    /// Newer servers may not have it any more.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from a server that does not have it,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an application that is not in the session, and
    /// those of every call.
    ///
    /// Source: `Nexlayer/api-reference:openapi/nexlayer-api.yaml`, at e68c307
    pub fn pods(&self) -> Call<Page<PodStatus>> {
        let application = self.clone();
        let body = application.request();
        let client = &application.session.client;
        client.call(Op::GetPodsStatus, move |raw| async move {
            let Reply(reply) = raw.get_pods_status(&body?).await?.into_inner();
            Ok(Page::whole(reply.pods.unwrap_or_default()))
        })
    }

    pub(super) fn request(&self) -> std::result::Result<types::ApplicationRequest, String> {
        Ok(types::ApplicationRequest {
            session_token: self.session.token.clone()?,
            application_name: self.name.clone()?,
        })
    }
}

/// Why a text cannot be a token or a name.
fn check(what: &str, text: &str) -> std::result::Result<(), String> {
    if text.trim().is_empty() {
        return Err(format!("the {what} is empty"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("the {what} contains a control character"));
    }
    Ok(())
}

impl Extended {
    fn read(text: String) -> Self {
        let words = sentences::normal(&text);
        let parsed = sentences::extension(&words);
        Self {
            application: parsed.application.map(str::to_owned),
            expires_in: parsed.expires_in,
            extensions_remaining: parsed.remaining,
            text,
        }
    }
}

impl Reserved {
    fn read(text: String) -> Self {
        Self {
            application: sentences::reserved(&sentences::normal(&text)).map(str::to_owned),
            text,
        }
    }
}

impl Removed {
    fn read(text: String) -> Self {
        let words = sentences::normal(&text);
        let (application, within) = sentences::unreserved(&words);
        Self {
            application: application.map(str::to_owned),
            within,
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
                .map(ClaimUrl),
            token: reply.claim_token,
            message: reply.message.map(Sentence),
        }
    }
}

impl ClaimUrl {
    /// The address with its token, for the person who is to go there.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClaimUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match reqwest::Url::parse(&self.0) {
            Ok(url) => {
                let host = url.host_str().unwrap_or_default();
                write!(f, "{}://{host}/{REDACTED}", url.scheme())
            }
            Err(_) => f.write_str(REDACTED),
        }
    }
}

impl fmt::Debug for ClaimUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClaimUrl({self})")
    }
}
