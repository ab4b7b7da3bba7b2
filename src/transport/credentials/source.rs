//! What a program brings along to renew and to keep tokens.

use crate::error::BoxError;
use crate::secret::Secret;
use crate::transport::Scope;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

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

/// Keeps tokens across processes, so that not each of them has to log in.
///
/// Before a token is renewed the store is asked: another process may have done it already.
///
/// `owner` names whose tokens they are: platform, address, and account if one is known. It holds no
/// secret. Tokens that were kept for another owner must not be given out: they would be sent to a host
/// that they are not for.
pub trait TokenStore: Send + Sync + 'static {
    /// What was kept last, if anything.
    ///
    /// # Errors
    /// When it cannot be read. The call goes on with the source.
    fn load(&self, owner: &str) -> impl Future<Output = Result<Option<Tokens>, BoxError>> + Send;

    /// Keeps these in the place of what was kept.
    ///
    /// # Errors
    /// When it cannot be written. The call goes on with the tokens it has.
    fn save(
        &self,
        owner: &str,
        tokens: &Tokens,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;
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

/// [`TokenStore`] as an object.
pub(crate) trait ErasedStore: Send + Sync {
    fn load<'a>(&'a self, owner: &'a str) -> Boxed<'a, Option<Tokens>>;
    fn save<'a>(&'a self, owner: &'a str, tokens: &'a Tokens) -> Boxed<'a, ()>;
}

impl<S: TokenStore> ErasedStore for S {
    fn load<'a>(&'a self, owner: &'a str) -> Boxed<'a, Option<Tokens>> {
        Box::pin(TokenStore::load(self, owner))
    }

    fn save<'a>(&'a self, owner: &'a str, tokens: &'a Tokens) -> Boxed<'a, ()> {
        Box::pin(TokenStore::save(self, owner, tokens))
    }
}
