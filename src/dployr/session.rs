//! Logins: by password, by e-mail code, or by the identity token of a CI job.

use super::Client;
use super::client::check_text;
use crate::call::{Call, step};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::raw::dployr::{Op, types};
use crate::secret::{PersonalData, Secret};
use crate::transport::Scope;
use crate::transport::credentials::{Auth, BoxFuture, Obtain, Tokens};
use http::HeaderMap;
use http::header::SET_COOKIE;
use std::time::Duration;

/// The cookie that holds the id of a session.
const COOKIE: &str = "session";
/// With this value of `client`, the hosted server skips the check that the client is a human.
const CLIENT_KIND: &str = "cli";

/// The tokens of a login. `Debug` redacts them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenPair {
    /// Access token: see [`Client::with_token`].
    pub access_token: Secret,
    /// Refresh token. No documented operation accepts it.
    pub refresh_token: Option<Secret>,
    /// Lifetime of the access token, from the login.
    pub expires_in: Option<Duration>,
}

/// A session of a user or of a CI job. `Debug` redacts its id.
///
/// Use it instead of a token with [`Client::with_session`]. [`Client::api_tokens`] requires one. The
/// control plane does not extend a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginSession {
    /// Id of the session. It gives all rights of the user: keep it like a password.
    pub id: Secret,
    /// Lifetime, if known: seven days for a user, one hour for a CI job.
    pub expires_in: Option<Duration>,
}

/// A login code that was sent by e-mail; returned by [`Client::login_by_email`].
#[derive(Clone, Debug)]
pub struct CodeSent {
    client: Client,
    email: PersonalData,
    needs_second_factor: bool,
}

impl CodeSent {
    /// Whether the user has a second factor. If so, [`verify`](Self::verify) takes its code or a backup
    /// code instead of the e-mailed one.
    pub fn needs_second_factor(&self) -> bool {
        self.needs_second_factor
    }

    /// Exchanges the code for a session: `POST /v1/auth/login/email/verify`.
    ///
    /// # Errors
    /// As [`Client::verify_login_code`].
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth.ts>
    pub fn verify(&self, code: impl Into<Secret>) -> Call<LoginSession> {
        self.client.verify_login_code(self.email.as_str(), code)
    }
}

impl Client {
    /// Logs in with a password: `POST /v1/auth/login`, without this client's token.
    ///
    /// The control plane has no passwords. Create a personal access token (`dpat_…`) there.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty e-mail address or password,
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) for wrong credentials, and
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from a server without passwords.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn login(&self, email: impl Into<String>, password: impl Into<Secret>) -> Call<TokenPair> {
        let (email, password) = (email.into(), password.into());
        let client = self.without_token();
        client.call(Op::Login, |raw| async move {
            check_text("e-mail address", &email)?;
            not_empty("password", &password)?;
            let reply = raw
                .login(&types::LoginRequest::new(email, password))
                .await?;
            let tokens = reply.into_inner().0;
            Ok(TokenPair {
                access_token: tokens.access_token,
                refresh_token: tokens.refresh_token.filter(|token| !token.is_empty()),
                expires_in: seconds(tokens.expires_in),
            })
        })
    }

    /// Sends a login code by e-mail: `POST /v1/auth/login/email?client=cli`, without a token.
    ///
    /// An unknown address creates a new user.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let sandbox = deploykit_sandbox::Sandbox::builder();
    /// # let sandbox = sandbox.dployr_dialect(deploykit_sandbox::Dialect::ControlPlane).in_process();
    /// # let (dployr, read) = (sandbox.dployr()?, || sandbox.dployr_access().login_code);
    /// use deploykit::dployr::NewApiToken;
    /// let sent = dployr.login_by_email("owner@example.com").await?;
    /// let session = sent.verify(read()).await?;
    /// let dployr = dployr.with_session(session.id)?;
    /// let token = dployr.api_tokens().create(NewApiToken::new("deploys")).await?;
    /// # let _ = token; Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty address, and
    /// [`Rejected`](crate::ErrorKind::Rejected) for an invalid address, or if the e-mail cannot be sent.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth.ts>
    pub fn login_by_email(&self, email: impl Into<String>) -> Call<CodeSent> {
        let (email, client) = (email.into(), self.without_token());
        let issuer = client.clone();
        issuer.call(Op::RequestLoginCode, |raw| async move {
            check_text("e-mail address", &email)?;
            let body = types::LoginCodeRequest::new(email.clone());
            let reply =
                raw.request_login_code_with(&body, |options| options.client = Some(CLIENT_KIND));
            let reply = reply.await?;
            Ok(CodeSent {
                client,
                email: email.into(),
                needs_second_factor: reply.into_inner().0.require_totp.unwrap_or(false),
            })
        })
    }

    /// Logs in with an e-mail code: `POST /v1/auth/login/email/verify`, without a token.
    ///
    /// [`CodeSent::verify`] does the same after [`login_by_email`](Self::login_by_email). A code has six
    /// letters and digits, and is valid for ten minutes and three attempts. The session is sent in a
    /// cookie, which [`with_response`](Call::with_response) does not show.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty address or code,
    /// [`Rejected`](crate::ErrorKind::Rejected) for a wrong or expired one,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an address without a user, and
    /// [`Decode`](crate::ErrorKind::Decode) for a response without a session cookie.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth.ts>
    pub fn verify_login_code(
        &self,
        email: impl Into<String>,
        code: impl Into<Secret>,
    ) -> Call<LoginSession> {
        let (email, code) = (email.into(), code.into());
        let scope = self.without_token().scope_of(Op::VerifyLoginCode);
        Call::new(scope, |scope| async move {
            let raw = Self::raw_on(&scope);
            step(&scope, async move {
                check_text("e-mail address", &email)?;
                not_empty("code", &code)?;
                let body = types::LoginCodeVerify::new(email, code);
                raw.verify_login_code(&body).await?;
                Ok(())
            })
            .await?;
            let outcome = scope.outcome();
            session_in(&outcome.headers).ok_or_else(|| {
                let why = "the response has no cookie with a session";
                let effect = match outcome.status {
                    201 | 202 => Effect::Applied,
                    _ => Effect::Unknown,
                };
                scope.complete(Error::new(ErrorKind::Decode, why).with_effect(effect))
            })
        })
    }

    /// Logs in with the identity token of a CI job: `POST /v1/auth/oidc/exchange`, without a token.
    ///
    /// The session is valid for one hour. The server must have an OIDC binding that trusts the job.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty token,
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) for an invalid or untrusted token, and
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for an untrusted event.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/oidc.ts>
    pub fn login_by_identity_token(&self, token: impl Into<Secret>) -> Call<LoginSession> {
        let (token, client) = (token.into(), self.without_token());
        client.call(Op::ExchangeIdentityToken, |raw| async move {
            not_empty("identity token", &token)?;
            let body = types::IdentityTokenExchange::new(token);
            let session = raw.exchange_identity_token(&body).await?.into_inner().0;
            Ok(LoginSession {
                id: session.session_id,
                expires_in: seconds(session.expires_in),
            })
        })
    }

    /// A copy with a session instead of a token. Settings, limits and connections are shared.
    ///
    /// Calls send `Cookie: session=…` and no `Authorization`.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) for an id that is empty or cannot
    /// be part of a cookie.
    pub fn with_session(&self, id: impl Into<Secret>) -> Result<Self> {
        Ok(self.with_auth(Auth::cookie(COOKIE, &id.into())?))
    }

    /// Ends all sessions of the user: `GET /v1/auth/logout`. API tokens stay valid.
    ///
    /// Not retried, because this `GET` changes state. Without a session it does nothing.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth.ts>
    pub fn logout_everywhere(&self) -> Call<()> {
        self.call(Op::Logout, |raw| async move {
            raw.logout().await?;
            Ok(())
        })
    }
}

/// Obtains tokens by logging in with a password.
pub(super) struct PasswordLogin {
    pub email: String,
    pub password: Secret,
}

impl Obtain for PasswordLogin {
    fn obtain<'a>(&'a self, client: &'a Scope, _: Option<Tokens>) -> BoxFuture<'a, Tokens> {
        let client = Client::with_defaults(client.with_auth(Auth::None));
        let login = client.login(&self.email, self.password.clone());
        Box::pin(async move {
            let pair = login.await?;
            let mut tokens = Tokens::new(pair.access_token);
            if let Some(lifetime) = pair.expires_in {
                tokens = tokens.expires_in(lifetime);
            }
            tokens.refresh = pair.refresh_token;
            Ok(tokens)
        })
    }

    fn account(&self) -> Option<String> {
        Some(self.email.clone())
    }
}

fn not_empty(what: &str, secret: &Secret) -> Result<()> {
    match secret.expose().trim() {
        "" => Err(Error::invalid_request(format!("the {what} is empty"))),
        _ => Ok(()),
    }
}

/// The session cookie of a response: the last one, as in a browser. An empty value deletes the cookie.
fn session_in(headers: &HeaderMap) -> Option<LoginSession> {
    let cookies = headers.get_all(SET_COOKIE).iter();
    let mut sessions = cookies.filter_map(|cookie| session_of(cookie.to_str().ok()?));
    sessions.next_back()
}

fn session_of(cookie: &str) -> Option<LoginSession> {
    let mut parts = cookie.split(';').map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.trim(), value.trim())
    });
    let (name, value) = parts.next()?;
    if name != COOKIE || value.is_empty() {
        return None;
    }
    let max_age = parts.find(|(name, _)| name.eq_ignore_ascii_case("max-age"));
    Some(LoginSession {
        id: Secret::new(value),
        expires_in: seconds(max_age.and_then(|(_, seconds)| seconds.parse().ok())),
    })
}

fn seconds(number: Option<i64>) -> Option<Duration> {
    let number = number.and_then(|number| u64::try_from(number).ok());
    number.map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(cookies: &[&str]) -> Option<(String, Option<u64>)> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(SET_COOKIE, cookie.parse().unwrap());
        }
        let session = session_in(&headers)?;
        let life = session.expires_in.map(|life| life.as_secs());
        Some((session.id.expose().to_owned(), life))
    }

    #[test]
    fn the_session_is_read_from_its_cookie() {
        let full = "session=0a-1; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax";
        assert_eq!(found(&[full]), Some(("0a-1".into(), Some(604_800))));
        assert_eq!(
            found(&["a=b", " session = x=y ;max-age=hush", "sessions=z"]),
            Some(("x=y".into(), None))
        );
        assert_eq!(
            found(&["session=; Max-Age=0", "session=a", "session=b"]),
            Some(("b".into(), None))
        );
        for none in [
            &[][..],
            &["session"],
            &["session=;Max-Age=9"],
            &["x=session=a"],
            &[""],
        ] {
            assert_eq!(found(none), None, "{none:?}");
        }
    }
}
