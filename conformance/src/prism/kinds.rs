//! The kinds of errors that make sense for a status.

use deploykit::ErrorKind;

/// Whether an error of this kind may come of a reply with this status.
pub fn make_sense(status: u16, kind: ErrorKind) -> bool {
    use ErrorKind::{
        AlreadyRemoved, Conflict, Decode, Forbidden, NoSuchRoute, NotFound, PlanLimit, Quota,
        RateLimited, Rejected, Server, Unauthenticated, Unavailable, Unsupported,
    };
    let kinds: &[ErrorKind] = match status {
        // A success that says `success: false`, or that nobody can read.
        200..=299 => &[Decode, Rejected],
        // Where a platform has one status for many things, its words decide.
        400 => &[Rejected, NotFound, PlanLimit, Unauthenticated],
        401 => &[Unauthenticated],
        403 => &[Forbidden],
        404 => &[NotFound, NoSuchRoute],
        409 => &[Conflict],
        410 => &[AlreadyRemoved],
        422 => &[Rejected],
        429 => &[RateLimited, Quota],
        500 => &[Server, PlanLimit, AlreadyRemoved, NotFound],
        501 => &[Unsupported],
        503 => &[Unavailable],
        _ => &[],
    };
    kinds.contains(&kind)
}
