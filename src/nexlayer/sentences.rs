//! Numbers and names in the sentences of the platform.
//!
//! Two generations of sentences are known; white space differs between them. Any other sentence is no
//! error: the caller still gets its text.

use regex_lite::Regex;
use std::time::Duration;

/// What the response to an extension says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extension<'a> {
    pub application: Option<&'a str>,
    pub expires_in: Option<Duration>,
    pub remaining: Option<u32>,
}

/// `Application A has been extended. Environment will expire in 150 minutes. 0 extension(s) remaining.`
pub(super) fn extension(text: &str) -> Extension<'_> {
    let (application, rest) = split(text, "has been extended");
    Extension {
        application,
        expires_in: expiry(rest),
        remaining: number(rest, r"(\d+) extension"),
    }
}

/// `… will expire in 30 minutes …`
pub(super) fn expiry(text: &str) -> Option<Duration> {
    minutes(text, r"will expire in (\d+) minute")
}

/// `… for another 120 minutes …`
pub(super) fn extension_length(text: &str) -> Option<Duration> {
    minutes(text, r"another (\d+) minute")
}

/// `You have 1 extensions remaining.` or `You can extend it up to 3 times.`
pub(super) fn extensions_offered(text: &str) -> Option<u32> {
    number(text, r"(\d+) extension").or_else(|| number(text, r"extend it up to (\d+)"))
}

/// `Application A reservation has been added.`
pub(super) fn reserved(text: &str) -> Option<&str> {
    split(text, "reservation has been added").0
}

/// `Application A reservation has been removed. Application site will be removed within the next 10
/// minutes.`, or the sentences about all of them, which name none.
pub(super) fn unreserved(text: &str) -> (Option<&str>, Option<Duration>) {
    let (application, rest) = split(text, "reservation has been removed");
    let within = minutes(rest, r"removed within (?:the next )?(\d+) minute");
    (application, within)
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

/// The name in `Application A <words>…`, and the rest of the sentence: a name may contain any words
/// and numbers.
fn split<'a>(text: &'a str, words: &str) -> (Option<&'a str>, &'a str) {
    let name = captured(text, &format!("^Application (.+) {words}"));
    (
        name,
        name.map_or(text, |name| &text["Application ".len() + name.len()..]),
    )
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
    fn extensions() {
        for (text, application, expires_in, remaining) in [
            (
                "Application Complete-Test-App has been extended. Environment will expire in 150 minutes. 0 extension(s) remaining.",
                Some("Complete-Test-App"),
                minutes(150),
                Some(0),
            ),
            (
                "\"Application Complete-Test-App has been extended. Environment will expire in 150 minutes. 0 extension(s) remaining.\"",
                Some("Complete-Test-App"),
                minutes(150),
                Some(0),
            ),
            (
                "Application My MERN App has been extended.  Environment will expire in 120 minutes.  2 extension(s) remaining.",
                Some("My MERN App"),
                minutes(120),
                Some(2),
            ),
            (
                "Application a has been extended. b has been extended. Environment will expire in 1 minute. 1 extension remaining",
                Some("a has been extended. b"),
                minutes(1),
                Some(1),
            ),
            (
                "Application will expire in 5 minutes 7 extension has been extended. Environment will expire in 30 minutes. 2 extension(s) remaining.",
                Some("will expire in 5 minutes 7 extension"),
                minutes(30),
                Some(2),
            ),
            ("Something else entirely.", None, None, None),
            (
                "Application x has been extended. Environment will expire in 99999999999999 minutes. 99999999999 extension(s) remaining.",
                Some("x"),
                None,
                None,
            ),
            ("will expire in 5 hours", None, None, None),
            ("ü extension", None, None, None),
            ("", None, None, None),
        ] {
            let text = normal(text);
            let found = extension(&text);
            assert_eq!(
                found,
                Extension {
                    application,
                    expires_in,
                    remaining
                },
                "{text}"
            );
        }
    }

    #[test]
    fn reservations() {
        let added = normal("Application Complete-Test-App reservation has been added.");
        assert_eq!(reserved(&added), Some("Complete-Test-App"));
        assert_eq!(reserved("It was added."), None);
        for (text, application, within) in [
            (
                "Application Complete-Test-App reservation has been removed. Application site will be removed within the next 10 minutes.",
                Some("Complete-Test-App"),
                minutes(10),
            ),
            (
                "Application My App reservation has been removed.  Application site will be removed within the next 10 minutes.",
                Some("My App"),
                minutes(10),
            ),
            (
                "Application My App reservation has been removed.",
                Some("My App"),
                None,
            ),
            (
                "Application removed within 7 minutes reservation has been removed. Application site will be removed within 10 minutes.",
                Some("removed within 7 minutes"),
                minutes(10),
            ),
            (
                "Application reservations have been removed. If deployments have reached their time limits, application sites will be removed within 10 minutes.",
                None,
                minutes(10),
            ),
            (
                "All reservations have been removed.  Application sites will be removed within the next 10 minutes.",
                None,
                minutes(10),
            ),
        ] {
            let text = normal(text);
            assert_eq!(unreserved(&text), (application, within), "{text}");
        }
    }

    #[test]
    fn offers_of_a_start() {
        let text = "To extend your environment for another 120 minutes, post the sessionToken and applicationName given in this response to the /extendDeployment endpoint. You have 1 extensions remaining.";
        assert_eq!(
            (extension_length(text), extensions_offered(text)),
            (minutes(120), Some(1))
        );
        let text = "Your deployment will expire in 120 minutes. You can extend it up to 3 times.";
        assert_eq!(
            (expiry(text), extensions_offered(text)),
            (minutes(120), Some(3))
        );
        assert_eq!(
            expiry("This environment will expire in 30 minutes."),
            minutes(30)
        );
        assert_eq!(expiry("Your environment is initializing."), None);
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
