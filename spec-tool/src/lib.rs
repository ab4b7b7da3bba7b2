//! Checks the specs of deploykit, with the code that also generates the raw clients.

#![forbid(unsafe_code)]

#[path = "../../build/mod.rs"]
pub mod build;
pub mod check;
pub mod coverage;
pub mod drift;
pub mod outline;
pub mod surface;
pub mod wrappers;

use std::path::Path;

/// Reads a file in the folder `root`. The error has the path without it.
///
/// # Errors
/// If the file cannot be read.
pub fn read(root: &Path, file: impl AsRef<Path>) -> Result<String, String> {
    let file = file.as_ref();
    match std::fs::read(root.join(file)) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => Err(format!("cannot read {}: {error}", file.display())),
    }
}
