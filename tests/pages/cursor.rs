//! A place in a list, for another process.

use crate::{answering, asked, client, ids, number, page, rest, twos, with};
use deploykit::edgegap::DeploymentSummary;
use deploykit::testing::CannedReply;
use deploykit::{Call, Effect, ErrorKind, Page, PageCursor, nexlayer, nodion};
use serde_json::{Value, json};

const NOTHING: &str = "cbf29ce484222325";

/// As another process reads it.
fn kept(cursor: &PageCursor) -> PageCursor {
    let text = serde_json::to_string(cursor).unwrap();
    assert!(text.len() < 160, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[tokio::test]
async fn a_stream_goes_on_in_another_process_wherever_it_was_left() {
    for seen in 0..=5 {
        let recorder = with(5);
        let mut stream = twos(&recorder).stream();
        for _ in 0..seen {
            stream.next().await.unwrap().unwrap();
        }
        let cursor = kept(&stream.cursor());
        drop(stream);
        let recorder = with(5);
        let mut stream = twos(&recorder).stream_from(&cursor).unwrap();
        assert_eq!(stream.cursor(), cursor, "before it asks");
        assert_eq!(rest(&mut stream).await.0, ids(seen..5), "after {seen}");
        let first = [1, 1, 2, 2, 3, 3][seen];
        assert_eq!(asked(&recorder), (first..=3).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_place_moves_with_the_records_that_are_read() {
    let recorder = with(5);
    let mut stream = twos(&recorder).stream();
    let mut places = vec![(stream.cursor().page(), stream.cursor().offset())];
    while stream.next().await.is_some() {
        places.push((stream.cursor().page(), stream.cursor().offset()));
    }
    // Behind the last record of a page comes the next one; behind the last of all stays what may
    // be added.
    assert_eq!(places, [(1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]);
    let cursor = kept(&stream.cursor());
    let mut stream = twos(&with(8)).stream_from(&cursor).unwrap();
    assert_eq!(rest(&mut stream).await.0, ids(5..8), "three were added");
    let mut stream = twos(&with(4)).stream_from(&cursor).unwrap();
    assert_eq!(rest(&mut stream).await.0, ids([]), "one was removed");
}

#[tokio::test]
async fn after_an_error_the_page_that_failed_is_asked_for_again() {
    let failing = answering(|request| match number(request, "page").unwrap_or(1) {
        2 => CannedReply::json(500, "{}"),
        at => page(&ids(0..2), at, true, 5),
    });
    let mut stream = twos(&failing).stream();
    assert_eq!(rest(&mut stream).await.0, ids(0..2));
    let cursor = kept(&stream.cursor());
    let recorder = with(5);
    let mut stream = twos(&recorder).stream_from(&cursor).unwrap();
    assert_eq!(rest(&mut stream).await.0, ids(2..5));
    assert_eq!(asked(&recorder), [2, 3]);
    // In the middle of a page: the offset is kept although the page never came.
    let mut value = json!(cursor);
    value["offset"] = json!(1);
    let middle: PageCursor = serde_json::from_value(value).unwrap();
    let mut stream = twos(&failing).stream_from(&middle).unwrap();
    assert!(rest(&mut stream).await.1.is_some());
    assert_eq!(stream.cursor(), middle);
}

#[tokio::test]
async fn a_cursor_is_refused_by_another_list() {
    let recorder = with(9);
    let client = client(&recorder);
    let list = || client.deployments().tagged("eu").page_size(2);
    let mut stream = list().list().stream();
    stream.next().await.unwrap().unwrap();
    let cursor = kept(&stream.cursor());
    let sent = asked(&recorder).len();
    let changed = |name: &str, to: Value| {
        let mut value = json!(cursor);
        value[name] = to;
        serde_json::from_value::<PageCursor>(value).unwrap()
    };
    let elsewhere = deploykit::edgegap::Client::builder()
        .base_url("https://other.example")
        .token("x")
        .recorder(&recorder);
    let elsewhere = elsewhere.build().unwrap().deployments();
    let cases: Vec<(Call<Page<DeploymentSummary>>, PageCursor, &str)> = vec![
        (
            client.deployments().page_size(2).list(),
            cursor.clone(),
            "another filter",
        ),
        (
            list().newest_first().list(),
            cursor.clone(),
            "another filter",
        ),
        (
            list().list().query("status", "x"),
            cursor.clone(),
            "another filter",
        ),
        (
            elsewhere.tagged("eu").list(),
            cursor.clone(),
            "at another address",
        ),
        (list().page_size(3).list(), cursor.clone(), "another size"),
        (
            list().list(),
            changed("v", json!(2)),
            "writes it differently",
        ),
        (list().list(), changed("page", json!(0)), "has no page"),
        (
            list().list(),
            changed("list", json!("edgegap.list_tags")),
            "another list",
        ),
        (
            list().list().header("cookie", "x"),
            cursor.clone(),
            "cookie",
        ),
    ];
    for (call, cursor, words) in cases {
        let error = call.stream_from(&cursor).unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::InvalidRequest, Effect::None)
        );
        assert!(error.to_string().contains(words), "{words}: {error}");
    }
    let error = client.applications().list().stream_from(&cursor);
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("one of another list")
    );
    assert_eq!(asked(&recorder).len(), sent, "nothing was sent");
    // What does not change the list does not matter; the size comes from the cursor if need be.
    let same = client.deployments().tagged("eu").list().header("x-a", "b");
    let mut stream = same.stream_from(&cursor).unwrap();
    assert_eq!(rest(&mut stream).await.0, ids(1..9));
    let last = recorder.requests().pop().unwrap();
    assert_eq!(number(&last, "limit"), Some(2));
}

#[test]
fn a_cursor_tells_nothing_that_is_hidden() {
    let token = "4f1c-hush-token";
    let recorder = with(1);
    let builder = nexlayer::Client::builder().recorder(&recorder);
    let client = builder.build().unwrap();
    let of = |token: &str| client.session(token).reservations().stream().cursor();
    let text = serde_json::to_string(&of(token)).unwrap();
    assert!(!text.contains("hush"), "{text}");
    assert_eq!(of(token), of("another-token"), "nor its hash");
    let query = |value: &str| twos(&recorder).query("word", value).stream().cursor();
    assert_eq!(query("hush"), query("other"));
    assert_ne!(query("hush"), twos(&recorder).stream().cursor());
}

#[test]
fn its_form_stays_the_same() {
    let builder = nodion::Client::builder().base_url("https://api.example");
    let nodion = builder.token("x").build().unwrap();
    let cursor = nodion.application("a-1").deployments().stream().cursor();
    let known = r#"{"v":1,"list":"nodion.list_deployments","filter":"FILTER","page":1,"offset":0,"size":null}"#;
    let filter = json!(cursor)["filter"].as_str().unwrap().to_owned();
    assert_ne!(filter, NOTHING);
    let text = serde_json::to_string(&cursor).unwrap();
    assert_eq!(text, known.replace("FILTER", &filter));
    let other = nodion.application("a-2").deployments();
    let error = other.stream_from(&cursor).unwrap_err();
    assert!(error.to_string().contains("another filter"), "{error}");
    for odd in [
        "{}",
        r#"{"v":1}"#,
        "7",
        r#"{"v":-1,"list":"","filter":"","page":1,"offset":0}"#,
    ] {
        assert!(serde_json::from_str::<PageCursor>(odd).is_err(), "{odd}");
    }
}
