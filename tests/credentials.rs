//! Token renewal and token stores, on a server whose tokens expire.

mod support;

use deploykit::dployr::{self, LogOptions, NewDeployment};
use deploykit::http::Method;
use deploykit::testing::Recorder;
use deploykit::{
    Effect, ErrorKind, Retry,
    credentials::{BoxError, Credentials, FileStore, TokenStore, Tokens},
};
use std::future::IntoFuture;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Script, Server, Step, head, reply, runtime};

const PASSWORD: &str = "hush-password";
const JSON: &[&str] = &["content-type: application/json"];
const LIST: &str = r#"{"deployments":[],"total":0}"#;

/// A control plane that issues the tokens `token-1`, `token-2`, ... At most one of them is valid.
struct Plane {
    server: Server,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    logins: AtomicU64,
    /// Number of the valid token; 0 if none is valid.
    valid: AtomicU64,
    /// Response to a login, instead of new tokens.
    refusal: Mutex<Option<Vec<u8>>>,
    creates: AtomicU64,
}

impl Plane {
    async fn start() -> Self {
        let state = Arc::new(State::default());
        let kept = state.clone();
        let server = Server::answers(move |request| kept.answer(request)).await;
        Self { server, state }
    }

    fn client(&self) -> dployr::Client {
        self.builder().build().unwrap()
    }

    fn builder(&self) -> deploykit::ClientBuilder<dployr::Dployr> {
        dployr::Client::builder()
            .base_url(&self.server.base_url)
            .login("user@example.com", PASSWORD)
            .pacing(deploykit::pacing::Pacing::off())
    }

    fn logins(&self) -> u64 {
        self.state.logins.load(Ordering::SeqCst)
    }

    /// Requests other than logins.
    fn calls(&self) -> usize {
        let requests = self.server.requests();
        requests
            .iter()
            .filter(|r| !r.contains("/auth/login"))
            .count()
    }

    fn expire(&self) {
        self.state.valid.store(0, Ordering::SeqCst);
    }
}

impl State {
    fn answer(&self, request: &str) -> Vec<u8> {
        if request.starts_with("POST /v1/auth/login") {
            assert!(!request.contains("authorization"), "{request}");
            assert!(request.contains(PASSWORD));
            let number = self.logins.fetch_add(1, Ordering::SeqCst) + 1;
            if let Some(refusal) = &*self.refusal.lock().unwrap() {
                return refusal.clone();
            }
            self.valid.store(number, Ordering::SeqCst);
            let tokens = format!(
                r#"{{"access_token":"token-{number}","refresh_token":"r","expires_in":3600}}"#
            );
            return reply("200 OK", JSON, &tokens);
        }
        let valid = self.valid.load(Ordering::SeqCst);
        if !request.contains(&format!("authorization: Bearer token-{valid}\r\n")) {
            return reply("401 Unauthorized", JSON, r#"{"error":"token has expired"}"#);
        }
        if request.starts_with("POST /v1/deployments") {
            self.creates.fetch_add(1, Ordering::SeqCst);
            let created = r#"{"success":true,"name":"my-app"}"#;
            return reply("202 Accepted", JSON, created);
        }
        reply("200 OK", JSON, LIST)
    }
}

#[tokio::test]
async fn concurrent_calls_renew_an_expired_token_once() {
    let plane = Plane::start().await;
    let client = plane.client();
    client.deployments().list().await.unwrap();
    assert_eq!(plane.logins(), 1);
    plane.expire();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.deployments().list().with_response().await })
        })
        .collect();
    for call in calls {
        let reply = call.await.unwrap().unwrap();
        assert!(reply.attempts <= 2, "{}", reply.attempts);
    }
    assert_eq!(plane.logins(), 2, "one renewal");
}

#[tokio::test]
async fn concurrent_first_calls_log_in_once_even_if_one_is_dropped() {
    let plane = Plane::start().await;
    let client = plane.client();
    let mut calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.deployments().list().await })
        })
        .collect();
    // Now the first call waits for the login, and the others wait for the first.
    tokio::task::yield_now().await;
    let dropped = calls.remove(50);
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((plane.logins(), plane.calls()), (1, 99));
}

#[tokio::test(start_paused = true)]
async fn the_next_call_renews_the_token_if_the_call_that_renews_is_dropped() {
    let plane = Plane::start().await;
    plane.state.valid.store(1, Ordering::SeqCst);
    let (credentials, renewals) = counting(vec![Tokens::new("token-1")], false);
    let client = plane.builder().credentials(credentials).build().unwrap();
    let mut calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.deployments().list().await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(renewals.load(Ordering::SeqCst), 1);
    calls.remove(0).abort();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((renewals.load(Ordering::SeqCst), plane.calls()), (2, 99));
}

/// A token source that takes one second and counts its calls. It returns these tokens in order, then
/// the last one again, or an error if `fails`.
fn counting(tokens: Vec<Tokens>, fails: bool) -> (Credentials, Arc<AtomicU64>) {
    let renewals = Arc::new(AtomicU64::new(0));
    let count = renewals.clone();
    let source = move |_: Option<Tokens>| {
        let number = count.fetch_add(1, Ordering::SeqCst) as usize;
        let next = tokens.get(number).or(tokens.last().filter(|_| !fails));
        let next = next.cloned();
        async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            next.ok_or_else(|| BoxError::from("the vault is closed"))
        }
    };
    (Credentials::renewed(source), renewals)
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_share_a_failed_renewal() {
    let plane = Plane::start().await;
    let (credentials, renewals) = counting(vec![], true);
    let client = plane.builder().credentials(credentials).build().unwrap();
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.deployments().list().await })
        })
        .collect();
    for call in calls {
        let error = call.await.unwrap().unwrap_err().to_string();
        assert!(error.contains("the vault is closed"), "{error}");
    }
    assert_eq!(renewals.load(Ordering::SeqCst), 1);
    client.deployments().list().await.unwrap_err();
    assert_eq!(
        renewals.load(Ordering::SeqCst),
        2,
        "a later call tries again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_valid_token_is_used_while_its_source_fails() {
    let plane = Plane::start().await;
    plane.state.valid.store(1, Ordering::SeqCst);
    let token = Tokens::new("token-1").expires_in(Duration::from_secs(3600));
    let (credentials, renewals) = counting(vec![token], true);
    let client = plane.builder().credentials(credentials).build().unwrap();
    client.deployments().list().await.unwrap();
    tokio::time::advance(Duration::from_secs(3550)).await;
    for _ in 0..10 {
        client.deployments().list().await.unwrap();
    }
    assert_eq!(renewals.load(Ordering::SeqCst), 2, "not once per call");
    tokio::time::advance(Duration::from_secs(60)).await;
    let error = client.deployments().list().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test(start_paused = true)]
async fn a_new_token_that_is_already_expired_is_used() {
    let plane = Plane::start().await;
    plane.state.valid.store(1, Ordering::SeqCst);
    let (credentials, renewals) = counting(
        vec![Tokens::new("token-1").expires_in(Duration::ZERO)],
        false,
    );
    let client = plane.builder().credentials(credentials).build().unwrap();
    for _ in 0..5 {
        client.deployments().list().await.unwrap();
    }
    assert_eq!(renewals.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_create_is_retried_once_with_the_new_token() {
    let plane = Plane::start().await;
    let client = plane.client();
    client.deployments().list().await.unwrap();
    plane.expire();
    let new = NewDeployment::from_git("my-app", "https://git.example/a.git");
    let created = client.deploy(new).with_response().await;
    let created = created.unwrap();
    assert_eq!((created.attempts, created.status), (2, 202));
    assert_eq!(plane.state.creates.load(Ordering::SeqCst), 1);
    assert_eq!(plane.logins(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_before_it_expires() {
    let plane = Plane::start().await;
    let client = plane.client();
    client.deployments().list().await.unwrap();
    tokio::time::advance(Duration::from_secs(3000)).await;
    client.deployments().list().await.unwrap();
    assert_eq!(plane.logins(), 1);
    tokio::time::advance(Duration::from_secs(550)).await;
    let reply = client.deployments().list().with_response().await.unwrap();
    assert_eq!((plane.logins(), reply.attempts), (2, 1));
}

#[test]
fn a_401_whose_body_never_arrives_renews_the_token() {
    runtime().block_on(async {
        let state = Arc::new(State::default());
        let kept = state.clone();
        let step = Step::answer(move |request| {
            let answer = kept.answer(request);
            if !answer.starts_with(b"HTTP/1.1 401") {
                return vec![Step::Send(answer)];
            }
            let head = head("401 Unauthorized", &["content-length: 30"]);
            vec![Step::Send(head), Step::Silence]
        });
        let server = Server::start(Script::always(vec![step])).await;
        let plane = Plane { server, state };
        let builder = plane.builder().timeout(Duration::from_secs(2));
        let client = builder.build().unwrap();
        client.deployments().list().await.unwrap();
        plane.expire();
        let reply = client.deployments().list().with_response().await.unwrap();
        assert_eq!((reply.attempts, plane.logins(), plane.calls()), (2, 2, 3));
    });
}

#[tokio::test]
async fn a_second_401_is_returned_without_a_login_loop() {
    let plane = Plane::start().await;
    let client = plane.client();
    client.deployments().list().await.unwrap();
    // From here on no token is valid.
    let refused = reply("200 OK", JSON, r#"{"access_token":"never-valid"}"#);
    *plane.state.refusal.lock().unwrap() = Some(refused);
    plane.expire();
    let error = client.deployments().list().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.attempts()),
        (ErrorKind::Unauthenticated, Some(401), 2)
    );
    assert_eq!(error.effect(), Effect::None);
    assert_eq!(plane.logins(), 2);
    // Later calls do not log in either.
    for _ in 0..5 {
        let error = client.deployments().list().await.unwrap_err();
        assert_eq!(error.attempts(), 1);
    }
    assert_eq!(plane.logins(), 2, "no loop");
}

#[tokio::test]
async fn a_failed_renewal_keeps_the_401() {
    let plane = Plane::start().await;
    let client = plane.client();
    client.deployments().list().await.unwrap();
    plane.expire();
    let wrong = reply("401 Unauthorized", JSON, r#"{"error":"wrong password"}"#);
    *plane.state.refusal.lock().unwrap() = Some(wrong);
    let error = client.deployments().list().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.status(), error.attempts()),
        (ErrorKind::Unauthenticated, Some(401), 1)
    );
    let text = error.to_string();
    assert!(text.contains("token has expired"), "{text}");
    assert!(text.contains("could not be renewed"), "{text}");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("wrong password"), "{source}");
    assert!(!format!("{text} {error:?}").contains(PASSWORD));
}

/// Replies of a control plane to a login.
const WRONG_CODE: &str = r#"{"success":false,"error":{"message":"Invalid or expired code","code":"request.invalid_otp"}}"#;
const SHORT_CODE: &str = r#"{"success":false,"error":{"message":"Invalid email or code format","code":"request.bad_request"}}"#;
const NO_USER: &str =
    r#"{"success":false,"error":{"message":"User not found","code":"resource.missing_resource"}}"#;
const NO_PASSWORDS: &str = "404 Not Found";
const WRONG_PASSWORD: &str = r#"{"success":false,"error":{"message":"wrong password"}}"#;

#[tokio::test(start_paused = true)]
async fn a_rejected_login_is_not_repeated_for_a_minute() {
    for (status, body) in [
        ("400 Bad Request", WRONG_CODE),
        ("400 Bad Request", SHORT_CODE),
        ("401 Unauthorized", WRONG_PASSWORD),
        ("403 Forbidden", WRONG_PASSWORD),
        ("404 Not Found", NO_USER),
        ("404 Not Found", NO_PASSWORDS),
        ("405 Method Not Allowed", ""),
        ("422 Unprocessable Entity", WRONG_PASSWORD),
        ("423 Locked", WRONG_PASSWORD),
        ("200 OK", WRONG_PASSWORD),
    ] {
        let plane = Plane::start().await;
        *plane.state.refusal.lock().unwrap() = Some(reply(status, JSON, body));
        let client = plane.client();
        let list = || client.deployments().list().into_future();
        let concurrent: Vec<_> = (0..50).map(|_| tokio::spawn(list())).collect();
        let mut results = Vec::new();
        for call in concurrent {
            results.push(call.await.unwrap());
        }
        for _ in 0..50 {
            results.push(list().await);
        }
        for result in results {
            let error = result.unwrap_err();
            let found = (error.kind(), error.effect(), error.attempts());
            let expected = (ErrorKind::Unauthenticated, Effect::None, 0);
            assert_eq!(found, expected, "{status} {body}: {error}");
        }
        assert_eq!((plane.logins(), plane.calls()), (1, 0), "{status} {body}");

        *plane.state.refusal.lock().unwrap() = None;
        let other = plane.builder().login("a@b.example", PASSWORD).build();
        other.unwrap().deployments().list().await.unwrap();
        assert_eq!(plane.logins(), 2, "other credentials");
        tokio::time::advance(Duration::from_secs(58)).await;
        list().await.unwrap_err();
        tokio::time::advance(Duration::from_secs(2)).await;
        list().await.unwrap();
        assert_eq!((plane.logins(), plane.calls()), (3, 2), "{status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_not_sent_while_the_login_is_rejected() {
    let plane = Plane::start().await;
    let client = plane.client();
    let list = || client.deployments().list();
    list().await.unwrap();
    // The token is revoked and the password changed.
    plane.expire();
    let wrong = reply("401 Unauthorized", JSON, WRONG_PASSWORD);
    *plane.state.refusal.lock().unwrap() = Some(wrong);
    let error = list().await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(401), 1));
    for _ in 0..50 {
        let error = list().await.unwrap_err();
        let found = (error.kind(), error.effect(), error.attempts());
        let expected = (ErrorKind::Unauthenticated, Effect::None, 0);
        assert_eq!(found, expected, "{error}");
        assert!(error.to_string().contains("wrong password"), "{error}");
    }
    assert_eq!((plane.logins(), plane.calls()), (2, 2));

    *plane.state.refusal.lock().unwrap() = None;
    tokio::time::advance(Duration::from_secs(60)).await;
    list().await.unwrap();
    list().await.unwrap();
    assert_eq!(plane.logins(), 3);
}

#[tokio::test]
async fn a_newer_token_in_the_store_is_used_while_the_login_is_rejected() {
    let plane = Plane::start().await;
    let path = temporary("rejected");
    let store = FileStore::new(&path.0);
    let builder = plane.builder().token_store(store.clone());
    let client = builder.build().unwrap();
    client.deployments().list().await.unwrap();
    plane.expire();
    let wrong = reply("401 Unauthorized", JSON, WRONG_PASSWORD);
    *plane.state.refusal.lock().unwrap() = Some(wrong);
    for attempts in [1, 0] {
        let error = client.deployments().list().await.unwrap_err();
        assert_eq!(error.attempts(), attempts, "{error}");
    }
    let owner = format!("dployr {} user@example.com", plane.server.base_url);
    store.save(&owner, &Tokens::new("token-9")).await.unwrap();
    plane.state.valid.store(9, Ordering::SeqCst);
    let reply = client.deployments().list().with_response().await.unwrap();
    assert_eq!((reply.attempts, plane.logins()), (1, 2));
}

/// The token source of a program that logs in with a code.
#[tokio::test(start_paused = true)]
async fn a_rejected_login_of_a_token_source_is_not_repeated_for_a_minute() {
    for (status, body) in [
        ("400 Bad Request", WRONG_CODE),
        ("404 Not Found", NO_USER),
        ("401 Unauthorized", WRONG_PASSWORD),
    ] {
        let plane = Plane::start().await;
        let issuer = Server::replies(status, JSON, body).await;
        let login = dployr::Client::builder().base_url(&issuer.base_url);
        let login = login.token("unused").build().unwrap();
        let source = move |_: Option<Tokens>| {
            let session = login
                .verify_login_code("a@b.example", "ABC123")
                .into_future();
            async move { Ok(Tokens::new(session.await?.id)) }
        };
        let builder = plane.builder().credentials(Credentials::renewed(source));
        let client = builder.build().unwrap();
        for _ in 0..50 {
            let error = client.deployments().list().await.unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::Unauthenticated,
                "{status}: {error}"
            );
        }
        assert_eq!((issuer.requests().len(), plane.calls()), (1, 0), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_login_that_was_not_rejected_is_repeated_by_the_next_call() {
    for (status, headers, kind) in [
        ("408 Request Timeout", &[][..], ErrorKind::Timeout),
        ("429 Too Many Requests", &[], ErrorKind::RateLimited),
        (
            "429 Too Many Requests",
            &["retry-after: 300"],
            ErrorKind::RateLimited,
        ),
        // A used-up quota.
        (
            "429 Too Many Requests",
            &["x-ratelimit-remaining: 9"],
            ErrorKind::Unauthenticated,
        ),
        ("500 Internal Server Error", &[], ErrorKind::Server),
        ("502 Bad Gateway", &[], ErrorKind::Unavailable),
        ("503 Service Unavailable", &[], ErrorKind::Unavailable),
        ("504 Gateway Timeout", &[], ErrorKind::Timeout),
    ] {
        let plane = Plane::start().await;
        *plane.state.refusal.lock().unwrap() = Some(reply(status, headers, ""));
        let client = plane.client();
        for logins in 1..=3 {
            let error = client.deployments().list().await.unwrap_err();
            let found = (error.kind(), error.effect(), error.attempts());
            assert_eq!(found, (kind, Effect::None, 0), "{status}: {error}");
            assert_eq!((plane.logins(), plane.calls()), (logins, 0), "{status}");
        }
        *plane.state.refusal.lock().unwrap() = None;
        client.deployments().list().await.unwrap();
    }

    let state = Arc::new(State::default());
    let answers = vec![Step::answer(move |request| {
        vec![Step::Send(state.answer(request))]
    })];
    for (script, kind) in [
        (Script::silence(), ErrorKind::Timeout),
        (
            Script::always(vec![Step::ReadAll, Step::Reset]),
            ErrorKind::Interrupted,
        ),
    ] {
        let server = Server::start(script.then(answers.clone())).await;
        fails_once(&server, kind).await;
    }
    let server = Server::refuses_at_first(Script::always(answers));
    fails_once(&server, ErrorKind::Connect).await;
}

/// The first call fails to log in, the second one succeeds.
async fn fails_once(server: &Server, kind: ErrorKind) {
    let builder = dployr::Client::builder().base_url(&server.base_url);
    let builder = builder.login("a@b.example", PASSWORD).retry(Retry::off());
    let client = builder.build().unwrap();
    let error = client.deployments().list().await.unwrap_err();
    let found = (error.kind(), error.effect(), error.attempts());
    assert_eq!(found, (kind, Effect::None, 0), "{error}");
    tokio::time::sleep(Duration::from_millis(2)).await;
    client.deployments().list().await.unwrap();
}

#[tokio::test]
async fn a_call_without_time_does_not_log_in() {
    let recorder = Recorder::new();
    let builder = recorder.dployr_builder().login("a@b.example", PASSWORD);
    let client = builder.build().unwrap();
    let now = Duration::ZERO;
    let list = || client.deployments().list();
    let new = NewDeployment::from_git("my-app", "https://git.example/a.git");
    let logs = || client.service("web").follow_logs(LogOptions::new());
    for error in [
        list().deadline(now).await.err(),
        list().timeout(now).await.err(),
        client.deploy(new).deadline(now).await.err(),
        client
            .request(Method::GET, "/v1/odd")
            .deadline(now)
            .await
            .err(),
        logs().deadline(now).await.err(),
    ] {
        let error = error.unwrap();
        let found = (error.kind(), error.effect(), error.attempts());
        assert_eq!(found, (ErrorKind::Timeout, Effect::None, 0), "{error}");
        assert!(error.to_string().contains("no time is left"), "{error}");
    }
    assert_eq!(recorder.requests(), []);
    list().await.unwrap();
    assert_eq!(recorder.requests().len(), 2, "a login and the call");
}

/// At their deadline, the calls stop waiting for the login of the first one.
#[tokio::test(start_paused = true)]
async fn a_call_does_not_log_in_at_its_deadline() {
    let plane = Plane::start().await;
    let logins = Arc::new(AtomicU64::new(0));
    let count = logins.clone();
    let hanging = move |_: Option<Tokens>| {
        count.fetch_add(1, Ordering::SeqCst);
        std::future::pending()
    };
    let builder = plane.builder().credentials(Credentials::renewed(hanging));
    let client = builder.build().unwrap();
    let calls: Vec<_> = (0..10)
        .map(|_| {
            let call = client.deployments().list();
            tokio::spawn(call.deadline(Duration::from_secs(5)).into_future())
        })
        .collect();
    for call in calls {
        let error = call.await.unwrap().unwrap_err();
        let found = (error.kind(), error.effect(), error.attempts());
        assert_eq!(found, (ErrorKind::Timeout, Effect::None, 0), "{error}");
    }
    assert_eq!((logins.load(Ordering::SeqCst), plane.calls()), (1, 0));
}

#[tokio::test]
async fn a_failed_login_is_unauthenticated_and_the_call_is_not_sent() {
    let plane = Plane::start().await;
    let missing = reply(
        "404 Not Found",
        &["content-type: text/plain"],
        "404 page not found",
    );
    *plane.state.refusal.lock().unwrap() = Some(missing);
    let error = plane.client().deployments().list().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.effect(), error.attempts()),
        (ErrorKind::Unauthenticated, Effect::None, 0)
    );
    assert!(error.to_string().contains("cannot get a token"), "{error}");
    assert_eq!(error.operation().unwrap().id, "list_deployments");
    assert_eq!(plane.calls(), 0);
}

#[tokio::test]
async fn a_preview_does_not_log_in() {
    let plane = Plane::start().await;
    let preview = plane.client().deployments().list().preview().unwrap();
    assert!(preview.to_string().contains("authorization: <redacted>"));
    assert!(plane.server.requests().is_empty());
}

#[tokio::test]
async fn a_store_shares_tokens_between_clients() {
    let plane = Plane::start().await;
    let path = temporary("across");
    let client = || {
        let builder = plane.builder().token_store(FileStore::new(&path.0));
        builder.build().unwrap()
    };
    let first = client();
    first.deployments().list().await.unwrap();
    let second = client();
    second.deployments().list().await.unwrap();
    assert_eq!(
        plane.logins(),
        1,
        "the second client uses the token of the first"
    );

    // The token expires. The first client renews it, and the second one loads the new token.
    plane.expire();
    first.deployments().list().await.unwrap();
    second.deployments().list().await.unwrap();
    assert_eq!(plane.logins(), 2, "one renewal for both");

    // An invalid file is replaced.
    std::fs::write(&path.0, "not tokens").unwrap();
    client().deployments().list().await.unwrap();
    assert_eq!(plane.logins(), 3);
    assert!(!std::fs::read_to_string(&path.0).unwrap().contains(PASSWORD));
}

/// The test below runs this in child processes. Does nothing otherwise.
#[tokio::test]
async fn in_child_process() {
    let Ok(base_url) = std::env::var("DEPLOYKIT_TEST_BASE_URL") else {
        return;
    };
    let path = std::env::var("DEPLOYKIT_TEST_STORE").unwrap();
    let builder = dployr::Client::builder().base_url(base_url);
    let builder = builder.login("user@example.com", PASSWORD);
    let client = builder.token_store(FileStore::new(path)).build().unwrap();
    client.deployments().list().await.unwrap();
}

#[tokio::test]
async fn processes_that_start_at_once_share_one_login() {
    let plane = Plane::start().await;
    let path = temporary("processes");
    let children: Vec<_> = (0..4)
        .map(|_| {
            tokio::process::Command::new(std::env::current_exe().unwrap())
                .args(["in_child_process", "--exact", "--nocapture"])
                .env("DEPLOYKIT_TEST_BASE_URL", &plane.server.base_url)
                .env("DEPLOYKIT_TEST_STORE", &path.0)
                .output()
        })
        .collect();
    for child in children {
        let output = child.await.unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert_eq!((plane.logins(), plane.calls()), (1, 4));
}

#[tokio::test(start_paused = true)]
async fn clients_with_one_file_share_each_login() {
    let plane = Plane::start().await;
    let path = temporary("clients");
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let store = FileStore::new(&path.0);
            plane.builder().token_store(store).build().unwrap()
        })
        .collect();
    for logins in 1..=3 {
        let calls: Vec<_> = clients
            .iter()
            .map(|client| tokio::spawn(client.deployments().list().into_future()))
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert_eq!(plane.logins(), logins);
        plane.expire();
        tokio::time::advance(Duration::from_secs(6)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_does_not_need_the_lock_of_the_file() {
    let plane = Plane::start().await;
    let path = temporary("locked");
    let lock = std::fs::File::create(path.lock()).unwrap();
    lock.lock().unwrap();
    let builder = plane.builder().token_store(FileStore::new(&path.0));
    let client = builder.build().unwrap();
    let started = tokio::time::Instant::now();
    let call = client.deployments().list();
    call.deadline(Duration::from_secs(20)).await.unwrap();
    let waited = started.elapsed().as_secs();
    assert_eq!((waited, plane.logins()), (10, 1), "half of the deadline");
}

#[tokio::test]
async fn a_refused_new_token_is_replaced_by_a_newer_one_in_the_store() {
    let plane = Plane::start().await;
    let path = temporary("newer");
    let store = FileStore::new(&path.0);
    let builder = plane.builder().token_store(store.clone());
    let client = builder.build().unwrap();
    // Another process has logged in since, and the server accepts only the newest token.
    let superseded = reply("200 OK", JSON, r#"{"access_token":"token-1"}"#);
    *plane.state.refusal.lock().unwrap() = Some(superseded);
    let error = client.deployments().list().await.unwrap_err();
    assert_eq!((error.status(), error.attempts()), (Some(401), 1));
    let owner = format!("dployr {} user@example.com", plane.server.base_url);
    store.save(&owner, &Tokens::new("token-9")).await.unwrap();
    plane.state.valid.store(9, Ordering::SeqCst);

    let reply = client.deployments().list().with_response().await.unwrap();
    assert_eq!((reply.attempts, plane.logins()), (2, 1));
}

#[tokio::test]
async fn a_token_source_gets_the_previous_tokens() {
    let plane = Plane::start().await;
    plane.state.valid.store(7, Ordering::SeqCst);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let kept = seen.clone();
    let source = move |previous: Option<Tokens>| {
        let previous = previous.map(|tokens| tokens.refresh.unwrap().expose().to_owned());
        kept.lock().unwrap().push(previous.clone());
        async move {
            match previous.as_deref() {
                None => Ok(Tokens::new("Bearer token-6").refresh("for-7")),
                Some("for-7") => Ok(Tokens::new("token-7").refresh("for-8")),
                Some(_) => Err("revoked".into()),
            }
        }
    };
    let builder = plane.builder().credentials(Credentials::renewed(source));
    let client = builder.retry(Retry::off()).build().unwrap();
    assert!(format!("{client:?}").contains("token: renewed"));
    // `token-6` was never accepted, so it is not renewed at once: the 401 is returned.
    let error = client.deployments().list().await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    plane.state.valid.store(6, Ordering::SeqCst);
    client.deployments().list().await.unwrap();
    plane.state.valid.store(7, Ordering::SeqCst);
    let reply = client.deployments().list().with_response().await.unwrap();
    assert_eq!(
        reply.attempts, 2,
        "a renewal does not count as a retry of the policy"
    );
    assert_eq!(*seen.lock().unwrap(), [None, Some("for-7".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_during_its_login_lets_the_next_one_log_in() {
    let silent = Server::start(Script::silence()).await;
    let builder = dployr::Client::builder().base_url(&silent.base_url);
    let client = builder.login("user@example.com", PASSWORD).build().unwrap();
    for _ in 0..3 {
        let call = client.deployments().list().deadline(Duration::from_secs(5));
        let error = call.await.unwrap_err();
        // The call itself was not sent.
        assert_eq!(
            (error.kind(), error.effect(), error.attempts()),
            (ErrorKind::Timeout, Effect::None, 0)
        );
    }
    assert_eq!(silent.requests().len(), 3, "each call tried to log in");
}

#[tokio::test]
async fn a_stored_token_is_used_for_its_owner_only() {
    let (plane, other) = (Plane::start().await, Plane::start().await);
    let path = temporary("elsewhere");
    let store = || FileStore::new(&path.0);
    let first = plane.builder().token_store(store()).build().unwrap();
    first.deployments().list().await.unwrap();
    // Another server, and another account on the same server.
    let second = other.builder().token_store(store()).build().unwrap();
    second.deployments().list().await.unwrap();
    assert_eq!(other.logins(), 1);
    let sent = other.server.requests().concat();
    assert_eq!(sent.matches("authorization: Bearer token-1").count(), 1);
    let third = plane.builder().login("other@example.com", PASSWORD);
    let third = third.token_store(store()).build().unwrap();
    third.deployments().list().await.unwrap();
    assert_eq!(plane.logins(), 2);
}

#[tokio::test]
async fn an_invalid_stored_token_is_ignored() {
    let plane = Plane::start().await;
    let path = temporary("unusable");
    let client = || {
        let builder = plane.builder().token_store(FileStore::new(&path.0));
        builder.build().unwrap()
    };
    client().deployments().list().await.unwrap();
    for unusable in ["a b", ""] {
        let kept = std::fs::read_to_string(&path.0).unwrap();
        let from = kept.find("token-").unwrap();
        let to = from + kept[from..].find('"').unwrap();
        let kept = format!("{}{unusable}{}", &kept[..from], &kept[to..]);
        std::fs::write(&path.0, kept).unwrap();
        client().deployments().list().await.unwrap();
    }
    assert_eq!(plane.logins(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_source_does_not_block_a_valid_token() {
    let plane = Plane::start().await;
    plane.state.valid.store(1, Ordering::SeqCst);
    let source = |previous: Option<Tokens>| async move {
        if previous.is_some() {
            std::future::pending::<()>().await;
        }
        Ok(Tokens::new("token-1").expires_in(Duration::from_secs(3600)))
    };
    let builder = plane.builder().credentials(Credentials::renewed(source));
    let client = builder.build().unwrap();
    client.deployments().list().await.unwrap();
    tokio::time::advance(Duration::from_secs(3545)).await;
    let started = tokio::time::Instant::now();
    for _ in 0..3 {
        client.deployments().list().await.unwrap();
    }
    assert!(
        started.elapsed() < Duration::from_secs(6),
        "once, not with every call"
    );
}

#[tokio::test(start_paused = true)]
async fn a_503_between_401s_causes_no_login_loop() {
    let count = Arc::new(AtomicU64::new(0));
    let server = Server::answers(move |request| {
        if request.starts_with("POST /v1/auth/login") {
            return reply("200 OK", JSON, r#"{"access_token":"token"}"#);
        }
        match count.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => reply("503 Busy", &[], ""),
            _ => reply("401 Unauthorized", &[], ""),
        }
    })
    .await;
    let builder = dployr::Client::builder().base_url(&server.base_url);
    let builder = builder
        .login("user@example.com", PASSWORD)
        .retry(Retry::off());
    let client = builder
        .pacing(deploykit::pacing::Pacing::off())
        .build()
        .unwrap();
    for _ in 0..30 {
        client.deployments().list().await.unwrap_err();
    }
    let logins = || {
        let requests = server.requests();
        requests
            .iter()
            .filter(|r| r.contains("/auth/login"))
            .count()
    };
    assert_eq!(
        logins(),
        1,
        "a 503 does not show that the token was accepted"
    );
    tokio::time::advance(Duration::from_secs(30)).await;
    for _ in 0..2 {
        client.deployments().list().await.unwrap_err();
    }
    assert_eq!(logins(), 2, "a refused token is replaced after a while");
}

/// A file that is removed on drop.
struct Temporary(PathBuf);

fn temporary(name: &str) -> Temporary {
    let name = format!("deploykit-credentials-{}-{name}", std::process::id());
    Temporary(std::env::temp_dir().join(name))
}

impl Temporary {
    fn lock(&self) -> PathBuf {
        format!("{}.lock", self.0.display()).into()
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        for path in [self.0.clone(), self.lock()] {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A read-only store with a token.
struct ReadOnly(&'static str);

impl TokenStore for ReadOnly {
    async fn load(&self, _: &str) -> Result<Option<Tokens>, BoxError> {
        Ok(Some(Tokens::new(self.0)))
    }

    async fn save(&self, _: &str, _: &Tokens) -> Result<(), BoxError> {
        Err("read-only file system".into())
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_stored_token_is_not_used_again() {
    let plane = Plane::start().await;
    let builder = plane.builder().token_store(ReadOnly("old"));
    let client = builder.build().unwrap();
    for logins in 1..=3 {
        let reply = client.deployments().list().with_response().await.unwrap();
        assert_eq!((reply.attempts, plane.logins()), (2, logins));
        // The token from the login expires, too.
        plane.expire();
        tokio::time::advance(Duration::from_secs(6)).await;
    }
}
