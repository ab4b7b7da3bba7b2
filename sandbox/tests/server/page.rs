//! The status page at `/`.

use deploykit_sandbox::{Fault, Sandbox};
use serde_json::{Value, json};

use crate::common::{assert_fields, server};
use crate::{LOCAL, deploy, exchange, page};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_shows_resources_and_requests_without_credentials() {
    let fault = Fault::on("list_regions").nth(2).status(503);
    let sandbox = server::start(Sandbox::builder().manual_clock().fault(fault)).await;
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
        "all ports show the same page"
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
        json!({ "now": 1_795_487_040_000_u64, "written": "2026-11-24T02:24:00Z", "manual": true })
    );
    let app = &json["platforms"][0]["resources"][0];
    assert_fields(
        app,
        json!({ "name": "<script>alert(1)</script>", "state": "deploying" }),
    );
    let nodion: Vec<_> = json["platforms"][2]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["state"])
        .collect();
    assert_eq!(nodion, ["available", "created"]);
    assert_eq!(
        json["faults"],
        json!([{ "fault": "list_regions:2=503", "matched": 0, "applied": 0, "pending": true }])
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
    assert_eq!(sandbox.requests(), before, "the page is not recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_says_why_a_request_was_refused() {
    let sandbox = server::start(Sandbox::builder()).await;
    let (edgegap, nodion, dployr) = (sandbox.edgegap(), sandbox.nodion(), sandbox.dployr());
    let start = |body: &str| {
        format!(
            "POST /startUserDeployment HTTP/1.1\r\nhost: x\r\ncontent-type: text/x-yaml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let get = |path: &str, credential: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: {credential}\r\nconnection: close\r\n\r\n"
        )
    };
    let nexlayer = sandbox.nexlayer();
    for (url, request, expected) in [
        (
            &edgegap.base_url,
            get("/v1/locations", "token canary"),
            "Invalid token",
        ),
        (
            &nodion.base_url,
            get("/v1/regions", "Bearer canary"),
            "Unauthorized",
        ),
        (
            &dployr.base_url,
            get("/v1/services", "Bearer canary"),
            "Missing or invalid access token",
        ),
        (
            &nexlayer.base_url,
            get("/getReservations", ""),
            "sessionToken is required",
        ),
        (
            &nexlayer.base_url,
            start("application: {}"),
            "application.name is required",
        ),
        // The reply is an HTML page, so the status has to do.
        (&nexlayer.base_url, get("/canary", ""), "Not Found"),
    ] {
        let (head, _) = exchange(url, &request);
        assert!(!head.starts_with("HTTP/1.1 2"), "{head}");
        let (_, json) = page(url, "/?format=json", LOCAL);
        let json: Value = serde_json::from_str(&json).unwrap();
        let reason = json["requests"][0]["refusal"].as_str().unwrap();
        assert!(reason.contains(expected), "{reason}");
        let (_, html) = page(url, "/", LOCAL);
        assert!(
            html.contains(expected) && !html.contains("canary"),
            "{html}"
        );
    }
    deploy(&sandbox);
    let (_, json) = page(&nodion.base_url, "/?format=json", LOCAL);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["requests"][0]["refusal"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_refused_for_other_host_names() {
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
    // The root of a Nexlayer site is not the page.
    let (head, _) = page(
        &sandbox.nexlayer().base_url,
        "/",
        "host: jolly-tapir.alpha.nexlayer.ai\r\n",
    );
    assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
    // Only GET and HEAD show the page.
    let (head, _) = exchange(
        url,
        "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
    );
    assert!(head.starts_with("HTTP/1.1 401 "), "{head}");
}
