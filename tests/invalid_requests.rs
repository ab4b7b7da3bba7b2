//! Calls with invalid arguments open no connection. `tests/requests` tests the arguments of each call.

mod support;

use deploykit::edgegap::{self, NewDeployment};
use deploykit::nexlayer::{self, Manifest};
use deploykit::{Call, ClientBuilder, Effect, ErrorKind, Platform, dployr, nodion};
use support::Server;

async fn assert_refused<T: Send + 'static>(call: Call<T>, expected_message: &str) {
    let Err(error) = call.await else {
        panic!("not refused: {expected_message}");
    };
    let found = (error.kind(), error.effect(), error.attempts());
    let expected = (ErrorKind::InvalidRequest, Effect::None, 0);
    assert_eq!(found, expected, "{error}");
    assert!(error.to_string().contains(expected_message), "{error}");
}

#[tokio::test]
async fn invalid_arguments_send_no_request() {
    let server = Server::replies("200 OK", &[], "{}").await;
    fn at<P: Platform>(server: &Server, builder: ClientBuilder<P>) -> ClientBuilder<P> {
        builder.base_url(&server.base_url).token("t")
    }
    let nexlayer = at(&server, nexlayer::Client::builder()).build().unwrap();
    let dployr = at(&server, dployr::Client::builder()).build().unwrap();
    let nodion = at(&server, nodion::Client::builder()).build().unwrap();
    let edgegap = at(&server, edgegap::Client::builder()).build().unwrap();

    assert_refused(nodion.application("..").deploy(), "application id").await;
    assert_refused(
        dployr
            .service("a/b")
            .follow_logs(deploykit::dployr::LogOptions::new()),
        "service id",
    )
    .await;
    let new = dployr::NewDeployment::from_git("a", "https://git.example/a").port(0);
    assert_refused(dployr.deploy(new), "port").await;
    let without_users = NewDeployment::for_users("a", "1", []);
    assert_refused(edgegap.deploy(without_users), "no users").await;
    let session = nexlayer.session("");
    assert_refused(session.reservations().list(), "session token").await;
    assert_eq!(server.log().connections, 0);
}

#[test]
fn error_for_an_unreadable_manifest_contains_its_path() {
    let path = "no/such/nexlayer.yaml";
    let error = Manifest::from_path(path).unwrap_err();
    assert!(error.to_string().contains(path), "{error}");
}
