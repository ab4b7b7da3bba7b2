//! Sessions: logging in by a code or by the identity of a CI job, and what that gives.

use super::Client;
use super::client::check_text;
use super::shapes::{Ack, Single};
use crate::call::Call;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::raw::dployr::{Op, types};
use crate::secret::Secret;
use http::HeaderMap;
use http::header::SET_COOKIE;
use std::fmt;
use std::time::Duration;

/// The cookie that holds the id of a session.
pub(super) const COOKIE: &str = "session";
/// Who asks, for the hosted server: what no person sits in front of need not prove that one does.
const ASKER: &str = "cli";

/// A session of a user or of a CI job. `Debug` shows no id.
///
/// It takes the place of a token, see [`Client::with_session`], and is what
/// [`api_tokens`](Client::api_tokens) wants. The control plane does not prolong it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The id, good for everything that its user may do. To be kept like a password.
    pub id: Secret,
    /// How long it lives, from now on, if the server says so: seven days after a login, an hour for a
    /// CI job.
    pub expires_in: Option<Duration>,
}

/// A code is on its way by e-mail; [`verify`](Self::verify) trades it for a session.
#[derive(Clone)]
pub struct CodeSent {
    client: Client,
    email: String,
    needs_second_factor: bool,
}

impl CodeSent {
    /// Whether the user has a second factor. The code that counts is then the one of that, or one of
    /// the backup codes.
    pub fn needs_second_factor(&self) -> bool {
        self.needs_second_factor
    }

    /// Trades the code for a session: `POST /v1/auth/login/email/verify`.
    ///
    /// # Errors
    /// As [`Client::verify_login_code`].
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth.ts>
    pub fn verify(&self, code: impl Into<Secret>) -> Call<Session> {
        self.client.verify_login_code(self.email.as_str(), code)
    }
}

impl fmt::Debug for CodeSent {
    /// Without the address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeSent")
            .field("needs_second_factor", &self.needs_second_factor)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Has a code sent to this address: `POST /v1/auth/login/email?client=cli`. It carries no token of
    /// this client, and makes a user of an address that has none yet.
    ///
    /// ```no_run
    /// # async fn example(dployr: deploykit::dployr::Client, read: impl Fn() -> String) -> deploykit::Result<()> {
    /// use deploykit::dployr::NewApiToken;
    /// let sent = dployr.login_by_email("user@example.com").await?;
    /// let session = sent.verify(read()).await?;
    /// let dployr = dployr.with_session(session.id)?;
    /// let token = dployr.api_tokens().create(NewApiToken::new("deploys")).await?;
    /// # let _ = token; Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty address,
    /// [`Rejected`](crate::ErrorKind::Rejected) for one that is none and when the mail could not be
    /// sent, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth.ts>
    pub fn login_by_email(&self, email: impl Into<String>) -> Call<CodeSent> {
        let (op, email) = (Op::RequestLoginCode, email.into());
        let checked = check_text("e-mail address", &email).and_then(|()| self.without_token());
        let client = match checked {
            Err(error) => return self.refused(op, error),
            Ok(client) => client,
        };
        let body = types::LoginCodeRequest {
            email: email.clone(),
        };
        client
            .call(op, move |raw| async move {
                raw.request_login_code(Some(ASKER), &body).await
            })
            .map(move |reply: Single<types::LoginCodeSent>| CodeSent {
                client,
                email,
                needs_second_factor: reply.into_inner().require_totp.unwrap_or(false),
            })
    }

    /// Trades the code that came by e-mail for a session: `POST /v1/auth/login/email/verify`. For a
    /// program that is not the one that asked for it; otherwise [`CodeSent::verify`]. It carries no
    /// token of this client.
    ///
    /// The code of six letters and digits holds for ten minutes and three attempts. The session comes
    /// in a cookie, which no [`with_response`](Call::with_response) shows.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty address or code,
    /// [`Rejected`](crate::ErrorKind::Rejected) for a wrong one or an old one,
    /// [`NotFound`](crate::ErrorKind::NotFound) for an address without a user,
    /// [`Decode`](crate::ErrorKind::Decode) when the reply has no cookie of a session, and those of
    /// every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth.ts>
    pub fn verify_login_code(
        &self,
        email: impl Into<String>,
        code: impl Into<Secret>,
    ) -> Call<Session> {
        let (op, email, code) = (Op::VerifyLoginCode, email.into(), code.into());
        let checked = check_text("e-mail address", &email)
            .and_then(|()| not_empty("code", &code))
            .and_then(|()| self.without_token());
        let client = match checked {
            Err(error) => return self.refused(op, error),
            Ok(client) => client,
        };
        let body = types::LoginCodeVerify { email, code };
        Call::new(client.scope_of(op), move |scope| async move {
            let verified = Self::step(&scope, move |raw| async move {
                Ok(raw.verify_login_code(&body).await?.into_inner())
            });
            let _: Single<types::LoginVerified> = verified.await?;
            let outcome = scope.outcome();
            session_in(&outcome.headers).ok_or_else(|| scope.complete(no_session(outcome.status)))
        })
    }

    /// Trades the identity token of a CI job for a session of an hour: `POST /v1/auth/oidc/exchange`.
    /// It carries no token of this client. The server has to have a binding that trusts such jobs.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty token,
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) for one that is wrong or that no binding
    /// trusts, [`Forbidden`](crate::ErrorKind::Forbidden) for an event that is not trusted, and those of
    /// every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth.ts>
    pub fn login_by_identity_token(&self, token: impl Into<Secret>) -> Call<Session> {
        let (op, token) = (Op::ExchangeIdentityToken, token.into());
        let checked = not_empty("identity token", &token).and_then(|()| self.without_token());
        let client = match checked {
            Err(error) => return self.refused(op, error),
            Ok(client) => client,
        };
        let body = types::IdentityTokenExchange { token };
        client
            .call(op, move |raw| async move {
                raw.exchange_identity_token(&body).await
            })
            .map(|reply: Single<types::IdentitySession>| {
                let session = reply.into_inner();
                Session {
                    id: session.session_id,
                    expires_in: seconds(session.expires_in),
                }
            })
    }

    /// The same client with a session in the place of a token: its calls carry
    /// `Cookie: session=…` and no `Authorization`. Settings, limits and connections stay.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the id is empty or could not
    /// stand in a cookie.
    pub fn with_session(&self, id: impl Into<Secret>) -> Result<Self> {
        self.with_cookie(COOKIE, &id.into())
    }

    /// Ends all sessions of the user whose session this client has: `GET /v1/auth/logout`. API tokens
    /// go on. Without a session it does nothing.
    ///
    /// As it changes something it is not repeated, though it is a `GET`.
    ///
    /// # Errors
    /// Those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/auth.ts>
    pub fn logout(&self) -> Call<()> {
        self.call(Op::Logout, |raw| async move { raw.logout().await })
            .map(|_: Ack| ())
    }
}

fn not_empty(what: &str, secret: &Secret) -> Result<()> {
    if secret.expose().trim().is_empty() {
        return Err(Error::invalid_request(format!("the {what} is empty")));
    }
    Ok(())
}

/// As with any other reply that does not fit: the status may prove that a session was begun.
fn no_session(status: u16) -> Error {
    let effect = match status {
        201 | 202 => Effect::Applied,
        _ => Effect::Unknown,
    };
    Error::new(
        ErrorKind::Decode,
        "the reply has no cookie with a session, though it says that one was begun",
    )
    .with_effect(effect)
}

/// The session in the cookies of a reply. Of several the last counts, as in a browser; an empty one
/// deletes a cookie and is none.
fn session_in(headers: &HeaderMap) -> Option<Session> {
    let cookies = headers.get_all(SET_COOKIE).iter();
    let mut sessions = cookies.filter_map(|cookie| session_of(cookie.to_str().ok()?));
    sessions.next_back()
}

fn session_of(cookie: &str) -> Option<Session> {
    let mut parts = cookie.split(';').map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (name.trim(), value.trim())
    });
    let (name, value) = parts.next()?;
    if name != COOKIE || value.is_empty() {
        return None;
    }
    let max_age = parts.find(|(name, _)| name.eq_ignore_ascii_case("max-age"));
    Some(Session {
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
    fn the_session_is_the_cookie_of_that_name() {
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
