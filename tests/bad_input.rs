//! Invalid input is refused before anything is sent. `tests/requests` has the refusals of each call.

use deploykit::edgegap::{self, NewDeployment};
use deploykit::nexlayer::{self, Manifest};
use deploykit::{Call, Effect, ErrorKind, Result, dployr, nodion};
use deploykit_sandbox::Sandbox;

async fn refused<T: Send + 'static>(call: Call<T>, words: &str) {
    let Err(error) = call.await else {
        panic!("accepted: {words}");
    };
    let found = (error.kind(), error.effect(), error.attempts());
    let expected = (ErrorKind::InvalidRequest, Effect::None, 0);
    assert_eq!(found, expected, "{error}");
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn refused_calls_send_nothing() {
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

    refused(nodion.application("..").deploy(), "application id").await;
    refused(dployr.service("a/b").follow_logs(), "service id").await;
    let new = dployr::NewDeployment::from_git("a", "https://git.example/a").port(0);
    refused(dployr.deployments().create(new), "port").await;
    let nobody = NewDeployment::for_users("a", "1", []);
    refused(edgegap.deploy(nobody), "no users").await;
    let session = nexlayer.session("");
    refused(session.reservations(), "session token").await;
    assert!(sandbox.requests().is_empty(), "{:?}", sandbox.requests());
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
