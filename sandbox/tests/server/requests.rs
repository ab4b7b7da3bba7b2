//! Recorded requests: waiting and clearing.

use std::time::Duration;

use deploykit_sandbox::Sandbox;

use crate::common::server;
use crate::deploy;

#[tokio::test(flavor = "multi_thread")]
async fn recorded_requests_can_be_awaited_and_cleared() {
    let sandbox = server::start(Sandbox::builder()).await;
    let soon = Duration::from_millis(20);
    assert_eq!(sandbox.wait_for_request(|_| true, soon).await, None);
    deploy(&sandbox);
    let first = sandbox.wait_for_request(|_| true, soon).await.unwrap();
    assert_eq!((first.number, first.status), (1, 200));
    let second = sandbox.wait_for_request(|request| request.number == 2, Duration::from_secs(10));
    let (second, _) = tokio::join!(second, async { deploy(&sandbox) });
    assert_eq!(second.unwrap().number, 2);
    sandbox.clear_requests();
    assert_eq!(sandbox.requests(), []);
    assert_eq!(sandbox.wait_for_request(|_| true, soon).await, None);
    deploy(&sandbox);
    assert_eq!(sandbox.requests()[0].number, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn debug_output_of_a_sandbox_shows_no_credentials() {
    let sandbox = server::start(Sandbox::builder()).await;
    deploy(&sandbox);
    let shown = format!("{:?}", *sandbox);
    assert!(shown.contains(&sandbox.nodion().base_url), "{shown}");
    assert!(!shown.contains(&sandbox.nodion().token), "{shown}");
}
