//! URLs that may contain a secret: user info, query and fragment are redacted.

use super::{REDACTED, Secret, is_exposing};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;

/// Declares a URL type that redacts user info, query and fragment.
macro_rules! secret_url {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// `Debug`, `Display` and `Serialize` redact user info, query and fragment, and the whole text
        /// if it is not a URL.
        #[derive(Clone, PartialEq, Eq, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The whole URL, unredacted.
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
                if is_exposing() {
                    serializer.serialize_str(&self.0)
                } else {
                    serializer.collect_str(self)
                }
            }
        }
    };
}

secret_url! {
    /// The URL of a git repository, which may contain a user name and a token.
    ///
    /// ```
    /// let url: deploykit::secret::GitUrl = serde_json::from_str("\"https://x:tok@git.example/a.git\"").unwrap();
    /// assert_eq!(url.to_string(), "https://<redacted>@git.example/a.git");
    /// assert_eq!(url.expose(), "https://x:tok@git.example/a.git");
    /// ```
    GitUrl
}

secret_url! {
    /// A webhook URL, which a platform calls to report an event.
    ///
    /// Platforms do not sign these calls, so put a secret into the query: see
    /// [`CallbackSecret::attach`](crate::webhook::CallbackSecret::attach).
    CallbackUrl
}

/// Redacts user info, query and fragment of a URL, and the whole text if it is not a URL.
pub(crate) fn redacted_url(text: &str) -> String {
    let Some(url) = parse(text) else {
        return REDACTED.to_owned();
    };
    if !has_login(&url) && url.query().is_none() && url.fragment().is_none() {
        return text.to_owned();
    }
    let mut shown = format!("{}://", url.scheme());
    if has_login(&url) {
        shown.push_str(&format!("{REDACTED}@"));
    }
    shown.push_str(url.host_str().unwrap_or_default());
    shown.extend(url.port().map(|port| format!(":{port}")));
    shown.push_str(url.path());
    if url.query().is_some() {
        shown.push_str(&format!("?{REDACTED}"));
    }
    if url.fragment().is_some() {
        shown.push_str(&format!("#{REDACTED}"));
    }
    shown
}

/// The values that [`redacted_url`] redacts, decoded: a server may repeat them in a message.
pub(crate) fn secrets_of_url(text: &str) -> Vec<Secret> {
    let (start, fragment) = text.split_once('#').unwrap_or((text, ""));
    let query = start.split_once('?').map_or("", |(_, query)| query);
    let mut found = vec![percent_decoded(fragment), Secret::new(query)];
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        // `?token` has a secret as its name.
        let secret = if value.is_empty() { name } else { value };
        found.push(Secret::new(secret));
    }
    if let Some(url) = parse(text) {
        let login = [url.username(), url.password().unwrap_or_default()];
        found.extend(login.into_iter().map(percent_decoded));
    } else {
        // Git also accepts `user:password@host:path`.
        let login = text.rsplit_once('@').map_or("", |(login, _)| login);
        found.extend(login.split([':', '/']).map(Secret::new));
        found.push(Secret::new(text));
    }
    found
}

pub(crate) fn percent_decoded(text: &str) -> Secret {
    Secret::new(percent_decode_str(text).decode_utf8_lossy())
}

/// Parses a URL with a host, or of a file. Without this check, `user:password@host` and `user:/word@host`
/// would be URLs with the scheme `user`.
fn parse(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (url.has_host() || url.scheme() == "file").then_some(url)
}

pub(crate) fn has_login(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::expose_secrets;

    #[test]
    fn user_info_query_and_fragment_are_redacted() {
        for (url, shown, secret) in [
            ("https://git.example/a@b", "https://git.example/a@b", ""),
            (
                "https://u:hu%2Fsh@a.example:8443/b",
                "https://<redacted>@a.example:8443/b",
                "hu/sh",
            ),
            (
                "https://hush@a.example",
                "https://<redacted>@a.example/",
                "hush",
            ),
            (
                "ssh://git@a.example/b",
                "ssh://<redacted>@a.example/b",
                "git",
            ),
            (
                "postgres://u:hu\\sh@db/x",
                "postgres://<redacted>@db/x",
                "hu\\sh",
            ),
            (
                "https:/u:hush@a.example",
                "https://<redacted>@a.example/",
                "hush",
            ),
            ("https://a/?k=hu%20sh", "https://a/?<redacted>", "hu sh"),
            ("https://a/?hush", "https://a/?<redacted>", "hush"),
            ("https://a/x#hush", "https://a/x#<redacted>", "hush"),
            (" HTTPS:u:hush@a\n", "https://<redacted>@a/", "hush"),
            ("file:///srv/a.git", "file:///srv/a.git", ""),
            // Not URLs.
            ("git@git.example:a.git", REDACTED, "git@git.example:a.git"),
            ("u:hush@git.example/a.git", REDACTED, "hush"),
            ("u:/hush@git.example/a.git", REDACTED, "hush"),
            ("//u:hush@git.example/a.git", REDACTED, "hush"),
            ("htps:/git.example/a?token=hush", REDACTED, "hush"),
            ("hush", REDACTED, "hush"),
        ] {
            assert_eq!(redacted_url(url), shown);
            let found = secrets_of_url(url);
            assert!(found.contains(&Secret::new(secret)), "{url}: no {secret}");
        }
    }

    #[test]
    fn url_types_are_redacted_outside_a_request() {
        let text = "\"https://u:hush@a.example/hook?secret=hush&v\"";
        let url: CallbackUrl = serde_json::from_str(text).unwrap();
        let shown = "https://<redacted>@a.example/hook?<redacted>";
        assert_eq!(url.to_string(), shown);
        assert_eq!(format!("{url:?}"), format!("CallbackUrl({shown})"));
        assert_eq!(serde_json::to_value(&url).unwrap(), shown);
        assert_eq!(
            expose_secrets(|| serde_json::to_string(&url)).unwrap(),
            text
        );
    }
}
