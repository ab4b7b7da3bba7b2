//! What dployr keeps at most.

use std::collections::BTreeSet;

use super::Dployr;
use crate::bounds::{MOST, MOST_OF_ONE, cut};

impl Dployr {
    pub(crate) fn bound(&mut self, most: usize) {
        cut(&mut self.deployments, most, |one| one.settled);
        cut(&mut self.services, most, |_| false);
        self.forget_nameless(most);
        for variables in self.env.values_mut() {
            while variables.len() > MOST_OF_ONE {
                variables.pop_first();
            }
        }
        for rows in self.secrets.values_mut() {
            cut(rows, MOST_OF_ONE, |_| false);
        }
        for lines in self.logs.values_mut() {
            let many = lines.len().saturating_sub(MOST_OF_ONE);
            lines.drain(..many);
        }
        for all in [&mut self.routes, &mut self.projects, &mut self.webhooks] {
            cut(all, MOST, |_| false);
        }
        cut(&mut self.logins, MOST, |_| false);
        cut(&mut self.registered, MOST, |_| false);
        self.own.bound();
    }

    /// Variables, secrets and logs go by name, and stay when a deployment and its service are deleted one after the
    /// other, as long as there is room.
    fn forget_nameless(&mut self, most: usize) {
        let names = self.env.len().max(self.secrets.len()).max(self.logs.len());
        if names <= most.saturating_mul(2) {
            return;
        }
        let names: BTreeSet<String> = {
            let deployments = self.deployments.iter().map(|one| &one.name);
            let services = self.services.iter().map(|one| &one.name);
            deployments.chain(services).cloned().collect()
        };
        self.env.retain(|name, _| names.contains(name));
        self.secrets.retain(|name, _| names.contains(name));
        self.logs.retain(|name, _| names.contains(name));
    }
}
