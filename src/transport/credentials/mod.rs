//! Credentials: fixed tokens, token sources, renewal and token stores.

mod auth_header;
mod renewal;
mod token_store;

pub use token_store::{FileStore, TokenStore};

pub(crate) use renewal::RenewedTokens;
pub(crate) use token_store::ErasedStore;

use super::Scope;
use super::builder::{process_environment, variable};
use crate::error::{BoxError, Error, Result};
use crate::secret::Secret;
use http::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The credentials of a client: a fixed token, or tokens that are renewed.
///
/// ```
/// use deploykit::{credentials::{Credentials, Tokens}};
///
/// # async fn read_from_vault() -> Result<String, std::io::Error> { Ok(String::new()) }
/// let credentials = Credentials::renewed(|_previous: Option<Tokens>| async {
///     Ok(Tokens::new(read_from_vault().await?))
/// });
/// # let _ = credentials;
/// ```
#[derive(Clone)]
pub struct Credentials(Origin);

#[derive(Clone)]
enum Origin {
    Fixed(Secret),
    Renewed(Arc<dyn Obtain>),
}

impl Credentials {
    /// A fixed token.
    pub fn token(token: impl Into<Secret>) -> Self {
        Self(Origin::Fixed(token.into()))
    }

    /// The token in an environment variable, read now.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the variable is missing or
    /// empty.
    pub fn from_env(name: &str) -> Result<Self> {
        variable(name, process_environment).map(Self::token)
    }

    /// Tokens from a source. Used for the first call, before a token expires, and after a 401.
    ///
    /// Concurrent calls share one renewal. A call that gets a 401 is retried once with a new token; a
    /// second 401 is returned.
    pub fn renewed(source: impl TokenSource) -> Self {
        Self::obtained_by(source)
    }

    pub(crate) fn obtained_by(source: impl Obtain + 'static) -> Self {
        Self(Origin::Renewed(Arc::new(source)))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Origin::Fixed(_) => "Credentials::token(<redacted>)",
            Origin::Renewed(_) => "Credentials::renewed(..)",
        })
    }
}

/// An access token with its refresh token and expiry. `Debug` shows no token, and `Serialize` fails: in a
/// [`TokenStore`] of your own, serialize the values of `expose()`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tokens {
    /// The token of every call, with or without its prefix.
    pub access: Secret,
    /// The refresh token, if there is one.
    pub refresh: Option<Secret>,
    /// The expiry, if it is known.
    pub expires_at: Option<SystemTime>,
}

impl Tokens {
    /// An access token without refresh token and expiry.
    pub fn new(access: impl Into<Secret>) -> Self {
        Self {
            access: access.into(),
            refresh: None,
            expires_at: None,
        }
    }

    /// Sets the refresh token.
    pub fn refresh(mut self, token: impl Into<Secret>) -> Self {
        self.refresh = Some(token.into());
        self
    }

    /// Sets the expiry, from now.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_at = SystemTime::now().checked_add(lifetime);
        self
    }
}

/// Obtains tokens: by a login, from a vault, or with a refresh token.
///
/// Implemented for `Fn(Option<Tokens>) -> impl Future<Output = Result<Tokens, BoxError>>`.
pub trait TokenSource: Send + Sync + 'static {
    /// Obtains a new token. `previous` is the token that expires soon or was rejected; `None` at first.
    ///
    /// Never runs concurrently for one client and its clones.
    ///
    /// The future is dropped with the call that needs the token. Spawn a task if an interrupted renewal
    /// would lose a refresh token that can be used only once.
    ///
    /// # Errors
    /// If no token can be obtained. The call then fails. Its error shows the message, which must not
    /// contain a secret. If it is an [`Error`] of a login that the platform rejected, all calls fail for a
    /// minute without another attempt.
    fn obtain(
        &self,
        previous: Option<Tokens>,
    ) -> impl Future<Output = Result<Tokens, BoxError>> + Send;

    /// The account that the tokens belong to, such as an e-mail address. Default: `None`.
    ///
    /// A token store uses it to distinguish the accounts of a platform.
    fn account(&self) -> Option<String> {
        None
    }
}

impl<F, R> TokenSource for F
where
    F: Fn(Option<Tokens>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Tokens, BoxError>> + Send,
{
    fn obtain(
        &self,
        previous: Option<Tokens>,
    ) -> impl Future<Output = Result<Tokens, BoxError>> + Send {
        self(previous)
    }
}

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// Obtains tokens: from a [`TokenSource`], or by a login with the client itself.
pub(crate) trait Obtain: Send + Sync {
    fn obtain<'a>(&'a self, client: &'a Scope, previous: Option<Tokens>) -> BoxFuture<'a, Tokens>;
    fn account(&self) -> Option<String>;
}

impl<S: TokenSource> Obtain for S {
    fn obtain<'a>(&'a self, _: &'a Scope, previous: Option<Tokens>) -> BoxFuture<'a, Tokens> {
        Box::pin(TokenSource::obtain(self, previous))
    }

    fn account(&self) -> Option<String> {
        TokenSource::account(self)
    }
}

/// The credentials of one client.
#[derive(Clone)]
pub(crate) enum Auth {
    None,
    /// A header with its value: `Authorization`, or `Cookie` for a login session.
    Header(HeaderName, HeaderValue),
    Renewed(Arc<RenewedTokens>),
}

impl Auth {
    /// `server` is the platform and its base URL.
    pub fn new(
        scheme: &'static str,
        server: &str,
        credentials: Option<&Credentials>,
        store: Option<Arc<dyn ErasedStore>>,
    ) -> Result<Self> {
        match (credentials.map(|credentials| &credentials.0), store) {
            (None, None) => Ok(Self::None),
            (Some(Origin::Fixed(token)), None) => Self::token(scheme, token),
            (Some(Origin::Renewed(source)), store) => {
                let tokens = RenewedTokens::new(scheme, server, source.clone(), store);
                Ok(Self::Renewed(Arc::new(tokens)))
            }
            (_, Some(_)) => Err(Error::configuration(
                "a token store needs renewed credentials: use Credentials::renewed()",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_without_a_source_is_an_error() {
        let store: Arc<dyn ErasedStore> = Arc::new(FileStore::new("unused"));
        let fixed = Credentials::token("a");
        for credentials in [None, Some(&fixed)] {
            let auth = Auth::new(
                "Bearer",
                "dployr https://a.example",
                credentials,
                Some(store.clone()),
            );
            assert!(auth.is_err());
        }
    }
}
