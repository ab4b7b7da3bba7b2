//! The client and its configuration.

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
    /// Sets the project of a user's API key, sent as the header `X-Nodion-Project`.
    ///
    /// Default: the user's default project. With a project's API key, Nodion ignores the header.
    pub fn project(mut self, project_id: impl Into<String>) -> Self {
        self.headers.clear();
        let project: String = project_id.into();
        match HeaderValue::try_from(project) {
            Ok(project) => self.headers.push((PROJECT_HEADER, project)),
            Err(error) => {
                let message = "the project id is not a valid header value";
                self.problem = Some(Error::configuration(message).with_source(error));
            }
        }
        self
    }
}

impl Client {
    /// Configures a client for `https://api.nodion.com`.
    pub fn builder() -> ClientBuilder<Nodion> {
        ClientBuilder::default()
    }

    /// Creates a client with this API key. The prefix `Bearer ` is optional.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for a key that is empty or not a
    /// valid header value.
    pub fn new(token: impl Into<crate::Secret>) -> Result<Self> {
        Self::builder().token(token).build()
    }

    /// Creates a client from `NODION_TOKEN` and other environment variables.
    ///
    /// Optional: `NODION_PROJECT` for [`project`](ClientBuilder::project), `NODION_BASE_URL`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if `NODION_TOKEN` is missing or
    /// empty, and as [`new`](Self::new).
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

/// Rejects text that is empty or contains whitespace or a control character.
pub(super) fn check_no_whitespace(what: &str, text: &str) -> Result<()> {
    check::text(what, text)?;
    if text.contains(char::is_whitespace) {
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
