//! The deployments, for a person to look at.

use std::fmt;
use std::time::Duration;

use super::Edgegap;
use super::deployment::Status;
use crate::deployed::Deployed;
use crate::time::Window;

impl Edgegap {
    /// Lets it be asked without end.
    pub(crate) fn lift_limits(&mut self) {
        self.creates = Window::lifted();
        self.statuses = Window::lifted();
        self.lists = Window::lifted();
        self.hosts = Window::lifted();
    }

    /// The newest first, those that have ended included.
    pub(crate) fn deployed(&self, now: Duration) -> Vec<Deployed> {
        let deployments = self.deployments.iter().rev();
        deployments
            .map(|deployment| {
                let status = deployment.status(self.timing, now);
                let stops_at = deployment.stops_at(self.timing);
                let address = || format!("{}:{}", deployment.address, deployment.port);
                Deployed {
                    kind: "deployment",
                    name: deployment.id.clone(),
                    deployment: None,
                    state: status.wire().to_owned(),
                    since: if now >= stops_at {
                        stops_at
                    } else {
                        deployment.created_at
                    },
                    address: (status == Status::Ready).then(address),
                }
            })
            .collect()
    }
}

/// How much there is.
impl fmt::Debug for Edgegap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Edgegap")
            .field("deployments", &self.deployments.len())
            .finish_non_exhaustive()
    }
}
