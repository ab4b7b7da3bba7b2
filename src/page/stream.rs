//! The records of all pages: one by one, or all together.

use super::{PageCursor, Pages};
use crate::error::Result;
use futures_core::Stream;
use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

/// The records of a list, whatever their page; made by [`Call::stream`](crate::Call::stream).
///
/// It is a [`Stream`], and there is [`next`](Self::next) for those who need no more. A failure is an
/// item, and the last one; [`cursor`](Self::cursor) then points to the page that failed.
#[must_use = "nothing is asked before it is polled"]
pub struct PageStream<T> {
    pages: Pages<T>,
    /// What is left of the page that came last.
    items: vec::IntoIter<T>,
    /// The number of that page.
    page: u32,
    /// How many of its records are behind us.
    offset: usize,
    /// How many records of the first page are not wanted.
    skip: usize,
    left: Option<usize>,
}

impl<T: Send + 'static> PageStream<T> {
    pub(super) fn new(pages: Pages<T>) -> Self {
        Self {
            pages,
            items: Vec::new().into_iter(),
            page: 1,
            offset: 0,
            skip: 0,
            left: None,
        }
    }

    pub(super) fn resumed(mut pages: Pages<T>, cursor: &PageCursor) -> Result<Self> {
        if let Some(error) = pages.take_refused() {
            return Err(error);
        }
        cursor.check(&pages)?;
        pages.move_to(cursor.page(), cursor.size());
        Ok(Self {
            skip: cursor.offset(),
            ..Self::new(pages)
        })
    }

    /// At most so many records from here on. No page behind the last of them is asked for.
    pub fn limit(mut self, records: usize) -> Self {
        self.left = Some(records);
        self
    }

    /// How many pages may be read, 10,000 unless said otherwise. If there are more, that is an error:
    /// a server that always says that there is another page must come to an end.
    pub fn max_pages(mut self, most: u32) -> Self {
        self.pages = self.pages.max_pages(most);
        self
    }

    /// The next record; `None` after the last one and after a failure.
    ///
    /// Nothing is lost if the future is dropped: the request goes on when this is called again.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Where the stream stands: behind the records that it gave. What is left of a limit is not part
    /// of it.
    pub fn cursor(&self) -> PageCursor {
        let (page, offset) = match self.pages.following() {
            Some(page) if self.items.as_slice().is_empty() => (page, self.skip),
            _ => (self.page, self.offset),
        };
        PageCursor::new(&self.pages, page, offset)
    }
}

impl<T: Send + 'static> Stream for PageStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = &mut *self;
        loop {
            if stream.left == Some(0) {
                return Poll::Ready(None);
            }
            if let Some(item) = stream.items.next() {
                stream.offset += 1;
                stream.left = stream.left.map(|left| left - 1);
                return Poll::Ready(Some(Ok(item)));
            }
            let asked = stream.pages.following();
            match ready!(Pin::new(&mut stream.pages).poll_next(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => {
                    stream.page = asked.unwrap_or(stream.page);
                    stream.items = page.items.into_iter();
                    // There may be fewer than there were.
                    stream.offset = stream.skip.min(stream.items.len());
                    stream.items.by_ref().take(stream.offset).for_each(drop);
                    stream.skip = 0;
                }
            }
        }
    }
}

// Nothing in it is pinned.
impl<T> Unpin for PageStream<T> {}

impl<T> fmt::Debug for PageStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageStream")
            .field("pages", &self.pages)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

/// All records of a list; made by [`Call::all`](crate::Call::all). `.await` asks for them.
#[must_use = "nothing is asked before it is awaited"]
pub struct All<T> {
    stream: PageStream<T>,
}

impl<T: Send + 'static> All<T> {
    pub(super) fn new(stream: PageStream<T>) -> Self {
        Self { stream }
    }

    /// At most so many records. No page behind the last of them is asked for.
    pub fn limit(mut self, records: usize) -> Self {
        self.stream = self.stream.limit(records);
        self
    }

    /// How many pages may be read, as [`PageStream::max_pages`].
    pub fn max_pages(mut self, most: u32) -> Self {
        self.stream = self.stream.max_pages(most);
        self
    }
}

impl<T: Send + 'static> IntoFuture for All<T> {
    type Output = Result<Vec<T>>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            let mut all = Vec::new();
            while let Some(item) = self.stream.next().await {
                let read = all.len();
                all.push(item.map_err(|error| error.after_records(read))?);
            }
            Ok(all)
        })
    }
}

impl<T> fmt::Debug for All<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("All").field(&self.stream).finish()
    }
}
