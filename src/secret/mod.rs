//! Secret values: tokens, passwords, variables, URLs with credentials, personal data.
//!
//! None of these types shows its value in `Debug`. A value leaves the program only by `expose()`, or
//! inside a request that the transport sends.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

mod url;
pub use url::{CallbackUrl, GitUrl};
pub(crate) use url::{redacted_url, secrets_of_url};

/// Replaces a secret in everything that is shown.
pub const REDACTED: &str = "<redacted>";

/// A token, password or hidden value; wiped from memory when dropped.
///
/// `Debug` never shows it. Only a request that is being sent contains the value: serialising a secret
/// elsewhere, alone or in a record, is an error. To store a secret, serialise what
/// [`expose`](Self::expose) returns.
///
/// ```
/// let token = deploykit::Secret::new("hush");
/// assert_eq!(format!("{token:?}"), "Secret(<redacted>)");
/// assert!(serde_json::to_string(&token).is_err());
/// assert_eq!(token.expose(), "hush");
/// ```
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Whether there is nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.expose().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({REDACTED})")
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::new(value)
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::new(value)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !EXPOSING.get() {
            return Err(serde::ser::Error::custom(
                "a Secret is serialised only inside a request; use expose() to serialise its value",
            ));
        }
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

thread_local! {
    /// Set only while the transport itself is polled, which is when it writes a request.
    static EXPOSING: Cell<bool> = const { Cell::new(false) };
}

/// Whether secrets are written out now.
pub(crate) fn is_exposing() -> bool {
    EXPOSING.get()
}

/// Runs `write` with secrets written out, for a request that is about to be sent.
pub(crate) fn exposed<T>(write: impl FnOnce() -> T) -> T {
    /// Puts the flag back when `write` panics, too.
    struct Reset(bool);
    impl Drop for Reset {
        fn drop(&mut self) {
            EXPOSING.set(self.0);
        }
    }
    let _reset = Reset(EXPOSING.replace(true));
    write()
}

/// Ends the exposure early: the request is written, and what runs from here on may log.
pub(crate) fn conceal() {
    EXPOSING.set(false);
}

/// An e-mail address or name of a person in a reply: kept out of `Debug` and `Serialize`, which end
/// up in logs.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct PersonalData(String);

impl PersonalData {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PersonalData {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Replaces [`PersonalData`] data in everything that is shown.
const PERSONAL: &str = "<personal>";

impl fmt::Debug for PersonalData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PersonalData({PERSONAL})")
    }
}

impl Serialize for PersonalData {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if EXPOSING.get() {
            self.as_str()
        } else {
            PERSONAL
        })
    }
}

/// A future whose first poll may serialise secrets: the generated client writes its request in that
/// poll, and nothing after it.
pub struct Exposed<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    polled: bool,
}

impl<'a, T> Exposed<'a, T> {
    pub(crate) fn new(future: Pin<Box<dyn Future<Output = T> + Send + 'a>>) -> Self {
        Self {
            future,
            polled: false,
        }
    }
}

impl<T> Future for Exposed<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        if std::mem::replace(&mut self.polled, true) {
            return self.future.as_mut().poll(context);
        }
        exposed(|| self.future.as_mut().poll(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_serialised_only_inside_a_request() {
        let secret = Secret::new("hush");
        let wire = exposed(|| serde_json::to_string(&secret).unwrap());
        assert_eq!(wire, "\"hush\"");
        let refused = serde_json::to_string(&secret).unwrap_err().to_string();
        assert!(refused.contains("expose()"), "{refused}");
        assert!(!refused.contains("hush"), "{refused}");
    }

    #[test]
    fn a_panic_inside_a_request_ends_exposing() {
        let caught = std::panic::catch_unwind(|| exposed(|| panic!("boom")));
        assert!(caught.is_err());
        assert!(!EXPOSING.get());
    }
}
