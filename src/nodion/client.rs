//! The client and its builder settings.

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
    default_host_advice: None,
    base_url_variable: "NODION_BASE_URL",
    token_variables: &["NODION_TOKEN", "NODION_API_TOKEN"],
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
    /// Selects the project for the API key of a user: header `X-Nodion-Project`.
    ///
    /// Default: the user's default project. With the API key of a project, Nodion ignores the header.
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
    /// Builds a client for `https://api.nodion.com`.
    pub fn builder() -> ClientBuilder<Nodion> {
        ClientBuilder::default()
    }

    /// Creates a client with this API key. The prefix `Bearer ` is optional.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) for a key that is empty or not a valid header
    /// value.
    pub fn new(token: impl Into<crate::Secret>) -> Result<Self> {
        Self::builder().token(token).build()
    }

    /// Creates a client from environment variables.
    ///
    /// Reads `NODION_TOKEN`, or `NODION_API_TOKEN` if it is missing or empty, and `NODION_PROJECT` (for
    /// [`project`](ClientBuilder::project)) and `NODION_BASE_URL`, which are optional.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) if both variables of the token are missing or
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
pub(super) fn check_no_whitespace(name: &str, text: &str) -> Result<()> {
    check::text(name, text)?;
    if text.contains(char::is_whitespace) {
        let problem = format!("the {name} contains whitespace");
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
