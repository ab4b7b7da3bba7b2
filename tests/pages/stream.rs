//! Streams of records across pages: requests, limits, errors and endless lists.

use crate::{
    answering, client, ids, ids_of, json_reply, page, page_of, pages_of_two, platform_with,
    query_number, requested_pages, rest,
};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Effect, Error, ErrorKind};
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};

#[track_caller]
fn assert_pagination_error(error: &Error, words: &str) {
    assert_eq!(
        (error.kind(), error.effect(), error.is_retryable()),
        (ErrorKind::Pagination, Effect::None, false),
        "{error}"
    );
    assert_eq!(error.operation().unwrap().id, "list_deployments");
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn a_page_is_requested_when_its_first_record_is_polled() {
    let recorder = platform_with(5);
    let mut stream = pages_of_two(&recorder).stream();
    assert!(requested_pages(&recorder).is_empty());
    let mut seen = Vec::new();
    for (index, requests) in [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3)] {
        seen.push(stream.next().await.unwrap().unwrap().request_id.to_string());
        assert_eq!(
            requested_pages(&recorder).len(),
            requests,
            "at record {index}"
        );
    }
    assert_eq!(seen, ids(0..5));
    assert!(rest(&mut stream).await.0.is_empty());
    assert_eq!(
        requested_pages(&recorder),
        [0, 2, 3],
        "no page is requested after the last one"
    );
}

#[tokio::test]
async fn all_uses_the_largest_page_size() {
    let recorder = platform_with(250);
    let list = || client(&recorder).deployments().list();
    assert_eq!(ids_of(list().all().await), ids(0..250));
    assert_eq!(requested_pages(&recorder), [0, 2, 3]);
    let sizes = recorder.requests();
    assert!(
        sizes
            .iter()
            .all(|one| query_number(one, "limit") == Some(100))
    );
    // A single page has the platform's default size.
    assert_eq!(list().await.unwrap().items.len(), 10);
    assert_eq!(query_number(&recorder.requests()[3], "limit"), None);
}

#[tokio::test]
async fn no_page_beyond_the_limit_is_requested() {
    for (limit, requests) in [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (9, 3)] {
        let recorder = platform_with(5);
        let all = pages_of_two(&recorder)
            .stream()
            .limit(limit)
            .try_collect()
            .await;
        assert_eq!(ids_of(all), ids(0..limit.min(5)));
        assert_eq!(requested_pages(&recorder).len(), requests, "limit {limit}");
    }
}

#[tokio::test]
async fn a_stream_may_start_after_the_first_page() {
    let recorder = platform_with(7);
    let list = client(&recorder).deployments().page_size(2).page(3).list();
    assert_eq!(ids_of(list.all().await), ids(4..7));
    assert_eq!(requested_pages(&recorder), [3, 4]);
    // A page after the last one is empty.
    let list = client(&recorder).deployments().page_size(2).page(9).list();
    assert_eq!(ids_of(list.all().await), ids([]));
}

#[tokio::test]
async fn an_error_follows_the_records_before_it_and_ends_the_stream() {
    let recorder = answering(|request| match query_number(request, "page") {
        None => page(&ids(0..2), 1, true, 4),
        Some(_) => CannedReply::json(500, r#"{"message":"down"}"#),
    });
    let (seen, error) = rest(&mut pages_of_two(&recorder).stream()).await;
    assert_eq!(seen, ids(0..2));
    assert_eq!(error.unwrap().status(), Some(500));
    assert_eq!(requested_pages(&recorder), [0, 2]);

    let error = pages_of_two(&recorder).all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    let text = error.to_string();
    assert!(text.ends_with("500 down (after 2 records)"), "{text}");
    assert_eq!(error.message(), Some("down"), "only the platform's message");
}

#[tokio::test]
async fn an_empty_page_is_not_the_last_one() {
    let recorder = answering(|request| match page_of(request) {
        at @ (1 | 100 | 199) => page(&ids([at]), at, at < 199, 3),
        at => page(&[], at, true, 3),
    });
    // 98 empty pages in a row, twice.
    assert_eq!(
        ids_of(pages_of_two(&recorder).all().await),
        ids([1, 100, 199])
    );
    assert_eq!(requested_pages(&recorder).len(), 199);
}

#[tokio::test]
async fn a_list_that_does_not_end_is_an_error() {
    let empty_pages = answering(|request| {
        let at = page_of(request);
        page(&ids((at == 1).then_some(0)), at, true, 3)
    });
    let always_the_first = answering(|_| page(&ids(0..2), 1, true, 9));
    let same_records = answering(|request| page(&ids(0..2), page_of(request), true, 9));
    let growing = answering(|request| {
        let at = page_of(request);
        page(&ids(0..2), at, true, 2 * at)
    });
    let two_in_turn = answering(|request| {
        let at = page_of(request);
        page(&ids([(at + 1) % 2]), at, true, 9)
    });
    let cases: [(&Recorder, usize, usize, &str); 5] = [
        (&empty_pages, 1, 101, "100 pages in a row were empty"),
        (
            &always_the_first,
            2,
            2,
            "page 2 was requested, but page 1 arrived",
        ),
        (
            &same_records,
            2,
            2,
            "page 2 has the same records as an earlier page",
        ),
        (
            &growing,
            2,
            2,
            "page 2 has the same records as an earlier page",
        ),
        (
            &two_in_turn,
            2,
            3,
            "page 3 has the same records as an earlier page",
        ),
    ];
    for (recorder, records, requests, words) in cases {
        let (seen, error) = rest(&mut pages_of_two(recorder).stream()).await;
        assert_eq!(seen, ids(0..records));
        assert_pagination_error(&error.unwrap(), words);
        assert_eq!(requested_pages(recorder).len(), requests, "{words}");
    }
    let seventh = || client(&always_the_first).deployments().page(7).list();
    let error = seventh().all().await.unwrap_err();
    assert_pagination_error(&error, "page 7 was requested, but page 1 arrived");
    assert_eq!(
        seventh().await.unwrap().page,
        1,
        "a single page is not checked"
    );
}

/// Outside of a request, secrets cannot be serialized.
#[tokio::test]
async fn pages_of_records_with_secrets_are_compared_and_measured() {
    let versions = |token: fn(usize) -> String| {
        let recorder = answering(move |request| {
            let at = page_of(request);
            json_reply(json!({
                "versions": [{ "name": "1", "private_token": token(at) }],
                "total_count": 9,
                "pagination": { "number": at, "has_next": true },
            }))
        });
        client(&recorder)
            .application("app")
            .versions()
            .list()
            .stream()
    };
    let repeated = versions(|_| "hush".to_owned())
        .try_collect()
        .await
        .unwrap_err();
    assert_eq!(repeated.kind(), ErrorKind::Pagination, "{repeated}");
    assert!(
        repeated.to_string().contains("page 2 has the same records"),
        "{repeated}"
    );
    let long = versions(|at| format!("{at}-{}", "x".repeat(10_000)));
    let error = long.max_bytes(50_000).try_collect().await.unwrap_err();
    assert!(
        error.to_string().contains("the records exceed 50000 bytes"),
        "{error}"
    );
}

#[tokio::test]
async fn the_size_of_a_collected_list_is_limited() {
    let endless = answering(|request| {
        let at = page_of(request);
        page(&[format!("{at}-{}", "x".repeat(10_000))], at, true, 9)
    });
    let records = pages_of_two(&endless).stream().max_bytes(50_000);
    let error = records.try_collect().await.unwrap_err();
    // Four pages are smaller than the limit, and five are larger.
    let words = "the records exceed 50000 bytes (after 4 records)";
    assert_pagination_error(&error, words);
    assert_eq!(requested_pages(&endless).len(), 5);

    let records = pages_of_two(&endless).stream().max_bytes(50_000).limit(4);
    assert_eq!(records.try_collect().await.unwrap().len(), 4);
    let mut records = pages_of_two(&endless).stream().max_bytes(50_000);
    for _ in 0..10 {
        // A stream keeps only one page in memory.
        records.next().await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_number_of_pages_is_limited() {
    let sent = AtomicUsize::new(0);
    let endless = answering(move |request| {
        let id = ids([sent.fetch_add(1, Ordering::Relaxed)]);
        page(&id, page_of(request), true, 9)
    });
    let error = pages_of_two(&endless)
        .stream()
        .max_pages(3)
        .try_collect()
        .await
        .unwrap_err();
    assert_pagination_error(&error, "at most 3 are read (after 3 records)");
    assert_eq!(requested_pages(&endless), [0, 2, 3]);
    let so_far = requested_pages(&endless).len();
    let error = pages_of_two(&endless).all().await.unwrap_err();
    assert_pagination_error(&error, "at most 10000 are read (after 10000 records)");
    assert_eq!(requested_pages(&endless).len() - so_far, 10_000);
    let few = pages_of_two(&endless)
        .stream()
        .limit(5)
        .try_collect()
        .await
        .unwrap();
    assert_eq!(few.len(), 5, "the limit on records applies first");
}
