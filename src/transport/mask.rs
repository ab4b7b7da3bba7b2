//! Leaving known secrets out of what a platform says.
//!
//! A reply repeats a secret in the form in which it was quoted: as it is, in JSON within a text, in an
//! address, in a web page; or in one of these within another.

use crate::secret::{REDACTED, Secret};
use serde_json::Value;

/// A shorter value occurs in ordinary text by chance.
const SHORTEST_SECRET: usize = 4;
/// How many forms may be around each other: the body, as JSON, on a page.
const DEPTH: usize = 2;

/// A text from the platform with every known secret left out.
pub(crate) fn mask(text: &str, secrets: &[Secret]) -> String {
    let secrets: Vec<_> = secrets
        .iter()
        .map(Secret::expose)
        .filter(|secret| secret.len() >= SHORTEST_SECRET)
        .collect();
    replace(text, &secrets, |_| REDACTED.to_owned())
}

/// A text with every one of these values, in whatever form it is quoted, replaced by its name.
pub(crate) fn replace(
    text: &str,
    values: &[&str],
    mut name: impl FnMut(usize) -> String,
) -> String {
    let mut places = places(text.as_bytes(), values, DEPTH);
    // Of two that begin at the same place, the longer one gives the name.
    places.sort_unstable_by_key(|(from, to, _)| (*from, std::cmp::Reverse(*to)));
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (from, to, value) in places {
        // Of two that overlap, such as a secret and one that begins with it, the union is left out.
        if from >= end {
            out.push_str(text.get(end..from).unwrap_or_default());
            out.push_str(&name(value));
        }
        end = end.max(to);
    }
    out.push_str(text.get(end..).unwrap_or_default());
    out
}

/// JSON from the platform with every known secret left out.
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
            // Names too: some platforms answer with what was wrong as a key.
            for (name, mut inner) in std::mem::take(map) {
                mask_json(&mut inner, secrets);
                map.insert(mask(&name, secrets), inner);
            }
        }
        _ => {}
    }
}

/// Where secrets stand in a text, in any form: from, to, which.
///
/// Bytes, because the escapes of an address need not make a text.
fn places(text: &[u8], secrets: &[&str], depth: usize) -> Vec<(usize, usize, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    for chunk in text.utf8_chunks() {
        for (which, secret) in secrets.iter().enumerate() {
            let matches = chunk.valid().match_indices(secret);
            found.extend(matches.map(|(at, _)| (start + at, start + at + secret.len(), which)));
        }
        start += chunk.valid().len() + chunk.invalid().len();
    }
    if depth > 0 {
        for form in FORMS {
            if let Some(read) = Read::of(text, form) {
                let inner = places(&read.bytes, secrets, depth - 1).into_iter();
                found
                    .extend(inner.map(|(from, to, which)| (read.from[from], read.from[to], which)));
            }
        }
    }
    found
}

/// A text with the escapes of one form resolved.
struct Read {
    bytes: Vec<u8>,
    /// For each of them, and for their end, where in the original that stands.
    from: Vec<usize>,
}

/// With what an escape begins, and how one is resolved: what it stands for, and its length.
type Form = (u8, fn(&[u8]) -> Option<(Vec<u8>, usize)>);

const FORMS: [Form; 4] = [(b'\\', json), (b'%', address), (b'+', query), (b'&', page)];

impl Read {
    /// `None` if there is no escape in the text.
    fn of(text: &[u8], (first, resolve): Form) -> Option<Self> {
        if !text.contains(&first) {
            return None;
        }
        // A query has the escapes of an address, too.
        let is_first = |byte: &u8| *byte == first || (first == b'+' && *byte == b'%');
        let mut bytes = Vec::with_capacity(text.len());
        let mut from = Vec::with_capacity(text.len() + 1);
        let mut at = 0;
        while at < text.len() {
            let plain = text[at..].iter().position(is_first);
            let plain = plain.map_or(text.len(), |plain| at + plain);
            bytes.extend_from_slice(&text[at..plain]);
            from.extend(at..plain);
            at = plain;
            if let Some(byte) = text.get(at) {
                let (resolved, length) = resolve(&text[at..]).unwrap_or_else(|| (vec![*byte], 1));
                from.extend(resolved.iter().map(|_| at));
                bytes.extend(resolved);
                at += length;
            }
        }
        from.push(at);
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

fn address(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let digits = std::str::from_utf8(text.strip_prefix(b"%")?.get(..2)?).ok()?;
    let byte = u8::from_str_radix(digits, 16).ok()?;
    Some((vec![byte], 3))
}

/// As an address, with `+` for a space.
fn query(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    match text.first() {
        Some(b'+') => Some((vec![b' '], 1)),
        _ => address(text),
    }
}

fn page(text: &[u8]) -> Option<(Vec<u8>, usize)> {
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
    fn a_repeated_secret_is_masked() {
        let text = "no session dCf0NdAQ64j6 at all";
        let shown = "no session <redacted> at all";
        assert_eq!(masked(text, &["dCf0NdAQ64j6", "a"]), shown);
        assert_eq!(masked(shown, &["dCf0NdAQ64j6"]), shown);
    }

    #[test]
    fn of_two_that_overlap_nothing_is_left() {
        let secrets = ["hush", "hush-and-hush", "and-hush-on"];
        assert_eq!(
            masked("(hush)(hush-and-hush-on)", &secrets),
            "(<redacted>)(<redacted>)"
        );
        assert_eq!(masked("hushhush", &["hush"]), "<redacted><redacted>");
    }

    #[test]
    fn every_form_in_which_it_is_quoted() {
        let secret = "\"q\\b+p/s=e&a%<l>' ü𝄞";
        for quoted in [
            secret.to_owned(),
            r#"\"q\\b+p/s=e&a%<l>' ü𝄞"#.to_owned(),
            r#"\"q\\b+p\/s=e&a%<l>' \u00fc\ud834\udd1e"#.to_owned(),
            "%22q%5cb%2Bp%2Fs%3De%26a%25%3Cl%3E%27%20%C3%BC%F0%9D%84%9E".to_owned(),
            "%22q%5Cb%2Bp%2Fs%3De%26a%25%3Cl%3E'+ü𝄞".to_owned(),
            "&quot;q\\b+p/s=e&amp;a%&lt;l&gt;&#39; ü𝄞".to_owned(),
            // On a page that quotes JSON, and in JSON that quotes an address.
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
    fn what_is_no_text_is_no_way_out() {
        let text = "%FFa%C3=%68ush%C3 100%\u{fc}";
        assert_eq!(masked(text, &["hush"]), "%FFa%C3=<redacted>%C3 100%\u{fc}");
        assert_eq!(
            masked("\\ud834hush\\ud834", &["hush"]),
            "\\ud834<redacted>\\ud834"
        );
    }

    #[test]
    fn digits_are_masked_in_a_number_too() {
        let mut value = json!({ "pin": 7_734_419_902_u64, "code": 12 });
        mask_json(&mut value, &[Secret::new("7734419902")]);
        assert_eq!(value, json!({ "pin": REDACTED, "code": 12 }));
    }

    #[test]
    fn names_are_masked_as_values_are() {
        let mut value = json!({ "hush-1": ["a hush-1", { "b": 1 }] });
        mask_json(&mut value, &[Secret::new("hush-1")]);
        assert_eq!(value, json!({ REDACTED: ["a <redacted>", { "b": 1 }] }));
    }
}
