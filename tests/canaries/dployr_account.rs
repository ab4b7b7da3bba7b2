//! The operations around dployr's services, with a canary in every secret place.

use crate::dployr::{Run, git_url, page_json, url_in_reply};
use crate::planted::Plant;
use crate::walk::{Target, Walk, json, no_json};
use deploykit::dployr::{Client, NewApiToken, NewDomain, WebhookSetup};
use deploykit::testing::{CannedReply, Recorder};
use serde_json::{Value, json as value};

/// What carries no credentials of its client.
pub const OPEN: [&str; 6] = [
    "request_login_code",
    "verify_login_code",
    "exchange_identity_token",
    "get_health",
    "list_versions",
    "get_domain_status",
];
/// What takes a session in the place of a token.
pub const SIGNED_IN: [&str; 4] = [
    "logout",
    "create_api_token",
    "list_api_tokens",
    "delete_api_token",
];

pub fn connect_signed_in(target: &Target, plant: &Plant) -> Client {
    let client = target.apply(Client::builder()).build().unwrap();
    client.with_session(plant.ascii("cookie")).unwrap()
}

pub async fn one(run: Run<'_>) {
    let plant = run.plant;
    match run.operation.id {
        "request_login_code" => {
            let reply = value!({ "email": plant.wide("reply.email"), "requireTotp": true });
            run.with(Some(reply), no_json, |client, _| {
                client.login_by_email("a@b.example")
            })
            .await;
        }
        "verify_login_code" => {
            let cookie = format!("session={}; Max-Age=60", plant.ascii("reply.set-cookie"));
            run.walk.set_cookie = Some(cookie);
            let reply = value!({ "email": plant.wide("reply.email") });
            run.with(Some(reply), no_json, |client, plant| {
                client.verify_login_code("a@b.example", plant.wide("body.code"))
            })
            .await;
        }
        "exchange_identity_token" => {
            let reply = value!({ "sessionId": plant.wide("reply.sessionId"), "expiresIn": 60 });
            run.with(Some(reply), no_json, |client, plant| {
                client.login_by_identity_token(plant.wide("body.token"))
            })
            .await;
        }
        "logout" => run.with(None, json, |client, _| client.logout()).await,
        "create_api_token" => {
            let reply = value!({ "id": "t-1", "token": plant.wide("reply.token") });
            run.with(Some(reply), json, |client, _| {
                client.api_tokens().create(NewApiToken::new("ci"))
            })
            .await;
        }
        "list_api_tokens" => {
            run.with(None, page_json, |client, _| client.api_tokens().list())
                .await
        }
        "delete_api_token" => {
            run.with(None, json, |client, _| client.api_token("t").revoke())
                .await
        }
        "get_current_user" => {
            let reply = value!({ "user": user(plant), "clusters": [cluster(plant)] });
            run.with(Some(reply), json, |client, _| client.current_user())
                .await;
        }
        "list_clusters" => {
            let reply = value!({ "clusters": [cluster(plant)] });
            run.with(Some(reply), page_json, |client, _| client.clusters().list())
                .await;
        }
        "rename_cluster" => {
            run.with(Some(cluster(plant)), json, |client, _| {
                client.clusters().by_id("c").rename("a")
            })
            .await;
        }
        "list_cluster_users" => {
            let reply = value!([user(plant)]);
            run.with(Some(reply), page_json, |client, _| {
                client.clusters().by_id("c").users().list()
            })
            .await;
        }
        "invite_cluster_users" => {
            let reply = value!({ "users": [plant.wide("reply.users")] });
            run.with(Some(reply), json, |client, _| {
                client.clusters().by_id("c").invite(["a@b.example"])
            })
            .await;
        }
        "get_integrations" => {
            let reply = integrations(plant);
            run.with(Some(reply), json, |client, _| {
                client.clusters().by_id("c").integrations()
            })
            .await;
        }
        "list_proxy_services" => {
            run.with(None, page_json, |client, _| client.routes().services())
                .await
        }
        "create_domain" => {
            run.with(None, json, |client, _| {
                client.domains().create(NewDomain::new("a.example", "s"))
            })
            .await
        }
        "list_domains" => {
            run.with(None, page_json, |client, _| client.domains().list())
                .await
        }
        "get_domain" => {
            run.with(None, json, |client, _| client.domain("a.example").get())
                .await
        }
        "delete_domain" => {
            run.with(None, json, |client, _| client.domain("a.example").delete())
                .await
        }
        "verify_domain" => {
            run.with(None, json, |client, _| client.domain("a.example").verify())
                .await
        }
        "get_domain_status" => {
            run.with(None, json, |client, _| client.domain("a.example").status())
                .await
        }
        "set_up_webhook" => {
            let reply =
                value!({ "webhookUrl": url_in_reply(plant, "webhookUrl"), "enabled": true });
            run.with(Some(reply), json, |client, plant| {
                let setup = WebhookSetup::new(git_url(plant, "webhook"), ["x"]);
                client.webhooks().set_up(setup)
            })
            .await;
        }
        "list_events" => {
            run.with(None, page_json, |client, _| client.events().list())
                .await
        }
        "get_health" => run.with(None, json, |client, _| client.health()).await,
        "list_versions" => run.with(None, json, |client, _| client.versions()).await,
        _ => crate::dployr_services::one(run).await,
    }
}

fn user(plant: &Plant) -> Value {
    value!({ "id": "u-1", "email": plant.wide("reply.email"), "name": plant.wide("reply.name"), "picture": plant.wide("reply.picture"), "provider": "email" })
}

fn cluster(plant: &Plant) -> Value {
    // The control plane keeps integrations in the metadata.
    value!({ "id": "c-1", "name": "c", "owner": plant.wide("reply.owner"), "metadata": { "gitLab": { "accessToken": plant.wide("reply.metadata") } } })
}

fn integrations(plant: &Plant) -> Value {
    let provider = value!({ "loginId": "a", "accessToken": plant.wide("reply.accessToken") });
    let chat = value!({ "webhookUrl": plant.wide("reply.webhookUrl"), "enabled": true });
    let own = value!({ "webhookUrl": url_in_reply(plant, "customWebhook"), "enabled": true });
    value!({
        "remote": { "gitHub": provider, "gitLab": provider, "bitBucket": provider },
        "email": { "resendMail": { "apiKey": plant.wide("reply.apiKey") } },
        "notification": { "discord": chat, "slack": chat, "customWebhook": own },
    })
}

/// What is never sent.
pub async fn handles(walk: &mut Walk) {
    let plant = Plant::new("dployr sessions");
    let client = Client::builder().base_url("https://a.example").build();
    let signed_in = client.unwrap().with_session(plant.ascii("cookie")).unwrap();
    walk.debug("client with a session", &signed_in);
    walk.debug("handle", &signed_in.api_tokens());
    walk.debug("handle", &signed_in.clusters().by_id("c").users());
    let bad = format!("{};x", plant.plain("cookie (refused)"));
    walk.look_at_error("a bad session", &signed_in.with_session(bad).unwrap_err());
    // The code of a login that this client asked for.
    let recorder = Recorder::new();
    recorder.answer_with(|_| CannedReply::json(200, "{}"));
    let client = Target::Recorder(recorder).apply(Client::builder()).build();
    let sent = client.unwrap().login_by_email("a@b.example").await.unwrap();
    walk.debug("code sent", &sent);
    let verify = || sent.verify(plant.wide("unsent code"));
    walk.debug("call", &verify());
    let preview = verify().preview().unwrap();
    walk.findings.look("preview", &preview.to_string());
    walk.look_at_error("no cookie", &verify().await.unwrap_err());
    let setup = WebhookSetup::new(git_url(&plant, "webhook"), ["x"]);
    walk.debug("new", &setup);
    let bad = format!("no url {}", plant.plain("url of a webhook that is none"));
    let refused = signed_in.webhooks().set_up(WebhookSetup::new(bad, ["x"]));
    walk.look_at_error("refused", &refused.preview().unwrap_err());
}
