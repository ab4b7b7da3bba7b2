//! Values that must not be seen: tokens, passwords, hidden variables, people's addresses.
//!
//! None of these types shows its value in `Debug`. What leaves the program does so on purpose: by
//! `expose()`, or inside a request that the transport sends.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::cell::Cell;
use std::fmt;

mod exposed;
mod url;
pub(crate) use exposed::Exposed;
pub(crate) use url::masked_url;
pub(crate) use url::{resolved, secrets_of, userinfo, without_userinfo};

/// What stands in the place of a secret wherever one is left out.
pub const REDACTED: &str = "<redacted>";

/// A token, password or hidden value; wiped from memory when dropped.
///
/// `Debug` never shows it, and neither does `Serialize`: only a request that is being sent contains
/// the value, so that logging or storing a reply as JSON does not give it away.
///
/// ```
/// let token = deploykit::Secret::new("hush");
/// assert_eq!(format!("{token:?}"), "Secret(<redacted>)");
/// assert_eq!(serde_json::to_string(&token).unwrap(), "\"<redacted>\"");
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
        serializer.serialize_str(if EXPOSING.get() {
            self.expose()
        } else {
            REDACTED
        })
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
    with_flag(true, write)
}

fn with_flag<T>(flag: bool, run: impl FnOnce() -> T) -> T {
    /// Puts the flag back when `run` panics, too.
    struct Reset(bool);
    impl Drop for Reset {
        fn drop(&mut self) {
            EXPOSING.set(self.0);
        }
    }
    let _reset = Reset(EXPOSING.replace(flag));
    run()
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

/// What stands in the place of [`Personal`].
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

/// Declares an address that may carry a secret: in front of its host, or in its query.
macro_rules! secret_url {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// `Debug`, `Display` and `Serialize` leave out who logs in, and the values in the query.
        #[derive(Clone, PartialEq, Eq, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The address with all that it carries.
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
                f.write_str(&masked_url(&self.0))
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
    /// The address of a git repository, which may carry a user name and a token.
    ///
    /// ```
    /// let url: deploykit::secret::GitUrl = serde_json::from_str("\"https://x:tok@git.example/a.git\"").unwrap();
    /// assert_eq!(url.to_string(), "https://<redacted>@git.example/a.git");
    /// assert_eq!(url.expose(), "https://x:tok@git.example/a.git");
    /// ```
    GitUrl
}

secret_url! {
    /// The address that a platform calls when something happens. As such calls are not signed, a secret
    /// stands in its query: [`CallbackSecret::attach`](crate::webhook::CallbackSecret::attach) puts one
    /// there.
    CallbackUrl
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_written_out_only_on_purpose() {
        let secret = Secret::new("hush");
        let masked = serde_json::to_string(&secret).unwrap();
        let wire = exposed(|| serde_json::to_string(&secret).unwrap());
        let after = serde_json::to_string(&secret).unwrap();
        assert_eq!(
            (masked.as_str(), wire.as_str(), after.as_str()),
            ("\"<redacted>\"", "\"hush\"", "\"<redacted>\"")
        );
    }

    #[test]
    fn a_panic_while_writing_puts_the_mask_back() {
        let caught = std::panic::catch_unwind(|| exposed(|| panic!("boom")));
        assert!(caught.is_err());
        assert!(!EXPOSING.get());
    }

    #[test]
    fn an_address_is_shown_without_its_secret() {
        let text = "\"https://u:hush@a.example/hook?secret=hush&v\"";
        let url: CallbackUrl = serde_json::from_str(text).unwrap();
        let shown = "https://<redacted>@a.example/hook?secret=<redacted>&<redacted>";
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("CallbackUrl({shown})"));
        assert_eq!(serde_json::to_value(&url).unwrap(), shown);
        assert_eq!(exposed(|| serde_json::to_string(&url)).unwrap(), text);
    }
}
