//! Replies about accounts: secrets, and GETs that are not retried.

use super::{OWN, client, client_with_body};
use crate::json_reply;
use deploykit::dployr::{Client, EventType};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, Error, ErrorKind};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn secret_values_are_decoded() {
    let body = json!({ "success": true, "data": {
        "envs": { "A": "1", "B": "two" }, "sessionId": "s-1", "expiresIn": 60, "requireTotp": true, "email": "a@b.example",
    } });
    let client = client_with_body(&body);
    let variables = client.service("s").env_variables().get_map().await.unwrap();
    let variables: Vec<_> = variables
        .iter()
        .map(|(key, value)| (key.as_str(), value.expose()))
        .collect();
    assert_eq!(variables, [("A", "1"), ("B", "two")]);
    let session = client.login_by_identity_token("x.y.z").await.unwrap();
    assert_eq!(session.id.expose(), "s-1");
    assert_eq!(session.expires_in, Some(Duration::from_secs(60)));
    let sent = client.login_by_email("a@b.example").await.unwrap();
    assert!(sent.needs_second_factor());

    let variables = json!([{ "key": "A", "value": "1" }, { "key": "B", "value": null }]);
    let listed = client_with_body(&variables)
        .service("s")
        .env_variables()
        .list()
        .await;
    let listed = listed.unwrap().items;
    let values: Vec<_> = listed
        .iter()
        .map(|variable| {
            let value = variable.value.as_ref();
            (variable.key.as_str(), value.map(|value| value.expose()))
        })
        .collect();
    assert_eq!(values, [("A", Some("1")), ("B", None)]);
}

#[tokio::test]
async fn tokens_of_git_providers_are_redacted() {
    let recorder = Recorder::new();
    let webhook = |url: &str| json!({ "webhookUrl": url, "enabled": true, "events": ["deployment.created", "new.event"] });
    let data = json!({
        "remote": {
            "gitHub": { "loginId": "octo", "installationId": 1, "installUrl": "https://github.com/apps/dployr-io", "remotesCount": 2 },
            "gitLab": { "loginId": "g", "accessToken": "hush-lab", "remotesCount": 0, "enabled": true },
            "bitBucket": { "loginId": "b", "accessToken": "hush-bucket", "remotesCount": 0, "enabled": false },
        },
        "email": { "resendMail": { "apiKey": "hush-mail", "enabled": true } },
        "notification": {
            "discord": webhook("https://discord.example/api/webhooks/1/hush-discord"),
            "slack": webhook("https://hooks.slack.example/services/hush-slack"),
            "customWebhook": webhook("https://u:hush-user@a.example/h?key=hush-query"),
            "email": { "enabled": true },
        },
    });
    let body = json!({ "success": true, "data": data });
    recorder.answer_with(move |_| json_reply(200, &body));
    let client = client(&recorder, Some(OWN));
    let integrations = client.cluster(OWN).integrations().await.unwrap();
    let refused = serde_json::to_string(&integrations).unwrap_err();
    let shown = format!("{integrations:?} {integrations:#?} {refused}");
    assert!(!shown.contains("hush"), "{shown}");

    let mail = integrations.email.unwrap().resend_mail.unwrap();
    assert_eq!(mail.enabled, Some(true));
    let remote = integrations.remote.unwrap();
    assert_eq!(remote.git_hub.unwrap().installation_id, Some(1));
    assert_eq!(
        remote.git_lab.unwrap().access_token.unwrap().expose(),
        "hush-lab"
    );
    let notification = integrations.notification.unwrap();
    let slack = notification.slack.unwrap().webhook_url.unwrap();
    assert!(slack.expose().ends_with("hush-slack"));
    let own = notification.custom_webhook.unwrap();
    assert!(
        own.webhook_url
            .unwrap()
            .expose()
            .ends_with("key=hush-query")
    );
    let events: Vec<_> = own
        .events
        .iter()
        .flatten()
        .map(|event| event.as_str())
        .collect();
    assert_eq!(events, ["deployment.created", "new.event"]);
}

/// The server stores integrations in the metadata of users and clusters, with their tokens.
#[tokio::test]
async fn metadata_of_users_and_clusters_is_decoded_and_redacted() {
    let metadata = json!({
        "gitLab": { "loginId": "g", "accessToken": "hush-lab" },
        "slack": { "webhookUrl": "https://hooks.slack.example/services/hush-slack" },
        "unknown": { "key": "hush-unknown" },
    });
    let user = json!({ "id": "u", "metadata": metadata });
    let clusters = json!([{ "id": OWN, "metadata": metadata }, { "id": "c-2", "metadata": {} }]);
    let recorder = Recorder::new();
    let body = json!({ "success": true, "data": { "user": user, "clusters": clusters } });
    recorder.answer_with(move |_| json_reply(200, &body));
    let me = client(&recorder, None).current_user().await.unwrap();
    let shown = format!("{me:?}");
    assert!(!shown.contains("hush"), "{shown}");
    let user = me.user.metadata.unwrap();
    let cluster = me.clusters[0].metadata.clone().unwrap();
    for metadata in [user, cluster] {
        let token = metadata.git_lab.unwrap().access_token.unwrap();
        assert_eq!(token.expose(), "hush-lab");
        assert!(metadata.slack.is_some());
    }
    assert!(me.clusters[1].metadata.is_some());
}

#[tokio::test]
async fn events_have_named_targets_and_known_types() {
    let event = |kind: &str, name: &str| json!({ "id": kind, "type": kind, "targets": [{ "id": name, "name": name }] });
    let items = json!([
        event("node.drained", "loop-node-1"),
        event("resource.resource_created", "a@hush.example"),
    ]);
    let recorder = Recorder::new();
    let body = json!({ "success": true, "data": { "items": items } });
    recorder.answer_with(move |_| json_reply(200, &body));
    let events = client(&recorder, Some(OWN)).events().list().await.unwrap();
    let kinds: Vec<_> = events
        .items
        .iter()
        .map(|event| event.type_.clone())
        .collect();
    assert_eq!(
        kinds,
        [
            Some(EventType::NodeDrained),
            Some(EventType::ResourceResourceCreated)
        ]
    );
    let name = events.items[0].targets[0].name.as_ref().unwrap();
    assert_eq!(name.as_str(), "loop-node-1");
    // An event of an invitation has an e-mail address as its id and its name.
    let text = format!("{events:?}");
    assert!(!text.contains("hush"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_get_that_changes_state_is_not_retried() {
    let recorder = Recorder::new();
    recorder.answer_with(|_| CannedReply::new(503, ""));
    let builder = Client::builder().base_url("https://dployr.example");
    let builder = builder.token("t").retry(deploykit::Retry::default());
    let client = builder.recorder(&recorder).build().unwrap();
    let attempts = |error: Error| (error.attempts(), error.effect());
    let logout = client.logout_everywhere().await.unwrap_err();
    assert_eq!(attempts(logout), (1, Effect::Unknown));
    let status = client.domain("a.example").status().await.unwrap_err();
    assert_eq!(attempts(status), (1, Effect::Unknown));
    let rename = client.cluster("c").rename("a").await.unwrap_err();
    assert_eq!(attempts(rename), (1, Effect::Unknown));
    let read = client.clusters().list().await.unwrap_err();
    assert_eq!(attempts(read), (3, Effect::None));

    let quota = json!({ "success": false, "error": { "message": "You can only rename once per month.", "code": "request.too_many_requests" } });
    recorder.answer_with(move |_| json_reply(429, &quota).header("x-ratelimit-remaining", "80"));
    let rename = client.cluster("c").rename("a").await.unwrap_err();
    assert_eq!((rename.kind(), rename.attempts()), (ErrorKind::Quota, 1));
    assert_eq!(rename.retry_after(), None::<Duration>);
}
