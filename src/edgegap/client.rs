//! The client and how it is set up.

use super::failures::classify;
use crate::error::Result;
use crate::transport::builder::{self, ClientBuilder};
use crate::transport::credentials::Auth;
use crate::transport::platform::{Lookup, Profile};

static PROFILE: Profile = Profile {
    api: "edgegap",
    scheme: "token",
    base_url: Some("https://api.edgegap.com"),
    base_url_variable: "EDGEGAP_BASE_URL",
    token_variable: "EDGEGAP_TOKEN",
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
    ],
    redact_manifest: |_| None,
};

crate::raw::client! {
    /// A client for Edgegap. Cheap to clone; clones share connections.
    Edgegap, edgegap, ()
}

impl Client {
    /// Sets up a client for `https://api.edgegap.com`.
    pub fn builder() -> ClientBuilder<Edgegap> {
        ClientBuilder::default()
    }

    /// A client with this token, with or without `token ` in front of it.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the token is empty or could
    /// not stand in a header.
    pub fn new(token: impl Into<crate::Secret>) -> Result<Self> {
        Self::builder().token(token).build()
    }

    /// A client with the token in `EDGEGAP_TOKEN`, for `EDGEGAP_BASE_URL` if that is set.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the variable is missing or
    /// empty, and as [`new`](Self::new).
    pub fn from_env() -> Result<Self> {
        Self::from_variables(builder::process_environment)
    }

    /// The same client with another value of `Authorization`, as it is.
    pub(super) fn with_authorization(&self, value: crate::Secret) -> Result<Self> {
        Ok(Self {
            scope: self.scope.with_auth(Auth::as_it_is(&value)?),
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
    fn an_empty_variable_is_a_missing_one() {
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
    fn debug_shows_platform_address_and_that_there_is_a_token() {
        let client = Client::new("hush-hush").unwrap();
        assert_eq!(
            format!("{client:?}"),
            r#"Client { transport: Transport { platform: "edgegap", base_url: "https://api.edgegap.com", token: set, .. }, settings: () }"#
        );
    }
}
