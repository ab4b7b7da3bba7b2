//! Ending many deployments at once.

use super::{BulkStopAccepted, Client};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::raw::edgegap::enums::{BulkStopField as Field, BulkStopFilterType as Kind};
use crate::raw::edgegap::{Op, types};

/// Which deployments [`Client::stop_matching`] ends: those that meet every condition.
///
/// The platform takes a stop without a condition for a stop of everything. There is no such filter:
/// each begins with a condition, the conditions after it only leave some out, and a condition
/// without a value is refused.
///
/// ```no_run
/// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
/// use deploykit::edgegap::StopFilter;
/// let old = StopFilter::any_tag(["match-7", "match-8"]).without_tags(["keep"]);
/// let stopped = edgegap.stop_matching(old).await?;
/// println!("{} will be stopped", stopped.processable.len());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use = "does nothing until passed to `Client::stop_matching`"]
pub struct StopFilter {
    filters: Vec<types::BulkStopFilter>,
}

impl StopFilter {
    /// Those with one of these ids.
    pub fn ids(ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::only(Field::RequestId, Kind::Any, ids)
    }

    /// Those with one of these tags.
    pub fn any_tag(tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::only(Field::DeploymentTags, Kind::Any, tags)
    }

    /// Those with all of these tags.
    pub fn all_tags(tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::only(Field::DeploymentTags, Kind::All, tags)
    }

    /// And only those that meet the other conditions, too.
    pub fn and(mut self, others: Self) -> Self {
        self.filters.extend(others.filters);
        self
    }

    /// But not those with one of these ids.
    pub fn without_ids(self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.and(Self::only(Field::RequestId, Kind::Not, ids))
    }

    /// But not those with one of these tags.
    pub fn without_tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.and(Self::only(Field::DeploymentTags, Kind::Not, tags))
    }

    fn only(
        field: Field,
        filter_type: Kind,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        Self {
            filters: vec![types::BulkStopFilter {
                field,
                filter_type,
                values,
            }],
        }
    }

    fn checked(self) -> Result<types::BulkStop> {
        for filter in &self.filters {
            let what = match filter.field {
                Field::RequestId => "request id",
                _ => "tag",
            };
            if filter.values.is_empty() {
                return Err(Error::invalid_request(format!(
                    "there is no {what} to compare with, which might stop everything"
                )));
            }
            let mut values = filter.values.iter();
            values.try_for_each(|value| crate::check::text(what, value))?;
        }
        let filters = self.filters;
        Ok(types::BulkStop { filters })
    }
}

impl Client {
    /// Ends all deployments that meet the conditions: `POST /v1/deployments/bulk-stop`. The reply
    /// names them; they are stopped after it.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent, for a condition
    /// without a value. [`Rejected`](crate::ErrorKind::Rejected),
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and those of every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn stop_matching(&self, filter: StopFilter) -> Call<BulkStopAccepted> {
        self.call(Op::StopDeployments, |raw| async move {
            let accepted = raw.stop_deployments(&filter.checked()?).await?;
            Ok(accepted.into_inner())
        })
    }
}
