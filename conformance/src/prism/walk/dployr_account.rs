//! dployr's sessions, tokens, clusters, domains and events.

use super::Caller;
use crate::Result;
use deploykit::dployr::{Client, EventWindow, NewApiToken, NewDomain, WebhookSetup};
use deploykit_sandbox::DployrAccess;
use std::time::Duration;

pub async fn walk(
    to: &mut impl Caller,
    client: &Client,
    nobody: &Client,
    access: &DployrAccess,
) -> Result<()> {
    sessions(to, nobody, access).await?;
    to.call(|| nobody.health()).await;
    to.call(|| nobody.versions()).await;
    to.call(|| nobody.versions_with_previews()).await;
    to.call(|| client.current_user()).await;
    to.call(|| client.clusters().list()).await;
    let cluster = client.clusters().by_id(access.cluster_id.as_str());
    to.call(|| cluster.rename("walk")).await;
    to.call(|| cluster.users().list()).await;
    to.call(|| cluster.invite(["new@example.com"])).await;
    to.call(|| cluster.users().invited().list()).await;
    to.call(|| cluster.integrations()).await;

    let events = ["deployment.created", "deployment.finished"];
    let setup = || WebhookSetup::new("https://example.com/hook", events);
    to.call(|| client.webhooks().set_up(setup())).await;
    to.call(|| client.events().within(EventWindow::Day).list())
        .await;
    Ok(())
}

/// The ways in, and what only a session may do.
async fn sessions(to: &mut impl Caller, nobody: &Client, access: &DployrAccess) -> Result<()> {
    let (email, code) = (access.email.as_str(), access.login_code.as_str());
    to.call(|| nobody.login(email, access.password.as_str()))
        .await;
    to.call(|| nobody.login_by_email(email)).await;
    let session = to.call(|| nobody.verify_login_code(email, code)).await;
    to.call(|| nobody.login_by_identity_token(access.identity_token.as_str()))
        .await;
    let signed_in = match session {
        Some(session) => nobody.with_session(session.id)?,
        None => nobody.with_session("01M85NWTN0TJ4JW1JXEKRNC9Z2")?,
    };
    let lifetime = Duration::from_secs(3_600);
    let new = || NewApiToken::new("walk").expires_in(lifetime);
    let made = to.call(|| signed_in.api_tokens().create(new())).await;
    let id = made.map_or("01M85NWTN0TJ4JW1JXEKRNC9Z3".to_owned(), |made| {
        made.id.to_string()
    });
    to.call(|| signed_in.api_tokens().list()).await;
    to.call(|| signed_in.api_token(id.as_str()).revoke()).await;
    to.call(|| signed_in.logout()).await;
    Ok(())
}

/// What leads to a service, which has to be there.
pub async fn domains(to: &mut impl Caller, client: &Client, nobody: &Client) {
    let name = "app.walk.test";
    let new = || NewDomain::new(name, super::dployr::NAME);
    to.call(|| client.domains().create(new())).await;
    to.call(|| client.domains().list()).await;
    let domain = client.domain(name);
    to.call(|| domain.get()).await;
    to.call(|| domain.verify()).await;
    to.call(|| nobody.domain(name).status()).await;
    to.call(|| domain.delete()).await;
}
