//! Applications: names, extensions, claims and pods.

use super::readiness::SiteUrl;
use super::shapes::{self, Reply, Text};
use super::{Manifest, Page, PodStatus, SessionHandle, Signal};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::id::{self, CheckedId};
use crate::raw::nexlayer::{Op, types};
use crate::secret::Secret;
use std::time::Duration;

id::id! {
    /// The name of an application: its id within a session.
    ///
    /// The platform may change the name in the manifest: use the name in the response to the deploy.
    /// Calls reject a name that is empty or contains control characters. A name in a response is kept
    /// unchanged.
    ApplicationName, "application name", crate::check::text
}

/// A handle on an application of a session.
///
/// Returned by [`SessionHandle::application`] and
/// [`Deployed::application`](super::Deployed::application).
#[derive(Clone, Debug)]
pub struct ApplicationHandle {
    pub(super) session: SessionHandle,
    pub(super) name: CheckedId<ApplicationName>,
    /// The URL of the site, if known. `Err`: the reason why the caller's URL is invalid.
    pub(super) site: std::result::Result<Option<SiteUrl>, String>,
    pub(super) signals: Vec<Signal>,
}

/// The response to [`ApplicationHandle::extend`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extended {
    /// Time left until the application expires.
    pub expires_in: Option<Duration>,
    /// Number of extensions left.
    pub extensions_remaining: Option<u32>,
    /// The platform's message, unchanged.
    pub message: String,
}

/// The response to [`ApplicationHandle::claim`].
///
/// To make the application permanent, a person with an account opens [`url`](Self::url) in a browser.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claim {
    /// The URL. It is a secret, because anybody who has it can claim the application.
    pub url: Option<Secret>,
    /// The claim token.
    pub token: Option<Secret>,
    /// The platform's message, which may contain the URL.
    pub message: Option<Secret>,
}

/// The pods of an application; returned by [`ApplicationHandle::pods`].
#[derive(Clone, Debug)]
pub struct Pods {
    application: ApplicationHandle,
}

impl ApplicationHandle {
    /// The name of the application.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid name.
    pub fn name(&self) -> Result<&ApplicationName> {
        self.name.as_ref().map_err(Error::invalid_request)
    }

    /// Extends the lifetime of the application: `POST /extendDeployment`.
    ///
    /// Each call uses up one extension; an application has only a few.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) for an application that is not in the session. After
    /// [`Effect::Unknown`](crate::Effect::Unknown), the call may have used up an extension.
    ///
    /// Source: <https://nexlayer.com/docs/api/deployments>
    pub fn extend(&self) -> Call<Extended> {
        let body = self.request();
        let client = &self.session.client;
        client.call(Op::ExtendDeployment, move |raw| async move {
            let Text(message) = raw.extend_deployment(&body?).await?.into_inner();
            Ok(Extended::parse(message))
        })
    }

    /// Requests a URL for claiming the application: `POST /claimDeployment`.
    ///
    /// The application becomes permanent when a person with an account opens the URL.
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

    /// The pods of the application. Does no I/O.
    pub fn pods(&self) -> Pods {
        Pods {
            application: self.clone(),
        }
    }

    pub(super) fn request(&self) -> Result<types::ApplicationRequest> {
        let token = self.session.token()?.clone();
        Ok(types::ApplicationRequest::new(self.name()?.clone(), token))
    }
}

impl Pods {
    /// Lists all pods and their states: `POST /getPodsStatus`.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from a server without this operation,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an application that is not in the session.
    ///
    /// Source: `Nexlayer/api-reference:openapi/nexlayer-api.yaml` at commit e68c307
    pub fn list(&self) -> Call<Page<PodStatus>> {
        let body = self.application.request();
        let client = &self.application.session.client;
        client.call(Op::GetPodsStatus, move |raw| async move {
            let Reply(reply) = raw.get_pods_status(&body?).await?.into_inner();
            Ok(reply
                .pods
                .map_or_else(|| Page::whole(Vec::new()), Page::whole))
        })
    }
}

impl ApplicationName {
    /// The name in a manifest: the fallback for a response without a name.
    pub(super) fn of_manifest(manifest: &Manifest) -> Self {
        Self(manifest.application_name().to_owned())
    }
}

impl Extended {
    fn parse(message: String) -> Self {
        let text = shapes::normalize(&message);
        let text = shapes::after_name(&text);
        Self {
            expires_in: shapes::expires_in(text),
            extensions_remaining: shapes::extensions_remaining(text),
            message,
        }
    }
}

impl From<types::ClaimReply> for Claim {
    fn from(reply: types::ClaimReply) -> Self {
        let url_in_message = reply.message.as_deref().and_then(shapes::first_url);
        Self {
            url: reply
                .claim_url
                .filter(|url| !url.trim().is_empty())
                .or_else(|| url_in_message.map(str::to_owned))
                .filter(|url| url.starts_with("https://") || url.starts_with("http://"))
                .map(Secret::from),
            token: reply.claim_token,
            message: reply.message.map(Secret::from),
        }
    }
}
