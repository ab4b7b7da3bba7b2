//! Stable names for secrets: `<token>`, `<session-token>`, `<password-2>`.
//!
//! Two different secrets have different names, one secret has the same name wherever it occurs, and a
//! name says nothing but the place where the secret was seen first. A name that comes back as a value
//! keeps itself: that is how a client goes on with what a tape gave it.

use crate::secret::{REDACTED, Secret};
use crate::transport::mask::replace;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// A shorter value occurs in ordinary text by chance.
const SHORTEST: usize = 4;
/// The longest kind of a secret, in bytes.
const LONGEST_KIND: usize = 40;

/// The names given so far.
#[derive(Default)]
pub(crate) struct Names {
    known: Vec<(Secret, String)>,
    /// What may come back in a reply; it gets a name when it does.
    loose: Vec<Secret>,
    counts: BTreeMap<String, u32>,
    /// All names, those that were given elsewhere too.
    given: BTreeSet<String>,
}

impl Names {
    /// The name of a value; a new one if it has none.
    pub fn of(&mut self, kind: &str, value: &str) -> String {
        if self.given.contains(value) {
            return value.to_owned();
        }
        let known = self
            .known
            .iter()
            .find(|(secret, _)| secret.expose() == value);
        if let Some((_, name)) = known {
            return name.clone();
        }
        let kind = kebab(kind);
        let count = self.counts.entry(kind.clone()).or_default();
        *count += 1;
        let name = match *count {
            1 => format!("<{kind}>"),
            more => format!("<{kind}-{more}>"),
        };
        self.known.push((Secret::new(value), name.clone()));
        self.given.insert(name.clone());
        name
    }

    /// A value that is masked wherever it turns up from now on.
    pub fn watch(&mut self, secret: &Secret) {
        let is_known = |(known, _): &(Secret, String)| known == secret;
        if !secret.is_empty()
            && !self.given.contains(secret.expose())
            && !self.known.iter().any(is_known)
            && !self.loose.contains(secret)
        {
            self.loose.push(secret.clone());
        }
    }

    /// Counts the names in a text that was made elsewhere.
    pub fn reserve_in(&mut self, text: &str) {
        let mut rest = text;
        while let Some((from, to)) = next_name(rest, is_name) {
            self.reserve(&rest[from..to]);
            rest = &rest[to..];
        }
    }

    /// Counts a name that was given elsewhere.
    fn reserve(&mut self, name: &str) {
        let inner = name.trim_start_matches('<').trim_end_matches('>');
        let numbered = inner.rsplit_once('-');
        let numbered = numbered.and_then(|(kind, number)| Some((kind, number.parse().ok()?)));
        let (kind, number): (&str, u32) = numbered.unwrap_or((inner, 1));
        let count = self.counts.entry(kind.to_owned()).or_default();
        *count = (*count).max(number);
        self.given.insert(name.to_owned());
    }

    /// Puts names in the place of the marks in a text whose original is known. If the two do not fit,
    /// the marks stay.
    pub fn put_in(&mut self, masked: &str, original: &str, kind: Option<&str>) -> String {
        if let Some(named) = self.try_put_in(masked, original, kind) {
            return named;
        }
        // An address is shown as a reader of addresses writes it.
        let read = reqwest::Url::parse(original.trim()).ok();
        let named = read.and_then(|read| self.try_put_in(masked, read.as_str(), kind));
        named.unwrap_or_else(|| masked.to_owned())
    }

    fn try_put_in(&mut self, masked: &str, original: &str, kind: Option<&str>) -> Option<String> {
        let mut pieces = masked.split(REDACTED);
        let first = pieces.next().unwrap_or_default();
        let mut rest = original.strip_prefix(first)?;
        let mut pieces = pieces.peekable();
        if pieces.peek().is_none() {
            return (original == masked).then(|| masked.to_owned());
        }
        let mut values = Vec::new();
        while let Some(piece) = pieces.next() {
            let at = match pieces.peek() {
                None => rest.strip_suffix(piece).map(str::len),
                // Nothing between two marks tells where one ends.
                Some(_) if piece.is_empty() => None,
                Some(_) => rest.find(piece),
            };
            let at = at?;
            let (value, behind) = (rest.get(..at)?, rest.get(at + piece.len()..)?);
            values.push((value, piece));
            rest = behind;
        }
        let mut out = first.to_owned();
        for (value, piece) in values {
            let place = word_before(&out).to_owned();
            let unquoted = value.trim_matches(['"', '\'']);
            out.push_str(&match unquoted.is_empty() {
                true => REDACTED.to_owned(),
                false => self.of(kind.unwrap_or(&place), unquoted),
            });
            out.push_str(piece);
        }
        Some(out)
    }

    /// Puts names in the place of what is secret in JSON whose original is known.
    pub fn put_in_json(&mut self, masked: &mut Value, original: &Value, kind: &str) {
        match (masked, original) {
            (Value::String(text), original) if text == REDACTED => {
                let value = match original {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                if !value.is_empty() {
                    *text = self.of(kind, &value);
                }
            }
            (Value::String(text), Value::String(original)) if text.contains(REDACTED) => {
                *text = self.put_in(text, original, None);
            }
            (Value::Array(items), Value::Array(originals)) => {
                for (item, original) in items.iter_mut().zip(originals) {
                    self.put_in_json(item, original, kind);
                }
            }
            (Value::Object(map), Value::Object(originals)) => {
                // In `{key: NAME, value: …}` it is the key that says what the value is.
                let variable = ["key", "name"]
                    .iter()
                    .find_map(|key| map.get(*key)?.as_str());
                let variable = variable.map(str::to_owned);
                for (key, item) in map.iter_mut() {
                    let kind = match &variable {
                        Some(variable) if key == "value" => variable,
                        _ => key,
                    };
                    if let Some(original) = originals.get(key) {
                        self.put_in_json(item, original, kind);
                    }
                }
            }
            _ => {}
        }
    }

    /// A text with every secret that is known replaced by its name. `shortest` is how long one has to
    /// be to be looked for within a longer text.
    pub fn mask(&mut self, text: &str, shortest: usize) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        // What stands between names: in them no secret is looked for.
        while let Some((from, to)) = next_name(rest, |name| self.given.contains(name)) {
            out.push_str(&self.mask_plain(&rest[..from], shortest));
            out.push_str(&rest[from..to]);
            rest = &rest[to..];
        }
        out.push_str(&self.mask_plain(rest, shortest));
        out
    }

    fn mask_plain(&mut self, text: &str, shortest: usize) -> String {
        let known: Vec<Secret> = self
            .known
            .iter()
            .map(|(secret, _)| secret.clone())
            .collect();
        let all: Vec<Secret> = known
            .into_iter()
            .chain(self.loose.iter().cloned())
            .collect();
        let counts = |secret: &&Secret| {
            let secret = secret.expose();
            secret.len() >= shortest || (secret.len() >= SHORTEST && secret == text)
        };
        let values: Vec<&str> = all.iter().filter(counts).map(Secret::expose).collect();
        replace(text, &values, |which| {
            self.of("secret", values.get(which).copied().unwrap_or_default())
        })
    }

    /// A text that a test wants to see although it was marked as secret: credentials in it stay names.
    pub fn mask_but(&mut self, text: &str) -> String {
        // What was only watched is the text itself.
        let loose = std::mem::take(&mut self.loose);
        self.known.retain(|(secret, _)| secret.expose() != text);
        let shown = self.mask(text, SHORTEST);
        self.loose = loose;
        shown
    }

    /// The same for all texts in JSON, keys and numbers too.
    pub fn mask_json(&mut self, value: &mut Value, shortest: usize) {
        match value {
            Value::String(text) => *text = self.mask(text, shortest),
            Value::Number(number) => {
                let digits = number.to_string();
                let masked = self.mask(&digits, shortest);
                if masked != digits {
                    *value = Value::String(masked);
                }
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.mask_json(item, shortest)),
            Value::Object(map) => {
                for (name, mut inner) in std::mem::take(map) {
                    self.mask_json(&mut inner, shortest);
                    map.insert(self.mask(&name, shortest), inner);
                }
            }
            _ => {}
        }
    }
}

/// Whether a text is a name that stands for a value: `<session-token-2>`.
pub(crate) fn is_name(text: &str) -> bool {
    let inner = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'));
    inner.is_some_and(|inner| {
        inner.starts_with(|c: char| c.is_ascii_lowercase())
            && inner
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    })
}

/// Where the next name stands in a text.
fn next_name(text: &str, is_name: impl Fn(&str) -> bool) -> Option<(usize, usize)> {
    text.match_indices('<').find_map(|(from, _)| {
        let to = from + text.get(from..)?.find('>')? + 1;
        is_name(text.get(from..to)?).then_some((from, to))
    })
}

/// `sessionToken` and `SESSION_TOKEN` are `session-token`.
fn kebab(text: &str) -> String {
    let mut out = String::new();
    let mut was_lower = false;
    for c in text.chars().take(LONGEST_KIND) {
        if c.is_ascii_alphanumeric() {
            if c.is_ascii_uppercase() && was_lower {
                out.push('-');
            }
            was_lower = c.is_ascii_lowercase();
            out.push(c.to_ascii_lowercase());
        } else {
            was_lower = false;
            if !out.is_empty() && !out.ends_with('-') {
                out.push('-');
            }
        }
    }
    let out = out.trim_end_matches('-');
    // A number at the end is that of the secret, not of its kind.
    let out = out.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
    match out.starts_with(|c: char| c.is_ascii_lowercase()) && out != "redacted" {
        true => out.to_owned(),
        false => "secret".to_owned(),
    }
}

/// The word in front of a value: `password` in `password: "`, `k` in `?k=`.
fn word_before(text: &str) -> &str {
    if text.ends_with("://") {
        return "login";
    }
    let line = text
        .rsplit(['\n', '{', ',', '&', '?', ';'])
        .next()
        .unwrap_or_default();
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let line = line.trim_end_matches(|c: char| !is_of_word(c));
    let from = line.rfind(|c: char| !is_of_word(c)).map_or(0, |at| {
        at + line
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(1, char::len_utf8)
    });
    line.get(from..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_secret_one_name() {
        let mut names = Names::default();
        assert_eq!(names.of("sessionToken", "abcdef"), "<session-token>");
        assert_eq!(names.of("SESSION_TOKEN", "ghijkl"), "<session-token-2>");
        assert_eq!(names.of("password", "abcdef"), "<session-token>");
        assert_eq!(names.of("", "x1"), "<secret>");
        let text = names.mask("a abcdef b %67hijkl <session-token>", 4);
        assert_eq!(
            text,
            "a <session-token> b <session-token-2> <session-token>"
        );
    }

    #[test]
    fn a_name_that_comes_back_is_itself() {
        let mut names = Names::default();
        names.reserve_in("Bearer <token-2>");
        assert_eq!(names.of("token", "<token-2>"), "<token-2>");
        assert_eq!(names.of("token", "fresh"), "<token-3>");
        for (text, name) in [
            ("<a-1>", true),
            ("<1>", false),
            ("<A>", false),
            ("<>", false),
        ] {
            assert_eq!(is_name(text), name, "{text}");
        }
    }

    #[test]
    fn marks_get_the_name_of_their_place() {
        let mut names = Names::default();
        let masked = "https://<redacted>@a.example/x?key=<redacted>&n=1";
        let original = "https://me:hush1@a.example/x?key=hush2&n=1";
        assert_eq!(
            names.put_in(masked, original, None),
            "https://<login>@a.example/x?key=<key>&n=1"
        );
        let yaml = "a:\n  apiToken: <redacted>\n  b: 1\n";
        let original = "a:\n  apiToken: \"hush3\"\n  b: 1\n";
        assert_eq!(
            names.put_in(yaml, original, None),
            "a:\n  apiToken: <api-token>\n  b: 1\n"
        );
        // What does not fit keeps its marks.
        assert_eq!(names.put_in(masked, "other", None), masked);
        assert_eq!(
            names.put_in("<redacted><redacted>", "ab", None),
            "<redacted><redacted>"
        );
    }

    #[test]
    fn json_has_names_by_its_keys() {
        let mut names = Names::default();
        let original = json!({ "env": [{ "key": "DB_PASSWORD", "value": "hush" }], "pin": 1234567, "again": "hush" });
        let mut masked = json!({ "env": [{ "key": "DB_PASSWORD", "value": REDACTED }], "pin": REDACTED, "again": "hush" });
        names.put_in_json(&mut masked, &original, "");
        names.mask_json(&mut masked, 4);
        assert_eq!(
            masked,
            json!({ "env": [{ "key": "DB_PASSWORD", "value": "<db-password>" }], "pin": "<pin>", "again": "<db-password>" })
        );
    }
}
