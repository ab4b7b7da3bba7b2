//! A conversation that was recorded once. With a real account, `Client::from_env()` stands where the
//! sandbox stands here.

mod common;

use common::{config, request, run};
use deploy_from_ci::{Config, deploy};
use deploykit::edgegap::Client;
use deploykit::testing::Tape;
use deploykit_sandbox::Sandbox;
use std::time::Duration;

#[tokio::test]
async fn as_it_was_recorded() {
    let tape = Tape::auto(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/tapes/deploy.json"
    ))
    .unwrap();
    let sandbox = match tape.is_replaying() {
        true => None,
        false => {
            let builder = Sandbox::builder().ready_after(Duration::ZERO);
            Some(builder.start().await.unwrap())
        }
    };
    let builder = match &sandbox {
        Some(sandbox) => sandbox.edgegap().builder(),
        // Nothing is sent, so any token will do.
        None => Client::builder().token("none"),
    };
    let edgegap = builder.tape(&tape).build().unwrap();
    let state = Sandbox::builder().state();
    let access = state.edgegap().access("");
    let config = Config {
        application: access.application,
        version: access.version,
        ..config()
    };
    let live = deploy(&edgegap, request(&config), &run()).await.unwrap();
    assert!(live.address.contains(live.id.as_str()), "{}", live.address);
    tape.finish().unwrap();
}
