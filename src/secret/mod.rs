//! Secret values: tokens, passwords, URLs with credentials, personal data.
//!
//! `Debug` redacts all of these types. To read a value, call `expose()`, or `as_str()` for personal data.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::LocalKey;

mod url;
pub use url::{CallbackUrl, GitUrl};
pub(crate) use url::{has_login, percent_decoded, redacted_url, secrets_of_url};

/// Replacement for a secret in all output.
pub const REDACTED: &str = "<redacted>";

/// A token, password or hidden value; wiped from memory when dropped.
///
/// `Debug` redacts it. Only requests contain the value: serializing a secret elsewhere, alone or in a
/// record, is an error. To store a secret, serialize the result of [`expose`](Self::expose).
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

    /// Whether the value is empty.
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
                "a Secret is serialized only inside a request; use expose() to serialize its value",
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
    /// Whether secrets are serialized as text: only while a request is written.
    static EXPOSING: Cell<bool> = const { Cell::new(false) };
}

/// Whether secrets are serialized as text now.
pub(crate) fn is_exposing() -> bool {
    EXPOSING.get()
}

/// Runs `write`, during which secrets are serialized as text.
pub(crate) fn expose_secrets<T>(write: impl FnOnce() -> T) -> T {
    with_local(&EXPOSING, true, write)
}

/// Runs `run` while a thread-local has this value. Restores the old value, also after a panic.
pub(crate) fn with_local<V: Copy + 'static, T>(
    local: &'static LocalKey<Cell<V>>,
    value: V,
    run: impl FnOnce() -> T,
) -> T {
    struct Reset<V: Copy + 'static>(&'static LocalKey<Cell<V>>, V);
    impl<V: Copy + 'static> Drop for Reset<V> {
        fn drop(&mut self) {
            self.0.set(self.1);
        }
    }
    let _reset = Reset(local, local.replace(value));
    run()
}

/// Ends [`expose_secrets`] early: the request is written, and later code may log.
pub(crate) fn conceal_secrets() {
    EXPOSING.set(false);
}

/// An e-mail address or name of a person in a response.
///
/// Redacted in `Debug` and `Serialize`, which end up in logs.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(transparent)]
pub struct PersonalData(String);

impl PersonalData {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PersonalData {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Replacement for [`PersonalData`] in all output.
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

/// A future that may serialize secrets in its first poll.
///
/// The generated client writes its request in that poll.
pub struct ExposingFuture<'a, T> {
    future: Pin<Box<dyn Future<Output = T> + Send + 'a>>,
    polled: bool,
}

impl<'a, T> ExposingFuture<'a, T> {
    pub(crate) fn new(future: Pin<Box<dyn Future<Output = T> + Send + 'a>>) -> Self {
        Self {
            future,
            polled: false,
        }
    }
}

impl<T> Future for ExposingFuture<'_, T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        if std::mem::replace(&mut self.polled, true) {
            return self.future.as_mut().poll(context);
        }
        expose_secrets(|| self.future.as_mut().poll(context))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_serialized_only_inside_a_request() {
        let secret = Secret::new("hush");
        let wire = expose_secrets(|| serde_json::to_string(&secret).unwrap());
        assert_eq!(wire, "\"hush\"");
        let refused = serde_json::to_string(&secret).unwrap_err().to_string();
        assert!(refused.contains("expose()"), "{refused}");
        assert!(!refused.contains("hush"), "{refused}");
    }

    #[test]
    fn a_panic_while_a_request_is_written_conceals_secrets_again() {
        let caught = std::panic::catch_unwind(|| expose_secrets(|| panic!("boom")));
        assert!(caught.is_err());
        assert!(!EXPOSING.get());
    }
}
