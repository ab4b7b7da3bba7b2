//! Checks that the search finds leaks in each kind of output.

use crate::canaries::{MARK, Plant, found_in};
use crate::replies;
use crate::search::LeakSearch;
use deploykit::dployr::{Client, NewProject};
use deploykit::{Retry, pacing::Pacing};

#[test]
fn canaries_are_found_in_every_encoding() {
    for text in [
        format!("x {MARK}-0-y"),
        format!("x {}", MARK.to_uppercase()),
        format!("{:?}", format!("ab{MARK}").as_bytes()),
        "0x63346E347279".to_owned(),
        "YzRuNHJ5".to_owned(),
    ] {
        assert!(!found_in(&text).is_empty(), "{text}");
    }
    assert!(found_in("a canary").is_empty());
}

/// Leaks one canary in each kind of output.
#[tokio::test]
async fn leaks_are_found_in_every_kind_of_output() {
    /// A type without redaction.
    #[derive(Debug)]
    struct Leak(#[allow(dead_code)] String);

    let mut search = LeakSearch::new().await;
    let plant = Plant::new("a leak");
    search.search_debug("a type", &Leak(plant.ascii("unsent in a type")));

    // A secret that only the server knows, so that the client cannot redact it.
    let unknown = plant.ascii("unsent in a failure");
    let builder = Client::builder()
        .base_url(&search.server.base_url)
        .token("x");
    let builder = builder.retry(Retry::off()).pacing(Pacing::off());
    let client = builder.build().unwrap();
    let body = serde_json::json!({ "message": unknown, "details": [unknown] }).to_string();
    search.server.answer(replies::reply(
        "400 Bad Request",
        "application/json",
        &[],
        &body,
    ));
    let error = client.services().list().await.unwrap_err();
    search.search_error("an error", &error);

    // A field that the spec does not mark as secret.
    let call = client
        .projects()
        .create(NewProject::new(plant.wide("unsent name")));
    search.search_preview("a preview", &call.preview().unwrap());

    tracing::info!(token = plant.ascii("unsent in a trace"), "a trace");
    log::info!("a line with {}", plant.ascii("unsent in a log line"));
    search.search_log();

    let found: Vec<_> = search.findings.examples.keys().collect();
    for (place, kinds) in [
        ("a leak: unsent in a type", &["a type"][..]),
        (
            "a leak: unsent in a failure",
            &[
                "an error (Debug)",
                "an error (Display)",
                "an error (message)",
                "an error (body)",
                "an error (details)",
            ],
        ),
        (
            "a leak: unsent name",
            &[
                "a preview (Debug)",
                "a preview (Display)",
                "a preview (curl)",
                "a preview (JSON)",
            ],
        ),
        ("a leak: unsent in a trace", &["log"]),
        ("a leak: unsent in a log line", &["log"]),
    ] {
        for kind in kinds {
            let key = (place.to_owned(), (*kind).to_owned());
            assert!(found.contains(&&key), "{place} in {kind}: {found:#?}");
        }
    }
}
