//! Edgegap's 18 operations.

use super::{Caller, tuned};
use crate::Result;
use deploykit::edgegap::{Client, NewDeployment, SelfStop, StopFilter, User};
use deploykit_sandbox::EdgegapAccess;
use std::time::{Duration, SystemTime};

/// Walks through Edgegap at this address.
pub async fn edgegap(to: &mut impl Caller, base_url: &str, access: &EdgegapAccess) -> Result<()> {
    let builder = || tuned(Client::builder(), base_url);
    let client = builder().token(access.token.as_str()).build()?;
    let new = || {
        let player = User::ip([75, 28, 35, 192].into());
        NewDeployment::for_users(
            &access.application,
            &access.version,
            [player, User::coordinates(45.5, -73.6)],
        )
        .env("MODE", "ranked")
        .hidden_env("PASSWORD", "not-a-real-one")
        .tag("walk")
    };
    to.call(|| client.applications().list()).await;
    let application = client.application(&access.application);
    to.call(|| application.versions().list()).await;
    to.call(|| client.locations().list()).await;
    to.call(|| client.fleet(&access.fleet).hosts()).await;

    let id = match to.call(|| client.deploy(new())).await {
        Some(accepted) => accepted.request_id.to_string(),
        None => "a69f8e3e0555".to_owned(),
    };
    let server = client.deployment(id.as_str());
    to.call(|| server.status()).await;
    // It takes a moment until it has logs and numbers.
    tokio::time::sleep(Duration::from_millis(1_400)).await;
    to.call(|| server.status()).await;
    to.call(|| client.deployments().list()).await;
    let since = SystemTime::now() - Duration::from_secs(60);
    to.call(|| client.deployments().find_created("walk", since))
        .await;
    to.call(|| server.logs()).await;
    to.call(|| server.metrics().get()).await;

    to.call(|| server.tags().list()).await;
    to.call(|| server.tags().add("first")).await;
    to.call(|| server.tags().get("first")).await;
    to.call(|| server.tags().rename("first", "second")).await;
    to.call(|| server.tags().delete("second")).await;
    to.call(|| server.stop()).await;
    // The second time there is nothing left to stop.
    to.call(|| server.stop()).await;

    let new = || new().on_host(&access.private_host_id);
    let id = match to.call(|| client.deploy_to_fleet(new())).await {
        Some(accepted) => accepted.request_id.to_string(),
        None => "c0653765de3b".to_owned(),
    };
    let (url, token) = access.self_stop(&id);
    let url = url.replace(&access.base_url, base_url);
    let own = SelfStop::with_builder(builder(), url, token)?;
    to.call(|| own.stop()).await;
    to.call(|| client.stop_matching(StopFilter::any_tag(["walk"])))
        .await;
    Ok(())
}
