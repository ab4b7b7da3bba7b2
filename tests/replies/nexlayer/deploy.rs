//! Responses to a deploy and an update.

use super::{TOKEN, answer, manifest, minutes};
use crate::json_reply;
use deploykit::nexlayer::{ApplicationState, Client, Deployed};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind, Result};
use serde_json::{Value, json};

async fn deployed(body: Value) -> Result<Deployed> {
    let reply = json_reply(200, &body);
    answer("start_user_deployment", reply, |session| {
        session.deploy(manifest())
    })
    .await
}

#[tokio::test]
async fn documented_response_is_decoded() {
    let deployed = deployed(json!({
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
    assert_eq!(deployed.application_name, "Complete-Test-App");
    assert_eq!(deployed.environment.as_deref(), Some("jolly-tapir"));
    assert_eq!(
        deployed.url.as_deref(),
        Some("https://jolly-tapir-complete-test-app.alpha.nexlayer.ai")
    );
    assert_eq!(
        (&deployed.state, deployed.progress),
        (&Some(ApplicationState::Deploying), Some(0.0))
    );
    assert_eq!(deployed.extension_available, Some(true));
    assert_eq!(
        deployed.expires_at.as_ref().unwrap().unix_millis(),
        Some(1_705_320_000_000)
    );
    assert_eq!(deployed.claim.as_ref().unwrap().claimed, Some(false));
    assert_eq!(deployed.session().token().unwrap().expose(), "dCf0NdAQ64j6");
    assert_eq!(deployed.application().name().unwrap(), "Complete-Test-App");
}

#[tokio::test]
async fn response_of_an_older_server_is_decoded() {
    let deployed = deployed(json!({
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
    assert_eq!(deployed.expires_in, minutes(30));
    assert_eq!(
        (deployed.extension_length, deployed.extensions_remaining),
        (minutes(120), Some(1))
    );
    assert_eq!(deployed.extension_available, Some(true));
    let pods: Vec<_> = deployed
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
    assert_eq!(deployed.state, None);
    assert_eq!(deployed.info.unwrap().expose(), "a hint");
}

#[tokio::test]
async fn missing_name_and_token_have_fallbacks() {
    let deployed = deployed(json!({ "status": "RUNNING", "namespace": "n", "future": [1] }))
        .await
        .unwrap();
    assert_eq!(deployed.application_name, "from-the-manifest");
    assert_eq!(deployed.session().token().unwrap().expose(), TOKEN);
    assert_eq!(deployed.state, Some(ApplicationState::Running));
    assert_eq!(deployed.environment.as_deref(), Some("n"));

    let recorder = Recorder::new();
    recorder.reply("start_user_deployment", CannedReply::json(200, "{}"));
    let client = Client::builder().recorder(&recorder).build().unwrap();
    let without_token = client.deploy(manifest()).await.unwrap();
    let error = without_token.application().extend().await.unwrap_err();
    assert!(error.to_string().contains("no session token"), "{error}");
    assert_eq!(recorder.requests().len(), 1);
}

#[tokio::test]
async fn fields_of_the_wrong_type_do_not_lose_the_token() {
    let deployed = deployed(json!({
        "sessionToken": "dCf0NdAQ64j6", "applicationName": "", "url": [7], "environment": null, "message": ["x"],
        "status": [1], "extend": { "available": "yes", "expiresAt": {}, "message": "You  have 3\nextensions remaining." },
        "claim": "Claim it with dCf0NdAQ64j6.", "info": { "a": 1 }
    }))
    .await
    .unwrap();
    assert_eq!(deployed.session().token().unwrap().expose(), "dCf0NdAQ64j6");
    assert_eq!(deployed.application_name, "from-the-manifest");
    assert_eq!((&deployed.url, &deployed.environment), (&None, &None));
    assert_eq!(deployed.extensions_remaining, Some(3));
    assert_eq!(deployed.extension_available, Some(true));
    let message = deployed.claim.as_ref().unwrap().message.as_ref();
    assert_eq!(message.unwrap().expose(), "Claim it with dCf0NdAQ64j6.");
    let output = format!("{deployed:?} {:?}", deployed.session());
    assert!(!output.contains("dCf0"), "{output}");
}

#[tokio::test]
async fn invalid_name_in_a_response_is_rejected_by_the_next_call() {
    let deployed = deployed(json!({ "sessionToken": "t-1234", "applicationName": "My\nApp" }));
    let deployed = deployed.await.unwrap();
    assert_eq!(deployed.application_name, "My\nApp");
    let error = deployed.application().extend().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("application name"), "{error}");
}

#[tokio::test]
async fn response_to_an_update_is_decoded_like_a_deploy() {
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
async fn failure_with_a_success_status_is_an_error() {
    let error = deployed(json!({ "success": false, "error": "it broke" }))
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.message(), error.status()),
        (ErrorKind::Rejected, Some("it broke"), Some(200))
    );
    assert_eq!(error.effect(), Effect::Unknown);
    assert_eq!(error.operation().unwrap().id, "start_user_deployment");
}
