//! Tokens that are renewed and kept, calls that are sent again, proxies, the limit on creates.

use crate::answers::{self, Way};
use crate::planted::Plant;
use crate::walk::Walk;
use deploykit::edgegap::{NewDeployment, User};
use deploykit::{
    Credentials, FileStore, Pacing, Retry, TokenError, TokenStore, Tokens, dployr, edgegap,
};
use serde_json::json as value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub async fn walk(walk: &mut Walk) {
    login(walk).await;
    source(walk).await;
    sent_again(walk).await;
    proxy(walk).await;
    limit_on_creates(walk).await;
    walk.look_at_the_log();
}

/// A client that logs in, and keeps its tokens in a file.
async fn login(walk: &mut Walk) {
    let plant = Plant::new("dployr session");
    let (access, refresh) = (
        plant.ascii("body.access_token"),
        plant.wide("unsent refresh token"),
    );
    let password = plant.wide("body.password");
    let tokens = value!({ "access_token": access, "refresh_token": refresh, "expires_in": 3600 });
    let file = std::env::temp_dir().join(format!("deploykit-canaries-{}", std::process::id()));
    let client = |base_url: &str| {
        let builder = dployr::Client::builder()
            .base_url(base_url)
            .retry(Retry::off());
        let builder = builder.login("a@b.example", password.clone());
        builder
            .pacing(Pacing::off())
            .token_store(FileStore::new(&file))
    };
    walk.debug("builder", &client("https://a.example"));
    walk.debug("store", &FileStore::new(&file));
    let tokens = tokens.to_string();
    // The login works, and the call gets the answer; then the login gets it. Neither is told what only
    // the other one was.
    for (login_works, sent) in [(true, &access), (false, &password)] {
        for way in answers::all("[]", sent) {
            let _ = std::fs::remove_file(&file);
            let of_login = answers::reply("200 OK", "application/json", &[], &tokens);
            let answer = way.answer.clone();
            walk.server.answer(Arc::new(move |request: &str| {
                let is_login = request.starts_with("POST /v1/auth/login");
                let works = if is_login == login_works {
                    &of_login
                } else {
                    &answer
                };
                works(request)
            }));
            let client = client(&walk.server.base_url).build().unwrap();
            walk.debug("client", &client);
            let services = client.services();
            if let Err(error) = services.list().await {
                walk.look_at_error(&format!("session, {}", way.name), &error);
            }
            // Once more, with what was kept.
            if let Err(error) = services.list().with_response().await {
                walk.look_at_error(&format!("session, {}", way.name), &error);
            }
            walk.debug("client", &client);
        }
    }
    for text in [access.clone(), format!("{{\"access_token\": [\"{access}")] {
        std::fs::write(&file, text).unwrap();
        let client = client(&walk.server.base_url).build().unwrap();
        if let Err(error) = client.services().list().await {
            walk.look_at_error("a broken store", &error);
        }
    }
    let _ = std::fs::remove_file(&file);
    walk.look_at_the_wire(&plant);
}

/// Tokens from a function and in a store of the program's own.
async fn source(walk: &mut Walk) {
    let plant = Plant::new("edgegap session");
    let (first, second) = (
        plant.ascii("authorization"),
        plant.ascii("authorization (renewed)"),
    );
    let refresh = plant.wide("unsent refresh token");
    let tokens = Tokens::new(first.clone()).refresh(refresh.clone());
    walk.debug("tokens", &tokens);
    walk.debug("credentials", &Credentials::token(first.clone()));
    let source = {
        let (second, tokens) = (second.clone(), tokens.clone());
        move |previous: Option<Tokens>| {
            let next = match previous {
                None => tokens.clone(),
                Some(_) => Tokens::new(second.clone()).expires_in(Duration::from_secs(1)),
            };
            async move { Ok::<_, TokenError>(next) }
        }
    };
    let credentials = Credentials::renewed(source);
    walk.debug("credentials", &credentials);
    for Way { name, answer, .. } in answers::all("{}", &format!("{first} {second} {refresh}")) {
        // The first token is accepted, then refused; what comes with the second one is looked at.
        let (calls, old) = (AtomicUsize::new(0), first.clone());
        let of_first = answers::reply("200 OK", "application/json", &[], "{}");
        let refused = answers::reply("401 Unauthorized", "text/plain", &[], "");
        walk.server.answer(Arc::new(move |request: &str| {
            match (
                calls.fetch_add(1, Ordering::Relaxed),
                request.contains(&old),
            ) {
                (0, _) => of_first(request),
                (_, true) => refused(request),
                _ => answer(request),
            }
        }));
        let builder = edgegap::Client::builder().base_url(&walk.server.base_url);
        let builder = builder.retry(Retry::off()).pacing(Pacing::off());
        let builder = builder.credentials(credentials.clone()).token_store(Broken);
        walk.debug("builder", &builder);
        let client = builder.build().unwrap();
        for _ in 0..2 {
            let deployments = client.deployments().list();
            walk.debug("call", &deployments);
            if let Err(error) = deployments.await {
                walk.look_at_error(&format!("renewed, {name}"), &error);
            }
        }
        let preview = client.deployments().list().preview().unwrap();
        walk.findings.look("preview", &preview.to_string());
    }
    // A token that cannot be sent.
    let bad = plant.plain("unsent bad token");
    let bad = Credentials::renewed(move |_: Option<Tokens>| {
        let tokens = Tokens::new(format!("{bad} x"));
        async move { Ok::<_, TokenError>(tokens) }
    });
    let client = edgegap::Client::builder()
        .base_url(&walk.server.base_url)
        .credentials(bad);
    let error = client
        .build()
        .unwrap()
        .deployments()
        .list()
        .await
        .unwrap_err();
    walk.look_at_error("a token that cannot be sent", &error);
    walk.look_at_the_wire(&plant);
}

struct Broken;

impl TokenStore for Broken {
    async fn load(&self, _: &str) -> Result<Option<Tokens>, TokenError> {
        Err(TokenError::new("the store is closed"))
    }

    async fn save(&self, _: &str, _: &Tokens) -> Result<(), TokenError> {
        Err(TokenError::new("the store is closed"))
    }
}

/// A call that is repeated, and what is said meanwhile.
async fn sent_again(walk: &mut Walk) {
    let plant = Plant::new("dployr, sent again");
    let policy = Retry::default().initial_backoff(Duration::from_millis(1));
    for Way { name, answer, .. } in answers::all("[]", &plant.ascii("authorization")) {
        walk.server.answer(answer);
        let builder = dployr::Client::builder().base_url(&walk.server.base_url);
        let builder = builder.pacing(Pacing::off()).retry(policy.clone());
        let builder = builder.token(plant.ascii("authorization"));
        walk.debug("builder", &builder);
        let client = builder.build().unwrap();
        let call = client
            .services()
            .list()
            .query("extra", &plant.wide("query.extra"));
        if let Err(error) = call.await {
            walk.look_at_error(&format!("again, {name}"), &error);
        }
    }
    walk.look_at_the_wire(&plant);
}

/// A proxy that wants a password.
async fn proxy(walk: &mut Walk) {
    let plant = Plant::new("edgegap by a proxy");
    let (user, password) = (
        plant.plain("unsent proxy user"),
        plant.plain("unsent proxy password"),
    );
    let token = plant.ascii("authorization");
    let client = |address: &str, base_url: &str| {
        let builder = edgegap::Client::builder()
            .base_url(base_url)
            .allow_plain_http();
        let builder = builder
            .retry(Retry::off())
            .pacing(Pacing::off())
            .token(token.clone());
        builder.proxy(format!("http://{user}:{password}@{address}"))
    };
    let address = walk.server.base_url.replace("http://", "");
    // http is asked for by its whole address, https through a tunnel.
    for base_url in ["http://platform.example", "https://platform.example"] {
        for address in [address.as_str(), "127.0.0.1:1"] {
            for Way { name, answer, .. } in answers::all("{}", &token) {
                walk.server.answer(answer);
                let builder = client(address, base_url);
                walk.debug("builder", &builder);
                let client = builder.build().unwrap();
                walk.debug("client", &client);
                if let Err(error) = client.deployments().list().await {
                    // Whoever was asked by name and password may say them: a proxy does not.
                    if address.ends_with(":1") || !name.contains(" with ") {
                        walk.look_at_error(&format!("proxy, {name}"), &error);
                    }
                }
            }
        }
    }
    let wire = walk.server.take_requests().join("\n");
    if !wire.contains("proxy-authorization: Basic ") {
        walk.problems.push("the proxy got no password".to_owned());
    }
    for bad in ["\n", " ", ":x", "@"] {
        let builder = client(&format!("h{bad}:{bad}"), "https://platform.example");
        if let Err(error) = builder.build() {
            walk.look_at_error("a bad proxy", &error);
        }
    }
}

async fn limit_on_creates(walk: &mut Walk) {
    let plant = Plant::new("edgegap, too many creates");
    let builder = edgegap::Client::builder().base_url(&walk.server.base_url);
    let builder = builder
        .token(plant.ascii("authorization"))
        .retry(Retry::off());
    let builder = builder.max_creates(1, Duration::from_secs(3600));
    walk.debug("builder", &builder);
    let client = builder.build().unwrap();
    let answer = answers::reply(
        "202 Accepted",
        "application/json",
        &[],
        r#"{"request_id":"a"}"#,
    );
    walk.server.answer(answer);
    for _ in 0..2 {
        let new = NewDeployment::new("a", "1", User::ip([1, 2, 3, 4].into()));
        let new = new.hidden_env(
            "A",
            plant.wide("body.environment_variables[is_hidden].value"),
        );
        if let Err(error) = client.deploy(new).await {
            walk.look_at_error("the limit on creates", &error);
        }
    }
    walk.debug("pacing", &client.pacing());
    walk.look_at_the_wire(&plant);
}
