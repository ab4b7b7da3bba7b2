//! The client and its builder settings.

use super::failures::classify;
use crate::error::Result;
use crate::transport::builder::{self, ClientBuilder};
use crate::transport::credentials::Auth;
use crate::transport::platform::{Lookup, Profile};

static PROFILE: Profile = Profile {
    api: "edgegap",
    scheme: "token",
    base_url: Some("https://api.edgegap.com"),
    default_host_advice: None,
    base_url_variable: "EDGEGAP_BASE_URL",
    token_variables: &["EDGEGAP_TOKEN", "EDGEGAP_API_TOKEN"],
    secret_query: &[],
    classify,
    failed_success: |_| None,
    lookups: &[
        Lookup {
            operation: "create_deployment",
            creates: "deployment",
            advice: "check deployments().find_created(tag, time)",
        },
        Lookup {
            operation: "create_fleet_deployment",
            creates: "deployment",
            advice: "check deployments().find_created(tag, time)",
        },
        Lookup {
            operation: "create_application",
            creates: "application",
            advice: "check application(name).get()",
        },
        Lookup {
            operation: "create_version",
            creates: "version",
            advice: "check application(name).version(name).get()",
        },
    ],
    redact_manifest: |_| None,
};

crate::raw::client! {
    /// A client for Edgegap. Cheap to clone; clones share connections.
    Edgegap, edgegap, ()
}

impl Client {
    /// Builds a client for `https://api.edgegap.com`.
    pub fn builder() -> ClientBuilder<Edgegap> {
        ClientBuilder::default()
    }

    /// Creates a client with this token. The prefix `token ` is optional.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) for a token that is empty or not a valid header
    /// value.
    pub fn new(token: impl Into<crate::Secret>) -> Result<Self> {
        Self::builder().token(token).build()
    }

    /// Creates a client from environment variables.
    ///
    /// Reads `EDGEGAP_TOKEN`, or `EDGEGAP_API_TOKEN` if it is missing or empty, and `EDGEGAP_BASE_URL`, which
    /// is optional.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) if both variables of the token are missing or
    /// empty, and as [`new`](Self::new).
    pub fn from_env() -> Result<Self> {
        Self::from_variables(builder::process_environment)
    }

    /// A client that sends this exact value as the `Authorization` header, without a scheme.
    pub(super) fn with_authorization(&self, value: crate::Secret) -> Result<Self> {
        Ok(Self {
            scope: self.scope.with_auth(Auth::without_scheme(&value)?),
            settings: (),
        })
    }

    fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        Self::builder().environment(read)?.needs_token()?.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn empty_token_variable_is_rejected_like_a_missing_one() {
        for value in [None, Some(String::new()), Some(" ".to_owned())] {
            let error = Client::from_variables(|_| value.clone()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains("EDGEGAP_TOKEN"), "{error}");
        }
        let client = Client::from_variables(|name| {
            (name == "EDGEGAP_TOKEN").then(|| "token abc".to_owned())
        });
        assert!(client.is_ok());
    }

    #[test]
    fn debug_shows_base_url_and_redacts_the_token() {
        let client = Client::new("hush-hush").unwrap();
        assert_eq!(
            format!("{client:?}"),
            r#"Client { transport: Transport { platform: "edgegap", base_url: "https://api.edgegap.com", token: set, .. }, settings: () }"#
        );
    }
}
