//! Deploying and redeploying applications, in a new or an existing session.

use super::shapes::{self, Reply};
use super::{
    ApplicationHandle, ApplicationName, ApplicationState, Client, Manifest, PodStatus,
    SessionHandle,
};
use crate::Timestamp;
use crate::call::Call;
use crate::raw::nexlayer::{Op, types};
use crate::secret::Secret;
use std::time::Duration;

/// The response to a deploy or an update.
///
/// Only `application_name` is always set, because server versions send different fields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Deployed {
    /// The name for later calls. It may differ from the name in the manifest.
    pub application_name: ApplicationName,
    /// The URL of the site.
    pub url: Option<String>,
    /// The environment that the application runs in: `jolly-tapir`.
    pub environment: Option<String>,
    /// The state of the application: `deploying`.
    pub state: Option<ApplicationState>,
    /// Progress, from 0. The maximum is not documented.
    pub progress: Option<f64>,
    /// The pods of the application.
    pub pods: Vec<PodStatus>,
    /// Time at which the application expires.
    pub expires_at: Option<Timestamp>,
    /// Time left until the application expires.
    pub expires_in: Option<Duration>,
    /// Whether the lifetime of the application can be extended.
    pub extension_available: Option<bool>,
    /// Number of extensions left.
    pub extensions_remaining: Option<u32>,
    /// Length of an extension.
    pub extension_length: Option<Duration>,
    /// Whether the application is claimed, and how to claim it.
    pub claim: Option<ClaimOffer>,
    /// The platform's message, which may contain a token.
    pub message: Option<Secret>,
    /// A human-readable hint, which may contain a token.
    pub info: Option<Secret>,
    session: SessionHandle,
}

/// Whether an application is claimed, and how to claim it; see [`ApplicationHandle::claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimOffer {
    /// Whether the application is already claimed.
    pub claimed: Option<bool>,
    /// The platform's message, which may contain a token.
    pub message: Option<Secret>,
    /// The claim token.
    pub token: Option<Secret>,
}

impl Client {
    /// Deploys an application in a new session: `POST /startUserDeployment`.
    ///
    /// Returns before the application is ready: see [`wait`](ApplicationHandle::wait). The response may
    /// take minutes, so the default timeout of an attempt is 120 s.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) for an invalid manifest. After
    /// [`Effect::Unknown`](crate::Effect::Unknown), the application may run in a session whose token was
    /// lost with the response. The platform removes it after it expires.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn deploy(&self, manifest: Manifest) -> Call<Deployed> {
        let session = SessionHandle::new(self.clone(), None);
        self.call(Op::StartUserDeployment, move |raw| async move {
            let name = ApplicationName::of_manifest(&manifest);
            let reply = raw.start_user_deployment(manifest.into_text());
            Ok(Deployed::new(reply.await?.into_inner(), &session, name))
        })
    }
}

impl SessionHandle {
    /// Deploys an application in this session: `POST /startUserDeployment?sessionToken=…`.
    ///
    /// Redeploys it if the session already has an application with that name. Returns before the
    /// application is ready: see [`wait`](ApplicationHandle::wait). The response may take minutes, so the
    /// default timeout of an attempt is 120 s.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) for an invalid manifest.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn deploy(&self, manifest: Manifest) -> Call<Deployed> {
        let (session, client) = (self.clone(), &self.client);
        client.call(Op::StartUserDeployment, move |raw| async move {
            let name = ApplicationName::of_manifest(&manifest);
            let token = session.token()?;
            let reply = raw.start_user_deployment_with(manifest.into_text(), |options| {
                options.session_token = Some(token);
            });
            Ok(Deployed::new(reply.await?.into_inner(), &session, name))
        })
    }

    /// Redeploys an application of this session: `POST /updateUserDeployment?sessionToken=…`.
    ///
    /// The name in the manifest selects the application. Returns before the application is ready: see
    /// [`wait`](ApplicationHandle::wait). The response may take minutes, so the default timeout of an
    /// attempt is 120 s.
    ///
    /// # Errors
    /// [`Rejected`](crate::ErrorKind::Rejected) for an invalid manifest.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn update(&self, manifest: Manifest) -> Call<Deployed> {
        let (session, client) = (self.clone(), &self.client);
        client.call(Op::UpdateUserDeployment, move |raw| async move {
            let name = ApplicationName::of_manifest(&manifest);
            let reply = raw.update_user_deployment(session.token()?, manifest.into_text());
            Ok(Deployed::new(reply.await?.into_inner(), &session, name))
        })
    }
}

impl Deployed {
    fn new(
        Reply(reply): Reply<types::StartReply>,
        session: &SessionHandle,
        manifest_name: ApplicationName,
    ) -> Self {
        let status = reply.status.unwrap_or_default();
        let extend = reply.extend.unwrap_or_default();
        let normalized = |text: Option<&str>| text.map(shapes::normalize).unwrap_or_default();
        let expiry = normalized(status.environment.as_deref());
        let offer = normalized(extend.message.as_deref());
        let remaining = shapes::extensions_remaining(&offer);
        let application_name = reply
            .application_name
            .filter(|name| !name.as_str().trim().is_empty())
            .unwrap_or(manifest_name);
        Self {
            session: session.with_token(reply.session_token),
            expires_in: shapes::expires_in(&expiry).or_else(|| shapes::expires_in(&offer)),
            expires_at: extend.expires_at,
            extension_available: extend.available.or(remaining.map(|count| count > 0)),
            extensions_remaining: remaining,
            extension_length: shapes::extension_length(&offer),
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

    /// A handle on the session of the application. Does no I/O.
    ///
    /// The token is that of the response or, as a fallback, of the request. Without a token, calls on the
    /// session fail with [`InvalidRequest`](crate::ErrorKind::InvalidRequest).
    pub fn session(&self) -> SessionHandle {
        self.session.clone()
    }

    /// A handle on the application, with the URL of its site. Does no I/O.
    pub fn application(&self) -> ApplicationHandle {
        let application = self.session.application(&self.application_name);
        application.site_url_from_response(self.url.as_deref())
    }
}
