//! Nexlayer's 12 operations.

use super::{Caller, tuned};
use crate::Result;
use deploykit::nexlayer::{Client, Manifest};
use deploykit_sandbox::NexlayerAccess;
use std::time::Duration;

const MANIFEST: &str = include_str!("../../../../examples/nexlayer.yaml");

/// Walks through Nexlayer at this address.
pub async fn nexlayer(to: &mut impl Caller, base_url: &str, _: &NexlayerAccess) -> Result<()> {
    let client = tuned(Client::builder(), base_url).build()?;
    let manifest = Manifest::parse(MANIFEST)?;
    to.call(|| client.schema()).await;
    to.call(|| client.validate(&manifest)).await;
    let (session, application) = match to.call(|| client.start(manifest.clone())).await {
        Some(started) => (started.session(), started.application()),
        None => {
            let session = client.session("4ae6d1c2-5b7c-4a8e-9d0b-2f3c6a1e8b90");
            let application = session.application("guestbook");
            (session, application)
        }
    };
    // A second application, in the same session.
    let second = Manifest::parse(MANIFEST.replace("name: guestbook", "name: second"))?;
    to.call(|| session.start(second.clone())).await;
    to.call(|| session.update(manifest.clone())).await;
    tokio::time::sleep(Duration::from_millis(1_400)).await;
    to.call(|| application.pods()).await;
    to.call(|| application.extend()).await;
    to.call(|| application.claim()).await;
    to.call(|| application.reserve()).await;
    to.call(|| session.reservations()).await;
    to.call(|| application.unreserve()).await;
    to.call(|| session.remove_reservations()).await;
    to.call(|| session.feedback("Works as it should.")).await;
    Ok(())
}
