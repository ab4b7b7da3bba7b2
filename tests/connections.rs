//! TLS certificates, proxies, environment variables, and custom HTTP clients.
#![cfg(all(
    feature = "nexlayer",
    feature = "dployr",
    feature = "nodion",
    feature = "edgegap",
    feature = "rustls"
))]

#[path = "support/http2.rs"]
mod http2;
mod support;

use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{
    Call, ClientBuilder, Effect, ErrorKind, Retry, credentials::Credentials, dployr, nexlayer,
    nodion, pacing::Pacing,
};
use h2::Reason;
use http::Response;
use http2::{Answer, Frames, Http2, acceptor};
use std::future::IntoFuture;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use support::{Script, Server, Step, reply};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

const CANARY: &str = "canary-5d1f";
const LIST: &str = r#"{"deployments":[]}"#;
const CREATED: &str = r#"{"request_id":"a69f8e3e0555"}"#;

fn nodion(base_url: &str) -> ClientBuilder<nodion::Nodion> {
    let builder = nodion::Client::builder().base_url(base_url);
    builder.token(CANARY).retry(Retry::default().max_retries(1))
}

async fn list(builder: ClientBuilder<nodion::Nodion>) -> deploykit::Result<usize> {
    let list = builder
        .build()?
        .application("a")
        .deployments()
        .list()
        .await?;
    Ok(list.items.len())
}

/// An https server with a self-signed certificate.
struct Tls {
    base_url: String,
    certificate: String,
    handshakes: Arc<AtomicUsize>,
    _plain: Server,
}

impl Tls {
    /// Terminates TLS in front of a stub server with this reply.
    async fn start(reply: Vec<u8>) -> Self {
        let (acceptor, certificate) = acceptor(&[]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let handshakes = Arc::new(AtomicUsize::new(0));
        let counted = handshakes.clone();
        let plain = Server::start(Script::bytes(reply)).await;
        let behind = plain.base_url.trim_start_matches("http://").to_owned();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    continue;
                };
                let mut plain = TcpStream::connect(&behind).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut stream, &mut plain).await;
            }
        });
        Self {
            base_url: format!("https://localhost:{port}"),
            certificate,
            handshakes,
            _plain: plain,
        }
    }
}

fn new() -> NewDeployment {
    NewDeployment::new("a", "1", User::ip([75, 28, 35, 192].into()))
}

/// An HTTP/2 server that creates deployments if it answers with `Reply`.
async fn http2(answers: &[Answer]) -> Http2 {
    let created = Response::builder().status(202).body(CREATED).unwrap();
    Http2::start(answers, created).await
}

fn edgegap(base_url: &str, certificate: &str) -> ClientBuilder<edgegap::Edgegap> {
    let builder = edgegap::Client::builder().base_url(base_url);
    builder
        .token(CANARY)
        .root_certificate(certificate)
        .retry(Retry::default().initial_backoff(Duration::ZERO))
}

fn deploy(server: &Http2) -> Call<edgegap::Deployed> {
    let builder = edgegap(&server.server.base_url, &server.certificate);
    builder.build().unwrap().deploy(new())
}

/// A refusal proves that the server has not processed the request.
#[tokio::test]
async fn a_create_that_http2_refuses_is_retried() {
    let refusals = [
        Answer::Reset(Reason::REFUSED_STREAM),
        Answer::GoAwayBefore(Reason::NO_ERROR),
        Answer::GoAwayBefore(Reason::ENHANCE_YOUR_CALM),
    ];
    for refusal in refusals {
        let server = http2(&[refusal]).await;
        let error = deploy(&server).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect(), error.is_retryable()),
            (ErrorKind::Unavailable, Effect::None, true),
            "{refusal:?}"
        );
        let text = error.to_string();
        assert!(text.contains("the server refused the request: "), "{text}");
        assert!(text.contains("nothing was done"), "{text}");
    }

    // At one call per second, the retry is too late for the deadline.
    let server = http2(&[refusals[0], Answer::Reply]).await;
    let builder = edgegap(&server.server.base_url, &server.certificate);
    let builder = builder.pacing(Pacing::documented().one_of(40));
    let client = builder.build().unwrap();
    let call = client.deploy(new()).deadline(Duration::from_millis(900));
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::RateLimited);
    assert_eq!(server.server.log().requests(), 1);
}

#[tokio::test]
async fn a_goaway_between_two_creates_refuses_only_the_later_one() {
    let (acceptor, certificate) = acceptor(&["h2"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("https://{}", listener.local_addr().unwrap());
    let (has_lower, lower_read) = oneshot::channel();
    let requests = Arc::new(AtomicUsize::new(0));
    let count = requests.clone();
    let accept = async move || {
        let (stream, _) = listener.accept().await.unwrap();
        Frames::accept(acceptor.accept(stream).await.unwrap()).await
    };
    let server = tokio::spawn(async move {
        let mut old = accept().await;
        let first = old.read_request().await;
        old.reply(first, CREATED).await;
        let lower = old.read_request().await;
        has_lower.send(()).unwrap();
        let higher = old.read_request().await;
        assert_eq!((first, lower, higher), (1, 3, 5));
        old.go_away(lower, Reason::NO_ERROR).await;
        old.reply(lower, r#"{"request_id":"lower"}"#).await;
        let mut new = accept().await;
        loop {
            let retried = new.read_request().await;
            count.fetch_add(1, Ordering::SeqCst);
            new.reply(retried, r#"{"request_id":"retried"}"#).await;
        }
    });
    let builder = edgegap(&base_url, &certificate).pacing(Pacing::off());
    let client = builder.build().unwrap();
    // The next calls share its connection.
    client.deploy(new()).await.unwrap();
    let call = || tokio::spawn(client.deploy(new()).with_response().into_future());
    let lower = call();
    lower_read.await.unwrap();
    let higher = call();
    for (call, id, attempts) in [(lower, "lower", 1), (higher, "retried", 2)] {
        let reply = call.await.unwrap().unwrap();
        let found = (reply.value.request_id.as_str(), reply.attempts);
        assert_eq!(found, (id, attempts));
    }
    assert_eq!(requests.load(Ordering::SeqCst), 1);
    server.abort();
}

#[tokio::test]
async fn a_custom_root_certificate_is_trusted_only_if_configured() {
    let server = Tls::start(reply("200 OK", &[], LIST)).await;
    let error = list(nodion(&server.base_url)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect(), error.attempts()),
        (ErrorKind::Connect, Effect::None, 1),
        "{error}"
    );
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(
        !error.is_retryable(),
        "an invalid certificate stays invalid"
    );
    assert_eq!(server.handshakes.load(Ordering::SeqCst), 1);

    let trusting = nodion(&server.base_url).root_certificate(server.certificate.clone());
    assert_eq!(list(trusting).await.unwrap(), 0);
}

#[tokio::test]
async fn a_configured_proxy_gets_the_request_and_its_password_is_redacted() {
    let proxy = Server::replies("200 OK", &[], LIST).await;
    let with_password = proxy.base_url.replace("http://", "http://user:hush-hush@");
    let builder = nodion("http://platform.invalid/base")
        .allow_plain_http()
        .proxy(with_password);
    assert!(!format!("{builder:?}").contains("hush-hush"));
    let client = builder.build().unwrap();
    client.application("a").deployments().list().await.unwrap();
    let request = proxy.requests().remove(0);
    assert!(
        request.starts_with("GET http://platform.invalid/base/v1/applications/a/deployments HTTP"),
        "{request}"
    );
    assert!(request.contains("proxy-authorization: Basic "), "{request}");
    assert!(!format!("{client:?}").contains("hush-hush"));

    // The proxy refuses the connection, and repeats the password and the whole request.
    let refusing = Server::answers(|request| {
        let body = format!("wrong password hush-hush (hush%2Dhush): {request}");
        reply("407 Proxy Authentication Required", &[], body)
    })
    .await;
    for prefix in [
        "http://user:hush-hush@",
        " HTTP://user:hush%2Dhush@",
        "user:hush-hush@",
    ] {
        for platform in ["http://platform.invalid", "https://platform.invalid"] {
            let builder = nodion(platform).allow_plain_http().retry(Retry::off());
            let proxy = refusing.base_url.replace("http://", prefix);
            let error = list(builder.proxy(proxy)).await.unwrap_err();
            let status = platform.starts_with("http:").then_some(407);
            assert_eq!(error.status(), status, "{error:?}");
            assert_shows_no_password(&format!("{error} {error:?}"));
        }
    }
}

#[track_caller]
fn assert_shows_no_password(text: &str) {
    // The second one is `user:hush-hush` in base64.
    for secret in ["hush-hush", "dXNlcjpodXNoLWh1c2g"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn plain_http_through_a_proxy_is_refused() {
    let proxy = Server::replies("200 OK", &[], LIST).await;
    let builder = || nodion("http://127.0.0.1:9").proxy(proxy.base_url.clone());
    let error = builder().build().unwrap_err();
    assert!(error.to_string().contains("through a proxy"), "{error}");
    assert!(builder().allow_plain_http().build().is_ok());
    let error = nodion("https://a.example")
        .proxy(proxy.base_url.clone())
        .no_proxy();
    assert_eq!(error.build().unwrap_err().kind(), ErrorKind::Configuration);
}

/// The tests below run this in a child process, because environment variables are per process. Does nothing
/// otherwise.
#[tokio::test]
async fn in_child_process() {
    if std::env::var("DEPLOYKIT_TEST_FROM_ENV").is_ok() {
        let clients = [
            nexlayer::Client::from_env().map(|client| format!("{client:?}")),
            dployr::Client::from_env().map(|client| format!("{client:?}")),
            nodion::Client::from_env().map(|client| format!("{client:?}")),
            edgegap::Client::from_env().map(|client| format!("{client:?}")),
            edgegap::SelfStop::from_env().map(|stop| format!("{stop:?}")),
            Credentials::from_env("EDGEGAP_TOKEN").map(|token| format!("{token:?}")),
        ];
        for client in clients {
            match client {
                Ok(client) => println!("from_env: {client}"),
                Err(error) => println!("from_env: {:?}: {error}", error.kind()),
            }
        }
    }
    if std::env::var("DEPLOYKIT_TEST_OWN_CLIENT").is_ok() {
        let own_client = || std::panic::catch_unwind(reqwest::Client::new);
        own_client().unwrap_err();
        nodion("https://a.example").build().unwrap();
        own_client().unwrap();
        println!("own client: built");
    }
    if std::env::var("DEPLOYKIT_TEST_LIST").is_ok() {
        let nodion = nodion::Client::from_env().unwrap().application("a");
        nodion.deployments().list().await.unwrap();
        let edgegap = edgegap::Client::from_env().unwrap();
        edgegap.deployment("a").stop().await.unwrap();
    }
    let Ok(base_url) = std::env::var("DEPLOYKIT_TEST_BASE_URL") else {
        return;
    };
    let mut builder = nodion(&base_url).allow_plain_http();
    if std::env::var("DEPLOYKIT_TEST_NO_PROXY").is_ok() {
        builder = builder.no_proxy();
    }
    let outcome = list(builder).await;
    if let Err(error) = &outcome {
        println!("error: {error} {error:?}");
    }
    println!("outcome: {:?}", outcome.map_err(|error| error.kind()));
}

/// Runs `in_child_process` with these variables. Returns its lines about `from_env`.
fn from_env(values: [(&str, &str); 9]) -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["in_child_process", "--exact", "--nocapture"])
        .env("DEPLOYKIT_TEST_FROM_ENV", "1")
        .env_remove("DEPLOYKIT_TEST_BASE_URL")
        .envs(values);
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let lines = text
        .lines()
        .filter_map(|line| line.split_once("from_env: "));
    lines.map(|(_, outcome)| outcome.to_owned()).collect()
}

#[test]
fn clients_read_the_environment_and_empty_variables_are_missing() {
    let set = [
        ("NEXLAYER_BASE_URL", "https://nexlayer.example"),
        ("NEXLAYER_API_KEY", CANARY),
        ("DPLOYR_BASE_URL", "https://dployr.example"),
        ("DPLOYR_TOKEN", CANARY),
        ("NODION_TOKEN", CANARY),
        ("EDGEGAP_BASE_URL", "https://edgegap.example"),
        ("EDGEGAP_TOKEN", CANARY),
        (
            "ARBITRIUM_DELETE_URL",
            "https://edgegap.example/v1/self/stop/id-1/key",
        ),
        ("ARBITRIUM_DELETE_TOKEN", CANARY),
    ];
    let outcomes = from_env(set);
    let [nexlayer, dployr, nodion, edgegap, stop, token] = &outcomes[..] else {
        panic!("{outcomes:?}");
    };
    for (client, base_url) in [
        (nexlayer, "https://nexlayer.example"),
        (dployr, "https://dployr.example"),
        (nodion, "https://api.nodion.com"),
        (edgegap, "https://edgegap.example"),
        (stop, "https://edgegap.example"),
    ] {
        assert!(
            client.contains(&format!("base_url: {base_url:?}")),
            "{client}"
        );
        assert!(client.contains("token: set"), "{client}");
    }
    assert_eq!(token, "Credentials::token(<redacted>)");
    assert!(!outcomes.concat().contains(CANARY), "{outcomes:?}");

    let outcomes = from_env(set.map(|(name, _)| (name, "")));
    let [nexlayer, others @ ..] = &outcomes[..] else {
        panic!("{outcomes:?}");
    };
    // Both variables of Nexlayer are optional.
    let default = r#"base_url: "https://app.nexlayer.io", token: not set"#;
    assert!(nexlayer.contains(default), "{nexlayer}");
    let missing = [
        "DPLOYR_BASE_URL",
        "NODION_TOKEN or NODION_API_TOKEN",
        "EDGEGAP_TOKEN or EDGEGAP_API_TOKEN",
        "ARBITRIUM_DELETE_URL",
        "EDGEGAP_TOKEN",
    ];
    let missing = missing
        .map(|name| format!("Configuration: the environment variable {name} is missing or empty"));
    assert_eq!(others, missing);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_token_variable_that_is_not_empty_is_used() {
    let server = Server::replies("200 OK", &[], LIST).await;
    for (own, other, expected) in [
        ("own", "other", "own"),
        ("own", "", "own"),
        ("", "other", "other"),
        (" ", "other", "other"),
    ] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["in_child_process", "--exact"]);
        command.env("DEPLOYKIT_TEST_LIST", "1").envs([
            ("NODION_BASE_URL", server.base_url.as_str()),
            ("EDGEGAP_BASE_URL", &server.base_url),
            ("NODION_TOKEN", own),
            ("NODION_API_TOKEN", other),
            ("EDGEGAP_TOKEN", own),
            ("EDGEGAP_API_TOKEN", other),
        ]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let requests = server.requests();
        let [.., nodion, edgegap] = &requests[..] else {
            panic!("{requests:?}");
        };
        for (request, scheme) in [(nodion, "Bearer"), (edgegap, "token")] {
            let header = format!("authorization: {scheme} {expected}\r\n");
            assert!(request.contains(&header), "{request}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxy_variables_are_used_except_for_loopback() {
    let proxy = Server::replies("200 OK", &[], LIST).await;
    let platform = Server::replies("200 OK", &[], LIST).await;
    let refusing = Server::answers(|request| reply("400 Bad Request", &[], request)).await;
    let run = |proxy: &str, base_url: &str, more: &[(&str, &str)]| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["in_child_process", "--exact", "--nocapture"])
            .env("DEPLOYKIT_TEST_BASE_URL", base_url)
            .envs(more.iter().copied());
        // reqwest reads both spellings.
        for name in ["http_proxy", "HTTP_PROXY"] {
            command.env(name, proxy);
        }
        for name in ["no_proxy", "NO_PROXY", "REQUEST_METHOD"] {
            command.env_remove(name);
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    let text = run(&proxy.base_url, "http://platform.invalid", &[]);
    assert!(text.contains("outcome: Ok(0)"), "{text}");
    assert_eq!(proxy.requests().len(), 1);

    let with_password = refusing
        .base_url
        .replace("http://", "http://user:hush-hush@");
    let text = run(&with_password, "http://platform.invalid", &[]);
    assert!(text.contains("outcome: Err(Rejected)"), "{text}");
    assert_shows_no_password(&text);

    let text = run(&proxy.base_url, &platform.base_url, &[]);
    assert!(text.contains("outcome: Ok(0)"), "{text}");
    assert_eq!((proxy.requests().len(), platform.requests().len()), (1, 1));

    let text = run(
        &proxy.base_url,
        "http://platform.invalid",
        &[("DEPLOYKIT_TEST_NO_PROXY", "1")],
    );
    assert!(text.contains("outcome: Err(Connect)"), "{text}");
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn a_reqwest_client_needs_a_client_of_this_crate_first() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["in_child_process", "--exact", "--nocapture"])
        .env("DEPLOYKIT_TEST_OWN_CLIENT", "1")
        .env_remove("DEPLOYKIT_TEST_BASE_URL");
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(text.contains("own client: built"), "{output:?}");
}

#[tokio::test]
async fn a_custom_http_client_is_used_with_the_same_policies() {
    let server = Server::replies("503 Busy", &[], "").await;
    // reqwest needs a crypto provider to build a client with rustls.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let custom = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .default_headers(
            [("x-custom".parse().unwrap(), "yes".parse().unwrap())]
                .into_iter()
                .collect(),
        )
        .build()
        .unwrap();
    let builder = nodion(&server.base_url).http_client(custom.clone());
    let error = list(builder).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.attempts()),
        (ErrorKind::Unavailable, 2)
    );
    assert!(server.requests()[0].contains("x-custom: yes"));

    // This client follows redirects, so a connect error does not prove that the platform did nothing. The
    // call is not retried.
    let location = "location: http://127.0.0.1:9/gone";
    let server = Server::replies("303 See Other", &[location], "").await;
    let following = reqwest::Client::builder().no_proxy().build().unwrap();
    let builder = edgegap::Client::builder().base_url(&server.base_url);
    let client = builder
        .token(CANARY)
        .http_client(following)
        .build()
        .unwrap();
    let error = client.deploy(new()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect(), server.requests().len()),
        (ErrorKind::Connect, Effect::Unknown, 1)
    );

    let contradiction = nodion(&server.base_url).http_client(custom).no_proxy();
    assert_eq!(
        contradiction.build().unwrap_err().kind(),
        ErrorKind::Configuration
    );
}

/// A connection belongs to the tokio runtime that opened it.
#[test]
fn an_error_explains_that_the_runtime_of_the_connection_has_ended() {
    let runtime = || {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap()
    };
    let (servers, first, second) = (runtime(), runtime(), runtime());
    // Keeps the connection open, unlike `reply`.
    let first_reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{LIST}",
        LIST.len()
    );
    let steps = vec![
        Step::ReadAll,
        Step::Send(first_reply.into_bytes()),
        Step::ReadAll,
        Step::Silence,
    ];
    let server = servers.block_on(Server::start(Script::always(steps)));
    let builder = nodion(&server.base_url).retry(Retry::off());
    let client = builder.build().unwrap();
    let list = || client.application("a").deployments().list();
    first.block_on(async { list().await }).unwrap();

    let call = second.spawn(list().into_future());
    while server.requests().len() < 2 {
        std::thread::yield_now();
    }
    first.shutdown_background();
    let error = second.block_on(call).unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted);
    assert!(
        error.to_string().contains("build a client per runtime"),
        "{error}"
    );
}

#[tokio::test]
async fn a_failed_connection_to_the_default_host_explains_how_to_set_another() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dead = || {
        reqwest::Client::builder()
            .no_proxy()
            .resolve("app.nexlayer.io", ([127, 0, 0, 1], 1).into())
    };
    let failed = async |builder: ClientBuilder<nexlayer::Nexlayer>| {
        let client = builder.retry(Retry::off()).build().unwrap();
        let error = client
            .session(CANARY)
            .reservations()
            .list()
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Connect, Effect::None)
        );
        error.to_string()
    };
    let builder = || nexlayer::Client::builder().http_client(dead().build().unwrap());
    let default = failed(builder()).await;
    for words in [
        "cannot connect to app.nexlayer.io",
        "the default host",
        "Client::builder().base_url(url)",
        "NEXLAYER_BASE_URL",
    ] {
        assert!(default.contains(words), "{default}");
    }
    for base_url in ["https://app.nexlayer.io", "http://127.0.0.1:1"] {
        let set = failed(builder().base_url(base_url)).await;
        assert!(
            set.contains("cannot connect") && !set.contains("default"),
            "{set}"
        );
    }
    let recorder = Recorder::new();
    recorder.reply("get_reservations", CannedReply::connect_error());
    let canned = failed(nexlayer::Client::builder().recorder(&recorder)).await;
    assert!(canned.contains("the default host"), "{canned}");
}
