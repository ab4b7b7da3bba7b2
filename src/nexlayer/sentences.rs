//! Numbers in the sentences of the platform.
//!
//! Whitespace and wording differ between server versions. Other sentences are not an error: callers get
//! the text, too.

use regex_lite::Regex;
use std::time::Duration;

/// `… will expire in 30 minutes …`
pub(super) fn expiry(text: &str) -> Option<Duration> {
    minutes(text, r"will expire in (\d+) minute")
}

/// `… for another 120 minutes …`
pub(super) fn extension_length(text: &str) -> Option<Duration> {
    minutes(text, r"another (\d+) minute")
}

/// `You have 1 extensions remaining.` or `You can extend it up to 3 times.`
pub(super) fn extensions(text: &str) -> Option<u32> {
    number(text, r"(\d+) extension").or_else(|| number(text, r"extend it up to (\d+)"))
}

/// `… removed within the next 10 minutes.`
pub(super) fn removal(text: &str) -> Option<Duration> {
    minutes(text, r"removed within (?:the next )?(\d+) minute")
}

/// The rest of `Application A has been …`: the name may contain any words and numbers.
pub(super) fn after_name(text: &str) -> &str {
    text.rsplit_once(" has been ")
        .map_or(text, |(_, rest)| rest)
}

/// The first URL.
pub(super) fn url(text: &str) -> Option<&str> {
    let url = captured(text, r"(https?://\S+)")?;
    Some(url.trim_end_matches(['.', ',', ')', '"']))
}

/// Whether a text is a web page, such as one that a site sends for every path.
pub(super) fn is_page(text: &str) -> bool {
    captured(text, r"(?i)^\s*<(!doctype html|html|head|body)").is_some()
}

/// One space between words, and without the quotes of a JSON string in a string.
pub(super) fn normal(text: &str) -> String {
    let unquoted: Option<String> = serde_json::from_str(text.trim()).ok();
    let text = unquoted.as_deref().unwrap_or(text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn captured<'a>(text: &'a str, regex: &str) -> Option<&'a str> {
    let captures = Regex::new(regex).ok()?.captures(text)?;
    captures.get(1).map(|group| group.as_str())
}

fn number(text: &str, regex: &str) -> Option<u32> {
    captured(text, regex)?.parse().ok()
}

fn minutes(text: &str, regex: &str) -> Option<Duration> {
    number(text, regex).map(|minutes| Duration::from_secs(60) * minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(n: u64) -> Option<Duration> {
        Some(Duration::from_secs(60 * n))
    }

    #[test]
    fn responses_to_extensions() {
        for (text, expected) in [
            (
                "\"Application A has been extended.  Environment will expire in 150 minutes. 0 extension(s) remaining.\"",
                (minutes(150), Some(0)),
            ),
            (
                "Application a has been extended. b has been extended. Environment will expire in 1 minute. 1 extension remaining",
                (minutes(1), Some(1)),
            ),
            (
                "Application will expire in 5 minutes 7 extension has been extended. Environment will expire in 30 minutes. 2 extension(s) remaining.",
                (minutes(30), Some(2)),
            ),
            (
                "Application x has been extended. Environment will expire in 99999999999999 minutes. 99999999999 extension(s) remaining.",
                (None, None),
            ),
            ("will expire in 5 hours", (None, None)),
            ("ü extension", (None, None)),
        ] {
            let text = normal(text);
            let rest = after_name(&text);
            assert_eq!((expiry(rest), extensions(rest)), expected, "{text}");
        }
    }

    #[test]
    fn responses_to_removals() {
        for (text, within) in [
            (
                "Application A reservation has been removed. Application site will be removed within the next 10 minutes.",
                minutes(10),
            ),
            (
                "Application removed within 7 minutes reservation has been removed. Application site will be removed within 10 minutes.",
                minutes(10),
            ),
            (
                "Application reservations have been removed. If deployments have reached their time limits, application sites will be removed within 10 minutes.",
                minutes(10),
            ),
            ("Application My App reservation has been removed.", None),
        ] {
            assert_eq!(removal(after_name(text)), within, "{text}");
        }
    }

    #[test]
    fn offers_of_a_start() {
        let text = "To extend your environment for another 120 minutes, post the sessionToken and applicationName given in this response to the /extendDeployment endpoint. You have 1 extensions remaining.";
        assert_eq!(
            (extension_length(text), extensions(text)),
            (minutes(120), Some(1))
        );
        let text = "Your deployment will expire in 120 minutes. You can extend it up to 3 times.";
        assert_eq!((expiry(text), extensions(text)), (minutes(120), Some(3)));
    }

    #[test]
    fn urls() {
        let text = "You're almost there! Visit https://app.nexlayer.io/claim/dCf0NdAQ64j6 to finalize your deployment.";
        assert_eq!(
            url(text),
            Some("https://app.nexlayer.io/claim/dCf0NdAQ64j6")
        );
        assert_eq!(url("Visit http://a.example/x."), Some("http://a.example/x"));
        assert_eq!(url("Visit the claim URL"), None);
    }
}
