//! Ids that go into a path. They are checked when they are made, because a path segment such as `..`
//! or an empty one would reach another endpoint of the platform.

use crate::error::Error;

/// Refuses what would change the path of a request.
pub(crate) fn check(what: &'static str, id: &str) -> Result<(), Error> {
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
        "the {what} {id:?} {problem}, so it cannot stand in a path"
    )))
}

/// An id, or why it cannot be one: a handle reports it at its first call, a builder at the end.
pub(crate) type Given<I> = std::result::Result<I, String>;

/// An id as a caller gave it.
pub(crate) fn given<I, T>(id: T) -> Given<I>
where
    T: TryInto<I>,
    T::Error: Into<crate::Error>,
{
    id.try_into().map_err(|error| {
        let error: crate::Error = error.into();
        error.message().unwrap_or_default().to_owned()
    })
}

/// Declares an id: a string that is safe as one segment of a path.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        ///
        /// Refuses the empty string, `.`, `..`, the characters `/ \ ? #` and control characters.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Checks and keeps an id.
            ///
            /// # Errors
            /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when the id could
            /// not stand in a path.
            pub fn new(id: impl Into<String>) -> crate::Result<Self> {
                let id = id.into();
                crate::id::check($what, &id)?;
                Ok(Self(id))
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
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

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> std::result::Result<Self, D::Error> {
                let id = <String as serde::Deserialize>::deserialize(d)?;
                Self::new(id).map_err(serde::de::Error::custom)
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
        TestId, "test id"
    }

    #[test]
    fn what_changes_a_path_is_refused() {
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
    fn what_can_be_encoded_is_kept() {
        let long = "x".repeat(300);
        for good in ["a", "a b", "%2e", "ünïcode", "a:b@c", "...", long.as_str()] {
            assert_eq!(TestId::new(good).unwrap().as_str(), good);
        }
    }
}
