//! Texts that somebody sent, cut to a length that fits where they are kept or shown.

/// Letters of a text on the page or in the log.
const OF_A_LINE: usize = 120;

/// A text as it fits on a line beside others.
pub(crate) fn for_a_line(text: &str) -> String {
    short(text, OF_A_LINE)
}

/// The first letters of a text, and a sign that there were more.
pub(crate) fn short(text: &str, most_letters: usize) -> String {
    match text.char_indices().nth(most_letters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shortened() {
        assert_eq!(short("é", 1), "é");
        assert_eq!(short("", 0), "");
        assert_eq!(short(&"é".repeat(4), 3), "ééé…");
    }
}
