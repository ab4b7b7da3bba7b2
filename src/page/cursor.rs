//! A place in a list, for another process.

use super::{Page, Pages};
use crate::error::{Error, Result};
use crate::fnv::Fnv;
use serde::{Deserialize, Serialize};

/// Of the form of a cursor. Another one for every form that cannot be read as this one.
const VERSION: u32 = 1;

/// A place in a list: which record of which page comes next; made by
/// [`PageStream::cursor`](super::PageStream::cursor) and taken by
/// [`Call::stream_from`](crate::Call::stream_from).
///
/// It is small, holds no secret and serialises in any format:
///
/// ```json
/// {"v":1,"list":"dployr.list_services","filter":"c9d1f0a3b2e45867","page":3,"offset":17,"size":100}
/// ```
///
/// It fits the list it came from: `filter` stands for the address of the server and for the path and
/// the query of the request, without what is hidden in a [preview](crate::Call::preview). So it does
/// not tell apart two lists that differ in a value that was given by [`query`](crate::Call::query), nor
/// two accounts.
///
/// # A list that changes meanwhile
/// No platform here has cursors of its own, so a place is a number of records from the beginning. A
/// record that is inserted before it moves the others: one that was seen comes again. A record that is
/// removed before it does the opposite: one is left out. That is the same for a stream that only takes
/// long. What must not happen twice needs a look at the records' ids; what must not be missed needs the
/// whole list again. A list that is over goes on behind its last record: what was added there comes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PageCursor {
    v: u32,
    list: String,
    filter: String,
    page: u32,
    offset: usize,
    size: Option<u32>,
}

impl PageCursor {
    pub(super) fn new<T: Send + 'static>(pages: &Pages<T>, page: u32, offset: usize) -> Self {
        Self {
            v: VERSION,
            list: name(pages),
            filter: filter(pages),
            page,
            offset,
            size: pages.size(),
        }
    }

    /// The number of the page, from 1.
    pub fn page(&self) -> u32 {
        self.page
    }

    /// How many records of that page are not wanted any more.
    pub fn offset(&self) -> usize {
        self.offset
    }

    pub(super) fn size(&self) -> Option<u32> {
        self.size
    }

    /// Whether it is a place in this list.
    pub(super) fn check<T: Send + 'static>(&self, pages: &Pages<T>) -> Result<()> {
        let problem = if self.v != VERSION {
            "was made by a version of this crate that writes it differently"
        } else if self.list != name(pages) {
            "is one of another list"
        } else if self.filter != filter(pages) {
            "is one of this list with another filter or at another address"
        } else if self.page == 0 {
            "has no page"
        } else if pages.disagrees(self.size) {
            "is one of this list in pages of another size"
        } else {
            return Ok(());
        };
        Err(Error::invalid_request(format!("the cursor {problem}"))
            .with_operation(pages.operation()))
    }
}

fn name<T: Send + 'static>(pages: &Pages<T>) -> String {
    match pages.operation() {
        Some(operation) => format!("{}.{}", operation.api, operation.id),
        None => String::new(),
    }
}

/// What is asked for, as far as anybody may see it.
fn filter<T: Send + 'static>(pages: &Pages<T>) -> String {
    let mut hash = Fnv::default();
    if let Some(Ok(request)) = pages.sample().map(crate::Call::preview) {
        let words = [&request.base_url, &request.method, &request.path];
        let query = request.query.iter().flat_map(|(name, value)| [name, value]);
        for word in words.into_iter().chain(query) {
            hash.add(word.as_bytes());
            hash.add(&[0xff]); // Not in any text.
        }
    }
    format!("{:016x}", hash.value())
}

/// Whether two pages are the same: a server that counts one record more has a reason to send a page
/// again, for what stood on it has moved.
pub(super) fn mark<T: Serialize>(page: &Page<T>) -> Option<u64> {
    let mut hash = Fnv::default();
    hash.add(&page.total_items.unwrap_or(u64::MAX).to_le_bytes());
    serde_json::to_writer(&mut hash, &page.items).ok()?;
    Some(hash.value())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_known_by_its_records_and_the_number_of_all() {
        let page = |items: &[&str], total| Page {
            total_items: total,
            ..Page::whole(items.iter().map(|item| (*item).to_owned()).collect())
        };
        let mark = |items, total| mark(&page(items, total)).unwrap();
        assert_eq!(mark(&["a", "b"], Some(4)), mark(&["a", "b"], Some(4)));
        assert_ne!(mark(&["a", "b"], Some(4)), mark(&["b", "a"], Some(4)));
        assert_ne!(mark(&["a", "b"], Some(4)), mark(&["a", "b"], Some(5)));
        assert_ne!(mark(&["a", "b"], Some(4)), mark(&["ab"], Some(4)));
    }
}
