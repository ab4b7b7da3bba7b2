//! Sessions.

use super::shapes::Text;
use super::{Application, Client};
use crate::call::Call;
use crate::check;
use crate::error::{Error, Result};
use crate::raw::nexlayer::{Op, types};
use crate::secret::Secret;

/// A handle on a session; made by [`Client::session`] and [`Started::session`].
///
/// Its token is the credential for everything in it.
#[derive(Clone, Debug)]
pub struct Session {
    pub(super) client: Client,
    token: Option<Secret>,
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
        Application::new(self.clone(), name.into())
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
}
