//! The facts of a vendor's document without its prose: one fact a line, sorted, so that a diff of two
//! outlines shows what the vendor changed.
//!
//! ```text
//! POST /v2/deployments
//! POST /v2/deployments 202 request_id: string, required
//! POST /v2/deployments request application: string, required
//! POST /v2/deployments security: header Authorization
//! ```

mod document;
mod examples;
mod flat;
mod prose;
mod schema;

use crate::build::yaml::options;
use serde_json::Value;
use serde_saphyr::options::DuplicateKeyPolicy;
use std::collections::BTreeSet;
use std::fmt;

/// What a document says about the API, and what could not be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    facts: BTreeSet<Fact>,
    /// Number of a line in the document, and the problem with it.
    unread: Vec<(usize, String)>,
}

/// One fact about an operation. Empty parts are left out of its line.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// `POST /v2/deployments`, or `*` for all operations.
    pub operation: String,
    /// `request`, a status, `query`, `path`, `header`, `security`, `servers`, or empty for the operation itself.
    pub place: String,
    /// `ports[].name`; with a keyword after a space for a limit or an enum: `status enum`.
    pub field: String,
    /// `string, required`.
    pub value: String,
}

impl Fact {
    /// The fact of a line.
    fn parse(line: &str) -> Self {
        let (words, value) = line.split_once(": ").unwrap_or((line, ""));
        let mut words = words.splitn(4, ' ').map(str::to_owned);
        let method = words.next().unwrap_or_default();
        // `*` stands for every operation, without a path.
        let operation = match method.as_str() {
            "*" => method,
            _ => format!("{method} {}", words.next().unwrap_or_default()),
        };
        Self {
            operation,
            place: words.next().unwrap_or_default(),
            field: words.collect::<Vec<_>>().join(" "),
            value: value.to_owned(),
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.operation)?;
        for part in [&self.place, &self.field] {
            if !part.is_empty() {
                write!(f, " {part}")?;
            }
        }
        match self.value.is_empty() {
            true => Ok(()),
            false => write!(f, ": {}", self.value),
        }
    }
}

impl Outline {
    /// Reads an OpenAPI document (3.0 or 3.1, YAML or JSON), or a page of prose with code blocks.
    ///
    /// `base` is the path before all paths, in place of the one in `servers`.
    pub fn read(text: &str, base: Option<&str>) -> Self {
        let mut outline = Self::read_all(text, base);
        // A page may say in one place that a parameter is required, and in another only use it.
        let required: BTreeSet<_> = outline
            .facts
            .iter()
            .filter_map(|fact| {
                let value = fact.value.strip_suffix(", required")?.to_owned();
                Some(Fact {
                    value,
                    ..fact.clone()
                })
            })
            .collect();
        outline.facts.retain(|fact| !required.contains(fact));
        // The same facts as a kept outline: a name with a colon is read as another fact.
        outline.facts = Self::parse(&outline.to_string()).facts;
        outline
    }

    fn read_all(text: &str, base: Option<&str>) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut outline = Self::default();
        let mut lenient = options();
        lenient.duplicate_keys = DuplicateKeyPolicy::LastWins;
        let is_json = text.trim_start().starts_with('{') && text.contains("\"openapi\"");
        let is_openapi = is_json
            || text
                .lines()
                .take(50)
                .any(|line| line.starts_with("openapi:"));
        if !is_openapi {
            prose::read(text, &mut outline);
            return outline;
        }
        let parsed = serde_saphyr::from_str_with_options::<Value>(text, lenient);
        match parsed {
            Ok(json) if json.get("paths").is_some_and(Value::is_object) => {
                document::read(&json, base, &mut outline);
            }
            // YAML without its indentation is not YAML, or a list of keys.
            _ => document::read(&flat::restore(text, &mut outline), base, &mut outline),
        }
        outline
    }

    /// Reads the lines of an outline that was printed before.
    pub fn parse(lines: &str) -> Self {
        let facts = lines
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self {
            facts: facts.map(Fact::parse).collect(),
            unread: Vec::new(),
        }
    }

    /// The facts, sorted.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.iter()
    }

    /// The operations, sorted: `POST /v2/deployments`.
    pub fn operations(&self) -> BTreeSet<&str> {
        let facts = self.facts.iter().filter(|fact| fact.place.is_empty());
        facts.map(|fact| fact.operation.as_str()).collect()
    }

    /// The lines of the document that could not be read, with the reason.
    pub fn unread(&self) -> &[(usize, String)] {
        &self.unread
    }

    fn add(&mut self, operation: &str, place: &str, field: &str, value: impl AsRef<str>) {
        // A fact is one line.
        let line = |text: &str| text.replace(char::is_control, " ");
        self.facts.insert(Fact {
            operation: line(operation),
            place: line(place),
            field: line(field),
            value: line(value.as_ref()),
        });
    }

    fn not_read(&mut self, line: usize, reason: impl Into<String>) {
        self.unread.push((line, reason.into()));
    }
}

impl fmt::Display for Outline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fact in &self.facts {
            writeln!(f, "{fact}")?;
        }
        Ok(())
    }
}

/// The field with this name in an object: `ports.name`.
fn field_in(object: &str, name: &str) -> String {
    match object {
        "" => name.to_owned(),
        object => format!("{object}.{name}"),
    }
}

/// A path with parameters in braces: `/v1/:id` becomes `/v1/{id}`.
fn with_braces(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}
