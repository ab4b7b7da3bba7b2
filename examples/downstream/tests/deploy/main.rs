mod recorder;
mod sandbox;

use deploy_from_ci::Config;
use deploykit::edgegap::NewDeployment;

/// A fixed id, so that the requests are the same in every test.
const RUN_ID: &str = "4711";

/// The configuration in this repository.
fn config() -> Config {
    serde_json::from_str(include_str!("../../deploy.json")).unwrap()
}

fn request(config: &Config) -> NewDeployment {
    let secret = |name: &str| Some(format!("the value of {name}"));
    config.request(secret).unwrap()
}
