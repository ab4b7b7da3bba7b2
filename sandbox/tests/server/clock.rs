//! Manual and ticking clocks.

use std::time::Duration;

use deploykit_sandbox::Sandbox;
use serde_json::{Value, json};

use crate::common::server;
use crate::{LOCAL, deploy, exchange, page};

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_clock_moves_only_when_advanced() {
    let sandbox = server::start(Sandbox::builder().manual_clock()).await;
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
async fn a_ticking_clock_moves_with_each_request() {
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
    let new = json!({"application": access.application, "version": access.version, "users": [
        {"user_type": "ip_address", "user_data": {"ip_address": "1.1.1.1"}}
    ]});
    let created = ask("POST", "/v2/deployments", &new.to_string());
    let path = format!("/v1/status/{}", created["request_id"].as_str().unwrap());
    let running: Vec<Value> = (0..4)
        .map(|_| ask("GET", &path, "")["running"].clone())
        .collect();
    assert_eq!(running, [false, false, true, true]);
    page(&access.base_url, "/", LOCAL);
    assert_eq!(
        sandbox.now(),
        start + 5 * tick,
        "viewing the page does not move the clock"
    );
}
