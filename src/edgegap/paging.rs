//! What all lists share: which page is asked for, and what comes back.

use super::Page;
use crate::error::{Error, Result};
use crate::raw::edgegap::types;

/// The page that is asked for. Left to the platform: the first one, of its size.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Paging {
    pub page: Option<u32>,
    pub size: Option<u32>,
}

impl Paging {
    /// The parameters `limit` and `page`, in the order of the generated methods.
    pub fn parameters(self) -> Result<(Option<i64>, Option<i64>)> {
        for (what, number) in [("page", self.page), ("page size", self.size)] {
            if number == Some(0) {
                return Err(Error::invalid_request(format!("the {what} is zero")));
            }
        }
        Ok((self.size.map(i64::from), self.page.map(i64::from)))
    }

    pub fn read<T>(
        self,
        items: Vec<T>,
        total: Option<i64>,
        pagination: Option<&types::Pagination>,
    ) -> Page<T> {
        let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        let page = count(pagination.and_then(|at| at.number));
        let next = pagination.and_then(|at| at.next_page_number);
        let follows = pagination.and_then(|at| at.has_next);
        Page {
            items,
            page: page.unwrap_or(self.page.unwrap_or(1).into()),
            page_size: self.size.map(u64::from),
            total_items: count(total),
            total_pages: count(pagination.and_then(|at| at.paginator.as_ref()?.num_pages)),
            has_next: follows.unwrap_or(next.is_some()),
        }
    }
}

/// The two methods that every list has.
macro_rules! paged {
    ($what:literal) => {
        /// Another page than the first; they are numbered from 1.
        pub fn page(mut self, number: u32) -> Self {
            self.paging.page = Some(number);
            self
        }

        #[doc = concat!("How many ", $what, " a page holds. Left to the platform otherwise.")]
        pub fn page_size(mut self, size: u32) -> Self {
            self.paging.size = Some(size);
            self
        }
    };
}
pub(super) use paged;
