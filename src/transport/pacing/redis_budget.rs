//! `RedisBudget`: a shared budget on a Redis server.

use super::shared_budget::{BudgetBucket, BudgetReply, SharedBudget};
use crate::error::{BoxError, Error, Result, with_unit};
use crate::secret::{REDACTED, Secret};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Script};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// Timeout for connecting and login.
const CONNECT: Duration = Duration::from_millis(500);
/// Timeout for one response.
const REPLY: Duration = Duration::from_millis(500);
/// Timeout for a request, a reconnect included.
const TIMEOUT: Duration = Duration::from_secs(1);
/// Slots are reserved at most this far ahead. If all of these are taken, a process tries again later.
const MAX_AHEAD: Duration = Duration::from_secs(10);
/// A reserved slot is lost if it is used later than this. `bucket::SHARED_MARGIN` makes up for the delay.
const MAX_DELAY: Duration = Duration::from_millis(25);

/// Takes a slot. Returns whether it was taken, and the microseconds until the slot may be used, or until the
/// next request.
///
/// `KEYS[1]` is the time at which the bucket is full again, in microseconds of the server's clock. It is
/// written with `%.0f`, because it has 16 digits and Lua prints 14. If it is too far ahead, the clock was set
/// back; the bucket then counts as empty.
static TAKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local refill, burst, ahead = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full = tonumber(redis.call('GET', KEYS[1])) or now
if full < now then full = now end
if full > now + burst + ahead + refill then full = now + burst + refill end
local wait = math.max(0, full - burst - now)
if wait > ahead then return {0, wait - ahead} end
full = full + refill
local left = math.ceil((full - now) / 1000)
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', string.format('%.0f', left))
return {1, wait}
",
    )
});

/// A [`SharedBudget`] on a Redis server: all processes with the same server and account name share a
/// platform's rates.
///
/// ```
/// # fn main() -> deploykit::Result<()> {
/// # let builder = deploykit::edgegap::Client::builder().token("secret");
/// use deploykit::{pacing::{Fallback, Pacing, RedisBudget}};
/// let budget = RedisBudget::new("redis://:password@redis.internal:6379/0", "my-organisation")?;
/// // While Redis is down, each of the four processes uses a quarter of the rate.
/// let client = builder.pacing(Pacing::documented().one_of(4).shared(budget, Fallback::Local)).build()?;
/// # Ok(()) }
/// ```
///
/// **Data.** One key per bucket, `deploykit:{account}:platform:bucket`, with one number and an expiry. A
/// script reads and writes it atomically. Slots are assigned in order of request and reserved for the
/// requesting process. An unused slot goes to the next call of that process, or is lost. If all slots of
/// the next 10 s are reserved, a process has to try again later.
///
/// **Clocks.** Only the server's clock is used. If it jumps ahead, one extra burst may be sent. If it
/// jumps back, the bucket counts as empty.
///
/// **When Redis is down.** Timeouts are 0.5 s for connecting, 0.5 s for a response and 1 s in total. Then
/// [`Fallback::Local`](crate::pacing::Fallback::Local) uses the share of
/// [`Pacing::one_of`](crate::pacing::Pacing::one_of), and
/// [`Fallback::Refuse`](crate::pacing::Fallback::Refuse) sends nothing. If the server refuses connections,
/// every call tries to connect. If it does not respond, calls try it again after four times the duration of
/// the failure, at most 4 s.
///
/// **When Redis loses data.** After a flush or a failover one extra burst may be sent: 25 calls at 100 per
/// minute, one at 40 per second. With [`Fallback::Local`](crate::pacing::Fallback::Local) this does not
/// happen if the processes noticed the outage, because they use their local rate for one more window.
///
/// **Requirements.** Redis 6.2 or later, or a compatible server, with the commands `EVALSHA`, `SCRIPT
/// LOAD`, `TIME`, `GET` and `SET`. In a cluster, use the address of the node that has the key:
/// redirections are not followed. `rediss` is not supported; use a tunnel on untrusted networks. Needs a
/// tokio runtime with I/O and time.
#[derive(Clone)]
pub struct RedisBudget {
    shared: Arc<Shared>,
}

struct Shared {
    client: Client,
    account: String,
    connection: tokio::sync::Mutex<Option<MultiplexedConnection>>,
    /// The slots that are reserved for this process, by platform and bucket.
    reserved: Mutex<HashMap<(&'static str, &'static str), Vec<Instant>>>,
}

impl RedisBudget {
    /// A budget on the server `redis://user:password@host:port/database`. Connects with the first call.
    ///
    /// `account` is a name for the account that the rates apply to. It is part of the keys, so it must
    /// not be the token.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the URL is invalid or the account
    /// is empty. The URL is not shown.
    pub fn new(url: impl Into<Secret>, account: impl Into<String>) -> Result<Self> {
        let url = url.into();
        let account = account.into();
        if account.trim().is_empty() {
            return Err(Error::configuration(
                "the account name of a Redis budget is empty",
            ));
        }
        // The client's message may contain the URL.
        let client = Client::open(url.expose()).map_err(|_| {
            Error::configuration(
                "the URL of the Redis budget is invalid; expected redis://user:password@host:6379/0",
            )
        })?;
        Ok(Self {
            shared: Arc::new(Shared {
                client,
                account,
                connection: tokio::sync::Mutex::default(),
                reserved: Mutex::default(),
            }),
        })
    }
}

impl SharedBudget for RedisBudget {
    async fn take(&self, bucket: &BudgetBucket) -> Result<BudgetReply, BoxError> {
        let shared = &self.shared;
        if let Some(reply) = shared.take_reserved(bucket) {
            return Ok(reply);
        }
        let (taken, wait) = match timeout(TIMEOUT, shared.request(bucket)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => return Err(shared.redacted(&error)),
            Err(_) => {
                return Err(format!("Redis: no response within {}", with_unit(TIMEOUT)).into());
            }
        };
        let wait = Duration::from_micros(wait);
        if taken && wait.is_zero() {
            return Ok(BudgetReply::Taken);
        }
        if taken {
            let slots = &mut *shared.reserved();
            let slots = slots.entry((bucket.platform, bucket.name)).or_default();
            slots.push(Instant::now() + wait);
        }
        Ok(BudgetReply::Wait(wait))
    }
}

impl Shared {
    /// Takes a reserved slot, or returns the wait until the next one. `None` if no slot is reserved.
    fn take_reserved(&self, bucket: &BudgetBucket) -> Option<BudgetReply> {
        let now = Instant::now();
        let mut reserved = self.reserved();
        let slots = reserved.get_mut(&(bucket.platform, bucket.name))?;
        slots.retain(|slot| *slot + MAX_DELAY >= now);
        let first = slots.iter().position(|slot| *slot <= now);
        if let Some(first) = first {
            slots.remove(first);
            return Some(BudgetReply::Taken);
        }
        let next = slots.iter().min()?;
        Some(BudgetReply::Wait(*next - now))
    }

    /// Runs the script. Reconnects once if that fails on an old connection, which may be stale.
    async fn request(&self, bucket: &BudgetBucket) -> Result<(bool, u64), RedisError> {
        loop {
            let (mut connection, is_new) = self.connection().await?;
            let reply = self.run_script(&mut connection, bucket).await;
            if reply.is_ok() {
                return reply;
            }
            *self.connection.lock().await = None;
            if is_new {
                return reply;
            }
        }
    }

    async fn run_script(
        &self,
        connection: &mut MultiplexedConnection,
        bucket: &BudgetBucket,
    ) -> Result<(bool, u64), RedisError> {
        let refill = micros(bucket.refill);
        let burst = refill.saturating_mul(u64::from(bucket.burst.saturating_sub(1)));
        let (account, platform, name) = (&self.account, bucket.platform, bucket.name);
        // The braces keep all keys of an account on one node of a cluster.
        TAKE.key(format!("deploykit:{{{account}}}:{platform}:{name}"))
            .arg(refill)
            .arg(burst)
            .arg(micros(MAX_AHEAD))
            .invoke_async(connection)
            .await
    }

    /// The connection, and whether it is new.
    async fn connection(&self) -> Result<(MultiplexedConnection, bool), RedisError> {
        let mut current = self.connection.lock().await;
        if let Some(connection) = &*current {
            return Ok((connection.clone(), false));
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(REPLY));
        let connection = self
            .client
            .get_multiplexed_async_connection_with_config(&config)
            .await?;
        *current = Some(connection.clone());
        Ok((connection, true))
    }

    /// The error without the password.
    fn redacted(&self, error: &RedisError) -> BoxError {
        let mut text = format!("Redis: {error}");
        let settings = self.client.get_connection_info().redis_settings();
        if let Some(password) = settings.password().filter(|password| !password.is_empty()) {
            text = text.replace(password, REDACTED);
        }
        text.into()
    }

    fn reserved(&self) -> MutexGuard<'_, HashMap<(&'static str, &'static str), Vec<Instant>>> {
        self.reserved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Rounded up: otherwise one call too many would fit into a window.
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
