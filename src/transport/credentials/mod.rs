//! Where the token of a call comes from.

mod file_store;
mod renew;
mod scheme;
mod source;

pub use file_store::FileStore;
pub use source::{TokenSource, TokenStore, Tokens};

pub(crate) use renew::Renewed;
pub(crate) use source::{Boxed, ErasedStore, Obtain};

use super::config::{process_environment, variable};
use crate::error::{Error, Result};
use crate::secret::Secret;
use http::{HeaderName, HeaderValue};
use std::fmt;
use std::sync::Arc;

/// Where a client takes its token from.
///
/// ```no_run
/// use deploykit::{credentials::{Credentials, Tokens}};
///
/// # async fn ask_the_vault() -> Result<String, std::io::Error> { Ok(String::new()) }
/// let credentials = Credentials::renewed(|_previous: Option<Tokens>| async {
///     Ok(Tokens::new(ask_the_vault().await?))
/// });
/// # let _ = credentials;
/// ```
#[derive(Clone)]
pub struct Credentials(pub(crate) Given);

#[derive(Clone)]
pub(crate) enum Given {
    Fixed(Secret),
    Renewed(Arc<dyn Obtain>),
}

impl Credentials {
    /// A token that stays as it is.
    pub fn token(token: impl Into<Secret>) -> Self {
        Self(Given::Fixed(token.into()))
    }

    /// The token in an environment variable, read now.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the variable is missing or
    /// empty.
    pub fn from_env(name: &str) -> Result<Self> {
        variable(name, process_environment).map(Self::token)
    }

    /// Tokens from a source that is asked for the first, for the next before one expires, and for
    /// another when the platform answers 401.
    ///
    /// Calls that need a token at the same time ask once, all of them together. A call is repeated
    /// once with a new token; when that is refused too, the 401 is what it ends with.
    pub fn renewed(source: impl TokenSource) -> Self {
        Self::obtained_by(source)
    }

    pub(crate) fn obtained_by(source: impl Obtain + 'static) -> Self {
        Self(Given::Renewed(Arc::new(source)))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Given::Fixed(_) => "Credentials::token(<redacted>)",
            Given::Renewed(_) => "Credentials::renewed(..)",
        })
    }
}

/// The credentials of one client.
#[derive(Clone)]
pub(crate) enum Auth {
    None,
    /// A header and its whole value: `Authorization`, or `Cookie` for the session of a person.
    Header(HeaderName, HeaderValue),
    Renewed(Arc<Renewed>),
}

impl Auth {
    /// `place` is the platform and its address.
    pub fn new(
        scheme: &'static str,
        place: &str,
        given: Option<&Credentials>,
        store: Option<Arc<dyn ErasedStore>>,
    ) -> Result<Self> {
        match (given.map(|given| &given.0), store) {
            (None, None) => Ok(Self::None),
            (Some(Given::Fixed(token)), None) => Self::token(scheme, token),
            (Some(Given::Renewed(source)), store) => {
                let renewed = Renewed::new(scheme, place, source.clone(), store);
                Ok(Self::Renewed(Arc::new(renewed)))
            }
            (_, Some(_)) => Err(Error::configuration(
                "there is a token store, but nothing that would renew a token",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_without_a_source_is_a_mistake() {
        let store: Arc<dyn ErasedStore> = Arc::new(FileStore::new("unused"));
        let fixed = Credentials::token("a");
        for given in [None, Some(&fixed)] {
            let refused = Auth::new(
                "Bearer",
                "dployr https://a.example",
                given,
                Some(store.clone()),
            );
            assert!(refused.is_err());
        }
    }
}
