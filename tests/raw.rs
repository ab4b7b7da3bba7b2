//! The generated clients (feature `raw`).
#![cfg(all(feature = "raw", feature = "dployr"))]

mod support;

use deploykit::{Secret, dployr, raw};
use support::Server;

#[tokio::test]
async fn requests_with_secrets_fail_outside_of_with_secrets() {
    let reply = r#"{"access_token":"a"}"#;
    let server = Server::replies("200 OK", &["content-type: application/json"], reply).await;
    let client = dployr::Client::new(&server.base_url, "token-1234")
        .unwrap()
        .raw();
    let password = Secret::new("pass-1234");
    let body = raw::dployr::types::LoginRequest::new("a@b.example".to_owned(), password);
    let refused = client.login(&body).await.err().unwrap();
    let text = format!("{refused:#}");
    assert!(text.contains("use expose()"), "{text}");
    assert!(
        server.requests().is_empty(),
        "no request with a redacted password"
    );

    raw::with_secrets(client.login(&body)).await.unwrap();
    assert!(server.requests()[0].ends_with(r#"{"email":"a@b.example","password":"pass-1234"}"#));
}
