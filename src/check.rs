//! What more than one platform's wrappers refuse before anything is sent.

use crate::error::{Error, Result};

/// Refuses an empty text, and one with a line break or another control character in it.
pub(crate) fn text(what: &str, text: &str) -> Result<()> {
    let problem = if text.trim().is_empty() {
        "is empty"
    } else if text.chars().any(char::is_control) {
        "contains a control character"
    } else {
        return Ok(());
    };
    Err(Error::invalid_request(format!("the {what} {problem}")))
}
