//! A client in front of servers that really fail.
//!
//! `cells` is a table of faults and kinds of operation, with a server that does every fault on a
//! socket and a runner that holds each cell against what the server counted; `cargo test --test faults
//! -- --nocapture` prints it. `behaviour` has what takes more than one call or an option, and `cancel` what
//! is left of calls that are dropped.
//!
//! Where the rows of a careful client's behaviour are tested:
//!
//! | heading | rows | where |
//! |---|---|---|
//! | Transport | slash at the end, base path, user agent | `tests/calls.rs` |
//! | | plain http away from this machine | beside the code: `transport/http_client.rs` |
//! | | redirects | `cells::table::redirect`, `tests/calls.rs` |
//! | | proxies, certificates | `tests/connections.rs` |
//! | | a copied client, connections that are kept | `behaviour::transport` |
//! | Auth | environment, prefix given twice | `tests/connections.rs`; beside the code: `client.rs` of each platform, `transport/credentials` |
//! | | renewal | `tests/credentials.rs` |
//! | | no token in a URL but Nexlayer's session | `behaviour::transport`, `tests/requests` |
//! | Retry | which failure of which operation, every hint | `cells::table::status`, `connection`, `hints` |
//! | | an identical request | every cell |
//! | | none at all, caps, budget, deadline, the caller's word | `behaviour::retry` |
//! | Time | attempt and call, streams, silence | `behaviour::time`, `cells::table::stream` |
//! | | dropped calls | `cancel`, `tests/rate_limits.rs`, `tests/credentials.rs` |
//! | Decode | enums, fields, lists, objects, numbers in other forms | `tests/replies` |
//! | | times in other forms | beside the code: `time.rs` |
//! | | nothing, HTML, text, cut off, a mark of the byte order, too large | `cells::table::reply`, `tests/calls.rs` |
//! | Errors | every known shape | `tests/replies`; beside the code: `classify.rs` (Edgegap, Nodion), `failures.rs` (dployr, Nexlayer) |
//! | | the status, one bounded line, no secret | every cell |
//! | | a 401 without a word, a 404 with a page | `cells::table::status` |
//! | | the size of an error | beside the code: `error.rs` |
//! | Paths | refused ids | `tests/requests`, `tests/invalid_requests.rs` |
//! | | unusual ids and names | `tests/requests`, `tests/properties` |
//! | Pages | empty with more to come, repeated, caps, limits, a failure on the second | `tests/pages` |
//! | Wait | ready, failed, unknown, passing failures, vanished, deadline, hints, the number of looks | `tests/wait` |
//! | Logs | arrays, lines, blanks, garbage, letters cut in two | beside the code: `dployr/logs`, `cells::table::stream`, `tests/logs` |
//! | | connecting again without a repeat | `tests/logs`, beside the code: `logs/dedupe.rs` |
//! | | a server without logs | beside the code: `dployr/failures.rs`, `cells::table::status` (501) |
//! | Webhooks | unknown events, missing fields, a wrong secret, no UTF-8 | `tests/webhooks` |

mod behaviour;
mod cancel;
mod cells;
#[path = "../support/mod.rs"]
mod support;

#[test]
fn every_fault_is_handled_as_the_table_says() {
    let faults = cells::table::faults();
    let cells: usize = faults.iter().map(|fault| fault.cells.len()).sum();
    assert!(cells >= 851, "{cells} cells");
    assert!(cells::run::print_all(&faults), "see the lines above");
}
