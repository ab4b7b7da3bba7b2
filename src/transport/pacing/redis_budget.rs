//! A shared budget on a Redis server.

use super::shared_budget::{BudgetBucket, BudgetReply, SharedBudget};
use crate::error::{BoxError, Error, Result, in_words};
use crate::secret::{REDACTED, Secret};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Script};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// To connect and log in.
const CONNECT: Duration = Duration::from_millis(500);
/// For one reply.
const REPLY: Duration = Duration::from_millis(500);
/// For everything: a call waits no longer for the budget, even if a lost connection is remade.
const ANSWER: Duration = Duration::from_secs(1);
/// How far ahead a slot is kept for a process. One that asks while more are waiting asks later.
const AHEAD: Duration = Duration::from_secs(10);
/// How late a kept slot may be used: the distance between two slots of a fleet has room for it.
const LATE: Duration = Duration::from_millis(25);

/// `KEYS[1]` has the time at which the bucket will be full, in microseconds of the server's clock.
/// Returns whether a slot was taken, and the microseconds until it comes, or until asking again.
///
/// A number is written with `%.0f`, as Lua's own form has 14 digits and the time has 16. A time too
/// far ahead is one of another clock: the bucket is empty then, but not for long.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local refill, at_once, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(redis.call('GET', KEYS[1])) or now
if full < now then full = now end
if full > now + at_once + ahead + refill then full = now + at_once + refill end
local wait = math.max(0, full - at_once - now)
if wait > ahead then return {0, wait - ahead} end
full = full + refill
local left = math.ceil((full - now) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', string.format('%.0f', left))
return {1, wait}
",
    )
});

/// A [`SharedBudget`] on a Redis server: as many processes as use the same server and account name
/// keep to a platform's rates together.
///
/// ```no_run
/// # fn example<P: deploykit::Platform>(builder: deploykit::ClientBuilder<P>) -> deploykit::Result<()> {
/// use deploykit::{pacing::{Fallback, Pacing, RedisBudget}};
/// let budget = RedisBudget::new("redis://:password@redis.internal:6379/0", "my-organisation")?;
/// // Without Redis, each of the four processes takes a quarter.
/// let client = builder.pacing(Pacing::documented().one_of(4).shared(budget, Fallback::Local)).build()?;
/// # Ok(()) }
/// ```
///
/// **What is kept.** One key for each bucket, `deploykit:{account}:platform:bucket`, with one number,
/// that goes by itself when it says nothing any more. One script reads and writes it in one step, so
/// that no two processes get the same slot. Slots are given in the order of asking, and kept for the
/// process that asked; one that is not used on time, because the call was dropped or had no time
/// left, goes to the next call of that process, or is lost. A process that asks while a whole line of
/// others waits already (10 s of it) asks later.
///
/// **Clocks.** Only the server's clock counts; those of the processes may differ as they like. If the
/// server's clock leaps ahead, or a server takes over whose clock is ahead, one burst too many may be
/// given, as below. If it falls back, the bucket counts as empty, and goes on from there.
///
/// **When Redis is gone.** A connection has half a second, so has a reply, and all of it together one
/// second. Then [`Fallback::Local`](crate::pacing::Fallback::Local) goes on at the part of the rate that
/// [`Pacing::one_of`](crate::pacing::Pacing::one_of) says, and [`Fallback::Refuse`](crate::pacing::Fallback::Refuse)
/// sends nothing. A server that refuses connections is tried by every call, and used again at once; one
/// that is silent is tried again after four times as long as the failure took, so after 4 s at most.
///
/// **When Redis forgets.** A server that was emptied, or took over without the last writes, may give
/// one burst too many, once: 25 calls of 100 per minute, one of 40 per second. Not even that if the
/// processes saw it gone and have [`Fallback::Local`](crate::pacing::Fallback::Local): their own pace then
/// stays in force for one window more.
///
/// **Needs.** Redis 6.2 or newer, or what speaks its language, and the commands `EVALSHA`, `SCRIPT
/// LOAD`, `TIME`, `GET`, `SET`. A cluster has the key on one node: give the address of that one, as
/// redirections are not followed. `rediss` is not supported; cross a network that is not yours through
/// a tunnel. Needs a tokio runtime with I/O and time.
#[derive(Clone)]
pub struct RedisBudget {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    account: String,
    connection: tokio::sync::Mutex<Option<MultiplexedConnection>>,
    /// The slots to come that are kept for this process.
    kept: Mutex<HashMap<(&'static str, &'static str), Vec<Instant>>>,
}

impl RedisBudget {
    /// A budget on the server at this URL: `redis://user:password@host:port/database`.
    ///
    /// The account is a name that you choose for what the rates belong to: an organisation, a token.
    /// It stands in the keys, so it must not be the token itself. Nothing is connected yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) when the URL cannot be used, or the
    /// account is empty. The URL is not shown.
    pub fn new(url: impl Into<Secret>, account: impl Into<String>) -> Result<Self> {
        let url = url.into();
        let account = account.into();
        if account.trim().is_empty() {
            return Err(Error::configuration(
                "the account of a Redis budget has no name",
            ));
        }
        // The client's own words may repeat the URL.
        let client = Client::open(url.expose()).map_err(|_| {
            Error::configuration(
                "the URL of the Redis budget cannot be used; it is like redis://user:password@host:6379/0",
            )
        })?;
        Ok(Self {
            shared: Arc::new(Shared {
                client,
                account,
                connection: tokio::sync::Mutex::default(),
                kept: Mutex::default(),
            }),
        })
    }
}

impl SharedBudget for RedisBudget {
    async fn take(&self, bucket: &BudgetBucket) -> Result<BudgetReply, BoxError> {
        let shared = &self.shared;
        if let Some(reply) = shared.out_of_kept(bucket) {
            return Ok(reply);
        }
        let (taken, wait) = match timeout(ANSWER, shared.ask(bucket)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(shared.failure(&error)),
            Err(_) => return Err(format!("Redis: no answer within {}", in_words(ANSWER)).into()),
        };
        let wait = Duration::from_micros(wait);
        if taken && wait.is_zero() {
            return Ok(BudgetReply::Taken);
        }
        if taken {
            let slots = &mut *shared.kept();
            let slots = slots.entry((bucket.platform, bucket.name)).or_default();
            slots.push(Instant::now() + wait);
        }
        Ok(BudgetReply::Wait(wait))
    }
}

impl Shared {
    /// Answers from what is kept, if it can.
    fn out_of_kept(&self, bucket: &BudgetBucket) -> Option<BudgetReply> {
        let now = Instant::now();
        let mut kept = self.kept();
        let slots = kept.get_mut(&(bucket.platform, bucket.name))?;
        slots.retain(|slot| *slot + LATE >= now);
        let first = slots.iter().position(|slot| *slot <= now);
        if let Some(first) = first {
            slots.remove(first);
            return Some(BudgetReply::Taken);
        }
        let next = slots.iter().min()?;
        Some(BudgetReply::Wait(*next - now))
    }

    async fn ask(&self, bucket: &BudgetBucket) -> Result<(bool, u64), RedisError> {
        loop {
            let (mut connection, is_new) = self.connection().await?;
            let answer = self.run(&mut connection, bucket).await;
            if answer.is_ok() {
                return answer;
            }
            *self.connection.lock().await = None;
            // An old one may have been lost long ago, its runtime may have ended, or it may lead to a
            // server that others took over from.
            if is_new {
                return answer;
            }
        }
    }

    async fn run(
        &self,
        connection: &mut MultiplexedConnection,
        bucket: &BudgetBucket,
    ) -> Result<(bool, u64), RedisError> {
        let refill = micros(bucket.refill);
        let at_once = refill.saturating_mul(u64::from(bucket.burst.saturating_sub(1)));
        TAKE.key(self.key(bucket))
            .arg(refill)
            .arg(at_once)
            .arg(micros(AHEAD))
            .invoke_async(connection)
            .await
    }

    /// The braces make a cluster keep all keys of an account together.
    fn key(&self, bucket: &BudgetBucket) -> String {
        let (account, platform, name) = (&self.account, bucket.platform, bucket.name);
        format!("deploykit:{{{account}}}:{platform}:{name}")
    }

    /// The connection, and whether it was made just now.
    async fn connection(&self) -> Result<(MultiplexedConnection, bool), RedisError> {
        let mut held = self.connection.lock().await;
        if let Some(connection) = &*held {
            return Ok((connection.clone(), false));
        }
        let limits = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(REPLY));
        let client = &self.client;
        let connection = client
            .get_multiplexed_async_connection_with_config(&limits)
            .await?;
        *held = Some(connection.clone());
        Ok((connection, true))
    }

    fn failure(&self, error: &RedisError) -> BoxError {
        let mut text = format!("Redis: {error}");
        let settings = self.client.get_connection_info().redis_settings();
        if let Some(password) = settings.password().filter(|password| !password.is_empty()) {
            text = text.replace(password, REDACTED);
        }
        text.into()
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<(&'static str, &'static str), Vec<Instant>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rounded up: rounded down, one too many fits into a window.
fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1000)).unwrap_or(u64::MAX)
}

impl fmt::Debug for RedisBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBudget")
            .field("server", &self.shared.client.get_connection_info().addr())
            .field("account", &self.shared.account)
            .finish_non_exhaustive()
    }
}
