//! The client and how it is set up.

use super::failures::classify;
use crate::check;
use crate::error::{Error, Result};
use crate::transport::builder::{self, ClientBuilder};
use crate::transport::platform::{Lookup, Profile};
use http::{HeaderName, HeaderValue};

const PROJECT_HEADER: HeaderName = HeaderName::from_static("x-nodion-project");
const PROJECT_VARIABLE: &str = "NODION_PROJECT";

static PROFILE: Profile = Profile {
    api: "nodion",
    scheme: "Bearer",
    base_url: Some("https://api.nodion.com"),
    base_url_variable: "NODION_BASE_URL",
    token_variable: "NODION_TOKEN",
    secret_query: &[],
    classify,
    failed_success: |_| None,
    lookups: &[Lookup {
        operation: "create_deployment",
        creates: "deployment",
        advice: "check application.deployments().find_created(number)",
    }],
    redact_manifest: |_| None,
};

crate::raw::client! {
    /// A client for Nodion. Cheap to clone; clones share connections.
    Nodion, nodion, ()
}

impl ClientBuilder<Nodion> {
    /// The project that a user's key is to work in, sent as `X-Nodion-Project`; without one it is
    /// the user's default project. A project's own key ignores it.
    pub fn project(mut self, project_id: impl Into<String>) -> Self {
        self.headers.clear();
        let project: String = project_id.into();
        match HeaderValue::try_from(project) {
            Ok(project) => self.headers.push((PROJECT_HEADER, project)),
            Err(error) => {
                let message = "the project cannot stand in a header";
                self.problem = Some(Error::configuration(message).with_source(error));
            }
        }
        self
    }
}

impl Client {
    /// Sets up a client for `https://api.nodion.com`.
    pub fn builder() -> ClientBuilder<Nodion> {
        ClientBuilder::default()
    }

    /// A client with this API key, with or without `Bearer ` in front of it.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the key is empty or could
    /// not stand in a header.
    pub fn new(token: impl Into<crate::Secret>) -> Result<Self> {
        Self::builder().token(token).build()
    }

    /// A client with the key in `NODION_TOKEN`, for the project in `NODION_PROJECT` and for
    /// `NODION_BASE_URL` if those are set.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when `NODION_TOKEN` is missing
    /// or empty, and as [`new`](Self::new).
    pub fn from_env() -> Result<Self> {
        Self::from_variables(builder::process_environment)
    }

    fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let project = builder::variable(PROJECT_VARIABLE, &read).ok();
        let mut builder = Self::builder().environment(read)?.needs_token()?;
        if let Some(project) = project {
            builder = builder.project(project);
        }
        builder.build()
    }
}

/// Refuses a text that is empty or contains a space or a control character.
pub(super) fn check_word(what: &str, word: &str) -> Result<()> {
    check::text(what, word)?;
    if word.contains(char::is_whitespace) {
        let problem = format!("the {what} contains a space");
        return Err(Error::invalid_request(problem));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_and_token_come_from_the_environment() {
        let client = Client::from_variables(|name| match name {
            "NODION_TOKEN" => Some("Bearer abc".to_owned()),
            "NODION_PROJECT" => Some("p-1".to_owned()),
            _ => None,
        })
        .unwrap();
        let text = client
            .application("a")
            .deploy()
            .preview()
            .unwrap()
            .to_string();
        assert!(text.contains("x-nodion-project: p-1"), "{text}");
        assert!(!text.contains("abc"), "{text}");
        let error = Client::from_variables(|_| None).unwrap_err();
        assert!(error.to_string().contains("NODION_TOKEN"), "{error}");
    }
}
