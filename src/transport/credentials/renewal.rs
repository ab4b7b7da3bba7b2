//! Token renewal: shared by concurrent calls, and never in a loop.

use super::auth_header::with_scheme;
use super::{ErasedStore, Obtain, Tokens};
use crate::error::{BoxError, Effect, Error, ErrorKind, Result, with_unit};
use crate::secret::Secret;
use crate::transport::Scope;
use http::HeaderValue;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout};

/// A token is renewed this long before it expires, or a fifth of its lifetime if that is less, so that
/// it does not expire during a call.
const MARGIN: Duration = Duration::from_secs(60);
/// A new token that was never accepted is not replaced within this time: renewal would not help.
const SETTLE: Duration = Duration::from_secs(30);
/// Pause after a failed renewal while the old token is still valid.
const PAUSE: Duration = Duration::from_secs(5);
/// Least time between two renewals after a 401: an endpoint that refuses every token must not cause a
/// login per call.
const BETWEEN: Duration = Duration::from_secs(5);
/// Timeout for a renewal while the old token is still valid.
const AHEAD: Duration = Duration::from_secs(5);

/// The error of a renewal, shared by all calls that waited for it.
pub(crate) type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// The tokens of one client and all its clones.
pub(crate) struct Renewed {
    scheme: &'static str,
    source: Arc<dyn Obtain>,
    store: Option<Arc<dyn ErasedStore>>,
    /// The owner of the tokens, for the store.
    owner: String,
    /// Locked by the call that renews. If it is dropped, the next call renews.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

/// The token in use.
#[derive(Clone)]
pub(crate) struct CurrentToken {
    pub tokens: Tokens,
    /// Value of the `Authorization` header.
    pub header: HeaderValue,
    /// Incremented with every token.
    pub generation: u64,
    /// When to renew it, on the runtime's clock.
    pub renew_at: Option<Instant>,
    /// When it expires, on the runtime's clock.
    pub expires_at: Option<Instant>,
    /// When the source returned it; `None` if it is from the store.
    pub obtained: Option<Instant>,
    /// Whether the platform accepted it.
    pub accepted: bool,
}

#[derive(Default)]
struct State {
    held: Option<CurrentToken>,
    /// The last token from the store, which is not used again: a read-only store keeps a refused token.
    stored: Option<Secret>,
    /// When a 401 last caused a renewal.
    forced: Option<Instant>,
    /// Number of finished renewals.
    rounds: u64,
    failed: Option<Failure>,
}

/// The last renewal that failed.
struct Failure {
    round: u64,
    at: Instant,
    error: Cause,
}

impl State {
    /// The token, unless it must be renewed.
    fn fresh(&self) -> Option<CurrentToken> {
        let held = self.held.as_ref()?;
        if held.renew_at.is_none_or(|at| at > Instant::now()) {
            return Some(held.clone());
        }
        let is_recent = |last: &Failure| last.at.elapsed() < PAUSE;
        self.failed.as_ref().filter(|last| is_recent(last))?;
        self.still_valid()
    }

    fn still_valid(&self) -> Option<CurrentToken> {
        let held = self.held.as_ref()?;
        let valid = held.expires_at.is_some_and(|at| at > Instant::now());
        valid.then(|| held.clone())
    }
}

impl Renewed {
    pub fn new(
        scheme: &'static str,
        place: &str,
        source: Arc<dyn Obtain>,
        store: Option<Arc<dyn ErasedStore>>,
    ) -> Self {
        let owner = match source.account() {
            Some(account) => format!("{place} {account}"),
            None => place.to_owned(),
        };
        Self {
            scheme,
            source,
            store,
            owner,
            turn: tokio::sync::Mutex::default(),
            state: Mutex::default(),
        }
    }

    /// The token for a call, renewed if necessary. `client` is for sources that log in.
    pub async fn current(&self, client: &Scope) -> Result<CurrentToken> {
        let asked = {
            let state = self.state();
            if let Some(held) = state.fresh() {
                return Ok(held);
            }
            state.rounds
        };
        let _turn = self.turn.lock().await;
        let still_valid = {
            let state = self.state();
            if let Some(held) = state.fresh() {
                return Ok(held);
            }
            state.still_valid().is_some()
        };
        let limit = if still_valid { AHEAD } else { Duration::MAX };
        let renewed = match timeout(limit, self.renew(client, asked)).await {
            Ok(renewed) => renewed,
            Err(_) => Err(self.fail(format!("no answer within {}", with_unit(AHEAD)).into())),
        };
        renewed.or_else(|error| self.state().still_valid().ok_or_else(|| no_token(error)))
    }

    /// Replaces a refused token. Returns whether there is a new one to retry with.
    pub async fn replace(&self, client: &Scope, refused: u64) -> Result<bool, Cause> {
        let asked = self.state().rounds;
        let _turn = self.turn.lock().await;
        {
            let mut state = self.state();
            if let Some(held) = &state.held {
                if held.generation != refused {
                    return Ok(true);
                }
                let is_new = held.obtained.is_some_and(|at| at.elapsed() < SETTLE);
                let is_recent = state.forced.is_some_and(|at| at.elapsed() < BETWEEN);
                if (is_new && !held.accepted) || is_recent {
                    return Ok(false);
                }
            }
            state.forced = Some(Instant::now());
        }
        self.renew(client, asked).await.map(|_| true)
    }

    /// Marks the token as accepted if the status shows it: a platform checks the token before other
    /// reasons to refuse a request.
    pub fn note_status(&self, generation: u64, status: u16) {
        if let Some(held) = &mut self.state().held
            && held.generation == generation
            && matches!(status, 200..=299 | 400 | 403 | 404 | 409 | 410 | 422)
        {
            held.accepted = true;
        }
    }

    /// Renews the token. `asked` is the number of finished renewals when the call began to wait: if one
    /// failed since then, this call shares its error.
    async fn renew(&self, client: &Scope, asked: u64) -> Result<CurrentToken, Cause> {
        let previous = {
            let state = self.state();
            if let Some(last) = state.failed.as_ref().filter(|last| last.round > asked) {
                return Err(last.error.clone());
            }
            state.held.as_ref().map(|held| held.tokens.clone())
        };
        if let Some(held) = self.stored(previous.as_ref()).await {
            return Ok(held);
        }
        match self.obtain(client, previous.clone()).await {
            Ok(held) => Ok(held),
            // Another process may have used the refresh token, which works only once.
            Err(error) => {
                let stored = self.stored(previous.as_ref()).await;
                stored.ok_or_else(|| self.fail(error))
            }
        }
    }

    fn fail(&self, error: BoxError) -> Cause {
        let error = Cause::from(error);
        let mut state = self.state();
        state.rounds += 1;
        state.failed = Some(Failure {
            round: state.rounds,
            at: Instant::now(),
            error: error.clone(),
        });
        error
    }

    /// A newer token that another process stored. Each stored token is used once.
    async fn stored(&self, previous: Option<&Tokens>) -> Option<CurrentToken> {
        let tokens = match self.store.as_ref()?.load(&self.owner).await {
            Ok(tokens) => tokens?,
            Err(error) => {
                tracing::warn!(%error, "cannot read the token store");
                return None;
            }
        };
        let seen = self.state().stored.replace(tokens.access.clone());
        let used = [previous.map(|previous| &previous.access), seen.as_ref()];
        let expired = tokens.expires_at.is_some_and(|at| at <= SystemTime::now());
        if used.contains(&Some(&tokens.access)) || expired {
            return None;
        }
        let held = self.hold(tokens, None);
        held.inspect_err(|error| tracing::warn!(%error, "the stored token is invalid"))
            .ok()
    }

    async fn obtain(
        &self,
        client: &Scope,
        previous: Option<Tokens>,
    ) -> Result<CurrentToken, BoxError> {
        let tokens = self.source.obtain(client, previous).await?;
        let held = self.hold(tokens, Some(Instant::now()))?;
        if let Some(store) = &self.store
            && let Err(error) = store.save(&self.owner, &held.tokens).await
        {
            tracing::warn!(%error, "cannot write the token store");
        }
        Ok(held)
    }

    fn hold(&self, tokens: Tokens, obtained: Option<Instant>) -> Result<CurrentToken, BoxError> {
        let header = with_scheme(self.scheme, &tokens.access)?;
        // A new token that is already expired indicates a wrong clock: let the platform decide.
        let lifetime = tokens
            .expires_at
            .and_then(|at| at.duration_since(SystemTime::now()).ok());
        let after = |span: Duration| Instant::now().checked_add(span);
        let mut state = self.state();
        let held = CurrentToken {
            header,
            generation: state.held.as_ref().map_or(0, |held| held.generation + 1),
            renew_at: lifetime.and_then(|life| after(life - MARGIN.min(life / 5))),
            expires_at: lifetime.and_then(after),
            obtained,
            accepted: false,
            tokens,
        };
        state.rounds += 1;
        state.held = Some(held.clone());
        Ok(held)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a call without a token.
fn no_token(why: Cause) -> Error {
    // The failed login, if there was one.
    let call = why.downcast_ref::<Error>();
    // Transient kinds are kept. All others concern the credentials: a 404 of the login does not mean
    // that the deployment does not exist.
    let kind = match call.map(Error::kind) {
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
    Error::new(kind, format!("cannot get a token ({why})"))
        .with_effect(Effect::None)
        .with_retry_after(call.and_then(Error::retry_after))
        .with_source(why)
}
