//! What the specs promise: operations by route, examples, and what is wrong with a request or a reply.
//!
//! The sandbox checks itself with it: every request before the platform sees it, every reply before it goes out.

mod accepted;
mod check;
mod example;
mod load;
mod reply;
mod request;
mod route;
mod schema;

use std::fmt;
use std::sync::OnceLock;

use crate::model::Platform;
use crate::short::short;
pub(crate) use check::{Check, Checked};
use load::{Content, Documented};
use request::Parameter;
use route::Segment;

/// What a body of many mistakes may fill is remembered for each request, so it has an end.
const MOST_PROBLEMS: usize = 20;
/// Names of fields are as long as a client makes them.
const MOST_LETTERS: usize = 200;

/// The spec of one platform, read once per process.
#[derive(Debug)]
pub struct Contract {
    operations: Vec<Operation>,
}

impl Contract {
    /// The spec of a platform. The first call for a platform reads it.
    pub fn of(platform: Platform) -> &'static Contract {
        static NEXLAYER: OnceLock<Contract> = OnceLock::new();
        static DPLOYR: OnceLock<Contract> = OnceLock::new();
        static NODION: OnceLock<Contract> = OnceLock::new();
        static EDGEGAP: OnceLock<Contract> = OnceLock::new();
        let (cell, text) = match platform {
            Platform::Nexlayer => (&NEXLAYER, include_str!("../specs/nexlayer.yaml")),
            Platform::Dployr => (&DPLOYR, include_str!("../specs/dployr.yaml")),
            Platform::Nodion => (&NODION, include_str!("../specs/nodion.yaml")),
            Platform::Edgegap => (&EDGEGAP, include_str!("../specs/edgegap.yaml")),
        };
        cell.get_or_init(|| Contract {
            operations: load::operations(text),
        })
    }

    /// All operations, by path and method.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation that a request is for, by its method in upper case and its path as sent, without the query. A
    /// literal segment wins over a parameter.
    pub fn operation(&self, method: &str, path: &str) -> Option<&Operation> {
        route::find(&self.operations, method, path)
    }

    /// Whether each segment of a path as sent may be shown. Where no operation has the path, anything may be a secret that
    /// came to the wrong place: there only words that the spec has in its paths are open.
    pub(crate) fn open_segments(&self, method: &str, path: &str) -> Vec<bool> {
        match self.operation(method, path) {
            Some(operation) => route::open(&operation.segments, &operation.secrets),
            None => route::decoded(path)
                .map(|segment| self.knows_segment(&segment))
                .collect(),
        }
    }

    /// Whether a decoded segment is a word in a path of the spec. So is an empty one.
    pub(crate) fn knows_segment(&self, segment: &str) -> bool {
        let mut segments = self.operations.iter().flat_map(|one| &one.segments);
        segment.is_empty()
            || segments.any(|one| matches!(one, Segment::Literal(word) if word == segment))
    }

    /// The operation of that `operationId`.
    pub fn by_id(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }
}

/// One operation of a spec.
#[derive(Debug)]
pub struct Operation {
    id: String,
    method: String,
    path: String,
    segments: Vec<Segment>,
    documented: bool,
    stream: bool,
    secrets: Vec<String>,
    parameters: Vec<Parameter>,
    /// What the body may be; nothing where the spec has none.
    bodies: Vec<Content>,
    body_required: bool,
    replies: Vec<Documented>,
}

impl Operation {
    /// The `operationId`, unique within its platform.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path with its parameters in braces.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the vendor's own page describes it.
    pub fn documented(&self) -> bool {
        self.documented
    }

    /// Whether it may answer without end.
    pub fn stream(&self) -> bool {
        self.stream
    }

    /// The places of secrets in its request, as `specs/README.md` writes them.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// The statuses that the spec lists, ascending.
    pub fn statuses(&self) -> impl Iterator<Item = u16> {
        self.replies.iter().map(|reply| reply.status)
    }

    /// The first example of a reply with that status: its content type and its body. Nothing where the spec has no
    /// example, or no such status.
    pub fn example(&self, status: u16) -> Option<(&str, Vec<u8>)> {
        let contents = &self.reply(status)?.contents;
        contents.iter().find_map(Content::example)
    }

    /// The first example of the body of a request: its content type and the body. Nothing where the spec has no body.
    pub fn example_body(&self) -> Option<(&str, Vec<u8>)> {
        self.bodies.iter().find_map(Content::example)
    }

    fn reply(&self, status: u16) -> Option<&Documented> {
        self.replies.iter().find(|reply| reply.status == status)
    }
}

/// Where a request or a reply breaks its spec. It never holds a value, which might be a secret. Long texts are cut, and of
/// very many problems the first are told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// `body.users[0].user_type`, `query.page`, `header.content-type`, `status`.
    pub place: String,
    /// The rule that is broken.
    pub what: String,
}

impl Problem {
    pub(crate) fn new(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            place: short(&place.into(), MOST_LETTERS),
            what: short(&what.into(), MOST_LETTERS),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_is_found_by_its_own_path() {
        let mut operations = 0;
        for platform in Platform::ALL {
            let contract = Contract::of(platform);
            for operation in contract.operations() {
                let path = operation.path.replace(['{', '}'], "~");
                let found = contract.operation(&operation.method, &path);
                assert_eq!(found.map(Operation::id), Some(operation.id()), "{path}");
                assert!(operation.statuses().next().is_some(), "{path}");
                operations += 1;
            }
        }
        assert_eq!(operations, 117);
    }

    #[test]
    fn successes_have_examples() {
        for platform in Platform::ALL {
            for operation in Contract::of(platform).operations() {
                let id = operation.id();
                let status = operation.statuses().next().unwrap_or_default();
                if status != 204 {
                    let (content_type, body) = operation.example(status).expect(id);
                    assert!(content_type.contains('/') && !body.is_empty(), "{id}");
                }
            }
        }
    }
}
