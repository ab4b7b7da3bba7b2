//! Calls every operation with a canary in every secret place, and searches all output of the library for
//! canaries: `Debug`, errors, previews, logs.
//!
//! The calls are the rows of `tests/support/operations`.
//!
//! | module | content |
//! |---|---|
//! | `canaries` | creates and finds canaries |
//! | `server` | the stub server with a replaceable answer |
//! | `replies` | replies that repeat the request |
//! | `spec_replies` | successful replies with canaries in their secret fields, from the specs |
//! | `search` | sends a call and searches all output |
//! | `credentials`, `values` | secrets that are not part of an operation |
//! | `white_space` | secrets whose white space the platform changed |
//! | `log_capture` | records the log output of all crates |
//! | `leak_detection` | checks that the search finds leaks |

mod canaries;
mod credentials;
mod leak_detection;
mod log_capture;
#[path = "../support/operations/mod.rs"]
mod operations;
mod replies;
mod search;
mod server;
mod spec_replies;
#[path = "../support/mod.rs"]
mod support;
mod values;
mod white_space;

use search::LeakSearch;

/// Searches the output of all operations of a platform.
async fn search_operations(api: &str) {
    let mut search = LeakSearch::new().await;
    for row in operations::rows() {
        if row.operation.api == api {
            search.search_operation(&row).await;
        }
    }
    search.assert_clean();
}

#[tokio::test]
async fn dployr_calls_print_no_secret() {
    search_operations("dployr").await;
}

#[tokio::test]
async fn edgegap_calls_print_no_secret() {
    search_operations("edgegap").await;
}

#[tokio::test]
async fn nexlayer_calls_print_no_secret() {
    search_operations("nexlayer").await;
}

#[tokio::test]
async fn nodion_calls_print_no_secret() {
    search_operations("nodion").await;
}

#[tokio::test]
async fn credentials_are_never_printed() {
    let mut search = LeakSearch::new().await;
    credentials::search(&mut search).await;
    let crates = log_capture::lines_per_crate();
    for name in ["deploykit", "hyper_util"] {
        assert!(crates.contains_key(name), "{name} logged nothing");
    }
    search.assert_clean();
}

#[tokio::test]
async fn secret_values_are_never_printed() {
    let mut search = LeakSearch::new().await;
    values::search(&mut search).await;
    search.assert_clean();
}
