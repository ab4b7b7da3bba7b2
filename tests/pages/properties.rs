//! Properties of pagination, for generated lists and servers.

use crate::{answering, ids, ids_of, page, pages_of_two, platform_with, requested_pages, rest};
use deploykit::ErrorKind;
use deploykit::testing::CannedReply;
use proptest::collection::vec;
use proptest::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn the_pages_of_a_list_contain_all_records(total in 0..40_usize, size in 1..9_u32, limit in 0..50_usize) {
        let recorder = platform_with(total);
        let list = crate::client(&recorder).deployments().page_size(size).list();
        let read = ids_of(block_on(list.stream().limit(limit).try_collect()));
        prop_assert_eq!(read, ids(0..total.min(limit)));
    }

    #[test]
    fn every_stream_ends_for_any_replies(
        replies in vec((vec(0..4_usize, 0..4), 0..5_usize, any::<bool>(), 0..10_u8), 1..8),
    ) {
        block_on(async {
            let sent = AtomicUsize::new(0);
            let recorder = answering(move |_| {
                let index = sent.fetch_add(1, Ordering::Relaxed);
                let (records, off, more, kind) = &replies[index % replies.len()];
                // The page number in the reply: the requested one, or the one before it if `off` is 0.
                let at = if *off == 0 { index } else { index + 1 };
                match kind {
                    0 => CannedReply::json(500, "{}"),
                    1 => CannedReply::json(200, r#"{"data":7}"#),
                    _ => page(&ids(records.iter().copied()), at, *more, 9),
                }
            });
            let mut stream = pages_of_two(&recorder).stream().max_pages(30);
            let (_, error) = rest(&mut stream).await;
            assert!(requested_pages(&recorder).len() <= 30);
            if let Some(error) = error {
                let known = [ErrorKind::Pagination, ErrorKind::Server, ErrorKind::Decode];
                assert!(known.contains(&error.kind()), "{error}");
            }
        });
    }
}
