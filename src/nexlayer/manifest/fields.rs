//! Takes the fields of a map one by one, in whatever spelling, and notes what is odd about them.

use super::lint::{Notes, Path, Rule};
use super::pattern::Pattern;
use super::spec::Others;
use super::tree::{Kind, Node, range};
use crate::secret::Secret;
use serde_saphyr::{Location, Spanned};

/// Fields of which null says that there is none.
const NULLABLE: [&str; 3] = ["url", "path", "subdomain"];

/// The text of a file, and what is noted about it.
pub(super) struct Reader<'t> {
    pub(super) text: &'t str,
    pub(super) notes: Notes,
}

/// A value with its place.
#[derive(Clone, Copy)]
pub(super) struct At<'n> {
    pub(super) node: &'n Node,
    pub(super) at: Location,
    /// Where it is written, if an alias stands here.
    defined: Location,
}

impl<'n> From<&'n Spanned<Node>> for At<'n> {
    fn from(value: &'n Spanned<Node>) -> Self {
        Self {
            node: &value.value,
            at: value.referenced,
            defined: value.defined,
        }
    }
}

/// A field that was found.
#[derive(Clone, Copy)]
pub(super) struct Field<'n> {
    pub(super) key: &'n str,
    pub(super) key_at: Location,
    pub(super) value: At<'n>,
}

/// What is there of a map.
pub(super) struct Fields<'n, 'p> {
    pub(super) path: &'p Path<'p>,
    pub(super) at: Location,
    left: Vec<Option<Field<'n>>>,
}

impl<'n, 'p> Fields<'n, 'p> {
    /// The fields of a map, or nothing but a note.
    pub(super) fn of(reader: &mut Reader<'_>, value: At<'n>, path: &'p Path<'p>) -> Option<Self> {
        let Node::Map(entries) = value.node else {
            reader.unreadable(value, path, "a map");
            return None;
        };
        let left = entries.iter().map(|(key, value)| {
            Some(Field {
                key: &key.value,
                key_at: key.referenced,
                value: value.into(),
            })
        });
        Some(Self {
            path,
            at: value.at,
            left: left.collect(),
        })
    }

    /// A field that is there, with or without a value.
    pub(super) fn take(&mut self, key: &str) -> Option<Field<'n>> {
        let found = |field: &&mut Option<Field<'_>>| field.is_some_and(|field| field.key == key);
        self.left.iter_mut().find(found)?.take()
    }

    /// A field that has a value.
    pub(super) fn get(&mut self, reader: &mut Reader<'_>, key: &str) -> Option<Field<'n>> {
        let field = self.take(key)?;
        if !field.value.node.is_null() {
            return Some(field);
        }
        if !NULLABLE.contains(&key) {
            let path = self.path.field(field.key);
            let message = "there is no value: leave the field out";
            reader
                .notes
                .add(Rule::EmptyField, field.value.at, &path, message);
        }
        None
    }

    /// A field in the spelling of today and in older ones: those that have a value, today's first.
    pub(super) fn spelled(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        older: &[&'static str],
    ) -> Vec<Field<'n>> {
        let mut found: Vec<_> = self.get(reader, key).into_iter().collect();
        for old in older {
            found.extend(self.older(reader, old, key));
        }
        found
    }

    /// A field of an older generation that has a value.
    pub(super) fn older(
        &mut self,
        reader: &mut Reader<'_>,
        old: &'static str,
        today: &'static str,
    ) -> Option<Field<'n>> {
        let field = self.take(old)?;
        let path = self.path.field(field.key);
        let message = format!("today that is {today}");
        reader
            .notes
            .add(Rule::OldSpelling, field.key_at, &path, message);
        (!field.value.node.is_null()).then_some(field)
    }

    /// Where a field stands that was not taken yet.
    pub(super) fn place(&self, key: &str) -> Option<Location> {
        let mut left = self.left.iter().flatten();
        left.find(|field| field.key == key)
            .map(|field| field.key_at)
    }

    /// Whether a field is there and was not taken yet.
    pub(super) fn has(&self, key: &str) -> bool {
        self.place(key).is_some()
    }

    /// A text, in the spelling of today or in an older one.
    pub(super) fn text(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        older: &[&'static str],
    ) -> Option<(String, Location)> {
        let mut first = None;
        for field in self.spelled(reader, key, older) {
            let text = reader.text_of(field.value, &self.path.field(field.key));
            first = first.or(text.map(|text| (text, field.value.at)));
        }
        first
    }

    /// A text of a form.
    pub(super) fn formed(
        &mut self,
        reader: &mut Reader<'_>,
        key: &'static str,
        older: &[&'static str],
        (pattern, rule, message): (&Pattern, Rule, &str),
    ) -> Option<(String, Location)> {
        let found = self.text(reader, key, older);
        if let Some((text, at)) = &found
            && !(pattern.fits)(text)
        {
            reader.notes.add(rule, *at, &self.path.field(key), message);
        }
        found
    }

    /// The name that a thing must have.
    pub(super) fn name(
        &mut self,
        reader: &mut Reader<'_>,
        rule: Rule,
    ) -> Option<(String, Location)> {
        let message = "a name is 2 to 64 of a-z, 0-9 and -, with a letter first";
        match self.take("name") {
            Some(field) if !field.value.node.is_null() => {
                let path = self.path.field("name");
                let text = reader.text_of(field.value, &path)?;
                if !(super::pattern::NAME.fits)(&text) {
                    reader.notes.add(rule, field.value.at, &path, message);
                }
                Some((text, field.value.at))
            }
            _ => {
                let message = "it has no name";
                reader
                    .notes
                    .add(Rule::Unreadable, self.at, self.path, message);
                None
            }
        }
    }

    /// Notes that a field is not there.
    pub(super) fn missing(&self, reader: &mut Reader<'_>, key: &str) {
        let message = format!("{key} is missing");
        reader
            .notes
            .add(Rule::MissingField, self.at, self.path, message);
    }

    /// What is left: fields of older generations, and unknown ones.
    pub(super) fn others(self, reader: &mut Reader<'_>, known: &[&str], old: &[&str]) -> Others {
        let mut others = Vec::new();
        for field in self.left.into_iter().flatten() {
            let path = self.path.field(field.key);
            if old.contains(&field.key) {
                let message = "a field of an older generation, without a successor";
                reader
                    .notes
                    .add(Rule::OldField, field.key_at, &path, message);
            } else if !known.contains(&field.key) {
                let message = "there is no such field; the platform ignores it";
                reader
                    .notes
                    .add(Rule::UnknownField, field.key_at, &path, message);
            }
            others.push((field.key.to_owned(), field.value.node.to_json()));
        }
        Others(others)
    }
}

impl Reader<'_> {
    pub(super) fn unreadable(&mut self, value: At<'_>, path: &Path<'_>, expected: &str) {
        let found = match value.node {
            Node::Map(_) => "a map",
            Node::List(_) => "a list",
            Node::Scalar(scalar) => match scalar.kind {
                Kind::Null => "nothing",
                Kind::Bool(_) => "true or false",
                Kind::Whole(_) | Kind::Decimal(_) => "a number",
                Kind::Text => "a text",
            },
        };
        let message = match found == expected {
            true => format!("{expected} of another form is expected here"),
            false => format!("{expected} is expected here, not {found}"),
        };
        self.notes.add(Rule::Unreadable, value.at, path, message);
    }

    /// A scalar as it is spelled: `1.10` is a text of four characters, whatever YAML makes of it.
    pub(super) fn spelling(&self, value: At<'_>) -> Option<String> {
        let Node::Scalar(scalar) = value.node else {
            return None;
        };
        let written = range(value.defined).and_then(|(from, to)| self.text.get(from..to));
        match (scalar.kind, written) {
            (Kind::Bool(_) | Kind::Whole(_) | Kind::Decimal(_), Some(text)) => {
                Some(text.trim().to_owned())
            }
            _ => Some(scalar.text.clone()),
        }
    }

    /// Whether programs differ in what they make of a scalar.
    pub(super) fn is_ambiguous(&self, value: At<'_>) -> bool {
        let Node::Scalar(scalar) = value.node else {
            return false;
        };
        let written = range(value.defined).and_then(|(from, to)| self.text.get(from..to));
        let written = written.unwrap_or_default().trim();
        match scalar.kind {
            Kind::Null => false,
            Kind::Text if written != scalar.text => false,
            Kind::Text => {
                const OLD_BOOLEANS: [&str; 6] = ["yes", "no", "on", "off", "y", "n"];
                let octal = written.starts_with('0') && written.len() > 1;
                let number = |text: &str| {
                    !text.is_empty()
                        && text
                            .bytes()
                            .all(|byte| byte.is_ascii_digit() || byte == b'_')
                };
                OLD_BOOLEANS.contains(&written.to_ascii_lowercase().as_str())
                    || number(written) && (octal || written.contains('_'))
            }
            _ => written != scalar.text,
        }
    }

    /// A text, or what looks like something else without quotes.
    pub(super) fn text_of(&mut self, value: At<'_>, path: &Path<'_>) -> Option<String> {
        match value.node {
            Node::Scalar(scalar) if scalar.kind != Kind::Null => {
                if scalar.kind != Kind::Text {
                    let message = "a text is expected here: put it in quotes";
                    self.notes.add(Rule::UnquotedText, value.at, path, message);
                }
                self.spelling(value)
            }
            _ => {
                self.unreadable(value, path, "a text");
                None
            }
        }
    }

    /// A value that may be anything but a list or a map; nothing is an empty text.
    pub(super) fn value_of(&mut self, value: At<'_>, path: &Path<'_>) -> Option<Secret> {
        let text = self.spelling(value);
        if text.is_none() {
            self.unreadable(value, path, "a single value");
        }
        text.map(Secret::from)
    }

    /// A whole number within bounds.
    pub(super) fn whole_of(&mut self, value: At<'_>, path: &Path<'_>) -> Option<u32> {
        let number = match value.node {
            Node::Scalar(scalar) => match scalar.kind {
                Kind::Whole(number) => u32::try_from(number).ok(),
                // JSON knows no difference between 3 and 3.0.
                Kind::Decimal(number) if number.fract() == 0.0 => (0.0..=f64::from(u32::MAX))
                    .contains(&number)
                    .then_some(number as u32),
                _ => None,
            },
            _ => None,
        };
        if number.is_none() {
            self.unreadable(value, path, "a whole number that is not negative");
        }
        number
    }

    /// The items of a list, or nothing but a note.
    pub(super) fn list_of<'n>(&mut self, field: Field<'n>, path: &Path<'_>) -> Vec<At<'n>> {
        match field.value.node {
            Node::List(items) => items.iter().map(At::from).collect(),
            _ => {
                self.unreadable(field.value, path, "a list");
                Vec::new()
            }
        }
    }
}
