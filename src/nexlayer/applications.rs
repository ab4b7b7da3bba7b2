//! Applications in a session: their lifetime, claims and pods.

use super::readiness::SiteUrl;
use super::shapes::{self, Reply, Text};
use super::{Page, PodStatus, Session, Signal};
use crate::call::Call;
use crate::check;
use crate::error::Result;
use crate::raw::nexlayer::{Op, types};
use crate::secret::Secret;
use std::time::Duration;

/// A handle on an application in a session; made by [`Session::application`].
#[derive(Clone, Debug)]
pub struct Application {
    pub(super) session: Session,
    name: String,
    /// The address of its site if known, or why the given one is refused.
    pub(super) site: std::result::Result<Option<SiteUrl>, String>,
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

impl Application {
    pub(super) fn new(session: Session, name: String) -> Self {
        Self {
            session,
            name,
            site: Ok(None),
            signals: Signal::ALL.to_vec(),
        }
    }

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

    pub(super) fn request(&self) -> Result<types::ApplicationRequest> {
        Ok(types::ApplicationRequest {
            session_token: self.session.token()?.clone(),
            application_name: self.name()?.to_owned(),
        })
    }
}

impl Extended {
    fn read(text: String) -> Self {
        let words = shapes::normalize(&text);
        let rest = shapes::after_name(&words);
        Self {
            expires_in: shapes::expires_in(rest),
            extensions_remaining: shapes::extensions_remaining(rest),
            text,
        }
    }
}

impl From<types::ClaimReply> for Claim {
    fn from(reply: types::ClaimReply) -> Self {
        let in_text = reply.message.as_deref().and_then(shapes::first_url);
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
