//! A manifest as it may be shown: every byte in its place but the values that are secret.
//!
//! Hidden are
//! - in the entries of `secrets`, everything but what is known to be harmless (name, file name, path);
//! - values whose key speaks of a token, a password, a key or the like, such as
//!   `personalAccessToken` and many a variable, in maps and in `{key, value}` lists;
//! - commands in which one of these words stands: a password is often an argument;
//! - URLs that carry a password;
//! - what was found so, wherever else it stands: in a comment, or within another value.
//!
//! A value that is a placeholder of the platform (`<% … %>`) is no secret and stays. The result is
//! read again: if a secret is still in it, or was in no known place, nothing is shown at all.

use super::manifest::tree::{self, Node, range};
use crate::secret::{REDACTED, Secret};
use crate::transport::redact;
use serde_saphyr::Spanned;

/// Parts of a key that holds something secret, in lower case.
const SECRET_WORDS: [&str; 10] = [
    "token",
    "secret",
    "pass",
    "pwd",
    "dsn",
    "salt",
    "credential",
    "private",
    "auth",
    "key",
];
/// What stands beside the data in an entry of `secrets`.
const HARMLESS: [&str; 5] = ["name", "fileName", "mountPath", "path", "type"];
/// Keys of what a pod runs.
const COMMANDS: [&str; 4] = ["command", "entrypoint", "args", "cmd"];
/// A shorter value occurs elsewhere by chance.
const SHORTEST: usize = 6;

/// The secrets of a manifest: where they stand, and what they are.
#[derive(Default)]
struct Found {
    places: Vec<(usize, usize)>,
    values: Vec<String>,
    /// Single words of commands: in a reply one of them is a secret, in the manifest it may be any.
    words: Vec<String>,
}

/// The text of a manifest with its secrets left out.
pub(super) fn redact(text: &str) -> String {
    shown(text).unwrap_or_else(|| {
        format!(
            "<manifest of {} bytes, not shown: its secrets could not be located>",
            text.len()
        )
    })
}

fn shown(text: &str) -> Option<String> {
    // Places are counted behind the mark.
    let (mark, rest) = match text.strip_prefix('\u{feff}') {
        Some(rest) => ("\u{feff}", rest),
        None => ("", text),
    };
    let root = parse(rest)?;
    let mut found = Found::default();
    find(&root, false, &mut found)?;
    if found.values.is_empty() {
        return Some(text.to_owned());
    }
    let pieces = pieces(&found.values);
    let mut shown = cut(rest, found.places)?;
    for piece in &pieces {
        if shown.contains(piece) {
            shown = shown.replace(piece, REDACTED);
        }
    }
    is_clean(&parse(&shown)?, &pieces).then(|| format!("{mark}{shown}"))
}

/// The secrets of a manifest, line by line and as they are written: a reply may repeat one of them.
pub(super) fn secrets(text: &str) -> Vec<Secret> {
    let text = tree::without_mark(text);
    let mut found = Found::default();
    if let Some(root) = parse(text) {
        // What was found before a place went missing counts too.
        let _ = find(&root, false, &mut found);
    }
    let mut secrets = Vec::new();
    for value in &found.values {
        redact::secrets_of_urls(&value.as_str().into(), &mut secrets);
    }
    let places = found.places.iter();
    let written = places.filter_map(|(from, to)| text.get(*from..*to));
    let written = written.map(|text| text.trim().trim_matches(['"', '\'']).to_owned());
    let mut values = found.values;
    values.extend(written);
    values.extend(found.words);
    secrets.extend(pieces(&values).into_iter().map(Secret::from));
    secrets
}

/// The lines of these values that would say something where they occur once more.
fn pieces(values: &[String]) -> Vec<&str> {
    let mut pieces: Vec<&str> = values
        .iter()
        .flat_map(|value| value.lines().map(str::trim))
        .filter(|piece| is_distinctive(piece))
        .collect();
    // A secret may be a part of another one.
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.len()));
    pieces.dedup();
    pieces
}

fn parse(text: &str) -> Option<Node> {
    Some(tree::parse(text).ok()?.value)
}

/// Whether a piece of a secret says something where it occurs once more: a mere word does not.
fn is_distinctive(piece: &str) -> bool {
    piece.len() >= SHORTEST && !piece.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Puts the mark into these places.
fn cut(text: &str, mut places: Vec<(usize, usize)>) -> Option<String> {
    // The same place may be found twice, by an anchor and its alias.
    places.sort_unstable();
    places.dedup();
    let mut shown = String::with_capacity(text.len());
    let mut end = 0;
    for (from, to) in places {
        shown.push_str(text.get(end..from)?);
        shown.push_str(REDACTED);
        // The place of a block reaches to the start of what follows it.
        end = from + text.get(from..to)?.trim_end().len();
    }
    shown.push_str(text.get(end..)?);
    Some(shown)
}

/// Whether nothing but marks stands where secrets do, and no piece of one anywhere.
fn is_clean(root: &Node, pieces: &[&str]) -> bool {
    let mut left = Found::default();
    find(root, false, &mut left).is_some()
        && left.values.iter().all(|value| value.trim() == REDACTED)
        && !holds(root, pieces)
}

fn holds(node: &Node, pieces: &[&str]) -> bool {
    let in_text = |text: &str| pieces.iter().any(|piece| text.contains(piece));
    match node {
        Node::Scalar(scalar) => in_text(&scalar.text),
        Node::List(items) => items.iter().any(|item| holds(&item.value, pieces)),
        Node::Map(entries) => entries
            .iter()
            .any(|(key, value)| in_text(&key.value) || holds(&value.value, pieces)),
    }
}

/// Collects secrets; `None` if one of them has no place in the text.
fn find(node: &Node, in_secrets: bool, found: &mut Found) -> Option<()> {
    match node {
        Node::Scalar(_) => {}
        Node::List(items) => {
            for item in items {
                look(item, found)?;
                find(&item.value, in_secrets, found)?;
            }
        }
        Node::Map(entries) => {
            let named = entries.iter().find_map(|(key, value)| match &value.value {
                Node::Scalar(name) if key.value == "key" || key.value == "name" => {
                    Some(name.text.as_str())
                }
                _ => None,
            });
            let is_pair = entries.iter().any(|(key, _)| key.value == "value");
            for (key, value) in entries {
                let key = &key.value;
                let is_name = is_pair && key == "key";
                if key.eq_ignore_ascii_case("secrets") {
                    find(&value.value, true, found)?;
                } else if in_secrets && matches!(value.value, Node::Map(_)) && key != "data" {
                    // Entries by name instead of a list of them.
                    find(&value.value, true, found)?;
                } else if in_secrets && !HARMLESS.contains(&key.as_str())
                    || sounds_secret(key) && !is_name
                    || key == "value" && named.is_some_and(sounds_secret)
                {
                    hide_all(value, found)?;
                } else if COMMANDS.contains(&key.as_str())
                    && texts(&value.value).into_iter().any(sounds_secret)
                {
                    let words = texts(&value.value)
                        .into_iter()
                        .flat_map(|text| text.split([' ', '\n', '=']));
                    found
                        .words
                        .extend(words.map(|word| word.trim_matches(['"', '\'']).to_owned()));
                    hide_all(value, found)?;
                } else {
                    look(value, found)?;
                    find(&value.value, false, found)?;
                }
            }
        }
    }
    Some(())
}

/// The texts of a command: one, or a list of them.
fn texts(command: &Node) -> Vec<&str> {
    match command {
        Node::Scalar(scalar) => vec![&scalar.text],
        Node::List(items) => items.iter().flat_map(|item| texts(&item.value)).collect(),
        Node::Map(_) => Vec::new(),
    }
}

/// Hides a scalar if its own form says so.
fn look(value: &Spanned<Node>, found: &mut Found) -> Option<()> {
    match &value.value {
        Node::Scalar(scalar) if crate::secret::masked_url(&scalar.text) != scalar.text => {
            hide(&scalar.text, value, found)
        }
        _ => Some(()),
    }
}

/// Hides everything below a value: secret data is a text, or a map from file to text.
fn hide_all(value: &Spanned<Node>, found: &mut Found) -> Option<()> {
    match &value.value {
        Node::Scalar(scalar) => hide(&scalar.text, value, found),
        Node::List(items) => items.iter().try_for_each(|item| hide_all(item, found)),
        Node::Map(entries) => entries
            .iter()
            .try_for_each(|(_, item)| hide_all(item, found)),
    }
}

fn hide(text: &str, at: &Spanned<Node>, found: &mut Found) -> Option<()> {
    let trimmed = text.trim();
    let placeholder =
        trimmed.starts_with("<%") && trimmed.ends_with("%>") && trimmed.matches("<%").count() == 1;
    if trimmed.is_empty() || placeholder {
        return Some(());
    }
    // Of an alias that is the place of its anchor, where the value is; the alias itself may stay.
    found.places.push(range(at.defined)?);
    found.values.push(text.to_owned());
    Some(())
}

fn sounds_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    SECRET_WORDS.iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown_as(text: &str, shown: &str) {
        assert_eq!(redact(text), shown);
    }

    #[test]
    fn everything_but_the_secrets_stays_in_place() {
        shown_as(
            "# ü a comment\napplication:\n  name: a   # kept\n  registryLogin: {registry: r, personalAccessToken: \"hu\\tsh\"}\n  pods:\n  - name: web\n    vars:\n      URL: <% URL %>\n      DB: postgres://u:hush@db.pod/x\n      PLAIN: postgres://db.pod/x\n      API_KEY: 'hu''sh' # kept\n      PORT: 6379\n      PIN_TOKEN: 1234\n    secrets:\n      - name: s\n        fileName: f\n        data: |\n          hush\n            hush\n        mountPath: /m\n",
            "# ü a comment\napplication:\n  name: a   # kept\n  registryLogin: {registry: r, personalAccessToken: <redacted>}\n  pods:\n  - name: web\n    vars:\n      URL: <% URL %>\n      DB: <redacted>\n      PLAIN: postgres://db.pod/x\n      API_KEY: <redacted> # kept\n      PORT: 6379\n      PIN_TOKEN: <redacted>\n    secrets:\n      - name: s\n        fileName: f\n        data: |\n          <redacted>\n        mountPath: /m\n",
        );
        for untouched in [
            "command: npm start\nargs: [-c, serve]\n",
            "# nothing\n",
            "a: 1\r\n",
            "token: <% A %>\nsecret:\n",
            "",
        ] {
            shown_as(untouched, untouched);
        }
    }

    #[test]
    fn every_way_to_write_a_value() {
        for (text, shown) in [
            ("\u{feff}token: hush-1\n", "\u{feff}token: <redacted>\n"),
            (
                "# ü\nü: ö\ntoken: hush-ü1\nb: ä\n",
                "# ü\nü: ö\ntoken: <redacted>\nb: ä\n",
            ),
            ("\"token\": \"\\u00fch\\n-hush-1\"", "\"token\": <redacted>"),
            ("? token\n: hush-1\n", "? token\n: <redacted>\n"),
            (
                "token: hush-1\n  hush-2\nb: 1\n",
                "token: <redacted>\nb: 1\n",
            ),
            (
                "token: 'hush-1\n\n  hush-2'\nb: 1\n",
                "token: <redacted>\nb: 1\n",
            ),
            (
                "token: \"hush-1 \\\n  hush-2\"\nb: 1\n",
                "token: <redacted>\nb: 1\n",
            ),
            ("token: !!str hush-1\n", "token: !!str <redacted>\n"),
            (
                "--- # x\ntoken: hush-1\n...\n",
                "--- # x\ntoken: <redacted>\n...\n",
            ),
            (
                "{\"a\": {\"token\": \"hush-1\"}}",
                "{\"a\": {\"token\": <redacted>}}",
            ),
            ("token: <% A %>hush<% B %>", "token: <redacted>"),
            (
                "secrets:\r\n- data: |\r\n    hush-1\r\n    hush-2\r\n  name: n\r\n",
                "secrets:\r\n- data: |\r\n    <redacted>\r\n  name: n\r\n",
            ),
            (
                "secrets:\n- data: |2-\n     hush-1\n    hush-2\n\n# kept\n  name: n\n",
                "secrets:\n- data: |2-\n    <redacted>\n\n# kept\n  name: n\n",
            ),
            (
                "secrets:\n- data: >\n    hush-1",
                "secrets:\n- data: >\n    <redacted>",
            ),
        ] {
            shown_as(text, shown);
        }
    }

    #[test]
    fn a_command_that_speaks_of_a_secret() {
        shown_as(
            "command: redis-server --requirepass hush\nentrypoint: [a, --token=hush]\nimage: redis-server\n",
            "command: <redacted>\nentrypoint: [<redacted>, <redacted>]\nimage: redis-server\n",
        );
    }

    #[test]
    fn a_reply_may_repeat_a_part_of_a_secret() {
        let text = "command: redis --requirepass hush-1\ntoken: 'hu''sh-2'\ndb: postgres://u:hush-3@db/x\n";
        let found: Vec<_> = secrets(text)
            .iter()
            .map(|s| s.expose().to_owned())
            .collect();
        for part in ["hush-1", "hu'sh-2", "hu''sh-2", "hush-3"] {
            assert!(
                found.iter().any(|secret| secret == part),
                "{part}: {found:?}"
            );
        }
    }

    #[test]
    fn lists_maps_and_anchors() {
        for (text, shown) in [
            (
                "vars: [{key: DB_PASSWORD, value: hush}, {key: A, value: x}, {name: KEY, value: hush}]",
                "vars: [{key: DB_PASSWORD, value: <redacted>}, {key: A, value: x}, {name: KEY, value: <redacted>}]",
            ),
            (
                "secrets: [{data: {a.txt: hush, b: [hush]}}, {name: a, value: hush}]",
                "secrets: [{data: {a.txt: <redacted>, b: [<redacted>]}}, {name: a, value: <redacted>}]",
            ),
            (
                "secrets: {a: {data: hush, mountPath: /x}}",
                "secrets: {a: {data: <redacted>, mountPath: /x}}",
            ),
            (
                "tokens: [hush, {a: hush}]",
                "tokens: [<redacted>, {a: <redacted>}]",
            ),
            (
                "plain: &p hush\ntoken: *p\n",
                "plain: &p <redacted>\ntoken: *p\n",
            ),
            (
                "d: &d {token: hush}\nvars:\n  <<: *d\n  b: 2\n",
                "d: &d {token: <redacted>}\nvars:\n  <<: *d\n  b: 2\n",
            ),
            (
                "secrets:\n- &s\n  data: hush\n- *s\n",
                "secrets:\n- &s\n  data: <redacted>\n- *s\n",
            ),
        ] {
            shown_as(text, shown);
        }
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_stands() {
        shown_as(
            "token: hush-1\nurl: https://a/?x=hush-1 # hush-1\nhush-1: x\n",
            "token: <redacted>\nurl: <redacted> # <redacted>\n<redacted>: x\n",
        );
        // A word or a number of a few digits is hidden in its own place only.
        shown_as(
            "password: postgres\nimage: postgres\nport_key: 5432\nport: 5432\n",
            "password: <redacted>\nimage: postgres\nport_key: <redacted>\nport: 5432\n",
        );
    }

    #[test]
    fn what_cannot_be_located_is_not_shown() {
        let bomb = "a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n";
        for text in [
            "token: [hush",
            "token: hush\n---\nb: 1\n",
            "token: !!binary aHVzaC0x\n",
            "token: hush-1\nother: \"hu\\x73h-1\"\n",
            bomb,
        ] {
            let shown = format!(
                "<manifest of {} bytes, not shown: its secrets could not be located>",
                text.len()
            );
            shown_as(text, &shown);
        }
    }
}
