//! The session cookie: from the login reply to later requests.

use super::TOKEN;
use crate::support::{Server, reply};
use deploykit::ErrorKind;
use deploykit::dployr::{Client, NewApiToken};
use std::time::Duration;

const ID: &str = "0a4c2f6e-1d3b-4c5a-9e8f-7b6a5d4c3b2a";

fn client(server: &Server) -> Client {
    let builder = Client::builder().base_url(&server.base_url).token(TOKEN);
    builder.build().unwrap()
}

/// A control plane with one user, which repeats the request in its errors.
async fn control_plane() -> Server {
    Server::answers(|request| {
        let json = "content-type: application/json";
        let set = format!("set-cookie: session={ID}; Max-Age=604800; Path=/; HttpOnly");
        if request.starts_with("POST /v1/auth/login/email?client=cli ") {
            let body = r#"{"success":true,"data":{"email":"a@b.example","requireTotp":true}}"#;
            reply("200 OK", &[json], body)
        } else if request.starts_with("POST /v1/auth/login/email/verify ") {
            let body = r#"{"success":true,"data":{"email":"a@b.example"}}"#;
            reply("200 OK", &[json, "set-cookie: other=1", &set], body)
        } else if request.contains(&format!("cookie: session={ID}\r\n")) {
            let body = r#"{"success":true,"data":{"id":"t-1","token":"dpat_fresh"}}"#;
            if request.starts_with("POST /v1/auth/tokens ") {
                reply("201 Created", &[json], body)
            } else {
                reply("404 Not Found", &["content-type: text/plain"], request)
            }
        } else {
            reply(
                "401 Unauthorized",
                &[json],
                r#"{"error":"Not authenticated","code":"auth.bad_session"}"#,
            )
        }
    })
    .await
}

#[tokio::test]
async fn a_code_gives_a_session_and_a_session_creates_a_token() {
    let server = control_plane().await;
    let client = client(&server);
    let sent = client.login_by_email("a@b.example").await.unwrap();
    assert!(sent.needs_second_factor());
    assert!(!format!("{sent:?}").contains("a@b"), "{sent:?}");
    let response = sent.verify("ABC123").with_response().await.unwrap();
    assert!(response.headers.as_map().get("set-cookie").is_none());
    let session = response.value.clone();
    assert_eq!(session.id.expose(), ID);
    assert_eq!(session.expires_in, Some(Duration::from_secs(604_800)));
    assert!(!format!("{response:?}").contains(ID), "{response:?}");

    let signed_in = client.with_session(session.id).unwrap();
    let debug = format!("{signed_in:?}");
    assert!(
        debug.contains("a session") && !debug.contains(ID),
        "{debug}"
    );
    let new = || NewApiToken::new("ci");
    let preview = signed_in.api_tokens().create(new()).preview().unwrap();
    for shown in [
        preview.to_string(),
        preview.to_curl(),
        format!("{preview:?}"),
    ] {
        assert!(shown.contains("cookie") && !shown.contains(ID), "{shown}");
    }
    let token = signed_in.api_tokens().create(new()).await.unwrap();
    assert_eq!(token.token.expose(), "dpat_fresh");
    assert!(!format!("{token:?}").contains("dpat"), "{token:?}");
    let with_token = signed_in.with_token(token.token).unwrap();
    let refused = with_token.current_user().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthenticated);

    let requests = server.requests();
    for (request, credential) in requests.iter().zip([
        None,
        None,
        Some(format!("cookie: session={ID}\r\n")),
        Some("authorization: Bearer dpat_fresh\r\n".to_owned()),
    ]) {
        let count = ["\r\ncookie: ", "\r\nauthorization: "];
        let count = count.iter().filter(|name| request.contains(**name)).count();
        assert_eq!(count, usize::from(credential.is_some()), "{request}");
        let credential = credential.unwrap_or_default();
        assert!(request.contains(&credential), "{request}");
    }
    assert_eq!(requests.len(), 4);
    assert!(
        requests[1].contains(r#""code":"ABC123""#),
        "{}",
        requests[1]
    );
}

#[tokio::test]
async fn a_session_id_in_a_reply_is_redacted() {
    let server = control_plane().await;
    let signed_in = client(&server).with_session(ID).unwrap();
    let error = signed_in.current_user().await.unwrap_err();
    assert_eq!(error.status(), Some(404));
    let shown = format!("{error} {error:?} {:?}", error.body_excerpt());
    assert!(!shown.contains(ID), "{shown}");
    assert!(shown.contains("session="), "{shown}");
}

#[tokio::test]
async fn a_login_reply_without_a_session_cookie_is_an_error() {
    let body = r#"{"success":true,"data":{"email":"a@b.example"}}"#;
    for cookies in [
        &["content-type: application/json"][..],
        &["set-cookie: session="],
    ] {
        let server = Server::replies("200 OK", cookies, body).await;
        let verify = client(&server).verify_login_code("a@b.example", "ABC123");
        let error = verify.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(error.to_string().contains("no cookie"), "{error}");
        assert_eq!(error.operation().unwrap().id, "verify_login_code");
        assert_eq!((error.status(), error.attempts()), (Some(200), 1));
    }
}
