//! Logs that are read whole: one reply, or as many as it takes to come to their end.

use super::cluster_logs::ClusterLog;
use super::envelope::{items, list_in, unwrap};
use super::log_connection::{Ready, is_heartbeat, item_of, no_line, read_line, records};
use super::logs::{NAMES, interrupted};
use super::{Client, LogLine, ServiceId, classify, fold};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::logs::{Item, Place, Seam};
use crate::transport::Scope;
use bytes::Bytes;
use progenitor_client::ByteStream;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, timeout};

/// How many lines the control plane sends if it is not told.
const LIMIT_UNTOLD: usize = 1_000;
/// The most that it sends in one reply.
pub(super) const LARGEST_LIMIT: u32 = 5_000;
/// How far back the newest lines are looked for before all that the control plane gives is read.
const LOOK_BACK: [Duration; 2] = [Duration::from_secs(5 * 60), Duration::from_secs(3600)];

/// Which part of a log is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Wanted {
    pub follow: bool,
    pub tail: Option<u32>,
    pub since: Option<i64>,
    pub limit: Option<u32>,
}

/// Whose log it is.
#[derive(Clone)]
pub(super) enum Log {
    Service(ServiceId),
    Cluster(Arc<ClusterLog>),
}

pub(super) async fn open(scope: &Scope, log: &Log, wanted: Wanted) -> Result<ByteStream> {
    let id = match log {
        Log::Service(id) => id,
        Log::Cluster(log) => return log.open(scope, wanted).await,
    };
    let id = id.clone();
    Client::step(scope, move |raw| async move {
        let stream = raw.get_service_logs(
            id.as_str(),
            wanted.follow.then_some(true),
            wanted.limit.map(i64::from),
            wanted.since,
            wanted.tail.map(i64::from),
        );
        Ok(stream.await?.into_inner())
    })
    .await
}

/// The rest of a reply whose beginning is there, within the limits of the call that asked for it. The
/// transport's limits end where the reply of a stream begins.
pub(super) async fn body_of(
    scope: &mut Scope,
    started: Instant,
    stream: ByteStream,
) -> Result<Vec<u8>> {
    let left = scope.deadline().saturating_sub(started.elapsed());
    let limit = scope.attempt_limit().min(left);
    let most = scope.transport().limits.reply_bytes;
    let body = match timeout(limit, collect(stream, most)).await {
        Ok(body) => body,
        Err(_) => Err(took_too_long(limit)),
    };
    body.map_err(|error| scope.complete(error.with_effect(Effect::None)))
}

fn took_too_long(limit: Duration) -> Error {
    Error::new(
        ErrorKind::Timeout,
        format!("the logs took longer than {limit:?}"),
    )
    .with_effect(Effect::None)
}

async fn collect(stream: ByteStream, limit: usize) -> Result<Vec<u8>> {
    let mut stream = stream.into_inner();
    let mut body = Vec::new();
    while let Some(chunk) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        let chunk: Bytes = chunk.map_err(interrupted)?;
        if body.len() + chunk.len() > limit {
            return Err(Error::new(
                ErrorKind::Decode,
                format!("the reply is larger than {limit} bytes"),
            )
            .with_advice("raise max_reply_bytes if that is expected"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The lines of a whole reply: one JSON value in any of the forms of a list, or one value a line.
/// One that is none is an error.
pub(super) fn lines_of<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Vec::new());
    }
    let misfit = |why: String| match why.strip_prefix("within ") {
        Some(place) if place.starts_with('[') => {
            no_line(format!("the reply does not fit at ${place}"))
        }
        Some(place) => no_line(format!("the reply does not fit at $.{place}")),
        None => no_line("the reply is no list of log lines"),
    };
    match serde_json::from_slice(body) {
        // One line alone, or one value in an envelope.
        Ok(Value::Object(map)) if map.contains_key("message") && !map.contains_key("success") => {
            Ok(vec![fold::read(Value::Object(map), "").map_err(misfit)?])
        }
        Ok(value) => {
            let value = classify::normalise(value)
                .map_err(|classified| classified.into_error(Effect::None))?;
            let (value, place) = unwrap(value);
            let (values, place, _) = list_in(value, place, &NAMES).map_err(misfit)?;
            items(values, &place).map_err(misfit)
        }
        Err(_) => each_line(body),
    }
}

fn each_line<T: DeserializeOwned>(body: &[u8]) -> Result<Vec<T>> {
    let mut lines = Vec::new();
    for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
        if is_heartbeat(line) {
            continue;
        }
        let value = serde_json::from_slice(line)
            .map_err(|_| no_line(format!("line {} of the logs is not JSON", index + 1)))?;
        let line = fold::read(value, &format!("line {}", index + 1));
        lines.push(
            line.map_err(|why| no_line(why.replacen("within ", "the logs do not fit at ", 1)))?,
        );
    }
    Ok(lines)
}

/// The same for a reader that goes on behind a line that is none.
fn items_of(body: &[u8]) -> VecDeque<Item<LogLine>> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut ready = VecDeque::new();
    match serde_json::from_slice(body) {
        Ok(Value::Null) => {}
        Ok(value) => ready.extend(records(value).into_iter().map(Ready::Value)),
        Err(_) => {
            for line in body.split(|byte| *byte == b'\n') {
                read_line(line, &mut ready);
            }
        }
    }
    ready.into_iter().map(item_of).collect()
}

/// One reply of what is behind.
pub(super) struct Page {
    pub items: VecDeque<Item<LogLine>>,
    count: usize,
    limit: Option<u32>,
    /// The server knows `since`: nothing is older.
    placed: bool,
}

/// What there is behind a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    Nothing,
    More,
    /// More of the same millisecond than one reply holds.
    Stuck,
}

impl Page {
    /// Reads one. A reply that is too large is asked for again in smaller parts.
    pub async fn read(
        scope: &mut Scope,
        started: Instant,
        id: &Log,
        mut wanted: Wanted,
    ) -> Result<Self> {
        let deadline = scope.deadline();
        loop {
            // One call may read many pages: its deadline is that of them all.
            let left = deadline.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(scope.complete(took_too_long(deadline)));
            }
            let mut of_page = scope.clone();
            of_page.options_mut().deadline = Some(left);
            let stream = open(&of_page, id, wanted).await?;
            let body = match (body_of(scope, started, stream).await, wanted.limit) {
                (Err(error), Some(limit)) if error.kind() == ErrorKind::Decode && limit > 5 => {
                    wanted.limit = Some(limit / 10);
                    continue;
                }
                (body, _) => body?,
            };
            let mut items = items_of(&body);
            for item in &mut items {
                let line = std::mem::replace(&mut item.line, Err(no_line("")));
                item.line = line.map_err(|error| scope.complete(error));
            }
            let since = wanted.since.unwrap_or(i64::MIN);
            return Ok(Self {
                count: items.len(),
                limit: wanted.limit,
                placed: !items
                    .iter()
                    .any(|item| item.at.is_some_and(|at| at < since)),
                items,
            });
        }
    }

    /// What is behind it, for a reader that found something new in it or not. Fewer lines than were
    /// asked for are all that there are; more come from a server that knows no limit.
    pub fn behind(&self, progress: bool) -> Behind {
        let full = self
            .limit
            .is_some_and(|limit| usize::try_from(limit).is_ok_and(|limit| limit == self.count));
        match (full && self.placed, progress) {
            (false, _) => Behind::Nothing,
            (true, true) => Behind::More,
            (true, false) => Behind::Stuck,
        }
    }
}

/// For more lines in one millisecond than the control plane gives.
pub(super) fn too_crowded() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "more lines have the same millisecond than the server gives at a time: some are left out",
    )
    .with_effect(Effect::None)
}

/// The newest lines of a log that is read from the front.
pub(super) struct Newest {
    pub lines: VecDeque<Item<LogLine>>,
    /// The place behind those that were left out.
    pub seam: Seam,
    /// What was read, to leave out what comes twice.
    read: Seam,
    keep: usize,
}

impl Newest {
    fn new(keep: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            seam: Seam::new(Place::default(), 0),
            read: Seam::new(Place::default(), 0),
            keep,
        }
    }

    /// Reads the newest `tail` lines. So many more are asked for as `margin` says: to go on behind them
    /// one has to know the others of the last millisecond, too.
    ///
    /// A server that knows `tail` sends them. The control plane does not and gives the oldest lines
    /// of a window first: if those are not all, the window begins nearer to the end.
    pub async fn read(scope: &mut Scope, id: &Log, tail: u32, margin: u32) -> Result<Self> {
        let started = Instant::now();
        let keep = usize::try_from(tail).unwrap_or(usize::MAX);
        let wanted = Wanted {
            tail: Some(tail.saturating_add(margin)),
            ..Wanted::default()
        };
        let page = Page::read(scope, started, id, wanted).await?;
        let cut = page.count == LIMIT_UNTOLD;
        let mut all = Self::new(keep);
        all.take(page);
        if !cut {
            return Ok(all);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default();
        for back in LOOK_BACK {
            let since = i64::try_from(now.saturating_sub(back).as_millis()).unwrap_or(i64::MAX);
            let mut part = Self::new(keep);
            part.read.start_at(Some(since));
            part.read_on(scope, started, id, wanted).await?;
            if part.lines.len() >= keep {
                return Ok(part);
            }
        }
        all.read_on(scope, started, id, wanted).await?;
        Ok(all)
    }

    /// Whether a reader could go on behind it.
    pub fn is_placed(&self) -> bool {
        self.read.is_placed()
    }

    async fn read_on(
        &mut self,
        scope: &mut Scope,
        started: Instant,
        id: &Log,
        wanted: Wanted,
    ) -> Result<()> {
        loop {
            self.read.read_anew();
            let wanted = Wanted {
                since: self.read.place().since(),
                limit: Some(LARGEST_LIMIT),
                ..wanted
            };
            let page = Page::read(scope, started, id, wanted).await?;
            match self.take(page) {
                Behind::Nothing => return Ok(()),
                Behind::More => {}
                // Without a time the same page would come again.
                Behind::Stuck if self.read.place().last.is_none() => return Ok(()),
                Behind::Stuck => self.read.skip_millisecond(),
            }
        }
    }

    fn take(&mut self, mut page: Page) -> Behind {
        let before = self.read.count();
        for item in std::mem::take(&mut page.items) {
            if !self.read.takes(item.at, item.identity, item.line.is_ok()) {
                continue;
            }
            self.lines.push_back(item);
            if self.lines.len() > self.keep
                && let Some(out) = self.lines.pop_front()
            {
                self.seam.takes(out.at, out.identity, out.line.is_ok());
            }
        }
        page.behind(self.read.count() > before)
    }
}
