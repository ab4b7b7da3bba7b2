//! Recorded exchanges with what a control plane has around its services.

use super::recorded::{json_of, operation_of, page_json, without_nulls};
use super::{OWN, client};
use deploykit::dployr::{Client, NewApiToken, NewDomain, WebhookSetup};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, Error, ErrorKind, OPERATIONS, Result};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// The cookie of a login as the control plane sends it: the recording has the request with it alone.
const COOKIE: &str =
    "session=0a4c2f6e-1d3b-4c5a-9e8f-7b6a5d4c3b2a; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax";
const SESSION: &str = "0a4c2f6e-1d3b-4c5a-9e8f-7b6a5d4c3b2a";

/// Calls the wrapper of an operation around services; `None` if it is none of them.
pub async fn call(client: &Client, operation: &str, id: &str) -> Option<Result<Value>> {
    Some(called(client, operation, id).await.transpose()?)
}

async fn called(client: &Client, operation: &str, id: &str) -> Result<Option<Value>> {
    let cluster = client.clusters().by_id(id);
    let domain = client.domain(id);
    Ok(Some(match operation {
        "request_login_code" => {
            let sent = client.login_by_email("login@example.com").await?;
            json!({ "requireTotp": sent.needs_second_factor() })
        }
        "verify_login_code" => {
            let session = client.verify_login_code("login@example.com", "70INTT");
            let session = session.await?;
            json!([session.id.expose(), session.expires_in.map(|e| e.as_secs())])
        }
        "exchange_identity_token" => {
            let session = client.login_by_identity_token("eyJhbGciOi").await?;
            json!([session.id.expose(), session.expires_in.map(|e| e.as_secs())])
        }
        "logout" => json!(client.logout().await?),
        "create_api_token" => {
            let created = client.api_tokens().create(NewApiToken::new("ci")).await?;
            assert!(created.token.expose().starts_with("dpat_"));
            json_of(created)
        }
        "list_api_tokens" => page_json(client.api_tokens().list().await?),
        "delete_api_token" => json!(client.api_token(id).revoke().await?),
        "get_current_user" => json_of(client.current_user().await?),
        "list_clusters" => page_json(client.clusters().list().await?),
        "rename_cluster" => json_of(cluster.rename("acme").await?),
        "list_cluster_users" => page_json(cluster.users().list().await?),
        "invite_cluster_users" => json_of(cluster.invite(["new@example.com"]).await?),
        "get_integrations" => json_of(cluster.integrations().await?),
        "list_proxy_services" => page_json(client.routes().services().await?),
        "create_domain" => {
            let client = client.with_cluster(OWN)?;
            let new = NewDomain::new("App.Example.com", "web-one");
            json_of(client.domains().create(new).await?)
        }
        "list_domains" => page_json(client.domains().list().await?),
        "get_domain" => json_of(domain.get().await?),
        "verify_domain" => json!(domain.verify().await?),
        "delete_domain" => json!(domain.delete().await?),
        "get_domain_status" => json_of(client.domain("web-one.dployr.run").status().await?),
        "set_up_webhook" => {
            let setup = WebhookSetup::new("http://127.0.0.1:9/hook", ["deployment.created"]);
            json_of(client.webhooks().set_up(setup).await?)
        }
        "list_events" => page_json(client.events().list().await?),
        "get_health" => json_of(client.health().await?),
        "list_versions" => json_of(client.versions().await?),
        _ => return Ok(None),
    }))
}

/// The same reply with what the bodies of recordings and examples do not have.
pub fn whole(operation: &str, status: u16, reply: CannedReply) -> CannedReply {
    match (operation, status) {
        ("verify_login_code", 200) => reply.header("set-cookie", COOKIE),
        _ => reply,
    }
}

/// The operations that carry no credentials of the client.
const OPEN: [&str; 6] = [
    "request_login_code",
    "verify_login_code",
    "exchange_identity_token",
    "get_health",
    "list_versions",
    "get_domain_status",
];

#[tokio::test]
async fn recorded_exchanges() {
    let exchanges: Vec<Value> =
        serde_json::from_str(include_str!("../fixtures/dployr/account-exchanges.json")).unwrap();
    let recorder = Recorder::new();
    let with_token = client(&recorder, Some(OWN));
    let with_session = with_token.with_session(SESSION).unwrap();
    let mut seen = BTreeSet::new();
    for exchange in &exchanges {
        let request = &exchange["request"];
        let (method, path) = (
            request["method"].as_str().unwrap(),
            request["path"].as_str().unwrap(),
        );
        let what = format!("{method} {path}: {}", exchange["note"]);
        let Some(operation) = operation_of(method, path) else {
            panic!("{what} belongs to no operation");
        };
        let response = &exchange["response"];
        let status = u16::try_from(response["status"].as_u64().unwrap()).unwrap();
        seen.insert((operation.id, status < 300));
        let body = match &response["body"] {
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        let mut reply = CannedReply::new(status, body);
        for (name, value) in response["headers"].as_object().unwrap() {
            reply = reply.header(name, value.as_str().unwrap());
        }
        recorder.reply(operation.id, whole(operation.id, status, reply));
        let has_cookie = request["headers"].get("Cookie").is_some();
        let client = if has_cookie {
            &with_session
        } else {
            &with_token
        };
        let path = path.split('?').next().unwrap();
        let id = path.split('/').nth(3).unwrap_or_default();
        let id = if path.starts_with("/v1/auth/tokens/") {
            path.rsplit('/').next().unwrap()
        } else {
            id
        };
        let result = call(client, operation.id, id).await.unwrap();

        let sent = recorder.requests().pop().unwrap();
        assert_eq!((sent.method.as_str(), sent.path.as_str()), (method, path));
        assert_eq!(sent.operation, Some(operation.id));
        let credentials = sent.headers.iter().filter_map(|(name, _)| {
            let known = ["authorization", "cookie"].contains(&name.as_str());
            known.then_some(name.as_str())
        });
        let expected = match operation.id {
            id if OPEN.contains(&id) => None,
            _ if has_cookie => Some("cookie"),
            _ => Some("authorization"),
        };
        assert_eq!(
            credentials.collect::<Vec<_>>(),
            Vec::from_iter(expected),
            "{what}"
        );
        match result {
            Ok(value) if status < 300 => {
                assert_value(operation.id, &value, &response["body"], &what);
            }
            Err(error) if status >= 300 => assert_error(&error, response, &what),
            other => panic!("{what}: {other:?}"),
        }
    }
    let unseen: Vec<_> = OPERATIONS
        .iter()
        .filter(|op| op.api == "dployr" && matches!(op.evidence, deploykit::Evidence::Observed))
        .filter(|op| !op.documented && !seen.contains(&(op.id, true)))
        // Those of services and instances are in the other recording.
        .filter(|op| {
            let part = op.path.split('/').nth(2);
            !matches!(part, Some("services" | "instances" | "logs"))
        })
        .map(|op| op.id)
        .collect();
    assert_eq!(unseen, [""; 0], "no recorded success");
    assert!(seen.contains(&("verify_domain", false)));
}

fn assert_value(id: &str, value: &Value, body: &Value, what: &str) {
    let data = &body["data"];
    let expected = match id {
        "request_login_code" => json!({ "requireTotp": false }),
        "verify_login_code" => json!([SESSION, 604_800]),
        "get_health" | "get_domain_status" => body.clone(),
        "logout" | "delete_api_token" | "delete_domain" => Value::Null,
        "rename_cluster" => kept(&data["cluster"]),
        "list_clusters" => json!({ "items": kept(&data["clusters"]), "page": 1, "more": false }),
        "list_proxy_services" => {
            json!({ "items": kept(&data["services"]), "page": 1, "more": false })
        }
        _ if data.get("pagination").is_some() => {
            let pagination = &data["pagination"];
            json!({ "items": kept(&data["items"]), "page": pagination["page"], "total": pagination["totalItems"], "more": pagination["hasNextPage"] })
        }
        _ => kept(data),
    };
    assert_eq!(filled(value.clone()), filled(expected), "{what}");
}

/// What is kept of a reply: no metadata, and neither people nor tokens are written out.
fn kept(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let is_person = map.contains_key("email") && map.contains_key("provider");
            let entries = map.iter().filter(|(key, _)| *key != "metadata");
            let entries = entries.map(|(key, value)| {
                let personal = is_person && ["email", "name", "picture"].contains(&key.as_str());
                let personal = personal || key == "owner" && value.is_string();
                let value = match value {
                    Value::String(_) if personal => json!("<personal>"),
                    Value::String(_) if key == "token" => json!("<redacted>"),
                    value => kept(value),
                };
                (key.clone(), value)
            });
            Value::Object(entries.collect())
        }
        Value::Array(items) => items.iter().map(kept).collect(),
        other => other.clone(),
    }
}

/// Without nulls, and without lists and objects that hold nothing.
fn filled(value: Value) -> Value {
    match without_nulls(value) {
        Value::Object(map) => map
            .into_iter()
            .map(|(key, value)| (key, filled(value)))
            .filter(|(_, value)| *value != json!({}) && *value != json!([]))
            .collect(),
        Value::Array(items) => items.into_iter().map(filled).collect(),
        other => other,
    }
}

fn assert_error(error: &Error, response: &Value, what: &str) {
    let status = response["status"].as_u64().unwrap();
    let body = &response["body"];
    let code = body["error"]["code"].as_str().or(body["code"].as_str());
    let message = body["error"]["message"]
        .as_str()
        .or(body["error"].as_str())
        .or(body["status"].as_str());
    let hinted = response["headers"].get("retry-after").is_some();
    let kind = match (status, code) {
        (400, Some("request.bad_request" | "request.invalid_otp") | None) => ErrorKind::Rejected,
        (401, Some("auth.bad_session")) => ErrorKind::Unauthenticated,
        (403, Some(code)) if code.starts_with("permission.") => ErrorKind::Forbidden,
        (404, Some("resource.missing_resource")) => ErrorKind::NotFound,
        (409, Some("resource.conflict")) => ErrorKind::Conflict,
        (422, Some("request.unprocessable_entity")) => ErrorKind::Rejected,
        (429, Some("request.too_many_requests")) if hinted => ErrorKind::RateLimited,
        (429, Some("request.too_many_requests")) => ErrorKind::Quota,
        (500, _) => ErrorKind::Server,
        other => panic!("{what}: nobody said what {other:?} means"),
    };
    assert_eq!(error.kind(), kind, "{what}");
    assert_eq!(error.status().map(u64::from), Some(status), "{what}");
    assert_eq!(error.code(), code, "{what}");
    let plain = (status == 500).then_some("Internal Server Error");
    assert_eq!(error.message(), message.or(plain), "{what}");
    let effect = match status {
        500 => Effect::Unknown,
        _ => Effect::None,
    };
    assert_eq!(error.effect(), effect, "{what}");
    assert_eq!(error.retry_after().is_some(), hinted, "{what}");
    let text = error.to_string();
    let advice = match (code, message) {
        (Some("auth.bad_session"), _) => "with_session",
        (Some("permission.forbidden"), Some(message)) if message.contains("tokens") => {
            "login_by_email"
        }
        (Some("request.invalid_otp"), _) => "ten minutes",
        (Some("request.unprocessable_entity"), _) => "TXT record that domain(..).get() shows",
        (_, Some(message)) if message.contains("once per month") => "once a month",
        _ => return,
    };
    assert!(text.contains(advice), "{what}: {text}");
}

#[tokio::test]
async fn tokens_of_providers_are_never_shown() {
    let recorder = Recorder::new();
    let webhook = |url: &str| json!({ "webhookUrl": url, "enabled": true, "events": ["deployment.created", "new.event"] });
    let data = json!({
        "remote": {
            "gitHub": { "loginId": "octo", "installationId": 1, "installUrl": "https://github.com/apps/dployr-io", "remotesCount": 2 },
            "gitLab": { "loginId": "g", "accessToken": "hush-lab", "remotesCount": 0, "enabled": true },
            "bitBucket": { "loginId": "b", "accessToken": "hush-bucket", "remotesCount": 0, "enabled": false },
        },
        "email": { "resendMail": { "apiKey": "hush-mail" } },
        "notification": {
            "discord": webhook("https://discord.example/api/webhooks/1/hush-discord"),
            "slack": webhook("https://hooks.slack.example/services/hush-slack"),
            "customWebhook": webhook("https://u:hush-user@a.example/h?key=hush-query"),
            "email": { "enabled": true },
        },
    });
    let body = json!({ "success": true, "data": data });
    recorder.answer_with(move |_| CannedReply::json(200, body.to_string()));
    let client = client(&recorder, Some(OWN));
    let integrations = client.clusters().by_id(OWN).integrations().await.unwrap();
    let shown = format!(
        "{integrations:?} {:#?} {}",
        integrations,
        json_of(&integrations)
    );
    assert!(!shown.contains("hush"), "{shown}");

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

#[tokio::test]
async fn a_204_is_a_success_without_a_body() {
    let recorder = Recorder::new();
    recorder.answer_with(|_| CannedReply::new(204, ""));
    let client = client(&recorder, None);
    client.domain("a.example").verify().await.unwrap();
    client.domain("a.example").delete().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_changes_something_is_not_repeated_though_it_is_a_get() {
    let recorder = Recorder::new();
    recorder.answer_with(|_| CannedReply::new(503, ""));
    let builder = Client::builder().base_url("https://dployr.example");
    let builder = builder.token("t").retry(deploykit::Retry::default());
    let client = builder.recorder(&recorder).build().unwrap();
    let attempts = |error: Error| (error.attempts(), error.effect());
    let logout = client.logout().await.unwrap_err();
    assert_eq!(attempts(logout), (1, Effect::Unknown));
    let status = client.domain("a.example").status().await.unwrap_err();
    assert_eq!(attempts(status), (1, Effect::Unknown));
    let rename = client.clusters().by_id("c").rename("a").await.unwrap_err();
    assert_eq!(attempts(rename), (1, Effect::Unknown));
    let read = client.clusters().list().await.unwrap_err();
    assert_eq!(attempts(read), (3, Effect::None));

    let quota = json!({ "success": false, "error": { "message": "You can only rename once per month.", "code": "request.too_many_requests" } });
    recorder.answer_with(move |_| {
        CannedReply::json(429, quota.to_string()).header("x-ratelimit-remaining", "80")
    });
    let rename = client.clusters().by_id("c").rename("a").await.unwrap_err();
    assert_eq!((rename.kind(), rename.attempts()), (ErrorKind::Quota, 1));
    assert_eq!(rename.retry_after(), None::<Duration>);
}
