use super::{CANARY, refused};
use deploykit::nexlayer::{Client, Manifest};

#[test]
fn invalid_tokens_names_and_texts_are_refused() {
    let client = Client::new().unwrap();
    let manifest = || Manifest::parse("application: {name: a}").unwrap();
    for token in ["", " ", "a\nb"] {
        let session = client.session(token);
        refused(session.reservations(), "session token");
        refused(session.remove_reservations(), "session token");
        refused(session.start(manifest()), "session token");
        refused(session.update(manifest()), "session token");
        refused(session.feedback("a"), "session token");
        refused(session.application("a").extend(), "session token");
        refused(session.application("a").pods(), "session token");
    }
    let session = client.session(CANARY);
    for name in ["", "\t", "a\u{0}"] {
        let application = session.application(name);
        refused(application.extend(), "application name");
        refused(application.claim(), "application name");
        refused(application.reserve(), "application name");
        refused(application.unreserve(), "application name");
        refused(application.pods(), "application name");
    }
    refused(session.feedback(" \n"), "the feedback is empty");
    let other = session.reservations().query("sessionToken", CANARY);
    refused(other, "carries a credential");
}
