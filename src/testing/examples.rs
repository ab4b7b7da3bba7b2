//! What the specs say about replies: the table that the build wrote for this feature.

use crate::error::{Error, Result};
use crate::operation::{OPERATIONS, Operation, TimeClass};
use std::fmt;

/// What is known of an operation's replies, and of the names in its query.
pub(crate) struct Known {
    pub api: &'static str,
    pub operation: &'static str,
    pub query: &'static [&'static str],
    /// Fields of replies that hold a secret, at any depth; `.*` for the values of a map.
    pub secrets: &'static [(&'static str, Hidden)],
    /// In the order of the spec.
    pub replies: &'static [Example],
}

/// How much of a field is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// All of it.
    Whole,
    /// Of an address, who logs in and what stands in the query.
    Url,
}

/// A reply as the spec shows it. Without a media type, the status alone is known.
pub(crate) struct Example {
    pub status: u16,
    /// Empty if it is the only one.
    pub name: &'static str,
    pub media: Option<&'static str>,
    pub body: &'static str,
}

static KNOWN: &[Known] = include!(concat!(env!("OUT_DIR"), "/examples.rs"));

/// Which example of an operation is meant: `"seeking"` by its name, `422` by its status.
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

impl From<String> for Which {
    fn from(name: String) -> Self {
        Self::Named(name)
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

/// What is known of an operation.
pub(crate) fn known(operation: &Operation) -> Option<&'static Known> {
    KNOWN
        .iter()
        .find(|known| known.api == operation.api && known.operation == operation.id)
}

/// The fields of an operation's replies that hold a secret.
pub(crate) fn secrets(operation: Option<&Operation>) -> &'static [(&'static str, Hidden)] {
    operation.and_then(known).map_or(&[], |known| known.secrets)
}

/// The example of a success that comes first in the spec; for a stream, the first one that is a
/// stream.
pub(crate) fn success(operation: &Operation) -> Option<&'static Example> {
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

/// The example that is asked for.
///
/// # Errors
/// When there is none, with what there is.
pub(crate) fn pick(operation: &Operation, which: &Which) -> Result<&'static Example> {
    let replies = known(operation).map_or(&[][..], |known| known.replies);
    let found = match which {
        Which::Named(name) => replies.iter().find(|example| example.name == name),
        Which::Status(status) => replies.iter().find(|example| example.status == *status),
    };
    found.ok_or_else(|| {
        Error::configuration(format!(
            "the spec has no example {which} for {operation}; it has {}",
            there_is(replies)
        ))
    })
}

/// The examples that are meant, one for each platform that has it.
///
/// # Errors
/// When there is none, with what there is.
pub(crate) fn pick_by_name(
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

/// `200 (ready, seeking, failed), 404`
fn there_is(replies: &[Example]) -> String {
    let mut statuses: Vec<(u16, Vec<&str>)> = Vec::new();
    for example in replies {
        match statuses.last_mut().filter(|(of, _)| *of == example.status) {
            Some((_, names)) => names.push(example.name),
            None => statuses.push((example.status, vec![example.name])),
        }
    }
    let texts: Vec<_> = statuses
        .into_iter()
        .map(|(status, mut names)| {
            names.retain(|name| !name.is_empty());
            match names.is_empty() {
                true => status.to_string(),
                false => format!("{status} ({})", names.join(", ")),
            }
        })
        .collect();
    match texts.is_empty() {
        true => "none".to_owned(),
        false => texts.join(", "),
    }
}

/// The operations that a test means: `create_deployment`, or `edgegap create_deployment` where
/// several platforms have one of that name.
///
/// # Errors
/// When there is none, with the one that is called nearly so.
pub(crate) fn meant(name: &str) -> Result<Vec<&'static Operation>> {
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
        "there is no operation {name:?} here: {advice}"
    )))
}

/// In how many places two texts differ: by Levenshtein.
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
    fn distances() {
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
