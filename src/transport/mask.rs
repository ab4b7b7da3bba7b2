//! Masks the secrets of a request in text from a server.
//!
//! Finds a secret also if it is escaped for JSON, a URL or HTML, with up to two nested escapes, or if its
//! white space differs.

use crate::secret::{REDACTED, Secret};
use serde_json::Value;

/// Shorter secrets are not masked: they occur in ordinary text by chance.
const MIN_SECRET: usize = 4;
/// Shorter secrets are not found if the text has additional white space in them.
const MIN_ACROSS_SPACE: usize = 8;
/// Shorter lines of a multi-line secret are not masked on their own.
const MIN_LINE: usize = 8;
/// Maximum number of nested escapes, as in JSON in an HTML page.
const MAX_NESTING: usize = 2;

/// Replaces secrets in texts from a server.
pub(crate) struct Mask {
    patterns: Vec<Pattern>,
}

/// A secret, or one line of it, without white space.
struct Pattern {
    bytes: Vec<u8>,
    /// Whether a match may contain additional white space.
    across_space: bool,
}

impl Pattern {
    fn of(text: &str, min: usize) -> Option<Self> {
        let bytes = text.replace(is_space, "").into_bytes();
        let across_space = bytes.len() >= MIN_ACROSS_SPACE || bytes.len() < text.len();
        (bytes.len() >= min).then_some(Self {
            bytes,
            across_space,
        })
    }

    /// Finds the ranges of this secret in the original text.
    fn find(&self, text: &[Byte], found: &mut Vec<(usize, usize)>) {
        for window in text.windows(self.bytes.len()) {
            // Fast path: excludes most windows.
            if window[0].value != self.bytes[0] {
                continue;
            }
            let is_equal = window.iter().map(|byte| &byte.value).eq(&self.bytes);
            let is_contiguous = || window.windows(2).all(|two| two[1].from <= two[0].to);
            if is_equal && (self.across_space || is_contiguous()) {
                found.push((window[0].from, window[window.len() - 1].to));
            }
        }
    }
}

impl Mask {
    pub fn of(secrets: &[Secret]) -> Self {
        let whole = secrets
            .iter()
            .filter_map(|secret| Pattern::of(secret.expose(), MIN_SECRET));
        // The error of a parser may quote a single line.
        let lines = secrets
            .iter()
            .filter(|secret| secret.expose().contains('\n'))
            .flat_map(|secret| secret.expose().lines())
            .filter_map(|line| Pattern::of(line, MIN_LINE));
        Self {
            patterns: whole.chain(lines).collect(),
        }
    }

    /// Replaces every secret in a text.
    pub fn text(&self, text: &str) -> String {
        if self.patterns.is_empty() {
            return text.to_owned();
        }
        let bytes = text.bytes().enumerate().map(|(at, value)| Byte {
            value,
            from: at,
            to: at + 1,
        });
        let mut found = Vec::new();
        self.find(&without_space(bytes), MAX_NESTING, &mut found);
        found.sort_unstable();
        let mut out = String::with_capacity(text.len());
        let mut end = 0;
        for (from, to) in found {
            // Overlapping secrets are replaced together.
            if from >= end {
                out.push_str(text.get(end..from).unwrap_or_default());
                out.push_str(REDACTED);
            }
            end = end.max(to);
        }
        out.push_str(text.get(end..).unwrap_or_default());
        out
    }

    /// Replaces every secret in JSON, keys included.
    pub fn json(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            // A server may repeat a secret of digits as a number.
            Value::Number(number) => {
                let digits = number.to_string();
                let masked = self.text(&digits);
                if masked != digits {
                    *value = Value::String(masked);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Value::Object(map) => {
                for (name, mut inner) in std::mem::take(map) {
                    self.json(&mut inner);
                    map.insert(self.text(&name), inner);
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// Finds the ranges of all secrets, escaped up to `nesting` times.
    fn find(&self, text: &[Byte], nesting: usize, found: &mut Vec<(usize, usize)>) {
        for pattern in &self.patterns {
            pattern.find(text, found);
        }
        for (first, decode) in ESCAPES {
            if nesting > 0 && text.iter().any(|byte| byte.value == first) {
                self.find(&unescaped(text, decode), nesting - 1, found);
            }
        }
    }
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

/// The text without white space, which may have several bytes.
fn without_space(text: impl Iterator<Item = Byte> + Clone) -> Vec<Byte> {
    let values: Vec<_> = text.clone().map(|byte| byte.value).collect();
    let (mut rest, mut out) = (text, Vec::with_capacity(values.len()));
    for chunk in values.utf8_chunks() {
        for c in chunk.valid().chars() {
            let skipped = if is_space(c) { c.len_utf8() } else { 0 };
            out.extend(rest.by_ref().take(c.len_utf8()).skip(skipped));
        }
        out.extend(rest.by_ref().take(chunk.invalid().len()));
    }
    out
}

/// A byte after unescaping, and its range in the original text. Not a `char`, because `%` escapes need not
/// be UTF-8.
#[derive(Clone, Copy)]
struct Byte {
    value: u8,
    from: usize,
    to: usize,
}

/// Decodes an escape at the start of a text. Returns the decoded bytes and the length of the escape.
type Decode = fn(&[u8]) -> Option<(Vec<u8>, usize)>;

/// The first byte of each kind of escape, and its decoder.
const ESCAPES: [(u8, Decode); 4] = [(b'\\', json), (b'%', percent), (b'+', query), (b'&', html)];

/// The text with the escapes of one kind decoded.
fn unescaped(text: &[Byte], decode: Decode) -> Vec<Byte> {
    let values: Vec<_> = text.iter().map(|byte| byte.value).collect();
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        let Some((decoded, length)) = decode(&values[at..]) else {
            out.push(*byte);
            at += 1;
            continue;
        };
        let (from, to) = (byte.from, text[at + length - 1].to);
        out.extend(decoded.into_iter().map(|value| Byte { value, from, to }));
        at += length;
    }
    without_space(out.into_iter())
}

fn json(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    if text.starts_with(br"\'") {
        return Some((vec![b'\''], 2));
    }
    // `\n`, `\u00fc`, or a surrogate pair.
    [2, 6, 12].into_iter().find_map(|length| {
        let escape = std::str::from_utf8(text.strip_prefix(br"\")?.get(..length - 1)?).ok()?;
        let decoded: String = serde_json::from_str(&format!(r#""\{escape}""#)).ok()?;
        Some((decoded.into_bytes(), length))
    })
}

fn percent(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let digits = std::str::from_utf8(text.strip_prefix(b"%")?.get(..2)?).ok()?;
    let byte = u8::from_str_radix(digits, 16).ok()?;
    Some((vec![byte], 3))
}

/// Percent escapes, with `+` for a space.
fn query(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    match text.first() {
        Some(b'+') => Some((vec![b' '], 1)),
        _ => percent(text),
    }
}

fn html(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let entities = [
        ("&amp;", b'&'),
        ("&lt;", b'<'),
        ("&gt;", b'>'),
        ("&quot;", b'"'),
        ("&#34;", b'"'),
        ("&#39;", b'\''),
        ("&#039;", b'\''),
        ("&#x27;", b'\''),
        ("&apos;", b'\''),
        ("&#x2F;", b'/'),
    ];
    let found = entities
        .iter()
        .find(|(entity, _)| text.starts_with(entity.as_bytes()));
    found.map(|(entity, byte)| (vec![*byte], entity.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn masked(text: &str, secrets: &[&str]) -> String {
        let secrets: Vec<_> = secrets.iter().copied().map(Secret::new).collect();
        Mask::of(&secrets).text(text)
    }

    #[test]
    fn a_secret_with_a_line_break_in_an_escape_is_masked() {
        let secret = "c4n4ry-\"q\\b+p/s=e&a%<l>' ü";
        let quoted = "c4n4ry-%22q%5Cb%2Bp%2Fs%3De%26a%25%\r\n  3Cl%3E%27+%C3%BC";
        assert_eq!(masked(&format!("({quoted})"), &[secret]), "(<redacted>)");
    }

    #[test]
    fn a_repeated_secret_is_masked() {
        let text = "no session dCf0NdAQ64j6 at all";
        let shown = "no session <redacted> at all";
        assert_eq!(masked(text, &["dCf0NdAQ64j6", "a"]), shown);
        assert_eq!(masked(shown, &["dCf0NdAQ64j6"]), shown);
    }

    #[test]
    fn overlapping_secrets_are_replaced_together() {
        let secrets = ["hush", "hush-and-hush", "and-hush-on"];
        assert_eq!(
            masked("(hush)(hush-and-hush-on)", &secrets),
            "(<redacted>)(<redacted>)"
        );
        assert_eq!(masked("hushhush", &["hush"]), "<redacted><redacted>");
    }

    #[test]
    fn white_space_may_differ() {
        for (text, secret, shown) in [
            ("a hush 1234 b", "hush\n1234", "a <redacted> b"),
            ("a hush1234 b", "hush\n  1234", "a <redacted> b"),
            (r"a hush\n1234 b", "hush 1234", "a <redacted> b"),
            ("a hush-\r\n\thush b", "hush-hush", "a <redacted> b"),
            ("a hush 1234 b", "hush\u{a0}1234", "a <redacted> b"),
            (
                "a hush\u{2028}%C2%8512\\u300034 b",
                "hush1234",
                "a <redacted> b",
            ),
            (
                "no line:  hush-line-2",
                "line 1\nhush-line-2\n",
                "no line:  <redacted>",
            ),
            // A short secret does not match across words.
            ("the replica", "here", "the replica"),
        ] {
            assert_eq!(masked(text, &[secret]), shown, "{text}");
        }
    }

    #[test]
    fn escaped_secrets_are_masked() {
        let secret = "\"q\\b+p/s=e&a%<l>' ü𝄞";
        for quoted in [
            secret.to_owned(),
            r#"\"q\\b+p/s=e&a%<l>' ü𝄞"#.to_owned(),
            r#"\"q\\b+p\/s=e&a%<l>' \u00fc\ud834\udd1e"#.to_owned(),
            "%22q%5cb%2Bp%2Fs%3De%26a%25%3Cl%3E%27%20%C3%BC%F0%9D%84%9E".to_owned(),
            "%22q%5Cb%2Bp%2Fs%3De%26a%25%3Cl%3E'+ü𝄞".to_owned(),
            "&quot;q\\b+p/s=e&amp;a%&lt;l&gt;&#39; ü𝄞".to_owned(),
            // JSON in an HTML page, and a URL in a URL.
            "\\&quot;q\\\\b+p/s=e&amp;a%&lt;l&gt;&#39; \\u00fc𝄞".to_owned(),
            "%2522q%255Cb%252Bp%252Fs%253De%2526a%2525%253Cl%253E%2527%2B%25C3%25BC%25F0%259D%2584%259E".to_owned(),
        ] {
            let text = format!("ü ({quoted}) ü");
            assert_eq!(masked(&text, &[secret]), "ü (<redacted>) ü", "{quoted}");
        }
        assert_eq!(
            masked("100% a+b \\ &amp; \\u12", &["hush"]),
            "100% a+b \\ &amp; \\u12"
        );
    }

    #[test]
    fn secrets_between_invalid_escapes_are_masked() {
        let text = "%FFa%C3=%68ush%C3 100%\u{fc}";
        assert_eq!(masked(text, &["hush"]), "%FFa%C3=<redacted>%C3 100%\u{fc}");
        assert_eq!(
            masked("\\ud834hush\\ud834", &["hush"]),
            "\\ud834<redacted>\\ud834"
        );
    }

    #[test]
    fn keys_and_numbers_are_masked_as_strings_are() {
        let mut value =
            json!({ "hush-1": ["a hush-1", { "b": 1 }], "pin": 7_734_419_902_u64, "code": 12 });
        Mask::of(&["hush-1", "7734419902"].map(Secret::new)).json(&mut value);
        assert_eq!(
            value,
            json!({ REDACTED: ["a <redacted>", { "b": 1 }], "pin": REDACTED, "code": 12 })
        );
    }
}
