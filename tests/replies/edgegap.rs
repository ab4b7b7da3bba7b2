mod life;

use crate::{Replay, assert_failure, json_reply};
use deploykit::edgegap::{Client, DeploymentStatus, DeploymentSummary, Deployments, Page};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind, Result};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[tokio::test]
async fn what_the_platform_says_is_kept() {
    let replay = Replay::default();
    for operation in ["create_deployment", "create_fleet_deployment"] {
        let fails = async |reply| replay.call("edgegap", operation, reply).await.unwrap_err();
        let body = r#"{"message":"no such\nversion","details":{"version":["unknown"]}}"#;
        let error = fails(CannedReply::json(400, body).header("x-request-id", "r-1")).await;
        assert_eq!(error.message(), Some("no such version"), "one line");
        assert_eq!(error.details().unwrap()["version"][0], "unknown");
        assert_eq!(error.request_id(), Some("r-1"));
        assert_eq!((error.attempts(), error.resource_id()), (1, None));

        let error = fails(json_reply(400, json!({ "message": "x", "details": null }))).await;
        assert!(error.details().is_none());

        // The word `token` may be in the dashboard's value or not; a 401 says where to look.
        let error = fails(json_reply(401, json!({ "message": "Unauthorized" }))).await;
        assert!(error.to_string().contains("EDGEGAP_TOKEN"), "{error}");

        let reply = json_reply(429, json!({ "message": "slow down" }));
        let error = fails(reply.header("retry-after", "7")).await;
        assert_failure(&error, ErrorKind::RateLimited, Effect::None);
        assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(7));
        assert!(error.is_retryable(), "nothing was done");
    }
}

#[tokio::test]
async fn statuses_and_bodies_that_are_not_documented() {
    use Effect::{Applied, Unknown};
    use ErrorKind::{Conflict, Decode, Forbidden, RateLimited, Unauthenticated, Unavailable};
    let replay = Replay::default();
    for operation in ["create_deployment", "create_fleet_deployment"] {
        for status in [200, 201, 202] {
            let body = json!({ "request_id": "a69f8e3e0555", "new": { "field": [1] } });
            let reply = json_reply(status, &body);
            let accepted = replay.call("edgegap", operation, reply).await.unwrap();
            assert_eq!(accepted.id.as_deref(), Some("a69f8e3e0555"));
        }
        for (status, body, kind, effect) in [
            (202, "{}", Decode, Applied),
            (202, r#"{"request_id":null}"#, Decode, Applied),
            (202, r#"{"request_id":"a/b"}"#, Decode, Applied),
            (202, "<html>", Decode, Unknown),
            (202, "", Decode, Unknown),
            (401, "", Unauthenticated, Effect::None),
            (403, "", Forbidden, Effect::None),
            (409, r#"{"message":"x"}"#, Conflict, Effect::None),
            (429, "", RateLimited, Effect::None),
            (502, "<html>Bad Gateway</html>", Unavailable, Unknown),
        ] {
            let reply = CannedReply::new(status, body);
            let error = replay.call("edgegap", operation, reply).await.unwrap_err();
            assert_failure(&error, kind, effect);
        }
    }
}

/// The list of a platform that answers with this.
fn deployments(reply: CannedReply) -> Deployments {
    let recorder = Recorder::new();
    recorder.reply("list_deployments", reply);
    let client = Client::builder().token("secret").recorder(&recorder);
    client.build().unwrap().deployments()
}

async fn listed(body: &Value) -> Result<Page<DeploymentSummary>> {
    let reply = json_reply(200, body);
    deployments(reply).list().await
}

#[tokio::test]
async fn a_list_in_other_forms() {
    // Sought: there is no address yet, and the client of Nakama knows a status.
    let page = listed(&json!({
        "data": [
            { "request_id": "a", "fqdn": null, "public_ip": null, "start_time": null, "tags": null, "ports": null, "status": "Status.SEEKING" },
            { "request_id": "b", "status": "Status.NEW", "ports": { "7777": { "internal": "7777", "external": 31504.0, "proxy": 1 } } },
        ],
        "total_count": "12",
        "pagination": { "number": 2, "next_page_number": 3, "paginator": { "num_pages": "6" }, "has_next": true },
        "message": ["hello"],
    }))
    .await
    .unwrap();
    let [a, b] = &page.items[..] else {
        panic!("{page:?}")
    };
    assert_eq!(a.status, Some(DeploymentStatus::Seeking));
    assert_eq!((&a.fqdn, &a.start_time, &a.tags), (&None, &None, &None));
    assert_eq!(
        b.status,
        Some(DeploymentStatus::Unknown("Status.NEW".into()))
    );
    let port = &b.ports.as_ref().unwrap()["7777"];
    assert_eq!((port.internal, port.external), (Some(7777), Some(31504)));
    assert_eq!((page.page, page.total_items), (2, Some(12)));
    assert_eq!((page.total_pages, page.has_next), (Some(6), true));

    for (body, has_next) in [
        (json!({ "data": null }), false),
        (json!({ "data": [], "pagination": null }), false),
        (json!({ "data": [], "pagination": {} }), false),
        (
            json!({ "data": [], "pagination": { "next_page_number": 2 } }),
            true,
        ),
        (
            json!({ "data": [], "pagination": { "next_page_number": 2, "has_next": false } }),
            false,
        ),
    ] {
        let page = listed(&body).await.unwrap();
        assert_eq!(
            (page.items.len(), page.page, page.has_next),
            (0, 1, has_next),
            "{body}"
        );
    }
    for (body, words) in [
        (json!({}), "missing field `data`"),
        (json!([]), "$"),
        (json!({ "data": [{ "fqdn": "hush" }] }), "$.data[0]"),
        (
            json!({ "data": [{ "request_id": "a", "ports": { "x": { "external": "hush" } } }] }),
            "$.data[0].ports.x.external: found string, expected a whole number",
        ),
    ] {
        let error = listed(&body).await.unwrap_err();
        assert_failure(&error, ErrorKind::Decode, Effect::None);
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}

#[tokio::test]
async fn what_is_known_not_to_be_meant_is_not_found() {
    let since = UNIX_EPOCH + Duration::from_secs(1_776_859_246); // 12:00:46
    let find = |body: Value, since: SystemTime| async move {
        let reply = json_reply(200, body);
        let found = deployments(reply).find_created("match-7", since).await;
        let ids = found.unwrap().into_iter().map(|found| found.request_id);
        ids.collect::<Vec<_>>()
    };
    // A server that ignores the filter.
    let everything = json!({ "data": [
        { "request_id": "other-tag", "tags": ["match-70"], "start_time": "2026-04-22 12:00:50.000000" },
        { "request_id": "no-tag", "tags": [], "start_time": "2026-04-22 12:00:50.000000" },
        { "request_id": "before", "tags": ["match-7"], "start_time": "2026-04-22 11:59:45.999999" },
        { "request_id": "skew", "tags": ["match-7"], "start_time": "2026-04-22 11:59:46.000000" },
        { "request_id": "mine", "tags": ["eu", "match-7"], "start_time": "2026-04-22 12:00:50.000000" },
        { "request_id": "sought", "tags": ["match-7"], "start_time": null },
        { "request_id": "silent" },
    ] });
    let found = find(everything, since).await;
    assert_eq!(found, ["skew", "mine", "sought", "silent"]);
    assert!(find(json!({ "data": null }), since).await.is_empty());
}
