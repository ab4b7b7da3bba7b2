//! Streams of pages and records.
//!
//! They end even if the server always reports another page.

use super::{Page, PageRequest, Pager, ReceivedPage};
use crate::call::{Call, Running};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::operation::Operation;
use crate::transport::CallOptions;
use futures_core::Stream;
use std::collections::HashSet;
use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

/// Page limit that guards against servers that always report a next page.
const MAX_PAGES: u32 = 10_000;
/// Limit on empty pages in a row. A server that filters after pagination sends some.
const MAX_EMPTY_PAGES: u32 = 100;
/// Limit on the records in memory, as JSON, in bytes.
const MAX_COLLECTED_BYTES: usize = 256 << 20;

/// A stream of the pages of a list. An error is the last item.
#[must_use = "streams do nothing unless polled"]
pub(crate) struct Pages<T> {
    pub(crate) operation: Option<&'static Operation>,
    /// The error of a call with invalid options.
    refused: Option<Error>,
    pager: Option<Pager<Page<T>>>,
    /// The call of a list without a pager.
    only: Option<Call<Page<T>>>,
    options: CallOptions,
    running: Option<Running<ReceivedPage<Page<T>>>>,
    ended: bool,
    /// Number of the next page.
    number: u32,
    /// Whether the next request contains the number. The first one does only if the caller set it.
    numbered: bool,
    pages_read: u32,
    max_pages: u32,
    /// Empty pages in a row.
    empty_pages: u32,
    /// Hashes of the records of each page.
    hashes: HashSet<u64>,
    /// Size of the records as JSON.
    bytes_read: usize,
}

impl<T: Send + 'static> Pages<T> {
    pub(super) fn new(mut call: Call<Page<T>>) -> Self {
        let operation = call.operation();
        let mut refused = call.take_refused();
        let options = call.options().clone();
        let pager = call.take_pager();
        // The request would contain the parameter twice.
        if pager.is_some() && options.query.iter().any(|(name, _)| name == "page") {
            let reason = "set the first page of a list with page(), not with query()";
            refused.get_or_insert(Error::invalid_request(reason).with_operation(operation));
        }
        let number = pager.as_ref().and_then(|pager| pager.page_request.page);
        Self {
            operation,
            refused,
            only: pager.is_none().then_some(call),
            pager,
            options,
            running: None,
            ended: false,
            number: number.unwrap_or(1),
            numbered: number.is_some(),
            pages_read: 0,
            max_pages: MAX_PAGES,
            empty_pages: 0,
            hashes: HashSet::new(),
            bytes_read: 0,
        }
    }

    /// Limits the number of pages; another page is an error. Default: 10,000.
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = pages;
        self
    }

    /// The next page; `None` after the last one and after an error.
    ///
    /// Cancel-safe: the next call continues the request.
    pub async fn next(&mut self) -> Option<Result<Page<T>>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    fn request(&mut self) -> Result<Running<ReceivedPage<Page<T>>>> {
        if let Some(error) = self.refused.take() {
            return Err(error);
        }
        if self.pages_read >= self.max_pages {
            let most = self.max_pages;
            return Err(self.endless(format!(
                "the server reports further pages, but at most {most} are read"
            )));
        }
        if let Some(call) = self.only.take() {
            return Ok(call.map(ReceivedPage::unchecked).into_future());
        }
        let Some(pager) = &self.pager else {
            return Err(self.endless(
                "the server reports another page, but this list cannot request it".to_owned(),
            ));
        };
        let mut call = (pager.make)(PageRequest {
            page: self.numbered.then_some(self.number),
            size: pager.page_request.size.or(Some(pager.paging.largest)),
        });
        *call.options() = self.options.clone();
        Ok(call.into_future())
    }

    /// Checks a received page and advances to the next one.
    fn accept(&mut self, received_page: ReceivedPage<Page<T>>) -> Result<Page<T>> {
        let ReceivedPage {
            page,
            received,
            fingerprint,
        } = received_page;
        let number = self.number;
        if self.numbered && page.page != u64::from(number) {
            let other = page.page;
            return Err(self.endless(format!(
                "page {number} was requested, but page {other} arrived"
            )));
        }
        let (hash, bytes) = fingerprint.unwrap_or_default();
        if received > 0 && fingerprint.is_some() && !self.hashes.insert(hash) {
            return Err(self.endless(format!(
                "page {number} has the same records as an earlier page"
            )));
        }
        self.bytes_read += bytes;
        self.empty_pages = match received {
            0 => self.empty_pages + 1,
            _ => 0,
        };
        if page.has_next && self.empty_pages >= MAX_EMPTY_PAGES {
            return Err(self.endless(format!(
                "{MAX_EMPTY_PAGES} pages in a row were empty, and the server reports further pages"
            )));
        }
        self.pages_read += 1;
        self.numbered = true;
        match number.checked_add(1) {
            Some(next) if page.has_next => self.number = next,
            _ => self.ended = true,
        }
        Ok(page)
    }

    fn endless(&self, message: String) -> Error {
        Error::new(ErrorKind::Pagination, message)
            .with_effect(Effect::None)
            .with_operation(self.operation)
            .with_permanent(true)
    }
}

impl<T: Send + 'static> Stream for Pages<T> {
    type Item = Result<Page<T>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let pages = &mut *self;
        if pages.ended {
            return Poll::Ready(None);
        }
        let result = match &mut pages.running {
            Some(running) => ready!(Pin::new(running).poll(context)),
            None => match pages.request() {
                Err(error) => Err(error),
                Ok(running) => ready!(Pin::new(pages.running.insert(running)).poll(context)),
            },
        };
        pages.running = None;
        let page = result.and_then(|received_page| pages.accept(received_page));
        pages.ended |= page.is_err();
        Poll::Ready(Some(page))
    }
}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("operation", &self.operation.map(ToString::to_string))
            .field("number", &self.number)
            .field("pages_read", &self.pages_read)
            .finish_non_exhaustive()
    }
}

impl<T> ReceivedPage<Page<T>> {
    /// The page of a list without pagination, which needs no checks.
    fn unchecked(page: Page<T>) -> Self {
        Self {
            received: page.items.len(),
            fingerprint: None,
            page,
        }
    }
}

/// A stream of the records of all pages.
///
/// Returned by [`Call::stream`](crate::Call::stream). It is a [`Stream`]; [`next`](Self::next) needs no
/// further crate. An error is the last item.
#[must_use = "streams do nothing unless polled"]
pub struct PageStream<T> {
    pages: Pages<T>,
    /// Unread records of the current page.
    items: vec::IntoIter<T>,
    /// Number of records left until the limit; `None` without a limit.
    remaining: Option<usize>,
    max_bytes: usize,
    skipped: usize,
}

impl<T: Send + 'static> PageStream<T> {
    pub(super) fn new(pages: Pages<T>) -> Self {
        Self {
            pages,
            items: Vec::new().into_iter(),
            remaining: None,
            max_bytes: MAX_COLLECTED_BYTES,
            skipped: 0,
        }
    }

    /// Limits the number of records. Pages beyond the limit are not requested.
    pub fn limit(mut self, records: usize) -> Self {
        self.remaining = Some(records);
        self
    }

    /// Limits the number of pages; another page is an error. Default: 10,000.
    ///
    /// The limit guards against servers that always report a next page.
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.pages = self.pages.max_pages(pages);
        self
    }

    /// Limits the size of the records that [`try_collect`](Self::try_collect) reads: JSON, in bytes. More is
    /// an error. Default: 256 MiB.
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Number of records on the pages read so far that could not be read: see [`Page::skipped`].
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Reads the records into memory.
    ///
    /// # Errors
    /// The first error of the stream. It discards the records read before it and reports their number.
    /// [`Pagination`](ErrorKind::Pagination) also means that the records exceed
    /// [`max_bytes`](Self::max_bytes).
    pub async fn try_collect(mut self) -> Result<Vec<T>> {
        let mut all = Vec::new();
        while let Some(item) = self.next().await {
            let read = all.len();
            if self.pages.bytes_read > self.max_bytes {
                let message = format!("the records exceed {} bytes", self.max_bytes);
                let error = self.pages.endless(message).with_records(read);
                return Err(error.with_advice("use stream(), or raise max_bytes()"));
            }
            all.push(item.map_err(|error| error.with_records(read))?);
        }
        Ok(all)
    }

    /// The next record; `None` after the last one and after an error.
    ///
    /// Cancel-safe: the next call continues the request.
    pub async fn next(&mut self) -> Option<Result<T>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }
}

impl<T: Send + 'static> Stream for PageStream<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = &mut *self;
        loop {
            if stream.remaining == Some(0) {
                return Poll::Ready(None);
            }
            if let Some(item) = stream.items.next() {
                stream.remaining = stream.remaining.map(|count| count - 1);
                return Poll::Ready(Some(Ok(item)));
            }
            match ready!(Pin::new(&mut stream.pages).poll_next(context)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(page)) => {
                    stream.skipped += page.skipped();
                    stream.items = page.items.into_iter();
                }
            }
        }
    }
}

impl<T> Unpin for PageStream<T> {}

impl<T> fmt::Debug for PageStream<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageStream")
            .field("pages", &self.pages)
            .field("remaining", &self.remaining)
            .finish_non_exhaustive()
    }
}
