//! What the specs forbid and dployr's own checks let through.

use std::time::Duration;

use super::{Dialect, Dployr, control_plane, documented};
use crate::contract::{Checked, Problem};
use crate::model::{Platform, Reply, Request};

impl Checked for Dployr {
    const PLATFORM: Platform = Platform::Dployr;

    fn dialect(&self) -> Option<Dialect> {
        Some(self.dialect)
    }

    fn handle(&mut self, request: &Request, now: Duration) -> Reply {
        Dployr::handle(self, request, now)
    }

    fn refuse(&mut self, trial: Self, taken: &Reply, problem: &Problem) -> Reply {
        self.known_window = trial.known_window;
        self.anonymous_window = trial.anonymous_window;
        let mut reply = match self.dialect {
            Dialect::Documented => documented::refusal(problem),
            Dialect::ControlPlane => control_plane::refusal(problem),
        };
        let limits = taken.headers.iter().cloned();
        let limits = limits.filter(|(name, _)| name.starts_with("x-ratelimit-"));
        reply.headers.extend(limits);
        reply
    }
}
