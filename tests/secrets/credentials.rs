//! Secrets of a client: renewed and stored tokens, the password of a proxy.

use crate::canaries::Plant;
use crate::replies;
use crate::search::LeakSearch;
use crate::spec_replies::Success;
use deploykit::{
    Retry,
    credentials::{BoxError, Credentials, FileStore, TokenStore, Tokens},
    dployr, edgegap,
    pacing::Pacing,
};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

pub async fn search(search: &mut LeakSearch) {
    login(search).await;
    token_source(search).await;
    proxy(search).await;
    search.search_log();
}

/// A client that logs in and stores its tokens in a file.
async fn login(search: &mut LeakSearch) {
    let plant = Plant::new("dployr login");
    let access = plant.ascii("access token");
    let refresh = plant.wide("unsent refresh token");
    let password = plant.wide("body.password");
    let tokens = json!({ "access_token": access, "refresh_token": refresh, "expires_in": 3600 });
    let tokens = replies::reply("200 OK", "application/json", &[], &tokens.to_string());
    let file = std::env::temp_dir().join(format!("deploykit-canaries-{}", std::process::id()));
    let client = |base_url: &str| {
        let builder = dployr::Client::builder().base_url(base_url);
        let builder = builder.retry(Retry::off()).pacing(Pacing::off());
        let builder = builder.login("a@b.example", password.clone());
        builder.token_store(FileStore::new(&file))
    };
    search.search_debug("builder", &client("https://a.example"));
    search.search_debug("store", &FileStore::new(&file));
    // If the login works, the next call receives the reply. Otherwise the login request receives it. The
    // reply repeats only secrets of its own request.
    for (login_works, sent) in [(true, &access), (false, &password)] {
        for reply in replies::all(&[Success::json("[]")], sent) {
            let _ = std::fs::remove_file(&file);
            let (answer, tokens) = (reply.answer, tokens.clone());
            search.server.answer(Arc::new(move |request: &str| {
                let is_login = request.starts_with("POST /v1/auth/login");
                match is_login == login_works {
                    true => tokens(request),
                    false => answer(request),
                }
            }));
            let client = client(&search.server.base_url).build().unwrap();
            // The second call uses the stored tokens.
            for _ in 0..2 {
                if let Err(error) = client.services().list().await {
                    search.search_error(&format!("login, {}", reply.name), &error);
                }
            }
            search.search_debug("client", &client);
        }
    }
    for text in [access.clone(), format!("{{\"access_token\": [\"{access}")] {
        std::fs::write(&file, text).unwrap();
        let client = client(&search.server.base_url).build().unwrap();
        if let Err(error) = client.services().list().await {
            search.search_error("an unreadable token file", &error);
        }
    }
    let _ = std::fs::remove_file(&file);
    search.take_requests(&plant);
}

/// A client that gets its tokens from a function. Its token store fails.
async fn token_source(search: &mut LeakSearch) {
    let plant = Plant::new("edgegap tokens");
    let first = plant.ascii("first token");
    let second = plant.ascii("second token");
    let refresh = plant.wide("unsent refresh token");
    let tokens = Tokens::new(first.clone()).refresh(refresh.clone());
    search.search_debug("tokens", &tokens);
    search.search_debug("credentials", &Credentials::token(first.clone()));
    let source = {
        let second = second.clone();
        move |previous: Option<Tokens>| {
            let next = match previous {
                None => tokens.clone(),
                Some(_) => Tokens::new(second.clone()).expires_in(Duration::from_secs(1)),
            };
            async move { Ok::<_, BoxError>(next) }
        }
    };
    let credentials = Credentials::renewed(source);
    search.search_debug("credentials", &credentials);
    let base_url = search.server.base_url.clone();
    let builder = |credentials| {
        let builder = edgegap::Client::builder().base_url(&base_url);
        let builder = builder.retry(Retry::off()).pacing(Pacing::off());
        builder.credentials(credentials)
    };
    for reply in replies::all(
        &[Success::json("{}")],
        &format!("{first} {second} {refresh}"),
    ) {
        // The first token is accepted once, then refused. Requests with the second token receive the reply.
        let (calls, old, answer) = (AtomicUsize::new(0), first.clone(), reply.answer);
        let accepted = replies::reply("200 OK", "application/json", &[], "{}");
        let refused = replies::reply("401 Unauthorized", "text/plain", &[], "");
        search.server.answer(Arc::new(move |request: &str| {
            let call = calls.fetch_add(1, Ordering::Relaxed);
            match request.contains(&old) {
                _ if call == 0 => accepted(request),
                true => refused(request),
                false => answer(request),
            }
        }));
        let builder = builder(credentials.clone()).token_store(FailingStore);
        search.search_debug("builder", &builder);
        let client = builder.build().unwrap();
        for _ in 0..2 {
            let call = client.deployments().list();
            search.search_debug("call", &call);
            if let Err(error) = call.await {
                search.search_error(&format!("renewed, {}", reply.name), &error);
            }
        }
        let preview = client.deployments().list().preview().unwrap();
        search.search_preview("preview", &preview);
    }
    let bad = plant.plain("unsent refused token");
    let bad = Credentials::renewed(move |_: Option<Tokens>| {
        let tokens = Tokens::new(format!("{bad} x"));
        async move { Ok::<_, BoxError>(tokens) }
    });
    let client = builder(bad).build().unwrap();
    let error = client.deployments().list().await.unwrap_err();
    search.search_error("an invalid token", &error);
    search.take_requests(&plant);
}

struct FailingStore;

impl TokenStore for FailingStore {
    async fn load(&self, _: &str) -> Result<Option<Tokens>, BoxError> {
        Err("the store is closed".into())
    }

    async fn save(&self, _: &str, _: &Tokens) -> Result<(), BoxError> {
        Err("the store is closed".into())
    }
}

/// A proxy with a password.
async fn proxy(search: &mut LeakSearch) {
    let plant = Plant::new("edgegap through a proxy");
    let user = plant.plain("unsent proxy user");
    let password = plant.plain("unsent proxy password");
    let token = plant.ascii("authorization");
    let builder = |address: &str, base_url: &str| {
        let builder = edgegap::Client::builder()
            .base_url(base_url)
            .allow_plain_http();
        let builder = builder.retry(Retry::off()).pacing(Pacing::off());
        let builder = builder.token(token.clone());
        builder.proxy(format!("http://{user}:{password}@{address}"))
    };
    let address = search.server.base_url.replace("http://", "");
    // Proxies forward http and tunnel https.
    for base_url in ["http://platform.example", "https://platform.example"] {
        for address in [address.as_str(), "127.0.0.1:1"] {
            for reply in replies::all(&[Success::json("{}")], &token) {
                search.server.answer(reply.answer);
                let builder = builder(address, base_url);
                search.search_debug("builder", &builder);
                let client = builder.build().unwrap();
                search.search_debug("client", &client);
                if let Err(error) = client.deployments().list().await {
                    // Replies that repeat the request are skipped: a real proxy does not repeat its password.
                    if address.ends_with(":1") || !reply.name.contains(" with ") {
                        search.search_error(&format!("proxy, {}", reply.name), &error);
                    }
                }
            }
        }
    }
    let wire = search.server.take_requests().join("\n");
    assert!(wire.contains("proxy-authorization: Basic "));
    for bad in ["\n", " ", ":x", "@"] {
        let builder = builder(&format!("h{bad}:{bad}"), "https://platform.example");
        if let Err(error) = builder.build() {
            search.search_error("an invalid proxy", &error);
        }
    }
}
