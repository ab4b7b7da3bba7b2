//! Reads log lines page by page, in replies of bounded size.

use super::{Reader, Wanted, is_before};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::logs::{Dedupe, Item, LogPosition, server_time_millis};
use std::collections::VecDeque;
use tokio::time::Instant;

/// Number of lines in a reply of the control plane without a `limit`.
const DEFAULT_LIMIT: usize = 1_000;
/// The largest `limit` of the control plane.
pub(super) const LARGEST_LIMIT: u32 = 5_000;
/// Windows that are searched for the newest lines before the whole log, in milliseconds.
const LOOK_BACK: [i64; 2] = [5 * 60 * 1000, 60 * 60 * 1000];

/// One reply.
pub(super) struct Page {
    pub items: VecDeque<Item>,
    /// Whether the reply has as many lines as requested, and the server knows `since`.
    full: bool,
}

/// Whether lines follow after a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Behind {
    Nothing,
    More,
    /// More lines of the same millisecond than fit into one reply.
    Stuck,
}

impl Page {
    /// Reads one page before `until`. If the reply is too large, requests a smaller one.
    pub async fn read(reader: &Reader, mut wanted: Wanted, until: Option<Instant>) -> Result<Self> {
        loop {
            let items = match (reader.items(wanted, until).await, wanted.limit) {
                (Err(error), Some(limit)) if error.kind() == ErrorKind::Decode && limit > 5 => {
                    wanted.limit = Some(limit / 10);
                    continue;
                }
                (items, _) => items?,
            };
            let limit = wanted.limit.and_then(|limit| usize::try_from(limit).ok());
            return Ok(Self {
                full: limit == Some(items.len())
                    && !items.iter().any(|item| is_before(item, wanted.since)),
                items,
            });
        }
    }

    /// A page of these lines, without lines after them.
    pub fn last(items: VecDeque<Item>) -> Self {
        Self { items, full: false }
    }

    /// Whether lines follow, if the reader found a new line in this page (`progress`) or none.
    pub fn behind(&self, progress: bool) -> Behind {
        match (self.full, progress) {
            (false, _) => Behind::Nothing,
            (true, true) => Behind::More,
            (true, false) => Behind::Stuck,
        }
    }
}

/// The error for more lines in one millisecond than the control plane sends.
pub(super) fn too_crowded() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the log has more lines in one millisecond than the server sends in one reply: some are missing",
    )
    .with_effect(Effect::None)
}

/// The newest lines of a log that the server sends oldest first.
pub(super) struct Newest {
    pub lines: VecDeque<Item>,
    /// The place after the lines that were dropped.
    pub dedupe: Dedupe,
    /// Deduplicates the lines that were read.
    read: Dedupe,
    keep: usize,
}

impl Newest {
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
    /// millisecond. A server that knows `tail` sends the newest lines. The control plane ignores it and
    /// sends the oldest lines of a window: if that reply is full, later windows are read.
    pub async fn read(reader: &Reader, tail: u32, margin: u32, since: Option<i64>) -> Result<Self> {
        let until = Instant::now().checked_add(reader.scope.deadline());
        let keep = usize::try_from(tail).unwrap_or(usize::MAX);
        let wanted = Wanted {
            tail: Some(tail.saturating_add(margin)),
            since,
            ..Wanted::default()
        };
        let mut page = Page::read(reader, wanted, until).await?;
        page.items.retain(|item| !is_before(item, since));
        let cut = page.items.len() == DEFAULT_LIMIT;
        let mut all = Self::new(keep);
        all.take(page);
        if !cut {
            return Ok(all);
        }
        let now = server_time_millis(&reader.scope);
        let starts = LOOK_BACK.map(|back| now - back);
        for start in starts.into_iter().filter(|start| Some(*start) > since) {
            let mut part = Self::new(keep);
            part.read.start_at(Some(start));
            part.read_on(reader, wanted, until).await?;
            if part.lines.len() >= keep {
                return Ok(part);
            }
        }
        all.read_on(reader, wanted, until).await?;
        Ok(all)
    }

    /// Whether a follower can continue after these lines.
    pub fn has_position(&self) -> bool {
        self.read.has_position()
    }

    async fn read_on(
        &mut self,
        reader: &Reader,
        wanted: Wanted,
        until: Option<Instant>,
    ) -> Result<()> {
        loop {
            self.read.start_reading();
            let wanted = Wanted {
                tail: wanted.tail,
                ..Wanted::page(&self.read)
            };
            let page = Page::read(reader, wanted, until).await?;
            match self.take(page) {
                Behind::Nothing => return Ok(()),
                Behind::More => {}
                // Lines without a time would be sent again.
                Behind::Stuck if self.read.position().last.is_none() => return Ok(()),
                Behind::Stuck => self.read.skip_millisecond(),
            }
        }
    }

    fn take(&mut self, mut page: Page) -> Behind {
        let before = self.read.count();
        for item in std::mem::take(&mut page.items) {
            if !self.read.accept(item.at, item.hash, item.line.is_ok()) {
                continue;
            }
            self.lines.push_back(item);
            if self.lines.len() > self.keep
                && let Some(out) = self.lines.pop_front()
            {
                self.dedupe.accept(out.at, out.hash, out.line.is_ok());
            }
        }
        page.behind(self.read.count() > before)
    }
}
