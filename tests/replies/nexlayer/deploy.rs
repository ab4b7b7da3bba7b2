//! Responses to a start and an update.

use super::{TOKEN, answer, manifest, minutes};
use crate::json_reply;
use deploykit::nexlayer::{ApplicationState, Client, Started};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind, Result};
use serde_json::{Value, json};

async fn started(body: Value) -> Result<Started> {
    let reply = json_reply(200, &body);
    answer("start_user_deployment", reply, |session| {
        session.start(manifest())
    })
    .await
}

#[tokio::test]
async fn documented_response() {
    let started = started(json!({
        "message": "Deployment started successfully",
        "url": "https://jolly-tapir-complete-test-app.alpha.nexlayer.ai",
        "sessionToken": "dCf0NdAQ64j6",
        "applicationName": "Complete-Test-App",
        "environment": "jolly-tapir",
        "status": { "state": "deploying", "progress": 0 },
        "extend": { "available": true, "expiresAt": "2024-01-15T12:00:00Z" },
        "claim": { "claimed": false }
    }))
    .await
    .unwrap();
    assert_eq!(started.application_name, "Complete-Test-App");
    assert_eq!(started.environment.as_deref(), Some("jolly-tapir"));
    assert_eq!(
        started.url.as_deref(),
        Some("https://jolly-tapir-complete-test-app.alpha.nexlayer.ai")
    );
    assert_eq!(
        (&started.state, started.progress),
        (&Some(ApplicationState::Deploying), Some(0.0))
    );
    assert_eq!(started.extension_available, Some(true));
    assert_eq!(
        started.expires_at.as_ref().unwrap().unix_millis(),
        Some(1_705_320_000_000)
    );
    assert_eq!(started.claim.as_ref().unwrap().claimed, Some(false));
    assert_eq!(started.session().token().unwrap().expose(), "dCf0NdAQ64j6");
    assert_eq!(started.application().name().unwrap(), "Complete-Test-App");
}

#[tokio::test]
async fn response_of_the_older_version() {
    let started = started(json!({
        "message": "Deployment started successfully",
        "url": "https://compassionate-parrot-morphic-stack.alpha.nexlayer.ai",
        "sessionToken": "JdWLZE4TIWLl",
        "applicationName": "morphic-stack",
        "status": {
            "environment": "This environment will expire in 30 minutes.",
            "pods": [{ "name": "web", "status": "Running" }, { "name": "db", "status": "Pending" }]
        },
        "extend": {
            "message": "To extend your environment for another 120 minutes, post the sessionToken and applicationName given in this response to the /extendDeployment endpoint. You have 1 extensions remaining.",
            "extendURL": "curl -X POST https://app.nexlayer.io/extendDeployment -d '{...}'"
        },
        "claim": { "message": "Claim it.", "claimURL": "curl -X POST https://app.nexlayer.io/claimDeployment" },
        "info": "a hint"
    }))
    .await
    .unwrap();
    assert_eq!(started.expires_in, minutes(30));
    assert_eq!(
        (started.extension, started.extensions_remaining),
        (minutes(120), Some(1))
    );
    assert_eq!(started.extension_available, Some(true));
    let pods: Vec<_> = started
        .pods
        .iter()
        .map(|pod| (pod.name.as_deref(), pod.status.as_deref()))
        .collect();
    assert_eq!(
        pods,
        [
            (Some("web"), Some("Running")),
            (Some("db"), Some("Pending"))
        ]
    );
    assert_eq!(started.state, None);
    assert_eq!(started.info.unwrap().expose(), "a hint");
}

#[tokio::test]
async fn sparse_response() {
    let started = started(json!({ "status": "RUNNING", "namespace": "n", "future": [1] }))
        .await
        .unwrap();
    assert_eq!(started.application_name, "from-the-manifest");
    assert_eq!(started.session().token().unwrap().expose(), TOKEN);
    assert_eq!(started.state, Some(ApplicationState::Running));
    assert_eq!(started.environment.as_deref(), Some("n"));

    let recorder = Recorder::new();
    recorder.reply("start_user_deployment", CannedReply::json(200, "{}"));
    let client = Client::builder().recorder(&recorder).build().unwrap();
    let lost = client.start(manifest()).await.unwrap();
    let error = lost.application().extend().await.unwrap_err();
    assert!(error.to_string().contains("no session token"), "{error}");
    assert_eq!(recorder.requests().len(), 1);
}

#[tokio::test]
async fn fields_of_the_wrong_type_do_not_lose_the_token() {
    let started = started(json!({
        "sessionToken": "dCf0NdAQ64j6", "applicationName": "", "url": 7, "environment": null, "message": ["x"],
        "status": [1], "extend": { "available": "yes", "expiresAt": {}, "message": "You  have 3\nextensions remaining." },
        "claim": "Claim it with dCf0NdAQ64j6.", "info": { "a": 1 }
    }))
    .await
    .unwrap();
    assert_eq!(started.session().token().unwrap().expose(), "dCf0NdAQ64j6");
    assert_eq!(started.application_name, "from-the-manifest");
    assert_eq!((&started.url, &started.environment), (&None, &None));
    assert_eq!(started.extensions_remaining, Some(3));
    assert_eq!(started.extension_available, Some(true));
    let message = started.claim.as_ref().unwrap().message.as_ref();
    assert_eq!(message.unwrap().expose(), "Claim it with dCf0NdAQ64j6.");
    let shown = format!("{started:?} {:?}", started.session());
    assert!(!shown.contains("dCf0"), "{shown}");
}

#[tokio::test]
async fn update_is_decoded_like_a_start() {
    let body = json!({ "message": "m", "data": { "namespace": "n", "applicationName": "My App" } });
    let reply = json_reply(200, &body);
    let updated = answer("update_user_deployment", reply, |s| s.update(manifest()))
        .await
        .unwrap();
    assert_eq!(updated.application_name, "My App");
    assert_eq!(updated.message.as_ref().unwrap().expose(), "m");
    assert_eq!(updated.environment.as_deref(), Some("n"));
    assert_eq!(updated.application().name().unwrap(), "My App");
}

#[tokio::test]
async fn failure_with_a_success_status() {
    let error = started(json!({ "success": false, "error": "it broke" }))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.message(), error.status()),
        (ErrorKind::Rejected, Some("it broke"), Some(200))
    );
    assert_eq!(error.effect(), Effect::Unknown);
    assert_eq!(error.operation().unwrap().id, "start_user_deployment");
}
