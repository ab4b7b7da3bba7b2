//! Every operation is run with a canary in every secret place, and nothing shows one but the wire.
//!
//! `planted` are the canaries, `answers` what a server makes of a request with canaries in it, `walk`
//! runs an operation against all answers and formats everything there is to format, `watch` is what
//! is logged meanwhile. The other files are the platforms' operations.
#![cfg(all(
    feature = "dployr",
    feature = "edgegap",
    feature = "nexlayer",
    feature = "nodion"
))]

mod answers;
mod callbacks;
mod dployr;
mod dployr_account;
mod dployr_services;
mod edgegap;
mod nexlayer;
mod nodion;
mod planted;
mod server;
mod sessions;
mod specs;
mod stand_ins;
mod walk;
mod watch;

use deploykit::OPERATIONS;

#[tokio::test]
async fn no_canary_is_seen_but_on_the_wire() {
    let mut walk = walk::Walk::new().await;
    dployr::walk(&mut walk).await;
    nexlayer::walk(&mut walk).await;
    nodion::walk(&mut walk).await;
    edgegap::walk(&mut walk).await;
    sessions::walk(&mut walk).await;
    callbacks::walk(&mut walk).await;
    walk.look_at_the_log();

    let missing: Vec<_> = OPERATIONS
        .iter()
        .map(|operation| format!("{} {}", operation.api, operation.id))
        .filter(|operation| !walk.operations.contains(operation))
        .collect();
    assert!(missing.is_empty(), "not walked: {missing:#?}");
    let crates = watch::crates();
    for name in ["deploykit", "hyper_util"] {
        assert!(
            crates.contains_key(name),
            "nothing was logged by {name}: {crates:?}"
        );
    }

    let found = &walk.findings;
    println!(
        "{} canaries planted, {} operations, {} calls, {} formatted texts searched",
        planted::count(),
        walk.operations.len(),
        walk.calls,
        found.texts,
    );
    println!("logged: {crates:?}");
    for ((place, because), times) in &found.on_purpose {
        println!("shown on purpose, {times} times: {place} ({because})");
    }
    for ((place, what), example) in &found.examples {
        println!("! {place} || {what}\n    {}", example.replace('\n', "\\n"));
    }
    let places: Vec<_> = found
        .by_place
        .iter()
        .map(|(place, times)| format!("{place} {times}"))
        .collect();
    println!("canaries found: {} ({})", found.canaries, places.join(", "));
    assert!(walk.problems.is_empty(), "{:#?}", walk.problems);
    assert_eq!(found.canaries, 0, "canaries were seen, see above");
}
