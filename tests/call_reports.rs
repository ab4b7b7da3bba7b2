//! The observer of a client receives one report per call.

mod support;

use deploykit::{call::CallEnd, nodion};
use std::future::IntoFuture;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Script, Server};

#[tokio::test(start_paused = true)]
async fn observer_gets_one_report_per_call() {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let client = |base_url: &str| {
        let reports = reports.clone();
        let builder = nodion::Client::builder()
            .base_url(base_url)
            .token("token-1234");
        let builder = builder.observer(move |call| {
            let end = match &call.end {
                CallEnd::Failed(error) => format!("{:?}", error.kind()),
                other => format!("{other:?}"),
            };
            let id = call.operation.map(|operation| operation.id);
            reports
                .lock()
                .unwrap()
                .push((id, call.status, call.attempts, end));
        });
        builder.build().unwrap()
    };
    let deployments = |base_url: &str| client(base_url).application("a").deployments();
    let good = Server::replies("200 OK", &[], r#"{"deployments":[]}"#).await;
    let call = deployments(&good.base_url).list();
    call.with_response().await.unwrap();
    let undecodable = Server::replies("200 OK", &[], "7").await;
    let _ = deployments(&undecodable.base_url).list().await;
    let busy = Server::replies("503 Busy", &[], "").await;
    let _ = deployments(&busy.base_url).list().await;
    let invalid = client(&good.base_url).application("..");
    let _ = invalid.deployments().list().await;
    let silent = Server::start(Script::silence()).await;
    let call = deployments(&silent.base_url).list();
    let dropped = tokio::time::timeout(Duration::from_secs(1), call.into_future()).await;
    assert!(dropped.is_err());
    drop(deployments(&good.base_url).list());
    let _ = deployments(&good.base_url).list().preview();

    let list = Some("list_deployments");
    let expected = [
        (list, Some(200), 1, "Succeeded"),
        (list, Some(200), 1, "Decode"),
        (list, Some(503), 3, "Unavailable"),
        (list, None, 0, "InvalidRequest"),
        (list, None, 1, "Dropped"),
    ];
    let expected =
        expected.map(|(id, status, attempts, end)| (id, status, attempts, end.to_owned()));
    assert_eq!(*reports.lock().unwrap(), expected);
}
