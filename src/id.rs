//! Typed ids.
//!
//! An id is checked before it becomes a path segment: `..` or an empty segment would reach another
//! endpoint.

use crate::error::Error;

/// Rejects text that would change the path of a request.
pub(crate) fn check(name: &'static str, id: &str) -> Result<(), Error> {
    let problem = if id.trim().is_empty() {
        "is empty"
    } else if id == "." || id == ".." {
        "is a relative path"
    } else if id.contains(['/', '\\', '?', '#']) {
        "contains one of / \\ ? #"
    } else if id.chars().any(char::is_control) {
        "contains a control character"
    } else {
        return Ok(());
    };
    Err(Error::invalid_request(format!(
        "the {name} {id:?} {problem}, so it cannot be part of a path"
    )))
}

/// A checked id, or the reason why it is invalid: a handle reports the reason at its first call.
pub(crate) type CheckedId<I> = std::result::Result<I, String>;

/// Implemented by all types that [`id!`] declares.
pub(crate) trait Id: AsRef<str> {
    /// Rejects text that cannot be such an id.
    fn check(text: &str) -> Result<(), Error>;
}

/// Converts and checks an id that a caller passed. An id from a response was not checked before.
pub(crate) fn checked<I: Id>(id: impl TryInto<I, Error: Into<Error>>) -> CheckedId<I> {
    let id = id.try_into().map_err(Into::into).and_then(|id| {
        I::check(id.as_ref())?;
        Ok(id)
    });
    id.map_err(|error: Error| error.message().unwrap_or_default().to_owned())
}

/// Declares typed ids that become path segments. With a function as third argument, declares one id, which
/// this function checks.
macro_rules! id {
    ($($(#[$doc:meta])* $name:ident, $description:literal;)+) => {$(
        crate::id::id! {
            $(#[$doc])*
            ///
            /// A request rejects the empty string, `.`, `..`, the characters `/ \ ? #` and control
            /// characters. An id in a response is kept as the platform wrote it.
            $name, $description, crate::id::check
        }
    )+};
    ($(#[$doc:meta])* $name:ident, $description:literal, $check:path) => {
        $(#[$doc])*
        #[derive(
            Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize, serde::Serialize,
        )]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks an id.
            ///
            /// # Errors
            /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid id.
            pub fn new(id: impl Into<String>) -> crate::Result<Self> {
                let id = id.into();
                $check($description, &id)?;
                Ok(Self(id))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl crate::id::Id for $name {
            fn check(text: &str) -> crate::Result<()> {
                $check($description, text)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $name {
            type Error = crate::Error;

            fn try_from(id: &str) -> crate::Result<Self> {
                Self::new(id)
            }
        }

        impl TryFrom<String> for $name {
            type Error = crate::Error;

            fn try_from(id: String) -> crate::Result<Self> {
                Self::new(id)
            }
        }

        impl TryFrom<&String> for $name {
            type Error = crate::Error;

            fn try_from(id: &String) -> crate::Result<Self> {
                Self::new(id.as_str())
            }
        }

        impl From<&$name> for $name {
            fn from(id: &$name) -> Self {
                id.clone()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<&$name> for String {
            fn from(id: &$name) -> Self {
                id.0.clone()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, text: &str) -> bool {
                self.0 == text
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, text: &&str) -> bool {
                self.0 == *text
            }
        }
    };
}
pub(crate) use id;

#[cfg(test)]
mod tests {
    use crate::ErrorKind;

    id! {
        /// A test id.
        TestId, "test id";
    }

    #[test]
    fn text_that_changes_the_path_is_refused() {
        for bad in [
            "", " ", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\nb", "a\0",
        ] {
            let error = TestId::new(bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{bad:?}");
            assert!(error.to_string().contains("test id"), "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }

    #[test]
    fn text_that_can_be_percent_encoded_is_kept() {
        let long = "x".repeat(300);
        for good in ["a", "a b", "%2e", "ünïcode", "a:b@c", "...", long.as_str()] {
            assert_eq!(TestId::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn an_id_of_a_response_is_checked_when_it_is_used() {
        let id: TestId = serde_json::from_str(r#""../users""#).unwrap();
        assert_eq!(id, "../users");
        let reason = super::checked::<TestId>(&id).unwrap_err();
        assert!(reason.contains("test id"), "{reason}");
    }
}
