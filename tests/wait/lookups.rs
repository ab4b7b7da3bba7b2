//! Polls on platforms that lack an endpoint for one deployment or for the status of a service.

use crate::script::{dployr, query_number};
use deploykit::ErrorKind;
use deploykit::testing::{CannedReply, Recorder};
use serde_json::json;
use std::sync::{Arc, Mutex};

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

#[tokio::test(start_paused = true)]
async fn a_dployr_service_without_a_status_endpoint_is_polled_by_its_record() {
    let recorder = Recorder::new();
    let requested = Arc::new(Mutex::new(Vec::new()));
    let kept = requested.clone();
    recorder.answer_with(move |request| {
        let mut requested = kept.lock().unwrap();
        requested.push(request.operation.unwrap_or_default());
        if request.operation == Some("get_service_status") {
            return CannedReply::new(404, "404 Not Found").header("content-type", "text/plain");
        }
        let iced = (requested.len() >= 4).then_some(1_795_487_067_098_u64);
        let service = json!({ "id": "s", "name": "web", "icedAt": iced });
        let body = json!({ "success": true, "data": { "service": service } });
        CannedReply::json(200, body.to_string())
    });
    let service = dployr(&recorder).service("s");
    let left = service.wait().until_gone().await.unwrap().unwrap();
    assert_eq!(left.status.as_str(), "sleeping");
    let expected = [
        "get_service_status",
        "get_service",
        "get_service",
        "get_service",
    ];
    assert_eq!(*requested.lock().unwrap(), expected);
    requested.lock().unwrap().clear();
    assert_eq!(service.wait().await.unwrap().status.as_str(), "awake");
}
