//! Token renewal: when a token is renewed, with one renewal for all concurrent calls.

use super::auth_header::with_scheme;
use super::{ErasedStore, Obtain, Tokens};
use crate::error::{BoxError, Effect, Error, ErrorKind, Result, with_unit};
use crate::secret::Secret;
use crate::transport::Scope;
use http::HeaderValue;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout};

/// A token is renewed this long before it expires, or a fifth of its lifetime if that is shorter, so that
/// it does not expire during a call.
const RENEW_BEFORE_EXPIRY: Duration = Duration::from_secs(60);
/// While the old token is valid: timeout of a renewal.
const EARLY_RENEWAL_TIMEOUT: Duration = Duration::from_secs(5);
/// While the old token is valid: pause after a failed renewal.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// A rejected login is not repeated for this long: every call would send it, and the account may be locked.
const REJECTED_LOGIN_PAUSE: Duration = Duration::from_secs(60);
/// After a 401: minimum age of a token that the platform never accepted. Replacing a newer one would not
/// help.
const MIN_UNACCEPTED_AGE: Duration = Duration::from_secs(30);
/// After a 401: minimum time since the last renewal after a 401. An endpoint that rejects every token must
/// not cause a login per call.
const MIN_401_INTERVAL: Duration = Duration::from_secs(5);

/// The error of a renewal, shared by all calls that waited for it.
pub(crate) type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// The renewed tokens of one client and all its clones.
pub(crate) struct RenewedTokens {
    scheme: &'static str,
    source: Arc<dyn Obtain>,
    store: Option<Arc<dyn ErasedStore>>,
    /// The owner of the tokens in the store: platform, base URL and account.
    owner: String,
    /// Locked by the call that renews. If that call is dropped, the next one renews.
    renewing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

/// The token in use.
#[derive(Clone)]
pub(crate) struct CurrentToken {
    pub tokens: Tokens,
    /// Value of the `Authorization` header.
    pub header: HeaderValue,
    /// Incremented with every new token.
    pub generation: u64,
    renew_at: Option<Instant>,
    expires_at: Option<Instant>,
    /// When the source returned it; `None` if it is from the store.
    obtained_at: Option<Instant>,
    /// Whether the platform has accepted it.
    accepted: bool,
    /// Whether the platform has refused it since.
    refused: bool,
}

#[derive(Default)]
struct State {
    current: Option<CurrentToken>,
    /// The last token from the store. It is used only once: a read-only store keeps a rejected token.
    last_stored: Option<Secret>,
    /// When a 401 last caused a renewal.
    last_401: Option<Instant>,
    /// Number of finished renewals, failed ones included.
    finished: u64,
    last_failure: Option<Failure>,
}

/// A failed renewal.
struct Failure {
    /// `State::finished` after this renewal.
    number: u64,
    at: Instant,
    error: Cause,
}

impl State {
    /// The token, unless it must be renewed now.
    fn usable(&self) -> Option<CurrentToken> {
        let token = self.token()?;
        if token.renew_at.is_none_or(|at| at > Instant::now()) {
            return Some(token.clone());
        }
        match self.last_failure.as_ref()?.at.elapsed() < PAUSE_AFTER_FAILURE {
            true => self.not_expired(),
            false => None,
        }
    }

    /// The error of a login that the platform has just rejected. A control plane answers 400 to a wrong code,
    /// 404 to an unknown user, and 404 to any password.
    fn rejected_login(&self) -> Option<Cause> {
        let failure = self.last_failure.as_ref()?;
        let is_rejected = matches!(
            failure.error.downcast_ref::<Error>()?.kind(),
            ErrorKind::Unauthenticated
                | ErrorKind::Forbidden
                | ErrorKind::NotFound
                | ErrorKind::NoSuchRoute
                | ErrorKind::Rejected
        );
        (is_rejected && failure.at.elapsed() < REJECTED_LOGIN_PAUSE).then(|| failure.error.clone())
    }

    /// The token, unless the platform refused both it and the login that would replace it.
    fn token(&self) -> Option<&CurrentToken> {
        let token = self.current.as_ref();
        token.filter(|token| !token.refused || self.rejected_login().is_none())
    }

    /// The token, if its expiry is known and has not passed.
    fn not_expired(&self) -> Option<CurrentToken> {
        let token = self.token()?;
        (token.expires_at? > Instant::now()).then(|| token.clone())
    }
}

impl RenewedTokens {
    pub fn new(
        scheme: &'static str,
        server: &str,
        source: Arc<dyn Obtain>,
        store: Option<Arc<dyn ErasedStore>>,
    ) -> Self {
        let owner = match source.account() {
            Some(account) => format!("{server} {account}"),
            None => server.to_owned(),
        };
        Self {
            scheme,
            source,
            store,
            owner,
            renewing: tokio::sync::Mutex::default(),
            state: Mutex::default(),
        }
    }

    /// The token for a call, renewed if necessary. Sources that log in send requests with `client`.
    pub async fn current(&self, client: &Scope) -> Result<CurrentToken> {
        if let Some(token) = self.state().usable() {
            return Ok(token);
        }
        let finished = self.state().finished;
        let _renewing = self.renewing.lock().await;
        if let Some(token) = self.state().usable() {
            return Ok(token);
        }
        let limit = match self.state().not_expired() {
            Some(_) => EARLY_RENEWAL_TIMEOUT,
            None => Duration::MAX,
        };
        let renewed = timeout(limit, self.renew(client, finished)).await;
        let renewed = renewed.unwrap_or_else(|_| {
            Err(self.note_failure(format!("no response within {}", with_unit(limit)).into()))
        });
        renewed.or_else(|error| self.state().not_expired().ok_or_else(|| no_token(error)))
    }

    /// Replaces a token that the platform rejected. Returns whether there is a new token to retry with.
    pub async fn replace(&self, client: &Scope, refused_generation: u64) -> Result<bool, Cause> {
        let finished = self.state().finished;
        let _renewing = self.renewing.lock().await;
        let token = match &mut self.state().current {
            Some(token) if token.generation == refused_generation => {
                token.refused = true;
                token.clone()
            }
            _ => return Ok(true),
        };
        // Another process may have renewed the token.
        if self.load_newer().await.is_some() {
            return Ok(true);
        }
        let is_recent = |at: Option<Instant>, span| at.is_some_and(|at| at.elapsed() < span);
        let is_new = !token.accepted && is_recent(token.obtained_at, MIN_UNACCEPTED_AGE);
        if is_new || is_recent(self.state().last_401, MIN_401_INTERVAL) {
            return Ok(false);
        }
        self.state().last_401 = Some(Instant::now());
        self.renew(client, finished).await.map(|_| true)
    }

    /// Marks the token as accepted if the status proves it. Platforms check the token first, so a 404 is
    /// proof, too.
    pub fn note_status(&self, generation: u64, status: u16) {
        if let Some(token) = &mut self.state().current
            && token.generation == generation
            && matches!(status, 200..=299 | 400 | 403 | 404 | 409 | 410 | 422)
        {
            token.accepted = true;
            token.refused = false;
        }
    }

    /// Renews the token.
    ///
    /// `finished` is the number of finished renewals when the call began to wait. If another call's renewal
    /// has failed since then, returns its error instead of trying again.
    async fn renew(&self, client: &Scope, finished: u64) -> Result<CurrentToken, Cause> {
        let previous = {
            let state = self.state();
            if let Some(failure) = &state.last_failure
                && failure.number > finished
            {
                return Err(failure.error.clone());
            }
            state.current.as_ref().map(|token| token.tokens.clone())
        };
        let rejected = self.state().rejected_login();
        if let Some(error) = rejected {
            return self.load_newer().await.ok_or(error);
        }
        // If the lock takes half of the deadline, the rest is for a renewal without it.
        let lock = async { Some(self.store.as_ref()?.lock(&self.owner).await) };
        let _locked = timeout(client.deadline() / 2, lock).await;
        if let Some(token) = self.load_newer().await {
            return Ok(token);
        }
        // Other calls may have time, so this is not the failure of the renewal.
        let until = client.state().until;
        if until.is_some_and(|until| Instant::now() >= until) {
            return Err(Arc::new(client.no_time()));
        }
        match self.obtain(client, previous).await {
            Ok(token) => Ok(token),
            // Another process may have used the refresh token, which works only once, and stored a token.
            Err(error) => {
                let stored = self.load_newer().await;
                stored.ok_or_else(|| self.note_failure(error))
            }
        }
    }

    fn note_failure(&self, error: BoxError) -> Cause {
        let error = Cause::from(error);
        let mut state = self.state();
        state.finished += 1;
        state.last_failure = Some(Failure {
            number: state.finished,
            at: Instant::now(),
            error: error.clone(),
        });
        error
    }

    /// Loads a token that another process stored, unless it is expired or was used before.
    async fn load_newer(&self) -> Option<CurrentToken> {
        let tokens = match self.store.as_ref()?.load(&self.owner).await {
            Ok(tokens) => tokens?,
            Err(error) => {
                tracing::warn!(%error, "cannot read the token store");
                return None;
            }
        };
        let current = self.state().current.clone();
        let current = current.map(|token| token.tokens.access);
        let last_stored = self.state().last_stored.replace(tokens.access.clone());
        let is_used = [current, last_stored].contains(&Some(tokens.access.clone()));
        let is_expired = tokens.expires_at.is_some_and(|at| at <= SystemTime::now());
        if is_used || is_expired {
            return None;
        }
        let token = self.set_current(tokens, None);
        token
            .inspect_err(|error| tracing::warn!(%error, "the stored token is invalid"))
            .ok()
    }

    /// Obtains a token from the source and saves it in the store.
    async fn obtain(
        &self,
        client: &Scope,
        previous: Option<Tokens>,
    ) -> Result<CurrentToken, BoxError> {
        let tokens = self.source.obtain(client, previous).await?;
        let token = self.set_current(tokens, Some(Instant::now()))?;
        if let Some(store) = &self.store
            && let Err(error) = store.save(&self.owner, &token.tokens).await
        {
            tracing::warn!(%error, "cannot write the token store");
        }
        Ok(token)
    }

    /// Makes this the token of all calls, and counts a finished renewal.
    fn set_current(
        &self,
        tokens: Tokens,
        obtained_at: Option<Instant>,
    ) -> Result<CurrentToken, BoxError> {
        let header = with_scheme(self.scheme, &tokens.access)?;
        // A new token that seems expired points to a wrong clock. Its expiry is ignored.
        let lifetime = tokens
            .expires_at
            .and_then(|at| at.duration_since(SystemTime::now()).ok());
        let after = |span: Duration| Instant::now().checked_add(span);
        let mut state = self.state();
        let token = CurrentToken {
            header,
            generation: state.current.as_ref().map_or(0, |old| old.generation + 1),
            renew_at: lifetime.and_then(|life| after(life - RENEW_BEFORE_EXPIRY.min(life / 5))),
            expires_at: lifetime.and_then(after),
            obtained_at,
            accepted: false,
            refused: false,
            tokens,
        };
        state.finished += 1;
        state.last_failure = None;
        state.current = Some(token.clone());
        Ok(token)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a call that cannot get a token.
fn no_token(cause: Cause) -> Error {
    // The error of the login, if it is one of this crate.
    let login = cause.downcast_ref::<Error>();
    // Transient kinds are kept. Others would mislead: a 404 of the login does not mean that the deployment
    // does not exist.
    let kind = match login.map(Error::kind) {
        Some(
            kind @ (ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::Interrupted
            | ErrorKind::Unavailable
            | ErrorKind::Server
            | ErrorKind::RateLimited),
        ) => kind,
        _ => ErrorKind::Unauthenticated,
    };
    Error::new(kind, format!("cannot get a token ({cause})"))
        .with_effect(Effect::None)
        .with_retry_after(login.and_then(Error::retry_after))
        .with_source(cause)
}
