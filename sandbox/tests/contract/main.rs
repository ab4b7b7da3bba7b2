//! Every status of every operation that the specs list: the sandbox gives it, and the reply is one that the spec allows.
//!
//! The tables drive the state machines to as many of them as their own rules have, row by row; the rest is
//! injected.

#[path = "../common/mod.rs"]
mod common;
mod control_plane;
mod dployr;
mod edgegap;
mod extremes;
mod nexlayer;
mod nodion;
mod play;

use std::collections::BTreeSet;

use deploykit_sandbox::Platform;
use deploykit_sandbox::contract::Contract;
use play::Seen;

/// How many the platforms' own rules give, at least. One that is lost is noticed here; raise it when a rule is added.
const BY_OWN_RULES: usize = 489;

#[test]
fn every_status_of_every_operation_is_given_and_allowed() {
    let mut seen = Seen::default();
    nexlayer::play(&mut seen);
    dployr::play(&mut seen);
    control_plane::play(&mut seen);
    nodion::play(&mut seen);
    edgegap::play(&mut seen);

    let (mut operations, mut statuses, mut missing) = (0, BTreeSet::new(), Vec::new());
    for platform in Platform::ALL {
        for operation in Contract::of(platform).operations() {
            operations += 1;
            let own = |status: &u16| seen.has(platform, operation.id(), *status);
            if !operation
                .statuses()
                .filter(|status| *status < 400)
                .any(|status| own(&status))
            {
                missing.push(format!("{platform} {}: no success", operation.id()));
            }
            for status in operation.statuses() {
                statuses.insert((platform.to_string(), operation.id(), status));
                if !own(&status) && !play::injected(platform, operation, status) {
                    missing.push(format!("{platform} {} {status}", operation.id()));
                }
            }
        }
    }
    let own = seen.len();
    assert_eq!(missing, [""; 0]);
    println!(
        "{0} of {0} statuses of {operations} operations are given and allowed, {own} of them by the platform's own rules",
        statuses.len()
    );
    assert_eq!(operations, 117);
    assert!(own >= BY_OWN_RULES, "{own}");
}
