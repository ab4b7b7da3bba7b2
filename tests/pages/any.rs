//! Any list, any place to stop, any server.

use crate::{answering, asked, ids, page, rest, twos, with};
use deploykit::testing::CannedReply;
use deploykit::{ErrorKind, PageCursor};
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// However often a stream is left and taken up again, each record comes once, in order.
    #[test]
    fn a_list_in_parts_is_the_whole_list(total in 0..40_usize, size in 1..9_u32, parts in vec(0..12_usize, 0..5)) {
        let read = block_on(async {
            let recorder = with(total);
            let list = || crate::client(&recorder).deployments().page_size(size).list();
            let mut cursor = list().stream().cursor();
            let mut read = Vec::new();
            for part in parts {
                let mut stream = list().stream_from(&cursor).unwrap().limit(part);
                let (some, error) = rest(&mut stream).await;
                assert!(some.len() <= part && error.is_none(), "{error:?}");
                read.extend(some);
                let text = serde_json::to_string(&stream.cursor()).unwrap();
                cursor = serde_json::from_str::<PageCursor>(&text).unwrap();
            }
            let mut stream = list().stream_from(&cursor).unwrap();
            let (some, error) = rest(&mut stream).await;
            assert!(error.is_none(), "{error:?}");
            read.extend(some);
            read
        });
        prop_assert_eq!(read, ids(0..total));
    }

    /// Whatever a server answers, its list comes to an end, in an end or in an error.
    #[test]
    fn no_server_keeps_a_stream_for_ever(
        replies in vec((vec(0..4_usize, 0..4), 0..5_usize, any::<bool>(), 0..10_u8), 1..8),
    ) {
        block_on(async {
            let sent = AtomicUsize::new(0);
            let recorder = answering(move |_| {
                let index = sent.fetch_add(1, Ordering::Relaxed);
                let (records, off, more, kind) = &replies[index % replies.len()];
                // As a rule the right page.
                let at = if *off == 0 { index } else { index + 1 };
                match kind {
                    0 => CannedReply::json(500, "{}"),
                    1 => CannedReply::json(200, r#"{"data":7}"#),
                    _ => page(&ids(records.iter().copied()), at, *more, 9),
                }
            });
            let mut stream = twos(&recorder).stream().max_pages(30);
            let (_, error) = rest(&mut stream).await;
            let requests = asked(&recorder).len();
            assert!(requests <= 30);
            if let Some(error) = error {
                let known = [ErrorKind::Pagination, ErrorKind::Server, ErrorKind::Decode];
                assert!(known.contains(&error.kind()), "{error}");
                assert_eq!(stream.cursor().page() as usize, requests.min(30) + usize::from(error.to_string().contains("30 are the most")));
            }
        });
    }
}
