//! Pagination: one page, a stream of all records, or all records in memory.
//!
//! A list is a [`Call`] that returns a [`Page`]. [`Call::stream`] returns a [`PageStream`] of the records of
//! all pages, and [`Call::all`] collects them.

mod stream;

pub(crate) use crate::call::{PageRequest, Paging};
pub use stream::PageStream;
use stream::Pages;

use crate::call::{Call, Pager, ReceivedPage};
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::lenient::List;
use crate::secret::expose_secrets;
use serde::Serialize;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// One page of a list, or the whole list of an endpoint without pagination.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
/// # let dployr = deploykit::testing::Recorder::new().dployr()?;
/// let second = dployr.deployments().page(2).page_size(50).list().await?;
/// println!("{} of {:?}", second.page, second.total_pages);
/// for deployment in second {
///     println!("{}", deployment.name);
/// }
/// # Ok(()) }
/// ```
///
/// To read the records of all pages, use [`Call::stream`](crate::Call::stream) or
/// [`Call::all`](crate::Call::all).
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Page<T> {
    /// The records of this page, in the order of the server.
    pub items: Vec<T>,
    /// Number of this page, from 1.
    pub page: u64,
    /// Page size, if the server reports it.
    pub page_size: Option<u64>,
    /// Number of records on all pages, if the server reports it.
    pub total_items: Option<u64>,
    /// Number of pages, if the server reports it.
    pub total_pages: Option<u64>,
    /// Whether another page follows. False for an endpoint without pagination.
    pub has_next: bool,
    #[serde(skip)]
    pub(crate) skipped: usize,
}

impl<T> Page<T> {
    /// The whole list of an endpoint without pagination.
    pub(crate) fn whole(list: impl Into<List<T>>) -> Self {
        let List { items, skipped } = list.into();
        Self {
            items,
            skipped,
            page: 1,
            page_size: None,
            total_items: None,
            total_pages: None,
            has_next: false,
        }
    }

    /// Converts the records.
    fn map_items<U>(self, convert: impl FnOnce(Vec<T>) -> Vec<U>) -> Page<U> {
        Page {
            items: convert(self.items),
            page: self.page,
            page_size: self.page_size,
            total_items: self.total_items,
            total_pages: self.total_pages,
            has_next: self.has_next,
            skipped: self.skipped,
        }
    }

    /// Number of records of this page that could not be read. They are not in [`items`](Self::items).
    ///
    /// If it is not 0, a record that is not in the list may exist nevertheless. Methods that search a list
    /// fail with [`Decode`](ErrorKind::Decode) then.
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Checks that all records could be read, so that a record that is not in the list does not exist.
    pub(crate) fn check_complete(&self) -> Result<()> {
        if self.skipped == 0 {
            return Ok(());
        }
        let message = format!("records of the list that cannot be read: {}", self.skipped);
        Err(Error::new(ErrorKind::Decode, message).with_effect(Effect::None))
    }
}

impl<T: Serialize> Page<T> {
    /// Hash of the records, and their size as JSON, in bytes.
    fn fingerprint(&self) -> Option<(u64, usize)> {
        // The values of secrets belong to the records. Only hash and length leave this function.
        let json = expose_secrets(|| serde_json::to_vec(&self.items)).ok()?;
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        Some((hasher.finish(), json.len()))
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

/// Declares `page` and `page_size` for a collection with a field `page_request`.
macro_rules! paged {
    ($records:literal) => {
        /// Selects a page, from 1. Default: 1.
        ///
        /// [`stream`](crate::Call::stream) and [`all`](crate::Call::all) start there.
        pub fn page(mut self, number: u32) -> Self {
            self.page_request.page = Some(number);
            self
        }

        #[doc = concat!("Sets the number of ", $records, " on a page.")]
        ///
        /// Default: the platform's default for one page, and its maximum for
        /// [`stream`](crate::Call::stream) and [`all`](crate::Call::all).
        pub fn page_size(mut self, size: u32) -> Self {
            self.page_request.size = Some(size);
            self
        }
    };
}
pub(crate) use paged;

impl<T: Send + 'static> Call<Page<T>> {
    /// A paginated list. `make` requests one page.
    pub(crate) fn paged<F>(paging: Paging, page_request: PageRequest, make: F) -> Self
    where
        T: Serialize,
        F: Fn(PageRequest) -> Self + Send + Sync + 'static,
    {
        let first = make(page_request);
        let received_page = move |page_request| {
            make(page_request).map(|page| ReceivedPage {
                received: page.items.len(),
                fingerprint: page.fingerprint(),
                page,
            })
        };
        first.with_pager(Pager {
            make: Arc::new(received_page),
            paging,
            page_request,
        })
    }

    /// Converts the records of each page. `convert` may drop records: the pagination checks use the
    /// received ones.
    pub(crate) fn map_items<U, F>(mut self, convert: F) -> Call<Page<U>>
    where
        U: Send + 'static,
        F: Fn(Vec<T>) -> Vec<U> + Clone + Send + Sync + 'static,
    {
        let pager = self.take_pager();
        let on_first = convert.clone();
        let first = self.map(move |page| page.map_items(on_first));
        let Some(pager) = pager else { return first };
        let converted = move |page_request| {
            let convert = convert.clone();
            (pager.make)(page_request).map(|received_page| ReceivedPage {
                page: received_page.page.map_items(convert),
                received: received_page.received,
                fingerprint: received_page.fingerprint,
            })
        };
        first.with_pager(Pager {
            make: Arc::new(converted),
            paging: pager.paging,
            page_request: pager.page_request,
        })
    }

    /// Fails if a record cannot be read, for conclusions from a record that is not in the list.
    pub(crate) fn complete(self) -> Self {
        self.then(|result, scope| {
            let page = result?;
            let complete = page.check_complete();
            complete
                .map(|()| page)
                .map_err(|error| scope.complete(error))
        })
    }

    /// Streams the records of all pages, starting at the selected page.
    ///
    /// A page is requested when its first record is polled, so at most one request is in flight. Each
    /// page is a separate call with the options of this one: a [`deadline`](Call::deadline) applies to
    /// each page, and the observer is called for each. The default page size is the platform's maximum.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
    /// let mut servers = edgegap.deployments().tagged("eu").list().stream();
    /// while let Some(server) = servers.next().await {
    ///     println!("{}", server?.request_id);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// If the list changes between two pages, records shift: an insertion before the current position
    /// repeats a record, and a removal skips one.
    ///
    /// # Errors
    /// An error is the last item, after the records of earlier pages. A
    /// [`Pagination`](crate::ErrorKind::Pagination) error means that the list has no end: the server sent
    /// a page that was not requested, the same records on two pages, 100 empty pages in a row, or more
    /// than [`max_pages`](PageStream::max_pages), or it reports a next page that cannot be requested.
    pub fn stream(self) -> PageStream<T> {
        PageStream::new(self.pages())
    }

    /// Reads the records of all pages into memory, at most 256 MiB.
    ///
    /// To read only the first ten, use `stream().limit(10).try_collect()`. To read more, use `stream()`, or
    /// raise [`max_bytes`](PageStream::max_bytes).
    ///
    /// Records that cannot be read are skipped; [`PageStream::skipped`] counts them.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let dployr = deploykit::testing::Recorder::new().dployr()?;
    /// for service in dployr.services().list().all().await? {
    ///     println!("{}", service.name);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Those of [`try_collect`](PageStream::try_collect).
    pub async fn all(self) -> Result<Vec<T>> {
        self.stream().try_collect().await
    }

    /// Streams pages instead of records, like [`stream`](Self::stream).
    pub(crate) fn pages(self) -> Pages<T> {
        Pages::new(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_depend_on_the_records_only() {
        let print = |items: &[&str], total_items| {
            let items: Vec<_> = items.iter().map(|item| (*item).to_owned()).collect();
            let page = Page {
                total_items,
                ..Page::whole(items)
            };
            page.fingerprint().unwrap()
        };
        let page = print(&["a", "b"], Some(4));
        assert_eq!(page, print(&["a", "b"], Some(5)));
        assert_ne!(page, print(&["b", "a"], Some(4)));
        assert_ne!(page, print(&["ab"], Some(4)));
        assert_eq!(page.1, r#"["a","b"]"#.len());
    }
}
