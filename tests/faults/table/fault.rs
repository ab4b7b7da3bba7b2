//! A row of the table: a fault, and the outcome of each kind of operation.

use super::expected::{Expected, TWO_BACKOFFS, fails};
use super::operations::Kind;
use crate::http2::Answer;
pub use crate::support::head;
use crate::support::{Script, Step};
use deploykit::ErrorKind::{self, Timeout};
use std::time::Duration;

/// A GET that only reads.
pub const READS: &[Kind] = &[Kind::List, Kind::Follow];
pub const LIST: &[Kind] = &[Kind::List];
pub const FOLLOW: &[Kind] = &[Kind::Follow];
/// An idempotent change, which is retried.
pub const DELETE: &[Kind] = &[Kind::Delete];
/// Changes that are not retried once the request may have taken effect.
pub const CHANGES: &[Kind] = &[
    Kind::Update,
    Kind::Deploy,
    Kind::Redeploy,
    Kind::Start,
    Kind::Unreserve,
    Kind::Login,
];
/// The changes with the normal timeout.
pub const QUICK_CHANGES: &[Kind] = &[
    Kind::Update,
    Kind::Deploy,
    Kind::Redeploy,
    Kind::Unreserve,
    Kind::Login,
];
/// A change with the long timeout of slow operations.
pub const START: &[Kind] = &[Kind::Start];
/// Changes whose body can be large.
pub const LARGE: &[Kind] = &[Kind::Update, Kind::Deploy, Kind::Start, Kind::Login];

/// Each kind once.
pub const EVERY: &[&[Kind]] = &[READS, DELETE, CHANGES];

/// Where the fault occurs.
pub enum Place {
    /// A server with this script. The script may depend on the setting.
    Server(Box<dyn Fn(&Setting<'_>) -> Script + Send + Sync>),
    /// A server with this script, and an https URL.
    ServerByTls(Script),
    /// An HTTP/2 server with TLS that gives these answers.
    Http2(Vec<Answer>),
    /// An address that refuses connections.
    Refusing,
    /// An address that refuses the first connection.
    RefusingAtFirst,
    /// A host that does not respond.
    Unresponsive,
    /// A host name that does not resolve.
    Unresolvable,
}

/// The values that a script may depend on.
pub struct Setting<'a> {
    pub kind: Kind,
    /// URL of a second server, which must not receive a request.
    pub elsewhere: &'a str,
}

pub struct Fault {
    pub name: String,
    pub place: Place,
    /// Whether the request has a large body.
    pub large: bool,
    pub cells: Vec<(Kind, Expected)>,
}

/// A server that performs these steps on every connection.
pub fn fault(
    name: impl Into<String>,
    steps: impl Fn(&Setting<'_>) -> Vec<Step> + Send + Sync + 'static,
) -> Fault {
    script(name, move |setting| Script::always(steps(setting)))
}

/// A server without TLS behind an https URL.
pub fn by_tls(name: &str, steps: &[Step]) -> Fault {
    Fault::at(name, Place::ServerByTls(Script::always(steps.to_vec())))
}

/// A server with a script per connection.
pub fn script(
    name: impl Into<String>,
    script: impl Fn(&Setting<'_>) -> Script + Send + Sync + 'static,
) -> Fault {
    Fault::at(name, Place::Server(Box::new(script)))
}

impl Fault {
    pub fn at(name: impl Into<String>, place: Place) -> Self {
        Self {
            name: name.into(),
            place,
            large: false,
            cells: Vec::new(),
        }
    }

    /// Sends 3 MiB in the request.
    pub fn with_a_large_request(mut self) -> Self {
        self.large = true;
        self
    }

    /// Expects this outcome for these kinds of operation.
    pub fn cell(mut self, kinds: &[Kind], expected: Expected) -> Self {
        let cells = kinds.iter().map(|kind| (*kind, expected.clone()));
        self.cells.extend(cells);
        self
    }

    /// A transient failure with unknown effect: idempotent operations are sent three times, others once.
    pub fn transient(self, kind: ErrorKind) -> Self {
        let thrice = || fails(kind).attempts(3).takes(TWO_BACKOFFS);
        self.cell(READS, thrice())
            .cell(DELETE, thrice().unknown())
            .cell(CHANGES, fails(kind).unknown())
    }

    /// A timeout of each attempt. The third attempt ends at the deadline of the call.
    pub fn too_slow(self, reads: &[Kind]) -> Self {
        self.cell(reads, fails(Timeout).attempts(3).after(90))
            .cell(DELETE, fails(Timeout).unknown().attempts(3).after(90))
            .cell(QUICK_CHANGES, fails(Timeout).unknown().after(30))
            .cell(START, fails(Timeout).unknown().after(120))
    }

    /// A permanent failure with unknown effect.
    pub fn permanent(self, kind: ErrorKind) -> Self {
        self.cell(READS, fails(kind))
            .cell(DELETE, fails(kind).unknown())
            .cell(CHANGES, fails(kind).unknown())
    }

    /// All attempts use one connection.
    pub fn on_one_connection(mut self) -> Self {
        for (_, expected) in &mut self.cells {
            expected.connections = 1;
        }
        self
    }

    /// Expects this outcome for every kind of operation.
    pub fn everywhere(self, expected: Expected) -> Self {
        let each = |fault: Self, kinds: &&[Kind]| fault.cell(kinds, expected.clone());
        EVERY.iter().fold(self, each)
    }
}

/// Reads a request, then sends a reply with this status, headers and body.
pub fn reply(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<Step> {
    vec![
        Step::ReadAll,
        Step::Send(crate::support::reply(status, headers, body)),
    ]
}

/// A successful reply.
pub fn success(setting: &Setting<'_>) -> Vec<Step> {
    let kind = setting.kind;
    reply(kind.status(), &[kind.media()], kind.body())
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
