//! Masks known secrets in text from a server.
//!
//! A server repeats a secret as it is, escaped for JSON, a URL or HTML, or with other white space;
//! two of these forms may be nested.

use crate::secret::{REDACTED, Secret};
use serde_json::Value;

/// Shorter values occur in ordinary text by chance.
const SHORTEST_SECRET: usize = 4;
/// Shorter values are not looked for across white space that they do not contain.
const SHORTEST_ACROSS_SPACE: usize = 8;
/// Shorter lines of a secret may be ordinary text.
const SHORTEST_LINE: usize = 8;
/// How many escapings may be nested: JSON in an HTML page.
const DEPTH: usize = 2;

/// Replaces every known secret in a text.
pub(crate) fn mask(text: &str, secrets: &[Secret]) -> String {
    let mut patterns = patterns(secrets);
    let read = Read::plain(text);
    let mut found = places(&read, &patterns, DEPTH);
    // A line break may split an escape: `%`, a new line, `3C`.
    let has_escape = FORMS.iter().any(|(first, _)| read.bytes.contains(first));
    if has_escape && read.bytes.iter().any(|byte| is_space(*byte)) {
        patterns.retain(|pattern| pattern.across_space);
        let across = places(&read.without_space(), &patterns, DEPTH);
        // Such a place ends where the next text begins: without the space between them.
        found.extend(across.into_iter().map(|(from, to)| {
            let place = text.get(from..to).map(str::trim_end);
            (from, place.map_or(to, |place| from + place.len()))
        }));
    }
    found.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (from, to) in found {
        // Secrets that overlap get one mark: the next place starts inside the last one.
        if from >= end {
            out.push_str(text.get(end..from).unwrap_or_default());
            out.push_str(REDACTED);
        }
        end = end.max(to);
    }
    out.push_str(text.get(end..).unwrap_or_default());
    out
}

/// Replaces every known secret in JSON, in keys as in values.
pub(crate) fn mask_json(value: &mut Value, secrets: &[Secret]) {
    match value {
        Value::String(text) => *text = mask(text, secrets),
        // A secret of digits may come back as a number.
        Value::Number(number) => {
            let digits = number.to_string();
            let masked = mask(&digits, secrets);
            if masked != digits {
                *value = Value::String(masked);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| mask_json(item, secrets)),
        Value::Object(map) => {
            for (name, mut inner) in std::mem::take(map) {
                mask_json(&mut inner, secrets);
                map.insert(mask(&name, secrets), inner);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// A secret, or a line of one, without white space.
struct Pattern {
    bytes: Vec<u8>,
    /// Whether a match may have white space where the secret has none.
    across_space: bool,
}

fn patterns(secrets: &[Secret]) -> Vec<Pattern> {
    let whole = secrets
        .iter()
        .map(|secret| (secret.expose(), SHORTEST_SECRET));
    // A parser's error quotes the line that it does not understand.
    let lines = secrets
        .iter()
        .flat_map(|secret| secret.expose().lines())
        .map(|line| (line, SHORTEST_LINE));
    whole
        .chain(lines)
        .filter_map(|(text, shortest)| {
            let bytes: Vec<_> = text.bytes().filter(|byte| !is_space(*byte)).collect();
            let across_space = bytes.len() >= SHORTEST_ACROSS_SPACE || bytes.len() < text.len();
            (bytes.len() >= shortest).then_some(Pattern {
                bytes,
                across_space,
            })
        })
        .collect()
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte.is_ascii_control()
}

/// Where secrets stand in the original text, from and to.
fn places(read: &Read, patterns: &[Pattern], depth: usize) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let kept: Vec<_> = (0..read.bytes.len())
        .filter(|at| !is_space(read.bytes[*at]))
        .collect();
    let squeezed: Vec<_> = kept.iter().map(|at| read.bytes[*at]).collect();
    for pattern in patterns {
        let length = pattern.bytes.len();
        for (start, window) in squeezed.windows(length).enumerate() {
            let (first, last) = (kept[start], kept[start + length - 1]);
            let is_whole = last - first + 1 == length;
            // The first byte alone rules most places out.
            if window[0] == pattern.bytes[0]
                && window == pattern.bytes
                && (is_whole || pattern.across_space)
            {
                found.push((read.from[first], read.from[last + 1]));
            }
        }
    }
    if depth > 0 {
        let inner = FORMS.iter().filter_map(|form| read.unescaped(*form));
        found.extend(inner.flat_map(|inner| places(&inner, patterns, depth - 1)));
    }
    found
}

/// A text with the escapes of some forms resolved. Bytes, since `%` escapes need not be UTF-8.
struct Read {
    bytes: Vec<u8>,
    /// For each byte, and for the end: its place in the original text.
    from: Vec<usize>,
}

/// The first byte of an escape, and a function that resolves one: to which bytes, and its length.
type Form = (u8, fn(&[u8]) -> Option<(Vec<u8>, usize)>);

const FORMS: [Form; 4] = [(b'\\', json), (b'%', percent), (b'+', query), (b'&', html)];

impl Read {
    fn plain(text: &str) -> Self {
        Self {
            bytes: text.as_bytes().to_vec(),
            from: (0..=text.len()).collect(),
        }
    }

    fn without_space(&self) -> Self {
        let kept = (0..self.bytes.len()).filter(|at| !is_space(self.bytes[*at]));
        let kept: Vec<_> = kept.collect();
        let places = kept.iter().map(|at| self.from[*at]);
        Self {
            bytes: kept.iter().map(|at| self.bytes[*at]).collect(),
            from: places.chain(self.from.last().copied()).collect(),
        }
    }

    /// The same with one form's escapes resolved; `None` if it has none.
    fn unescaped(&self, (first, resolve): Form) -> Option<Self> {
        if !self.bytes.contains(&first) {
            return None;
        }
        let (mut bytes, mut from) = (Vec::new(), Vec::new());
        let mut at = 0;
        while let Some(byte) = self.bytes.get(at) {
            let (resolved, length) = resolve(&self.bytes[at..]).unwrap_or_else(|| (vec![*byte], 1));
            from.extend(resolved.iter().map(|_| self.from[at]));
            bytes.extend(resolved);
            at += length;
        }
        from.push(self.from[at]);
        Some(Self { bytes, from })
    }
}

fn json(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let byte = match text.strip_prefix(b"\\")?.first()? {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        byte @ (b'"' | b'\\' | b'/' | b'\'') => *byte,
        b'u' => return unicode(text),
        _ => return None,
    };
    Some((vec![byte], 2))
}

/// `\u00fc`, or two of them for one character.
fn unicode(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let unit = |text: &[u8]| {
        let digits = text.strip_prefix(b"\\u")?.get(..4)?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let first = unit(text)?;
    let second = text.get(6..).and_then(unit);
    let character = |units: &[u16]| char::decode_utf16(units.iter().copied()).next()?.ok();
    let (c, length) = match character(&[first]) {
        Some(c) => (c, 6),
        None => (character(&[first, second?])?, 12),
    };
    Some((c.to_string().into_bytes(), length))
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
        mask(text, &secrets)
    }

    #[test]
    fn a_line_break_within_an_escape_hides_nothing() {
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
    fn overlapping_secrets_get_one_mark() {
        let secrets = ["hush", "hush-and-hush", "and-hush-on"];
        assert_eq!(
            masked("(hush)(hush-and-hush-on)", &secrets),
            "(<redacted>)(<redacted>)"
        );
        assert_eq!(masked("hushhush", &["hush"]), "<redacted><redacted>");
    }

    #[test]
    fn white_space_does_not_matter() {
        for (text, secret, shown) in [
            ("a hush 1234 b", "hush\n1234", "a <redacted> b"),
            ("a hush1234 b", "hush\n  1234", "a <redacted> b"),
            (r"a hush\n1234 b", "hush 1234", "a <redacted> b"),
            ("a hush-\r\n\thush b", "hush-hush", "a <redacted> b"),
            (
                "no line:  hush-line-2",
                "line 1\nhush-line-2\n",
                "no line:  <redacted>",
            ),
            // A short secret is not put together from words.
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
    fn escapes_that_are_not_utf8_hide_nothing() {
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
        mask_json(&mut value, &["hush-1", "7734419902"].map(Secret::new));
        assert_eq!(
            value,
            json!({ REDACTED: ["a <redacted>", { "b": 1 }], "pin": REDACTED, "code": 12 })
        );
    }
}
