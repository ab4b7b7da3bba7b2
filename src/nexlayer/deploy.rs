//! Starts and updates of applications.

use super::shapes::{self, Reply};
use super::{Application, ApplicationState, Client, Manifest, PodStatus, Session};
use crate::Timestamp;
use crate::call::Call;
use crate::raw::nexlayer::{Op, types};
use crate::secret::Secret;
use std::time::Duration;

/// An application that was started or updated.
///
/// Only the name is always set; servers of different versions send different parts of the rest.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Started {
    /// The name for later calls. It may differ from the name in the manifest.
    pub application_name: String,
    /// The address of its site.
    pub url: Option<String>,
    /// The environment it runs in: `jolly-tapir`.
    pub environment: Option<String>,
    /// Its state: `deploying`.
    pub state: Option<ApplicationState>,
    /// Progress, from 0. The maximum is not documented.
    pub progress: Option<f64>,
    /// Its pods.
    pub pods: Vec<PodStatus>,
    /// When it ends unless it is extended.
    pub expires_at: Option<Timestamp>,
    /// Time left unless it is extended.
    pub expires_in: Option<Duration>,
    /// Whether it can be extended.
    pub extension_available: Option<bool>,
    /// Number of extensions left.
    pub extensions_remaining: Option<u32>,
    /// Length of an extension.
    pub extension: Option<Duration>,
    /// Whether and how it can be made permanent.
    pub claim: Option<ClaimOffer>,
    /// The platform's message, which may contain a token.
    pub message: Option<Secret>,
    /// A hint for people, which may contain a token.
    pub info: Option<Secret>,
    session: Session,
}

/// Whether an application can be made permanent by [`Application::claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimOffer {
    /// Whether it was claimed before.
    pub claimed: Option<bool>,
    /// The platform's message, which may contain a token.
    pub message: Option<Secret>,
    /// The token of the claim.
    pub token: Option<Secret>,
}

impl Client {
    /// Starts an application in a new session: `POST /startUserDeployment`.
    ///
    /// It may take minutes; the default timeout of an attempt is 120 s.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) for a manifest that the platform refuses. After
    /// [`Effect::Unknown`](crate::Effect::Unknown) the application may run, in a session whose token was
    /// lost with the response; it expires by itself.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn start(&self, manifest: Manifest) -> Call<Started> {
        let client = self.clone();
        self.call(Op::StartUserDeployment, move |raw| async move {
            let name = manifest.application_name().to_owned();
            let reply = raw.start_user_deployment(None, manifest.into_text());
            let Reply(reply) = reply.await?.into_inner();
            Ok(Started::new(reply, &client, None, name))
        })
    }
}

impl Session {
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
}

impl Started {
    pub(super) fn new(
        reply: types::StartReply,
        client: &Client,
        token: Option<Secret>,
        manifest_name: String,
    ) -> Self {
        let status = reply.status.unwrap_or_default();
        let extend = reply.extend.unwrap_or_default();
        let words = |text: Option<&str>| text.map(shapes::normalize).unwrap_or_default();
        let end = words(status.environment.as_deref());
        let offer = words(extend.message.as_deref());
        let remaining = shapes::extensions_remaining(&offer);
        let application_name = reply
            .application_name
            .filter(|name| !name.trim().is_empty())
            .unwrap_or(manifest_name);
        // A new token replaces the one that was used.
        let token = reply
            .session_token
            .filter(|token| !token.expose().trim().is_empty())
            .or(token);
        Self {
            session: Session::new(client.clone(), token),
            expires_in: shapes::expires_in(&end).or_else(|| shapes::expires_in(&offer)),
            expires_at: extend.expires_at,
            extension_available: extend.available.or(remaining.map(|count| count > 0)),
            extensions_remaining: remaining,
            extension: shapes::extension_length(&offer),
            claim: reply.claim.map(|claim| ClaimOffer {
                claimed: claim.claimed,
                message: claim.message.map(Secret::from),
                token: claim.claim_token,
            }),
            state: status.state,
            progress: status.progress,
            pods: status.pods.unwrap_or_default(),
            url: reply.url,
            environment: reply.environment,
            message: reply.message.map(Secret::from),
            info: reply.info.map(Secret::from),
            application_name,
        }
    }

    /// The session of the application.
    ///
    /// Its token is the one in the response, or else the one that was used. Without either, its calls
    /// fail with [`InvalidRequest`](crate::ErrorKind::InvalidRequest).
    pub fn session(&self) -> Session {
        self.session.clone()
    }

    /// The application, with the address of its site.
    pub fn application(&self) -> Application {
        let application = self.session.application(&self.application_name);
        application.given_site(self.url.as_deref())
    }
}
