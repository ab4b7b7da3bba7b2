//! Which failures may be retried: the three gates of [`Retry`](crate::Retry).

use super::{Effect, Error, ErrorKind};
use crate::operation::Operation;

/// Statuses of servers and proxies that are in trouble for the moment; 520 to 527 are Cloudflare's.
const PASSING: [u16; 14] = [
    408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527,
];

impl Error {
    /// Whether sending the same call again could help and could do no harm, by the rules of
    /// [`Retry`](crate::Retry) for this operation.
    ///
    /// This crate has tried as often as its policy allows by then. After a
    /// [`retry_after`](Self::retry_after) it may be worth while.
    pub fn is_retryable(&self) -> bool {
        self.may_repeat(self.0.assumed_idempotent)
    }

    /// The same, with the caller's word that the call is idempotent.
    pub(crate) fn may_repeat(&self, assumed: bool) -> bool {
        if !self.is_passing() {
            return false;
        }
        let proves_nothing_done =
            matches!(self.kind(), ErrorKind::Connect | ErrorKind::RateLimited);
        (proves_nothing_done && self.effect() == Effect::None)
            || (self.effect() != Effect::Applied
                && (assumed || self.operation().is_some_and(is_repeatable)))
    }

    /// Whether the failure may be gone at the next attempt.
    fn is_passing(&self) -> bool {
        if self.0.lasting {
            return false;
        }
        let behaviour = self.operation().map(|operation| &operation.behaviour);
        if let Some(status) = self.status() {
            // A response that was cut off had a success status.
            let cut = self.kind() == ErrorKind::Interrupted;
            if !cut && !PASSING.contains(&status) {
                return false;
            }
            if behaviour.is_some_and(|behaviour| behaviour.final_on.contains(&status)) {
                return false;
            }
        }
        match self.kind() {
            ErrorKind::Connect | ErrorKind::Timeout | ErrorKind::Interrupted => true,
            ErrorKind::Unavailable | ErrorKind::Server => true,
            ErrorKind::RateLimited => self.retry_after().is_some(),
            _ => false,
        }
    }
}

/// The first two gates: the method, and the operation's mark in the spec.
fn is_repeatable(operation: &Operation) -> bool {
    matches!(operation.method, "GET" | "HEAD" | "PUT" | "DELETE") && operation.behaviour.idempotent
}
