//! The reply to a start or an update: one value from both known generations.

use super::session::sentence;
use super::{Application, ApplicationState, Client, PodStatus, Session, texts};
use crate::Timestamp;
use crate::raw::nexlayer::types;
use crate::secret::Secret;
use std::fmt;
use std::time::Duration;

/// An application that was started or updated.
///
/// Only the name is always there; of the rest each generation of the platform sends a part.
#[derive(Clone)]
#[non_exhaustive]
pub struct Started {
    /// The name by which later calls know the application. The platform may have changed it.
    pub application_name: String,
    /// Where it is, or will be.
    pub url: Option<String>,
    /// The environment it runs in: `jolly-tapir`.
    pub environment: Option<String>,
    /// What it is doing: `deploying`.
    pub state: Option<ApplicationState>,
    /// How far it has come. It begins at 0; where it ends is not documented.
    pub progress: Option<f64>,
    /// Its pods.
    pub pods: Vec<PodStatus>,
    /// When it ends, unless it is extended.
    pub expires_at: Option<Timestamp>,
    /// How long it lives, unless it is extended.
    pub expires_in: Option<Duration>,
    /// Whether it can be extended.
    pub extension_available: Option<bool>,
    /// How often it can be extended.
    pub extensions_remaining: Option<u32>,
    /// How long an extension is.
    pub extension: Option<Duration>,
    /// Whether and how it can be made permanent.
    pub claim: Option<ClaimOffer>,
    /// The platform's sentence.
    pub message: Option<String>,
    /// A hint of the platform for people.
    pub info: Option<String>,
    session: Session,
}

/// What the reply to a start says about making the application permanent; to do it, call
/// [`Application::claim`].
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimOffer {
    /// Whether that was done already.
    pub claimed: Option<bool>,
    /// The platform's sentence.
    pub message: Option<String>,
    /// The token of the claim.
    pub token: Option<Secret>,
}

impl Started {
    pub(super) fn new(
        reply: types::StartReply,
        client: &Client,
        token: Option<Secret>,
        manifest_name: String,
    ) -> Self {
        let status = reply.status;
        let sentence = status
            .as_ref()
            .and_then(|status| status.environment.as_deref())
            .map(texts::normal);
        let sentence = sentence.as_deref();
        let extend = reply.extend;
        let offer = extend
            .as_ref()
            .and_then(|extend| extend.message.as_deref())
            .map(texts::normal);
        let offer = offer.as_deref();
        let remaining = offer.and_then(texts::extensions_offered);
        let application_name = reply
            .application_name
            .filter(|name| !name.trim().is_empty())
            .unwrap_or(manifest_name);
        let environment = reply.environment.or_else(|| {
            let url = reply.url.as_deref()?;
            environment_of(url, &application_name)
        });
        // A new token may come back, and then it is the one that counts.
        let token = reply
            .session_token
            .filter(|token| !token.expose().trim().is_empty())
            .or(token);
        Self {
            session: match token {
                Some(token) => client.session(token),
                None => Session::missing(client.clone()),
            },
            expires_in: sentence
                .and_then(texts::expiry)
                .or_else(|| offer.and_then(texts::expiry)),
            expires_at: extend.as_ref().and_then(|extend| extend.expires_at.clone()),
            extension_available: extend
                .as_ref()
                .and_then(|extend| extend.available)
                .or_else(|| remaining.map(|remaining| remaining > 0)),
            extensions_remaining: remaining,
            extension: offer.and_then(texts::extension_length),
            claim: reply.claim.map(|claim| ClaimOffer {
                claimed: claim.claimed,
                message: claim.message,
                token: claim.claim_token,
            }),
            state: status.as_ref().and_then(|status| status.state.clone()),
            progress: status.as_ref().and_then(|status| status.progress),
            pods: status.and_then(|status| status.pods).unwrap_or_default(),
            url: reply.url,
            message: reply.message,
            info: reply.info,
            environment,
            application_name,
        }
    }

    /// The session that the application is in.
    ///
    /// Its token is the one in the reply, or else the one that was used. If there is neither, the
    /// calls of the session say so.
    pub fn session(&self) -> Session {
        self.session.clone()
    }

    /// The application, by the name in the reply; it knows where its site is.
    pub fn application(&self) -> Application {
        let application = self.session.application(&self.application_name);
        application.given_site(self.url.as_deref())
    }
}

/// `jolly-tapir` of `https://jolly-tapir-my-app.alpha.nexlayer.ai` for `My App`.
fn environment_of(url: &str, application: &str) -> Option<String> {
    let url = reqwest::Url::parse(url).ok()?;
    let label = url.host_str()?.split('.').next()?;
    let slug = application.to_lowercase().replace(' ', "-");
    let environment = label.strip_suffix(&slug)?.strip_suffix('-')?;
    (!environment.is_empty()).then(|| environment.to_owned())
}

impl fmt::Debug for Started {
    /// Of the sentences for people only whether there are any: they may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started")
            .field("application_name", &self.application_name)
            .field("url", &self.url)
            .field("environment", &self.environment)
            .field("state", &self.state)
            .field("progress", &self.progress)
            .field("pods", &self.pods)
            .field("expires_at", &self.expires_at)
            .field("expires_in", &self.expires_in)
            .field("extension_available", &self.extension_available)
            .field("extensions_remaining", &self.extensions_remaining)
            .field("extension", &self.extension)
            .field("claim", &self.claim)
            .field("message", &sentence(self.message.as_deref()))
            .field("info", &sentence(self.info.as_deref()))
            .field("session", &self.session)
            .finish()
    }
}

impl fmt::Debug for ClaimOffer {
    /// Of the message only whether there is one: it may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClaimOffer")
            .field("claimed", &self.claimed)
            .field("token", &self.token)
            .field("message", &sentence(self.message.as_deref()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_in_the_url() {
        for (url, application, environment) in [
            (
                "https://jolly-tapir-complete-test-app.alpha.nexlayer.ai",
                "Complete-Test-App",
                Some("jolly-tapir"),
            ),
            (
                "https://ecstatic-frog-my-mern-app.cloud.nexlayer.ai/x",
                "My MERN App",
                Some("ecstatic-frog"),
            ),
            ("https://example.com", "a", None),
            ("https://a.example.com", "a", None),
            ("not a url", "a", None),
        ] {
            assert_eq!(
                environment_of(url, application).as_deref(),
                environment,
                "{url}"
            );
        }
    }
}
