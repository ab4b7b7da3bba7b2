//! Lists: a page of one, all of it lazily, all of it at once.
//!
//! A list is a [`Call`] of a [`Page`] that knows how to be asked for another one ([`Pager`]). The
//! engine that walks from page to page, and stops where a server does not, is `walk`; `stream` makes
//! items of its pages; `cursor` is a place in a list, for another process.

mod cursor;
mod stream;
mod walk;

pub use cursor::PageCursor;
pub use stream::{All, PageStream};
pub use walk::Pages;

use crate::call::Call;
use crate::error::{Error, Result};
use serde::Serialize;
use std::sync::Arc;

/// A page of a list, or all of it from a server that does not page.
///
/// ```no_run
/// # #[cfg(feature = "dployr")]
/// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
/// let second = dployr.deployments().page(2).page_size(50).list().await?;
/// println!("{} of {:?}", second.page, second.total_pages);
/// for deployment in second {
///     println!("{}", deployment.name);
/// }
/// # Ok(()) }
/// ```
///
/// What comes on all pages: [`Call::stream`](crate::Call::stream) and
/// [`Call::all`](crate::Call::all).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The records of this page, in the server's order.
    pub items: Vec<T>,
    /// The number of this page, from 1.
    pub page: u64,
    /// How many records a page may hold, if the server says so.
    pub page_size: Option<u64>,
    /// How many records there are on all pages, if the server says so.
    pub total_items: Option<u64>,
    /// How many pages there are, if the server says so.
    pub total_pages: Option<u64>,
    /// Whether another page follows; false from a server that does not page.
    pub has_next: bool,
}

impl<T> Page<T> {
    /// The only page of a list that has no pages.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            page: 1,
            page_size: None,
            total_items: None,
            total_pages: None,
            has_next: false,
        }
    }

    /// The same page with other records on it.
    fn with<U>(self, convert: impl FnOnce(Vec<T>) -> Vec<U>) -> Page<U> {
        Page {
            items: convert(self.items),
            page: self.page,
            page_size: self.page_size,
            total_items: self.total_items,
            total_pages: self.total_pages,
            has_next: self.has_next,
        }
    }
}

impl<T> IntoIterator for Page<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    /// The records of this page.
    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a Page<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    /// The records of this page.
    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

/// Which page of a list is asked for, and how large. Left to the platform: the first, of its size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ask {
    pub page: Option<u32>,
    pub size: Option<u32>,
}

impl Ask {
    /// Number and size as the generated clients take them.
    pub fn parameters(self) -> Result<(Option<i64>, Option<i64>)> {
        for (what, number) in [("page", self.page), ("page size", self.size)] {
            if number == Some(0) {
                return Err(Error::invalid_request(format!("the {what} is zero")));
            }
        }
        Ok((self.page.map(i64::from), self.size.map(i64::from)))
    }
}

/// How a platform is asked for a page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paging {
    /// The query parameter with the number of the page, from 1.
    pub page: &'static str,
    /// The query parameter with the most records that a page may hold.
    pub size: &'static str,
    /// The most that the platform puts on one.
    pub largest: u32,
}

/// The same list from another page on.
pub(crate) struct Pager<P> {
    make: Arc<dyn Fn(Ask) -> Call<Marked<P>> + Send + Sync>,
    /// `None` for a list that cannot be asked for another page.
    paging: Option<Paging>,
    /// What its first call asks for.
    ask: Ask,
}

/// A page, and what it was like as it came, before this crate left anything out.
pub(crate) struct Marked<P> {
    page: P,
    received: usize,
    /// Two pages with the same content have the same; `None` if it was not worth computing.
    mark: Option<u64>,
}

/// The two methods that every list with pages has. The field is `ask`.
macro_rules! paged {
    ($what:literal) => {
        /// Another page than the first; they are numbered from 1. Where
        /// [`stream`](crate::Call::stream) and [`all`](crate::Call::all) begin, too.
        pub fn page(mut self, number: u32) -> Self {
            self.ask.page = Some(number);
            self
        }

        #[doc = concat!("How many ", $what, " a page holds. Left to the platform otherwise, and the")]
        /// largest that it has for [`stream`](crate::Call::stream) and [`all`](crate::Call::all).
        pub fn page_size(mut self, size: u32) -> Self {
            self.ask.size = Some(size);
            self
        }
    };
}
pub(crate) use paged;

impl<T: Send + 'static> Call<Page<T>> {
    /// A list with pages: `make` calls for one of them.
    pub(crate) fn paged<F>(paging: Paging, ask: Ask, make: F) -> Self
    where
        T: Serialize,
        F: Fn(Ask) -> Self + Send + Sync + 'static,
    {
        let first = make(ask);
        let marked = move |ask| {
            make(ask).map(|page| Marked {
                received: page.items.len(),
                mark: cursor::mark(&page),
                page,
            })
        };
        first.with_pager(Pager {
            make: Arc::new(marked),
            paging: Some(paging),
            ask,
        })
    }

    /// A list that comes whole, or of which no more than the first page can be asked for.
    pub(crate) fn one_page<F>(make: F) -> Self
    where
        F: Fn() -> Self + Send + Sync + 'static,
    {
        let first = make();
        first.with_pager(Pager {
            make: Arc::new(move |_| make().map(Marked::of)),
            paging: None,
            ask: Ask::default(),
        })
    }

    /// The same list with other records on each page. They may be fewer: what counts for the way
    /// from page to page is what came.
    pub(crate) fn map_items<U, F>(mut self, convert: F) -> Call<Page<U>>
    where
        U: Send + 'static,
        F: Fn(Vec<T>) -> Vec<U> + Clone + Send + Sync + 'static,
    {
        let pager = self.take_pager();
        let on_first = convert.clone();
        let first = self.map(move |page| page.with(on_first));
        let Some(Pager { make, paging, ask }) = pager else {
            return first;
        };
        let converted = move |ask| {
            let convert = convert.clone();
            make(ask).map(|marked| Marked {
                page: marked.page.with(convert),
                received: marked.received,
                mark: marked.mark,
            })
        };
        first.with_pager(Pager {
            make: Arc::new(converted),
            paging,
            ask,
        })
    }

    /// The records of all pages, one after the other, beginning with the page that this call asks
    /// for.
    ///
    /// A page is asked for when its first record is wanted and not before, so that a stream that is
    /// left early costs nothing more: there is never more than one request on the way, and never one
    /// that nobody may need. Each is a call of its own with all options of this one: a
    /// [`deadline`](Call::deadline) holds for each page, and the observer is told of each. Unless it
    /// was told otherwise it asks for the largest page that the platform has.
    ///
    /// ```no_run
    /// # #[cfg(feature = "edgegap")]
    /// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
    /// let mut servers = edgegap.deployments().tagged("eu").list().stream();
    /// while let Some(server) = servers.next().await {
    ///     println!("{}", server?.request_id);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// A failure is an item, after the records of the pages before it; then the stream ends. Beside
    /// those of the call it is [`Pagination`](crate::ErrorKind::Pagination) for a server that leads
    /// nowhere: that sends another page than the one that was asked for, the same page twice in a row,
    /// 100 pages without a record in a row, or always says that there is more
    /// ([`PageStream::max_pages`]); and for a list of which only the first page can be asked for, if
    /// there are more.
    ///
    /// A list that changes meanwhile: see [`PageCursor`].
    pub fn stream(self) -> PageStream<T> {
        PageStream::new(Pages::new(self))
    }

    /// The rest of the records, from a place that another stream of the same list had come to:
    /// [`PageStream::cursor`], perhaps of another process.
    ///
    /// Options, a limit too, are those of this call and not of the other. The number of the page comes
    /// from the cursor, and so does the size of pages unless this call says it.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a cursor of another list, of the same
    /// list with another filter, another size of pages or at another address, or of another version of
    /// this crate that writes them differently; and whatever would refuse the call before it is sent.
    pub fn stream_from(self, cursor: &PageCursor) -> Result<PageStream<T>> {
        PageStream::resumed(Pages::new(self), cursor)
    }

    /// The records of all pages at once, or so many of them:
    ///
    /// ```no_run
    /// # #[cfg(feature = "dployr")]
    /// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
    /// let all = dployr.services().list().all().await?;
    /// let ten = dployr.services().list().all().limit(10).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// They are read as [`stream`](Self::stream) does, into memory. What was read before a failure is
    /// lost with it, and its error says how many that were.
    pub fn all(self) -> All<T> {
        All::new(self.stream())
    }

    /// The pages, one after the other, as [`stream`](Self::stream) asks for them.
    pub fn pages(self) -> Pages<T> {
        Pages::new(self)
    }
}

impl<T> Marked<Page<T>> {
    fn of(page: Page<T>) -> Self {
        Self {
            received: page.items.len(),
            mark: None,
            page,
        }
    }
}
