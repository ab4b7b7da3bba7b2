//! What a person wants to see of the platforms: what there is, and how it is.

use std::time::Duration;

/// Something that runs, or is to run, or ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Deployed {
    /// `application`, `deployment` or `service`.
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    /// The number of its latest deployment, where the platform counts them.
    pub(crate) deployment: Option<u64>,
    /// In the platform's own word.
    pub(crate) state: String,
    /// When it was begun, or switched.
    pub(crate) since: Duration,
    pub(crate) address: Option<String>,
}
