//! The list's `query` parameter: filters and order, as JSON.
//!
//! The document only says that it is a string. The grammar is from edgegap/edgegap-mcp:src/tools.ts;
//! betidestudio/EdgegapIntegrationKit (EGIK_ListAllDeployments.h) uses the same. Filters for fields of
//! sessions are not modelled.

use std::time::Duration;

use serde_json::{Map, Value};

use super::FLEET;
use super::deployments::{Deployment, Status};
use crate::time::parse_utc;

const FIELDS: [&str; 8] = [
    "status",
    "request_id",
    "tags",
    "created_at",
    "application",
    "version",
    "fleet_name",
    "host_name",
];

/// Filters and order of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    filters: Vec<Filter>,
    pub(super) oldest_first: bool,
}

#[derive(Clone, Debug)]
struct Filter {
    field: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Like(String),
    From(Duration),
    Until(Duration),
    At(Duration),
}

impl Query {
    /// Parses the parameter; the error describes the first problem.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|_| "query is not JSON")?;
        let Value::Object(query) = value else {
            return Err("query is not an object".to_owned());
        };
        let mut filters: Vec<Filter> = Vec::new();
        for item in items(&query, "filters")? {
            let filter = Filter::read(item)?;
            if filters.iter().any(|other| other.field == filter.field) {
                return Err(format!("more than one filter for {}", filter.field));
            }
            filters.push(filter);
        }
        let mut oldest_first = false;
        for item in items(&query, "order_by")? {
            let text = |key: &str| item.get(key).and_then(Value::as_str);
            oldest_first = match (text("field"), text("order")) {
                (Some("created_at"), Some("asc")) => true,
                (Some("created_at"), Some("desc")) => false,
                _ => return Err("order_by is not known".to_owned()),
            };
        }
        Ok(Self {
            filters,
            oldest_first,
        })
    }

    /// Whether the deployment matches all filters.
    pub(super) fn matches(&self, deployment: &Deployment, status: Status) -> bool {
        self.filters
            .iter()
            .all(|filter| filter.matches(deployment, status))
    }
}

impl Filter {
    fn read(item: &Value) -> Result<Self, String> {
        let text = |key: &str| item.get(key).and_then(Value::as_str);
        let field = text("field").filter(|field| FIELDS.contains(field));
        let field = field.ok_or("a filter for a field that is not known")?;
        let value = item.get("value").unwrap_or(&Value::Null);
        let wrong = || format!("the filter for {field} is not valid");
        let test = match (text("operator"), field) {
            (Some(operator), "created_at") => {
                let at = value.as_str().and_then(parse_utc).ok_or_else(wrong)?;
                match operator {
                    "eq" => Test::At(at),
                    "gte" => Test::From(at),
                    "lte" => Test::Until(at),
                    _ => return Err(wrong()),
                }
            }
            (Some("eq"), _) => Test::In(vec![value.as_str().ok_or_else(wrong)?.to_owned()]),
            (Some("neq"), _) => Test::NotIn(vec![value.as_str().ok_or_else(wrong)?.to_owned()]),
            (Some("ilike"), "fleet_name" | "host_name") => {
                Test::Like(value.as_str().ok_or_else(wrong)?.to_lowercase())
            }
            // A status accepts a single value only.
            (Some("in"), field) if field != "status" => Test::In(texts(value).ok_or_else(wrong)?),
            (Some("nin"), field) if field != "status" => {
                Test::NotIn(texts(value).ok_or_else(wrong)?)
            }
            _ => return Err(wrong()),
        };
        Ok(Self {
            field: field.to_owned(),
            test,
        })
    }

    fn matches(&self, deployment: &Deployment, status: Status) -> bool {
        // Filters use the status in lower case and without the prefix: `ready`.
        let status = status.as_str().trim_start_matches("Status.").to_lowercase();
        let has = |wanted: &String| match self.field.as_str() {
            "status" => *wanted == status,
            "request_id" => *wanted == deployment.id,
            "application" => *wanted == deployment.application,
            "version" => *wanted == deployment.version,
            "fleet_name" => deployment.host.is_some() && wanted == FLEET,
            "host_name" => deployment.host.as_ref() == Some(wanted),
            _ => deployment.tags.iter().any(|tag| tag.name == *wanted),
        };
        match &self.test {
            Test::In(wanted) => wanted.iter().any(has),
            Test::NotIn(unwanted) => !unwanted.iter().any(has),
            Test::Like(pattern) => {
                let name = match self.field.as_str() {
                    "fleet_name" => deployment.host.as_ref().map(|_| FLEET),
                    _ => deployment.host.as_deref(),
                };
                name.is_some_and(|name| is_like(&name.to_lowercase(), pattern))
            }
            Test::From(at) => deployment.created_at >= *at,
            Test::Until(at) => deployment.created_at <= *at,
            Test::At(at) => deployment.created_at == *at,
        }
    }
}

/// Matches a pattern of SQL `LIKE`, with `%` only. Takes the first occurrence of each part, to run in linear
/// time.
fn is_like(text: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('%') else {
        return text == pattern;
    };
    let Some(mut left) = text.strip_prefix(start) else {
        return false;
    };
    let (middle, end) = rest.rsplit_once('%').unwrap_or(("", rest));
    for part in middle.split('%') {
        let Some((_, after)) = left.split_once(part) else {
            return false;
        };
        left = after;
    }
    left.ends_with(end)
}

fn items<'a>(query: &'a Map<String, Value>, key: &str) -> Result<&'a [Value], String> {
    match query.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(format!("{key} is not a list")),
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    let texts = value.as_array()?.iter();
    texts.map(|text| Some(text.as_str()?.to_owned())).collect()
}
