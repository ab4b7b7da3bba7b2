//! Options of a call, applied to every page.

use crate::{
    answering, client, ids, ids_of, page, page_of, pages_of_two, platform_with, requested_pages,
    rest,
};
use deploykit::edgegap::{Client, DeploymentSummary};
use deploykit::testing::CannedReply;
use deploykit::{Effect, ErrorKind, Retry};
use futures_core::Stream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

#[tokio::test]
async fn headers_and_query_parameters_apply_to_every_page() {
    let recorder = platform_with(5);
    let list = pages_of_two(&recorder)
        .header("x-trace", "abc")
        .query("deep", "1");
    assert_eq!(list.all().await.unwrap().len(), 5);
    let requests = recorder.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        let text = request.to_string();
        assert!(text.contains("? deep = <redacted>\n"), "{text}");
        assert!(text.contains("x-trace: <redacted>"), "{text}");
        assert!(text.contains("? limit = 2\n"), "{text}");
    }
}

/// Answers the request for page 2 with a 503 this many times.
fn failing_second_page(times: usize, header: Option<&'static str>) -> deploykit::testing::Recorder {
    let failed = AtomicUsize::new(0);
    answering(move |request| {
        let at = page_of(request);
        if at == 2 && failed.fetch_add(1, Ordering::Relaxed) < times {
            let reply = CannedReply::json(503, "{}");
            return match header {
                Some(wait) => reply.header("retry-after", wait),
                None => reply,
            };
        }
        page(&ids([at]), at, at < 3, 3)
    })
}

#[tokio::test(start_paused = true)]
async fn retries_and_deadlines_apply_to_every_page() {
    // A client with a recorder does not retry by default.
    let recorder = failing_second_page(1, None);
    assert_eq!(
        rest(&mut pages_of_two(&recorder).stream()).await.0,
        ids([1])
    );
    let recorder = failing_second_page(2, Some("7"));
    let started = Instant::now();
    let all = pages_of_two(&recorder).retry(Retry::default()).all().await;
    assert_eq!(ids_of(all), ids([1, 2, 3]));
    assert_eq!(requested_pages(&recorder), [0, 2, 2, 2, 3]);
    assert!(started.elapsed() >= Duration::from_secs(14));
    // `Retry-After` is longer than the deadline.
    let recorder = failing_second_page(2, Some("7"));
    let list = pages_of_two(&recorder).retry(Retry::default());
    let error = list
        .deadline(Duration::from_secs(3))
        .all()
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind(), error.retry_after(), error.attempts()),
        (ErrorKind::Unavailable, Some(Duration::from_secs(7)), 1)
    );
    assert_eq!(requested_pages(&recorder), [0, 2]);
    // The deadline applies to each page.
    let recorder = failing_second_page(1, Some("7"));
    let list = pages_of_two(&recorder).retry(Retry::default());
    let all = list.deadline(Duration::from_secs(8)).all().await;
    assert_eq!(ids_of(all), ids([1, 2, 3]));
}

#[tokio::test(start_paused = true)]
async fn next_is_cancel_safe() {
    let recorder = failing_second_page(1, Some("7"));
    let mut stream = pages_of_two(&recorder).retry(Retry::default()).stream();
    stream.next().await.unwrap().unwrap();
    for _ in 0..3 {
        let cut = tokio::time::timeout(Duration::from_secs(2), stream.next()).await;
        assert!(cut.is_err());
    }
    assert_eq!(rest(&mut stream).await.0, ids([2, 3]));
    assert_eq!(
        requested_pages(&recorder),
        [0, 2, 2, 3],
        "one request at a time"
    );
}

#[tokio::test]
async fn the_observer_sees_every_page() {
    let observed = Arc::new(Mutex::new(Vec::new()));
    let calls = observed.clone();
    let builder = Client::builder()
        .token("token-1234")
        .recorder(&platform_with(5));
    let builder = builder.observer(move |call| {
        let id = call.operation.map(|operation| operation.id);
        calls.lock().unwrap().push((id, call.status));
    });
    let list = builder.build().unwrap().deployments().page_size(2).list();
    assert_eq!(list.all().await.unwrap().len(), 5);
    let expected = (Some("list_deployments"), Some(200));
    assert_eq!(*observed.lock().unwrap(), [expected; 3]);
}

#[tokio::test]
async fn an_invalid_request_fails_the_first_item_and_nothing_is_sent() {
    let recorder = platform_with(9);
    let deployments = || client(&recorder).deployments();
    for (list, expected) in [
        (deployments().list().header("cookie", "x"), "cookie"),
        (deployments().list().query("page", "3"), "with page()"),
        (deployments().page(0).list(), "page is zero"),
        (deployments().page_size(0).list(), "page size is zero"),
    ] {
        let mut stream = list.stream();
        let (none, error) = rest(&mut stream).await;
        let error = error.unwrap();
        assert!(none.is_empty());
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::InvalidRequest, Effect::None)
        );
        assert_eq!(error.operation().unwrap().id, "list_deployments");
        let text = error.to_string();
        assert!(text.contains(expected) && !text.contains("hush"), "{text}");
    }
    assert!(requested_pages(&recorder).is_empty());
}

#[test]
fn streams_are_send_and_unpin() {
    fn is_stream<
        T: Stream<Item = deploykit::Result<DeploymentSummary>> + Unpin + Send + 'static,
    >(
        _: T,
    ) {
    }
    fn is_send<T: Future + Send + 'static>(_: T) {}
    let recorder = platform_with(3);
    is_stream(pages_of_two(&recorder).stream());
    is_send(pages_of_two(&recorder).all());
}
