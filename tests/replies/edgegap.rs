use super::examples;
use deploykit::edgegap::{Accepted, Client, NewDeployment, User};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind, Result};

async fn answer(operation: &str, reply: CannedReply) -> Result<Accepted> {
    let recorder = Recorder::new();
    recorder.reply(operation, reply);
    let client = Client::builder()
        .token("secret")
        .recorder(&recorder)
        .build()
        .unwrap();
    let new = NewDeployment::new("my-app", "1", User::ip([75, 28, 35, 192].into()));
    match operation {
        "create_deployment" => client.deploy(new).await,
        "create_fleet_deployment" => client.deploy_to_fleet(new.on_host("h")).await,
        other => panic!("{other} is not tested"),
    }
}

#[tokio::test]
async fn every_example_of_the_spec() {
    let mut accepted = 0;
    for example in examples("edgegap") {
        let at = format!(
            "{} {} {:?}",
            example.operation, example.status, example.name
        );
        let result = answer(&example.operation, example.reply()).await;
        match example.status {
            202 => {
                let id = result
                    .unwrap_or_else(|error| panic!("{at}: {error}"))
                    .request_id;
                assert_eq!(example.value["request_id"], id.as_str(), "{at}");
                accepted += 1;
            }
            status => {
                let error = result.expect_err(&at);
                assert_eq!(error.status(), Some(status), "{at}");
                assert_eq!(error.message(), example.value["message"].as_str(), "{at}");
                let (kind, effect) = match status {
                    400 => (ErrorKind::Rejected, Effect::None),
                    401 => (ErrorKind::Unauthenticated, Effect::None),
                    422 => (ErrorKind::Rejected, Effect::Applied),
                    500 => (ErrorKind::Server, Effect::Unknown),
                    other => panic!("{other} is not tested"),
                };
                assert_eq!((error.kind(), error.effect()), (kind, effect), "{at}");
                assert_eq!(
                    error.resource_id(),
                    example.value["request_id"].as_str(),
                    "{at}"
                );
                assert!(!error.is_retryable(), "{at}: a create is never repeated");
            }
        }
    }
    assert_eq!(accepted, 2);
}

#[tokio::test]
async fn what_the_platform_says_is_kept() {
    for operation in ["create_deployment", "create_fleet_deployment"] {
        let body = r#"{"message":"no such\nversion","details":{"version":["unknown"]}}"#;
        let reply = CannedReply::json(400, body).header("x-request-id", "r-1");
        let error = answer(operation, reply).await.unwrap_err();
        assert_eq!(error.message(), Some("no such version"), "one line");
        assert_eq!(
            error.details().unwrap()["version"][0].as_str(),
            Some("unknown")
        );
        assert_eq!(error.request_id(), Some("r-1"));
        assert_eq!((error.attempts(), error.resource_id()), (1, None));

        let reply = CannedReply::json(400, r#"{"message":"x","details":null}"#);
        assert!(
            answer(operation, reply)
                .await
                .unwrap_err()
                .details()
                .is_none()
        );

        // The word `token` may be in the dashboard's value or not; a 401 says where to look.
        let reply = CannedReply::json(401, r#"{"message":"Unauthorized"}"#);
        let error = answer(operation, reply).await.unwrap_err();
        assert!(error.to_string().contains("EDGEGAP_TOKEN"), "{error}");

        let reply = CannedReply::json(429, r#"{"message":"slow down"}"#).header("retry-after", "7");
        let error = answer(operation, reply).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::RateLimited, Effect::None)
        );
        assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(7));
        assert!(error.is_retryable(), "nothing was done");
    }
}

#[tokio::test]
async fn statuses_and_bodies_that_are_not_documented() {
    for operation in ["create_deployment", "create_fleet_deployment"] {
        for status in [200, 201, 202] {
            let reply = CannedReply::json(
                status,
                r#"{"request_id":"a69f8e3e0555","new":{"field":[1]}}"#,
            );
            assert_eq!(
                answer(operation, reply).await.unwrap().request_id.as_str(),
                "a69f8e3e0555"
            );
        }
        for (reply, kind, effect) in [
            (
                CannedReply::json(202, "{}"),
                ErrorKind::Decode,
                Effect::Applied,
            ),
            (
                CannedReply::json(202, r#"{"request_id":null}"#),
                ErrorKind::Decode,
                Effect::Applied,
            ),
            (
                CannedReply::json(202, r#"{"request_id":"a/b"}"#),
                ErrorKind::Decode,
                Effect::Applied,
            ),
            (
                CannedReply::new(202, "<html>"),
                ErrorKind::Decode,
                Effect::Unknown,
            ),
            (
                CannedReply::new(202, ""),
                ErrorKind::Decode,
                Effect::Unknown,
            ),
            (
                CannedReply::new(403, ""),
                ErrorKind::Forbidden,
                Effect::None,
            ),
            (
                CannedReply::json(409, r#"{"message":"x"}"#),
                ErrorKind::Conflict,
                Effect::None,
            ),
            (
                CannedReply::new(429, ""),
                ErrorKind::RateLimited,
                Effect::None,
            ),
            (
                CannedReply::new(502, "<html>Bad Gateway</html>"),
                ErrorKind::Unavailable,
                Effect::Unknown,
            ),
            (
                CannedReply::new(401, ""),
                ErrorKind::Unauthenticated,
                Effect::None,
            ),
        ] {
            let error = answer(operation, reply.clone()).await.unwrap_err();
            assert_eq!((error.kind(), error.effect()), (kind, effect), "{reply:?}");
        }
    }
}
