//! The list of deployments.

use super::{Client, DeploymentSummary, Page};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::raw::edgegap::{Op, types};
use crate::time::{allow_for_skew, rfc3339_seconds};
use serde_json::{Value, json};
use std::time::SystemTime;

/// The most that the vendor's own client asks for on one page.
const LARGEST_PAGE: u32 = 100;

/// The deployments of the organisation, or some of them; made by [`Client::deployments`].
///
/// ```no_run
/// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
/// for deployment in edgegap.deployments().tagged("eu").page_size(100).list().await? {
///     println!("{} {:?}", deployment.request_id, deployment.status);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `list` is awaited"]
pub struct Deployments {
    client: Client,
    tag: Option<String>,
    since: Option<SystemTime>,
    newest_first: bool,
    page: Option<u32>,
    page_size: Option<u32>,
}

impl Deployments {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            tag: None,
            since: None,
            newest_first: false,
            page: None,
            page_size: None,
        }
    }

    /// Only those with this tag. The platform takes one such condition: a later one replaces it.
    pub fn tagged(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Only those made at or after this moment of the platform's clock, to the second.
    pub fn created_since(mut self, since: SystemTime) -> Self {
        self.since = Some(since);
        self
    }

    /// Those made last come first. Left to the platform otherwise.
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    /// Another page than the first; they are numbered from 1.
    pub fn page(mut self, number: u32) -> Self {
        self.page = Some(number);
        self
    }

    /// How many deployments a page holds. Left to the platform otherwise.
    pub fn page_size(mut self, deployments: u32) -> Self {
        self.page_size = Some(deployments);
        self
    }

    /// One page of the deployments: `GET /v1/deployments`.
    ///
    /// Those that have been stopped and cleared away are not among them.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent: an empty tag, or
    /// a page or a size of zero. [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and those of
    /// every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn list(&self) -> Call<Page<DeploymentSummary>> {
        let op = Op::ListDeployments;
        let query = match self.query() {
            Ok(query) => query,
            Err(error) => return self.client.refused(op, error),
        };
        let number = self.page;
        let (limit, page) = (self.page_size.map(i64::from), number.map(i64::from));
        let size = self.page_size.map(u64::from);
        self.client
            .call(op, move |raw| async move {
                raw.list_deployments(limit, page, query.as_deref()).await
            })
            .map(move |list| into_page(list, number, size))
    }

    /// What became of a [`deploy`](Client::deploy) that ended without an answer
    /// ([`Effect::Unknown`](crate::Effect::Unknown)): the deployments with this tag, made since you
    /// sent it.
    ///
    /// Give every deployment a tag of its own, and take the time before you send it:
    ///
    /// ```no_run
    /// # async fn example(edgegap: deploykit::edgegap::Client, match_id: &str) -> deploykit::Result<()> {
    /// use deploykit::edgegap::{NewDeployment, User};
    /// use deploykit::Effect;
    /// use std::time::{Duration, SystemTime};
    ///
    /// let tag = format!("match-{match_id}"); // nothing else has it
    /// let before = SystemTime::now();
    /// let new = NewDeployment::new("my-app", "25.05.30", User::ip([75, 28, 35, 192].into())).tag(&tag);
    /// match edgegap.deploy(new).await {
    ///     Err(error) if error.effect() == Effect::Unknown => {
    ///         tokio::time::sleep(Duration::from_secs(10)).await; // let the list catch up
    ///         match edgegap.deployments().find_created(&tag, before).await?.first() {
    ///             Some(found) => println!("it is there: {}", found.request_id),
    ///             None => println!("not there by now"),
    ///         }
    ///     }
    ///     other => println!("{}", other?.request_id),
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// The platform's clock may be up to a minute behind yours: deployments from the minute before
    /// `since` are given too. The newest come first, at most 100.
    ///
    /// **A hit proves** that there is a deployment with this tag. That it is yours follows only from
    /// the tag: if another program, or an earlier attempt, uses the same one, it may be theirs. It
    /// may be in an error state; look at its `status`.
    ///
    /// **A miss does not prove** that nothing was started. The request may still be under way, the
    /// platform may take a while to list what it started, and a deployment that ended meanwhile is no
    /// longer listed. Ask again a few times before you deploy anew, and then with the same tag: a
    /// late one is found by it.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub fn find_created(
        &self,
        tag: impl Into<String>,
        since: SystemTime,
    ) -> Call<Vec<DeploymentSummary>> {
        let (tag, since) = (tag.into(), allow_for_skew(since));
        Self::new(self.client.clone())
            .tagged(tag.as_str())
            .created_since(since)
            .newest_first()
            .page_size(LARGEST_PAGE)
            .list()
            .map(move |page| {
                // A server that does not know the filter ignores it and lists everything.
                let fits =
                    |found: &DeploymentSummary| is_tagged(found, &tag) && !older(found, since);
                page.into_iter().filter(fits).collect()
            })
    }

    /// The filter and the order, as the platform writes them; `None` for everything in any order.
    fn query(&self) -> Result<Option<String>> {
        let mut filters = Vec::new();
        if let Some(tag) = &self.tag {
            if tag.trim().is_empty() {
                return Err(Error::invalid_request("the tag is empty"));
            }
            filters.push(json!({ "field": "tags", "operator": "eq", "value": tag }));
        }
        if let Some(since) = self.since {
            let at = rfc3339_seconds(since)
                .ok_or_else(|| Error::invalid_request("the time is not one of this calendar"))?;
            filters.push(json!({ "field": "created_at", "operator": "gte", "value": at }));
        }
        for (what, number) in [("page", self.page), ("page size", self.page_size)] {
            if number == Some(0) {
                return Err(Error::invalid_request(format!("the {what} is zero")));
            }
        }
        let mut query = serde_json::Map::new();
        if !filters.is_empty() {
            query.insert("filters".to_owned(), Value::Array(filters));
        }
        if self.newest_first {
            let order = json!([{ "field": "created_at", "order": "desc" }]);
            query.insert("order_by".to_owned(), order);
        }
        Ok((!query.is_empty()).then(|| Value::Object(query).to_string()))
    }
}

/// Whether it has the tag, as far as it says.
fn is_tagged(found: &DeploymentSummary, tag: &str) -> bool {
    let tags = found.tags.as_ref();
    tags.is_none_or(|tags| tags.iter().any(|other| other == tag))
}

/// Whether it is known to be from before. It starts after it was made, so a start before settles it.
fn older(found: &DeploymentSummary, since: SystemTime) -> bool {
    let started = found.start_time.as_ref();
    started
        .and_then(crate::Timestamp::to_system_time)
        .is_some_and(|started| started < since)
}

fn into_page(
    list: types::DeploymentList,
    asked: Option<u32>,
    page_size: Option<u64>,
) -> Page<DeploymentSummary> {
    let pagination = list.pagination.as_ref();
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let page = count(pagination.and_then(|at| at.number)).unwrap_or(asked.unwrap_or(1).into());
    let total_pages = count(pagination.and_then(|at| at.paginator.as_ref()?.num_pages));
    let next = pagination.and_then(|at| at.next_page_number);
    let follows = pagination.and_then(|at| at.has_next);
    Page {
        items: list.data,
        page,
        page_size,
        total_items: count(list.total_count),
        total_pages,
        has_next: follows.unwrap_or(next.is_some()),
    }
}
