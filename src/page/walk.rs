//! From page to page, to an end.

use super::{Ask, Marked, Page, Pager};
use crate::call::{Call, Running};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::operation::Operation;
use crate::transport::CallOptions;
use futures_core::Stream;
use std::fmt;
use std::future::{IntoFuture, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

/// How many pages are read before a server is not believed any more that there is another one.
const MOST_PAGES: u32 = 10_000;
/// How many pages in a row may come without a record. A server that filters after it has cut a list
/// into pages sends some.
const MOST_EMPTY: u32 = 100;

/// The pages of a list, one after the other; made by [`Call::pages`].
///
/// It is a [`Stream`], and there is [`next`](Self::next) for those who need no more. A failure is an
/// item, and the last one.
#[must_use = "nothing is asked before it is polled"]
pub struct Pages<T> {
    list: List<T>,
    /// The page to ask for next, or the one that failed.
    at: u32,
    running: Option<Running<Marked<Page<T>>>>,
    /// No page follows.
    complete: bool,
    failed: bool,
    read: u32,
    most: u32,
    empty: u32,
    mark: Option<u64>,
}

/// What is asked, page by page.
struct List<T> {
    refused: Option<Error>,
    pager: Option<Pager<Page<T>>>,
    /// A call that knows of no other page, for the first one.
    once: Option<Call<Page<T>>>,
    options: CallOptions,
    operation: Option<&'static Operation>,
    /// What the caller asks for; the number only if it was given.
    ask: Ask,
}

impl<T: Send + 'static> Pages<T> {
    pub(super) fn new(call: Call<Page<T>>) -> Self {
        let list = List::new(call);
        Self {
            at: list.ask.page.unwrap_or(1),
            list,
            running: None,
            complete: false,
            failed: false,
            read: 0,
            most: MOST_PAGES,
            empty: 0,
            mark: None,
        }
    }

    /// How many pages may be read, 10,000 unless said otherwise. If there are more, that is an error.
    pub fn max_pages(mut self, most: u32) -> Self {
        self.most = most;
        self
    }

    /// The next page; `None` after the last one and after a failure.
    ///
    /// Nothing is lost if the future is dropped: the request goes on when this is called again.
    pub async fn next(&mut self) -> Option<Result<Page<T>>> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    pub(super) fn operation(&self) -> Option<&'static Operation> {
        self.list.operation
    }

    /// The number of the page that comes next or failed; `None` after the last one.
    pub(super) fn following(&self) -> Option<u32> {
        (!self.complete).then_some(self.at)
    }

    /// The size of pages that is asked for.
    pub(super) fn size(&self) -> Option<u32> {
        self.list.size()
    }

    /// A call as the list's pages are asked for, for a look at its request.
    pub(super) fn sample(&self) -> Option<Call<Marked<Page<T>>>> {
        self.list.again(Ask::default())
    }

    pub(super) fn take_refused(&mut self) -> Option<Error> {
        self.list.refused.take()
    }

    /// Goes on somewhere else. The size of pages is kept if it was given.
    pub(super) fn move_to(&mut self, page: u32, size: Option<u32>) {
        self.at = page;
        // Of a list without pages there is no first page to ask for by its number.
        self.list.ask.page = (self.list.pages() || page > 1).then_some(page);
        self.list.ask.size = self.list.ask.size.or(size);
    }

    /// Whether the caller gave another size of pages.
    pub(super) fn disagrees(&self, size: Option<u32>) -> bool {
        self.list.ask.size.is_some() && self.list.ask.size != size
    }

    fn start(&mut self) -> Result<Running<Marked<Page<T>>>> {
        if let Some(error) = self.list.refused.take() {
            return Err(error);
        }
        if self.read >= self.most {
            let most = self.most;
            return Err(self.nowhere(format!(
                "the server says that more pages follow, and {most} are the most that are read"
            )));
        }
        let number = if self.read == 0 {
            self.list.ask.page
        } else {
            Some(self.at)
        };
        match self.list.call(number) {
            Some(call) => Ok(call.into_future()),
            None => Err(self.nowhere(
                "the server says that another page follows, and this list knows no way to ask for it"
                    .to_owned(),
            )),
        }
    }

    fn check(&mut self, marked: Marked<Page<T>>) -> Result<Page<T>> {
        let Marked {
            page,
            received,
            mark,
        } = marked;
        let asked = self.read > 0 || self.list.ask.page.is_some();
        if asked && self.list.pages() && page.page != u64::from(self.at) {
            let (at, came) = (self.at, page.page);
            return Err(self.nowhere(format!("page {at} was asked for, and page {came} came")));
        }
        if received > 0 && mark.is_some() && mark == self.mark {
            let at = self.at;
            return Err(self.nowhere(format!(
                "page {at} has the same records as the one before it"
            )));
        }
        self.mark = mark;
        self.empty = if received == 0 { self.empty + 1 } else { 0 };
        if page.has_next && self.empty >= MOST_EMPTY {
            return Err(self.nowhere(format!(
                "{MOST_EMPTY} pages in a row came without a record, and the server says that more follow"
            )));
        }
        match self.at.checked_add(1) {
            Some(next) if page.has_next => self.at = next,
            _ => self.complete = true,
        }
        self.read += 1;
        Ok(page)
    }

    /// What is wrong with a list that does not come to an end.
    fn nowhere(&self, message: String) -> Error {
        Error::new(ErrorKind::Pagination, message)
            .with_effect(Effect::None)
            .with_operation(self.list.operation)
            .lasting()
    }
}

impl<T: Send + 'static> Stream for Pages<T> {
    type Item = Result<Page<T>>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let pages = &mut *self;
        if pages.complete || pages.failed {
            return Poll::Ready(None);
        }
        let result = match &mut pages.running {
            Some(running) => ready!(Pin::new(running).poll(context)),
            None => match pages.start() {
                Err(error) => Err(error),
                Ok(running) => ready!(Pin::new(pages.running.insert(running)).poll(context)),
            },
        };
        pages.running = None;
        let page = result.and_then(|marked| pages.check(marked));
        pages.failed = page.is_err();
        Poll::Ready(Some(page))
    }
}

// Nothing in it is pinned but what is in a box.
impl<T> Unpin for Pages<T> {}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("operation", &self.list.operation.map(ToString::to_string))
            .field("at", &self.at)
            .field("read", &self.read)
            .finish_non_exhaustive()
    }
}

impl<T: Send + 'static> List<T> {
    fn new(mut call: Call<Page<T>>) -> Self {
        let mut refused = call.take_refused();
        let pager = call.take_pager();
        let mut options = call.options().clone();
        let mut ask = pager.as_ref().map(|pager| pager.ask).unwrap_or_default();
        if let Some(paging) = pager.as_ref().and_then(|pager| pager.paging) {
            for (name, number) in [(paging.page, &mut ask.page), (paging.size, &mut ask.size)] {
                match by_hand(&mut options, name) {
                    Ok(given) => *number = given.or(*number),
                    Err(error) => {
                        refused.get_or_insert(error.with_operation(call.operation()));
                    }
                }
            }
        }
        Self {
            refused,
            options,
            operation: call.operation(),
            ask,
            once: pager.is_none().then_some(call),
            pager,
        }
    }

    /// Whether it can be asked for another page.
    fn pages(&self) -> bool {
        self.pager
            .as_ref()
            .is_some_and(|pager| pager.paging.is_some())
    }

    fn size(&self) -> Option<u32> {
        let paging = self.pager.as_ref().and_then(|pager| pager.paging);
        self.ask.size.or(paging.map(|paging| paging.largest))
    }

    /// The call for a page; `None` is the first one, whatever its number.
    fn call(&mut self, number: Option<u32>) -> Option<Call<Marked<Page<T>>>> {
        if number.is_some() && !self.pages() {
            return None;
        }
        if let Some(call) = self.once.take() {
            return Some(call.map(Marked::of));
        }
        self.again(Ask {
            page: number,
            size: self.size(),
        })
    }

    fn again(&self, ask: Ask) -> Option<Call<Marked<Page<T>>>> {
        let pager = self.pager.as_ref()?;
        let mut call = (pager.make)(ask);
        *call.options() = self.options.clone();
        Some(call)
    }
}

/// The number that a caller gave in the query, which goes where the number of each page goes.
fn by_hand(options: &mut CallOptions, name: &str) -> Result<Option<u32>> {
    let given = options.query.iter().rposition(|(other, _)| other == name);
    let Some((_, value)) = given.map(|at| options.query.remove(at)) else {
        return Ok(None);
    };
    options.query.retain(|(other, _)| other != name);
    match value.trim().parse() {
        Ok(number @ 1..) => Ok(Some(number)),
        _ => Err(Error::invalid_request(format!(
            "the query parameter {name:?} is no number from 1"
        ))),
    }
}
