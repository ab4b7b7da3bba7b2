//! The sandbox server over real sockets.

mod clock;
#[path = "../common/mod.rs"]
mod common;
mod limits;
mod page;
mod requests;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::server;
use deploykit_sandbox::{Dialect, Platform, Sandbox};
use serde_json::{Value, json};

/// Loopback needs no TLS, but with deploykit's features reqwest needs a crypto provider.
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Sends a request on a new connection. Returns head and body of the reply.
pub fn exchange(base_url: &str, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(base_url.strip_prefix("http://").unwrap()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

pub fn page(base_url: &str, target: &str, headers: &str) -> (String, String) {
    exchange(
        base_url,
        &format!("GET {target} HTTP/1.1\r\n{headers}connection: close\r\n\r\n"),
    )
}

pub const LOCAL: &str = "host: 127.0.0.1\r\n";

pub fn deploy(sandbox: &Sandbox) -> (String, String) {
    let access = sandbox.nodion();
    let (token, id) = (&access.token, &access.application_id);
    exchange(
        &access.base_url,
        &format!(
            "POST /v1/applications/{id}/deployments HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             content-length: 0\r\nconnection: close\r\n\r\n"
        ),
    )
}

#[tokio::test]
async fn each_platform_answers_on_its_own_port() {
    let sandbox = server::start(Sandbox::builder()).await;
    let client = client();

    let manifest = "application: {name: demo, pods: [{name: web, path: /, image: 'nginx:1.27', servicePorts: [80]}]}";
    let url = format!("{}/startUserDeployment", sandbox.nexlayer().base_url);
    let reply = client
        .post(url)
        .header("content-type", "text/x-yaml")
        .body(manifest)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.headers()["content-type"], "application/json");
    let body: Value = reply.json().await.unwrap();
    assert_eq!(body["applicationName"], "demo");

    let dployr = sandbox.dployr();
    let body = json!({ "name": "my-app", "source": "image", "image": "nginx:1.27" });
    let url = format!("{}/v1/deployments", dployr.base_url);
    let reply = client
        .post(url)
        .bearer_auth(&dployr.token)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 202);
    assert_eq!(reply.headers()["x-ratelimit-limit"], "1000");

    let nodion = sandbox.nodion();
    let url = format!(
        "{}/v1/applications/{}/deployments",
        nodion.base_url, nodion.application_id
    );
    let reply = client
        .post(&url)
        .bearer_auth(&nodion.token)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 200);
    sandbox.advance(Duration::from_secs(5));
    let body: Value = client
        .get(&url)
        .bearer_auth(&nodion.token)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        body["deployments"][0]["status"], "available",
        "the clock was advanced"
    );

    let edgegap = sandbox.edgegap();
    let body = json!({
        "application": edgegap.application, "version": edgegap.version,
        "users": [{ "user_type": "ip_address", "user_data": { "ip_address": "198.51.100.7" } }],
    });
    let url = format!("{}/v2/deployments", edgegap.base_url);
    let token = format!("token {}", edgegap.token);
    let reply = client
        .post(url)
        .header("authorization", token)
        .json(&body)
        .send()
        .await
        .unwrap();
    assert_eq!(reply.status(), 202);

    let seen: Vec<_> = sandbox
        .requests()
        .into_iter()
        .map(|seen| (seen.platform, seen.method.to_string(), seen.status))
        .collect();
    let post = |platform, status| (platform, "POST".to_owned(), status);
    let expected = [
        post(Platform::Nexlayer, 200),
        post(Platform::Dployr, 202),
        post(Platform::Nodion, 200),
        (Platform::Nodion, "GET".to_owned(), 200),
        post(Platform::Edgegap, 202),
    ];
    assert_eq!(seen, expected);
    let recorded = &sandbox.requests_to(Platform::Edgegap)[0];
    assert_eq!(recorded.path, "/v2/deployments");
    assert_eq!(recorded.header("Content-Type"), Some("application/json"));
    assert_eq!(
        serde_json::from_slice::<Value>(&recorded.body).unwrap(),
        body
    );
}

#[tokio::test]
async fn builder_settings_apply_to_the_server() {
    let sandbox = server::start(
        Sandbox::builder()
            .dployr_dialect(Dialect::ControlPlane)
            .seed(1),
    )
    .await;
    let url = format!("{}/v1/auth/login", sandbox.dployr().base_url);
    let reply = client().post(url).json(&json!({})).send().await.unwrap();
    assert_eq!(reply.status(), 404);
    assert_eq!(reply.headers()["content-type"], "text/plain; charset=UTF-8");
    assert_eq!(reply.text().await.unwrap(), "404 Not Found");
}

#[tokio::test]
async fn a_body_above_1_mib_is_refused() {
    let sandbox = server::start(Sandbox::builder()).await;
    let client = client();
    let send = |size: usize| {
        let url = format!("{}/startUserDeployment", sandbox.nexlayer().base_url);
        client
            .post(url)
            .header("content-type", "text/plain")
            .body(vec![b'a'; size])
            .send()
    };
    assert_eq!(send(1 << 20).await.unwrap().status(), 400);
    assert_eq!(send((1 << 20) + 1).await.unwrap().status(), 413);
    let seen = sandbox.requests();
    assert_eq!((seen[0].body.len(), seen[0].status), (1 << 20, 400));
    assert_eq!((seen[1].body.len(), seen[1].status), (0, 413));
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_sandbox_stops_the_server() {
    let sandbox = server::start(Sandbox::builder()).await;
    let address = sandbox
        .nexlayer()
        .base_url
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    let mut idle = TcpStream::connect(&address).unwrap();
    idle.write_all(b"GET /nope HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let mut begin = [0; 12];
    idle.read_exact(&mut begin).unwrap();
    assert_eq!(&begin, b"HTTP/1.1 404");
    drop(sandbox);
    // Idle connections are closed and the port is released.
    idle.set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut rest = Vec::new();
    idle.read_to_end(&mut rest).unwrap();
    let refused = (0..1_000).any(|_| {
        std::thread::yield_now();
        TcpStream::connect(&address).is_err()
    });
    assert!(refused);
}

#[tokio::test]
async fn ports_that_cannot_be_bound_are_errors() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Sandbox::builder().port(port).start().await.unwrap_err();
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{port}")),
        "{error}"
    );
    let error = Sandbox::builder().port(65_535).start().await.unwrap_err();
    assert!(error.to_string().contains("65535"), "{error}");
}
