//! The reply to a start or an update: one value from both known generations.

use super::{Application, ApplicationState, Client, PodStatus, Session, sentences};
use crate::Timestamp;
use crate::raw::nexlayer::types;
use crate::secret::Secret;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

/// An application that was started or updated.
///
/// Only the name is always there; of the rest each generation of the platform sends a part.
#[derive(Clone, Debug)]
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
    pub message: Option<Sentence>,
    /// A hint of the platform for people.
    pub info: Option<Sentence>,
    session: Session,
}

/// What the reply to a start says about making the application permanent; to do it, call
/// [`Application::claim`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimOffer {
    /// Whether that was done already.
    pub claimed: Option<bool>,
    /// The platform's sentence.
    pub message: Option<Sentence>,
    /// The token of the claim.
    pub token: Option<Secret>,
}

/// A sentence for people. `Debug` hides it: it may contain a token, or an address that ends in one.
#[derive(Clone, PartialEq, Eq)]
pub struct Sentence(pub(super) String);

impl Deref for Sentence {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sentence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"…\"")
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
        let words = |text: Option<&str>| text.map(sentences::normal).unwrap_or_default();
        let end = words(status.environment.as_deref());
        let offer = words(extend.message.as_deref());
        let remaining = sentences::extensions_offered(&offer);
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
            expires_in: sentences::expiry(&end).or_else(|| sentences::expiry(&offer)),
            expires_at: extend.expires_at,
            extension_available: extend.available.or(remaining.map(|count| count > 0)),
            extensions_remaining: remaining,
            extension: sentences::extension_length(&offer),
            claim: reply.claim.map(|claim| ClaimOffer {
                claimed: claim.claimed,
                message: claim.message.map(Sentence),
                token: claim.claim_token,
            }),
            state: status.state,
            progress: status.progress,
            pods: status.pods.unwrap_or_default(),
            url: reply.url,
            message: reply.message.map(Sentence),
            info: reply.info.map(Sentence),
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
