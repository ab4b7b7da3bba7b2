//! Which deployments a list has, and in what order.

use super::DeploymentStatus;
use crate::error::{Error, Result};
use crate::time::rfc3339_seconds;
use serde_json::{Value, json};
use std::time::SystemTime;

/// A condition on the deployments of a list; see [`Deployments::filter`](super::Deployments::filter).
///
/// ```no_run
/// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
/// use deploykit::edgegap::{DeploymentStatus, Filter, Match, NameMatch};
/// let failed = edgegap
///     .deployments()
///     .filter(Filter::status(DeploymentStatus::Error))
///     .filter(Filter::version(Match::any_of(["1.4", "1.5"])))
///     .filter(Filter::fleet(NameMatch::like("alpha-%")));
/// println!("{:?}", failed.list().await?.total_items);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    field: &'static str,
    operator: &'static str,
    /// As the platform writes it, or why it cannot be written.
    value: std::result::Result<Value, String>,
}

/// How a text is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Match {
    /// It is this one.
    Is(String),
    /// It is another one.
    IsNot(String),
    /// It is one of these.
    AnyOf(Vec<String>),
    /// It is none of these.
    NoneOf(Vec<String>),
}

/// How the name of a fleet or a host is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameMatch {
    /// As a whole.
    Whole(Match),
    /// By a pattern in which `%` stands for anything, whatever the case.
    Like(String),
}

/// How the deployments of a list are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Order {
    /// Those made last come first.
    NewestFirst,
    /// Those made first come first.
    OldestFirst,
    /// Those with the most free places for sessions come first.
    MostFreeSockets,
    /// Those with the fewest free places for sessions come first.
    FewestFreeSockets,
}

impl Filter {
    /// Those with this status.
    pub fn status(status: DeploymentStatus) -> Self {
        Self::of_status("eq", status)
    }

    /// Those with another status.
    pub fn not_status(status: DeploymentStatus) -> Self {
        Self::of_status("neq", status)
    }

    /// The list knows a status by its bare word in lower case, unlike its own reply.
    fn of_status(operator: &'static str, status: DeploymentStatus) -> Self {
        let text = status.as_str();
        let bare = text.rsplit_once('.').map_or(text, |(_, bare)| bare);
        Self::text("status", "status", operator, bare.to_lowercase())
    }

    /// Those of this application.
    pub fn application(name: impl Into<Match>) -> Self {
        Self::compared("application", "application", name.into())
    }

    /// Those of this version.
    pub fn version(name: impl Into<Match>) -> Self {
        Self::compared("version", "version", name.into())
    }

    /// Those with this tag.
    pub fn tag(tag: impl Into<Match>) -> Self {
        Self::compared("tags", "tag", tag.into())
    }

    /// Those with this id.
    pub fn request_id(id: impl Into<Match>) -> Self {
        Self::compared("request_id", "request id", id.into())
    }

    /// Those on this private fleet.
    pub fn fleet(name: impl Into<NameMatch>) -> Self {
        Self::named("fleet_name", "name of the fleet", name.into())
    }

    /// Those on this host of a private fleet.
    pub fn host(name: impl Into<NameMatch>) -> Self {
        Self::named("host_name", "name of the host", name.into())
    }

    /// Those made at or after this moment of the platform's clock, to the second.
    pub fn created_since(since: SystemTime) -> Self {
        Self::moment("gte", since)
    }

    /// Those made at or before this moment of the platform's clock, to the second.
    pub fn created_until(until: SystemTime) -> Self {
        Self::moment("lte", until)
    }

    /// Those made at this moment of the platform's clock, to the second.
    pub fn created_at(at: SystemTime) -> Self {
        Self::moment("eq", at)
    }

    fn compared(field: &'static str, what: &str, compared: Match) -> Self {
        match compared {
            Match::Is(text) => Self::text(field, what, "eq", text),
            Match::IsNot(text) => Self::text(field, what, "neq", text),
            Match::AnyOf(texts) => Self::texts(field, what, "in", texts),
            Match::NoneOf(texts) => Self::texts(field, what, "nin", texts),
        }
    }

    fn named(field: &'static str, what: &str, compared: NameMatch) -> Self {
        match compared {
            NameMatch::Whole(compared) => Self::compared(field, what, compared),
            NameMatch::Like(pattern) => Self::text(field, what, "ilike", pattern),
        }
    }

    fn text(field: &'static str, what: &str, operator: &'static str, text: String) -> Self {
        let value = match text.trim().is_empty() {
            true => Err(format!("the {what} is empty")),
            false => Ok(text.into()),
        };
        Self {
            field,
            operator,
            value,
        }
    }

    fn texts(field: &'static str, what: &str, operator: &'static str, texts: Vec<String>) -> Self {
        let value = if texts.is_empty() {
            Err(format!("there is no {what} to compare with"))
        } else if texts.iter().any(|text| text.trim().is_empty()) {
            Err(format!("the {what} is empty"))
        } else {
            Ok(texts.into())
        };
        Self {
            field,
            operator,
            value,
        }
    }

    fn moment(operator: &'static str, at: SystemTime) -> Self {
        let value = rfc3339_seconds(at).map(Value::from);
        Self {
            field: "created_at",
            operator,
            value: value.ok_or_else(|| "the time is not one of this calendar".to_owned()),
        }
    }

    /// Whether both are conditions on the same property, of which the platform takes one.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self.field == other.field
    }

    pub(super) fn to_json(&self) -> Result<Value> {
        let value = self.value.as_ref();
        let value = value.map_err(|why| Error::invalid_request(why.clone()))?;
        Ok(json!({ "field": self.field, "operator": self.operator, "value": value }))
    }
}

impl Order {
    fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::NewestFirst => ("created_at", "desc"),
            Self::OldestFirst => ("created_at", "asc"),
            Self::MostFreeSockets => ("available_session_sockets", "desc"),
            Self::FewestFreeSockets => ("available_session_sockets", "asc"),
        }
    }

    pub(super) fn replaces(self, other: Self) -> bool {
        self.parts().0 == other.parts().0
    }

    pub(super) fn to_json(self) -> Value {
        let (field, order) = self.parts();
        json!({ "field": field, "order": order })
    }
}

impl Match {
    /// It is one of these; at least one is needed, which is checked when it is sent.
    pub fn any_of(texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::AnyOf(texts.into_iter().map(Into::into).collect())
    }

    /// It is none of these; at least one is needed, which is checked when it is sent.
    pub fn none_of(texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::NoneOf(texts.into_iter().map(Into::into).collect())
    }

    /// It is another one.
    pub fn is_not(text: impl Into<String>) -> Self {
        Self::IsNot(text.into())
    }
}

impl NameMatch {
    /// By a pattern in which `%` stands for anything, whatever the case.
    pub fn like(pattern: impl Into<String>) -> Self {
        Self::Like(pattern.into())
    }
}

impl From<&str> for Match {
    /// It is this one.
    fn from(text: &str) -> Self {
        Self::Is(text.to_owned())
    }
}

impl From<String> for Match {
    /// It is this one.
    fn from(text: String) -> Self {
        Self::Is(text)
    }
}

impl From<Match> for NameMatch {
    fn from(compared: Match) -> Self {
        Self::Whole(compared)
    }
}

impl From<&str> for NameMatch {
    /// It is this one.
    fn from(text: &str) -> Self {
        Self::Whole(text.into())
    }
}
