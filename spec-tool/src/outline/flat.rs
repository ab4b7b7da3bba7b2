//! Reads an OpenAPI document in YAML that lost its indentation, as text that was copied from a page.
//!
//! Each line is a key, a list item or text. A key belongs to the innermost open part of the document that may
//! have it and does not have it yet.

use super::Outline;
use super::schema::LIMITS;
use crate::build::schemas::METHODS;
use crate::build::yaml::options;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A part of an OpenAPI document, which decides the keys inside it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Root,
    Info,
    Paths,
    PathItem,
    Operation,
    Parameters,
    Parameter,
    Body,
    Responses,
    Response,
    Content,
    Media,
    Schema,
    Properties,
    /// `allOf`, `anyOf` or `oneOf`.
    Choices,
    Components,
    Schemas,
    SecuritySchemes,
    SecurityScheme,
    /// A list of texts, such as `required`.
    Texts,
    /// A list of objects with any keys, such as `security`.
    Objects,
    /// An example, which may contain any keys.
    Data,
}

impl Part {
    fn is_list(self) -> bool {
        use Part::{Choices, Data, Objects, Parameters, Texts};
        matches!(self, Parameters | Choices | Texts | Objects | Data)
    }
}

/// The keywords of a schema besides [`LIMITS`].
const KEYWORDS: [&str; 18] = [
    "$ref",
    "allOf",
    "anyOf",
    "const",
    "default",
    "deprecated",
    "description",
    "enum",
    "example",
    "examples",
    "format",
    "items",
    "nullable",
    "oneOf",
    "properties",
    "required",
    "title",
    "type",
];

/// Deeper parts are not read, because the readers of the document recurse.
const MAX_DEPTH: usize = 48;

/// An open part and what it contains so far.
struct Open {
    part: Part,
    key: String,
    value: Value,
}

/// Rebuilds the document. Lines that fit nowhere are noted in the outline.
pub fn restore(text: &str, outline: &mut Outline) -> Value {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let component = |line: &&str| {
        let target = line.split_once("#/components/schemas/")?.1;
        Some(target.trim_end_matches(['\'', '"']).to_owned())
    };
    let mut document = Document {
        components: lines.iter().filter_map(component).collect(),
        open: vec![Open::new(Part::Root, "")],
        is_text: false,
    };
    for (index, line) in lines.iter().enumerate() {
        let next = lines.get(index + 1).copied().unwrap_or_default();
        if !line.is_empty() && !line.starts_with('#') && !document.line(line, next) {
            outline.not_read(index + 1, format!("the line fits nowhere: {line}"));
        }
    }
    document.close_to(1);
    document.open.pop().map_or(Value::Null, |root| root.value)
}

struct Document {
    /// The names of schemas that the document refers to.
    components: BTreeSet<String>,
    open: Vec<Open>,
    /// Whether the lines are the text of a block such as `description: >-`.
    is_text: bool,
}

impl Document {
    /// Reads a line. Returns whether it fits.
    fn line(&mut self, line: &str, next: &str) -> bool {
        if let Some(item) = line.strip_prefix("- ") {
            self.is_text = false;
            return self.item(item, next);
        }
        let Some((key, value)) = key_and_value(line) else {
            return self.is_text || self.innermost() == Part::Data;
        };
        match self.key(key, value, next) {
            true => true,
            false => self.is_text || self.innermost() == Part::Data,
        }
    }

    fn innermost(&self) -> Part {
        self.open.last().map_or(Part::Root, |open| open.part)
    }

    /// Reads `key: value`, in the innermost part that may have this key.
    fn key(&mut self, key: &str, value: &str, next: &str) -> bool {
        let found = (0..self.open.len()).rfind(|depth| {
            let is_open = self.inside_of(*depth).is_some_and(|inner| inner.key == key);
            let is_known = is_open || self.open[*depth].value.get(key).is_some();
            !is_known && self.may_have(*depth, key, value, next)
        });
        let Some(found) = found.filter(|found| *found < MAX_DEPTH) else {
            return false;
        };
        self.close_to(found + 1);
        self.is_text = value.starts_with(['>', '|']);
        if value.is_empty() {
            let part = inside(self.open[found].part, key);
            self.open.push(Open::new(part, key));
        } else if let Value::Object(fields) = &mut self.open[found].value {
            let scalar = serde_saphyr::from_str_with_options(value, options());
            fields.insert(key.to_owned(), scalar.unwrap_or_else(|_| value.into()));
        }
        true
    }

    /// The part that is open inside the one at this depth.
    fn inside_of(&self, depth: usize) -> Option<&Open> {
        self.open.get(depth + 1)
    }

    /// Whether the part at this depth may have the key.
    fn may_have(&self, depth: usize, key: &str, value: &str, next: &str) -> bool {
        let is_one_of = |keys: &[&str]| keys.contains(&key) || key.starts_with("x-");
        match self.open[depth].part {
            Part::Root => is_one_of(&[
                "openapi",
                "info",
                "tags",
                "paths",
                "components",
                "servers",
                "security",
                "externalDocs",
                "webhooks",
            ]),
            Part::Info => is_one_of(&["title", "description", "version", "contact", "license"]),
            Part::Paths => key.starts_with('/'),
            Part::PathItem => METHODS.contains(&key) || is_one_of(&["parameters"]),
            Part::Operation => is_one_of(&[
                "summary",
                "description",
                "operationId",
                "tags",
                "parameters",
                "requestBody",
                "responses",
                "deprecated",
                "security",
            ]),
            Part::Parameter => is_one_of(&[
                "$ref",
                "name",
                "in",
                "required",
                "description",
                "schema",
                "example",
                "style",
                "explode",
                "deprecated",
            ]),
            Part::Body => is_one_of(&["$ref", "content", "required", "description"]),
            Part::Responses => {
                key.len() == 3 && key.starts_with(['1', '2', '3', '4', '5']) || key == "default"
            }
            Part::Response => is_one_of(&["$ref", "description", "content", "headers", "links"]),
            Part::Content => key.contains('/') && !key.starts_with('/'),
            Part::Media => is_one_of(&["schema", "example", "examples"]),
            Part::Schema => self.is_keyword(depth, key, value),
            Part::Properties => {
                let begins = key_and_value(next).is_some_and(|(key, _)| is_keyword(key));
                let is_inline = value.starts_with('{');
                !self.is_component(key) && (is_inline || value.is_empty() && begins)
            }
            Part::Components => {
                is_one_of(&["schemas", "securitySchemes", "responses", "parameters"])
            }
            Part::Schemas => self.is_component(key),
            Part::SecuritySchemes => value.is_empty(),
            Part::SecurityScheme => is_one_of(&["type", "in", "name", "scheme", "description"]),
            Part::Parameters | Part::Choices | Part::Texts | Part::Objects | Part::Data => false,
        }
    }

    /// Whether the key is the name of a schema component: one that the document refers to, or one with the
    /// form of a type.
    fn is_component(&self, key: &str) -> bool {
        let is_open = self.open.iter().any(|open| open.part == Part::Schemas);
        let is_type = key.starts_with(|c: char| c.is_ascii_uppercase())
            && key.contains(|c: char| c.is_ascii_lowercase());
        self.components.contains(key) || (is_open && is_type)
    }

    /// Whether the key is a keyword of this schema, not of an outer one.
    fn is_keyword(&self, depth: usize, key: &str, value: &str) -> bool {
        let open = &self.open[depth];
        let is_begun = open
            .value
            .as_object()
            .is_some_and(|fields| !fields.is_empty());
        match key {
            // After the properties of an object, this is the list of the object, not of its last property.
            "required" => {
                let properties = open.value.get("properties").and_then(Value::as_object);
                !is_begun
                    || properties.is_some_and(|all| !all.is_empty())
                    || self
                        .inside_of(depth)
                        .is_some_and(|inner| inner.part == Part::Properties)
            }
            "minItems" | "maxItems" | "uniqueItems" => {
                open.value.get("type") == Some(&"array".into())
            }
            // A property may have the name of a keyword with a text as value.
            "description" | "format" | "title" | "pattern" => !value.is_empty(),
            key => is_keyword(key) || key.starts_with("x-"),
        }
    }

    /// Reads a list item.
    fn item(&mut self, item: &str, next: &str) -> bool {
        let found = self.open.iter().rposition(|open| open.part.is_list());
        let Some(found) = found.filter(|found| *found < MAX_DEPTH) else {
            return false;
        };
        self.close_to(found + 1);
        let list = &mut self.open[found];
        let part = match list.part {
            Part::Parameters => Part::Parameter,
            Part::Choices => Part::Schema,
            Part::Data => return true,
            _ => {
                if let Value::Array(items) = &mut list.value {
                    let value = serde_saphyr::from_str_with_options(item, options());
                    items.push(value.unwrap_or_else(|_| item.into()));
                }
                return true;
            }
        };
        self.open.push(Open::new(part, ""));
        key_and_value(item).is_some_and(|(key, value)| self.key(key, value, next))
    }

    /// Closes the parts from this depth on.
    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let (Some(closed), Some(around)) = (self.open.pop(), self.open.last_mut()) else {
                return;
            };
            match &mut around.value {
                Value::Object(fields) => drop(fields.insert(closed.key, closed.value)),
                Value::Array(items) => items.push(closed.value),
                _ => {}
            }
        }
    }
}

impl Open {
    fn new(part: Part, key: &str) -> Self {
        let value = match part.is_list() {
            true => Value::Array(Vec::new()),
            false => Value::Object(Map::new()),
        };
        let key = key.to_owned();
        Self { part, key, value }
    }
}

/// The part below a key without a value.
fn inside(part: Part, key: &str) -> Part {
    match (part, key) {
        (Part::Root, "paths") => Part::Paths,
        (Part::Root, "info") => Part::Info,
        (Part::Root, "components") => Part::Components,
        (Part::Paths, _) => Part::PathItem,
        (Part::PathItem | Part::Operation, "parameters") => Part::Parameters,
        (Part::PathItem, _) => Part::Operation,
        (Part::Operation, "requestBody") => Part::Body,
        (Part::Operation, "responses") => Part::Responses,
        (Part::Operation, "tags") => Part::Texts,
        (Part::Responses, _) => Part::Response,
        (Part::Body | Part::Response, "content") => Part::Content,
        (Part::Content, _) => Part::Media,
        (Part::Media | Part::Parameter, "schema") => Part::Schema,
        (Part::Schema, "properties") => Part::Properties,
        (Part::Schema, "items" | "additionalProperties") => Part::Schema,
        (Part::Schema, "allOf" | "anyOf" | "oneOf") => Part::Choices,
        (Part::Schema, "required" | "type" | "enum") => Part::Texts,
        (Part::Properties | Part::Schemas, _) => Part::Schema,
        (Part::Components, "schemas") => Part::Schemas,
        (Part::Components, "securitySchemes") => Part::SecuritySchemes,
        (Part::SecuritySchemes, _) => Part::SecurityScheme,
        (_, "security" | "servers" | "tags") => Part::Objects,
        _ => Part::Data,
    }
}

/// Whether the key is a keyword of a schema.
fn is_keyword(key: &str) -> bool {
    KEYWORDS.contains(&key) || LIMITS.contains(&key)
}

/// Splits `key: value` and `'key':`. Text is not a key.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let (key, value) = match line.strip_suffix(':') {
        Some(key) if !key.contains(": ") => (key, ""),
        _ => line.split_once(": ")?,
    };
    let key = key.trim_matches(['\'', '"']);
    let is_key = !key.is_empty() && !key.starts_with(['[', '{', '-', '>']);
    is_key.then_some((key, value.trim()))
}
