//! Rules of a wait: whether a phase ends it, and which failed polls it tolerates.

use crate::error::{Error, ErrorKind};
use crate::phase::Phase;

/// Whether a phase ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Reached,
    /// The target can no longer be reached.
    Unreachable,
    Pending,
}

impl Verdict {
    /// Compares a phase with the target. `restartable`: the resource may start again after it ended.
    pub fn of(target: Phase, phase: Phase, restartable: bool) -> Self {
        use Phase::{Ended, Failed, InProgress, Queued, Ready, Stopping};
        let startup = [Queued, InProgress, Ready];
        let rank = |phase: Phase| startup.iter().position(|step| *step == phase);
        match (target, phase) {
            (Failed, Failed) | (Ended, Ended) | (Stopping, Stopping | Ended) => Self::Reached,
            // A failed deployment exists until it is deleted.
            (Stopping | Ended, _) => Self::Pending,
            (_, Stopping | Ended) if restartable => Self::Pending,
            (_, Failed | Stopping | Ended) => Self::Unreachable,
            (target, phase) => match (rank(target), rank(phase)) {
                (Some(target), Some(phase)) if phase >= target => Self::Reached,
                _ => Self::Pending,
            },
        }
    }
}

/// How a wait or a watcher reacts to a failed poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PollFailure {
    /// The next poll may succeed.
    Transient,
    /// Not sent: pacing would have delayed the request beyond its deadline.
    NotSent,
    /// The resource does not exist.
    NotFound,
    /// The next poll would fail as well.
    Permanent,
}

impl PollFailure {
    pub fn of(error: &Error) -> Self {
        let behaviour = error.operation().map(|operation| &operation.behaviour);
        let is_final = error
            .status()
            .is_some_and(|status| behaviour.is_some_and(|known| known.final_on.contains(&status)));
        if error.is_permanent() || is_final {
            return Self::Permanent;
        }
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::AlreadyRemoved | ErrorKind::Gone => Self::NotFound,
            ErrorKind::RateLimited | ErrorKind::Timeout if error.attempts() == 0 => Self::NotSent,
            ErrorKind::RateLimited
            | ErrorKind::Server
            | ErrorKind::Unavailable
            | ErrorKind::Connect
            | ErrorKind::Timeout
            | ErrorKind::Interrupted
            // Probably an error page of a proxy.
            | ErrorKind::Decode => Self::Transient,
            _ => Self::Permanent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Phase::{Ended, Failed, InProgress, Queued, Ready, Stopping, Unknown};

    #[test]
    fn each_phase_has_a_verdict_for_each_target() {
        const ALL: [Phase; 7] = [Queued, InProgress, Ready, Failed, Stopping, Ended, Unknown];
        for (target, restartable, verdicts) in [
            (Ready, false, "..+---."),
            (Ready, true, "..+-..."),
            (InProgress, false, ".++---."),
            (Queued, false, "+++---."),
            (Stopping, false, "....++."),
            (Ended, false, ".....+."),
            (Failed, false, "...+--."),
        ] {
            let found: String = ALL
                .iter()
                .map(|phase| match Verdict::of(target, *phase, restartable) {
                    Verdict::Reached => '+',
                    Verdict::Unreachable => '-',
                    Verdict::Pending => '.',
                })
                .collect();
            assert_eq!(found, verdicts, "{target}, restartable: {restartable}");
        }
    }

    #[test]
    fn error_kinds_are_transient_permanent_or_not_found() {
        let sent =
            |kind| PollFailure::of(&Error::new(kind, "").with_attempts(1, Default::default()));
        for kind in [
            ErrorKind::Server,
            ErrorKind::Unavailable,
            ErrorKind::Connect,
            ErrorKind::Timeout,
            ErrorKind::Interrupted,
            ErrorKind::RateLimited,
            ErrorKind::Decode,
        ] {
            assert_eq!(sent(kind), PollFailure::Transient, "{kind}");
        }
        for kind in [
            ErrorKind::Unauthenticated,
            ErrorKind::Forbidden,
            ErrorKind::InvalidRequest,
            ErrorKind::NoSuchRoute,
            ErrorKind::Rejected,
            ErrorKind::Configuration,
            ErrorKind::Unsupported,
        ] {
            assert_eq!(sent(kind), PollFailure::Permanent, "{kind}");
        }
        assert_eq!(sent(ErrorKind::NotFound), PollFailure::NotFound);
        assert_eq!(sent(ErrorKind::AlreadyRemoved), PollFailure::NotFound);
        let paced = PollFailure::of(&Error::new(ErrorKind::RateLimited, ""));
        assert_eq!(paced, PollFailure::NotSent);
        let certificate = Error::new(ErrorKind::Connect, "").with_permanent(true);
        assert_eq!(PollFailure::of(&certificate), PollFailure::Permanent);
    }
}
