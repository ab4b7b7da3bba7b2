//! Snapshots of all requests, and calls that are refused before a request is sent.
//!
//! Snapshots are named `<platform>__<operation>` and `<platform>__<operation>@<variant>`. The calls are the
//! rows of `tests/support/operations`. The files per platform test invalid arguments.

mod dployr;
mod edgegap;
mod nexlayer;
mod nodion;
#[path = "../support/operations/mod.rs"]
mod operations;

use deploykit::{Call, ClientBuilder, Effect, Error, ErrorKind, Platform};
use operations::{Clients, Setup, rows};
use std::collections::BTreeSet;
use std::path::Path;

/// The value of every credential in these tests. No snapshot may contain it.
pub const CANARY: &str = "canary-5d1f";

/// Puts the canary in every secret place.
struct Planted;

impl Setup for Planted {
    fn client<P: Platform>(&self, builder: ClientBuilder<P>) -> ClientBuilder<P> {
        builder
    }

    fn secret(&self, _: &str) -> String {
        CANARY.to_owned()
    }
}

#[test]
fn every_request_matches_its_snapshot() {
    let clients = Clients::new(Planted);
    let mut names = BTreeSet::new();
    for row in rows() {
        let first = row.variants.first();
        assert!(
            first.is_some_and(|first| first.snapshot),
            "{} has no snapshot",
            row.operation
        );
        for variant in row.variants.iter().filter(|variant| variant.snapshot) {
            let mut name = format!("{}__{}", row.operation.api, row.operation.id);
            if !variant.name.is_empty() {
                name = format!("{name}@{}", variant.name);
            }
            let preview = variant.call(&clients).preview().expect(&name);
            assert_eq!(preview.operation(), Some(row.operation), "{name}");
            let text = preview.to_string();
            for shown in [&text, &preview.to_curl(), &format!("{preview:?}")] {
                assert!(!shown.contains(CANARY), "{name} shows a secret:\n{shown}");
            }
            insta::with_settings!({
                snapshot_path => "snapshots",
                prepend_module_to_snapshot => false,
                omit_expression => true,
            }, { insta::assert_snapshot!(name.clone(), text) });
            assert!(names.insert(name.clone()), "two rows have the name {name}");
        }
    }

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requests/snapshots");
    let on_disk = std::fs::read_dir(folder).unwrap().map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.trim_end_matches(".snap").to_owned()
    });
    let stale: Vec<_> = on_disk.filter(|name| !names.contains(name)).collect();
    assert!(stale.is_empty(), "no row for the snapshots {stale:#?}");
}

/// Checks that a call is refused before a request is sent, and that its error contains these words.
#[track_caller]
pub fn refused<T: Send + 'static>(call: Call<T>, words: &str) -> Error {
    let error = call.preview().unwrap_err();
    let found = (error.kind(), error.effect(), error.attempts());
    let expected = (ErrorKind::InvalidRequest, Effect::None, 0);
    assert_eq!(found, expected, "{error}");
    let line = error.to_string();
    assert!(line.contains(words), "{words:?} is not in {line}");
    assert!(!line.contains('\n'), "{line}");
    error
}
