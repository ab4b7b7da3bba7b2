//! Example responses, generated from the specs.

use crate::error::{Error, Result};
use crate::operation::{OPERATIONS, Operation, TimeClass};
use std::fmt;

/// The query parameters and example responses of an operation.
pub(super) struct OperationExamples {
    api: &'static str,
    operation: &'static str,
    pub query: &'static [&'static str],
    /// For each parameter in the path, the id in the example of the create of its kind of resource. Empty if
    /// no operation creates this kind.
    pub ids: &'static [&'static str],
    /// Example responses, in the order of the spec.
    pub replies: &'static [Example],
}

/// An example response of the spec. Without a media type, the spec has only the status.
pub(super) struct Example {
    pub status: u16,
    /// Empty if it is the only example of its status.
    name: &'static str,
    pub media: Option<&'static str>,
    pub body: &'static str,
    /// The id in `item`, or in the body if `item` is empty. Empty without an id.
    pub id: &'static str,
    /// A list of resources that can be created, in the body.
    pub list: &'static str,
    /// One of the items of `list`.
    pub item: &'static str,
    /// The id that the example of the create returns, if this is its reply or a list of such resources.
    pub created: &'static str,
}

static EXAMPLES: &[OperationExamples] = include!(concat!(env!("OUT_DIR"), "/examples.rs"));

/// Selects an example of an operation by name (`"seeking"`) or status (`422`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExampleSelector {
    /// The example with this name.
    Named(String),
    /// The first example with this status.
    Status(u16),
}

impl From<&str> for ExampleSelector {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl From<u16> for ExampleSelector {
    fn from(status: u16) -> Self {
        Self::Status(status)
    }
}

impl fmt::Display for ExampleSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "named {name:?}"),
            Self::Status(status) => write!(f, "with status {status}"),
        }
    }
}

pub(super) fn of_operation(operation: &Operation) -> Option<&'static OperationExamples> {
    EXAMPLES
        .iter()
        .find(|known| known.api == operation.api && known.operation == operation.id)
}

/// The first successful example in the spec; for a stream operation, the first streamed one.
pub(super) fn success(operation: &Operation) -> Option<&'static Example> {
    let replies = of_operation(operation)?.replies.iter();
    let mut successes = replies.filter(|example| (200..300).contains(&example.status));
    let is_stream = |example: &&Example| example.media != Some("application/json");
    if operation.behaviour.time == TimeClass::Stream
        && let Some(stream) = successes.clone().find(is_stream)
    {
        return Some(stream);
    }
    successes.next()
}

/// Looks up an example by the name of its operation: `get_deployment`, or `edgegap get_deployment` for
/// one platform.
///
/// # Errors
/// If there is no such operation or example, or if several platforms have one.
pub(super) fn find(name: &str, selector: &ExampleSelector) -> Result<&'static Example> {
    let operations = operations(name)?;
    let replies = |operation| of_operation(operation).map_or(&[][..], |known| known.replies);
    let fits = |example: &&Example| match selector {
        ExampleSelector::Named(name) => example.name == name,
        ExampleSelector::Status(status) => example.status == *status,
    };
    let found = operations.iter().filter_map(|operation| {
        let example = replies(operation).iter().find(fits)?;
        Some((operation, example))
    });
    match found.collect::<Vec<_>>().as_slice() {
        [(_, example)] => Ok(example),
        [] => {
            let existing = operations.iter().flat_map(|operation| replies(operation));
            let existing = existing.map(|example| match example.name {
                "" => example.status.to_string(),
                name => format!("{name} ({})", example.status),
            });
            let existing = existing.collect::<Vec<_>>().join(", ");
            Err(Error::configuration(format!(
                "there is no example {selector} for {name}; existing examples: {existing}"
            )))
        }
        several => Err(Error::configuration(format!(
            "several platforms have this example: use {}",
            names(several.iter().map(|(of, _)| **of))
        ))),
    }
}

/// Looks up operations by name: `create_deployment`, or `edgegap create_deployment` for one platform.
///
/// # Errors
/// If no operation has this name.
pub(super) fn operations(name: &str) -> Result<Vec<&'static Operation>> {
    let (api, id) = match name.split_once(' ') {
        Some((api, id)) => (Some(api), id),
        None => (None, name),
    };
    let is_possible = |known: &&Operation| api.is_none_or(|api| api == known.api);
    let possible = || OPERATIONS.iter().filter(is_possible);
    let found: Vec<_> = possible().filter(|known| known.id == id).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    if possible().next().is_none() {
        let mut platforms: Vec<_> = OPERATIONS.iter().map(|known| known.api).collect();
        platforms.dedup();
        let message = format!("{name:?} names no platform; the platforms are {platforms:?}");
        return Err(Error::configuration(message));
    }
    let most = possible().map(|known| similarity(known.id, id)).max();
    let similar = possible().filter(|known| Some(similarity(known.id, id)) == most);
    Err(Error::configuration(format!(
        "there is no operation {name:?}; similar: {}; deploykit::operation::OPERATIONS lists all of them",
        names(similar)
    )))
}

/// The number of equal bytes at the start and at the end of two names, less the difference in length.
fn similarity(a: &str, b: &str) -> usize {
    let is_equal = |(a, b): &(u8, u8)| a == b;
    let start = a.bytes().zip(b.bytes()).take_while(is_equal).count();
    let ends = a.bytes().rev().zip(b.bytes().rev());
    (start + ends.take_while(is_equal).count()).saturating_sub(a.len().abs_diff(b.len()))
}

/// The operations with their platforms, as in `reply("edgegap get_deployment", …)`.
fn names(operations: impl Iterator<Item = &'static Operation>) -> String {
    let names = operations.map(|operation| format!("`{} {}`", operation.api, operation.id));
    names.collect::<Vec<_>>().join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_successful_example() {
        for operation in OPERATIONS {
            assert!(success(operation).is_some(), "{operation}");
        }
    }

    #[test]
    fn every_operation_on_a_created_resource_has_an_example_for_an_unknown_id() {
        for operation in OPERATIONS {
            let examples = of_operation(operation).unwrap();
            assert_eq!(examples.ids.len(), operation.path.matches('{').count());
            let is_checked = examples.ids.iter().any(|created| !created.is_empty());
            let has_404 = examples.replies.iter().any(|example| example.status == 404);
            assert!(!is_checked || has_404, "{operation}");
        }
    }
}
