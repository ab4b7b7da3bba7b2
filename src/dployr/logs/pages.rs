//! Pages of log lines, and the newest lines of a log.

use super::connection::Connection;
use super::{LogQuery, Reader, is_before};
use crate::error::{ErrorKind, Result};
use crate::logs::{Dedupe, Item, LogPosition, server_time_millis};
use std::collections::VecDeque;
use tokio::time::Instant;

/// Number of lines in a response of the control plane without a `limit`.
pub(super) const DEFAULT_LIMIT: u32 = 1_000;
/// Largest `limit` that the control plane accepts.
pub(super) const LARGEST_LIMIT: u32 = 5_000;
/// Windows to search for the newest lines before the whole log is read, in milliseconds.
const TAIL_WINDOWS: [i64; 2] = [5 * 60 * 1000, 60 * 60 * 1000];

impl Reader {
    /// Reads one page before `until`. After a response that is too large, requests fewer lines.
    pub async fn page(&self, mut query: LogQuery, until: Option<Instant>) -> Result<Connection> {
        loop {
            match (self.open(query, until).await, query.limit) {
                (Err(error), Some(limit)) if error.kind() == ErrorKind::Decode && limit > 5 => {
                    query.limit = Some(limit / 10);
                }
                (page, _) => return page,
            }
        }
    }
}

/// The newest lines of a log that the server sends oldest first.
pub(super) struct Tail {
    pub lines: VecDeque<Item>,
    /// Position before `lines`, for a follower that yields them.
    pub dedupe: Dedupe,
    /// Deduplicates all lines that were read.
    read: Dedupe,
    /// Number of lines to keep.
    keep: usize,
}

impl Tail {
    fn new(keep: usize) -> Self {
        Self {
            lines: VecDeque::new(),
            dedupe: Dedupe::new(LogPosition::default(), 0),
            read: Dedupe::new(LogPosition::default(), 0),
            keep,
        }
    }

    /// Reads the newest `tail` lines from `since` on, within the deadline of the call.
    ///
    /// Requests `margin` more lines, because a follower must know the other lines of the last
    /// millisecond. A server that supports `tail` sends the newest lines. The control plane ignores it
    /// and sends the oldest lines: if that response is full, recent windows are searched.
    pub async fn read(reader: &Reader, tail: u32, margin: u32, since: Option<i64>) -> Result<Self> {
        let until = Instant::now().checked_add(reader.scope.deadline());
        let keep = usize::try_from(tail).unwrap_or(usize::MAX);
        let query = LogQuery {
            tail: Some(tail.saturating_add(margin)),
            since,
            ..LogQuery::default()
        };
        let mut page = reader.page(query, until).await?;
        let mut all = Self::new(keep);
        all.take(&mut page, since).await;
        if !page.is_full() {
            return Ok(all);
        }
        let now = server_time_millis(&reader.scope);
        let starts = TAIL_WINDOWS.map(|back| now - back);
        for start in starts.into_iter().filter(|start| Some(*start) > since) {
            let mut part = Self::new(keep);
            part.read.start_at(Some(start));
            part.read_on(reader, query, until).await?;
            if part.lines.len() >= keep {
                return Ok(part);
            }
        }
        all.read_on(reader, query, until).await?;
        Ok(all)
    }

    /// Whether a follower can continue after these lines. False without times.
    pub fn has_position(&self) -> bool {
        self.read.has_position()
    }

    /// Reads all pages after the current position.
    async fn read_on(
        &mut self,
        reader: &Reader,
        query: LogQuery,
        until: Option<Instant>,
    ) -> Result<()> {
        let since = query.since;
        loop {
            self.read.start_reading();
            let query = LogQuery {
                tail: query.tail,
                ..LogQuery::page(&self.read)
            };
            let mut page = reader.page(query, until).await?;
            let has_new = self.take(&mut page, since).await;
            // Without a time in the lines, the next page would be the same.
            if !page.is_full() || (!has_new && self.read.position().last.is_none()) {
                return Ok(());
            }
            if !has_new {
                self.read.skip_millisecond();
            }
        }
    }

    /// Takes the new lines of a page from `since` on, and drops the oldest beyond `keep`. Returns whether there
    /// were any.
    async fn take(&mut self, page: &mut Connection, since: Option<i64>) -> bool {
        let before = self.read.count();
        while let Some(item) = page.next().await {
            if is_before(&item, since) || !self.read.accept(item.at, item.hash, item.line.is_ok()) {
                continue;
            }
            self.lines.push_back(item);
            if self.lines.len() > self.keep
                && let Some(dropped) = self.lines.pop_front()
            {
                self.dedupe
                    .accept(dropped.at, dropped.hash, dropped.line.is_ok());
            }
        }
        self.read.count() > before
    }
}
