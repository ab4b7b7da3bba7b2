//! Invalid input is refused before anything is sent. `tests/requests` has the refusals of each call.

mod support;

use deploykit::edgegap::{self, NewDeployment};
use deploykit::nexlayer::{self, Manifest};
use deploykit::{Call, ClientBuilder, Effect, ErrorKind, Platform, dployr, nodion};
use support::Server;

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
    let server = Server::replies("200 OK", &[], "{}").await;
    fn at<P: Platform>(server: &Server, builder: ClientBuilder<P>) -> ClientBuilder<P> {
        builder.base_url(&server.base_url).token("t")
    }
    let nexlayer = at(&server, nexlayer::Client::builder()).build().unwrap();
    let dployr = at(&server, dployr::Client::builder()).build().unwrap();
    let nodion = at(&server, nodion::Client::builder()).build().unwrap();
    let edgegap = at(&server, edgegap::Client::builder()).build().unwrap();

    refused(nodion.application("..").deploy(), "application id").await;
    refused(dployr.service("a/b").follow_logs(), "service id").await;
    let new = dployr::NewDeployment::from_git("a", "https://git.example/a").port(0);
    refused(dployr.deployments().create(new), "port").await;
    let nobody = NewDeployment::for_users("a", "1", []);
    refused(edgegap.deploy(nobody), "no users").await;
    let session = nexlayer.session("");
    refused(session.reservations().list(), "session token").await;
    assert_eq!(server.log().connections, 0);
}

#[test]
fn a_manifest_that_cannot_be_read_is_named() {
    let error = Manifest::from_path("no/such/nexlayer.yaml").unwrap_err();
    let path = "no/such/nexlayer.yaml";
    assert!(error.to_string().contains(path), "{error}");
}
