//! Sessions, which contain applications. The session token is the credential for them.

use super::shapes::Text;
use super::{ApplicationHandle, ApplicationName, Client, Reservations, Signal};
use crate::call::Call;
use crate::check;
use crate::error::{Error, Result};
use crate::id::checked;
use crate::raw::nexlayer::{Op, types};
use crate::secret::Secret;

/// A handle on a session.
///
/// Returned by [`Client::session`] and [`Deployed::session`](super::Deployed::session).
#[derive(Clone, Debug)]
pub struct SessionHandle {
    pub(super) client: Client,
    token: Option<Secret>,
}

impl Client {
    /// A handle on a session, by its token. Does no I/O.
    ///
    /// Calls reject a token that is empty or contains control characters.
    pub fn session(&self, token: impl Into<Secret>) -> SessionHandle {
        SessionHandle::new(self.clone(), Some(token.into()))
    }
}

impl SessionHandle {
    pub(super) fn new(client: Client, token: Option<Secret>) -> Self {
        Self { client, token }
    }

    /// A handle with the token of a response. Without a token there, keeps the token of the request.
    pub(super) fn with_token(&self, token: Option<Secret>) -> Self {
        let token = token.filter(|token| !token.expose().trim().is_empty());
        Self::new(self.client.clone(), token.or_else(|| self.token.clone()))
    }

    /// The session token. Store it to use the session in another process.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a missing or invalid token.
    pub fn token(&self) -> Result<&Secret> {
        let token = self.token.as_ref().ok_or_else(|| {
            Error::invalid_request("the response to the deploy had no session token")
        })?;
        check::text("session token", token.expose())?;
        Ok(token)
    }

    /// A handle on an application, by its name. Does no I/O.
    ///
    /// Use the name in the response to the deploy. Calls reject a name that is empty or contains control
    /// characters.
    pub fn application(
        &self,
        name: impl TryInto<ApplicationName, Error: Into<Error>>,
    ) -> ApplicationHandle {
        ApplicationHandle {
            session: self.clone(),
            name: checked(name),
            site: Ok(None),
            signals: Signal::ALL.to_vec(),
        }
    }

    /// The reservations of the session. Does no I/O.
    pub fn reservations(&self) -> Reservations {
        Reservations {
            session: self.clone(),
        }
    }

    /// Sends feedback to the vendor: `POST /feedback`.
    ///
    /// Returns the platform's message: `OK`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty text,
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from a server without this operation.
    ///
    /// Source: `Nexlayer/docs:data/openapi.json`
    pub fn send_feedback(&self, text: impl Into<String>) -> Call<String> {
        let (session, text) = (self.clone(), text.into());
        self.client.call(Op::SendFeedback, move |raw| async move {
            if text.trim().is_empty() {
                return Err(Error::invalid_request("the feedback is empty").into());
            }
            let body = types::FeedbackRequest::new(session.token()?.clone(), text);
            let Text(text) = raw.send_feedback(&body).await?.into_inner();
            Ok(text)
        })
    }
}
