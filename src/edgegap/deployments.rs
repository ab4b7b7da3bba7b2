//! The list of deployments.

use super::paging::{PAGING, read};
use super::{Client, DeploymentSummary, Filter, Order, Page};
use crate::call::Call;
use crate::error::Result;
use crate::page::{PageRequest, paged};
use crate::raw::edgegap::Op;
use crate::time::allow_for_skew;
use serde_json::Value;
use std::time::SystemTime;

/// The deployments of the organisation, or some of them; made by [`Client::deployments`].
///
/// ```no_run
/// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
/// let mut tagged = edgegap.deployments().tagged("eu").list().stream();
/// while let Some(deployment) = tagged.next().await {
///     println!("{}", deployment?.request_id);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `list` is awaited"]
pub struct Deployments {
    pub(super) client: Client,
    filters: Vec<Filter>,
    order: Vec<Order>,
    page_request: PageRequest,
}

impl Client {
    /// The deployments of the organisation: all of them, or those with a tag or made since a moment.
    pub fn deployments(&self) -> Deployments {
        Deployments {
            client: self.clone(),
            filters: Vec::new(),
            order: Vec::new(),
            page_request: PageRequest::default(),
        }
    }
}

impl Deployments {
    /// Only those that meet this condition, and all that were given before. The platform takes one
    /// condition for each property: a later one replaces it.
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filters.retain(|other| other.field != filter.field);
        self.filters.push(filter);
        self
    }

    /// Only those with this tag; short for [`filter`](Self::filter) with [`Filter::tag`].
    pub fn tagged(self, tag: impl Into<String>) -> Self {
        self.filter(Filter::tag(tag.into()))
    }

    /// Only those made at or after this moment of the platform's clock, to the second; short for
    /// [`filter`](Self::filter) with [`Filter::created_since`].
    pub fn created_since(self, since: SystemTime) -> Self {
        self.filter(Filter::created_since(since))
    }

    /// In this order; those that are equal in it in the orders that were given after it. Left to the
    /// platform otherwise.
    pub fn order_by(mut self, order: Order) -> Self {
        let (property, _) = order.parts();
        self.order.retain(|other| other.parts().0 != property);
        self.order.push(order);
        self
    }

    /// Those made last come first; short for [`order_by`](Self::order_by).
    pub fn newest_first(self) -> Self {
        self.order_by(Order::NewestFirst)
    }

    paged!("deployments");

    /// One page of the deployments: `GET /v1/deployments`.
    ///
    /// Those that have been stopped and cleared away are not among them.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent: a condition
    /// without anything to compare with, or a page or a size of zero. [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and those of
    /// every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn list(&self) -> Call<Page<DeploymentSummary>> {
        let list = self.clone();
        Call::paged(PAGING, self.page_request, move |page_request| {
            let query = list.query();
            list.client
                .call(Op::ListDeployments, move |raw| async move {
                    let (query, (page, limit)) = (query?, page_request.parameters()?);
                    let list = raw.list_deployments(limit, page, query.as_deref()).await?;
                    let list = list.into_inner();
                    Ok(read(
                        page_request,
                        list.data,
                        list.total_count,
                        list.pagination,
                    ))
                })
        })
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
        self.client
            .deployments()
            .tagged(tag.as_str())
            .created_since(since)
            .newest_first()
            .page_size(PAGING.largest)
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
        let filters: Vec<Value> = self
            .filters
            .iter()
            .map(Filter::to_json)
            .collect::<Result<_>>()?;
        let mut query = serde_json::Map::new();
        if !filters.is_empty() {
            query.insert("filters".to_owned(), Value::Array(filters));
        }
        if !self.order.is_empty() {
            let order = self.order.iter().map(|order| order.to_json()).collect();
            query.insert("order_by".to_owned(), Value::Array(order));
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
