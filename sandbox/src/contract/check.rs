//! The net below the platforms: what their own checks let through and the spec does not allow, they refuse.

use std::time::Duration;

use super::{Operation, Problem, accepted};
use crate::dployr::Dialect;
use crate::model::{Platform, Reply, Request};

/// A platform that can be asked on trial.
pub(crate) trait Checked: Clone {
    const PLATFORM: Platform;

    /// Of the platform with two of them.
    fn dialect(&self) -> Option<Dialect> {
        None
    }

    fn handle(&mut self, request: &Request, now: Duration) -> Reply;

    /// Refuses what was taken on trial, in the platform's own form of a 400. Of the trial the counters of the rate limits
    /// are kept: they count refused requests as well.
    fn refuse(&mut self, trial: Self, taken: &Reply, problem: &Problem) -> Reply;
}

/// One request with what is wrong about it.
pub(crate) struct Check<'a> {
    operation: Option<&'static Operation>,
    problems: &'a [Problem],
    request: &'a Request,
    now: Duration,
}

impl<'a> Check<'a> {
    pub(crate) fn new(
        operation: Option<&'static Operation>,
        problems: &'a [Problem],
        request: &'a Request,
        now: Duration,
    ) -> Self {
        Self {
            operation,
            problems,
            request,
            now,
        }
    }

    /// The platform's answer. Its own checks come first, credentials and rate limits among them, and their words are
    /// better; so a request with a problem is tried on a copy, and refused only if that takes it.
    pub(crate) fn ask<P: Checked>(&self, platform: &mut P) -> Reply {
        let Some(problem) = self.refusable(platform) else {
            return platform.handle(self.request, self.now);
        };
        let mut trial = platform.clone();
        let reply = trial.handle(self.request, self.now);
        if reply.status >= 400 {
            *platform = trial;
            return reply;
        }
        platform.refuse(trial, &reply, problem)
    }

    fn refusable<P: Checked>(&self, platform: &P) -> Option<&'a Problem> {
        let operation = self.operation?;
        // Where no refusal is documented, there is no form for one.
        operation.reply(400)?;
        let dialect = platform.dialect();
        self.problems
            .iter()
            .find(|problem| !accepted::is(P::PLATFORM, dialect, operation.id(), &problem.place))
    }
}
