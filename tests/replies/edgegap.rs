use crate::{Replay, assert_failure, json_reply};
use deploykit::edgegap::{
    Client, Deployment, DeploymentStatus, DeploymentSummary, Deployments, HostStatus,
    NewApplication, NewVersion, Page, PortProtocol, RestartPolicy, SelfStop, StopOutcome, Stopped,
    VersionUpdate,
};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, ErrorKind, Result, Retry};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A client that receives this reply from the operation.
fn client(operation: &str, reply: CannedReply) -> Client {
    let recorder = Recorder::new();
    recorder.reply(operation, reply);
    let client = Client::builder().token("secret").recorder(&recorder);
    client.build().unwrap()
}

#[tokio::test]
async fn errors_contain_message_details_and_ids_of_the_reply() {
    let replay = Replay::default();
    for operation in ["create_deployment", "create_fleet_deployment"] {
        let fails = async |reply| replay.call("edgegap", operation, reply).await.unwrap_err();
        let body = r#"{"message":"no such\nversion","details":{"version":["unknown"]}}"#;
        let error = fails(CannedReply::json(400, body).header("x-request-id", "r-1")).await;
        assert_eq!(error.message(), Some("no such version"), "one line");
        assert_eq!(error.details().unwrap()["version"][0], "unknown");
        assert_eq!(error.http_request_id(), Some("r-1"));
        assert_eq!((error.attempts(), error.resource_id()), (1, None));

        let error = fails(json_reply(400, json!({ "message": "x", "details": null }))).await;
        assert!(error.details().is_none());

        let error = fails(CannedReply::new(500, "boom\n")).await;
        assert_eq!(error.message(), Some("boom"));
        assert!(error.to_string().contains("500 boom"), "{error}");
        let error = fails(CannedReply::new(500, "<html>boom</html>")).await;
        assert!(!error.to_string().contains("boom"), "{error}");

        let error = fails(json_reply(401, json!({ "message": "Unauthorized" }))).await;
        assert!(error.to_string().contains("EDGEGAP_TOKEN"), "{error}");

        let reply = json_reply(429, json!({ "message": "slow down" }));
        let error = fails(reply.header("retry-after", "7")).await;
        assert_failure(&error, ErrorKind::RateLimited, Effect::None);
        assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(7));
        assert!(error.is_retryable(), "the request had no effect");
    }
}

#[tokio::test]
async fn undocumented_deploy_replies_map_to_kind_and_effect() {
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

/// A list that receives this reply.
fn deployments(reply: CannedReply) -> Deployments {
    client("list_deployments", reply).deployments()
}

async fn listed(body: &Value) -> Result<Page<DeploymentSummary>> {
    let reply = json_reply(200, body);
    deployments(reply).list().await
}

#[tokio::test]
async fn deployment_list_accepts_variants_and_names_the_invalid_field() {
    // A new deployment has no address yet. `status` is not documented, but the vendor's client for Nakama
    // reads it.
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
        (
            json!({ "data": "hush" }),
            "$.data: found string, expected a list of records",
        ),
        (
            json!({ "data": [], "total_count": "hush" }),
            "$.total_count: found string, expected i64",
        ),
    ] {
        let error = listed(&body).await.unwrap_err();
        assert_failure(&error, ErrorKind::Decode, Effect::None);
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}

#[tokio::test]
async fn find_created_drops_other_tags_and_older_deployments() {
    let since = UNIX_EPOCH + Duration::from_secs(1_776_859_246); // 12:00:46
    let find = |body: Value, since: SystemTime| async move {
        let reply = json_reply(200, body);
        let found = deployments(reply).find_created("match-7", since).await;
        let ids = found.unwrap().into_iter().map(|found| found.request_id);
        ids.collect::<Vec<_>>()
    };
    // The server ignores the filters.
    let everything = json!({ "data": [
        { "request_id": "other-tag", "tags": ["match-70"], "start_time": "2026-04-22 12:00:50.000000" },
        { "request_id": "no-tag", "tags": [], "start_time": "2026-04-22 12:00:50.000000" },
        { "request_id": "before", "tags": ["match-7"], "start_time": "2026-04-22 11:59:45.999999" },
        { "request_id": "skew", "tags": ["match-7"], "start_time": "2026-04-22 11:59:46.000000" },
        { "request_id": "mine", "tags": ["eu", "match-7"], "start_time": "2026-04-22 12:00:50.000000" },
        { "request_id": "no-start-time", "tags": ["match-7"], "start_time": null },
        { "request_id": "id-only" },
    ] });
    let found = find(everything, since).await;
    assert_eq!(found, ["skew", "mine", "no-start-time", "id-only"]);
    assert!(find(json!({ "data": null }), since).await.is_empty());
}

async fn own_stop(reply: CannedReply) -> Result<Stopped> {
    let recorder = Recorder::new();
    recorder.reply("stop_own_deployment", reply);
    let builder = Client::builder().recorder(&recorder);
    let url = "https://a.example/v1/self/stop/9f511e17/660";
    SelfStop::with_builder(builder, url, "hush")?.stop().await
}

async fn deployment(body: Value) -> Result<Deployment> {
    let reply = json_reply(200, &body);
    client("get_deployment", reply).deployment("a").get().await
}

#[tokio::test]
async fn status_is_parsed_with_and_without_prefix() {
    use DeploymentStatus::*;
    for (text, status) in [
        ("Status.SEEKING", Seeking),
        ("SEEKING", Seeking),
        ("seeking", Seeking),
        ("status.ready", Ready),
        ("Ready", Ready),
        ("Status.TERMINATED", Terminated),
        ("Status.NEW", Unknown("Status.NEW".to_owned())),
        ("Statusready", Unknown("Statusready".to_owned())),
        ("", Unknown(String::new())),
    ] {
        let body = json!({ "request_id": "a", "current_status": text });
        let found = deployment(body).await.unwrap();
        assert_eq!(found.current_status, status, "{text}");
    }
}

#[tokio::test]
async fn status_and_flags_determine_ready_failed_and_over() {
    // Status, `running`, `error`; expected: ready, failed, over.
    let rows = [
        ("Status.SEEKING", None, None, [false, false, false]),
        ("Status.NEW", None, None, [false, false, false]),
        ("Status.READY", None, None, [true, false, false]),
        // The vendor's clients use `running` as well.
        ("Status.NEW", Some(true), None, [true, false, false]),
        ("Status.READY", None, Some(true), [false, true, true]),
        ("Status.ERROR", None, None, [false, true, true]),
        ("Status.ERROR", Some(true), None, [false, true, true]),
        ("Status.TERMINATING", Some(true), None, [false, false, true]),
        ("Status.TERMINATED", None, None, [false, false, true]),
    ];
    for (status, running, error, expected) in rows {
        let body = json!({ "request_id": "a", "current_status": status, "running": running, "error": error });
        let found = deployment(body).await.unwrap();
        let seen = [found.is_ready(), found.has_failed(), found.is_over()];
        assert_eq!(seen, expected, "{status} {running:?} {error:?}");
    }
}

#[tokio::test]
async fn deployment_accepts_missing_null_and_older_fields() {
    // Without the fields that known clients do not read, and with fields of older versions.
    let found = deployment(json!({
        "request_id": "a", "current_status": "READY", "fqdn": null, "max_duration": "60",
        "elapsed_time": 34.0, "start_time": "2026-04-22 12:00:46.444265", "sockets": 8,
        "whitelisting_active": false, "sessions": [], "location": { "latitude": "45.5", "city": null },
        "ports": { "7777": { "external": 1, "proxy": 2 } },
    }))
    .await
    .unwrap();
    assert_eq!(
        (found.max_duration, found.elapsed_time),
        (Some(60), Some(34))
    );
    let started = found.start_time.as_ref().unwrap().unix_millis();
    assert_eq!(
        started,
        Some(1_776_859_246_444),
        "a time without a zone is UTC"
    );
    assert_eq!(found.location.as_ref().unwrap().latitude, Some(45.5));
    assert_eq!(found.port("7777").unwrap().external, Some(1));
    // A new deployment has no address and no start time yet.
    let seeking = deployment(json!({
        "request_id": "a", "current_status": "Status.SEEKING", "start_time": null, "removal_time": null,
        "ports": null, "location": null, "last_status": null, "tags": null, "running": null,
    }))
    .await
    .unwrap();
    assert_eq!(
        (seeking.start_time, seeking.ports, seeking.running),
        (None, None, None)
    );
    let error = deployment(json!({ "request_id": "a" })).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("current_status"), "{error}");
}

#[tokio::test]
async fn stop_succeeds_with_200_202_and_410() {
    let summary = r#"{"message":"soon","deployment_summary":{"request_id":"a","current_status":"Status.TERMINATING"}}"#;
    for (status, body, outcome) in [
        (200, summary, StopOutcome::Stopping),
        (200, r#"{"message":"soon"}"#, StopOutcome::Stopping),
        // Any body is accepted.
        (200, "", StopOutcome::Stopping),
        (200, "[]", StopOutcome::Stopping),
        (
            202,
            r#"{"message":7,"deployment_summary":"odd"}"#,
            StopOutcome::Queued,
        ),
        (202, r#"{"message":"soon"}"#, StopOutcome::Queued),
        (410, r#"{"message":"soon"}"#, StopOutcome::AlreadyStopped),
        (410, "", StopOutcome::AlreadyStopped),
        (410, "<html>Gone</html>", StopOutcome::AlreadyStopped),
    ] {
        let client = client("stop_deployment", CannedReply::json(status, body));
        let reply = client.deployment("a").stop().with_response().await.unwrap();
        assert_eq!((reply.status, reply.attempts), (status, 1));
        assert_eq!(reply.value.outcome, outcome, "{status} {body}");
        let known = body.contains("soon").then_some("soon");
        assert_eq!(reply.value.message.as_deref(), known, "{status} {body}");
        let summary = reply.value.deployment.map(|found| found.current_status);
        let expected = body
            .contains("TERMINATING")
            .then_some(DeploymentStatus::Terminating);
        assert_eq!(summary, expected, "{status} {body}");
    }
    for status in [400, 404, 409, 500] {
        let client = client("stop_deployment", CannedReply::json(status, "{}"));
        let error = client.deployment("a").stop().await.unwrap_err();
        assert_eq!(error.status(), Some(status));
    }
}

#[tokio::test]
async fn self_stop_names_its_token_and_redacts_its_key() {
    let found = own_stop(CannedReply::new(410, r#"{"message":"ok"}"#)).await;
    assert_eq!(found.unwrap().outcome, StopOutcome::AlreadyStopped);
    // A deployment that stops itself does not use EDGEGAP_TOKEN.
    let error = own_stop(CannedReply::json(401, "{}")).await.unwrap_err();
    assert!(
        error.to_string().contains("ARBITRIUM_DELETE_TOKEN"),
        "{error}"
    );
    // The reply repeats the key, which is a secret in the path.
    let reply = CannedReply::json(
        404,
        r#"{"message":"no /v1/self/stop/9f511e17/k3y-660 here"}"#,
    );
    let recorder = Recorder::new();
    recorder.reply("stop_own_deployment", reply);
    let builder = Client::builder().recorder(&recorder);
    let url = "https://a.example/v1/self/stop/9f511e17/k3y-660";
    let own = SelfStop::with_builder(builder, url, "hush").unwrap();
    let error = own.stop().await.unwrap_err();
    assert!(!error.to_string().contains("k3y"), "{error}");
    assert_eq!(
        recorder.to_string(),
        "DELETE /v1/self/stop/9f511e17/<redacted>\nauthorization: <redacted>"
    );
}

#[tokio::test]
async fn hosts_and_versions_accept_variants() {
    // Without pagination, as before 2026-06-01, and with an unknown status.
    let body = json!({ "data": [
        { "host_id": "h", "status": "MOVING", "allocated_cpu_units": null, "delete_schedule": null, "pin": {}, "delete_schedules": [] },
        { "host_id": "i", "status": "ACTIVE", "created_at": "2026-04-22T12:00:46Z", "latitude": "45.5" },
    ] });
    let reply = json_reply(200, &body);
    let hosts = client("list_fleet_hosts", reply)
        .fleet("a")
        .hosts()
        .list()
        .await
        .unwrap();
    assert_eq!(
        hosts.items[0].status,
        Some(HostStatus::Unknown("MOVING".into()))
    );
    let made = hosts.items[1].created_at.as_ref().unwrap().unix_millis();
    assert_eq!(made, Some(1_776_859_246_000));
    assert_eq!(hosts.items[1].latitude, Some(45.5));

    let body = r#"{"versions":[{"name":"1","private_token":"hush-1","caching_percent":1,"envs":[{"key":"A","value":"hush-2"}]}],
        "total_count":"12","pagination":{"number":2,"has_next":true,"paginator":{"num_pages":"6"}}}"#;
    let client = client("list_versions", CannedReply::json(200, body));
    let versions = client.application("a").versions().page(2).page_size(2);
    let page = versions.list().await.unwrap();
    let refused = serde_json::to_string(&page.items).unwrap_err();
    assert!(!format!("{page:?} {refused}").contains("hush"));
    let version = &page.items[0];
    assert_eq!(version.private_token.as_ref().unwrap().expose(), "hush-1");
    assert_eq!((page.page, page.page_size), (2, Some(2)));
    assert_eq!(
        (page.total_items, page.total_pages, page.has_next),
        (Some(12), Some(6), true)
    );
}

fn new_version() -> NewVersion {
    NewVersion::new("1", "registry.edgegap.com/my-org/game:1", 1024, 2048)
}

#[tokio::test(start_paused = true)]
async fn taken_name_is_a_conflict_that_names_the_lookup() {
    let taken = || json_reply(409, json!({ "message": "already exists" }));
    let applications = client("create_application", taken()).applications();
    let error = applications.create(NewApplication::new("my-app")).await;
    let error = error.unwrap_err();
    assert_failure(&error, ErrorKind::Conflict, Effect::None);
    assert!(
        error.to_string().contains("application(name).get()"),
        "{error}"
    );

    let versions = client("create_version", taken())
        .application("my-app")
        .versions();
    let error = versions.create(new_version()).await.unwrap_err();
    assert_failure(&error, ErrorKind::Conflict, Effect::None);
    let lookup = "application(name).version(name).get()";
    assert!(error.to_string().contains(lookup), "{error}");

    // A lost response, and then the conflict with the version that the lost request created.
    let recorder = Recorder::new();
    recorder.reply("create_version", CannedReply::new(502, ""));
    recorder.reply("create_version", taken());
    let client = Client::builder()
        .token("secret")
        .recorder(&recorder)
        .retry(Retry::default())
        .build()
        .unwrap();
    let versions = client.application("my-app").versions();
    let error = versions.create(new_version()).await.unwrap_err();
    assert_failure(&error, ErrorKind::Unavailable, Effect::Unknown);
    assert_eq!(error.attempts(), 1, "a create is not retried");
    let text = error.to_string();
    assert!(
        text.contains("the version may exist") && text.contains(lookup),
        "{text}"
    );
    let error = versions.create(new_version()).await.unwrap_err();
    assert_failure(&error, ErrorKind::Conflict, Effect::None);

    // If the caller allows a retry, the conflict may be with the version of the first attempt.
    recorder.reply("create_version", CannedReply::new(502, ""));
    recorder.reply("create_version", taken());
    let create = versions.create(new_version()).assume_idempotent();
    let error = create.await.unwrap_err();
    assert_failure(&error, ErrorKind::Conflict, Effect::Unknown);
    assert_eq!(error.attempts(), 2);
    assert!(error.to_string().contains(lookup), "{error}");
}

#[tokio::test]
async fn image_that_cannot_be_pulled_rejects_the_version() {
    let failed = || json_reply(424, json!({ "message": "no such image" }));
    let application = client("create_version", failed()).application("my-app");
    let error = application.versions().create(new_version()).await;
    let error = error.unwrap_err();
    assert_failure(&error, ErrorKind::Rejected, Effect::None);
    assert_eq!(error.status(), Some(424));
    assert!(error.to_string().contains("check the image"), "{error}");
    // No deployment is meant by an undocumented 422.
    let failed = CannedReply::new(422, "no");
    let application = client("create_version", failed).application("my-app");
    let error = application.versions().create(new_version()).await;
    assert_failure(&error.unwrap_err(), ErrorKind::Rejected, Effect::None);
}

#[tokio::test]
async fn success_false_of_a_version_is_a_failure() {
    let body = json!({ "success": false, "message": "no" });
    let version = |operation| {
        let client = client(operation, json_reply(200, &body));
        client.application("my-app").version("1")
    };
    let application = client("create_version", json_reply(200, &body)).application("my-app");
    let created = application.versions().create(new_version()).await;
    let update = VersionUpdate::new().image_tag("2");
    for error in [
        created.map(drop).unwrap_err(),
        version("update_version")
            .update(update)
            .await
            .map(drop)
            .unwrap_err(),
        version("delete_version").delete().await.unwrap_err(),
    ] {
        assert_failure(&error, ErrorKind::Rejected, Effect::Unknown);
        assert_eq!(error.message(), Some("no"));
    }
}

#[tokio::test]
async fn version_replies_accept_missing_fields() {
    let version = |operation, body: &str| {
        let client = client(operation, CannedReply::json(200, body));
        client.application("my-app").version("1")
    };
    let update = || VersionUpdate::new().image_tag("2");
    for body in [
        "{}",
        r#"{"success":true}"#,
        r#"{"success":null,"version":null}"#,
    ] {
        let updated = version("update_version", body).update(update()).await;
        assert_eq!(updated.unwrap(), None, "{body}");
        version("delete_version", body).delete().await.unwrap();
    }
    let body = r#"{"version":{"name":"2"},"new":1}"#;
    let updated = version("update_version", body).update(update()).await;
    assert_eq!(updated.unwrap().unwrap().name, "2");

    let created = |body: &str| {
        let client = client("create_version", CannedReply::json(200, body));
        client
            .application("my-app")
            .versions()
            .create(new_version())
    };
    let body = r#"{"success":true,"version":{"name":"1"}}"#;
    assert_eq!(created(body).await.unwrap().name, "1");
    let error = created(r#"{"success":true}"#).await.unwrap_err();
    assert_failure(&error, ErrorKind::Decode, Effect::Applied);
}

#[tokio::test]
async fn version_has_its_password_its_protocols_and_both_names_of_the_hidden_flag() {
    let body = r#"{"name":"1","private_username":"robot$a+pull","private_token":"hush-1","restart_policy":"sometimes",
        "max_duration":"60","ports":[{"name":"lobby","port":8080,"protocol":"Websocket"},{"port":1,"protocol":"QUIC"}],
        "envs":[{"key":"A","is_hidden":true},{"key":"B","value":"hush-2","is_secret":true}],"session_config":{"kind":"Seat"}}"#;
    let client = client("get_version", CannedReply::json(200, body));
    let version = client.application("a").version("1").get().await.unwrap();
    assert!(!format!("{version:?}").contains("hush"), "{version:?}");
    assert_eq!(version.private_token.as_ref().unwrap().expose(), "hush-1");
    assert_eq!(
        version.restart_policy,
        Some(RestartPolicy::from("sometimes"))
    );
    assert_eq!(version.max_duration, Some(60));
    let protocols: Vec<_> = version
        .ports
        .iter()
        .flatten()
        .map(|port| port.protocol.clone())
        .collect();
    assert_eq!(
        protocols,
        [
            Some(PortProtocol::Websocket),
            Some(PortProtocol::from("QUIC"))
        ]
    );
    let flags: Vec<_> = version
        .envs
        .iter()
        .flatten()
        .map(|one| (one.is_hidden, one.is_secret))
        .collect();
    assert_eq!(flags, [(Some(true), None), (None, Some(true))]);
}

#[tokio::test]
async fn application_is_deleted_whatever_the_body() {
    for body in ["", "{}", "deleted", "<html>"] {
        let client = client("delete_application", CannedReply::new(200, body));
        client.application("my-app").delete().await.unwrap();
    }
}

#[tokio::test]
async fn image_tags_accept_both_forms_of_time_and_pagination_that_is_missing() {
    let body = json!({ "data": [
        { "tag": "1", "last_push_at": "2026-04-22 12:00:46.000000", "artifact": { "size_mb": "12.5", "remaining_tags": null } },
        { "tag": "2", "last_push_at": "2026-04-22T12:00:46Z" },
    ] });
    let client_of = |body| client("list_image_tags", json_reply(200, body));
    let tags = client_of(&body).image("game").tags().list().await.unwrap();
    for tag in &tags.items {
        let pushed = tag.last_push_at.as_ref().unwrap().unix_millis();
        assert_eq!(pushed, Some(1_776_859_246_000), "{tag:?}");
    }
    let artifact = tags.items[0].artifact.as_ref().unwrap();
    assert_eq!(artifact.size_mb, Some(12.5));
    assert_eq!((tags.total_items, tags.has_next), (None, false));

    let body = json!({ "data": [], "count": 3, "pagination": { "has_next": true } });
    let tags = client_of(&body).image("game").tags().list().await.unwrap();
    assert_eq!((tags.total_items, tags.has_next), (Some(3), true));

    let deleted = client("delete_image_tag", CannedReply::json(200, "{}"));
    let deleted = deleted.image("game").tag("1").delete().await.unwrap();
    assert_eq!((deleted.deleted_tag, deleted.artifact), (None, None));
}
