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

async fn operations(api: &str) {
    let mut walk = Walk::new().await;
    for row in operations::rows() {
        if row.operation.api == api {
            walk.operation(&row).await;
        }
    }
    walk.assert_clean();
}

#[tokio::test]
async fn dployr_shows_no_secret() {
    operations("dployr").await;
}

#[tokio::test]
async fn edgegap_shows_no_secret() {
    operations("edgegap").await;
}

#[tokio::test]
async fn nexlayer_shows_no_secret() {
    operations("nexlayer").await;
}

#[tokio::test]
async fn nodion_shows_no_secret() {
    operations("nodion").await;
}

#[tokio::test]
async fn sessions_show_no_secret() {
    let mut walk = Walk::new().await;
    sessions::walk(&mut walk).await;
    let crates = watch::crates();
    for name in ["deploykit", "hyper_util"] {
        assert!(crates.contains_key(name), "{name} logged nothing");
    }
    walk.assert_clean();
}

#[tokio::test]
async fn values_show_no_secret() {
    let mut walk = Walk::new().await;
    values::walk(&mut walk).await;
    walk.assert_clean();
}
