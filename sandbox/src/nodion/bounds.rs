//! What Nodion keeps at most.

use std::time::Duration;

use super::{Clock, Nodion};
use crate::bounds::{MOST_OF_ONE, cut};

impl Nodion {
    pub(crate) fn bound(&mut self, most: usize, now: Duration) {
        let clock = Clock {
            timing: self.timing,
            now,
        };
        let first = self.first.clone();
        cut(&mut self.applications, most, |one| !first.contains(&one.id));
        for application in &mut self.applications {
            if application.deployments.len() > MOST_OF_ONE {
                // The one that serves stays, however old it is.
                let live = application.live(clock).map(|live| live.id.clone());
                cut(&mut application.deployments, MOST_OF_ONE, |one| {
                    live.as_ref() != Some(&one.id)
                });
            }
            cut(&mut application.events, MOST_OF_ONE, |_| false);
            cut(&mut application.variables, MOST_OF_ONE, |_| false);
            // The first is the application's own.
            let own = application.domains.first().map(|domain| domain.address());
            cut(&mut application.domains, MOST_OF_ONE, |one| {
                Some(one.address()) != own
            });
        }
    }
}
