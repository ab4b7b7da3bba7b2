//! Sessions, the applications in them, and what can be done with both.

use super::readiness::site::Site;
use super::replies::Text;
use super::{Client, Manifest, Page, PodStatus, Reservation, Signals, Started, texts};
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
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// Where to go. Whoever has it can take the application, so it shows its host alone;
    /// [`ClaimUrl::expose`] gives all of it.
    pub url: Option<ClaimUrl>,
    /// The token of the claim.
    pub token: Option<Secret>,
    /// The platform's sentence, which may contain the address.
    pub message: Option<String>,
}

/// The address of a claim. It ends in a token, so `Debug` and `Display` show the host alone.
#[derive(Clone, PartialEq, Eq)]
pub struct ClaimUrl(String);

impl Session {
    pub(super) fn new(client: Client, token: Secret) -> Self {
        let token = match check("session token", token.expose()) {
            Ok(()) => Ok(token),
            Err(error) => Err(error.message().unwrap_or_default().to_owned()),
        };
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
        let name = match check("application name", &name) {
            Ok(()) => Ok(name),
            Err(error) => Err(error.message().unwrap_or_default().to_owned()),
        };
        Application {
            session: self.clone(),
            name,
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
        self.deploy(Op::StartUserDeployment, manifest)
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
        self.deploy(Op::UpdateUserDeployment, manifest)
    }

    fn deploy(&self, op: Op, manifest: Manifest) -> Call<Started> {
        let token = match self.token() {
            Ok(token) => token.clone(),
            Err(error) => return self.client.refused(op, error),
        };
        let client = self.client.clone();
        let used = token.clone();
        let name = manifest.application_name().to_owned();
        let body = manifest.into_text();
        self.client
            .call(op, move |raw| async move {
                match op {
                    Op::UpdateUserDeployment => raw.update_user_deployment(&token, body).await,
                    _ => raw.start_user_deployment(Some(&token), body).await,
                }
            })
            .map(move |reply| Started::new(reply, &client, Some(used), name))
    }

    /// The reservations of this session: `GET /getReservations?sessionToken=…`.
    ///
    /// # Errors
    /// Those of every call. What the platform says to a token that has ended is not known.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn reservations(&self) -> Call<Page<Reservation>> {
        let session = self.clone();
        Call::one_page(move || {
            let (op, client) = (Op::GetReservations, &session.client);
            match session.token() {
                Err(error) => client.refused(op, error),
                Ok(token) => {
                    let token = token.clone();
                    client
                        .call(
                            op,
                            move |raw| async move { raw.get_reservations(&token).await },
                        )
                        .map(|list| Page::whole(list.reserved_deployments.unwrap_or_default()))
                }
            }
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
        let op = Op::SendFeedback;
        let text = text.into();
        if text.trim().is_empty() {
            return self
                .client
                .refused(op, Error::invalid_request("the feedback is empty"));
        }
        match self.token() {
            Err(error) => self.client.refused(op, error),
            Ok(token) => {
                let body = types::FeedbackRequest {
                    session_id: token.clone(),
                    text,
                };
                self.client
                    .call(op, move |raw| async move { raw.send_feedback(&body).await })
                    .map(|Text(text)| text)
            }
        }
    }

    /// Ends all reservations of this session: `POST /removeReservations`. Sites that are past their
    /// time then go within minutes.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn remove_reservations(&self) -> Call<Removed> {
        let op = Op::RemoveReservations;
        match self.token() {
            Err(error) => self.client.refused(op, error),
            Ok(token) => {
                let body = types::SessionRequest {
                    session_token: token.clone(),
                };
                self.client
                    .call(op, move |raw| async move {
                        raw.remove_reservations(&body).await
                    })
                    .map(Removed::from)
            }
        }
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
        self.call(Op::ExtendDeployment, |raw, body| async move {
            raw.extend_deployment(&body).await
        })
        .map(Extended::from)
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
        self.call(Op::ClaimDeployment, |raw, body| async move {
            raw.claim_deployment(&body).await
        })
        .map(Claim::from)
    }

    /// Keeps the application beyond its time: `POST /addDeploymentReservation`.
    ///
    /// # Errors
    /// [`PlanLimit`](crate::ErrorKind::PlanLimit) without the Scale or Conquer plan, and those of
    /// every call.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn reserve(&self) -> Call<Reserved> {
        self.call(Op::AddDeploymentReservation, |raw, body| async move {
            raw.add_deployment_reservation(&body).await
        })
        .map(|reply| Reserved::from(Text::from(reply)))
    }

    /// Ends the application's reservation: `POST /removeDeploymentReservation`. A site that is past
    /// its time then goes within minutes.
    ///
    /// # Errors
    /// [`AlreadyRemoved`](crate::ErrorKind::AlreadyRemoved) the second time, and those of every call.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn unreserve(&self) -> Call<Removed> {
        self.call(Op::RemoveDeploymentReservation, |raw, body| async move {
            raw.remove_deployment_reservation(&body).await
        })
        .map(|reply| Removed::from(Text::from(reply)))
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
        Call::one_page(move || {
            application
                .call(Op::GetPodsStatus, |raw, body| async move {
                    raw.get_pods_status(&body).await
                })
                .map(|reply| Page::whole(reply.pods.unwrap_or_default()))
        })
    }

    fn call<T, F, R>(&self, op: Op, run: F) -> Call<T>
    where
        T: serde::de::DeserializeOwned + Send + 'static,
        F: FnOnce(crate::raw::nexlayer::Client, types::ApplicationRequest) -> R + Send + 'static,
        R: Future<
                Output = std::result::Result<
                    progenitor_client::ResponseValue<T>,
                    progenitor_client::Error<()>,
                >,
            > + Send
            + 'static,
    {
        let client = &self.session.client;
        let body = match (self.session.token(), self.name()) {
            (Ok(token), Ok(name)) => types::ApplicationRequest {
                application_name: name.to_owned(),
                session_token: token.clone(),
            },
            (Err(error), _) | (_, Err(error)) => return client.refused(op, error),
        };
        client.call(op, move |raw| run(raw, body))
    }
}

fn check(what: &str, text: &str) -> Result<()> {
    if text.trim().is_empty() {
        return Err(Error::invalid_request(format!("the {what} is empty")));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::invalid_request(format!(
            "the {what} contains a control character"
        )));
    }
    Ok(())
}

impl From<Text> for Extended {
    fn from(Text(text): Text) -> Self {
        let words = texts::normal(&text);
        let parsed = texts::extension(&words);
        Self {
            application: parsed.application.map(str::to_owned),
            expires_in: parsed.expires_in,
            extensions_remaining: parsed.remaining,
            text,
        }
    }
}

impl From<Text> for Reserved {
    fn from(Text(text): Text) -> Self {
        Self {
            application: texts::reserved(&texts::normal(&text)).map(str::to_owned),
            text,
        }
    }
}

impl From<Text> for Removed {
    fn from(Text(text): Text) -> Self {
        let words = texts::normal(&text);
        let (application, within) = texts::unreserved(&words);
        Self {
            application: application.map(str::to_owned),
            within,
            text,
        }
    }
}

impl From<types::ClaimReply> for Claim {
    fn from(reply: types::ClaimReply) -> Self {
        let in_text = reply.message.as_deref().and_then(texts::url);
        Self {
            url: reply
                .claim_url
                .filter(|url| !url.trim().is_empty())
                .or_else(|| in_text.map(str::to_owned))
                .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
                .map(ClaimUrl),
            token: reply.claim_token,
            message: reply.message,
        }
    }
}

impl fmt::Debug for Claim {
    /// Of the message only whether there is one: it may hold the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claim")
            .field("url", &self.url)
            .field("token", &self.token)
            .field("message", &sentence(self.message.as_deref()))
            .finish()
    }
}

/// A sentence for people as `Debug` shows it: it may hold a token, or an address that ends in one.
pub(super) fn sentence(text: Option<&str>) -> Option<&str> {
    text.map(|_| "…")
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
