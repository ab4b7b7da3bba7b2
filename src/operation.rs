//! Facts about each operation, generated from the specs.
//!
//! ```
//! for operation in deploykit::operation::OPERATIONS {
//!     println!("{operation}: {}", operation.wrapper);
//! }
//! ```

use percent_encoding::percent_decode_str;
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
    /// A short description.
    pub summary: &'static str,
    /// Whether the platform documents it.
    pub documented: bool,
    /// The evidence for the operation and its response schema.
    pub evidence: Evidence,
    /// The page or `repository:file` that describes the operation.
    pub source: &'static str,
    /// The method of this crate that calls it.
    pub wrapper: &'static str,
    /// The media type of the request body, if every request has one.
    pub content_type: Option<&'static str>,
    /// Retries, rate limit, time limits, secrets and side effects.
    pub behaviour: Behaviour,
}

/// Behaviour of an operation: retries, limits, secrets, side effects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Behaviour {
    /// Whether a repeated request has no second effect.
    pub idempotent: bool,
    /// The reason for [`idempotent`](Self::idempotent).
    pub why: &'static str,
    /// Whether it costs money or uses up a quota.
    ///
    /// [`ClientBuilder::max_creates`](crate::ClientBuilder::max_creates) counts these operations.
    pub spends: bool,
    /// Failure statuses after which the operation was applied.
    pub applied_on: &'static [u16],
    /// Failure statuses that look transient but are permanent.
    ///
    /// For example, a 500 for an invalid request.
    pub final_on: &'static [u16],
    /// The rate limit, if it is known.
    pub pace: Option<Pace>,
    /// The time class, which selects the default timeouts.
    pub time: TimeClass,
    /// Secret and personal parts of the request: `query.sessionToken`, `body.password`.
    pub secrets: &'static [&'static str],
    /// The changes on the server; `None` if it only reads.
    pub side_effects: Option<&'static str>,
}

/// A rate limit of a platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pace {
    /// Name of the bucket. Operations with the same bucket share the limit.
    pub bucket: &'static str,
    /// Number of calls.
    pub count: u32,
    /// Length of the window, in seconds.
    pub seconds: u32,
}

/// The evidence for an operation and its response schema, most reliable first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Evidence {
    /// A running server responded, with a success or an error.
    Observed,
    /// Described on the platform's own page.
    Documented,
    /// Taken from the platform's or a client's code.
    Source,
    /// Inferred from the rest of the API.
    Inferred,
}

/// Duration class of an operation, which selects its default timeouts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeClass {
    /// Responds immediately.
    Unary,
    /// Responds after a long task.
    Slow,
    /// Streams its response without an end.
    Stream,
}

impl Operation {
    /// Whether it only reads.
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

/// The rate of requests without a wrapper, for each platform, if no operation with their path has one.
static GENERAL_PACES: &[(&str, Pace)] = include!(concat!(env!("OUT_DIR"), "/general_paces.rs"));

/// The rate of a platform's requests without a wrapper, if no operation with their path has one.
pub(crate) fn general_pace(api: &str) -> Option<Pace> {
    let mut paces = GENERAL_PACES.iter();
    paces.find_map(|(name, pace)| (*name == api).then_some(*pace))
}

/// Looks up the operation of a request. Also returns the base path in front of it.
pub(crate) fn find_route<'a>(
    api: &str,
    method: &str,
    path: &'a str,
) -> (Option<&'static Operation>, &'a str) {
    let candidates = OPERATIONS
        .iter()
        .filter(|operation| operation.api == api && operation.method == method)
        .filter_map(|operation| Some((match_end(operation.path, path)?, operation)));
    // Prefer the longest template, then the one with the most literals.
    let best = candidates.max_by_key(|((segments, literals, _), _)| (*segments, *literals));
    best.map_or((None, ""), |((_, _, base), operation)| {
        (Some(operation), base)
    })
}

/// Matches a path template with the end of a path. Returns the number of segments, the number of
/// literal segments, and the base path in front.
fn match_end<'a>(template: &str, path: &'a str) -> Option<(usize, usize, &'a str)> {
    let (mut segments, mut literals, mut base) = (0, 0, path);
    for step in template.rsplit('/').filter(|step| !step.is_empty()) {
        let (before, segment) = base.rsplit_once('/')?;
        // Servers route by the decoded segment.
        let is_literal = percent_decode_str(segment).decode_utf8_lossy() == step;
        if !is_literal && (segment.is_empty() || !step.starts_with('{')) {
            return None;
        }
        (segments, literals, base) = (segments + 1, literals + usize::from(is_literal), before);
    }
    Some((segments, literals, base))
}

/// The decoded segments of a path that are parameters in the template. Compared from the end, because the
/// path may begin with the base URL's path.
pub(crate) fn path_ids(template: &str, path: &str) -> Vec<String> {
    let segments = template.rsplit('/').zip(path.rsplit('/'));
    let ids = segments.filter(|(name, id)| name.starts_with('{') && !id.is_empty());
    let decoded = ids.map(|(_, id)| percent_decode_str(id).decode_utf8_lossy().into_owned());
    let mut ids: Vec<_> = decoded.collect();
    ids.reverse();
    ids
}

/// Looks up an operation of a platform by its id.
pub(crate) fn find(api: &str, id: &str) -> Option<&'static Operation> {
    OPERATIONS
        .iter()
        .find(|operation| operation.api == api && operation.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_segments_have_precedence_and_base_paths_are_split_off() {
        let base = |template, path| match_end(template, path).map(|(_, _, base)| base);
        assert_eq!(base("/v1/a/{id}", "/v1/a/x"), Some(""));
        assert_eq!(base("/v1/a/{id}", "/sub/v1/a/x"), Some("/sub"));
        assert_eq!(base("/v1/a/{id}", "/v1/a/"), None);
        assert_eq!(base("/v1/a/{id}", "/v1/b/x"), None);
        assert_eq!(base("/v1/ab/{id}", "/sub/v1/a%62/x"), Some("/sub"));
        for operation in OPERATIONS {
            let (found, base) = find_route(operation.api, operation.method, operation.path);
            assert_eq!(found.map(|found| found.id), Some(operation.id));
            assert_eq!(base, "");
        }
    }
}
