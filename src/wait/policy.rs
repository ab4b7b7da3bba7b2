//! What a phase and a failure mean to a wait.

use crate::error::{Error, ErrorKind};
use crate::watch::Phase;

/// What a phase means to a wait for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Reached,
    /// It will not be reached any more.
    BadEnd,
    Going,
}

/// `revives`: what has ended may come back.
pub(super) fn judge(target: Phase, seen: Phase, revives: bool) -> Verdict {
    use Phase::{Ended, Failed, InProgress, Queued, Ready, Stopping};
    let way_up = [Queued, InProgress, Ready];
    let rank = |phase: Phase| way_up.iter().position(|step| *step == phase);
    match (target, seen) {
        (Failed, Failed) | (Ended, Ended) | (Stopping, Stopping | Ended) => Verdict::Reached,
        // What failed is still there until somebody removes it.
        (Stopping | Ended, _) => Verdict::Going,
        (_, Stopping | Ended) if revives => Verdict::Going,
        (_, Failed | Stopping | Ended) => Verdict::BadEnd,
        (target, seen) => match (rank(target), rank(seen)) {
            (Some(target), Some(seen)) if seen >= target => Verdict::Reached,
            _ => Verdict::Going,
        },
    }
}

/// What a failure to look means to a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It may be gone at the next look.
    Passing,
    /// Nothing was sent, as it was not this client's turn.
    NotSent,
    /// What is waited for is not there.
    Missing,
    /// Another look would not fare better.
    Final,
}

pub(crate) fn fault(error: &Error) -> Fault {
    let told = error.operation().map(|operation| &operation.behaviour);
    let is_final = error
        .status()
        .is_some_and(|status| told.is_some_and(|told| told.final_on.contains(&status)));
    if error.is_lasting() || is_final {
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
        // A page of a proxy in the place of a reply.
        | ErrorKind::Decode => Fault::Passing,
        _ => Fault::Final,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Phase::{Ended, Failed, InProgress, Queued, Ready, Stopping, Unknown};

    #[test]
    fn what_each_phase_means_to_each_target() {
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
    fn what_each_failure_means() {
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
        let certificate = Error::new(ErrorKind::Connect, "").lasting();
        assert_eq!(fault(&certificate), Fault::Final);
    }
}
