//! The sentences in which Nexlayer answers, read into numbers.
//!
//! Two generations of texts are known; white space differs between them. A sentence that is none of
//! these is no error: the caller still gets its text.

use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// What the reply to an extension says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Extension<'a> {
    pub application: Option<&'a str>,
    pub expires_in: Option<Duration>,
    pub remaining: Option<u32>,
}

/// `Application A has been extended. Environment will expire in 150 minutes. 0 extension(s) remaining.`
pub(super) fn extension(text: &str) -> Extension<'_> {
    let (application, rest) = split(text, " has been extended");
    Extension {
        application,
        expires_in: expiry(rest),
        remaining: number_before(rest, " extension"),
    }
}

/// `… will expire in 30 minutes …`
pub(super) fn expiry(text: &str) -> Option<Duration> {
    minutes_after(text, "will expire in ")
}

/// `… for another 120 minutes …`
pub(super) fn extension_length(text: &str) -> Option<Duration> {
    minutes_after(text, "another ")
}

/// `You have 1 extensions remaining.` or `You can extend it up to 3 times.`
pub(super) fn extensions_offered(text: &str) -> Option<u32> {
    number_before(text, " extension").or_else(|| number_after(text, "extend it up to "))
}

/// `Application A reservation has been added.`
pub(super) fn reserved(text: &str) -> Option<&str> {
    split(text, " reservation has been added").0
}

/// `Application A reservation has been removed. Application site will be removed within the next 10
/// minutes.`, or the sentences about all of them, which name none.
pub(super) fn unreserved(text: &str) -> (Option<&str>, Option<Duration>) {
    let (application, rest) = split(text, " reservation has been removed");
    let within = minutes_after(rest, "removed within the next ")
        .or_else(|| minutes_after(rest, "removed within "));
    (application, within)
}

/// The first http(s) URL of a text.
pub(super) fn url(text: &str) -> Option<&str> {
    let start = text.find("https://").or_else(|| text.find("http://"))?;
    let rest = &text[start..];
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches(['.', ',', ')', '"']))
}

/// One space between words, quotes of a JSON string in a string taken off.
pub(super) fn normal(text: &str) -> String {
    let unquoted: Option<String> = serde_json::from_str(text.trim()).ok();
    let text = unquoted.as_deref().unwrap_or(text);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The name in `Application A <words>…`, and what comes behind it: a name may hold any words and
/// numbers, which say nothing.
fn split<'a>(text: &'a str, words: &str) -> (Option<&'a str>, &'a str) {
    let named = text.strip_prefix("Application ").and_then(|rest| {
        let at = rest.rfind(words).filter(|at| *at > 0)?;
        Some((&rest[..at], &rest[at + words.len()..]))
    });
    match named {
        Some((name, rest)) => (Some(name), rest),
        None => (None, text),
    }
}

/// Whether a text is a web page, such as one that answers for every path of a site.
pub(super) fn is_page(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(14).collect();
    let start = start.to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body"]
        .iter()
        .any(|tag| start.starts_with(tag))
}

fn number_after(text: &str, words: &str) -> Option<u32> {
    let rest = &text[text.find(words)? + words.len()..];
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}

fn number_before(text: &str, words: &str) -> Option<u32> {
    text.match_indices(words).find_map(|(at, _)| {
        let before = &text[..at];
        let start = before.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
        before[start..].parse().ok()
    })
}

fn minutes_after(text: &str, words: &str) -> Option<Duration> {
    let minutes = number_after(text, words)?;
    let rest = &text[text.find(words)? + words.len()..];
    let unit = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    unit.starts_with(" minute").then(|| MINUTE * minutes)
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
