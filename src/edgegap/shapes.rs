//! Response bodies that several operations share: pages of lists, and stops.

use super::{Deployment, Page};
use crate::page::{PageRequest, Paging};
use crate::raw::edgegap::types;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The vendor's own client requests up to 100 records. No maximum page size is documented.
pub(super) const PAGING: Paging = Paging { largest: 100 };

/// Converts a page of a list.
pub(super) fn page<T>(
    page_request: PageRequest,
    items: Vec<T>,
    total: Option<i64>,
    pagination: Option<types::Pagination>,
) -> Page<T> {
    let pagination = pagination.as_ref();
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let number = count(pagination.and_then(|at| at.number));
    let next_page = pagination.and_then(|at| at.next_page_number);
    let has_next = pagination.and_then(|at| at.has_next);
    Page {
        items,
        page: number.unwrap_or(page_request.page.unwrap_or(1).into()),
        page_size: page_request.size.map(u64::from),
        total_items: count(total),
        total_pages: count(pagination.and_then(|at| at.paginator.as_ref()?.num_pages)),
        has_next: has_next.unwrap_or(next_page.is_some()),
    }
}

/// Result of a stop.
///
/// Decodes from any JSON, so that an unexpected body does not turn an accepted stop into an error.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StopReply {
    /// Human-readable message.
    pub message: Option<String>,
    /// The deployment at the time of the stop.
    pub deployment: Option<Deployment>,
}

impl<'de> Deserialize<'de> for StopReply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = Value::deserialize(deserializer)?;
        let plain_text = value.as_str().map(str::to_owned);
        let mut take = |key: &str| value.get_mut(key).map(Value::take);
        let message = take("message").and_then(|text| text.as_str().map(str::to_owned));
        let deployment = take("deployment_summary");
        Ok(Self {
            message: message.or(plain_text).filter(|text| !text.is_empty()),
            deployment: deployment.and_then(|summary| serde_json::from_value(summary).ok()),
        })
    }
}
