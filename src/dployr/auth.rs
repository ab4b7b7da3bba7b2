//! Getting a token.

use super::client::check_text;
use super::{Client, shapes::Single};
use crate::call::Call;
use crate::error::Result;
use crate::raw::dployr::{Op, types};
use crate::secret::Secret;
use crate::transport::credentials::{TokenError, TokenSource, Tokens};
use std::time::Duration;

/// The tokens of a login. `Debug` shows none of them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenPair {
    /// The token for all other calls: see [`Client::with_token`].
    pub access_token: Secret,
    /// A token to get a new access token with. The vendor's page shows no call that takes it.
    pub refresh_token: Option<Secret>,
    /// How long the access token lives, from the login on.
    pub expires_in: Option<Duration>,
}

impl Client {
    /// Trades a password for tokens: `POST /v1/auth/login`. It carries no token of this client.
    ///
    /// The open-source control plane has no passwords and no such route. There, make a personal
    /// access token (`dpat_…`) and give it to the client.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty e-mail address or password,
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) for wrong ones,
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from a server without passwords, and those of
    /// every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn login(&self, email: impl Into<String>, password: impl Into<Secret>) -> Call<TokenPair> {
        let (email, password) = (email.into(), password.into());
        let op = Op::Login;
        let checked = check(&email, &password).and_then(|()| self.without_token());
        let client = match checked {
            Err(error) => return self.refused(op, error),
            Ok(client) => client,
        };
        let body = types::LoginRequest { email, password };
        client
            .call(op, move |raw| async move { raw.login(&body).await })
            .map(|reply: Single<types::LoginReply>| reply.into_inner().into())
    }
}

/// Logs in for every token, as nothing else is known to give one.
pub(super) struct PasswordLogin {
    client: Client,
    email: String,
    password: Secret,
}

impl PasswordLogin {
    pub fn new(client: Client, email: String, password: Secret) -> Self {
        Self {
            client,
            email,
            password,
        }
    }
}

impl TokenSource for PasswordLogin {
    async fn obtain(&self, _previous: Option<Tokens>) -> std::result::Result<Tokens, TokenError> {
        let login = self.client.login(&self.email, self.password.clone());
        Ok(login.await?.into())
    }

    fn account(&self) -> Option<String> {
        Some(self.email.clone())
    }
}

impl From<TokenPair> for Tokens {
    fn from(pair: TokenPair) -> Self {
        let mut tokens = Self::new(pair.access_token);
        if let Some(lifetime) = pair.expires_in {
            tokens = tokens.expires_in(lifetime);
        }
        if let Some(refresh) = pair.refresh_token {
            tokens = tokens.refresh(refresh);
        }
        tokens
    }
}

fn check(email: &str, password: &Secret) -> Result<()> {
    check_text("e-mail address", email)?;
    if password.is_empty() {
        return Err(crate::Error::invalid_request("the password is empty"));
    }
    Ok(())
}

impl From<types::LoginReply> for TokenPair {
    fn from(reply: types::LoginReply) -> Self {
        Self {
            access_token: reply.access_token,
            refresh_token: reply.refresh_token.filter(|token| !token.is_empty()),
            expires_in: reply
                .expires_in
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map(Duration::from_secs),
        }
    }
}
