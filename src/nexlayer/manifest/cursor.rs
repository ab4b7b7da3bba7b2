//! Reads values of a manifest, and records warnings with path and position.

use super::MAX_WARNINGS;
use super::lints::{AMBIGUOUS, Object, Rule, Warning};
use super::spec::Others;
use super::yaml::Node;
use serde_json::Value;
use serde_saphyr::{Location, Spanned};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

/// Fields that may be null.
pub(super) const NULLABLE: [&str; 3] = ["url", "path", "subdomain"];

/// The text of a manifest and the warnings about it.
pub(super) struct Source<'t> {
    pub(super) text: &'t str,
    /// Warnings by rule. Each rule has its own limit, so that many warnings of one rule do not displace
    /// those of others.
    pub(super) warnings: RefCell<HashMap<Rule, Vec<Warning>>>,
}

/// A value of a manifest, with its path and position.
#[derive(Clone)]
pub(super) struct Cursor<'n> {
    source: &'n Source<'n>,
    pub(super) node: &'n Node,
    pub(super) path: String,
    pub(super) at: Location,
    key_at: Location,
    /// Position of the value itself. `at` is the position of the alias, if the value is one.
    defined: Location,
}

impl<'n> Cursor<'n> {
    pub(super) fn root(source: &'n Source<'n>, value: &'n Spanned<Node>) -> Self {
        Self {
            source,
            node: &value.value,
            path: String::new(),
            at: value.referenced,
            key_at: value.referenced,
            defined: value.defined,
        }
    }

    fn child(&self, path: String, key_at: Location, value: &'n Spanned<Node>) -> Self {
        Self {
            path,
            key_at,
            ..Self::root(self.source, value)
        }
    }

    fn field(&self, (key, value): &'n (Spanned<String>, Spanned<Node>)) -> Self {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        // A wrongly indented secret value may be parsed as a key.
        let is_printable = (1..=64).contains(&key.value.len()) && key.value.bytes().all(is_name);
        let name = if is_printable { &key.value } else { "…" };
        let path = match self.path.as_str() {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        self.child(path, key.referenced, value)
    }

    /// The same value at the position of its key, for warnings about the key.
    pub(super) fn at_key(&self) -> Self {
        Self {
            at: self.key_at,
            ..self.clone()
        }
    }

    pub(super) fn warn(&self, rule: Rule) {
        self.warn_with(rule, rule.message());
    }

    pub(super) fn warn_with(&self, rule: Rule, message: impl Into<String>) {
        let mut warnings = self.source.warnings.borrow_mut();
        let of_rule = warnings.entry(rule).or_default();
        if of_rule.len() < MAX_WARNINGS {
            of_rule.push(Warning {
                rule,
                message: message.into(),
                line: self.at.line(),
                column: self.at.column(),
                path: self.path.clone(),
            });
        }
    }

    pub(super) fn unreadable(&self, expected: &str) {
        let found = match self.node {
            Node::Map(_) => "a map",
            Node::List(_) => "a list",
            Node::Scalar(scalar) => match scalar.value {
                Value::Null => "nothing",
                Value::Bool(_) => "true or false",
                Value::Number(_) => "a number",
                _ => "a string",
            },
        };
        let message = format!("{expected} is expected here, not {found}");
        self.warn_with(Rule::Unreadable, message);
    }

    pub(super) fn is_null(&self) -> bool {
        self.node.is_null()
    }

    fn scalar(&self) -> Option<&'n Value> {
        match self.node {
            Node::Scalar(scalar) => Some(&scalar.value),
            _ => None,
        }
    }

    /// The source text of the value.
    fn source_text(&self) -> &str {
        let span = self.defined.span();
        let range = || {
            let from = usize::try_from(span.byte_offset()?).ok()?;
            let length = usize::try_from(span.byte_len()?).ok()?;
            self.source.text.get(from..from + length)
        };
        range().unwrap_or_default().trim()
    }

    /// The scalar as it is written in the file: `1.10` stays `1.10`.
    fn spelling(&self) -> Option<String> {
        let Node::Scalar(scalar) = self.node else {
            return None;
        };
        match (&scalar.value, self.source_text()) {
            (Value::Bool(_) | Value::Number(_), written) if !written.is_empty() => {
                Some(written.to_owned())
            }
            _ => Some(scalar.text.clone()),
        }
    }

    /// Whether YAML parsers disagree about the type or value of a scalar.
    pub(super) fn is_ambiguous(&self) -> bool {
        let Node::Scalar(scalar) = self.node else {
            return false;
        };
        let written = self.source_text();
        match scalar.value {
            Value::Null => false,
            Value::String(_) => written == scalar.text && AMBIGUOUS.is_match(written),
            _ => written != scalar.text,
        }
    }

    /// Reads a string. Warns about an unquoted number or boolean, and accepts it.
    pub(super) fn text(&self) -> Option<String> {
        match self.scalar() {
            None | Some(Value::Null) => {
                self.unreadable("a string");
                return None;
            }
            Some(Value::String(_)) => {}
            Some(_) => self.warn(Rule::UnquotedText),
        }
        self.spelling()
    }

    fn expect<T>(&self, value: Option<T>, expected: &str) -> Option<T> {
        if value.is_none() {
            self.unreadable(expected);
        }
        value
    }

    /// Reads any scalar as a string; null becomes an empty string.
    pub(super) fn value(&self) -> Option<String> {
        self.expect(self.spelling(), "a single value")
    }

    /// A whole number, such as 3 or 3.0.
    fn integer(&self) -> Option<u32> {
        let number = self.scalar()?.as_f64()?;
        let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
        is_whole.then_some(number as u32)
    }

    pub(super) fn whole_number(&self) -> Option<u32> {
        self.expect(self.integer(), "a whole number that is not negative")
    }

    /// Reads a number from 1 to 65535, with or without quotes.
    pub(super) fn port(&self) -> Option<u16> {
        let port = match self.scalar() {
            Some(Value::String(text)) => text.parse().ok(),
            _ => self.integer().and_then(|number| number.try_into().ok()),
        };
        let port = port.filter(|port| *port > 0);
        self.expect(port, "a port, 1 to 65535,")
    }

    pub(super) fn boolean(&self) -> Option<bool> {
        let boolean = self.scalar().and_then(Value::as_bool);
        self.expect(boolean, "true or false")
    }

    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let Node::List(items) = self.node else {
            self.unreadable("a list");
            return None;
        };
        let item = |(index, item): (usize, &'n Spanned<Node>)| {
            self.child(format!("{}[{index}]", self.path), item.referenced, item)
        };
        Some(items.iter().enumerate().map(item).collect())
    }

    /// The entries of a map whose keys are not field names.
    pub(super) fn entries(&self) -> Option<impl Iterator<Item = (&'n str, Self)>> {
        let Node::Map(entries) = self.node else {
            return None;
        };
        let entry =
            move |entry: &'n (Spanned<String>, _)| (entry.0.value.as_str(), self.field(entry));
        Some(entries.iter().map(entry))
    }

    /// The fields of a map. Warns about missing required fields.
    pub(super) fn fields(&self, object: &'static Object) -> Option<Fields<'n>> {
        let Node::Map(entries) = self.node else {
            self.unreadable("a map");
            return None;
        };
        let fields = Fields {
            map: self.clone(),
            object,
            unread: entries.iter().collect(),
        };
        for key in object.required.iter().filter(|key| **key != "name") {
            if !fields.has(key) {
                fields.missing(key);
            }
        }
        Some(fields)
    }
}

/// The fields of a map that are still unread.
pub(super) struct Fields<'n> {
    pub(super) map: Cursor<'n>,
    object: &'static Object,
    unread: Vec<&'n (Spanned<String>, Spanned<Node>)>,
}

impl<'n> Fields<'n> {
    fn position(&self, key: &str) -> Option<usize> {
        self.unread.iter().position(|(name, _)| name.value == key)
    }

    /// Whether a field is unread, under its current or an older name.
    pub(super) fn has(&self, key: &str) -> bool {
        let mut older = self.object.older_names(key);
        self.position(key).is_some() || older.any(|old| self.position(old).is_some())
    }

    pub(super) fn missing(&self, key: &str) {
        let message = format!("{key} is missing");
        self.map.warn_with(Rule::MissingField, message);
    }

    /// Returns a field without removing it.
    pub(super) fn peek(&self, key: &str) -> Option<Cursor<'n>> {
        let at = self.position(key)?;
        Some(self.map.field(self.unread[at]))
    }

    /// Removes a field. Its value may be null.
    pub(super) fn take(&mut self, key: &str) -> Option<Cursor<'n>> {
        let at = self.position(key)?;
        Some(self.map.field(self.unread.remove(at)))
    }

    /// Removes a field that has a value. Warns about null.
    pub(super) fn get(&mut self, key: &str) -> Option<Cursor<'n>> {
        let value = self.take(key)?;
        if !value.is_null() {
            return Some(value);
        }
        if !NULLABLE.contains(&key) {
            value.warn(Rule::EmptyField);
        }
        None
    }

    /// Removes a field with an older name, and warns about that name.
    pub(super) fn older(&mut self, old: &str, current: &str) -> Option<Cursor<'n>> {
        let value = self.take(old)?;
        let message = format!("write {current} instead");
        value.at_key().warn_with(Rule::OldSpelling, message);
        Some(value).filter(|value| !value.is_null())
    }

    /// Removes the values under the current name and all older names, in this order.
    pub(super) fn all_spellings(&mut self, key: &str) -> Vec<Cursor<'n>> {
        let mut found: Vec<_> = self.get(key).into_iter().collect();
        for old in self.object.older_names(key) {
            found.extend(self.older(old, key));
        }
        found
    }

    /// Removes and reads a string, and checks its format.
    pub(super) fn text(&mut self, key: &str) -> Option<(String, Cursor<'n>)> {
        let value = self.all_spellings(key).into_iter().next()?;
        let text = value.text()?;
        self.check(key, &text, &value);
        Some((text, value))
    }

    pub(super) fn string(&mut self, key: &str) -> Option<String> {
        self.text(key).map(|(text, _)| text)
    }

    fn check(&self, key: &str, text: &str, value: &Cursor<'_>) {
        let mut patterns = self.object.patterns.iter();
        if let Some((_, pattern)) = patterns.find(|(field, _)| *field == key)
            && !pattern.is_match(text)
        {
            value.warn(pattern.rule);
        }
    }

    /// Removes and reads the required field `name`, which must be unique in the list.
    ///
    /// Returns an empty name if the field is missing or cannot be read.
    pub(super) fn name(&mut self, taken: &mut HashSet<String>) -> String {
        let Some(value) = self.take("name").filter(|name| !name.is_null()) else {
            self.map.warn_with(Rule::Unreadable, "the name is missing");
            return String::new();
        };
        let name = value.text().unwrap_or_default();
        self.check("name", &name, &value);
        if !taken.insert(name.clone()) {
            value.warn(Rule::DuplicateName);
        }
        name
    }

    /// Returns the fields that are still unread, and warns about each.
    pub(super) fn others(self) -> Others {
        let mut others = Vec::new();
        for field in &self.unread {
            let key = field.0.value.as_str();
            let value = self.map.field(field).at_key();
            if self.object.outdated.contains(&key) {
                value.warn(Rule::OldField);
            } else if !self.object.untyped.contains(&key) {
                value.warn(Rule::UnknownField);
            }
            others.push((key.to_owned(), field.1.value.to_json()));
        }
        Others(others)
    }
}
