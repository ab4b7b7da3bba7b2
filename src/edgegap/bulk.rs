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
#[must_use = "nothing is stopped until it is given to a client"]
pub struct StopFilter {
    first: Condition,
    more: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq)]
struct Condition {
    field: Field,
    kind: Kind,
    values: Vec<String>,
}

impl StopFilter {
    /// Those with one of these ids.
    pub fn ids(ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::begin(Condition::new(Field::RequestId, Kind::Any, ids))
    }

    /// Those with one of these tags.
    pub fn any_tag(tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::begin(Condition::new(Field::DeploymentTags, Kind::Any, tags))
    }

    /// Those with all of these tags.
    pub fn all_tags(tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::begin(Condition::new(Field::DeploymentTags, Kind::All, tags))
    }

    /// And only if they have one of these tags.
    pub fn with_any_tag(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.and(Condition::new(Field::DeploymentTags, Kind::Any, tags))
    }

    /// And only if they have all of these tags.
    pub fn with_all_tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.and(Condition::new(Field::DeploymentTags, Kind::All, tags))
    }

    /// But not those with one of these ids.
    pub fn without_ids(self, ids: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.and(Condition::new(Field::RequestId, Kind::Not, ids))
    }

    /// But not those with one of these tags.
    pub fn without_tags(self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.and(Condition::new(Field::DeploymentTags, Kind::Not, tags))
    }

    fn begin(first: Condition) -> Self {
        let more = Vec::new();
        Self { first, more }
    }

    fn and(mut self, condition: Condition) -> Self {
        self.more.push(condition);
        self
    }

    fn into_raw(self) -> Result<types::BulkStop> {
        let conditions = std::iter::once(self.first).chain(self.more);
        Ok(types::BulkStop {
            filters: conditions.map(Condition::into_raw).collect::<Result<_>>()?,
        })
    }
}

impl Condition {
    fn new(field: Field, kind: Kind, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            field,
            kind,
            values: values.into_iter().map(Into::into).collect(),
        }
    }

    fn into_raw(self) -> Result<types::BulkStopFilter> {
        let what = match self.field {
            Field::RequestId => "request id",
            _ => "tag",
        };
        if self.values.is_empty() {
            return Err(Error::invalid_request(format!(
                "there is no {what} to compare with, which might stop everything"
            )));
        }
        if self.values.iter().any(|value| value.trim().is_empty()) {
            return Err(Error::invalid_request(format!("the {what} is empty")));
        }
        Ok(types::BulkStopFilter {
            field: self.field,
            filter_type: self.kind,
            values: self.values,
        })
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
        self.invoke(Op::StopDeployments, |raw| async move {
            let accepted = raw.stop_deployments(&filter.into_raw()?).await?;
            Ok(accepted.into_inner())
        })
    }
}
