//! The exact requests of this crate: one snapshot per operation, and one per variant that matters.
//!
//! Snapshots are named `<platform>__<operation>` and `<platform>__<operation>@<variant>`.

#[cfg(feature = "dployr")]
mod dployr;
#[cfg(feature = "dployr")]
mod dployr_account;
#[cfg(feature = "dployr")]
mod dployr_services;
#[cfg(feature = "edgegap")]
mod edgegap;
#[cfg(feature = "nexlayer")]
mod nexlayer;
#[cfg(feature = "nodion")]
mod nodion;

use deploykit::{Call, Error, ErrorKind, OPERATIONS};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

/// Stands for every credential in these tests; no snapshot may contain it.
pub const CANARY: &str = "canary-5d1f";

/// The names of the snapshots that this run compared.
static SHOWN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

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
    SHOWN.lock().unwrap().insert(name.clone());
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

/// Runs the tests that show requests, and looks which operations they showed. A snapshot file alone
/// proves nothing: its test may be gone.
#[test]
fn every_operation_left_a_snapshot() {
    #[cfg(feature = "dployr")]
    for run in [
        dployr::login as fn(),
        dployr::create_deployment as fn(),
        dployr::list_deployments as fn(),
        dployr::one_deployment as fn(),
        dployr::services as fn(),
        dployr::logs as fn(),
        dployr::env as fn(),
        dployr::instances as fn(),
        dployr_services::one_service as fn(),
        dployr_services::updates as fn(),
        dployr_services::variables_and_traffic as fn(),
        dployr_services::logs_of_a_cluster as fn(),
        dployr_services::nodes as fn(),
        dployr::routes as fn(),
        dployr::projects as fn(),
        dployr::webhooks as fn(),
        dployr_account::sessions as fn(),
        dployr_account::api_tokens as fn(),
        dployr_account::clusters as fn(),
        dployr_account::domains as fn(),
        dployr_account::events_and_webhook as fn(),
        dployr_account::server as fn(),
    ] {
        run();
    }
    #[cfg(feature = "edgegap")]
    for run in [
        edgegap::deploy as fn(),
        edgegap::deploy_to_fleet as fn(),
        edgegap::deployments as fn(),
        edgegap::filters as fn(),
        edgegap::stops_of_many as fn(),
        edgegap::tags as fn(),
        edgegap::what_can_be_deployed_and_where as fn(),
        edgegap::a_server_ends_itself as fn(),
        edgegap::one_deployment as fn(),
        edgegap::metrics as fn(),
    ] {
        run();
    }
    #[cfg(feature = "nexlayer")]
    for run in [
        nexlayer::start as fn(),
        nexlayer::update as fn(),
        nexlayer::applications as fn(),
        nexlayer::reservations as fn(),
        nexlayer::pods as fn(),
        nexlayer::feedback as fn(),
        nexlayer::what_a_manifest_may_say as fn(),
    ] {
        run();
    }
    #[cfg(feature = "nodion")]
    for run in [
        nodion::deployments as fn(),
        nodion::deploy as fn(),
        nodion::applications as fn(),
        nodion::logs as fn(),
        nodion::env as fn(),
        nodion::scaling as fn(),
        nodion::domains as fn(),
        nodion::catalogue as fn(),
    ] {
        run();
    }
    let shown = SHOWN.lock().unwrap();
    let missing: Vec<_> = OPERATIONS
        .iter()
        .filter(|operation| !shown.contains(&format!("{}__{}", operation.api, operation.id)))
        .map(ToString::to_string)
        .collect();
    assert!(missing.is_empty(), "no snapshot for {missing:#?}");

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requests/snapshots");
    let on_disk = std::fs::read_dir(folder).unwrap().map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.trim_end_matches(".snap").to_owned()
    });
    let stale: Vec<_> = on_disk
        .filter(|name| {
            OPERATIONS
                .iter()
                .any(|op| name.starts_with(&format!("{}__", op.api)))
        })
        .filter(|name| !shown.contains(name))
        .collect();
    assert!(stale.is_empty(), "no test shows {stale:#?}");
}
