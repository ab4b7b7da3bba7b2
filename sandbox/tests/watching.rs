//! The clock, what is seen of requests, and the page.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use common::server;
use common::{World, has};
use deploykit_sandbox::{Dialect, Fault, Platform, Request, Sandbox};
use serde_json::{Value, json};

/// One exchange on a connection of its own: head and body.
fn exchange(base_url: &str, request: &str) -> (String, String) {
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

fn page(base_url: &str, target: &str, headers: &str) -> (String, String) {
    exchange(
        base_url,
        &format!("GET {target} HTTP/1.1\r\n{headers}connection: close\r\n\r\n"),
    )
}

const LOCAL: &str = "host: 127.0.0.1\r\n";

fn deploy(sandbox: &Sandbox) -> (String, String) {
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

#[tokio::test(flavor = "multi_thread")]
async fn a_driven_clock_stands_still() {
    let sandbox = server::start(Sandbox::builder().driven_clock()).await;
    let start = sandbox.now();
    assert_eq!(start, Duration::from_secs(1_795_487_040));
    let body: Value = serde_json::from_str(&deploy(&sandbox).1).unwrap();
    assert_eq!(
        body["deployment"]["created_at"],
        "2026-11-24T03:24:00.000+01:00"
    );
    assert_eq!(sandbox.now(), start);
    sandbox.advance(Duration::from_secs(120));
    assert_eq!(sandbox.now(), start + Duration::from_secs(120));
    deploy(&sandbox);
    let at: Vec<Duration> = sandbox
        .requests()
        .iter()
        .map(|one| one.at - start)
        .collect();
    assert_eq!(at, [Duration::ZERO, Duration::from_secs(120)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticking_clock_goes_on_with_each_request() {
    let tick = Duration::from_millis(500);
    let sandbox = Sandbox::builder()
        .ticking_clock(tick)
        .ready_after(3 * tick)
        .start()
        .await
        .unwrap();
    let start = sandbox.now();
    let access = sandbox.edgegap();
    let ask = |method: &str, path: &str, body: &str| {
        let (base_url, token, length) = (&access.base_url, &access.token, body.len());
        let (_, body) = exchange(
            base_url,
            &format!(
                "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: token {token}\r\nconnection: close\r\n\
                 content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
            ),
        );
        serde_json::from_str::<Value>(&body).unwrap()
    };
    let wanted = json!({"application": access.application, "version": access.version, "users": [
        {"user_type": "ip_address", "user_data": {"ip_address": "1.1.1.1"}}
    ]});
    let made = ask("POST", "/v2/deployments", &wanted.to_string());
    let path = format!("/v1/status/{}", made["request_id"].as_str().unwrap());
    let running: Vec<Value> = (0..4)
        .map(|_| ask("GET", &path, "")["running"].clone())
        .collect();
    assert_eq!(running, [false, false, true, true]);
    page(&access.base_url, "/", LOCAL);
    assert_eq!(sandbox.now(), start + 5 * tick, "to look does not count");
}

#[test]
fn limits_can_be_lifted() {
    for (limits, status) in [(true, 429), (false, 200)] {
        let mut world = World::new(Platform::Edgegap, Sandbox::builder().rate_limits(limits));
        let last = (0..50)
            .map(|_| world.get("/v1/deployments").status.as_u16())
            .last();
        assert_eq!(last, Some(status));
        let builder = Sandbox::builder()
            .rate_limits(limits)
            .dployr_dialect(Dialect::ControlPlane);
        let mut world = World::new(Platform::Dployr, builder);
        let last = (0..500)
            .map(|_| world.get("/v1/users/me").status.as_u16())
            .last();
        assert_eq!(last, Some(status));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_waited_for_and_forgotten() {
    let sandbox = server::start(Sandbox::builder()).await;
    let soon = Duration::from_millis(20);
    assert_eq!(sandbox.wait_for(|_| true, soon).await, None);
    deploy(&sandbox);
    let first = sandbox.wait_for(|_| true, soon).await.unwrap();
    assert_eq!((first.number, first.status), (1, 200));
    let coming = sandbox.wait_for(|one| one.number == 2, Duration::from_secs(10));
    let (coming, _) = tokio::join!(coming, async { deploy(&sandbox) });
    assert_eq!(coming.unwrap().number, 2);
    sandbox.clear();
    assert_eq!(sandbox.requests(), []);
    assert_eq!(sandbox.wait_for(|_| true, soon).await, None);
    deploy(&sandbox);
    assert_eq!(sandbox.requests()[0].number, 3);
}

#[test]
fn a_recorded_request_shows_no_credentials() {
    let mut world = World::new(Platform::Edgegap, Sandbox::builder());
    let token = world.state.edgegap().access("").token;
    world.get("/v1/deployments?query=canary-1");
    world.raw(
        &Request::new("DELETE", "/v1/self/stop/abc/canary-2")
            .with_header("authorization", "canary-3"),
    );
    world.send(Request::new("POST", "/v2/deployments").with_json(&json!({ "x": "canary-4" })));
    world.platform = Platform::Nexlayer;
    world.raw(
        &Request::new("POST", "/startUserDeployment/canary-5").with_header("x-api-key", "canary-6"),
    );
    world.get(&format!("/{token}"));
    for recorded in world.state.requests() {
        let shown = format!("{recorded:?} {recorded:#?} {recorded}");
        assert!(
            !shown.contains("canary") && !shown.contains(&token),
            "{shown}"
        );
    }
    let requests = world.state.requests();
    assert_eq!(
        requests[1].to_string(),
        "edgegap DELETE /v1/self/stop/abc/*** 401"
    );
    assert_eq!(
        requests[3].to_string(),
        "nexlayer POST /startUserDeployment/*** 400"
    );

    let http = requests[0].to_http().unwrap();
    assert_eq!(
        (http.method().as_str(), http.uri().to_string()),
        ("GET", "/v1/deployments?query=canary-1".to_owned())
    );
    assert_eq!(http.headers()["authorization"], format!("token {token}"));
    let odd = world.raw(&Request::new("GET", "/a%20b?x=1%262&y=%C3%A9"));
    assert_eq!(odd.status, 404);
    let odd = world.state.requests().pop().unwrap().to_http().unwrap();
    assert_eq!(odd.uri(), "/a%20b?x=1%262&y=%C3%A9");
}

#[test]
fn a_line_of_the_log_has_an_end() {
    let long = "x".repeat(50_000);
    let fault = Fault::on_any().nth(1);
    let fault = fault.status_with(500, "text/plain", long.as_str());
    let mut world = World::new(Platform::Edgegap, Sandbox::builder().fault(fault));
    world.raw(&Request::new(&long, "/"));
    world.raw(&Request::new("GET", &format!("/{long}")));
    world.raw(&Request::new("GET", &"/v1".repeat(20_000)));
    let users = vec![json!({ long.as_str(): 1 }); 100];
    let body = json!({ long.as_str(): 1, "users": users });
    world.post("/v2/deployments", &body);
    for request in world.state.requests() {
        let line = request.log_line();
        assert!(line.chars().count() <= 1_001, "{} letters", line.len());
        assert!(line.contains(&format!(" {}", request.status)), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_does_not_print_its_credentials() {
    let sandbox = server::start(Sandbox::builder()).await;
    deploy(&sandbox);
    let shown = format!("{:?}", *sandbox);
    assert!(shown.contains(&sandbox.nodion().base_url), "{shown}");
    assert!(!shown.contains(&sandbox.nodion().token), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_what_there_is_and_leaves_no_trace() {
    let fault = Fault::on("list_regions").nth(2).status(503);
    let sandbox = server::start(Sandbox::builder().driven_clock().fault(fault)).await;
    deploy(&sandbox);
    let nexlayer = &sandbox.nexlayer().base_url;
    let manifest = r#"application: {name: "<script>alert(1)</script>", pods: [{name: web, path: /, image: "nginx:1.27", servicePorts: [80]}]}"#;
    let start = format!(
        "POST /startUserDeployment HTTP/1.1\r\nhost: x\r\ncontent-type: text/x-yaml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{manifest}",
        manifest.len()
    );
    let (_, started) = exchange(nexlayer, &start);
    let started: Value = serde_json::from_str(&started).unwrap();
    let session = started["sessionToken"].as_str().unwrap();
    exchange(
        nexlayer,
        &start.replacen(
            "startUserDeployment",
            &format!("startUserDeployment/{session}"),
            1,
        ),
    );
    exchange(
        nexlayer,
        &format!(
            "GET /getReservations?sessionToken={session} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        ),
    );
    let before = sandbox.requests();
    assert_eq!(before.len(), 4);

    let access = [
        &sandbox.nexlayer().base_url,
        &sandbox.dployr().base_url,
        &sandbox.nodion().base_url,
        &sandbox.edgegap().base_url,
    ];
    let secrets = [
        session,
        &sandbox.dployr().token,
        &sandbox.dployr().password,
        &sandbox.nodion().token,
        &sandbox.edgegap().token,
    ];
    let mut pages = Vec::new();
    for url in access {
        for (target, headers) in [
            ("/", ""),
            ("/?format=json", ""),
            ("/", "accept: application/json\r\n"),
            ("/?refresh=2", "accept: text/html\r\n"),
        ] {
            let (head, body) = page(url, target, &format!("{LOCAL}{headers}"));
            assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
            for line in [
                "cache-control: no-store",
                "content-security-policy: default-src 'none'",
                "x-content-type-options: nosniff",
            ] {
                assert!(head.contains(line), "{head}");
            }
            for secret in secrets {
                assert!(!body.contains(secret), "{target} shows {secret}");
            }
            assert!(
                target.contains("json") || headers.contains("json") || !body.contains("<script"),
                "{body}"
            );
            pages.push(body);
        }
    }
    let [html, json, accepted, refreshed] = &pages[..4] else {
        panic!()
    };
    assert_eq!(
        [html, json, accepted, refreshed],
        [&pages[12], &pages[13], &pages[14], &pages[15]],
        "the same on all ports"
    );
    assert_eq!(json, accepted);
    assert!(
        html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
        "{html}"
    );
    assert!(html.contains("/startUserDeployment/***") && html.contains("list_regions:2=503"));
    assert!(
        refreshed.contains("http-equiv=\"refresh\" content=\"2\"") && !html.contains("http-equiv")
    );

    let json: Value = serde_json::from_str(json).unwrap();
    assert_eq!(
        json["clock"],
        json!({ "now": 1_795_487_040_000_u64, "written": "2026-11-24T02:24:00Z", "driven": true })
    );
    let app = &json["platforms"][0]["deployed"][0];
    has(
        app,
        json!({ "name": "<script>alert(1)</script>", "state": "deploying" }),
    );
    let nodion: Vec<_> = json["platforms"][2]["deployed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["state"])
        .collect();
    assert_eq!(nodion, ["available", "created"]);
    assert_eq!(
        json["faults"],
        json!([{ "fault": "list_regions:2=503", "seen": 0, "used": 0, "left": true }])
    );
    let numbers: Vec<_> = json["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [4, 3, 2, 1]);
    let operations: Vec<_> = json["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["operation"])
        .collect();
    assert_eq!(operations[0], "get_reservations");
    assert_eq!(sandbox.requests(), before, "looking leaves no trace");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_site_does_not_get_the_page_by_a_name_of_its_own() {
    let sandbox = server::start(Sandbox::builder()).await;
    let url = &sandbox.edgegap().base_url;
    for host in [
        "host: rebound.example.com\r\n",
        "host: rebound.example.com:80\r\n",
    ] {
        let (head, body) = page(url, "/", host);
        assert!(head.starts_with("HTTP/1.1 421 "), "{head}");
        assert!(!body.contains("Edgegap"));
    }
    for host in [LOCAL, "host: localhost:1\r\n", "host: [::1]\r\n"] {
        assert!(
            page(url, "/", host).0.starts_with("HTTP/1.1 200 "),
            "{host}"
        );
    }
    // The root of one of Nexlayer's sites is no page.
    let (head, _) = page(
        &sandbox.nexlayer().base_url,
        "/",
        "host: jolly-tapir.alpha.nexlayer.ai\r\n",
    );
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    // A page is got and not sent.
    let (head, _) = exchange(
        url,
        "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
}
