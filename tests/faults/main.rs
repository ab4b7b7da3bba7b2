//! Calls to servers that fail, over real sockets.
//!
//! - `table`: each fault with each kind of operation. A stub server performs the fault, and a runner checks
//!   the outcome of each cell and what the server received. `cargo test --test faults -- --nocapture`
//!   prints the table.
//! - `behaviour`: faults that need several calls or an option of the client.
//! - `deploy_once`: calls that deploy once, on the sandbox.
//! - `dropped_calls`: a dropped call leaves no task, request or lock.
//!
//! Where each behaviour is tested:
//!
//! | area | behaviour | test |
//! |---|---|---|
//! | Transport | trailing slash, base path, user agent | `tests/calls.rs` |
//! | | plain http is refused off loopback | unit tests in `transport/http_client.rs` |
//! | | redirects | `table::rows::redirect`, `tests/calls.rs` |
//! | | proxies, certificates | `tests/connections.rs` |
//! | | cloned clients, reused connections | `behaviour::connections` |
//! | Auth | environment, prefix given twice | `tests/connections.rs`; unit tests in `client.rs` of each platform and in `transport/credentials` |
//! | | renewal | `tests/credentials.rs` |
//! | | no token in a URL except Nexlayer's session | `behaviour::connections`, `tests/requests` |
//! | Retry | which failures are retried for which operations, forms of `Retry-After` | `table::rows::{status, connection, rate_limited}` |
//! | | a retry sends the same request | every cell |
//! | | refusals by HTTP/2 servers | `table::rows::http2`, `tests/connections.rs` |
//! | | retries off, limits, budget, deadline, `assume_idempotent` | `behaviour::retry` |
//! | Time | timeout of an attempt, deadline of a call, streams, silence | `behaviour::timeouts`, `table::rows::stream` |
//! | | dropped calls | `dropped_calls`, `tests/rate_limits.rs`, `tests/credentials.rs` |
//! | Decode | enums, fields, lists, objects, numbers as strings | `tests/replies` |
//! | | time formats | unit tests in `time.rs` |
//! | | empty, HTML, text, truncated, byte order mark, too large | `table::rows::response`, `tests/calls.rs` |
//! | Errors | every known error body | `tests/replies`; unit tests in `failures.rs` of each platform |
//! | | status, one bounded line, no secret | every cell, `tests/errors.rs` |
//! | | empty 401, 404 with an HTML page | `table::rows::status` |
//! | | size of an error | unit tests in `error` |
//! | Paths | refused ids | `tests/requests`, `tests/invalid_requests.rs` |
//! | | unusual ids and names | `tests/requests`, `tests/properties` |
//! | Pages | empty with a next page, repeated, caps, limits, failure on page 2 | `tests/pages` |
//! | Wait | ready, failed, unknown, transient failures, vanished, deadline, `Retry-After`, progress | `tests/wait` |
//! | Logs | arrays, lines, blanks, garbage, split UTF-8 | unit tests in `dployr/logs`; `table::rows::stream`, `tests/logs` |
//! | | reconnect without duplicates | `tests/logs`; unit tests in `logs/dedupe.rs` |
//! | | servers without logs | unit tests in `dployr/failures.rs`; `table::rows::status` (501) |
//! | Webhooks | unknown events, missing fields, wrong secret, invalid UTF-8 | `tests/webhooks` |

mod behaviour;
mod deploy_once;
mod dropped_calls;
#[path = "../support/http2.rs"]
mod http2;
#[path = "../support/mod.rs"]
mod support;
mod table;

#[test]
fn every_fault_has_the_outcome_in_the_table() {
    let faults = table::rows::faults();
    let cells: usize = faults.iter().map(|fault| fault.cells.len()).sum();
    assert!(cells >= 992, "{cells} cells");
    assert!(
        table::runner::print_all(&faults),
        "see the lines with WRONG above"
    );
}
