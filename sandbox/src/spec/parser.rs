//! Parses the operations of a spec.

use serde_json::{Map, Value};

use super::Operation;
use super::json_schema::{Schemas, schemas};
use super::schema::Schema;
use crate::yaml::options;

/// A path, query or header parameter.
pub(super) struct Parameter {
    pub(super) location: ParameterLocation,
    pub(super) name: String,
    pub(super) required: bool,
    pub(super) schema: Schema,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ParameterLocation {
    Path,
    Query,
    Header,
}

/// A documented status of an operation.
pub(super) struct DocumentedReply {
    pub(super) status: u16,
    /// Empty for a reply without a body.
    pub(super) contents: Vec<Content>,
}

/// A body with one media type.
pub(super) struct Content {
    pub(super) media_type: String,
    pub(super) schema: Schema,
    /// The schema of each line, for NDJSON.
    pub(super) line: Option<Schema>,
    pub(super) examples: Vec<Value>,
}

impl Content {
    /// The first example, as sent on the wire.
    pub(super) fn example(&self) -> Option<(&str, String)> {
        let text = match self.examples.first()? {
            Value::String(text) if !self.is_json() => text.clone(),
            example => example.to_string(),
        };
        Some((&self.media_type, text))
    }

    pub(super) fn is_json(&self) -> bool {
        self.media_type == "application/json"
    }
}

/// Resolves references within a document.
pub(super) struct Resolver<'a>(&'a Value);

impl<'a> Resolver<'a> {
    /// Follows references to their target; null if it does not exist.
    pub(super) fn resolve(&self, mut value: &'a Value) -> &'a Value {
        // A limit, so that a cycle of references ends. No spec has such a long chain.
        for _ in 0..8 {
            match value.get("$ref").and_then(Value::as_str) {
                None => return value,
                Some(to) => {
                    let pointer = to.strip_prefix('#').unwrap_or(to);
                    value = self.0.pointer(pointer).unwrap_or(&Value::Null);
                }
            }
        }
        &Value::Null
    }
}

/// The operations of a spec; empty if the spec is invalid.
///
/// The specs are compiled in, and a test checks that all of them parse.
pub(super) fn operations(text: &str) -> Vec<Operation> {
    let document = serde_saphyr::from_str_with_options(text, options());
    let mut document: Value = document.unwrap_or_default();
    let schemas = schemas(&mut document);
    let resolver = Resolver(&document);
    let paths = document.get("paths").and_then(Value::as_object);
    let mut operations = Vec::new();
    for (path, item) in paths.into_iter().flatten() {
        for (method, body) in item.as_object().into_iter().flatten() {
            operations.push(operation(&resolver, &schemas, path, method, body));
        }
    }
    operations
}

fn operation(
    resolver: &Resolver,
    schemas: &Schemas,
    path: &str,
    method: &str,
    body: &Value,
) -> Operation {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    let secrets = body
        .pointer("/x-behaviour/secrets")
        .and_then(Value::as_array);
    let parameters = body.get("parameters").and_then(Value::as_array);
    let replies = body.get("responses").and_then(Value::as_object);
    let mut replies: Vec<DocumentedReply> = replies
        .into_iter()
        .flatten()
        .filter_map(|(status, reply)| {
            Some(DocumentedReply {
                status: status.parse().ok()?,
                contents: contents(resolver, schemas, resolver.resolve(reply)),
            })
        })
        .collect();
    replies.sort_by_key(|reply| reply.status);
    Operation {
        id: text("/operationId").unwrap_or_default().to_owned(),
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        documented: body.get("x-documented") == Some(&Value::Bool(true)),
        secrets: secrets
            .into_iter()
            .flatten()
            .filter_map(|location| location.as_str().map(str::to_owned))
            .collect(),
        parameters: parameters
            .into_iter()
            .flatten()
            .filter_map(|one| parameter(schemas, resolver.resolve(one)))
            .collect(),
        bodies: body.get("requestBody").map_or_else(Vec::new, |body| {
            contents(resolver, schemas, resolver.resolve(body))
        }),
        body_required: body.pointer("/requestBody/required") == Some(&Value::Bool(true)),
        replies,
    }
}

fn parameter(schemas: &Schemas, of: &Value) -> Option<Parameter> {
    Some(Parameter {
        location: match of.get("in")?.as_str()? {
            "path" => ParameterLocation::Path,
            "query" => ParameterLocation::Query,
            "header" => ParameterLocation::Header,
            _ => return None,
        },
        name: of.get("name")?.as_str()?.to_owned(),
        required: of.get("required") == Some(&Value::Bool(true)),
        schema: Schema::new(of.get("schema"), schemas),
    })
}

/// The media types of a request or reply.
fn contents<'a>(resolver: &Resolver<'a>, schemas: &Schemas, of: &'a Value) -> Vec<Content> {
    let all: Option<&Map<String, Value>> = of.get("content").and_then(Value::as_object);
    all.into_iter()
        .flatten()
        .map(|(media_type, content)| Content {
            media_type: media_type.clone(),
            schema: Schema::new(content.get("schema"), schemas),
            line: content
                .pointer("/schema/x-line")
                .map(|line| Schema::new(Some(line), schemas)),
            examples: examples(resolver, content),
        })
        .collect()
}

/// `example`, or the values of `examples` in order.
fn examples(resolver: &Resolver, content: &Value) -> Vec<Value> {
    if let Some(example) = content.get("example") {
        return vec![example.clone()];
    }
    let named = content.get("examples").and_then(Value::as_object);
    named
        .into_iter()
        .flat_map(|named| named.values())
        .filter_map(|example| resolver.resolve(example).get("value"))
        .cloned()
        .collect()
}
