use super::{CANARY, refused};
use deploykit::nexlayer::{Client, Manifest};

#[test]
fn invalid_tokens_names_and_texts_are_refused() {
    let client = Client::new().unwrap();
    let manifest = || Manifest::parse("application: {name: a}").unwrap();
    for token in ["", " ", "a\nb"] {
        let session = client.session(token);
        refused(session.reservations().list(), "session token");
        refused(session.reservations().delete_all(), "session token");
        refused(session.deploy(manifest()), "session token");
        refused(session.update(manifest()), "session token");
        refused(session.send_feedback("a"), "session token");
        refused(session.application("a").extend(), "session token");
        refused(session.application("a").pods().list(), "session token");
    }
    let session = client.session(CANARY);
    for name in ["", "\t", "a\u{0}"] {
        let application = session.application(name);
        refused(application.extend(), "application name");
        refused(application.claim(), "application name");
        refused(application.reserve(), "application name");
        refused(application.delete_reservation(), "application name");
        refused(application.pods().list(), "application name");
    }
    refused(session.send_feedback(" \n"), "the feedback is empty");
    let other = session.reservations().list().query("sessionToken", CANARY);
    refused(other, "carries a credential");
}
