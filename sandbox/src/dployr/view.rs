//! The deployments and services, for a person to look at.

use std::fmt;
use std::time::Duration;

use super::{Dployr, Power};
use crate::deployed::Deployed;
use crate::time::Window;

impl Dployr {
    /// Lets it be asked without end.
    pub(crate) fn lift_limits(&mut self) {
        self.known_window = Window::lifted();
        self.anonymous_window = Window::lifted();
    }

    /// The newest first.
    pub(crate) fn deployed(&self, now: Duration) -> Vec<Deployed> {
        let deployments = self.deployments.iter().rev().map(|deployment| Deployed {
            kind: "deployment",
            name: deployment.name.clone(),
            deployment: None,
            state: self.status(deployment, now).to_owned(),
            since: deployment.deployed_at,
            address: None,
        });
        let services = self.services.iter().rev().map(|service| {
            let (state, since) = match self.power(service, now) {
                Power::On => ("running", service.updated_at),
                Power::Off => ("stopped", service.updated_at),
                Power::Rising(since) => ("starting", since),
            };
            Deployed {
                kind: "service",
                name: service.name.clone(),
                deployment: None,
                state: state.to_owned(),
                since,
                address: Some(self.instance.address.clone()),
            }
        });
        deployments.chain(services).collect()
    }
}

/// How much there is.
impl fmt::Debug for Dployr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dployr")
            .field("dialect", &self.dialect)
            .field("deployments", &self.deployments.len())
            .field("services", &self.services.len())
            .finish_non_exhaustive()
    }
}
