//! nginx: real rate limits, real pages, and what it logs.

use crate::call::{Kind, Options, Outcome, create, list, outcome};
use crate::report::Report;
use crate::table::Wanted;
use crate::{Result, Servers};
use deploykit::http::Method;
use deploykit::{Call, Effect, ErrorKind, Retry, nodion};
use serde_json::json;
use std::future::Future;
use std::time::Duration;
use tokio::task::JoinSet;

/// How many calls run into a limit at the same time.
const CROWD: usize = 20;
/// How many creates do.
const CREATES: usize = 4;
/// What the slow location takes, and how long a caller waits who gives up.
const SLOW_MS: u64 = 5_000;
const IMPATIENCE: Duration = Duration::from_millis(1_500);
/// How long the log may be behind.
const LOG_PATIENCE: Duration = Duration::from_secs(5);
/// How long nothing more may be logged before it counts as final.
const LOG_QUIET: Duration = Duration::from_millis(150);
/// nginx reads a request line and a header of at most 8 KiB.
const TOO_LONG: usize = 9 << 10;
const TOO_LARGE: usize = 300 << 10;

pub async fn check(servers: &Servers, report: &mut Report) -> Result<()> {
    slow_location(servers).await?;
    unhinted(servers, report).await?;
    hinted(servers, report).await?;
    creates(servers, report).await?;
    dropped(servers, report).await?;
    for page in pages() {
        page.check(servers, report).await?;
    }
    Ok(())
}

/// Without a hint a refusal is an error at once, and never sent again.
async fn unhinted(servers: &Servers, report: &mut Report) -> Result<()> {
    let found = crowd(CROWD, || Ok(outcome(list(&servers.at("unhinted"))?))).await?;
    let (good, refused): (Vec<_>, Vec<_>) = found.iter().partition(|found| found.kind.is_none());
    let log = Log::read(servers, "unhinted", CROWD).await?;
    let as_expected = refused.iter().all(|found| {
        (found.kind, found.effect, found.retry_after)
            == (Some(ErrorKind::RateLimited), Some(Effect::None), None)
    });
    report.check(
        "nginx: a limit without a hint: refused is an error",
        !good.is_empty() && !refused.is_empty() && as_expected,
        format!("{} good, {} refused", good.len(), refused.len()),
    );
    report.check(
        "nginx: a limit without a hint: nothing is sent twice",
        found.iter().all(|found| found.attempts == 1)
            && log.all() == CROWD
            && log.with(429) == refused.len(),
        format!("logged {log}"),
    );
    Ok(())
}

/// With a hint everybody gets through, and every attempt is in the log.
async fn hinted(servers: &Servers, report: &mut Report) -> Result<()> {
    let found = crowd(CROWD, || Ok(outcome(patient(list(&servers.at("hinted"))?)))).await?;
    let good = found.iter().filter(|found| found.kind.is_none()).count();
    let attempts: usize = found.iter().map(|found| found.attempts as usize).sum();
    let log = Log::read(servers, "hinted", attempts).await?;
    report.check(
        "nginx: a limit with a hint: all get through",
        good == CROWD && log.with(200) == CROWD,
        format!("{good} of {CROWD}"),
    );
    report.check(
        "nginx: a limit with a hint: the log has every attempt",
        attempts > CROWD && log.all() == attempts,
        format!("attempts {attempts}, logged {log}"),
    );
    Ok(())
}

/// Creates behind a limit come back, and each is accepted once.
async fn creates(servers: &Servers, report: &mut Report) -> Result<()> {
    let base_url = servers.at("creates");
    let found = crowd(CREATES, || Ok(outcome(patient(create(&base_url, "v")?)))).await?;
    let good = found.iter().filter(|found| found.kind.is_none()).count();
    let attempts: usize = found.iter().map(|found| found.attempts as usize).sum();
    let log = Log::read(servers, "creates", attempts).await?;
    report.check(
        "nginx: creates behind a limit: each is accepted once",
        good == CREATES && log.with(202) == CREATES && log.with(429) > 0,
        format!("{good} of {CREATES}, logged {log}"),
    );
    report.check(
        "nginx: creates behind a limit: the log has every attempt",
        log.all() == attempts,
        format!("attempts {attempts}, logged {log}"),
    );
    Ok(())
}

/// A call that is dropped is gone from the server at once, and does not come again.
async fn dropped(servers: &Servers, report: &mut Report) -> Result<()> {
    for kind in [Kind::List, Kind::Create] {
        let name = format!("slow/dropped-{}", kind.name());
        let base_url = servers.at(&name);
        let options = Options::default();
        let call = kind.call(&base_url, &options);
        let gave_up = tokio::time::timeout(IMPATIENCE, call).await.is_err();
        let log = Log::read(servers, &name, 1).await?;
        report.check(
            format!("nginx: a dropped {} is closed, once", kind.name()),
            gave_up && log.all() == 1 && log.with(499) == 1,
            format!("logged {log}"),
        );
    }
    Ok(())
}

/// A place where nginx answers by itself.
struct Page {
    name: &'static str,
    /// The location, and what follows it.
    place: &'static str,
    kind: Kind,
    options: Options,
    /// How large a variable stands in the body of a create.
    body: usize,
    wanted: Wanted,
    /// The status that the error carries.
    status: Option<u16>,
    /// What the log says.
    logged: u16,
    says: &'static str,
}

fn pages() -> Vec<Page> {
    let wanted = |kind, effect, attempts| Wanted {
        kind: Some(kind),
        effect: Some(effect),
        attempts,
    };
    let page = |name, place, kind, status: u16, says, wanted| Page {
        name,
        place,
        kind,
        options: Options::default(),
        body: 1,
        wanted,
        status: Some(status),
        logged: status,
        says,
    };
    let passes = |name, place, status, says, error| {
        let list = wanted(error, Effect::None, 3);
        let create = wanted(error, Effect::Unknown, 1);
        [
            page(name, place, Kind::List, status, says, list),
            page(name, place, Kind::Create, status, says, create),
        ]
    };
    let refused = || wanted(ErrorKind::Rejected, Effect::None, 1);
    let mut pages = vec![
        Page {
            body: TOO_LARGE,
            ..page(
                "413: a body that is too large",
                "large",
                Kind::Create,
                413,
                "Request Entity Too Large",
                refused(),
            )
        },
        Page {
            options: Options {
                long_query: Some(TOO_LONG),
                ..Options::default()
            },
            ..page(
                "414: a URL that is too long",
                "good",
                Kind::List,
                414,
                "Request-URI Too Large",
                refused(),
            )
        },
        Page {
            options: Options {
                long_header: Some(TOO_LONG),
                ..Options::default()
            },
            ..page(
                "400: a header that is too long",
                "good",
                Kind::Create,
                400,
                "Header Or Cookie Too Large",
                refused(),
            )
        },
        page(
            "301: a redirect",
            "elsewhere",
            Kind::Create,
            301,
            "Moved Permanently",
            wanted(ErrorKind::Redirected, Effect::Unknown, 1),
        ),
    ];
    pages.extend(passes(
        "502: nobody behind it",
        "nobody",
        502,
        "Bad Gateway",
        ErrorKind::Unavailable,
    ));
    pages.extend(passes(
        "504: too slow behind it",
        "impatient",
        504,
        "Gateway Time-out",
        ErrorKind::Timeout,
    ));
    pages.extend(
        passes("444: hangs up", "hangs-up", 444, "", ErrorKind::Interrupted).map(|page| Page {
            status: None,
            ..page
        }),
    );
    pages.extend(
        passes(
            "499: an attempt takes too long",
            "slow",
            499,
            "",
            ErrorKind::Timeout,
        )
        .map(|page| Page {
            options: Options {
                timeout: Some(IMPATIENCE),
                ..Options::default()
            },
            status: None,
            ..page
        }),
    );
    pages
}

impl Page {
    async fn check(&self, servers: &Servers, report: &mut Report) -> Result<()> {
        let base_url = servers.at(self.place);
        let before = Log::now(servers, "")?;
        let found = match self.kind {
            Kind::Create => {
                let call = create(&base_url, &"v".repeat(self.body))?;
                outcome(self.options.on(call)).await
            }
            kind => kind.call(&base_url, &self.options).await?,
        };
        // A request that nginx could not read has no path in the log, so that all lines count.
        let attempts = found.attempts as usize;
        let log = Log::read(servers, "", before.all() + attempts).await?;
        let logged = log.with(self.logged) - before.with(self.logged);
        let as_wanted = self.wanted
            == Wanted {
                kind: found.kind,
                effect: found.effect,
                attempts: found.attempts,
            };
        let holds = as_wanted
            && found.status == self.status
            && found.body.contains(self.says)
            && logged == attempts
            && log.all() == before.all() + attempts;
        let mut line = format!("{found}, logged {logged}");
        if !holds {
            line = format!(
                "{line}: expected {:?}, status {:?}, {:?} in {:?} ({})",
                self.wanted, self.status, self.says, found.body, found.message
            );
        }
        report.check(
            format!("nginx: {}: {}", self.name, self.kind.name()),
            holds,
            line,
        );
        Ok(())
    }
}

/// A call that comes back as often as it is asked to.
fn patient<T: Send + 'static>(call: Call<T>) -> Call<T> {
    // Spread over a second on top of what the server asks for: all of them are asked for the same.
    let spread = Duration::from_secs(1);
    call.retry(
        Retry::default()
            .max_retries(40)
            .initial_backoff(spread)
            .max_backoff(spread),
    )
}

/// Many calls at the same time, and what they came to.
async fn crowd<F, R>(count: usize, call: F) -> Result<Vec<Outcome>>
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

/// Makes WireMock slow where nginx's slow locations lead.
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

/// The statuses that nginx logged below a location.
struct Log(Vec<u16>);

impl Log {
    /// Reads the log once it has so many lines and has been quiet for a while.
    async fn read(servers: &Servers, place: &str, wanted: usize) -> Result<Self> {
        let since = tokio::time::Instant::now();
        let mut before = usize::MAX;
        loop {
            let log = Self::now(servers, place)?;
            let enough = log.all() >= wanted || since.elapsed() > LOG_PATIENCE;
            if enough && log.all() == before {
                return Ok(log);
            }
            before = log.all();
            tokio::time::sleep(LOG_QUIET).await;
        }
    }

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
