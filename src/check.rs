//! Argument checks shared by several platforms.

use crate::error::{Error, Result};

/// Rejects a text that is empty or contains a control character, such as a line break.
pub(crate) fn text(name: &str, text: &str) -> Result<()> {
    let problem = if text.trim().is_empty() {
        "is empty"
    } else if text.chars().any(char::is_control) {
        "contains a control character"
    } else {
        return Ok(());
    };
    Err(Error::invalid_request(format!("the {name} {problem}")))
}
