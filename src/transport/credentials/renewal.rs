//! A token that is renewed: once for all calls that need it, and never in a loop.

use super::auth_header::with_scheme;
use super::{ErasedStore, Obtain, Tokens};
use crate::error::{BoxError, Effect, Error, ErrorKind, Result, in_words};
use crate::secret::Secret;
use crate::transport::Scope;
use http::HeaderValue;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout};

/// A token is renewed so long before it expires, or a fifth of its life if that is less: a call that
/// begins with it must not outlive it.
const MARGIN: Duration = Duration::from_secs(60);
/// A new token that was never accepted is not traded for another one within this time: the fault is
/// not the token's age.
const SETTLE: Duration = Duration::from_secs(30);
/// After a failure to renew ahead of time the old token serves for so long before the next try.
const PAUSE: Duration = Duration::from_secs(5);
/// Between two renewals that a 401 brings about lies at least this: an endpoint that refuses every
/// token must not make every call log in.
const BETWEEN: Duration = Duration::from_secs(5);
/// Renewing ahead of time is given so long while the old token is still valid.
const AHEAD: Duration = Duration::from_secs(5);

/// Why a renewal failed, shared by all calls that waited for it.
pub(crate) type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// The tokens of one client and all its clones.
pub(crate) struct Renewed {
    scheme: &'static str,
    source: Arc<dyn Obtain>,
    store: Option<Arc<dyn ErasedStore>>,
    /// Whose tokens they are, for the store.
    owner: String,
    /// Held by the call that renews. When that call is dropped, the next in line renews.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

/// A token in use.
#[derive(Clone)]
pub(crate) struct Held {
    pub tokens: Tokens,
    /// The whole value of the header.
    pub header: HeaderValue,
    /// Counts up with every token.
    pub generation: u64,
    /// When to look for the next one, on the runtime's clock.
    pub renew_at: Option<Instant>,
    /// When it ends, on the runtime's clock.
    pub expires_at: Option<Instant>,
    /// When it came from the source; `None` for one from the store.
    pub obtained: Option<Instant>,
    /// Whether a platform took it.
    pub accepted: bool,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The last token that was read from the store. A store that cannot be written keeps a refused one.
    stored: Option<Secret>,
    /// When a 401 last caused a renewal.
    forced: Option<Instant>,
    /// How many renewals have ended.
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
    /// The token in use, unless it is time to renew it.
    fn fresh(&self) -> Option<Held> {
        let held = self.held.as_ref()?;
        if held.renew_at.is_none_or(|at| at > Instant::now()) {
            return Some(held.clone());
        }
        let lately = |last: &Failure| last.at.elapsed() < PAUSE;
        self.failed.as_ref().filter(|last| lately(last))?;
        self.still_valid()
    }

    fn still_valid(&self) -> Option<Held> {
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

    /// A token that is valid as far as anybody knows. `client` may log in with it.
    pub async fn current(&self, client: &Scope) -> Result<Held> {
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
            Err(_) => Err(self.fail(format!("no answer within {}", in_words(AHEAD)).into())),
        };
        renewed.or_else(|error| self.state().still_valid().ok_or_else(|| no_token(error)))
    }

    /// Replaces a token that was refused. Returns whether there is another one: a new one may fare no
    /// better.
    pub async fn replace(&self, client: &Scope, refused: u64) -> Result<bool, Cause> {
        let asked = self.state().rounds;
        let _turn = self.turn.lock().await;
        {
            let mut state = self.state();
            if let Some(held) = &state.held {
                if held.generation != refused {
                    return Ok(true);
                }
                let new = held.obtained.is_some_and(|at| at.elapsed() < SETTLE);
                let lately = state.forced.is_some_and(|at| at.elapsed() < BETWEEN);
                if (new && !held.accepted) || lately {
                    return Ok(false);
                }
            }
            state.forced = Some(Instant::now());
        }
        self.renew(client, asked).await.map(|_| true)
    }

    /// Learns from a status whether the platform accepts this token: it does before it refuses a
    /// request for another reason.
    pub fn learn(&self, generation: u64, status: u16) {
        if let Some(held) = &mut self.state().held
            && held.generation == generation
            && matches!(status, 200..=299 | 400 | 403 | 404 | 409 | 410 | 422)
        {
            held.accepted = true;
        }
    }

    /// Gets the next token. `asked` is the number of renewals that had ended when the call asked: one
    /// that failed since then speaks for this call as well.
    async fn renew(&self, client: &Scope, asked: u64) -> Result<Held, Cause> {
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
            // A refresh token that is good for one use may have been used by another process.
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

    /// What another process left in the store, if it is newer. A token is taken from there once.
    async fn stored(&self, previous: Option<&Tokens>) -> Option<Held> {
        let tokens = match self.store.as_ref()?.load(&self.owner).await {
            Ok(tokens) => tokens?,
            Err(error) => {
                tracing::warn!(%error, "the kept token cannot be read");
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
        held.inspect_err(|error| tracing::warn!(%error, "the kept token cannot be used"))
            .ok()
    }

    async fn obtain(&self, client: &Scope, previous: Option<Tokens>) -> Result<Held, BoxError> {
        let tokens = self.source.obtain(client, previous).await?;
        let held = self.hold(tokens, Some(Instant::now()))?;
        if let Some(store) = &self.store
            && let Err(error) = store.save(&self.owner, &held.tokens).await
        {
            tracing::warn!(%error, "the token cannot be kept");
        }
        Ok(held)
    }

    fn hold(&self, tokens: Tokens, obtained: Option<Instant>) -> Result<Held, BoxError> {
        let header = with_scheme(self.scheme, &tokens.access)?;
        // One that has expired when it comes is measured by a clock that is wrong: the platform's
        // answer decides.
        let lifetime = tokens
            .expires_at
            .and_then(|at| at.duration_since(SystemTime::now()).ok());
        let after = |span: Duration| Instant::now().checked_add(span);
        let mut state = self.state();
        let held = Held {
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

/// The error of a call that could not be sent for want of a token.
fn no_token(why: Cause) -> Error {
    // The login, if the source made one.
    let call = why.downcast_ref::<Error>();
    // What passes is said as it is. Anything else is about the credentials, whatever it is called: a
    // login that is not found does not mean that the deployment is not.
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
