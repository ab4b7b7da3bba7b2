//! Compares two outlines of a vendor's document: what changed, and whether it breaks callers or decoding.
//!
//! The kind of a change and its direction decide: a request that the platform refuses now breaks callers, a
//! reply that differs breaks decoding. Changes that this crate's decoding accepts are `new`: values of enums,
//! null, numbers as text and the reverse, and fields that our spec does not require.

use crate::build::document;
use crate::build::open_enums::variant;
use crate::build::problems::Problem;
use crate::build::schemas::{component_name, entries, operations, resolve, text};
use crate::outline::{Fact, Outline};
use serde::Serialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The effect of a change, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    BreaksCallers,
    BreaksDecoding,
    New,
    TextOnly,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    pub class: Class,
    pub operation: String,
    /// `request ports[].name`, `202 status enum`.
    pub place: String,
    /// The value before; `None` if it is new.
    pub old: Option<String>,
    /// The value now; `None` if it is gone.
    pub new: Option<String>,
    /// What of ours the change affects: the wrapper of the operation, and the component of the body.
    pub ours: Vec<String>,
}

/// Our side of a platform.
pub struct Ours {
    spec: Value,
    /// The outline of the spec.
    outline: Outline,
    /// The method of each variant of `Op`.
    wrappers: BTreeMap<String, String>,
}

impl Ours {
    /// `spec` is the text of our spec, `wrappers` the result of [`crate::wrappers::read`].
    ///
    /// # Errors
    /// If the spec cannot be read.
    pub fn new(spec: &str, wrappers: BTreeMap<String, String>) -> Result<Self, Problem> {
        Ok(Self {
            spec: document::read(spec)?,
            outline: Outline::read(spec, None),
            wrappers,
        })
    }

    /// The wrapper of the operation, and the component of the body at this place.
    fn affected(&self, operation: &str, place: &str) -> Vec<String> {
        let mut all = operations(&self.spec);
        let found =
            all.find(|(path, method, _)| format!("{} {path}", method.to_uppercase()) == operation);
        let Some((_, _, found)) = found else {
            return Vec::new();
        };
        let id = text(found, "operationId").unwrap_or_default();
        let wrapper = self.wrappers.get(&variant(id)).map(String::as_str);
        let part = match place {
            "request" => found.get("requestBody"),
            status => found.get("responses").and_then(|all| all.get(status)),
        };
        let component = part.and_then(|part| {
            let (_, media) = entries(resolve(&self.spec, part), "content").next()?;
            component_name(text(media.get("schema")?, "$ref")?)
        });
        wrapper
            .into_iter()
            .chain(component)
            .map(str::to_owned)
            .collect()
    }

    /// Whether our spec requires this field of a success.
    fn requires(&self, operation: &str, field: &str) -> bool {
        let mut facts = self.outline.facts();
        facts.any(|fact| {
            fact.operation == operation
                && fact.place.starts_with('2')
                && fact.field == field
                && Words::of(&fact.value).required
        })
    }
}

/// The changes from one outline to another, the worst first.
pub fn compare(old: &Outline, new: &Outline, ours: &Ours) -> Vec<Change> {
    let (before, after) = (by_place(old), by_place(new));
    let places: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let (old_operations, new_operations) = (old.operations(), new.operations());
    let mut changes = Vec::new();
    for place in places {
        let nothing = BTreeSet::new();
        let old = before.get(place).unwrap_or(&nothing);
        let new = after.get(place).unwrap_or(&nothing);
        let operation = place.operation.as_str();
        let is_whole = place.place.is_empty();
        // The facts of an operation that comes or goes are not reported one by one.
        let both = old_operations.contains(operation) && new_operations.contains(operation);
        if old == new || !(is_whole || both || operation == "*") {
            continue;
        }
        let gone: Vec<_> = old.difference(new).collect();
        let added: Vec<_> = new.difference(old).collect();
        let pairs = gone.len().max(added.len());
        for index in 0..pairs {
            let (old, new) = (gone.get(index), added.get(index));
            let change = (old.map(|old| old.as_str()), new.map(|new| new.as_str()));
            changes.push(Change {
                class: class(place, change, ours),
                operation: operation.to_owned(),
                place: format!("{} {}", place.place, place.field).trim().to_owned(),
                old: change.0.map(str::to_owned),
                new: change.1.map(str::to_owned),
                ours: ours.affected(operation, &place.place),
            });
        }
    }
    changes.sort();
    let parents = changes.clone();
    changes.retain(|change| !parents.iter().any(|parent| contains(parent, change)));
    changes
}

/// Whether a field that comes or goes contains the field of this change, which comes or goes with it.
fn contains(parent: &Change, change: &Change) -> bool {
    let kind = |change: &Change| (change.old.is_none(), change.new.is_none());
    let below = change.place.strip_prefix(parent.place.as_str());
    parent.operation == change.operation
        && kind(parent) == kind(change)
        && kind(parent) != (false, false)
        && parent.place.contains(' ')
        && below.is_some_and(|below| below.starts_with(['.', '[', '|', ' ']))
}

/// The facts by their place, without values.
fn by_place(outline: &Outline) -> BTreeMap<Fact, BTreeSet<String>> {
    let mut places: BTreeMap<Fact, BTreeSet<String>> = BTreeMap::new();
    for fact in outline.facts() {
        let place = Fact {
            value: String::new(),
            ..fact.clone()
        };
        places.entry(place).or_default().insert(fact.value.clone());
    }
    places
}

fn class(place: &Fact, change: (Option<&str>, Option<&str>), ours: &Ours) -> Class {
    let (field, keyword) = match place.field.rsplit_once(' ') {
        Some((field, keyword)) => (field, keyword),
        None => (place.field.as_str(), ""),
    };
    match place.place.as_str() {
        "" | "path" | "security" | "servers" => match change {
            (None, Some(_)) if ["", "servers"].contains(&place.place.as_str()) => Class::New,
            _ => Class::BreaksCallers,
        },
        "deprecated" => Class::TextOnly,
        "request" | "query" | "header" => request(place, keyword, change),
        status if status.starts_with('2') || status == "default" => {
            reply(place, field, keyword, change, ours)
        }
        // Failures are decoded field by field.
        _ => match change {
            (None, Some(_)) => Class::New,
            _ => Class::TextOnly,
        },
    }
}

fn request(place: &Fact, keyword: &str, change: (Option<&str>, Option<&str>)) -> Class {
    let is_required = |value: &str| value.ends_with(", required");
    match (keyword, change) {
        ("enum", (None, Some(_))) => Class::New,
        ("", (None, Some(new))) if place.field != "body" && !is_required(new) => Class::New,
        ("", (Some(old), Some(new))) => {
            let (old, new) = (Words::of(old), Words::of(new));
            let accepts_more =
                old.kind == new.kind || (old.kind, new.kind) == ("integer", "number");
            match accepts_more && old.required >= new.required && old.nullable <= new.nullable {
                true => Class::New,
                false => Class::BreaksCallers,
            }
        }
        // A limit that is gone.
        (keyword, (Some(_), None)) if !keyword.is_empty() && keyword != "enum" => Class::New,
        _ => Class::BreaksCallers,
    }
}

fn reply(
    place: &Fact,
    field: &str,
    keyword: &str,
    change: (Option<&str>, Option<&str>),
    ours: &Ours,
) -> Class {
    let ours_requires = || ours.requires(&place.operation, field);
    match (keyword, change) {
        // Enums are open.
        ("enum", (None, Some(_))) => Class::New,
        ("enum", _) => Class::TextOnly,
        // A field; the statuses and bodies have none.
        ("", (None, Some(_))) if !["", "body"].contains(&place.field.as_str()) => Class::New,
        ("", (Some(_), None)) if !["", "body"].contains(&place.field.as_str()) => {
            match ours_requires() {
                true => Class::BreaksDecoding,
                false => Class::New,
            }
        }
        ("", (Some(old), Some(new))) => {
            let (old, new) = (Words::of(old), Words::of(new));
            // Forms that `src/lenient.rs` reads. It does not read a fraction as an integer.
            let is_lenient = old.kind == new.kind
                || matches!(
                    (old.kind, new.kind),
                    ("string" | "number", "integer")
                        | ("string", "number")
                        | ("integer" | "number", "string")
                );
            let may_miss = (old.required && !new.required) || (!old.nullable && new.nullable);
            match is_lenient && !(may_miss && ours_requires()) {
                true => Class::New,
                false => Class::BreaksDecoding,
            }
        }
        ("", _) => Class::BreaksDecoding,
        // Limits of replies are not checked.
        _ => Class::TextOnly,
    }
}

/// The value of a field: `string (uuid), nullable, required`.
struct Words<'a> {
    kind: &'a str,
    nullable: bool,
    required: bool,
}

impl<'a> Words<'a> {
    fn of(value: &'a str) -> Self {
        let mut words = value.split(", ");
        let kind = words.next().unwrap_or_default();
        let rest: Vec<_> = words.collect();
        Self {
            kind: kind.split(" (").next().unwrap_or(kind),
            nullable: rest.contains(&"nullable"),
            required: rest.contains(&"required"),
        }
    }
}

impl Class {
    fn words(self) -> &'static str {
        match self {
            Self::BreaksCallers => "breaks callers",
            Self::BreaksDecoding => "breaks decoding",
            Self::New => "new",
            Self::TextOnly => "text only",
        }
    }
}

impl Change {
    /// `202 state: string → gone`.
    fn what(&self) -> String {
        let part = |value: &Option<String>, none: &str| match value.as_deref() {
            Some("") => "there".to_owned(),
            Some(value) => value.to_owned(),
            None => none.to_owned(),
        };
        let place = match self.place.as_str() {
            "" => String::new(),
            place => format!("{place}: "),
        };
        format!(
            "{place}{} → {}",
            part(&self.old, "not there"),
            part(&self.new, "gone")
        )
    }
}

/// The report for a terminal: two lines per change, and a last line with the number of changes.
pub fn plain(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes {
        let (class, operation) = (change.class.words(), &change.operation);
        text += &format!("{class:<16}{operation}\n{:16}{}\n", "", change.what());
        if !change.ours.is_empty() {
            text += &format!("{:16}{}\n", "", change.ours.join(", "));
        }
    }
    text + &format!("{} changes\n", changes.len())
}

/// The report for a pull request. A vendor's words are code, so that they do nothing there.
pub fn markdown(changes: &[Change]) -> String {
    let mut text = "| class | operation | change | affects |\n|---|---|---|---|\n".to_owned();
    let code = |text: &str| format!("`{}`", text.replace('`', "'").replace('|', "\\|"));
    for change in changes {
        text += &format!(
            "| {} | {} | {} | {} |\n",
            change.class.words(),
            code(&change.operation),
            code(&change.what()),
            change.ours.join(", ")
        );
    }
    text
}
