//! Reports responses that differ from the spec and were decoded nevertheless.
//!
//! Decoding only counts the differences: unknown enum values, values of another type, and values that are left
//! out. If there are any, the response is decoded again, and fails at one of them: the error has its JSON path.
//! An operation without new differences is searched seldom.
//! Counts are kept per thread, because decoding is synchronous.

use crate::operation::Operation;
use crate::secret::with_local;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// Limit on the differences that are reported in a process.
const MAX_REPORTED: usize = 1000;
/// How often a response is decoded again. Of more differences, a random part is looked at.
const MAX_SEARCHES: usize = 8;
/// After this many responses of an operation without a new difference, one in this many is searched.
const MAX_FRUITLESS: u64 = 64;

struct Reported {
    differences: BTreeSet<String>,
    /// By platform and operation: the number of responses with differences since the last new one.
    fruitless: BTreeMap<[&'static str; 2], u64>,
}

thread_local! {
    /// Number of differences so far, and the number of that at which decoding fails: 0 for none.
    static COUNT: Cell<(usize, usize)> = const { Cell::new((0, 0)) };
}

/// Counts a difference. Returns whether decoding must fail, here and wherever the error gets.
pub(crate) fn note() -> bool {
    let (count, wanted) = COUNT.get();
    COUNT.set((count + 1, wanted));
    is_searching() && count + 1 >= wanted
}

/// Whether decoding fails at a difference. Its path must show neither keys of maps, which may be secrets, nor
/// indexes.
pub(crate) fn is_searching() -> bool {
    COUNT.get().1 > 0
}

/// Decodes a response of an operation, and reports each difference once per process.
pub(crate) fn reported<T>(
    operation: Option<&Operation>,
    decode: impl Fn() -> serde_json::Result<T>,
) -> serde_json::Result<T> {
    COUNT.set((0, 0));
    let decoded = decode();
    if let (1.., Ok(_), Some(operation)) = (COUNT.get().0, &decoded, operation) {
        report(operation, &|| decode().err());
    }
    decoded
}

#[cold]
fn report(operation: &Operation, decode: &dyn Fn() -> Option<serde_json::Error>) {
    static REPORTED: Mutex<Reported> = Mutex::new(Reported {
        differences: BTreeSet::new(),
        fruitless: BTreeMap::new(),
    });
    if !tracing::event_enabled!(target: "deploykit::drift", tracing::Level::WARN) {
        return;
    }
    let (api, id) = (operation.api, operation.id);
    let lock = || REPORTED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut reported = lock();
    let count = reported.fruitless.entry([api, id]).or_default();
    *count += 1;
    let count = *count;
    let is_rare = count > MAX_FRUITLESS && !count.is_multiple_of(MAX_FRUITLESS);
    if is_rare || reported.differences.len() >= MAX_REPORTED {
        return;
    }
    drop(reported);
    let total = COUNT.get().0;
    let first = fastrand::usize(..total);
    for number in first..first + total.min(MAX_SEARCHES) {
        let error = with_local(&COUNT, (0, number % total + 1), decode);
        // None if a value was decoded in two ways, and counted each time.
        let Some(error) = error else { continue };
        let difference = format!("{api} {id} {error}");
        let mut reported = lock();
        let seen = &mut reported.differences;
        if seen.len() < MAX_REPORTED && seen.insert(difference) {
            reported.fruitless.remove(&[api, id]);
            drop(reported);
            tracing::warn!(target: "deploykit::drift", { deploykit.platform = api, deploykit.operation = id }, "{error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::OPERATIONS;

    /// Otherwise, webhooks that are decoded on this thread would fail at each difference.
    #[test]
    fn a_panic_during_a_search_ends_it() {
        let _log = tracing::subscriber::set_default(tracing_subscriber::registry());
        let decode = || match note() {
            true => panic!("boom"),
            false => Ok(()),
        };
        let caught = std::panic::catch_unwind(|| reported(OPERATIONS.first(), decode));
        assert!(caught.is_err());
        assert!(!is_searching());
    }
}
