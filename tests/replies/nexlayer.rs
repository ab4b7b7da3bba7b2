mod beside;
mod starts;

use super::support::Server;
use crate::Replay;
use crate::{assert_failure, json_reply};
use deploykit::nexlayer::{ApplicationState, Client, Manifest, Session};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Call, Effect, Error, ErrorKind, OPERATIONS, Result};
use serde_json::json;
use std::time::Duration;

const TOKEN: &str = "used-4Qz7";

/// Calls an operation against a prepared reply.
async fn answer<T: Send + 'static>(
    operation: &str,
    reply: CannedReply,
    call: impl FnOnce(Session) -> Call<T>,
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

/// A site that answers for every path answers 200 with a page.
#[tokio::test]
async fn a_page_is_no_success() {
    let replay = Replay::default();
    let nexlayer = OPERATIONS.iter().filter(|one| one.api == "nexlayer");
    for operation in nexlayer {
        let page = "<!DOCTYPE html><html><body>Welcome</body></html>";
        let reply = CannedReply::new(200, page).header("content-type", "text/html; charset=utf-8");
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
async fn the_manifest_goes_out_byte_for_byte_and_the_token_encoded() {
    let text = "\u{feff}# ü\r\napplication: {name: a}   # <% URL %>\r\n\t\r\n";
    let server = Server::replies("200 OK", &["content-type: application/json"], "{}").await;
    let client = Client::builder()
        .base_url(&server.base_url)
        .build()
        .unwrap();
    let session = client.session("a b&c=d#é%2F/+?");
    session.start(Manifest::parse(text).unwrap()).await.unwrap();
    session
        .update(Manifest::parse(text).unwrap())
        .await
        .unwrap();
    session.reservations().await.unwrap();
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
async fn an_extension_in_every_form() {
    let text = "Application Complete-Test-App has been extended. Environment will expire in 150 minutes. 0 extension(s) remaining.";
    let html = "text/html; charset=utf-8";
    for reply in [
        json_reply(200, json!(text)),
        CannedReply::new(200, text).header("content-type", html),
        CannedReply::new(200, format!("  {text}\n")),
        CannedReply::new(200, text.replace(". ", ".  ")).header("content-type", html),
        json_reply(200, json!({ "message": text })),
        json_reply(200, json!({ "success": true, "data": { "message": text } })),
    ] {
        let extended = answer("extend_deployment", reply, |s| s.application("x").extend())
            .await
            .unwrap();
        assert_eq!(extended.application.as_deref(), Some("Complete-Test-App"));
        assert_eq!(
            (extended.expires_in, extended.extensions_remaining),
            (minutes(150), Some(0))
        );
        let words: Vec<_> = extended.text.split_whitespace().collect();
        assert_eq!(words.join(" "), text, "the sentence as it came");
    }
    let odd = CannedReply::new(200, "Done, for once.");
    let extended = answer("extend_deployment", odd, |s| s.application("x").extend())
        .await
        .unwrap();
    assert_eq!(
        (extended.expires_in, extended.text.as_str()),
        (None, "Done, for once.")
    );
}

#[tokio::test]
async fn claims_show_no_token_by_accident() {
    for url in [
        "https://app.nexlayer.io/claim/dCf0NdAQ64j6/",
        "https://app.nexlayer.io/claim?t=dCf0NdAQ64j6&next=/a/b",
        "https://dCf0NdAQ64j6@app.nexlayer.io/",
    ] {
        let body = json!({ "claimUrl": url, "message": format!("Two ways: {url} or http://a/dCf0NdAQ64j6") });
        let reply = json_reply(200, &body);
        let claim = answer("claim_deployment", reply, |s| s.application("a").claim())
            .await
            .unwrap();
        let address = claim.url.as_ref().unwrap();
        assert_eq!(address.expose(), url);
        assert_eq!(address.to_string(), "https://app.nexlayer.io/<redacted>");
        assert!(!format!("{claim:?}").contains("dCf0"), "{claim:?}");
    }
    // What is no web address is not handed to a person to visit.
    for url in ["", "dCf0NdAQ64j6", "javascript:x"] {
        let body = json!({ "claimUrl": url, "message": "Later." });
        let reply = json_reply(200, &body);
        let claim = answer("claim_deployment", reply, |s| s.application("a").claim())
            .await
            .unwrap();
        assert_eq!((claim.url, claim.token), (None, None), "{url}");
    }
}

#[tokio::test]
async fn claims() {
    for body in [
        json!({ "message": "Visit the claim URL.", "claimUrl": "https://app.nexlayer.io/claim/dCf0NdAQ64j6", "claimToken": "dCf0NdAQ64j6" }),
        json!({ "claimURL": "https://app.nexlayer.io/claim/dCf0NdAQ64j6", "claimToken": "dCf0NdAQ64j6" }),
        json!({ "message": "You're almost there! Visit https://app.nexlayer.io/claim/dCf0NdAQ64j6 to finalize your deployment.", "claimToken": "dCf0NdAQ64j6" }),
    ] {
        let reply = json_reply(200, &body);
        let claim = answer("claim_deployment", reply, |s| s.application("a").claim())
            .await
            .unwrap();
        assert_eq!(
            claim.url.as_ref().unwrap().expose(),
            "https://app.nexlayer.io/claim/dCf0NdAQ64j6",
            "{body}"
        );
        assert_eq!(claim.token.as_ref().unwrap().expose(), "dCf0NdAQ64j6");
        assert!(!format!("{claim:?}").contains("dCf0"), "{claim:?}");
    }
}

#[tokio::test]
async fn reservations_in_every_form() {
    let item = json!({
        "applicationName": "my-app", "environment": "jolly-tapir", "url": "https://jolly-tapir-my-app.alpha.nexlayer.ai",
        "status": { "state": "running" }, "createdAt": "2024-01-15T10:00:00Z", "expiresAt": "2024-01-15T12:30:00.5Z"
    });
    for body in [
        json!({ "reservedDeployments": [item] }),
        json!({ "reservations": [item] }),
        json!([item]),
        json!({ "success": true, "data": [item] }),
    ] {
        let reply = json_reply(200, &body);
        let list = answer("get_reservations", reply, |s| s.reservations())
            .await
            .unwrap();
        assert_eq!(list.items.len(), 1, "{body}");
        assert_eq!(
            list.items[0].status.as_ref().unwrap().state,
            Some(ApplicationState::Running)
        );
        assert_eq!(
            list.items[0].expires_at.as_ref().unwrap().unix_millis(),
            Some(1_705_321_800_500)
        );
    }
    for body in [
        json!({ "reservedDeployments": [] }),
        json!({ "reservedDeployments": null }),
        json!({}),
    ] {
        let reply = json_reply(200, &body);
        let list = answer("get_reservations", reply, |s| s.reservations())
            .await
            .unwrap();
        assert!(list.items.is_empty());
    }
    let odd = json!({ "reservedDeployments": [{ "status": "Hibernating", "expiresAt": "soon" }] });
    let reply = json_reply(200, &odd);
    let list = answer("get_reservations", reply, |s| s.reservations())
        .await
        .unwrap();
    assert_eq!(
        list.items[0].status.as_ref().unwrap().state,
        Some(ApplicationState::Unknown("Hibernating".into()))
    );
    assert_eq!(
        list.items[0].expires_at.as_ref().unwrap().unix_millis(),
        None
    );
}

#[tokio::test]
async fn removals() {
    let text = "Application Complete-Test-App reservation has been removed. Application site will be removed within the next 10 minutes.";
    let reply = json_reply(200, json!({ "message": text }));
    let removed = answer("remove_deployment_reservation", reply, |s| {
        s.application("a").unreserve()
    })
    .await
    .unwrap();
    assert_eq!(
        (removed.application.as_deref(), removed.within),
        (Some("Complete-Test-App"), minutes(10))
    );
    let text = "Application reservations have been removed. If deployments have reached their time limits, application sites will be removed within 10 minutes.";
    let reply = CannedReply::new(200, text).header("content-type", "text/html; charset=utf-8");
    let removed = answer("remove_reservations", reply, |s| s.remove_reservations())
        .await
        .unwrap();
    assert_eq!(
        (removed.application, removed.within, removed.text.as_str()),
        (None, minutes(10), text)
    );
}

#[tokio::test]
async fn business_rules_answer_500_and_are_told_apart() {
    async fn fails(
        body: &str,
        call: impl FnOnce(Session) -> Call<deploykit::nexlayer::Removed>,
    ) -> Error {
        let reply = json_reply(500, json!({ "error": body }));
        answer("remove_deployment_reservation", reply, call)
            .await
            .unwrap_err()
    }
    let gone = fails("Application a reservation has already been removed.", |s| {
        s.application("a").unreserve()
    })
    .await;
    assert_failure(&gone, ErrorKind::AlreadyRemoved, Effect::None);
    let broken = fails("something broke", |s| s.application("a").unreserve()).await;
    assert_failure(&broken, ErrorKind::Server, Effect::Unknown);

    let text =
        "User is not on the Scale or Conquer plan. Please upgrade your plan to add a reservation.";
    let reply = json_reply(500, json!({ "error": text }));
    let plan = answer("add_deployment_reservation", reply, |s| {
        s.application("a").reserve()
    })
    .await
    .unwrap_err();
    assert_eq!(
        (plan.kind(), plan.effect(), plan.message()),
        (ErrorKind::PlanLimit, Effect::None, Some(text))
    );
    assert!(
        !plan.is_retryable(),
        "a business answer is never sent again"
    );
}

#[tokio::test]
async fn the_token_is_masked_when_the_platform_repeats_it() {
    let reply = json_reply(400, json!({ "error": format!("no session {TOKEN}") }));
    let error = answer("get_reservations", reply, |s| s.reservations())
        .await
        .unwrap_err();
    assert_eq!(error.message(), Some("no session <redacted>"));
    assert!(!format!("{error:?} {:?}", error.body_excerpt()).contains(TOKEN));
}

#[tokio::test]
async fn a_secret_of_the_manifest_is_masked_when_the_platform_repeats_it() {
    let manifest =
        Manifest::parse("application: {name: a, pods: [{vars: {API_TOKEN: Hush-1234}}]}");
    let body = json!({ "error": "cannot set API_TOKEN=Hush-1234" }).to_string();
    let call = |session: Session| session.start(manifest.unwrap());
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
async fn a_removal_is_read_whatever_its_white_space() {
    let text = "Application My App reservation  has been removed.\n Application site will be removed within the  next 10 minutes.";
    let reply = json_reply(200, json!({ "message": text }));
    let call = |s: Session| s.application("a").unreserve();
    let removed = answer("remove_deployment_reservation", reply, call)
        .await
        .unwrap();
    assert_eq!(removed.application.as_deref(), Some("My App"));
    assert_eq!((removed.within, removed.text.as_str()), (minutes(10), text));
}
