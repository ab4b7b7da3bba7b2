//! Tokens that are renewed, on a server that lets them expire.

mod support;

use deploykit::dployr::{self, NewDeployment};
use deploykit::{
    Effect, ErrorKind, Retry,
    credentials::{BoxError, Credentials, FileStore, TokenStore, Tokens},
};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Server, reply};

const PASSWORD: &str = "hush-password";
const JSON: &[&str] = &["content-type: application/json"];
const LIST: &str = r#"{"deployments":[],"total":0}"#;

/// A control plane whose tokens are `token-1`, `token-2`, ... of which one is valid.
struct Plane {
    server: Server,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    logins: AtomicU64,
    /// The number of the valid token; 0 for none, whatever was handed out.
    valid: AtomicU64,
    /// What a login answers instead of tokens.
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
async fn a_hundred_calls_that_meet_an_expired_token_renew_it_once_and_all_succeed() {
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
async fn a_hundred_first_calls_log_in_once_though_one_is_dropped() {
    let plane = Plane::start().await;
    let client = plane.client();
    let mut calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.deployments().list().await })
        })
        .collect();
    // Each call runs until the first one waits for the login, and the others for the first.
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
    let (credentials, asked) = counting(vec![Tokens::new("token-1")], false);
    let client = plane.builder().credentials(credentials).build().unwrap();
    let mut calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.deployments().list().await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    calls.remove(0).abort();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    assert_eq!((asked.load(Ordering::SeqCst), plane.calls()), (2, 99));
}

/// A source that takes a second, counts, and has these tokens: one per renewal, the last one again and
/// again; an error after the last one if there is none.
fn counting(tokens: Vec<Tokens>, fails: bool) -> (Credentials, Arc<AtomicU64>) {
    let asked = Arc::new(AtomicU64::new(0));
    let count = asked.clone();
    let source = move |_: Option<Tokens>| {
        let number = count.fetch_add(1, Ordering::SeqCst) as usize;
        let next = tokens.get(number).or(tokens.last().filter(|_| !fails));
        let next = next.cloned();
        async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            next.ok_or_else(|| BoxError::from("the vault is closed"))
        }
    };
    (Credentials::renewed(source), asked)
}

#[tokio::test(start_paused = true)]
async fn a_hundred_calls_share_one_failed_renewal() {
    let plane = Plane::start().await;
    let (credentials, asked) = counting(vec![], true);
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
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    client.deployments().list().await.unwrap_err();
    assert_eq!(asked.load(Ordering::SeqCst), 2, "a later call tries again");
}

#[tokio::test(start_paused = true)]
async fn a_token_serves_until_it_expires_while_its_source_is_down() {
    let plane = Plane::start().await;
    plane.state.valid.store(1, Ordering::SeqCst);
    let token = Tokens::new("token-1").expires_in(Duration::from_secs(3600));
    let (credentials, asked) = counting(vec![token], true);
    let client = plane.builder().credentials(credentials).build().unwrap();
    client.deployments().list().await.unwrap();
    tokio::time::advance(Duration::from_secs(3550)).await;
    for _ in 0..10 {
        client.deployments().list().await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2, "not once per call");
    tokio::time::advance(Duration::from_secs(60)).await;
    let error = client.deployments().list().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expired_before_it_came_is_used_all_the_same() {
    let plane = Plane::start().await;
    plane.state.valid.store(1, Ordering::SeqCst);
    let (credentials, asked) = counting(
        vec![Tokens::new("token-1").expires_in(Duration::ZERO)],
        false,
    );
    let client = plane.builder().credentials(credentials).build().unwrap();
    for _ in 0..5 {
        client.deployments().list().await.unwrap();
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_create_is_repeated_with_the_new_token_and_happens_once() {
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
async fn it_is_renewed_before_it_expires_without_a_401() {
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

#[tokio::test]
async fn a_second_401_is_what_the_call_ends_with() {
    let plane = Plane::start().await;
    let client = plane.client();
    client.deployments().list().await.unwrap();
    // From here on no token is good enough.
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
    // And calls that come after it do not log in again and again.
    for _ in 0..5 {
        let error = client.deployments().list().await.unwrap_err();
        assert_eq!(error.attempts(), 1);
    }
    assert_eq!(plane.logins(), 2, "no loop");
}

#[tokio::test]
async fn when_the_renewal_fails_the_401_is_kept() {
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

#[tokio::test]
async fn a_server_without_logins_is_a_clear_error_and_nothing_is_sent() {
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
async fn a_preview_logs_nobody_in() {
    let plane = Plane::start().await;
    let preview = plane.client().deployments().list().preview().unwrap();
    assert!(preview.to_string().contains("authorization: <redacted>"));
    assert!(plane.server.requests().is_empty());
}

#[tokio::test]
async fn a_store_keeps_the_token_across_processes() {
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
    assert_eq!(plane.logins(), 1, "the second found the first one's token");

    // The token expires. The first renews it, and the second takes that one.
    plane.expire();
    first.deployments().list().await.unwrap();
    second.deployments().list().await.unwrap();
    assert_eq!(plane.logins(), 2, "one renewal for both");

    // What is no store of tokens is no reason to fail.
    std::fs::write(&path.0, "not tokens").unwrap();
    client().deployments().list().await.unwrap();
    assert_eq!(plane.logins(), 3);
    assert!(!std::fs::read_to_string(&path.0).unwrap().contains(PASSWORD));
}

#[tokio::test]
async fn a_source_of_ones_own_gets_the_previous_tokens() {
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
    // `token-6` was never accepted, so it is not traded at once: the first 401 is kept.
    let error = client.deployments().list().await.unwrap_err();
    assert_eq!(error.status(), Some(401));
    plane.state.valid.store(6, Ordering::SeqCst);
    client.deployments().list().await.unwrap();
    plane.state.valid.store(7, Ordering::SeqCst);
    let reply = client.deployments().list().with_response().await.unwrap();
    assert_eq!(reply.attempts, 2, "a renewal is no retry of the policy");
    assert_eq!(*seen.lock().unwrap(), [None, Some("for-7".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_logs_in_leaves_nothing_behind() {
    let silent = Server::start(support::Script::silence()).await;
    let builder = dployr::Client::builder().base_url(&silent.base_url);
    let client = builder.login("user@example.com", PASSWORD).build().unwrap();
    for _ in 0..3 {
        let call = client.deployments().list().deadline(Duration::from_secs(5));
        let error = call.await.unwrap_err();
        // Nothing of this call went out.
        assert_eq!(
            (error.kind(), error.effect(), error.attempts()),
            (ErrorKind::Timeout, Effect::None, 0)
        );
    }
    assert_eq!(silent.requests().len(), 3, "each had its turn");
}

#[tokio::test]
async fn a_stored_token_goes_to_nobody_else() {
    let (plane, other) = (Plane::start().await, Plane::start().await);
    let path = temporary("elsewhere");
    let store = || FileStore::new(&path.0);
    let first = plane.builder().token_store(store()).build().unwrap();
    first.deployments().list().await.unwrap();
    // Another server, and another account of the same one.
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
async fn a_stored_token_that_cannot_be_sent_is_passed_over() {
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
async fn a_source_that_hangs_ahead_of_time_does_not_hold_up_a_valid_token() {
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
async fn troubles_between_refusals_do_not_make_it_a_loop() {
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
    assert_eq!(logins(), 1, "a proxy's 503 says nothing of the token");
    tokio::time::advance(Duration::from_secs(30)).await;
    for _ in 0..2 {
        client.deployments().list().await.unwrap_err();
    }
    assert_eq!(logins(), 2, "a refused token is replaced after a while");
}

/// A file that goes with the test.
struct Temporary(PathBuf);

fn temporary(name: &str) -> Temporary {
    let name = format!("deploykit-credentials-{}-{name}", std::process::id());
    Temporary(std::env::temp_dir().join(name))
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A store that has a token and cannot be written.
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
async fn a_refused_token_in_the_store_is_not_taken_again() {
    let plane = Plane::start().await;
    let builder = plane.builder().token_store(ReadOnly("old"));
    let client = builder.build().unwrap();
    for logins in 1..=3 {
        let reply = client.deployments().list().with_response().await.unwrap();
        assert_eq!((reply.attempts, plane.logins()), (2, logins));
        // The token from the login is refused, too.
        plane.expire();
        tokio::time::advance(Duration::from_secs(6)).await;
    }
}
