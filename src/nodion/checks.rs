//! What is refused before it is sent, because the platform refuses it or because it would not mean
//! what it says.

pub(super) use crate::check::text;
use crate::error::{Error, Result};
use std::ops::RangeInclusive;

/// The same for a text that is one word.
pub(super) fn word(what: &str, word: &str) -> Result<()> {
    text(what, word)?;
    if word.contains(char::is_whitespace) {
        return Err(Error::invalid_request(format!(
            "the {what} contains a space"
        )));
    }
    Ok(())
}

/// Refuses what cannot be the name of an environment variable.
pub(super) fn key(key: &str) -> Result<()> {
    text("name of the variable", key)?;
    if key.contains('=') {
        return Err(Error::invalid_request(
            "the name of the variable contains =",
        ));
    }
    Ok(())
}

/// Refuses a number out of the platform's range.
pub(super) fn range(what: &str, number: i64, range: RangeInclusive<i64>) -> Result<()> {
    if range.contains(&number) {
        return Ok(());
    }
    Err(Error::invalid_request(format!(
        "{number} {what} are not between {} and {}",
        range.start(),
        range.end()
    )))
}
