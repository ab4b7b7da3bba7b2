//! The applications, for a person to look at.

use std::fmt;
use std::time::Duration;

use super::{Clock, Nodion};
use crate::deployed::Deployed;

impl Nodion {
    /// The newest first, each with the status of its latest deployment.
    pub(crate) fn deployed(&self, now: Duration) -> Vec<Deployed> {
        let clock = Clock {
            timing: self.timing,
            now,
        };
        let applications = self.applications.iter().rev();
        applications
            .map(|application| {
                let latest = application.deployments.last();
                Deployed {
                    kind: "application",
                    name: application.name.clone(),
                    deployment: latest.map(|latest| latest.number),
                    state: latest
                        .map_or("not deployed", |latest| latest.status(clock))
                        .to_owned(),
                    since: latest.map_or(application.created_at(), |latest| latest.created_at),
                    address: application.domains.first().map(|domain| domain.address()),
                }
            })
            .collect()
    }
}

/// How much there is.
impl fmt::Debug for Nodion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nodion")
            .field("applications", &self.applications.len())
            .finish_non_exhaustive()
    }
}
