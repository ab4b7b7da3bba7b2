//! Examples of replies: the table that the build makes from the specs.

use crate::error::{Error, Result};
use crate::operation::{OPERATIONS, Operation, TimeClass};
use std::fmt;

/// The query parameters and example replies of an operation.
pub(super) struct Known {
    api: &'static str,
    operation: &'static str,
    pub query: &'static [&'static str],
    /// In the order of the spec.
    replies: &'static [Example],
}

/// A reply as the spec shows it. Without a media type, only the status is known.
pub(super) struct Example {
    pub status: u16,
    /// Empty if it is the only one.
    name: &'static str,
    pub media: Option<&'static str>,
    pub body: &'static str,
}

static KNOWN: &[Known] = include!(concat!(env!("OUT_DIR"), "/examples.rs"));

/// Selects an example of an operation: by its name (`"seeking"`) or by its status (`422`).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Which {
    /// The example of this name in the spec.
    Named(String),
    /// The first one of this status.
    Status(u16),
}

impl From<&str> for Which {
    fn from(name: &str) -> Self {
        Self::Named(name.to_owned())
    }
}

impl From<u16> for Which {
    fn from(status: u16) -> Self {
        Self::Status(status)
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => write!(f, "called {name:?}"),
            Self::Status(status) => write!(f, "with status {status}"),
        }
    }
}

pub(super) fn known(operation: &Operation) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| known.api == operation.api && known.operation == operation.id)
}

/// The first example of a success in the spec; for a stream, the first one that is a stream.
pub(super) fn success(operation: &Operation) -> Option<&'static Example> {
    let replies = known(operation)?.replies.iter();
    let mut successes = replies.filter(|example| (200..300).contains(&example.status));
    let is_stream = |example: &&Example| example.media != Some("application/json");
    if operation.behaviour.time == TimeClass::Stream
        && let Some(stream) = successes.clone().find(is_stream)
    {
        return Some(stream);
    }
    successes.next()
}

/// Looks up an example of an operation.
///
/// # Errors
/// When it does not exist; the error lists the existing ones.
pub(super) fn pick(operation: &Operation, which: &Which) -> Result<&'static Example> {
    let replies = known(operation).map_or(&[][..], |known| known.replies);
    let found = replies.iter().find(|example| match which {
        Which::Named(name) => example.name == name,
        Which::Status(status) => example.status == *status,
    });
    found.ok_or_else(|| {
        let existing = replies.iter().map(|example| match example.name {
            "" => example.status.to_string(),
            name => format!("{name} ({})", example.status),
        });
        let existing: Vec<_> = existing.collect();
        Error::configuration(format!(
            "the spec has no example {which} for {operation}; it has {}",
            existing.join(", ")
        ))
    })
}

/// Looks up an example by the name of its operation, once for each platform that has it.
///
/// # Errors
/// When it does not exist; the error lists the existing ones.
pub(super) fn pick_by_name(
    name: &str,
    which: &Which,
) -> Result<Vec<(&'static Operation, &'static Example)>> {
    let mut found = Vec::new();
    let mut refused = Vec::new();
    for operation in meant(name)? {
        match pick(operation, which) {
            Ok(example) => found.push((operation, example)),
            Err(error) => refused.push(error.to_string()),
        }
    }
    match found.is_empty() {
        true => Err(Error::configuration(refused.join("; "))),
        false => Ok(found),
    }
}

/// Looks up operations by name: `create_deployment`, or `edgegap create_deployment` for one platform.
///
/// # Errors
/// When there is none; the error suggests the nearest name.
pub(super) fn meant(name: &str) -> Result<Vec<&'static Operation>> {
    let (api, id) = match name.split_once(' ') {
        Some((api, id)) => (Some(api), id),
        None => (None, name),
    };
    let of_api = |operation: &&Operation| api.is_none_or(|api| api == operation.api);
    let found: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| operation.id == id)
        .filter(of_api)
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let nearest = OPERATIONS
        .iter()
        .map(|operation| (distance(id, operation.id), operation))
        .min_by_key(|(distance, operation)| (*distance, !of_api(operation)));
    let advice = match nearest {
        Some((distance, near)) if distance * 3 <= id.len().max(near.id.len()) => {
            format!("did you mean `{}` of {}?", near.id, near.api)
        }
        _ => "the ids of all operations are in deploykit::OPERATIONS".to_owned(),
    };
    Err(Error::configuration(format!(
        "there is no operation {name:?}: {advice}"
    )))
}

/// The Levenshtein distance of two texts.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (line, left) in a.chars().enumerate() {
        let mut diagonal = line;
        let mut before = line + 1;
        let mut next = vec![before];
        for (right, above) in b.iter().zip(row.iter().skip(1)) {
            let change = diagonal + usize::from(left != *right);
            diagonal = *above;
            before = change.min(above + 1).min(before + 1);
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (a, b, expected) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("creat_deployment", "create_deployment", 1),
            ("kitten", "sitting", 3),
            ("", "abc", 3),
            ("abc", "", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn every_operation_has_a_success() {
        for operation in OPERATIONS {
            assert!(success(operation).is_some(), "{operation}");
        }
    }
}
