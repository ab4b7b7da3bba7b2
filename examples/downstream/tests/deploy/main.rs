mod recorder;
mod sandbox;

use deploy_from_ci::{Config, Run};
use deploykit::edgegap::NewDeployment;
use std::time::{Duration, UNIX_EPOCH};

/// The configuration in this repository.
fn config() -> Config {
    serde_json::from_str(include_str!("../../deploy.json")).unwrap()
}

/// A fixed run, so that its requests are the same in every test.
fn run() -> Run {
    Run {
        id: "4711".to_owned(),
        began: UNIX_EPOCH + Duration::from_secs(1_767_225_600),
    }
}

fn request(config: &Config) -> NewDeployment {
    let secret = |name: &str| Some(format!("the value of {name}"));
    config.request(&run(), secret).unwrap()
}
