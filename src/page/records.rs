//! The records of all pages.

use super::Pages;
use crate::error::Result;
use futures_core::Stream;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

/// The records of a list across its pages; made by [`Call::stream`](crate::Call::stream).
///
/// A [`Stream`]; [`next`](Self::next) needs no further crate. An error is the last item.
#[must_use = "streams do nothing unless polled"]
pub struct PageStream<T> {
    pages: Pages<T>,
    /// Unread records of the current page.
    items: vec::IntoIter<T>,
    left: Option<usize>,
}

impl<T: Send + 'static> PageStream<T> {
    pub(super) fn new(pages: Pages<T>) -> Self {
        Self {
            pages,
            items: Vec::new().into_iter(),
            left: None,
        }
    }

    /// Limits the number of records. Pages beyond the limit are not requested.
    pub fn limit(mut self, records: usize) -> Self {
        self.left = Some(records);
        self
    }

    /// Limits the number of pages: more of them are an error, which guards against servers that always
    /// report a next page. Default: 10,000.
    pub fn max_pages(mut self, most: u32) -> Self {
        self.pages = self.pages.max_pages(most);
        self
    }

    /// Reads the records into memory. After an error, those read so far are lost; the error reports their
    /// number.
    ///
    /// # Errors
    /// The first error of the stream.
    pub async fn try_collect(mut self) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await {
            let read = all.len();
            all.push(item.map_err(|mut error| {
                error.0.records = Some(read);
                error
            })?);
        }
        Ok(all)
    }

    /// The next record; `None` after the last one and after an error.
    ///
    /// Cancel-safe: the request continues when this is called again.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
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
                stream.left = stream.left.map(|left| left - 1);
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut stream.pages).poll_next(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => stream.items = page.items.into_iter(),
            }
        }
    }
}

impl<T> Unpin for PageStream<T> {}

impl<T> fmt::Debug for PageStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageStream")
            .field("pages", &self.pages)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
