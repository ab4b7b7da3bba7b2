//! What a platform sends to an address of the user's, without I/O.

use serde_json::Value;

use crate::model::Platform;

/// One call to an address of the user's: a POST with a JSON body. It is made once, whatever comes of it.
/// Its `Debug` shows neither the address nor the body.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Webhook {
    /// Which platform calls.
    pub platform: Platform,
    /// The address, as the user gave it.
    pub url: String,
    /// What is sent.
    pub body: Value,
}

impl Webhook {
    pub(crate) fn new(platform: Platform, url: &str, body: Value) -> Self {
        Self {
            platform,
            url: url.to_owned(),
            body,
        }
    }
}
