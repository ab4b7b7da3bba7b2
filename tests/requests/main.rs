//! The exact requests of this crate: one snapshot per operation, and one per variant that matters.
//!
//! Snapshots are named `<platform>__<operation>` and `<platform>__<operation>@<variant>`.

#[cfg(feature = "dployr")]
mod dployr;
#[cfg(feature = "edgegap")]
mod edgegap;
#[cfg(feature = "nexlayer")]
mod nexlayer;
#[cfg(feature = "nodion")]
mod nodion;

use deploykit::{Call, Error, ErrorKind, OPERATIONS};
use std::path::Path;

/// Stands for every credential in these tests; no snapshot may contain it.
pub const CANARY: &str = "canary-5d1f";

/// Compares the request of a call with its snapshot.
#[track_caller]
pub fn shows<T: Send + 'static>(call: Call<T>) {
    shows_as("", call);
}

/// The same for a variant of an operation's request.
#[track_caller]
pub fn shows_as<T: Send + 'static>(variant: &str, call: Call<T>) {
    let preview = call.preview().unwrap();
    let operation = preview.operation.unwrap();
    let mut name = format!("{}__{operation}", preview.api);
    if !variant.is_empty() {
        name = format!("{name}@{variant}");
    }
    let text = preview.to_string();
    for shown in [&text, &preview.to_curl(), &format!("{preview:?}")] {
        assert!(!shown.contains(CANARY), "{name} shows a secret:\n{shown}");
    }
    insta::with_settings!({
        snapshot_path => "snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, { insta::assert_snapshot!(name, text) });
}

/// A call that is refused before anything is sent, with these words in its error.
#[track_caller]
pub fn refused<T: Send + 'static>(call: Call<T>, words: &str) -> Error {
    let error = call.preview().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    error
}

#[test]
fn every_operation_left_a_snapshot() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requests/snapshots");
    let missing: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| {
            let name = format!("{}__{}.snap", operation.api, operation.id);
            !folder.join(name).exists()
        })
        .map(ToString::to_string)
        .collect();
    assert!(missing.is_empty(), "no snapshot for {missing:#?}");
    assert!(OPERATIONS.len() <= std::fs::read_dir(folder).unwrap().count());
}
