//! Calls every operation with a canary in every secret place, and looks for canaries in everything
//! that the library shows: `Debug`, errors, previews, logs.
//!
//! The calls are the rows of `tests/support/operations`. `planted` makes and finds canaries, `answers`
//! are the responses of a server that repeats what it was sent, `specs` are successes with canaries in
//! the secret places of replies, and `walk` sends a call and searches. `sessions` and `values` cover
//! secrets that are not part of an operation.

mod answers;
mod finds;
#[path = "../support/operations/mod.rs"]
mod operations;
mod planted;
mod server;
mod sessions;
mod specs;
#[path = "../support/mod.rs"]
mod support;
mod values;
mod walk;
mod watch;

use walk::Walk;

#[tokio::test]
async fn secrets_are_seen_only_on_the_wire() {
    let mut walk = Walk::new().await;
    sessions::walk(&mut walk).await;
    values::walk(&mut walk).await;
    for row in operations::rows() {
        walk.operation(&row).await;
    }
    walk.look_at_the_log();
    let crates = watch::crates();
    for name in ["deploykit", "hyper_util"] {
        assert!(crates.contains_key(name), "{name} logged nothing");
    }
    println!(
        "{} canaries planted, {} calls, {} texts searched",
        planted::count(),
        walk.calls,
        walk.findings.texts,
    );
    walk.assert_clean();
}
