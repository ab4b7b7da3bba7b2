//! What cannot be right gets a clear error, and nothing is sent: each case runs against the sandbox,
//! which counts.
#![cfg(all(
    feature = "dployr",
    feature = "edgegap",
    feature = "nexlayer",
    feature = "nodion"
))]

use deploykit::edgegap::{self, NewDeployment, User};
use deploykit::nexlayer::{self, Manifest};
use deploykit::{Call, Effect, ErrorKind, Result, dployr, nodion};
use deploykit_sandbox::Sandbox;

/// Ids that would reach another endpoint, or none.
const BAD_IDS: [&str; 9] = ["", " ", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\nb"];

struct Platforms {
    sandbox: Sandbox,
    dployr: dployr::Client,
    edgegap: edgegap::Client,
    nexlayer: nexlayer::Client,
    nodion: nodion::Client,
}

impl Platforms {
    async fn start() -> Self {
        let sandbox = Sandbox::start().await.unwrap();
        let access = sandbox.dployr();
        let dployr = dployr::Client::new(&access.base_url, access.token.as_str()).unwrap();
        let access = sandbox.edgegap();
        let edgegap = edgegap::Client::builder().base_url(&access.base_url);
        let edgegap = edgegap.token(access.token.as_str()).build().unwrap();
        let access = sandbox.nexlayer();
        let nexlayer = nexlayer::Client::builder().base_url(&access.base_url);
        let nexlayer = nexlayer.build().unwrap();
        let access = sandbox.nodion();
        let nodion = nodion::Client::builder().base_url(&access.base_url);
        let nodion = nodion.token(access.token.as_str()).build().unwrap();
        Self {
            sandbox,
            dployr,
            edgegap,
            nexlayer,
            nodion,
        }
    }

    /// Runs a call that must be refused with these words, without a request.
    #[track_caller]
    fn refuses<T: Send + 'static>(&self, call: Call<T>, words: &str) -> impl Future<Output = ()> {
        let at = std::panic::Location::caller();
        async move {
            let error = match call.await {
                Ok(_) => panic!("it was accepted, at {at}"),
                Err(error) => error,
            };
            let found = (error.kind(), error.effect(), error.attempts());
            assert_eq!(
                found,
                (ErrorKind::InvalidRequest, Effect::None, 0),
                "{error}, at {at}"
            );
            assert!(
                error.to_string().contains(words),
                "{words:?} is not in {error}, at {at}"
            );
            assert!(!error.to_string().contains('\n'), "{error}, at {at}");
            let requests = self.sandbox.requests();
            assert!(requests.is_empty(), "{requests:?}, at {at}");
        }
    }
}

#[tokio::test]
async fn ids() {
    let all = Platforms::start().await;
    for id in BAD_IDS {
        let application = all.nodion.application(id);
        all.refuses(application.deploy(), "application id").await;
        all.refuses(application.deployments(), "application id")
            .await;
        let deployment = all.dployr.deployment(id);
        all.refuses(deployment.get(), "deployment id").await;
        all.refuses(deployment.delete(), "deployment id").await;
        let service = all.dployr.service(id);
        all.refuses(service.start(), "service id").await;
        all.refuses(service.logs(None), "service id").await;
        all.refuses(service.follow_logs(), "service id").await;
        all.refuses(all.dployr.service("web").env().remove(id), "variable")
            .await;
        all.refuses(all.dployr.instance(id).get(), "instance id")
            .await;
        all.refuses(all.dployr.route(id).delete(), "route id").await;
        all.refuses(all.dployr.project(id).delete(), "project id")
            .await;
    }
}

#[tokio::test]
async fn players_and_places() {
    let all = Platforms::start().await;
    let with = |users: &[User]| NewDeployment::for_users("a", "1", users.iter().copied());
    all.refuses(all.edgegap.deploy(with(&[])), "no users").await;
    for (latitude, longitude) in [(f64::NAN, 0.0), (0.0, f64::NAN), (90.5, 0.0), (0.0, -180.5)] {
        let user = User::coordinates(latitude, longitude);
        all.refuses(all.edgegap.deploy(with(&[user])), "is not between")
            .await;
        let fleet = with(&[user]).on_host("h");
        all.refuses(all.edgegap.deploy_to_fleet(fleet), "is not between")
            .await;
    }
    let player = User::ip([75, 28, 35, 192].into());
    let none: [&str; 0] = [];
    let fleet = with(&[player]).on_hosts(none);
    all.refuses(all.edgegap.deploy_to_fleet(fleet), "no host ids")
        .await;
    let fleet = with(&[player]).on_hosts(["h", "h"]);
    all.refuses(all.edgegap.deploy_to_fleet(fleet), "given twice")
        .await;
}

#[tokio::test]
async fn ports() {
    let all = Platforms::start().await;
    for port in [0, 65_536, u32::MAX] {
        let new = dployr::NewDeployment::from_git("a", "https://git.example/a").port(port);
        all.refuses(all.dployr.deployments().create(new), "port")
            .await;
        let new = dployr::NewRoute::new("a.example", "s-1", port);
        all.refuses(all.dployr.routes().create(new), "port").await;
    }
}

#[tokio::test]
async fn sessions_and_names() {
    let all = Platforms::start().await;
    for token in ["", " ", "a\nb"] {
        let session = all.nexlayer.session(token);
        all.refuses(session.reservations(), "session token").await;
        all.refuses(session.application("a").extend(), "session token")
            .await;
    }
    for name in ["", " ", "a\nb"] {
        let application = all.nexlayer.session("dCf0NdAQ64j6").application(name);
        all.refuses(application.claim(), "application name").await;
    }
}

#[test]
fn manifests() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (text, words) in [
        ("", "empty"),
        (" \n# only a comment\n", "application.name"),
        ("application: [", "YAML"),
        ("just text", "application.name"),
        ("- a\n- b", "application.name"),
        ("application: {}", "name"),
        ("application: {name: ''}", "name"),
        ("application: {name: 7}", "name"),
        ("pods: []", "name"),
    ] {
        let path = folder.join("nexlayer.yaml");
        std::fs::write(&path, text).unwrap();
        for error in [
            Manifest::parse(text).unwrap_err(),
            Manifest::from_path(&path).unwrap_err(),
        ] {
            assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{text:?}: {error}");
            assert!(
                error.to_string().contains(words),
                "{words:?} is not in {error}"
            );
            assert_eq!(error.effect(), Effect::None);
        }
    }
    let error = Manifest::from_path("no/such/nexlayer.yaml").unwrap_err();
    assert!(
        error.to_string().contains("no/such/nexlayer.yaml"),
        "{error}"
    );
    let error = Manifest::from_bytes(vec![0xff, 0xfe, b'a']).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
}

#[test]
fn tokens_and_base_urls() {
    fn refused<T: std::fmt::Debug>(result: Result<T>, words: &str) {
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Configuration, Effect::None)
        );
        assert!(
            error.to_string().contains(words),
            "{words:?} is not in {error}"
        );
        assert!(
            !format!("{error} {error:?}").contains("canary"),
            "{error:?}"
        );
    }
    for token in ["canary\nx: y", "canary\r\n", "canary x", "cänary", ""] {
        // A line break at the end is a copied token, and is taken off.
        if token != "canary\r\n" {
            refused(edgegap::Client::new(token), "token");
            refused(nodion::Client::new(token), "token");
            refused(dployr::Client::new("https://a.example", token), "token");
        }
    }
    for (url, words) in [
        ("ftp://a.example", "neither http nor https"),
        ("a.example", "not a URL"),
        ("http://a.example", "plain http"),
        ("https://u:canary@a.example", "carries credentials"),
        ("https://a.example/?token=canary", "query"),
    ] {
        refused(
            nodion::Client::builder().base_url(url).token("t").build(),
            words,
        );
        refused(
            edgegap::Client::builder().base_url(url).token("t").build(),
            words,
        );
        refused(nexlayer::Client::builder().base_url(url).build(), words);
        refused(dployr::Client::new(url, "t"), words);
    }
    refused(
        dployr::Client::builder().token("t").build(),
        "DPLOYR_BASE_URL",
    );
    let error = nodion::Client::builder()
        .base_url("http://10.0.0.1")
        .token("t");
    assert!(error.allow_plain_http().build().is_ok());
}

#[test]
fn missing_variables_are_named() {
    // The variables of these tests' process are not set; the lookup itself is tested beside it.
    for (variable, error) in [
        ("EDGEGAP_TOKEN", edgegap::Client::from_env().map(drop)),
        ("NODION_TOKEN", nodion::Client::from_env().map(drop)),
        ("DPLOYR_BASE_URL", dployr::Client::from_env().map(drop)),
    ] {
        if std::env::var_os(variable).is_none() {
            let error = error.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration);
            assert!(error.to_string().contains(variable), "{error}");
        }
    }
}
