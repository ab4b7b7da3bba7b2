//! What a phase and a failed poll mean to a wait.

use crate::error::{Error, ErrorKind};
use crate::phase::Phase;

/// What a phase means to a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Reached,
    /// The target cannot be reached any more.
    BadEnd,
    Going,
}

/// Compares a phase with the target. `revives`: the resource may come back after it ended.
pub(super) fn judge(target: Phase, seen: Phase, revives: bool) -> Verdict {
    use Phase::{Ended, Failed, InProgress, Queued, Ready, Stopping};
    let way_up = [Queued, InProgress, Ready];
    let rank = |phase: Phase| way_up.iter().position(|step| *step == phase);
    match (target, seen) {
        (Failed, Failed) | (Ended, Ended) | (Stopping, Stopping | Ended) => Verdict::Reached,
        // A failed deployment exists until somebody removes it.
        (Stopping | Ended, _) => Verdict::Going,
        (_, Stopping | Ended) if revives => Verdict::Going,
        (_, Failed | Stopping | Ended) => Verdict::BadEnd,
        (target, seen) => match (rank(target), rank(seen)) {
            (Some(target), Some(seen)) if seen >= target => Verdict::Reached,
            _ => Verdict::Going,
        },
    }
}

/// What a failed poll means to a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The next poll may succeed.
    Passing,
    /// Local pacing held the request back.
    NotSent,
    /// The resource does not exist.
    Missing,
    /// The next poll would fail as well.
    Final,
}

pub(crate) fn fault(error: &Error) -> Fault {
    let behaviour = error.operation().map(|operation| &operation.behaviour);
    let is_final = error
        .status()
        .is_some_and(|status| behaviour.is_some_and(|known| known.final_on.contains(&status)));
    if error.0.lasting || is_final {
        return Fault::Final;
    }
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::AlreadyRemoved | ErrorKind::Gone => Fault::Missing,
        ErrorKind::RateLimited | ErrorKind::Timeout if error.attempts() == 0 => Fault::NotSent,
        ErrorKind::RateLimited
        | ErrorKind::Server
        | ErrorKind::Unavailable
        | ErrorKind::Connect
        | ErrorKind::Timeout
        | ErrorKind::Interrupted
        // An error page of a proxy.
        | ErrorKind::Decode => Fault::Passing,
        _ => Fault::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Phase::{Ended, Failed, InProgress, Queued, Ready, Stopping, Unknown};

    #[test]
    fn each_phase_has_a_verdict_for_each_target() {
        const ALL: [Phase; 7] = [Queued, InProgress, Ready, Failed, Stopping, Ended, Unknown];
        for (target, revives, verdicts) in [
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
                .map(|seen| match judge(target, *seen, revives) {
                    Verdict::Reached => '+',
                    Verdict::BadEnd => '-',
                    Verdict::Going => '.',
                })
                .collect();
            assert_eq!(found, verdicts, "{target}, revives: {revives}");
        }
    }

    #[test]
    fn errors_are_passing_final_or_missing() {
        let sent = |kind| fault(&Error::new(kind, "").with_attempts(1, Default::default()));
        for kind in [
            ErrorKind::Server,
            ErrorKind::Unavailable,
            ErrorKind::Connect,
            ErrorKind::Timeout,
            ErrorKind::Interrupted,
            ErrorKind::RateLimited,
            ErrorKind::Decode,
        ] {
            assert_eq!(sent(kind), Fault::Passing, "{kind}");
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
            assert_eq!(sent(kind), Fault::Final, "{kind}");
        }
        assert_eq!(sent(ErrorKind::NotFound), Fault::Missing);
        assert_eq!(sent(ErrorKind::AlreadyRemoved), Fault::Missing);
        let waited = fault(&Error::new(ErrorKind::RateLimited, ""));
        assert_eq!(waited, Fault::NotSent);
        let mut certificate = Error::new(ErrorKind::Connect, "");
        certificate.0.lasting = true;
        assert_eq!(fault(&certificate), Fault::Final);
    }
}
