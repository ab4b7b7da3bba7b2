//! `deploy-from-ci CONFIG`, with `EDGEGAP_TOKEN`, `CI_RUN_ID` and the secrets in the environment.

use deploy_from_ci::{Config, deploy};
use deploykit::edgegap::Client;
use std::error::Error;
use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("deploy-from-ci: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let path = std::env::args()
        .nth(1)
        .ok_or("usage: deploy-from-ci CONFIG")?;
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let config: Config = serde_json::from_str(&text).map_err(|error| format!("{path}: {error}"))?;
    let run_id = std::env::var("CI_RUN_ID").map_err(|_| "CI_RUN_ID is not set")?;
    let new = config.request(|name| std::env::var(name).ok())?;
    let live = deploy(&Client::from_env()?, &run_id, new).await?;
    println!("{} is up at {}", live.id, live.address);
    Ok(())
}
