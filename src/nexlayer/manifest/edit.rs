//! Edits scalars of a manifest in place.

use super::yaml::{self, Node};
use super::{Manifest, Rule, Warning};
use crate::error::{Error, Result};
use serde_json::Value;
use serde_saphyr::Spanned;
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span, options};
use std::ops::Range;

/// Edits in place. Comments, the order of keys, and the spelling of all other values stay.
///
/// ```
/// use deploykit::nexlayer::Manifest;
/// let file = "application:\n  name: guestbook\n  pods:\n  - name: web # the page\n    image: 'nginx:1.28'\n    vars: {MODE: live}\n";
/// let mut manifest = Manifest::parse(file)?;
/// let released = manifest.set_image("web", "nginx:1.29")?;
/// manifest.set_var("web", "MODE", "preview: 7")?;
/// assert_eq!(manifest.as_str(), "application:\n  name: guestbook\n  pods:\n  - name: web # the page\n    image: 'nginx:1.29'\n    vars: {MODE: 'preview: 7'}\n");
///
/// assert_eq!(released, "'nginx:1.28'");
/// manifest.replace("application.pods[web].image", &released)?;
/// manifest.replace("application.pods[0].vars.MODE", "live")?;
/// assert_eq!(manifest.as_str(), file);
/// # Ok::<(), deploykit::Error>(())
/// ```
///
/// A path has the form of [`Warning::path`](super::Warning::path): `application.pods[0].image`. Items of a
/// list can also be selected by their `name` or `key`: `application.pods[web].image`.
///
/// Each method returns the YAML of the replaced scalar, such as `'nginx:1.28'`.
///
/// # Errors
/// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the file has no value at the path, and, with line
/// and column, for an anchor or alias on the path, and for a value that is not a plain or quoted scalar: a
/// block scalar, a map, a list, nothing. The manifest then stays unchanged.
impl Manifest {
    /// Sets the image of a pod: `application.pods[pod].image`. See [`set`](Self::set).
    pub fn set_image(&mut self, pod: &str, image: &str) -> Result<String> {
        self.set(&format!("application.pods[{pod}].image"), image)
    }

    /// Sets a variable of a pod: `application.pods[pod].vars.name`. See [`set`](Self::set).
    pub fn set_var(&mut self, pod: &str, name: &str, value: &str) -> Result<String> {
        self.set(&format!("application.pods[{pod}].vars.{name}"), value)
    }

    /// Sets a plain or quoted scalar.
    ///
    /// The scalar keeps its quotes. It gets others if they cannot contain the value. A plain scalar gets
    /// quotes if a parser could read the value as something else than a string: `yes`, `1.10`,
    /// `2026-12-01`. A number or boolean stays plain where it replaces one, except in a variable or another
    /// field that is a string.
    pub fn set(&mut self, path: &str, value: &str) -> Result<String> {
        self.write(path, value, false)
    }

    /// Replaces a plain or quoted scalar with YAML that is written as it is.
    ///
    /// With the result of an earlier edit, it restores the file.
    pub fn replace(&mut self, path: &str, yaml: &str) -> Result<String> {
        self.write(path, yaml, true)
    }

    /// Replaces a scalar, if nothing else changes.
    fn write(&mut self, path: &str, value: &str, as_yaml: bool) -> Result<String> {
        let text = yaml::without_byte_order_mark(&self.text);
        let (mark, text) = self.text.split_at(self.text.len() - text.len());
        let parts = parse(text);
        let at = find(text, &parts, path)?;
        let (range, _) = scalar(text, &parts[at])?;
        let (before, after) = (&text[..range.start], &text[range.end..]);
        let old = text[range].to_owned();
        let stays_typed = keeps_type(&old, value) && !self.is_string(path, place(&parts[at]));
        let edited = spellings(&old, value, as_yaml, stays_typed)
            .into_iter()
            .find_map(|yaml| {
                let edited = Self::parse(format!("{mark}{before}{yaml}{after}")).ok()?;
                let text = &edited.text[mark.len()..];
                let new = parse(text);
                let (range, read) = scalar(text, new.get(at)?).ok()?;
                let mut pairs = new.iter().zip(&parts).enumerate();
                let is_sound = text[range] == yaml
                    && (as_yaml || read == value)
                    && new.len() == parts.len()
                    && pairs.all(|(index, (new, old))| index == at || new.0 == old.0);
                is_sound.then(|| edited.clone())
            });
        match edited {
            Some(edited) => *self = edited,
            None => return refuse(&parts[at], "the value cannot be written there"),
        }
        Ok(old)
    }

    /// Whether the value at this path, which is a plain number or boolean, should be a string.
    fn is_string(&self, path: &str, at: (u64, u64)) -> bool {
        let mut steps = path.split(['.', '[']);
        let is_at = |one: &Warning| one.rule == Rule::UnquotedText && (one.line, one.column) == at;
        steps.any(|step| ["vars", "env"].contains(&step)) || self.lint().iter().any(is_at)
    }
}

/// The spellings of a value that may replace the scalar `old`, the preferred one first.
fn spellings(old: &str, value: &str, as_yaml: bool, stays_typed: bool) -> Vec<String> {
    let single = format!("'{}'", value.replace('\'', "''"));
    let double = Value::from(value).to_string();
    match old.as_bytes() {
        _ if as_yaml => vec![value.to_owned()],
        [b'"', ..] => vec![double],
        [b'\'', ..] => vec![single, double],
        _ if stays_typed || is_text(value) => vec![value.to_owned(), single, double],
        _ => vec![single, double],
    }
}

/// An event of the parser, and its place.
type Part<'t> = (Event<'t>, Span);

/// An event for an anchor follows that of its value.
fn parse(text: &str) -> Vec<Part<'_>> {
    let options = options! { emit_anchor_events: true };
    let parts = Parser::new_from_str_with_options(text, options);
    parts.map_while(|part| part.ok()).collect()
}

/// Line and column.
fn place((_, Span { start, .. }): &Part<'_>) -> (u64, u64) {
    (start.line() as u64, start.col() as u64 + 1)
}

fn refuse<T>(part: &Part<'_>, problem: &str) -> Result<T> {
    let (line, column) = place(part);
    let message = format!("the manifest was not edited at line {line}, column {column}: {problem}");
    Err(Error::invalid_request(message))
}

/// The range and the value of a plain or quoted scalar.
fn scalar<'p>(text: &str, part: &'p Part<'_>) -> Result<(Range<usize>, &'p str)> {
    let start = part.1.byte_range().unwrap_or_default().start;
    let end = start + part.1.slice(text).unwrap_or_default().trim_end().len();
    if let Event::Scalar(value, style, ..) = &part.0
        && !matches!(style, ScalarStyle::Literal | ScalarStyle::Folded)
        && start < end
    {
        return Ok((start..end, value));
    }
    refuse(part, "only plain and quoted scalars can be edited")
}

/// Whether all YAML parsers read a plain scalar as a string, also those of YAML 1.1.
fn is_text(plain: &str) -> bool {
    let options = serde_saphyr::ser_options! { prefer_block_scalars: false };
    let written = serde_saphyr::to_string_with_options(&plain, options);
    written.is_ok_and(|written| written.trim_end() == plain)
}

/// Whether both are numbers or booleans, and the new one is written as in JSON and without an exponent: all
/// parsers read that alike.
fn keeps_type(old: &str, new: &str) -> bool {
    let json = |plain| yaml::parse::<Node>(plain).map_or(Value::Null, |node| node.to_json());
    let (old, read) = (json(old), json(new));
    let is_json = read.is_boolean() || read.is_number() && !new.contains('e');
    let written = read.to_string();
    (old.is_number() || old.is_boolean()) && is_json && written == new
}

/// The index of a value. Refuses anchors and aliases on its path.
fn find(text: &str, parts: &[Part<'_>], path: &str) -> Result<usize> {
    let (root, mut found) = (yaml::parse(text)?, None);
    for step in steps(&root, path).iter().flatten().rev() {
        let at = (step.referenced.line(), step.referenced.column());
        found = parts.iter().position(|part| place(part) == at);
        let own = &parts[found.unwrap_or(parts.len())..];
        let alias = own.first().filter(|_| step.referenced != step.defined);
        let anchor = own
            .get(1)
            .filter(|(event, _)| matches!(event, Event::Anchor(..)));
        if let Some(part) = alias.or(anchor) {
            return refuse(part, "anchors and aliases cannot be edited");
        }
    }
    found.ok_or_else(|| Error::invalid_request(format!("the manifest has no {path}")))
}

/// The values on a path, from the last to the first.
fn steps<'n>(from: &'n Spanned<Node>, path: &str) -> Option<Vec<&'n Spanned<Node>>> {
    let mut found = match &from.value {
        _ if path.is_empty() => Some(Vec::new()),
        Node::Map(entries) => entries.iter().find_map(|(key, value)| {
            // A key may contain dots.
            let rest = path.strip_prefix('.').unwrap_or(path).strip_prefix(&key.value)?;
            let is_key = rest.is_empty() || rest.starts_with(['.', '[']);
            is_key.then(|| steps(value, rest))?
        }),
        Node::List(items) => items.iter().enumerate().find_map(|(index, item)| {
            let (selector, rest) = path.strip_prefix('[')?.split_once(']')?;
            let has = |key| matches!(item.value.get(key), Some(Node::Scalar(name)) if name.text == selector);
            let is_selected = selector == index.to_string() || has("name") || has("key");
            is_selected.then(|| steps(item, rest))?
        }),
        Node::Scalar(_) => None,
    }?;
    found.push(from);
    Some(found)
}
