//! From page to page, and to an end.

use crate::{answering, asked, client, ids, names, number, page, rest, twos, with};
use deploykit::testing::CannedReply;
use deploykit::{Effect, Error, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};

#[track_caller]
fn leads_nowhere(error: &Error, words: &str) {
    assert_eq!(
        (error.kind(), error.effect(), error.is_retryable()),
        (ErrorKind::Pagination, Effect::None, false),
        "{error}"
    );
    assert_eq!(error.operation().unwrap().id, "list_deployments");
    assert!(error.to_string().contains(words), "{error}");
}

#[tokio::test]
async fn a_page_is_asked_for_when_its_first_record_is_wanted() {
    let recorder = with(5);
    let mut stream = twos(&recorder).stream();
    assert!(asked(&recorder).is_empty());
    let mut seen = Vec::new();
    for (index, requests) in [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3)] {
        seen.push(stream.next().await.unwrap().unwrap().request_id);
        assert_eq!(asked(&recorder).len(), requests, "at record {index}");
    }
    assert_eq!(seen, ids(0..5));
    assert!(stream.next().await.is_none());
    assert!(stream.next().await.is_none());
    assert_eq!(asked(&recorder), [0, 2, 3], "the last page said so");
}

#[tokio::test]
async fn all_of_it_in_the_largest_pages() {
    let recorder = with(250);
    let list = || client(&recorder).deployments().list();
    assert_eq!(names(list().all().await), ids(0..250));
    assert_eq!(asked(&recorder), [0, 2, 3]);
    let sizes = recorder.requests();
    assert!(sizes.iter().all(|one| number(one, "limit") == Some(100)));
    // By itself a page has the size that the platform has for it.
    assert_eq!(list().await.unwrap().items.len(), 10);
    assert_eq!(number(&recorder.requests()[3], "limit"), None);
}

#[tokio::test]
async fn no_page_behind_the_limit_is_asked_for() {
    for (limit, requests) in [(0, 0), (1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (9, 3)] {
        let recorder = with(5);
        let all = twos(&recorder).all().limit(limit).await;
        assert_eq!(names(all), ids(0..limit.min(5)));
        assert_eq!(asked(&recorder).len(), requests, "limit {limit}");
        let recorder = with(5);
        let mut stream = twos(&recorder).stream().limit(limit);
        assert_eq!(rest(&mut stream).await.0.len(), limit.min(5));
        assert_eq!(asked(&recorder).len(), requests, "limit {limit}");
    }
}

#[tokio::test]
async fn a_stream_may_begin_behind_the_first_page() {
    let recorder = with(7);
    let list = client(&recorder).deployments().page_size(2).page(3).list();
    assert_eq!(names(list.all().await), ids(4..7));
    assert_eq!(asked(&recorder), [3, 4]);
    // Past the end there is nothing, and that is no failure.
    let list = client(&recorder).deployments().page_size(2).page(9).list();
    assert_eq!(names(list.all().await), ids([]));
}

#[tokio::test]
async fn an_error_comes_after_what_came_before_it_and_ends_the_stream() {
    let recorder = answering(|request| match number(request, "page") {
        None => page(&ids(0..2), 1, true, 4),
        Some(_) => CannedReply::json(500, r#"{"message":"down"}"#),
    });
    let mut stream = twos(&recorder).stream();
    let (seen, error) = rest(&mut stream).await;
    let error = error.unwrap();
    assert_eq!(seen, ids(0..2));
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Server, Some(500))
    );
    assert_eq!(asked(&recorder), [0, 2]);

    let error = twos(&recorder).all().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Server);
    assert!(
        error.to_string().ends_with("500 down (after 2 records)"),
        "{error}"
    );
    assert_eq!(error.message(), Some("down"), "the platform's words alone");
}

#[tokio::test]
async fn an_empty_page_is_not_the_last_one() {
    let recorder = answering(|request| match number(request, "page").unwrap_or(1) {
        at @ (1 | 100 | 199) => page(&ids([at]), at, at < 199, 3),
        at => page(&[], at, true, 3),
    });
    // 98 pages without a record in a row, twice.
    assert_eq!(names(twos(&recorder).all().await), ids([1, 100, 199]));
    assert_eq!(asked(&recorder).len(), 199);
}

#[tokio::test]
async fn pages_without_a_record_come_to_an_end() {
    let recorder = answering(|request| {
        let at = number(request, "page").unwrap_or(1);
        page(&ids((at == 1).then_some(0)), at, true, 3)
    });
    let (seen, error) = rest(&mut twos(&recorder).stream()).await;
    assert_eq!(seen, ids([0]));
    leads_nowhere(&error.unwrap(), "100 pages in a row were empty");
    assert_eq!(asked(&recorder).len(), 101);
}

#[tokio::test]
async fn another_page_than_the_one_that_was_asked_for_is_an_error() {
    // Whatever is asked for, the first one comes.
    let recorder = answering(|_| page(&ids(0..2), 1, true, 9));
    let (seen, error) = rest(&mut twos(&recorder).stream()).await;
    assert_eq!(seen, ids(0..2));
    leads_nowhere(&error.unwrap(), "page 2 was requested, but page 1 arrived");
    assert_eq!(asked(&recorder), [0, 2]);
    let error = client(&recorder).deployments().page(7).list().all().await;
    leads_nowhere(
        &error.unwrap_err(),
        "page 7 was requested, but page 1 arrived",
    );
    // By itself it is what it says.
    let page = client(&recorder).deployments().page(7).list().await;
    assert_eq!(page.unwrap().page, 1);
}

#[tokio::test]
async fn the_same_page_again_is_an_error() {
    let recorder = answering(|request| {
        let at = number(request, "page").unwrap_or(1);
        page(&ids(0..2), at, true, 9)
    });
    let (seen, error) = rest(&mut twos(&recorder).stream()).await;
    assert_eq!(seen, ids(0..2));
    leads_nowhere(
        &error.unwrap(),
        "page 2 has the same records as the page before it",
    );
    assert_eq!(asked(&recorder), [0, 2]);
}

#[tokio::test]
async fn a_list_that_grew_by_a_page_has_a_reason_to_repeat_one() {
    let recorder = answering(|request| match number(request, "page").unwrap_or(1) {
        1 => page(&ids(0..2), 1, true, 4),
        2 => page(&ids(0..2), 2, true, 6),
        at => page(&ids(2..4), at, false, 6),
    });
    let (seen, error) = rest(&mut twos(&recorder).stream()).await;
    assert!(error.is_none(), "{error:?}");
    assert_eq!(seen, ids([0, 1, 0, 1, 2, 3]));
}

#[tokio::test]
async fn a_server_that_always_says_more_comes_to_an_end() {
    let sent = AtomicUsize::new(0);
    let endless = answering(move |request| {
        let at = number(request, "page").unwrap_or(1);
        page(&ids([sent.fetch_add(1, Ordering::Relaxed)]), at, true, 9)
    });
    let all = twos(&endless).all().max_pages(3).await.unwrap_err();
    leads_nowhere(&all, "at most 3 are read (after 3 records)");
    assert_eq!(asked(&endless), [0, 2, 3]);
    let mut stream = twos(&endless).stream().max_pages(3);
    leads_nowhere(&rest(&mut stream).await.1.unwrap(), "at most 3 are read");
    let so_far = asked(&endless).len();
    let all = twos(&endless).all().await.unwrap_err();
    leads_nowhere(&all, "at most 10000 are read (after 10000 records)");
    assert_eq!(asked(&endless).len() - so_far, 10_000);
    let few = twos(&endless).all().limit(5).await.unwrap();
    assert_eq!(few.len(), 5, "who wants few never sees the end");
}

#[tokio::test]
async fn pages_come_whole_too() {
    let recorder = with(5);
    let mut pages = twos(&recorder).pages();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        assert_eq!(page.total_items, Some(5));
        sizes.push((page.page, page.items.len(), page.has_next));
    }
    assert_eq!(sizes, [(1, 2, true), (2, 2, true), (3, 1, false)]);
    assert!(pages.next().await.is_none());
    assert_eq!(asked(&recorder), [0, 2, 3]);
}
