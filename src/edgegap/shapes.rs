//! Response bodies that several operations share: pages of lists, and stops.

use super::{Client, Deployment, Page};
use crate::call::{Call, Stop};
use crate::lenient::{self, List};
use crate::page::{PageRequest, Paging};
use crate::raw::edgegap::{self as raw, Op, types};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// The vendor's own client requests up to 100 records. No maximum page size is documented.
pub(super) const PAGING: Paging = Paging { largest: 100 };

/// One page as the platform sends it: the records, the total number, and the pagination.
pub(super) type Listed<T> = (List<T>, Option<i64>, Option<types::Pagination>);

impl Client {
    /// A paginated list. `request` requests one page, by its number and size.
    pub(super) fn list<T, F, R>(
        &self,
        op: Op,
        page_request: PageRequest,
        request: F,
    ) -> Call<Page<T>>
    where
        T: Serialize + Send + 'static,
        F: FnOnce(raw::Client, Option<i64>, Option<i64>) -> R + Clone + Send + Sync + 'static,
        R: Future<Output = Result<Listed<T>, Stop>> + Send + 'static,
    {
        let client = self.clone();
        Call::paged(PAGING, page_request, move |page_request| {
            let request = request.clone();
            client.call(op, move |raw| async move {
                let (number, size) = page_request.parameters()?;
                Ok(page(page_request, request(raw, number, size).await?))
            })
        })
    }
}

/// Converts a page of a list.
pub(super) fn page<T>(page_request: PageRequest, listed: Listed<T>) -> Page<T> {
    let (list, total, pagination) = listed;
    let pagination = pagination.as_ref();
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let number = count(pagination.and_then(|at| at.number));
    let next_page = pagination.and_then(|at| at.next_page_number);
    let has_next = pagination.and_then(|at| at.has_next);
    Page {
        page: number.unwrap_or(page_request.page.unwrap_or(1).into()),
        page_size: page_request.size.map(u64::from),
        total_items: count(total),
        total_pages: count(pagination.and_then(|at| at.paginator.as_ref()?.num_pages)),
        has_next: has_next.unwrap_or(next_page.is_some()),
        ..Page::whole(list)
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
            deployment: deployment.and_then(|summary| lenient::from_value(summary, true).ok()),
        })
    }
}
