//! `Profile`: the constants and functions that differ by platform.

use super::Transport;
pub(crate) use super::failure::{Classified, Failure};
pub(crate) use crate::error::Lookup;
use crate::secret::Secret;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// The constants and functions of one platform.
pub struct Profile {
    /// Short name: `edgegap`.
    pub api: &'static str,
    /// The prefix of the token in `Authorization`: `Bearer`, `token`.
    pub scheme: &'static str,
    /// The default base URL; `None` for a self-hosted platform.
    pub base_url: Option<&'static str>,
    /// The next step if the default base URL cannot be reached.
    pub default_host_advice: Option<&'static str>,
    /// Environment variables. The first token that is set is used.
    pub base_url_variable: &'static str,
    pub token_variables: &'static [&'static str],
    /// Query parameters with a credential, which [`Call::query`](crate::Call::query) rejects.
    pub secret_query: &'static [&'static str],
    /// Maps a failure response to an error.
    pub classify: fn(&Failure<'_>) -> Classified,
    /// Detects a failure that the platform reports with a success status. Called if the body cannot be
    /// decoded.
    pub failed_success: fn(&Value) -> Option<Classified>,
    /// After a create without a response: how to find out whether it took effect.
    pub lookups: &'static [Lookup],
    /// Parses a manifest and redacts it; `None` if it cannot be parsed.
    pub redact_manifest: fn(&str) -> Option<RedactedManifest>,
}

/// A redacted manifest.
pub struct RedactedManifest {
    pub json: Value,
    pub yaml: String,
    /// The redacted values.
    pub secrets: Vec<Secret>,
}

/// A platform of this crate; sealed.
pub trait Platform: sealed::Sealed {
    /// Options that only this platform's builder has.
    type Settings: Clone + Default + fmt::Debug;
    /// The platform's client.
    type Client;
}

pub(crate) mod sealed {
    use super::{Arc, Platform, Profile, Transport};

    pub trait Sealed {
        #[doc(hidden)]
        fn profile() -> &'static Profile
        where
            Self: Sized;

        #[doc(hidden)]
        fn assemble(transport: Arc<Transport>, settings: Self::Settings) -> Self::Client
        where
            Self: Platform + Sized;
    }
}
