use super::{CANARY, refused, shows, shows_as};
use deploykit::nodion::Client;

const APPLICATION: &str = "92955d4f-2e44-4e48-8cb6-9c6c434afebb";

fn client() -> Client {
    Client::new(CANARY).unwrap()
}

#[test]
pub fn deployments() {
    shows(client().application(APPLICATION).deployments());
    shows_as(
        "unusual_id",
        client().application("a b %2e ü").deployments(),
    );
    let project = Client::builder()
        .token(format!("Bearer {CANARY}"))
        .project("p-1")
        .build()
        .unwrap();
    shows_as("project", project.application(APPLICATION).deployments());
}

#[test]
pub fn deploy() {
    shows(client().application(APPLICATION).deploy());
}

#[test]
pub fn ids_that_change_the_path_are_refused() {
    for id in ["", ".", "..", "a/b", "a\\b", "a?b", "a#b", "a\nb"] {
        let application = client().application(id);
        refused(application.deploy(), "application id");
        refused(application.deployments(), "application id");
    }
}
