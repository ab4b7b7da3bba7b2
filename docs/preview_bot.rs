//! A preview bot for a `nexlayer.yaml`: deploys the image of a pull request, and writes the image of a release
//! into the file. Both keep the comments and the layout of the file.
//!
//! `tests/programs.rs` runs it against the sandbox.

use deploykit::nexlayer::{Client, Manifest};
use std::error::Error;
use std::path::Path;

/// Deploys a preview of a pull request. Returns its URL. The file stays unchanged.
pub async fn preview(
    client: &Client,
    file: &Path,
    pull_request: u32,
) -> Result<String, Box<dyn Error>> {
    let mut manifest = Manifest::from_path(file)?;
    let name = format!("{}-{pull_request}", manifest.application_name());
    let image = format!("<% REGISTRY %>/guestbook:pr-{pull_request}");
    manifest.set("application.name", &name)?;
    manifest.set_image("web", &image)?;
    manifest.set_var("web", "LOG_LEVEL", "debug")?;
    let deployed = client.deploy(manifest).await?;
    deployed.application().wait().await?;
    Ok(deployed.url.ok_or("the response has no URL")?)
}

/// Writes the image of a release into the file.
pub fn release(file: &Path, image: &str) -> Result<(), Box<dyn Error>> {
    let mut manifest = Manifest::from_path(file)?;
    manifest.set_image("web", image)?;
    std::fs::write(file, manifest.as_str())?;
    Ok(())
}
