//! Stable names for secrets: `<token>`, `<session-token>`, `<password-2>`.
//!
//! Two different secrets have different names, one secret has the same name wherever it occurs, and a
//! name says nothing but the place where the secret was seen first.

use crate::secret::{REDACTED, Secret};
use crate::transport::redact::{holds_variables, sounds_secret};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What calls a value by its name.
pub(super) const LABELS: [&str; 2] = ["key", "name"];
/// Where in an address somebody logs in.
const LOGIN: &str = "login";
/// The longest kind of a secret, in bytes.
const LONGEST_KIND: usize = 40;
/// A number that is larger was given by nobody.
const LARGEST_NUMBER: u32 = 1_000_000;

/// How likely a hidden value stands elsewhere without being meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// A credential.
    Secret,
    /// A variable of a program, or what a caller added by hand: mostly a word or a number.
    Setting,
}

impl Sort {
    /// That of a value with this name.
    pub fn by_name(name: &str) -> Self {
        match sounds_secret(name) {
            true => Self::Secret,
            false => Self::Setting,
        }
    }
}

pub(super) struct Known {
    pub secret: Secret,
    pub name: String,
    pub sort: Sort,
}

/// The names given so far.
#[derive(Default)]
pub(crate) struct Names {
    pub(super) known: Vec<Known>,
    /// What may come back in a reply; it gets a name when it does.
    pub(super) loose: Vec<Secret>,
    counts: BTreeMap<String, u32>,
    /// All names, those that were given elsewhere too.
    pub(super) given: BTreeSet<String>,
}

impl Names {
    /// The name of a secret; a new one if it has none.
    pub fn of(&mut self, kind: &str, value: &str) -> String {
        self.named(kind, value, Sort::Secret)
    }

    /// The name of a value of this sort; a new one if it has none.
    pub fn named(&mut self, kind: &str, value: &str, sort: Sort) -> String {
        if self.given.contains(value) {
            return value.to_owned();
        }
        let mut known = self.known.iter_mut();
        if let Some(known) = known.find(|known| known.secret.expose() == value) {
            if sort == Sort::Secret {
                known.sort = sort;
            }
            return known.name.clone();
        }
        let kind = kebab(kind);
        let count = self.counts.entry(kind.clone()).or_default();
        *count = count.saturating_add(1);
        let name = match *count {
            1 => format!("<{kind}>"),
            more => format!("<{kind}-{more}>"),
        };
        self.known.push(Known {
            secret: Secret::new(value),
            name: name.clone(),
            sort,
        });
        self.given.insert(name.clone());
        name
    }

    /// A value that is masked wherever it turns up from now on.
    pub fn watch(&mut self, secret: &Secret) {
        if !secret.is_empty()
            && !self.given.contains(secret.expose())
            && !self.known.iter().any(|known| known.secret == *secret)
            && !self.loose.contains(secret)
        {
            self.loose.push(secret.clone());
        }
    }

    /// Counts the names in a text that was made elsewhere, and keeps them as they are.
    pub fn reserve_in(&mut self, text: &str) {
        for name in names_in(text) {
            self.count(name);
            self.given.insert(name.to_owned());
        }
    }

    /// Runs `name` with no name given that stands in `text` already. What of it comes out counts on, as
    /// it does for who reads that alone.
    pub fn avoiding<T: ToString>(&mut self, text: &str, name: impl FnOnce(&mut Self) -> T) -> T {
        let counts = self.counts.clone();
        for name in names_in(text) {
            self.count(name);
        }
        let named = name(self);
        self.counts = counts;
        self.reserve_in(&named.to_string());
        named
    }

    fn count(&mut self, name: &str) {
        let inner = name.trim_start_matches('<').trim_end_matches('>');
        let numbered = inner.rsplit_once('-');
        let numbered = numbered.and_then(|(kind, number)| Some((kind, number.parse().ok()?)));
        let (kind, number): (&str, u32) = numbered.unwrap_or((inner, 1));
        if number <= LARGEST_NUMBER {
            let count = self.counts.entry(kind.to_owned()).or_default();
            *count = (*count).max(number);
        }
    }

    /// Puts names in the place of the marks in a text whose original is known. If the two do not fit,
    /// the marks stay. Where they stand tells the sort of a value, unless all are settings.
    pub fn put_in(&mut self, masked: &str, original: &str, sort: Sort) -> String {
        if let Some(named) = self.try_put_in(masked, original, sort) {
            return named;
        }
        // An address is shown as a reader of addresses writes it.
        let read = reqwest::Url::parse(original.trim()).ok();
        let named = read.and_then(|read| self.try_put_in(masked, read.as_str(), sort));
        named.unwrap_or_else(|| masked.to_owned())
    }

    fn try_put_in(&mut self, masked: &str, original: &str, sort: Sort) -> Option<String> {
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
            let sort = match (sort, place.as_str()) {
                (Sort::Secret, LOGIN) => sort,
                (Sort::Secret, place) => Sort::by_name(place),
                (Sort::Setting, _) => sort,
            };
            out.push_str(&match unquoted.is_empty() {
                true => REDACTED.to_owned(),
                false => self.named(&place, unquoted, sort),
            });
            out.push_str(piece);
        }
        Some(out)
    }

    /// Puts names in the place of what is secret in JSON whose original is known.
    pub fn put_in_json(&mut self, masked: &mut Value, original: &Value, kind: &str, sort: Sort) {
        match (masked, original) {
            (Value::String(text), original) if text == REDACTED => {
                let value = match original {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                if !value.is_empty() {
                    *text = self.named(kind, &value, Sort::by_name(kind));
                }
            }
            (Value::String(text), Value::String(original)) if text.contains(REDACTED) => {
                *text = self.put_in(text, original, sort);
            }
            (Value::Array(items), Value::Array(originals)) => {
                for (item, original) in items.iter_mut().zip(originals) {
                    self.put_in_json(item, original, kind, sort);
                }
            }
            (Value::Object(map), Value::Object(originals)) => {
                let variable = label_of(map);
                for (key, item) in map.iter_mut() {
                    let (kind, sort) = match &variable {
                        Some(variable) if key == "value" => (variable, Sort::Setting),
                        _ if holds_variables(key) => (key, Sort::Setting),
                        // Variables, too, by their names.
                        _ if key == "secrets" && item.is_object() => (key, Sort::Setting),
                        _ => (key, sort),
                    };
                    if let Some(original) = originals.get(key) {
                        self.put_in_json(item, original, kind, sort);
                    }
                }
            }
            _ => {}
        }
    }
}

/// In `{key: NAME, value: …}` it is the key that says what the value is.
pub(super) fn label_of(map: &Map<String, Value>) -> Option<String> {
    let label = LABELS.iter().find_map(|key| map.get(*key)?.as_str());
    label.map(str::to_owned)
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

/// All names in a text.
pub(super) fn names_in(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (from, to) = next_name(rest, is_name)?;
        let name = &rest[from..to];
        rest = &rest[to..];
        Some(name)
    })
}

/// Where the next name stands in a text.
pub(super) fn next_name(text: &str, is_name: impl Fn(&str) -> bool) -> Option<(usize, usize)> {
    text.match_indices('<').find_map(|(from, _)| {
        let to = from + text.get(from..)?.find('>')? + 1;
        is_name(text.get(from..to)?).then_some((from, to))
    })
}

/// `sessionToken` and `SESSION_TOKEN` are `session-token`.
pub(super) fn kebab(text: &str) -> String {
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
        return LOGIN;
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
    use crate::testing::masked::Place;
    use serde_json::json;

    #[test]
    fn one_secret_one_name() {
        let mut names = Names::default();
        assert_eq!(names.of("sessionToken", "abcdef"), "<session-token>");
        assert_eq!(names.of("SESSION_TOKEN", "ghijkl"), "<session-token-2>");
        assert_eq!(names.of("password", "abcdef"), "<session-token>");
        assert_eq!(names.of("", "x1"), "<secret>");
        let text = names.mask("a abcdef b %67hijkl <session-token>", Place::Reply);
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
            names.put_in(masked, original, Sort::Secret),
            "https://<login>@a.example/x?key=<key>&n=1"
        );
        let yaml = "a:\n  apiToken: <redacted>\n  b: 1\n";
        let original = "a:\n  apiToken: \"hush3\"\n  b: 1\n";
        assert_eq!(
            names.put_in(yaml, original, Sort::Secret),
            "a:\n  apiToken: <api-token>\n  b: 1\n"
        );
        // What does not fit keeps its marks.
        assert_eq!(names.put_in(masked, "other", Sort::Secret), masked);
        assert_eq!(
            names.put_in("<redacted><redacted>", "ab", Sort::Secret),
            "<redacted><redacted>"
        );
    }

    #[test]
    fn json_has_names_by_its_keys() {
        let mut names = Names::default();
        let original = json!({ "env": [{ "key": "DB_PASSWORD", "value": "hush" }], "pin": 1234567, "again": "hush" });
        let mut masked = json!({ "env": [{ "key": "DB_PASSWORD", "value": REDACTED }], "pin": REDACTED, "again": "hush" });
        names.put_in_json(&mut masked, &original, "", Sort::Secret);
        names.mask_json(&mut masked, Place::Request);
        assert_eq!(
            masked,
            json!({ "env": [{ "key": "DB_PASSWORD", "value": "<db-password>" }], "pin": "<pin>", "again": "<db-password>" })
        );
    }

    #[test]
    fn where_a_value_stands_tells_its_sort() {
        let mut names = Names::default();
        let original = json!({ "env": { "MY_TOKEN": "on-1", "MODE": "on-5" }, "secrets": { "A_KEY": "on-2" }, "password": "hush-1",
            "vars": [{ "key": "PASSWORD", "value": "on-3" }], "url": "https://me:hush-2@a.example/?mode=on-4&key=hush-3" });
        let mut masked = json!({ "env": { "MY_TOKEN": REDACTED, "MODE": REDACTED }, "secrets": { "A_KEY": REDACTED }, "password": REDACTED,
            "vars": [{ "key": "PASSWORD", "value": REDACTED }], "url": "https://<redacted>@a.example/?mode=<redacted>&key=<redacted>" });
        names.put_in_json(&mut masked, &original, "", Sort::Secret);
        assert!(!masked.to_string().contains("redacted"), "{masked}");
        assert_eq!(
            names.mask(
                "on-1 on-2 on-3 on-4 on-5 hush-1 me:hush-2 hush-3",
                Place::Reply
            ),
            "<my-token> <a-key> <password-2> on-4 on-5 <password> <login> <key>"
        );
    }

    #[test]
    fn numbers_end_somewhere() {
        let mut names = Names::default();
        names.reserve_in("<id-4294967295> <id-1000001> <id-7> <key-1000000>");
        assert_eq!(names.of("id", "hush-1"), "<id-8>");
        assert_eq!(names.of("key", "hush-2"), "<key-1000001>");
        names.counts.insert("pin".to_owned(), u32::MAX);
        assert_eq!(names.of("pin", "hush-3"), "<pin-4294967295>");
    }
}
