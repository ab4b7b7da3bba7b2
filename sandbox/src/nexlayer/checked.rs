//! What the spec forbids and Nexlayer's own checks let through.

use std::time::Duration;

use super::{Nexlayer, failure};
use crate::contract::{Checked, Problem};
use crate::model::{Platform, Reply, Request};

impl Checked for Nexlayer {
    const PLATFORM: Platform = Platform::Nexlayer;

    fn handle(&mut self, request: &Request, now: Duration) -> Reply {
        Nexlayer::handle(self, request, now)
    }

    fn refuse(&mut self, _: Self, _: &Reply, problem: &Problem) -> Reply {
        powered(failure(400, &problem.to_string()))
    }
}

/// Nexlayer/docs:content/docs/api-reference/endpoints.mdx has captured headers.
pub(super) fn powered(reply: Reply) -> Reply {
    reply.with_header("x-powered-by", "Express")
}
