//! Pages of log lines, and the newest lines of a log.

use super::{LogQuery, Reader, is_before};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::logs::{Dedupe, Item, LogPosition, server_time_millis};
use std::collections::VecDeque;
use tokio::time::Instant;

/// Number of lines in a response of the control plane without a `limit`.
const DEFAULT_LIMIT: usize = 1_000;
/// Largest `limit` that the control plane accepts.
pub(super) const LARGEST_LIMIT: u32 = 5_000;
/// Windows to search for the newest lines before the whole log is read, in milliseconds.
const TAIL_WINDOWS: [i64; 2] = [5 * 60 * 1000, 60 * 60 * 1000];

/// The lines of one response.
pub(super) struct Page {
    pub items: VecDeque<Item>,
    /// Whether the response reached the requested `limit`. False if the server ignores `since`.
    full: bool,
}

/// The lines that follow after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remaining {
    Nothing,
    /// Another page.
    More,
    /// More lines of the same millisecond than fit into one response.
    Stuck,
}

impl Page {
    /// Reads one page before `until`. After a response that is too large, requests fewer lines.
    pub async fn read(
        reader: &Reader,
        mut query: LogQuery,
        until: Option<Instant>,
    ) -> Result<Self> {
        loop {
            let items = match (reader.items(query, until).await, query.limit) {
                (Err(error), Some(limit)) if error.kind() == ErrorKind::Decode && limit > 5 => {
                    query.limit = Some(limit / 10);
                    continue;
                }
                (items, _) => items?,
            };
            let limit = query.limit.and_then(|limit| usize::try_from(limit).ok());
            return Ok(Self {
                full: limit == Some(items.len())
                    && !items.iter().any(|item| is_before(item, query.since)),
                items,
            });
        }
    }

    /// A page of these lines, after which no lines follow.
    pub fn last(items: VecDeque<Item>) -> Self {
        Self { items, full: false }
    }

    /// The lines that follow. `has_new`: whether this page has a line that was not read before.
    pub fn remaining(&self, has_new: bool) -> Remaining {
        match (self.full, has_new) {
            (false, _) => Remaining::Nothing,
            (true, true) => Remaining::More,
            (true, false) => Remaining::Stuck,
        }
    }
}

/// The error for a millisecond with more lines than fit into one response.
pub(super) fn crowded_millisecond() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the log has more lines in one millisecond than one response contains: some are missing",
    )
    .with_effect(Effect::None)
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
        let mut page = Page::read(reader, query, until).await?;
        page.items.retain(|item| !is_before(item, since));
        let full = page.items.len() == DEFAULT_LIMIT;
        let mut all = Self::new(keep);
        all.take(page);
        if !full {
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
        loop {
            self.read.start_reading();
            let query = LogQuery {
                tail: query.tail,
                ..LogQuery::page(&self.read)
            };
            let page = Page::read(reader, query, until).await?;
            match self.take(page) {
                Remaining::Nothing => return Ok(()),
                Remaining::More => {}
                // Without a time in the lines, the next page would be the same.
                Remaining::Stuck if self.read.position().last.is_none() => return Ok(()),
                Remaining::Stuck => self.read.skip_millisecond(),
            }
        }
    }

    /// Takes the new lines of a page, and drops the oldest beyond `keep`.
    fn take(&mut self, mut page: Page) -> Remaining {
        let before = self.read.count();
        for item in std::mem::take(&mut page.items) {
            if !self.read.accept(item.at, item.hash, item.line.is_ok()) {
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
        page.remaining(self.read.count() > before)
    }
}
