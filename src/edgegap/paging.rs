//! What all lists share: how a page is asked for, and what comes back.

use super::Page;
use crate::page::{PageRequest, Paging};
use crate::raw::edgegap::types;

/// The vendor's file names no largest page; 100 is the most that the vendor's own client asks for.
pub(super) const PAGING: Paging = Paging { largest: 100 };

pub(super) fn read<T>(
    page_request: PageRequest,
    items: Vec<T>,
    total: Option<i64>,
    pagination: Option<types::Pagination>,
) -> Page<T> {
    let pagination = pagination.as_ref();
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let page = count(pagination.and_then(|at| at.number));
    let next = pagination.and_then(|at| at.next_page_number);
    let follows = pagination.and_then(|at| at.has_next);
    Page {
        items,
        page: page.unwrap_or(page_request.page.unwrap_or(1).into()),
        page_size: page_request.size.map(u64::from),
        total_items: count(total),
        total_pages: count(pagination.and_then(|at| at.paginator.as_ref()?.num_pages)),
        has_next: follows.unwrap_or(next.is_some()),
    }
}
