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

/// Rejects a URL that is not `http` or `https`. The error omits the URL, which may contain a secret.
pub(crate) fn http_url(name: &str, url: &str) -> Result<()> {
    let url = reqwest::Url::parse(url);
    if url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Ok(());
    }
    let problem = format!("the {name} is not an http or https URL");
    Err(Error::invalid_request(problem))
}
