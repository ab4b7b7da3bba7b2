//! The module `testing`: recorder, snapshots, network failures, received requests.

mod describe;
mod network_failures;
mod recorder;
mod snapshot;
#[path = "../support/mod.rs"]
mod support;

use deploykit::edgegap::{NewDeployment, User};

pub fn new_server() -> NewDeployment {
    NewDeployment::new("my-app", "1", User::ip([198, 51, 100, 7].into()))
}
