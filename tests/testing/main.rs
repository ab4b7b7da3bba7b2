//! What downstream tests stand on: recorder, snapshots, faults.
#![cfg(all(
    feature = "dployr",
    feature = "edgegap",
    feature = "nexlayer",
    feature = "nodion"
))]

mod faults;
mod flows;
mod recorder;
mod secrets;
mod snapshot;
#[path = "../support/mod.rs"]
mod support;

use deploykit::edgegap::{NewDeployment, User};

pub fn server() -> NewDeployment {
    NewDeployment::new("my-app", "1", User::ip([198, 51, 100, 7].into()))
}
