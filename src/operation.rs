//! What is known about each operation, as the build script read it from the specs.
//!
//! ```
//! for operation in deploykit::operation::OPERATIONS {
//!     println!("{operation}: {}", operation.wrapper);
//! }
//! ```

use std::fmt;

/// Every operation of every enabled platform, in the order of the specs.
pub static OPERATIONS: &[Operation] = include!(concat!(env!("OUT_DIR"), "/operations.rs"));

/// One operation of a platform's API.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// The platform: `nexlayer`, `dployr`, `nodion` or `edgegap`.
    pub api: &'static str,
    /// The id in the spec, unique within the platform: `create_deployment`.
    pub id: &'static str,
    /// The HTTP method: `POST`.
    pub method: &'static str,
    /// The path with its parameters: `/v1/applications/{application_id}/deployments`.
    pub path: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Whether the platform's own page describes it.
    pub documented: bool,
    /// What the shape of the reply rests on.
    pub evidence: Evidence,
    /// The page or `repository:file` that it was taken from.
    pub source: &'static str,
    /// The method of this crate that calls it.
    pub wrapper: &'static str,
    /// The media type of its request body, if every request has one.
    pub content_type: Option<&'static str>,
    /// What a careful caller needs to know.
    pub behaviour: Behaviour,
}

/// How an operation behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Behaviour {
    /// Whether the same request may be sent again without a second effect.
    pub idempotent: bool,
    /// Why it may or may not.
    pub why: &'static str,
    /// Whether it starts something that costs money, or uses up a quota: what a limit on
    /// spending counts.
    pub spends: bool,
    /// The failure statuses after which something was done all the same.
    pub applied_on: &'static [u16],
    /// The failure statuses that another try would not change, though they look passing: a platform
    /// answers with them where others say 4xx.
    pub final_on: &'static [u16],
    /// The rate that the platform allows, if one is known.
    pub pace: Option<Pace>,
    /// How long it takes.
    pub time: TimeClass,
    /// Where secrets stand in the request: `query.sessionToken`, `body.password`.
    pub secrets: &'static [&'static str],
    /// What it changes on the server; `None` for a plain read.
    pub side_effects: Option<&'static str>,
}

/// A rate that a platform allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// Operations that share a bucket share the rate.
    pub bucket: &'static str,
    /// How many calls.
    pub count: u32,
    /// In how many seconds.
    pub seconds: u32,
}

/// What a reply's shape rests on, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Evidence {
    /// Seen from a running server.
    Observed,
    /// Stated by the platform's own page.
    Documented,
    /// Read in the platform's or a client's code.
    Source,
    /// Concluded from the rest of the API.
    Inferred,
}

/// How long an operation takes, which decides its time limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeClass {
    /// Answers at once.
    Unary,
    /// Works before it answers.
    Slow,
    /// Answers without end.
    Stream,
}

impl Operation {
    /// Whether it only reads and changes nothing.
    pub fn is_read_only(&self) -> bool {
        matches!(self.method, "GET" | "HEAD") && self.behaviour.side_effects.is_none()
    }
}

impl fmt::Display for Operation {
    /// `edgegap create_deployment (POST /v2/deployments)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} ({} {})",
            self.api, self.id, self.method, self.path
        )
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Observed => "observed",
            Self::Documented => "documented",
            Self::Source => "source",
            Self::Inferred => "inferred",
        })
    }
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} per {} s", self.bucket, self.count, self.seconds)
    }
}

/// The operation of this platform with this id.
pub(crate) fn find(api: &str, id: &str) -> Option<&'static Operation> {
    OPERATIONS
        .iter()
        .find(|operation| operation.api == api && operation.id == id)
}
