//! The differences between platforms: constants and pure functions.

use super::Transport;
pub(crate) use super::failure::{Classified, Failure};
pub(crate) use crate::error::Lookup;
use crate::secret::Secret;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// A platform as the transport sees it.
pub struct Profile {
    pub api: &'static str,
    /// What stands in front of the token in `Authorization`: `Bearer`, `token`.
    pub scheme: &'static str,
    /// Where the platform is; `None` for one that everybody runs for themselves.
    pub base_url: Option<&'static str>,
    pub base_url_variable: &'static str,
    pub token_variable: &'static str,
    /// Query parameters that carry a credential, which [`Call::query`](crate::Call::query) refuses.
    pub secret_query: &'static [&'static str],
    /// Reads a failure.
    pub classify: fn(&Failure<'_>) -> Classified,
    /// Tells a failure in a body with a success status. Asked after the body could not be decoded.
    pub failed_success: fn(&Value) -> Option<Classified>,
    /// How to find out whether creates without a response took effect.
    pub lookups: &'static [Lookup],
    /// Parses a manifest and redacts it; `None` if it cannot be parsed.
    pub redact_manifest: fn(&str) -> Option<RedactedManifest>,
}

/// A manifest without its secrets.
pub struct RedactedManifest {
    pub json: Value,
    pub yaml: String,
    /// The values that were redacted.
    pub secrets: Vec<Secret>,
}

/// A platform that a client can be built for; implemented by this crate alone.
pub trait Platform: sealed::Sealed {
    /// What only this platform's builder has.
    type Settings: Clone + Default + fmt::Debug;
    /// Its client.
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
