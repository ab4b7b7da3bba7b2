#![allow(dead_code)] // Each test file uses its own part.

use deploy_from_ci::{Config, Run};
use deploykit::edgegap::NewDeployment;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The configuration in this repository, for an application of a sandbox or as it is.
pub fn config() -> Config {
    serde_json::from_str(include_str!("../../deploy.json")).unwrap()
}

/// The same run each time: what is sent does not depend on when the tests run.
pub fn run() -> Run {
    Run {
        id: "4711".to_owned(),
        began: day(0),
    }
}

pub fn day(number: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_767_225_600 + number * 24 * 3600)
}

pub fn request(config: &Config) -> NewDeployment {
    let secret = |name: &str| Some(format!("the value of {name}"));
    config.request(&run(), secret).unwrap()
}
