//! Polls on platforms that lack an endpoint for one deployment or for the status of a service.

use crate::script::{dployr, query_number};
use deploykit::ErrorKind;
use deploykit::testing::{CannedReply, Recorder};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_nodion_deployment_is_found_by_id_in_the_list() {
    let recorder = Recorder::new();
    for word in ["waiting", "failed"] {
        let newest = json!({ "id": "newest", "status": "available", "deploy_number": 9 });
        let mine = json!({ "id": "mine", "status": word, "deploy_number": 8 });
        let body = json!({ "deployments": [newest, mine] }).to_string();
        recorder.reply("nodion list_deployments", CannedReply::json(200, body));
    }
    let client = recorder.nodion().unwrap();
    let wait = client.application("app").deployment("mine").wait();
    let error = wait.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WaitFailed);
    assert_eq!(error.raw_status(), Some("failed"));
}

#[tokio::test(start_paused = true)]
async fn a_dployr_deployment_is_found_on_a_later_page() {
    let recorder = Recorder::new();
    let requested = Arc::new(Mutex::new(Vec::new()));
    let pages = requested.clone();
    recorder.answer_with(move |request| {
        let page = query_number(request, "page").unwrap();
        let mut pages = pages.lock().unwrap();
        pages.push(page);
        let word = if pages.len() < 3 { "running" } else { "success" };
        let id = if page == 2 { "mine" } else { "other" };
        let body = json!({ "success": true, "data": {
            "items": [{ "id": id, "name": "web", "status": word }],
            "pagination": { "page": page, "pageSize": 100, "totalItems": 2, "totalPages": 2, "hasNextPage": page < 2 },
        } });
        CannedReply::json(200, body.to_string())
    });
    let wait = dployr(&recorder).deployment("mine").wait().jitter(false);
    assert_eq!(wait.await.unwrap().status.unwrap().as_str(), "success");
    assert_eq!(*requested.lock().unwrap(), [1, 2, 1, 2]);
}

/// Shortly after the service was created.
const EARLY: &str = "Thu, 01 Jan 1970 00:00:10 GMT";

/// A control plane: no status of a service, a record of one from time 5 to `iced`, and these events.
fn control_plane(date: &'static str, iced: Option<u64>, events: Option<Value>) -> Recorder {
    let recorder = Recorder::new();
    recorder.answer_with(move |request| {
        let data = match (request.operation, &events) {
            (Some("get_service"), _) => json!({ "service": {
                "id": "s", "name": "web", "clusterId": "c-1", "createdAt": 5, "icedAt": iced,
            } }),
            (Some("list_events"), Some(events)) => json!({
                "items": events, "pagination": { "page": 1, "hasNextPage": false },
            }),
            _ => {
                let missing = CannedReply::new(404, "404 Not Found");
                return missing.header("content-type", "text/plain");
            }
        };
        let body = json!({ "success": true, "data": data });
        CannedReply::json(200, body.to_string()).header("date", date)
    });
    recorder
}

#[tokio::test(start_paused = true)]
async fn the_newest_stop_or_start_of_a_dployr_service_shows_whether_it_sleeps() {
    let event = |kind: &str, target: &str, at: u64| json!({ "id": "e", "type": kind, "timestamp": at, "targets": [{ "id": target, "name": target }] });
    let stopped = event("service.stopped", "web", 9);
    let started = event("service.started", "web", 9);
    for (iced, events, sleeps) in [
        (None, json!([]), false),
        (Some(7), json!([]), true),
        (Some(7), json!([started]), false),
        (Some(9), json!([started]), true),
        (None, json!([stopped]), true),
        (None, json!([started, stopped]), false),
        (None, json!([stopped, started]), true),
        (
            None,
            json!([event("service.updated", "web", 9), stopped]),
            true,
        ),
        (None, json!([event("service.stopped", "web-two", 9)]), false),
        // Of an earlier service with the name.
        (None, json!([event("service.stopped", "web", 4)]), false),
    ] {
        let recorder = control_plane(EARLY, iced, Some(events.clone()));
        let wait = || {
            dployr(&recorder)
                .service("s")
                .wait()
                .deadline(Duration::from_secs(60))
        };
        let (awake, gone) = (wait().await, wait().until_gone().await);
        let found = (
            awake.map(|one| one.status),
            gone.map(|one| one.unwrap().status),
        );
        match (sleeps, found) {
            (true, (Err(error), Ok(status))) | (false, (Ok(status), Err(error))) => {
                assert_eq!(error.kind(), ErrorKind::WaitTimedOut, "{events}");
                let expected = if sleeps { "sleeping" } else { "awake" };
                assert_eq!(status.as_str(), expected, "{events}");
            }
            (_, found) => panic!("{events}: {found:?}"),
        }
        let requests = recorder.requests();
        let requested = |id| {
            requests
                .iter()
                .filter(|one| one.operation == Some(id))
                .count()
        };
        assert_eq!(requested("get_service_status"), 2, "once in each wait");
        let events = requests
            .iter()
            .find(|one| one.operation == Some("list_events"));
        let query = &events.unwrap().query;
        for (key, value) in [("clusterId", "c-1"), ("search", "web")] {
            assert!(
                query.contains(&(key.to_owned(), value.to_owned())),
                "{query:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_read_shows_neither_a_stop_nor_a_start() {
    let of = |fields: Value| {
        let mut event = json!({ "id": "e", "type": "service.stopped", "timestamp": 9, "targets": [{ "id": "web" }] });
        let (event_fields, fields) = (event.as_object_mut().unwrap(), fields);
        event_fields.extend(fields.as_object().unwrap().clone());
        event
    };
    let started = of(json!({ "type": "service.started" }));
    for unclear in [
        json!(null),
        of(json!({ "type": [] })),
        of(json!({ "timestamp": [] })),
        of(json!({ "targets": 7 })),
        of(json!({ "targets": [null, { "id": "other" }] })),
    ] {
        let recorder = control_plane(EARLY, None, Some(json!([unclear, started])));
        let service = dployr(&recorder).service("s");
        let wait = || service.wait().deadline(Duration::from_secs(60));
        assert!(wait().await.is_err(), "{unclear}");
        assert!(wait().until_gone().await.is_err(), "{unclear}");
    }
}

/// The server keeps events for 30 days.
#[tokio::test(start_paused = true)]
async fn without_an_event_only_a_young_service_is_known_to_be_awake() {
    let started = json!({ "id": "e", "type": "service.started", "timestamp": 9, "targets": [{ "id": "web" }] });
    let (before, after) = (
        "Sat, 31 Jan 1970 00:00:04 GMT",
        "Sat, 31 Jan 1970 00:00:05 GMT",
    );
    for (date, iced, events, expected) in [
        (before, None, json!([]), Some("awake")),
        (after, None, json!([]), None),
        (after, Some(7), json!([]), Some("sleeping")),
        (after, None, json!([started]), Some("awake")),
    ] {
        let recorder = control_plane(date, iced, Some(events));
        let service = dployr(&recorder).service("s");
        let wait = || service.wait().deadline(Duration::from_secs(60));
        let (awake, gone) = (wait().await, wait().until_gone().await);
        let found = match expected {
            Some("awake") => Some(awake.unwrap().status),
            Some(_) => Some(gone.unwrap().unwrap().status),
            None => {
                for error in [awake.unwrap_err(), gone.unwrap_err()] {
                    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
                    let advice = "call start() before wait(), or stop() before wait().until_gone()";
                    assert!(error.to_string().contains(advice), "{error}");
                }
                None
            }
        };
        let found = found.as_ref().map(|status| status.as_str());
        assert_eq!(found, expected, "{date}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_without_status_and_events_does_not_show_whether_a_service_sleeps() {
    let recorder = control_plane(EARLY, None, None);
    let service = dployr(&recorder).service("s");
    let error = service.wait().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let error = service.wait().until_gone().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}
