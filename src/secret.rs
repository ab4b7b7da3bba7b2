//! Secret values: tokens, passwords, variables, URLs with credentials, personal data.
//!
//! None of these types shows its value in `Debug`. A value leaves the program only by `expose()`, or
//! inside a request that the transport sends.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::fmt;

mod exposed;
mod url;
pub(crate) use exposed::Exposed;
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
pub struct Personal(String);

impl Personal {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Personal {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// Replaces [`Personal`] data in everything that is shown.
const PERSONAL: &str = "<personal>";

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Personal({PERSONAL})")
    }
}

impl Serialize for Personal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if EXPOSING.get() {
            self.as_str()
        } else {
            PERSONAL
        })
    }
}

/// Declares a URL type that redacts user info, query and fragment.
macro_rules! secret_url {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// `Debug`, `Display` and `Serialize` redact user info, query and fragment; text that is not
        /// a URL is redacted as a whole.
        #[derive(Clone, PartialEq, Eq, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The whole URL.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(url: String) -> Self {
                Self(url)
            }
        }

        impl From<&String> for $name {
            fn from(url: &String) -> Self {
                Self(url.clone())
            }
        }

        impl From<&str> for $name {
            fn from(url: &str) -> Self {
                Self(url.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&redacted_url(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if EXPOSING.get() {
                    serializer.serialize_str(&self.0)
                } else {
                    serializer.collect_str(self)
                }
            }
        }
    };
}

secret_url! {
    /// The URL of a git repository, which may hold a user name and a token.
    ///
    /// ```
    /// let url: deploykit::secret::GitUrl = serde_json::from_str("\"https://x:tok@git.example/a.git\"").unwrap();
    /// assert_eq!(url.to_string(), "https://<redacted>@git.example/a.git");
    /// assert_eq!(url.expose(), "https://x:tok@git.example/a.git");
    /// ```
    GitUrl
}

secret_url! {
    /// A URL that a platform calls when something happens. Such calls are not signed, so the query holds
    /// a secret: see [`CallbackSecret::attach`](crate::webhook::CallbackSecret::attach).
    CallbackUrl
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

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        let text = "\"https://u:hush@a.example/hook?secret=hush&v\"";
        let url: CallbackUrl = serde_json::from_str(text).unwrap();
        let shown = "https://<redacted>@a.example/hook?<redacted>";
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("CallbackUrl({shown})"));
        assert_eq!(serde_json::to_value(&url).unwrap(), shown);
        assert_eq!(exposed(|| serde_json::to_string(&url)).unwrap(), text);
    }
}
