//! The client and its builder settings.

use super::failures::{classify, failed_success};
use super::manifest::redact::redact;
use crate::error::Result;
use crate::transport::builder::{self, ClientBuilder};
use crate::transport::platform::{Lookup, Profile};

static PROFILE: Profile = Profile {
    api: "nexlayer",
    scheme: "Bearer",
    base_url: Some("https://app.nexlayer.io"),
    default_host_advice: Some(
        "app.nexlayer.io is the default host: for another one, such as app.nexlayer.com, use Client::builder().base_url(url), or NEXLAYER_BASE_URL with from_env()",
    ),
    base_url_variable: "NEXLAYER_BASE_URL",
    token_variables: &["NEXLAYER_API_KEY"],
    secret_query: &["sessionToken"],
    classify,
    failed_success,
    lookups: &[Lookup {
        operation: "start_user_deployment",
        creates: "application",
        advice: "no operation lists it, and it is removed when it expires; if you have the session token, check session.application(name).wait()",
    }],
    redact_manifest: redact,
};

crate::raw::client! {
    /// A client for Nexlayer. Cheap to clone; clones share connections.
    Nexlayer, nexlayer, ()
}

impl Client {
    /// Builds a client for `https://app.nexlayer.io`.
    ///
    /// Newer pages of the platform name `https://app.nexlayer.com`: set
    /// [`base_url`](ClientBuilder::base_url) if the default host cannot be reached. The token is optional: it is the API key of an account.
    pub fn builder() -> ClientBuilder<Nexlayer> {
        ClientBuilder::default()
    }

    /// Creates a client for `https://app.nexlayer.io`.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) if the system's certificates cannot be used.
    pub fn new() -> Result<Self> {
        Self::builder().build()
    }

    /// Creates a client from environment variables.
    ///
    /// Reads `NEXLAYER_BASE_URL` and `NEXLAYER_API_KEY`. Both are optional.
    ///
    /// # Errors
    /// [`Configuration`](crate::ErrorKind::Configuration) for an invalid value.
    pub fn from_env() -> Result<Self> {
        Self::from_variables(builder::process_environment)
    }

    fn from_variables(read: impl Fn(&str) -> Option<String>) -> Result<Self> {
        Self::builder().environment(read)?.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_optional() {
        let client = Client::new().unwrap();
        assert_eq!(client.base_url(), "https://app.nexlayer.io");
        let debug = format!("{client:?}");
        assert!(debug.contains("token: not set"), "{debug}");
        let client = Client::from_variables(|_| None).unwrap();
        assert_eq!(format!("{client:?}"), debug);
    }

    #[test]
    fn from_env_reads_base_url_and_key() {
        let client = Client::from_variables(|name| match name {
            "NEXLAYER_BASE_URL" => Some("https://app.nexlayer.com/".to_owned()),
            "NEXLAYER_API_KEY" => Some("hush-hush".to_owned()),
            _ => None,
        })
        .unwrap();
        assert_eq!(client.base_url(), "https://app.nexlayer.com");
        let debug = format!("{client:?}");
        assert!(debug.contains("token: set"), "{debug}");
        let preview = client
            .session("t-1234")
            .reservations()
            .list()
            .preview()
            .unwrap();
        let text = preview.to_string();
        assert!(text.contains("\nauthorization: <redacted>"), "{text}");
    }
}
