//! `Display` of one error of each kind, from real calls. A maintainer reads the snapshot.

mod support;

use deploykit::dployr::{self, NewDeployment};
use deploykit::edgegap::{self, NewDeployment as NewServer, SelfStop, User};
use deploykit::nexlayer::{self, Manifest};
use deploykit::pacing::Pacing;
use deploykit::{Call, ClientBuilder, Effect, Error, ErrorKind, Platform, Retry, nodion};
use http::Method;
use std::collections::HashSet;
use std::time::Duration;
use support::{Script, Server, Step, runtime};

const TOKEN: &str = "canary-token";
const SECRET: &str = "canary-value";
const APPLICATION: &str = "92955d4f-2e44-4e48-8cb6-9c6c434afebb";
const JSON: &[&str] = &["content-type: application/json"];

fn client<P: Platform>(builder: ClientBuilder<P>, server: &Server) -> P::Client {
    let builder = builder.base_url(&server.base_url).token(TOKEN);
    let builder = builder.pacing(Pacing::off()).retry(Retry::off());
    builder.build().unwrap()
}

fn edgegap(server: &Server) -> edgegap::Client {
    client(edgegap::Client::builder(), server)
}

fn nodion(server: &Server) -> nodion::Client {
    client(nodion::Client::builder(), server)
}

fn dployr(server: &Server) -> dployr::Client {
    client(dployr::Client::builder(), server)
}

fn nexlayer(server: &Server) -> nexlayer::Client {
    client(nexlayer::Client::builder(), server)
}

fn new_server() -> NewServer {
    let player = User::ip([75, 28, 35, 192].into());
    NewServer::new("my-app", "1", player).hidden_env("KEY", SECRET)
}

fn new_app() -> NewDeployment {
    NewDeployment::from_git("my-app", "https://git.example/a.git").secret("KEY", SECRET)
}

fn manifest() -> Manifest {
    Manifest::parse("application:\n  name: web\n  pods: []\n").unwrap()
}

/// A server that sends this JSON reply to every request.
async fn server_with_reply(status: &str, body: &str) -> Server {
    Server::replies(status, JSON, body).await
}

async fn failure<T: Send + 'static>(call: Call<T>) -> Error {
    match call.await {
        Ok(_) => panic!("the call succeeded"),
        Err(error) => error,
    }
}

#[test]
fn one_error_of_each_kind_says_what_happened_and_what_to_do() {
    let errors = runtime().block_on(errors());
    let lines: Vec<_> = errors
        .iter()
        .map(|error| format!("{:?}: {error}", error.kind()))
        .collect();
    for (error, line) in errors.iter().zip(&lines) {
        let shown = format!("{line} {error:?}");
        assert!(!shown.contains("canary"), "{shown}");
        assert!(!line.contains("_id}") && !line.contains('\n'), "{line}");
    }
    insta::with_settings!({ filters => vec![
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"in \d+\.\d s\)", "in N s)"),
    ] }, {
        insta::assert_snapshot!(lines.join("\n"));
    });
    let kinds: HashSet<_> = errors.iter().map(Error::kind).collect();
    assert_eq!(kinds.len(), 25, "{kinds:?}");
}

async fn errors() -> Vec<Error> {
    let unused = server_with_reply("200 OK", "{}").await;
    let mut errors = Vec::new();
    let builder = nodion::Client::builder().base_url("ftp://user:canary@a.example");
    errors.push(builder.build().unwrap_err());
    errors.push(
        nodion::Client::builder()
            .base_url("https://a.example")
            .token("")
            .build()
            .unwrap_err(),
    );

    // InvalidRequest
    errors.push(failure(nodion(&unused).application("..").deploy()).await);
    let call = nodion(&unused).application(APPLICATION).get();
    errors.push(failure(call.header("cookie", SECRET)).await);

    // Unauthenticated
    let server = server_with_reply("401 Unauthorized", r#"{"message":"Unauthorized"}"#).await;
    errors.push(failure(edgegap(&server).deploy(new_server())).await);
    let url = format!("{}/v1/self/stop/a69f8e3e0555/canary-key", server.base_url);
    let stop = SelfStop::new(url, TOKEN).unwrap();
    errors.push(failure(stop.stop()).await);
    let server = server_with_reply("401 Unauthorized", r#"{"error":"wrong password"}"#).await;
    let builder = dployr::Client::builder().base_url(&server.base_url);
    let client = builder.login("user@example.com", SECRET).build().unwrap();
    errors.push(failure(client.deploy(new_app())).await);

    // Forbidden, NotFound, NoSuchRoute, Conflict, AlreadyRemoved
    let server = server_with_reply("403 Forbidden", r#"{"errors":["no access"]}"#).await;
    errors.push(failure(nodion(&server).application(APPLICATION).delete()).await);
    let server = server_with_reply("404 Not Found", "{}").await;
    errors.push(failure(edgegap(&server).deployment("a69f8e3e0555").get()).await);
    let server = Server::replies("404 Not Found", &[], "404 page not found").await;
    errors.push(failure(dployr(&server).domain("app.example.com").get()).await);
    let server = server_with_reply("409 Conflict", r#"{"message":"the tag exists"}"#).await;
    errors.push(
        failure(
            edgegap(&server)
                .deployment("a69f8e3e0555")
                .tags()
                .create("eu"),
        )
        .await,
    );
    let server = server_with_reply("410 Gone", r#"{"message":"Deployment was terminated"}"#).await;
    errors.push(failure(edgegap(&server).deployment("a69f8e3e0555").get()).await);

    // Rejected
    let body = r#"{"request_id":"a69f8e3e0555","message":"no capacity"}"#;
    let server = server_with_reply("422 Unprocessable Entity", body).await;
    errors.push(failure(edgegap(&server).deploy(new_server())).await);
    let server = server_with_reply(
        "400 Bad Request",
        r#"{"message":"invalid request","details":{"app_name":["does not exist"]}}"#,
    )
    .await;
    errors.push(failure(edgegap(&server).deploy(new_server())).await);

    // PlanLimit, RateLimited, Quota, SpendLimit
    let body = r#"{"error":"Project limit reached for the free plan"}"#;
    let server = server_with_reply("400 Bad Request", body).await;
    errors.push(failure(dployr(&server).deploy(new_app())).await);
    let server = Server::replies("429 Too Many Requests", &["retry-after: 12"], "").await;
    errors.push(failure(nodion(&server).application(APPLICATION).deploy()).await);
    let left = "x-ratelimit-remaining: 9";
    let server = Server::replies(
        "429 Too Many Requests",
        &[left, JSON[0]],
        r#"{"error":"build minutes used up"}"#,
    )
    .await;
    errors.push(failure(dployr(&server).deploy(new_app())).await);
    let builder = edgegap::Client::builder()
        .base_url(&unused.base_url)
        .token(TOKEN);
    let client = builder
        .max_creates(0, Duration::from_secs(60))
        .build()
        .unwrap();
    errors.push(failure(client.deploy(new_server())).await);

    // Redirected, Server, Unavailable
    let location = "location: https://new.example/v1?token=canary";
    let server = Server::replies("302 Found", &[location], "").await;
    errors.push(failure(nodion(&server).application(APPLICATION).deploy()).await);
    let server = server_with_reply("500 Internal Server Error", r#"{"message":"oops"}"#).await;
    errors.push(failure(nodion(&server).application(APPLICATION).deploy()).await);
    errors.push(failure(nodion(&server).request(Method::POST, "/v1/odd/7")).await);
    errors.push(failure(nexlayer(&server).deploy(manifest())).await);
    let server = Server::replies("503 Service Unavailable", &["retry-after: 2"], "").await;
    let call = edgegap(&server).deployment("a69f8e3e0555").get();
    errors.push(failure(call.retry(Retry::default())).await);
    errors.push(failure(edgegap(&server).deployment("a69f8e3e0555").stop()).await);

    // Connect, Timeout, Interrupted
    errors.push(failure(edgegap(&Server::refuses()).deploy(new_server())).await);
    let server = Server::start(Script::silence()).await;
    errors.push(failure(edgegap(&server).deploy(new_server())).await);
    errors.push(failure(dployr(&server).deploy(new_app())).await);
    errors.push(failure(nodion(&server).application(APPLICATION).get()).await);
    let server = Server::start(Script::always(vec![Step::ReadAll, Step::Reset])).await;
    errors.push(failure(nodion(&server).application(APPLICATION).deploy()).await);

    // Decode
    let server = server_with_reply("202 Accepted", r#"{"id":1}"#).await;
    errors.push(failure(edgegap(&server).deploy(new_server())).await);
    let server = server_with_reply("200 OK", r#"{"deployments":{"id":7}}"#).await;
    let application = nodion(&server).application(APPLICATION);
    errors.push(failure(application.deployments().list()).await);

    // Pagination
    let body = r#"{"data":[],"total_count":9,"pagination":{"number":1,"has_next":true,"next_page_number":2}}"#;
    let server = server_with_reply("200 OK", body).await;
    let pages = edgegap(&server).deployments().list().stream();
    errors.push(pages.try_collect().await.unwrap_err());

    // Unsupported
    let body = r#"{"error":{"code":"LOGS_NOT_AVAILABLE","message":"no log store"}}"#;
    let server = server_with_reply("501 Not Implemented", body).await;
    errors.push(
        failure(
            dployr(&server)
                .service("web")
                .logs(dployr::LogOptions::new()),
        )
        .await,
    );

    // WaitFailed, WaitTimedOut, Gone
    let wait = |server: &Server| {
        let wait = edgegap(server).deployment("c0653765de3b").wait();
        wait.jitter(false).deadline(Duration::from_secs(20))
    };
    let body = r#"{"request_id":"c0653765de3b","current_status":"Status.ERROR","error":true,"error_detail":"image not found"}"#;
    errors.push(
        wait(&server_with_reply("200 OK", body).await)
            .await
            .unwrap_err(),
    );
    let body = r#"{"request_id":"c0653765de3b","current_status":"Status.DEPLOYING"}"#;
    errors.push(
        wait(&server_with_reply("200 OK", body).await)
            .await
            .unwrap_err(),
    );
    errors.push(
        wait(&server_with_reply("404 Not Found", "{}").await)
            .await
            .unwrap_err(),
    );
    errors
}

#[test]
fn an_error_with_a_long_id_is_one_short_line() {
    runtime().block_on(async {
        let server = Server::replies("404 Not Found", &[], "").await;
        let name = format!("a b {}", "x".repeat(200));
        let error = failure(edgegap(&server).deployment("a69f8e3e0555").tag(name).get()).await;
        let expected = format!(
            "edgegap get_deployment_tag a69f8e3e0555 a b {}…: 404 not found",
            "x".repeat(60)
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.effect(), Effect::None);
        assert_eq!(error.kind(), ErrorKind::NotFound);
    });
}
