//! A row of the table: what goes wrong, and how each kind of operation comes out of it.

use super::expected::{Expected, TWO_BACK_OFFS, fails};
use super::operations::Kind;
pub use crate::support::head;
use crate::support::{Script, Step};
use deploykit::ErrorKind::{self, Timeout};
use std::time::Duration;

/// A GET that only reads.
pub const READS: &[Kind] = &[Kind::List, Kind::Follow];
pub const LIST: &[Kind] = &[Kind::List];
pub const FOLLOW: &[Kind] = &[Kind::Follow];
/// Not a read, and marked as repeatable.
pub const DELETE: &[Kind] = &[Kind::Delete];
/// What must not be sent twice if the first may have been processed.
pub const CHANGES: &[Kind] = &[
    Kind::Update,
    Kind::Deploy,
    Kind::Redeploy,
    Kind::Start,
    Kind::Unreserve,
    Kind::Login,
];
/// Those of them that answer at once,
pub const QUICK_CHANGES: &[Kind] = &[
    Kind::Update,
    Kind::Deploy,
    Kind::Redeploy,
    Kind::Unreserve,
    Kind::Login,
];
/// and the one that works before.
pub const START: &[Kind] = &[Kind::Start];
/// Those with a body that can be large.
pub const LARGE: &[Kind] = &[Kind::Update, Kind::Deploy, Kind::Start, Kind::Login];

/// Each kind once.
pub const EVERY: &[&[Kind]] = &[READS, DELETE, CHANGES];

/// Where the trouble is.
pub enum Place {
    /// A server that follows this script, which may depend on the operation and on where another
    /// server is.
    Server(Box<dyn Fn(&Setting<'_>) -> Script + Send + Sync>),
    /// A server that follows this script, and a client that wants to speak TLS with it.
    ServerByTls(Script),
    /// An address at which nobody listens.
    Refusing,
    /// The same, but only for the first attempt.
    RefusingAtFirst,
    /// A host that does not answer.
    Deaf,
    /// A name that does not exist.
    Nowhere,
}

/// What a script may depend on.
pub struct Setting<'a> {
    pub kind: Kind,
    /// The URL of a second server, which nothing must reach.
    pub elsewhere: &'a str,
}

pub struct Fault {
    pub name: String,
    pub place: Place,
    /// Whether the request is to have a large body.
    pub large: bool,
    pub cells: Vec<(Kind, Expected)>,
}

/// A fault of a server that does this with every connection.
pub fn fault(
    name: impl Into<String>,
    steps: impl Fn(&Setting<'_>) -> Vec<Step> + Send + Sync + 'static,
) -> Fault {
    script(name, move |setting| Script::always(steps(setting)))
}

/// A fault of a server from which a client expects TLS.
pub fn by_tls(name: &str, steps: &[Step]) -> Fault {
    Fault::at(name, Place::ServerByTls(Script::always(steps.to_vec())))
}

/// A fault of a server that treats its connections differently.
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

    /// With 3 MiB in the request.
    pub fn with_a_large_request(mut self) -> Self {
        self.large = true;
        self
    }

    pub fn cell(mut self, kinds: &[Kind], expected: Expected) -> Self {
        let cells = kinds.iter().map(|kind| (*kind, expected.clone()));
        self.cells.extend(cells);
        self
    }

    /// A failure that may be gone a moment later, and after which nobody can tell what was done:
    /// what only reads and what is marked is sent three times, and everything else once.
    pub fn passing(self, kind: ErrorKind) -> Self {
        let thrice = || fails(kind).tries(3).takes(TWO_BACK_OFFS);
        self.cell(READS, thrice())
            .cell(DELETE, thrice().unknown())
            .cell(CHANGES, fails(kind).unknown())
    }

    /// An attempt that takes too long. The third attempt ends with the whole call.
    pub fn too_slow(self, reads: &[Kind]) -> Self {
        self.cell(reads, fails(Timeout).tries(3).after(90))
            .cell(DELETE, fails(Timeout).unknown().tries(3).after(90))
            .cell(QUICK_CHANGES, fails(Timeout).unknown().after(30))
            .cell(START, fails(Timeout).unknown().after(120))
    }

    /// An answer that another try would not change, and that says nothing about what was done.
    pub fn final_and_unclear(self, kind: ErrorKind) -> Self {
        self.cell(READS, fails(kind))
            .cell(DELETE, fails(kind).unknown())
            .cell(CHANGES, fails(kind).unknown())
    }

    pub fn everywhere(self, expected: Expected) -> Self {
        let each = |fault: Self, kinds: &&[Kind]| fault.cell(kinds, expected.clone());
        EVERY.iter().fold(self, each)
    }
}

/// A reply to a request that was read whole: the status line's end, headers, body.
pub fn reply(status: &str, headers: &[&str], body: impl AsRef<[u8]>) -> Vec<Step> {
    vec![
        Step::ReadAll,
        Step::Send(crate::support::reply(status, headers, body)),
    ]
}

/// The reply that the operation hopes for.
pub fn success(setting: &Setting<'_>) -> Vec<Step> {
    let kind = setting.kind;
    reply(kind.status(), &[kind.media()], kind.body())
}

pub fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
