//! Where the token of a call comes from.

mod auth_header;
mod renewal;
mod token_store;

pub use token_store::{FileStore, TokenStore};

pub(crate) use renewal::Renewed;
pub(crate) use token_store::ErasedStore;

use super::Scope;
use super::builder::{process_environment, variable};
use crate::error::{BoxError, Error, Result};
use crate::secret::Secret;
use http::{HeaderName, HeaderValue};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

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

/// A token, and what belongs to it. `Debug` shows none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tokens {
    /// What goes out with every call, with or without the word in front of it.
    pub access: Secret,
    /// What a new one can be had for, if there is such a thing.
    pub refresh: Option<Secret>,
    /// When it ends to be valid, if that is known.
    pub expires_at: Option<SystemTime>,
}

impl Tokens {
    /// A token of which no more is known.
    pub fn new(access: impl Into<Secret>) -> Self {
        Self {
            access: access.into(),
            refresh: None,
            expires_at: None,
        }
    }

    /// Adds the token that a new one can be had for.
    pub fn refresh(mut self, token: impl Into<Secret>) -> Self {
        self.refresh = Some(token.into());
        self
    }

    /// Says how long it is valid from now on.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_at = SystemTime::now().checked_add(lifetime);
        self
    }
}

/// Gets tokens: by logging in, from a vault, by trading a refresh token.
///
/// Any `Fn(Option<Tokens>) -> impl Future<Output = Result<Tokens, BoxError>>` is one.
pub trait TokenSource: Send + Sync + 'static {
    /// Gets a token that is newer than `previous`, which is about to expire or was refused; `None` at
    /// the first call. It is never run twice at the same time for one client and its clones.
    ///
    /// It runs within the call that needs the token, and is dropped with that. If a half-done renewal
    /// would lose something, such as a refresh token that is good for one use, let it go on in a task.
    ///
    /// # Errors
    /// If no token can be obtained. The call that needed it ends with that error and shows its
    /// message, which must not contain a secret.
    fn obtain(
        &self,
        previous: Option<Tokens>,
    ) -> impl Future<Output = Result<Tokens, BoxError>> + Send;

    /// Whose tokens they are, such as an e-mail address, so that a store does not hand them to
    /// another account of the same platform. Default: there is one account.
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

pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = Result<T, BoxError>> + Send + 'a>>;

/// Obtains tokens for a client: a [`TokenSource`], or a login with the client itself.
pub(crate) trait Obtain: Send + Sync {
    fn obtain<'a>(&'a self, client: &'a Scope, previous: Option<Tokens>) -> Boxed<'a, Tokens>;
    fn account(&self) -> Option<String>;
}

impl<S: TokenSource> Obtain for S {
    fn obtain<'a>(&'a self, _: &'a Scope, previous: Option<Tokens>) -> Boxed<'a, Tokens> {
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
