//! A token that is renewed: once for all calls that need it, and never in a loop.

use super::scheme::with_scheme;
use super::source::{ErasedSource, ErasedStore, Held, TokenError, Tokens};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::secret::Secret;
use std::collections::VecDeque;
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
/// So many tokens that were refused are remembered, as a store may still hold one.
const REMEMBERED: usize = 8;

/// The tokens of one client and all its clones.
pub(crate) struct Renewed {
    scheme: &'static str,
    source: Arc<dyn ErasedSource>,
    store: Option<Arc<dyn ErasedStore>>,
    /// Whose tokens they are, for the store.
    owner: String,
    /// Held by the call that renews. When that call is dropped, the next in line renews.
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    held: Option<Held>,
    /// The latest tokens that were refused.
    refused: VecDeque<Secret>,
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
    error: Arc<TokenError>,
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
        source: Arc<dyn ErasedSource>,
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

    /// A token that is valid as far as anybody knows.
    pub async fn current(&self) -> Result<Held> {
        let asked = {
            let state = self.state();
            if let Some(held) = state.fresh() {
                return Ok(held);
            }
            state.rounds
        };
        let turn = self.turn.lock().await;
        let still_valid = {
            let state = self.state();
            if let Some(held) = state.fresh() {
                return Ok(held);
            }
            state.still_valid().is_some()
        };
        let limit = if still_valid { AHEAD } else { Duration::MAX };
        let renewed = match timeout(limit, self.renew(asked)).await {
            Ok(renewed) => renewed,
            Err(_) => Err(self.fail(TokenError::new(format!("no answer in {AHEAD:?}")))),
        };
        drop(turn);
        renewed.or_else(|error| self.state().still_valid().ok_or_else(|| no_token(error)))
    }

    /// Another token than the one that was refused; `None` if a new one would fare no better.
    pub async fn instead_of(&self, refused: u64) -> Result<Option<Held>, Arc<TokenError>> {
        let asked = self.state().rounds;
        let _turn = self.turn.lock().await;
        {
            let mut state = self.state();
            if let Some(held) = state.held.clone() {
                if held.generation != refused {
                    return Ok(Some(held));
                }
                let new = held.obtained.is_some_and(|at| at.elapsed() < SETTLE);
                let lately = state.forced.is_some_and(|at| at.elapsed() < BETWEEN);
                if (new && !held.accepted) || lately {
                    return Ok(None);
                }
                state.refused.push_back(held.tokens.access);
                let many = state.refused.len().saturating_sub(REMEMBERED);
                state.refused.drain(..many);
            }
            state.forced = Some(Instant::now());
        }
        self.renew(asked).await.map(Some)
    }

    /// A platform took this token.
    pub fn accepted(&self, generation: u64) {
        if let Some(held) = &mut self.state().held
            && held.generation == generation
        {
            held.accepted = true;
        }
    }

    /// Gets the next token. `asked` is the number of renewals that had ended when the call asked: one
    /// that failed since then speaks for this call as well.
    async fn renew(&self, asked: u64) -> Result<Held, Arc<TokenError>> {
        let previous = {
            let state = self.state();
            if let Some(last) = state.failed.as_ref().filter(|last| last.round > asked) {
                return Err(last.error.clone());
            }
            state.held.as_ref().map(|held| held.tokens.clone())
        };
        if let Some(held) = self.stored(previous.as_ref()).await {
            self.state().rounds += 1;
            return Ok(held);
        }
        let outcome = match self.obtain(previous.clone()).await {
            // A refresh token that is good for one use may have been used by another process.
            Err(error) => self.stored(previous.as_ref()).await.ok_or(error),
            obtained => obtained,
        };
        match outcome {
            Ok(held) => {
                self.state().rounds += 1;
                Ok(held)
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    fn fail(&self, error: TokenError) -> Arc<TokenError> {
        let error = Arc::new(error);
        let mut state = self.state();
        state.rounds += 1;
        state.failed = Some(Failure {
            round: state.rounds,
            at: Instant::now(),
            error: error.clone(),
        });
        error
    }

    /// What another process left in the store, if it is newer.
    async fn stored(&self, previous: Option<&Tokens>) -> Option<Held> {
        let tokens = match self.store.as_ref()?.load(&self.owner).await {
            Ok(tokens) => tokens?,
            Err(error) => {
                tracing::warn!(%error, "the kept token cannot be read");
                return None;
            }
        };
        let same = previous.is_some_and(|previous| previous.access == tokens.access);
        let expired = tokens.expires_at.is_some_and(|at| at <= SystemTime::now());
        let refused = self.state().refused.contains(&tokens.access);
        if same || expired || refused {
            return None;
        }
        match self.hold(tokens, None) {
            Ok(held) => Some(held),
            Err(error) => {
                tracing::warn!(%error, "the kept token cannot be used");
                None
            }
        }
    }

    async fn obtain(&self, previous: Option<Tokens>) -> Result<Held, TokenError> {
        let tokens = self.source.obtain(previous).await?;
        let held = self.hold(tokens, Some(Instant::now()))?;
        if let Some(store) = &self.store
            && let Err(error) = store.save(&self.owner, &held.tokens).await
        {
            tracing::warn!(%error, "the token cannot be kept");
        }
        Ok(held)
    }

    fn hold(&self, tokens: Tokens, obtained: Option<Instant>) -> Result<Held, TokenError> {
        let header = with_scheme(self.scheme, &tokens.access)?;
        // One that has expired when it comes is measured by a clock that is wrong: the platform's
        // answer decides.
        let lifetime = tokens
            .expires_at
            .and_then(|at| at.duration_since(SystemTime::now()).ok());
        let after = |span: Duration| Instant::now().checked_add(span);
        let current = &mut self.state().held;
        let held = Held {
            header,
            generation: current.as_ref().map_or(0, |held| held.generation + 1),
            renew_at: lifetime.and_then(|life| after(life - MARGIN.min(life / 5))),
            expires_at: lifetime.and_then(after),
            obtained,
            accepted: false,
            tokens,
        };
        *current = Some(held.clone());
        Ok(held)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of a call that could not be sent for want of a token.
fn no_token(why: Arc<TokenError>) -> Error {
    let call = why.of_a_call();
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
    Error::new(kind, format!("there is no token for it: {why}"))
        .with_effect(Effect::None)
        .with_retry_after(call.and_then(Error::retry_after))
        .with_source(why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A source that counts, and takes a second.
    struct Counting {
        asked: Arc<AtomicUsize>,
        lifetime: Option<Duration>,
        fails_from: usize,
    }

    impl super::super::TokenSource for Counting {
        async fn obtain(&self, _: Option<Tokens>) -> Result<Tokens, TokenError> {
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(1)).await;
            if number >= self.fails_from {
                return Err(TokenError::new("the vault is closed"));
            }
            let tokens = Tokens::new(format!("token-{number}"));
            Ok(match self.lifetime {
                Some(lifetime) => tokens.expires_in(lifetime),
                None => tokens,
            })
        }
    }

    fn renewed(lifetime: Option<u64>, fails_from: usize) -> (Arc<Renewed>, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let source = Counting {
            asked: asked.clone(),
            lifetime: lifetime.map(Duration::from_secs),
            fails_from,
        };
        let renewed = Renewed::new("Bearer", "dployr https://a.example", Arc::new(source), None);
        (Arc::new(renewed), asked)
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_calls_renew_once() {
        let (tokens, asked) = renewed(None, usize::MAX);
        let first = tokens.current().await.unwrap();
        tokens.accepted(first.generation);
        let calls: Vec<_> = (0..100)
            .map(|_| {
                let tokens = tokens.clone();
                tokio::spawn(async move { tokens.instead_of(0).await.unwrap().unwrap().generation })
            })
            .collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), 1);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_calls_share_one_failure() {
        let (tokens, asked) = renewed(None, 0);
        let calls: Vec<_> = (0..100)
            .map(|_| {
                let tokens = tokens.clone();
                tokio::spawn(async move { tokens.current().await.err().unwrap().to_string() })
            })
            .collect();
        for call in calls {
            let error = call.await.unwrap();
            assert!(error.contains("the vault is closed"), "{error}");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        assert!(tokens.current().await.is_err());
        assert_eq!(asked.load(Ordering::SeqCst), 2, "a later call tries anew");
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_renewed_before_it_expires() {
        let (tokens, asked) = renewed(Some(3600), usize::MAX);
        assert_eq!(tokens.current().await.unwrap().generation, 0);
        tokio::time::advance(Duration::from_secs(3530)).await;
        assert_eq!(tokens.current().await.unwrap().generation, 0);
        tokio::time::advance(Duration::from_secs(20)).await;
        assert_eq!(tokens.current().await.unwrap().generation, 1);
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn while_the_source_is_down_the_old_one_serves_until_it_expires() {
        let (tokens, asked) = renewed(Some(3600), 1);
        tokens.current().await.unwrap();
        tokio::time::advance(Duration::from_secs(3550)).await;
        for _ in 0..10 {
            assert_eq!(tokens.current().await.unwrap().generation, 0);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 2, "not once a call");
        tokio::time::advance(Duration::from_secs(60)).await;
        let error = tokens.current().await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_token_that_is_refused_at_once_is_not_traded_in_a_loop() {
        let (tokens, asked) = renewed(None, usize::MAX);
        let first = tokens.current().await.unwrap();
        for _ in 0..10 {
            assert!(tokens.instead_of(first.generation).await.unwrap().is_none());
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
        tokio::time::advance(SETTLE).await;
        assert!(tokens.instead_of(first.generation).await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_call_that_renews_is_dropped_the_next_one_does_it() {
        let (tokens, asked) = renewed(None, usize::MAX);
        let short = tokio::time::timeout(Duration::from_millis(100), tokens.current());
        let (dropped, other) = tokio::join!(short, tokens.current());
        assert!(dropped.is_err());
        assert_eq!(other.unwrap().generation, 0);
        assert_eq!(asked.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_expired_before_it_came_is_used_all_the_same() {
        let (tokens, asked) = renewed(Some(0), usize::MAX);
        for _ in 0..5 {
            tokens.current().await.unwrap();
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }
}
