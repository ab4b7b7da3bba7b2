//! Checks the client with nginx: its rate limits, its error pages, and the requests in its access log.

use crate::calls::{Kind, Outcome, Tweak, attempts, create, list, outcome, summary};
use crate::report::Report;
use crate::{Result, Servers};
use deploykit::http::Method;
use deploykit::{Call, Effect, ErrorKind, Retry, nodion};
use serde_json::json;
use std::future::Future;
use std::time::Duration;
use tokio::task::JoinSet;

/// Concurrent calls at a rate limit.
const CONCURRENT_CALLS: usize = 20;
/// Concurrent creates at a rate limit.
const CREATES: usize = 4;
/// Delay of the slow location.
const SLOW_MS: u64 = 5_000;
/// After this time, a call is dropped or its attempt times out.
const CALLER_TIMEOUT: Duration = Duration::from_millis(1_500);
/// How long to wait for log lines.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);
/// The log counts as complete if it does not change for this long.
const LOG_QUIET: Duration = Duration::from_millis(150);

pub async fn check(servers: &Servers, report: &mut Report) -> Result<()> {
    slow_location(servers).await?;
    limit_without_retry_after(servers, report).await?;
    limit_with_retry_after(servers, report).await?;
    dropped_calls(servers, report).await?;
    for location in locations() {
        location.check(servers, report).await?;
    }
    Ok(())
}

/// Without `Retry-After`, a 429 is an error and not retried.
async fn limit_without_retry_after(servers: &Servers, report: &mut Report) -> Result<()> {
    let found = concurrently(CONCURRENT_CALLS, || {
        Ok(outcome(list(&servers.at("without-retry-after"))?))
    })
    .await?;
    let refused: Vec<_> = found
        .iter()
        .filter_map(|found| found.as_ref().err())
        .collect();
    let log = Log::read(servers, "without-retry-after", CONCURRENT_CALLS).await?;
    let as_expected = refused.iter().all(|error| {
        (error.kind(), error.effect(), error.retry_after())
            == (ErrorKind::RateLimited, Effect::None, None)
    });
    let some_refused = !refused.is_empty() && refused.len() < CONCURRENT_CALLS;
    let once = log.all() == CONCURRENT_CALLS && log.with(429) == refused.len();
    let name = format!("nginx: 429 without Retry-After is not retried: {log}");
    report.holds(name, some_refused && as_expected && once);
    Ok(())
}

/// With `Retry-After`, all calls succeed, every attempt is logged, and each create is accepted once.
async fn limit_with_retry_after(servers: &Servers, report: &mut Report) -> Result<()> {
    let (lists, creates) = (servers.at("with-retry-after"), servers.at("creates"));
    let listed = concurrently(CONCURRENT_CALLS, || {
        Ok(outcome(with_many_retries(list(&lists)?)))
    })
    .await?;
    let created = concurrently(CREATES, || {
        Ok(outcome(with_many_retries(create(&creates, "v")?)))
    })
    .await?;
    for (place, found, status) in [("with-retry-after", listed, 200), ("creates", created, 202)] {
        let attempts = found.iter().map(attempts).sum();
        let log = Log::read(servers, place, attempts).await?;
        let all_succeed = found.iter().all(Outcome::is_ok) && log.with(status) == found.len();
        let all_logged = log.all() == attempts && log.with(429) > 0;
        let name = format!("nginx: 429 with Retry-After ({place}) is retried until success: {log}");
        report.holds(name, all_succeed && all_logged);
    }
    Ok(())
}

/// A dropped call closes its connection at once and is not retried.
async fn dropped_calls(servers: &Servers, report: &mut Report) -> Result<()> {
    for kind in [Kind::List, Kind::Create] {
        let place = format!("slow/dropped-{kind:?}");
        let base_url = servers.at(&place);
        let call = kind.call(&base_url, Tweak::Nothing);
        let was_dropped = tokio::time::timeout(CALLER_TIMEOUT, call).await.is_err();
        let log = Log::read(servers, &place, 1).await?;
        let name =
            format!("nginx: a dropped {kind:?} closes its connection and is not retried: {log}");
        report.holds(name, was_dropped && log.all() == 1 && log.with(499) == 1);
    }
    Ok(())
}

/// A location of `nginx.conf` for which nginx itself, not the upstream server, decides the outcome.
struct Location {
    kind: Kind,
    place: &'static str,
    tweak: Tweak,
    /// The status in the log.
    logged: u16,
    /// Text in the body excerpt of the error.
    body_text: &'static str,
    /// The expected outcome.
    outcome: String,
}

fn locations() -> Vec<Location> {
    use Kind::{Create, List};
    use Tweak::{LargeBody, LongHeader, LongQuery, Nothing};
    let slow = Tweak::Timeout(CALLER_TIMEOUT);
    let permanent = [
        (Create, "small-limit", LargeBody, 413, "Entity Too Large"),
        (List, "good", LongQuery, 414, "URI Too Large"),
        (Create, "good", LongHeader, 400, "Cookie Too Large"),
        (Create, "redirect", Nothing, 301, "Moved"),
    ];
    let permanent = permanent.map(|(kind, place, tweak, logged, body_text)| Location {
        kind,
        place,
        tweak,
        logged,
        body_text,
        outcome: match logged {
            301 => "Redirected Unknown 1".to_owned(),
            _ => "Rejected None 1".to_owned(),
        },
    });
    let transient = [
        ("no-upstream", Nothing, 502, "Bad Gateway", "Unavailable"),
        ("short-timeout", Nothing, 504, "Gateway Time-out", "Timeout"),
        ("closed", Nothing, 444, "", "Interrupted"),
        ("slow", slow, 499, "", "Timeout"),
    ];
    let transient = transient
        .into_iter()
        .flat_map(|(place, tweak, logged, body_text, error)| {
            [(List, "None 3"), (Create, "Unknown 1")].map(|(kind, outcome)| Location {
                kind,
                place,
                tweak,
                logged,
                body_text,
                outcome: format!("{error} {outcome}"),
            })
        });
    permanent.into_iter().chain(transient).collect()
}

impl Location {
    async fn check(&self, servers: &Servers, report: &mut Report) -> Result<()> {
        let kind = self.kind;
        let before = Log::now(servers, "")?;
        let found = kind.call(&servers.at(self.place), self.tweak).await?;
        let outcome = summary(&found);
        // Counts the lines of all locations: nginx logs no path for a request that it cannot read.
        let attempts = attempts(&found);
        let log = Log::read(servers, "", before.all() + attempts).await?;
        let mut problems = Vec::new();
        if outcome != self.outcome {
            problems.push(format!("expected {}, got {found:?}", self.outcome));
        }
        if let Err(error) = &found {
            // nginx logs 444 and 499 for requests that get no response.
            let status = (![444, 499].contains(&self.logged)).then_some(self.logged);
            let body = error.body_excerpt().unwrap_or_default();
            if error.status() != status || !body.contains(self.body_text) {
                problems.push(format!(
                    "expected status {status:?} and body text {:?}, got {error:?}",
                    self.body_text
                ));
            }
        }
        let logged = log.with(self.logged) - before.with(self.logged);
        if logged != attempts || log.all() != before.all() + attempts {
            problems.push(format!("the log changed from {before} to {log}"));
        }
        let name = format!(
            "nginx: {} at /{}: {kind:?}: {outcome}",
            self.logged, self.place
        );
        report.check(name, &problems);
        Ok(())
    }
}

/// A call with many retries.
fn with_many_retries<T: Send + 'static>(call: Call<T>) -> Call<T> {
    // Spreads the retries over a second, because all calls get the same `Retry-After`.
    let spread = Duration::from_secs(1);
    call.retry(
        Retry::default()
            .max_retries(40)
            .initial_backoff(spread)
            .max_backoff(spread),
    )
}

/// The outcomes of concurrent calls.
async fn concurrently<F, R>(count: usize, call: F) -> Result<Vec<Outcome>>
where
    F: Fn() -> Result<R>,
    R: Future<Output = Outcome> + Send + 'static,
{
    let mut calls = JoinSet::new();
    for _ in 0..count {
        calls.spawn(call()?);
    }
    Ok(calls.join_all().await)
}

/// Configures WireMock's slow reply behind nginx's slow locations.
async fn slow_location(servers: &Servers) -> Result<()> {
    let admin = nodion::Client::builder()
        .base_url(&servers.wiremock)
        .token("none")
        .build()?;
    let mapping = json!({
        "request": { "method": "ANY", "urlPathPattern": "/slow/.*" },
        "response": { "status": 200, "jsonBody": {}, "fixedDelayMilliseconds": SLOW_MS },
    });
    admin
        .request(Method::POST, "/__admin/mappings")
        .json(&mapping)
        .await?;
    Ok(())
}

impl Servers {
    fn at(&self, place: &str) -> String {
        format!("{}/{place}", self.nginx)
    }
}

/// The logged statuses of the requests below a location.
struct Log(Vec<u16>);

impl Log {
    /// Reads the log once it has `expected` lines and no longer changes.
    async fn read(servers: &Servers, place: &str, expected: usize) -> Result<Self> {
        let since = tokio::time::Instant::now();
        let mut before = usize::MAX;
        loop {
            let log = Self::now(servers, place)?;
            let enough = log.all() >= expected || since.elapsed() > LOG_TIMEOUT;
            if enough && log.all() == before {
                return Ok(log);
            }
            before = log.all();
            tokio::time::sleep(LOG_QUIET).await;
        }
    }

    /// Reads the log as it is.
    fn now(servers: &Servers, place: &str) -> Result<Self> {
        let prefix = format!("/{place}");
        let mut statuses = Vec::new();
        for line in std::fs::read_to_string(&servers.access_log)?.lines() {
            let mut words = line.splitn(3, ' ');
            let status = words.next().unwrap_or_default().parse()?;
            let path = words.nth(1).unwrap_or_default();
            if place.is_empty() || path.starts_with(&prefix) {
                statuses.push(status);
            }
        }
        Ok(Self(statuses))
    }

    fn all(&self) -> usize {
        self.0.len()
    }

    fn with(&self, status: u16) -> usize {
        self.0.iter().filter(|logged| **logged == status).count()
    }
}

impl std::fmt::Display for Log {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut statuses = self.0.clone();
        statuses.sort_unstable();
        let groups = statuses.chunk_by(|one, other| one == other);
        let words = groups.map(|group| format!("{} x {}", group.len(), group[0]));
        f.write_str(&words.collect::<Vec<_>>().join(", "))
    }
}
