//! Behaviour that all calls share, tested on a real socket.

mod support;

use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::nexlayer::{self, Manifest};
use deploykit::nodion::{self, Deployment};
use deploykit::{Effect, ErrorKind, Page, Result, Retry};
use http::Method;
use serde_json::json;
use std::time::Duration;
use support::Server;

const CANARY: &str = "canary-5d1f";
const ACCEPTED: &str = r#"{"request_id":"a69f8e3e0555"}"#;
const LIST: &str = r#"{"deployments":[]}"#;
/// Headers that only the transport may set.
const RESERVED_HEADERS: [&str; 14] = [
    "Accept-Encoding",
    "Authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

fn edgegap(base_url: &str) -> edgegap::Client {
    edgegap::Client::builder()
        .base_url(base_url)
        .token(CANARY)
        // Retries are tested in tests/faults.
        .retry(Retry::off())
        .build()
        .unwrap()
}

fn nodion(base_url: &str) -> nodion::Client {
    nodion::Client::builder()
        .base_url(base_url)
        .token(CANARY)
        // Retries are tested in tests/faults.
        .retry(Retry::off())
        .build()
        .unwrap()
}

async fn list(server: &Server) -> Result<Page<Deployment>> {
    let application = nodion(&server.base_url).application("a");
    application.deployments().list().await
}

fn new() -> NewDeployment {
    NewDeployment::new("my-app", "1", User::ip([75, 28, 35, 192].into()))
}

#[tokio::test]
async fn a_request_has_only_the_expected_headers() {
    let server = Server::replies(
        "202 Accepted",
        &["content-type: application/json"],
        ACCEPTED,
    )
    .await;
    let reply = edgegap(&server.base_url)
        .deploy(new())
        .with_response()
        .await
        .unwrap();
    assert_eq!((reply.status, reply.attempts), (202, 1));
    assert_eq!(reply.value.request_id.as_str(), "a69f8e3e0555");
    let request = server.requests().remove(0).to_lowercase();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.lines().collect();
    assert_eq!(lines.remove(0), "post /v2/deployments http/1.1");
    lines.sort_unstable();
    let agent = format!("user-agent: deploykit/{}", env!("CARGO_PKG_VERSION"));
    let length = format!("content-length: {}", body.len());
    let host = format!("host: {}", server.base_url.trim_start_matches("http://"));
    assert_eq!(
        lines,
        [
            "accept: application/json",
            &format!("authorization: token {CANARY}"),
            &length,
            "content-type: application/json",
            &host,
            &agent,
        ]
    );
}

#[tokio::test]
async fn options_of_one_call_do_not_reach_the_next() {
    let server = Server::replies("200 OK", &[], LIST).await;
    let application = nodion(&format!("{}/sub/path/", server.base_url)).application("a b");
    let call = application.deployments().list();
    let call = call
        .header("X-Trace", "abc")
        .query("page", "2 & 3")
        .timeout(Duration::from_secs(5));
    call.await.unwrap();
    application.deployments().list().await.unwrap();
    let [first, second] = &server.requests()[..] else {
        panic!("{:?}", server.requests());
    };
    assert!(
        first.starts_with("GET /sub/path/v1/applications/a%20b/deployments?page=2+%26+3 HTTP"),
        "{first}"
    );
    assert!(first.contains("x-trace: abc\r\n"), "{first}");
    assert!(
        second.starts_with("GET /sub/path/v1/applications/a%20b/deployments HTTP"),
        "{second}"
    );
    assert!(!second.contains("x-trace"), "{second}");
}

#[tokio::test]
async fn a_preview_shows_the_request_and_sends_nothing() {
    let server = Server::replies("200 OK", &[], LIST).await;
    let client = edgegap(&format!("{}/sub", server.base_url));
    let call = client
        .deploy(new())
        .header("X-Trace", CANARY)
        .query("dry", CANARY);
    let preview = call.preview().unwrap();
    assert_eq!(preview.operation().unwrap().id, "create_deployment");
    let text = preview.to_string();
    assert!(
        text.starts_with("POST /v2/deployments\n? dry = <redacted>\nauthorization: <redacted>\n"),
        "{text}"
    );
    let curl = preview.to_curl();
    assert!(
        curl.contains("/sub/v2/deployments?dry=<redacted>' -H 'authorization: <redacted>'"),
        "{curl}"
    );
    assert!(!text.contains(CANARY) && !curl.contains(CANARY));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_body_field_is_sent_and_its_value_is_redacted() {
    let reply = json!({ "message": format!("no mode {CANARY}") }).to_string();
    let server = Server::replies("400 Bad Request", &[], &reply).await;
    let client = edgegap(&server.base_url);
    let call = || {
        let call = client.deploy(new()).body_field("version", "2");
        call.body_field("a.b", json!({ "mode": [CANARY, 7] }))
    };
    let preview = call().preview().unwrap().to_string();
    assert!(preview.contains(r#""a.b": {"#), "{preview}");
    assert!(preview.contains(r#""version": "<redacted>""#), "{preview}");
    assert!(!preview.contains(CANARY), "{preview}");
    assert!(
        preview.contains("content-type: application/json"),
        "{preview}"
    );

    let error = call().await.unwrap_err();
    assert_eq!(error.status(), Some(400));
    assert!(!format!("{error:?} {error}").contains(CANARY), "{error}");
    let request = server.requests().remove(0);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.to_lowercase();
    assert_eq!(
        head.matches("content-type: application/json").count(),
        1,
        "{head}"
    );
    assert!(
        head.contains(&format!("content-length: {}", body.len())),
        "{head}"
    );
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let users =
        json!([{ "user_type": "ip_address", "user_data": { "ip_address": "75.28.35.192" } }]);
    let mode = json!({ "mode": [CANARY, 7] });
    let expected = json!({ "application": "my-app", "version": "2", "users": users, "a.b": mode });
    assert_eq!(body, expected);
}

#[tokio::test]
async fn a_body_field_needs_a_json_object() {
    let server = Server::replies("200 OK", &[], LIST).await;
    let nexlayer = nexlayer::Client::builder().base_url(&server.base_url);
    let nexlayer = nexlayer.build().unwrap();
    let manifest = Manifest::parse(r#"{"application":{"name":"a","pods":[]}}"#).unwrap();
    let application = nodion(&server.base_url).application("a");
    for error in [
        application
            .deployments()
            .list()
            .body_field("a", 1)
            .await
            .err(),
        nexlayer.deploy(manifest).body_field("a", 1).await.err(),
    ] {
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("not a JSON object"), "{error}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn calls_move_between_threads_and_do_nothing_until_awaited() {
    let server = Server::replies("200 OK", &[], LIST).await;
    let client = nodion(&server.base_url);
    drop(client.application("a").deployments().list());
    let call = client.application("a").deployments().list();
    let list = tokio::spawn(async move { call.await })
        .await
        .unwrap()
        .unwrap();
    assert!(list.items.is_empty());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn reserved_headers_and_unsafe_paths_are_refused() {
    let server = Server::replies("200 OK", &[], LIST).await;
    let client = nodion(&server.base_url);
    let malformed = [("x y", "x"), ("x-a", "a\r\nb: c")];
    let headers = RESERVED_HEADERS.map(|name| (name, "x"));
    for (name, value) in headers.into_iter().chain(malformed) {
        let error = client
            .application("a")
            .deployments()
            .list()
            .header(name, value)
            .await
            .expect_err(name);
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::InvalidRequest, Effect::None),
            "{name}"
        );
        assert_eq!(error.operation().unwrap().id, "list_deployments");
    }
    for path in [
        "v1",
        "",
        "//evil.example/",
        "/a/../b",
        "/a/%2E%2e/b",
        "/a?b",
        "/a#b",
        "/a\nb",
        "/a\\b",
    ] {
        let error = client.request(Method::GET, path).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{path}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_request_without_a_wrapper_supports_the_same_options() {
    let server = Server::replies("200 OK", &["content-type: text/plain"], "it worked").await;
    let client = nodion(&server.base_url);
    let call = || {
        client
            .request(Method::PATCH, "/v1/applications/1")
            .json(&json!({ "name": "x", "api_key": CANARY }))
    };
    let preview = call().preview().unwrap().to_string();
    assert!(preview.starts_with("PATCH /v1/applications/1\nauthorization: <redacted>\ncontent-type: application/json\n\n"), "{preview}");
    assert!(
        preview.contains("\"name\": \"<redacted>\"") && !preview.contains(CANARY),
        "{preview}"
    );
    let reply = call().with_response().await.unwrap();
    assert_eq!((reply.value, reply.status), (json!("it worked"), 200));
    assert!(server.requests()[0].ends_with(&format!(r#"{{"api_key":"{CANARY}","name":"x"}}"#)));
}

#[tokio::test]
async fn response_bodies_are_limited() {
    let large = format!(r#"{{"deployments":[],"padding":"{}"}}"#, "x".repeat(5000));
    let server = Server::replies("200 OK", &[], &large).await;
    let client = nodion::Client::builder()
        .base_url(&server.base_url)
        .token(CANARY)
        .max_reply_bytes(4096)
        .build()
        .unwrap();
    let error = client
        .application("a")
        .deployments()
        .list()
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(
        error.to_string().contains("larger than 4096 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn redirects_are_errors_and_are_not_followed() {
    let target = Server::replies("200 OK", &[], LIST).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect"] {
        let location = format!("location: {}/elsewhere", target.base_url);
        let server = Server::replies(status, &[&location], "").await;
        let error = list(&server).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Redirected, "{error}");
        let words = format!(
            "redirected to {}; redirects are not followed: check the base URL",
            target.base_url
        );
        assert!(error.to_string().contains(&words), "{error}");
        let error = edgegap(&server.base_url).deploy(new()).await.unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown, "{error}");
    }
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn unexpected_responses_are_decode_errors() {
    for (body, path) in [
        ("<html><body>502</body></html>", "$: "),
        (r#"{"deployments": 7}"#, "$.deployments: "),
        (r#"{"deployments": {"canary-5d1f": 1}}"#, "$.deployments: "),
        (r#"{"deployments": [{"id": ["#, "$.deployments[0].id: "),
        ("", "$: "),
        (&"[".repeat(4000), "$[0][0][0]"),
    ] {
        let server = Server::replies("200 OK", &["content-type: application/json"], body).await;
        let error = list(&server).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.status(), error.effect()),
            (ErrorKind::Decode, Some(200), Effect::None),
            "{body}"
        );
        assert!(
            error.to_string().contains(&format!("at {path}")),
            "{body}: {error}"
        );
        let shown = format!("{error} {error:?} {:?}", error.body_excerpt());
        assert!(!shown.contains(CANARY), "{shown}");
    }
    // An accepted create took effect, even if its response cannot be decoded.
    let server = Server::replies("202 Accepted", &[], r#"{"id": 1}"#).await;
    let error = edgegap(&server.base_url).deploy(new()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect()),
        (ErrorKind::Decode, Effect::Applied)
    );
}

#[tokio::test]
async fn debug_of_a_response_shows_harmless_headers_only() {
    let headers = [
        "set-cookie: connect.sid=canary-5d1f",
        "x-new: canary-5d1f",
        "x-ratelimit-limit: 100",
        "x-ratelimit-remaining: 99",
    ];
    let server = Server::replies("200 OK", &headers, LIST).await;
    let reply = nodion(&server.base_url)
        .application("a")
        .deployments()
        .list()
        .with_response()
        .await
        .unwrap();
    let limit = reply.rate_limit.unwrap();
    assert_eq!(
        (limit.limit, limit.remaining, limit.reset),
        (Some(100), Some(99), None)
    );
    assert_eq!(reply.headers.get("X-New"), Some(CANARY));
    assert_eq!(reply.headers.get("set-cookie"), None, "cookies are removed");
    assert!(!format!("{reply:?}").contains(CANARY));
}
