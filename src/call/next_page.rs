//! Pagination data of a call, used by [`page`](crate::page).

use super::Call;
use crate::error::{Error, Result};
use std::sync::Arc;

/// Page number and page size of a list request. `None` selects the platform's default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PageRequest {
    pub page: Option<u32>,
    pub size: Option<u32>,
}

impl PageRequest {
    /// Number and size, as arguments of the generated clients.
    pub fn parameters(self) -> Result<(Option<i64>, Option<i64>)> {
        for (what, number) in [("page", self.page), ("page size", self.size)] {
            if number == Some(0) {
                return Err(Error::invalid_request(format!("the {what} is zero")));
            }
        }
        Ok((self.page.map(i64::from), self.size.map(i64::from)))
    }
}

/// Pagination of a platform.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paging {
    /// Largest page size that the platform accepts.
    pub largest: u32,
}

/// Requests any page of a list.
pub(crate) struct Pager<P> {
    pub make: Arc<dyn Fn(PageRequest) -> Call<ReceivedPage<P>> + Send + Sync>,
    pub paging: Paging,
    /// The page requested by the call.
    pub page_request: PageRequest,
}

/// A page, with facts about the received records before some were filtered out.
pub(crate) struct ReceivedPage<P> {
    pub page: P,
    /// Number of received records.
    pub received: usize,
    /// Fingerprint of the records; equal pages have equal fingerprints. `None` if they cannot be
    /// serialized.
    pub fingerprint: Option<u64>,
}
