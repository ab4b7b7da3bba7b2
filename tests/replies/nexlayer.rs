//! Responses of Nexlayer.

mod deploy;
mod validation;

use super::support::Server;
use crate::Replay;
use crate::{assert_failure, json_reply};
use deploykit::nexlayer::{ApplicationState, Client, Manifest, SessionHandle};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Call, Effect, ErrorKind, Result, operation::OPERATIONS};
use serde_json::json;
use std::time::Duration;

const TOKEN: &str = "used-4Qz7";
const HTML: &str = "text/html; charset=utf-8";

/// Calls an operation and answers it with a canned reply.
async fn answer<T: Send + 'static>(
    operation: &str,
    reply: CannedReply,
    call: impl FnOnce(SessionHandle) -> Call<T>,
) -> Result<T> {
    let recorder = Recorder::new();
    recorder.reply(operation, reply);
    let client = Client::builder().recorder(&recorder).build().unwrap();
    call(client.session(TOKEN)).await
}

fn manifest() -> Manifest {
    Manifest::parse("application: {name: from-the-manifest}").unwrap()
}

fn minutes(n: u64) -> Option<Duration> {
    Some(Duration::from_secs(60 * n))
}

#[tokio::test]
async fn web_page_with_status_200_is_a_decode_error() {
    let replay = Replay::default();
    let nexlayer = OPERATIONS.iter().filter(|one| one.api == "nexlayer");
    for operation in nexlayer {
        let page = "<!DOCTYPE html><html><body>Welcome</body></html>";
        let reply = CannedReply::new(200, page).header("content-type", HTML);
        let error = replay.send(operation, "", reply).await.unwrap_err();
        let effect = match operation.is_read_only() {
            true => Effect::None,
            false => Effect::Unknown,
        };
        assert_eq!(
            (error.kind(), error.effect(), error.status()),
            (ErrorKind::Decode, effect, Some(200)),
            "{operation}: {error}"
        );
    }
}

#[tokio::test]
async fn manifest_is_sent_unchanged_and_token_is_percent_encoded() {
    let text = "\u{feff}# ü\r\napplication: {name: a}   # <% URL %>\r\n\t\r\n";
    let server = Server::replies("200 OK", &["content-type: application/json"], "{}").await;
    let client = Client::builder()
        .base_url(&server.base_url)
        .build()
        .unwrap();
    let session = client.session("a b&c=d#é%2F/+?");
    session
        .deploy(Manifest::parse(text).unwrap())
        .await
        .unwrap();
    session
        .update(Manifest::parse(text).unwrap())
        .await
        .unwrap();
    session.reservations().list().await.unwrap();
    let requests = server.requests();
    let token = "sessionToken=a+b%26c%3Dd%23%C3%A9%252F%2F%2B%3F";
    for (request, line) in requests.iter().zip([
        format!("POST /startUserDeployment?{token} HTTP/1.1\r\n"),
        format!("POST /updateUserDeployment?{token} HTTP/1.1\r\n"),
        format!("GET /getReservations?{token} HTTP/1.1\r\n"),
    ]) {
        assert!(request.starts_with(&line), "{request}");
        assert!(!request.contains("api-version"), "{request}");
    }
    for request in &requests[..2] {
        assert!(
            request.contains("content-type: text/x-yaml\r\n"),
            "{request}"
        );
        let body = request.split_once("\r\n\r\n").unwrap().1;
        assert_eq!(body, text);
    }
    assert_eq!(requests.len(), 3);
}

#[tokio::test]
async fn extensions_are_decoded_in_every_form() {
    let text = "Application Complete-Test-App has been extended. Environment will expire in 150 minutes. 0 extension(s) remaining.";
    for reply in [
        json_reply(200, json!(text)),
        CannedReply::new(200, text.replace(". ", ".  ")).header("content-type", HTML),
        json_reply(200, json!({ "success": true, "data": { "message": text } })),
    ] {
        let extended = answer("extend_deployment", reply, |s| s.application("x").extend())
            .await
            .unwrap();
        assert_eq!(
            (extended.expires_in, extended.extensions_remaining),
            (minutes(150), Some(0))
        );
        let parts: Vec<_> = extended.message.split_whitespace().collect();
        assert_eq!(parts.join(" "), text);
    }
    let unknown = CannedReply::new(200, "Done, for once.");
    let extended = answer("extend_deployment", unknown, |s| {
        s.application("x").extend()
    })
    .await
    .unwrap();
    assert_eq!(
        (extended.expires_in, extended.message.as_str()),
        (None, "Done, for once.")
    );
}

#[tokio::test]
async fn claim_urls_are_decoded_and_redacted() {
    let url = "https://app.nexlayer.io/claim/dCf0NdAQ64j6";
    let visit = format!("You're almost there! Visit {url} to finalize your deployment.");
    for (body, expected) in [
        (
            json!({ "message": "Visit the claim URL.", "claimUrl": url }),
            Some(url),
        ),
        (json!({ "claimURL": url }), Some(url)),
        (json!({ "message": visit }), Some(url)),
        (json!({ "claimUrl": "", "message": "Later." }), None),
        (json!({ "claimUrl": "dCf0NdAQ64j6" }), None),
        (json!({ "claimUrl": "javascript:dCf0" }), None),
    ] {
        let mut reply = body.clone();
        reply["claimToken"] = json!("dCf0NdAQ64j6");
        let reply = json_reply(200, &reply);
        let claim = answer("claim_deployment", reply, |s| s.application("a").claim())
            .await
            .unwrap();
        let found = claim.url.as_ref().map(|url| url.expose());
        assert_eq!(found, expected, "{body}");
        assert_eq!(claim.token.as_ref().unwrap().expose(), "dCf0NdAQ64j6");
        assert!(!format!("{claim:?}").contains("dCf0"), "{claim:?}");
    }
}

#[tokio::test]
async fn reservations_are_decoded() {
    let body = json!({ "success": true, "data": [
        { "applicationName": "my-app", "status": { "state": "running" }, "expiresAt": "2024-01-15T12:30:00.5Z" },
        { "status": "Hibernating", "expiresAt": "soon" },
    ] });
    let reply = json_reply(200, &body);
    let list = answer("get_reservations", reply, |s| s.reservations().list()).await;
    let states = [
        (ApplicationState::Running, Some(1_705_321_800_500)),
        (ApplicationState::Unknown("Hibernating".into()), None),
    ];
    let items = list.unwrap().items;
    assert_eq!(items.len(), 2);
    for (item, (state, expires_at)) in items.iter().zip(states) {
        assert_eq!(item.status.as_ref().unwrap().state, Some(state));
        assert_eq!(item.expires_at.as_ref().unwrap().unix_millis(), expires_at);
    }
    for body in [json!({ "reservedDeployments": null }), json!({})] {
        let list = answer("get_reservations", json_reply(200, &body), |s| {
            s.reservations().list()
        });
        assert!(list.await.unwrap().items.is_empty());
    }
}

#[tokio::test]
async fn deleted_reservations_are_decoded() {
    let text = "Application My App reservation  has been removed.\n Application site will be removed within the  next 10 minutes.";
    let reply = json_reply(200, json!({ "message": text }));
    let call = |s: SessionHandle| s.application("a").delete_reservation();
    let removed = answer("remove_deployment_reservation", reply, call).await;
    let removed = removed.unwrap();
    assert_eq!(
        (removed.sites_removed_within, removed.message.as_str()),
        (minutes(10), text)
    );
    let text = "Application reservations have been removed. If deployments have reached their time limits, application sites will be removed within 10 minutes.";
    let reply = CannedReply::new(200, text).header("content-type", HTML);
    let removed = answer("remove_reservations", reply, |s| {
        s.reservations().delete_all()
    })
    .await;
    let removed = removed.unwrap();
    assert_eq!(
        (removed.sites_removed_within, removed.message.as_str()),
        (minutes(10), text)
    );
}

#[tokio::test]
async fn rejections_with_status_500_have_specific_kinds() {
    for (text, kind, effect) in [
        (
            "Application a reservation has already been removed.",
            ErrorKind::AlreadyRemoved,
            Effect::None,
        ),
        (
            "User is not on the Scale or Conquer plan. Please upgrade your plan to add a reservation.",
            ErrorKind::PlanLimit,
            Effect::None,
        ),
        ("something broke", ErrorKind::Server, Effect::Unknown),
    ] {
        let reply = json_reply(500, json!({ "error": text }));
        let call = |s: SessionHandle| s.application("a").delete_reservation();
        let error = answer("remove_deployment_reservation", reply, call)
            .await
            .unwrap_err();
        assert_failure(&error, kind, effect);
        assert_eq!(error.message(), Some(text));
        let is_retryable = kind == ErrorKind::Server;
        assert!(is_retryable || !error.is_retryable(), "{error}");
    }
}

#[tokio::test]
async fn token_in_an_error_message_is_redacted() {
    let reply = json_reply(400, json!({ "error": format!("no session {TOKEN}") }));
    let error = answer("get_reservations", reply, |s| s.reservations().list())
        .await
        .unwrap_err();
    assert_eq!(error.message(), Some("no session <redacted>"));
    assert!(!format!("{error:?} {:?}", error.body_excerpt()).contains(TOKEN));
}

#[tokio::test]
async fn manifest_secret_in_an_error_message_is_redacted() {
    let manifest =
        Manifest::parse("application: {name: a, pods: [{vars: {API_TOKEN: Hush-1234}}]}");
    let body = json!({ "error": "cannot set API_TOKEN=Hush-1234" }).to_string();
    let call = |session: SessionHandle| session.deploy(manifest.unwrap());
    let reply = CannedReply::json(400, body);
    let error = answer("start_user_deployment", reply, call)
        .await
        .unwrap_err();
    assert_eq!(error.message(), Some("cannot set API_TOKEN=<redacted>"));
    assert_eq!(
        error.body_excerpt(),
        Some(r#"{"error":"cannot set API_TOKEN=<redacted>"}"#)
    );
}

#[tokio::test]
async fn response_to_feedback_is_decoded_in_every_form() {
    for (reply, expected) in [
        (
            CannedReply::new(200, "OK").header("content-type", HTML),
            "OK",
        ),
        (json_reply(200, json!({ "message": "Thanks." })), "Thanks."),
    ] {
        let text = answer("send_feedback", reply, |s| s.send_feedback("a")).await;
        assert_eq!(text.unwrap(), expected);
    }
}

#[tokio::test]
async fn pods_are_decoded() {
    let pods = |reply| {
        answer("get_pods_status", reply, |s: SessionHandle| {
            s.application("a").pods().list()
        })
    };
    let body = json!({ "pods": [{ "name": "web", "status": "Running" }, { "name": "db", "status": [7] }] });
    let found = pods(json_reply(200, &body)).await.unwrap().items;
    let found: Vec<_> = found
        .iter()
        .map(|pod| (pod.name.as_deref(), pod.status.as_deref()))
        .collect();
    assert_eq!(found, [(Some("web"), Some("Running")), (Some("db"), None)]);
    let none = pods(json_reply(200, json!({}))).await.unwrap();
    assert!(none.items.is_empty());
    let error = pods(json_reply(200, json!({ "pods": 7 }))).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Decode);
    let page = "<!DOCTYPE html><html><body><pre>Cannot POST /getPodsStatus</pre></body></html>";
    let error = pods(CannedReply::new(404, page)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchRoute);
}
