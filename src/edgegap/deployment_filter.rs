//! Filters and sort orders for lists of deployments.

use super::DeploymentStatus;
use crate::time::rfc3339_seconds;
use serde_json::{Value, json};
use std::slice;
use std::time::SystemTime;

/// A filter for a list of deployments; for [`Deployments::filter`](super::Deployments::filter).
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
/// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
/// use deploykit::edgegap::{DeploymentStatus, Filter, Match};
/// let failed = edgegap
///     .deployments()
///     .filter(Filter::status(DeploymentStatus::Error))
///     .filter(Filter::version(Match::any_of(["1.4", "1.5"])))
///     .filter(Filter::fleet_like("alpha-%"));
/// println!("{:?}", failed.list().await?.total_items);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub(super) field: &'static str,
    operator: &'static str,
    /// The value in the query. `Err`: the reason why the value is invalid.
    value: Result<Value, String>,
}

/// Comparison of a property with one or more values.
///
/// Strings, names and ids convert into [`Match::Is`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Match {
    /// Equal to this value.
    Is(String),
    /// Different from this value.
    IsNot(String),
    /// Equal to one of these values.
    AnyOf(Vec<String>),
    /// Different from all of these values.
    NoneOf(Vec<String>),
}

/// Sort order of a list of deployments; for [`Deployments::order_by`](super::Deployments::order_by).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// By time of creation, newest first.
    NewestFirst,
    /// By time of creation, oldest first.
    OldestFirst,
    /// By free session sockets, most first.
    MostFreeSockets,
    /// By free session sockets, fewest first.
    FewestFreeSockets,
}

impl Filter {
    /// Deployments with this status.
    pub fn status(status: DeploymentStatus) -> Self {
        Self::of_status("eq", status)
    }

    /// Deployments with any other status.
    pub fn not_status(status: DeploymentStatus) -> Self {
        Self::of_status("neq", status)
    }

    /// Queries have the status in lower case without the prefix `Status.`, unlike responses.
    fn of_status(operator: &'static str, status: DeploymentStatus) -> Self {
        let text = status.as_str();
        let bare = text.rsplit_once('.').map_or(text, |(_, bare)| bare);
        Self::checked("status", "status", operator, bare.to_lowercase().into())
    }

    /// Filters by application name.
    pub fn application(name: impl Into<Match>) -> Self {
        Self::compared("application", "application", name.into())
    }

    /// Filters by name of the application version.
    pub fn version(name: impl Into<Match>) -> Self {
        Self::compared("version", "version", name.into())
    }

    /// Filters by tag.
    pub fn tag(tag: impl Into<Match>) -> Self {
        Self::compared("tags", "tag", tag.into())
    }

    /// Filters by id of the deployment.
    pub fn request_id(id: impl Into<Match>) -> Self {
        Self::compared("request_id", "request id", id.into())
    }

    /// Filters by name of the private fleet.
    pub fn fleet(name: impl Into<Match>) -> Self {
        Self::compared("fleet_name", "fleet name", name.into())
    }

    /// Filters by a pattern for the name of the private fleet.
    ///
    /// `%` matches any text; case is ignored.
    pub fn fleet_like(pattern: impl Into<String>) -> Self {
        let pattern: String = pattern.into();
        Self::checked("fleet_name", "fleet name", "ilike", pattern.into())
    }

    /// Filters by name of the host in a private fleet.
    pub fn host(name: impl Into<Match>) -> Self {
        Self::compared("host_name", "host name", name.into())
    }

    /// Filters by a pattern for the name of the host.
    ///
    /// `%` matches any text; case is ignored.
    pub fn host_like(pattern: impl Into<String>) -> Self {
        let pattern: String = pattern.into();
        Self::checked("host_name", "host name", "ilike", pattern.into())
    }

    /// Deployments created at or after this time, in whole seconds by the platform's clock.
    pub fn created_since(since: SystemTime) -> Self {
        Self::created("gte", since)
    }

    /// Deployments created at or before this time, in whole seconds by the platform's clock.
    pub fn created_until(until: SystemTime) -> Self {
        Self::created("lte", until)
    }

    /// Deployments created in this second, by the platform's clock.
    pub fn created_at(at: SystemTime) -> Self {
        Self::created("eq", at)
    }

    fn compared(field: &'static str, property: &str, comparison: Match) -> Self {
        let (operator, value) = match comparison {
            Match::Is(text) => ("eq", text.into()),
            Match::IsNot(text) => ("neq", text.into()),
            Match::AnyOf(texts) => ("in", texts.into()),
            Match::NoneOf(texts) => ("nin", texts.into()),
        };
        Self::checked(field, property, operator, value)
    }

    fn checked(field: &'static str, property: &str, operator: &'static str, value: Value) -> Self {
        let values = value
            .as_array()
            .map_or(slice::from_ref(&value), Vec::as_slice);
        let is_blank = |text: &Value| text.as_str().is_some_and(|text| text.trim().is_empty());
        let value = if values.is_empty() {
            Err(format!(
                "the filter has an empty list of values for the {property}"
            ))
        } else if values.iter().any(is_blank) {
            Err(format!("the {property} is empty"))
        } else {
            Ok(value)
        };
        Self {
            field,
            operator,
            value,
        }
    }

    fn created(operator: &'static str, at: SystemTime) -> Self {
        let value = rfc3339_seconds(at).map(Value::from);
        Self {
            field: "created_at",
            operator,
            value: value.ok_or_else(|| "the time is after the year 9999".to_owned()),
        }
    }

    pub(super) fn to_json(&self) -> Result<Value, String> {
        let value = self.value.clone()?;
        Ok(json!({ "field": self.field, "operator": self.operator, "value": value }))
    }
}

impl Order {
    /// Property and direction in the query.
    pub(super) fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::NewestFirst => ("created_at", "desc"),
            Self::OldestFirst => ("created_at", "asc"),
            Self::MostFreeSockets => ("available_session_sockets", "desc"),
            Self::FewestFreeSockets => ("available_session_sockets", "asc"),
        }
    }

    pub(super) fn to_json(self) -> Value {
        let (field, order) = self.parts();
        json!({ "field": field, "order": order })
    }
}

impl Match {
    /// Equal to one of these values.
    ///
    /// Calls reject an empty list.
    pub fn any_of(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self::AnyOf(owned(texts))
    }

    /// Different from all of these values.
    ///
    /// Calls reject an empty list.
    pub fn none_of(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self::NoneOf(owned(texts))
    }

    /// Different from this value.
    pub fn is_not(text: impl AsRef<str>) -> Self {
        Self::IsNot(text.as_ref().to_owned())
    }
}

fn owned(texts: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<String> {
    let texts = texts.into_iter();
    texts.map(|text| text.as_ref().to_owned()).collect()
}

impl<T: AsRef<str>> From<T> for Match {
    /// Equal to this string, name or id.
    fn from(text: T) -> Self {
        Self::Is(text.as_ref().to_owned())
    }
}
