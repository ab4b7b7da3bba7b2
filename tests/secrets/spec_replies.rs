//! Successful replies from the examples of the specs, with a canary in every secret field.

#[path = "../../build/yaml.rs"]
mod yaml;

use crate::canaries::Plant;
use deploykit::operation::Operation;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The parsed specs, by platform.
static SPECS: Mutex<BTreeMap<&str, Value>> = Mutex::new(BTreeMap::new());

/// Depth limit for generated values, because schemas may be recursive.
const DEPTH: usize = 12;

pub struct Spec(Value);

/// A successful reply.
pub struct Success {
    pub content_type: String,
    pub body: String,
}

impl Success {
    pub fn json(body: &str) -> Self {
        Self {
            content_type: "application/json".into(),
            body: body.into(),
        }
    }
}

impl Spec {
    pub fn read(api: &'static str) -> Self {
        let mut specs = SPECS.lock().unwrap_or_else(PoisonError::into_inner);
        let spec = specs.entry(api).or_insert_with(|| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("specs/{api}.yaml"));
            let text = std::fs::read_to_string(path).unwrap();
            serde_saphyr::from_str_with_options(&text, yaml::options()).unwrap()
        });
        Self(spec.clone())
    }

    /// All examples of successes, with a canary in every secret field.
    pub fn successes(&self, operation: &Operation, plant: &Plant) -> Vec<Success> {
        let mut all = Vec::new();
        for (content_type, media) in self.success_media(operation) {
            let schema = media.get("schema").unwrap_or(&Value::Null);
            let examples = media.get("examples").and_then(Value::as_object);
            let examples = examples.into_iter().flat_map(Map::values);
            let examples = examples.filter_map(|example| self.resolve(example).get("value"));
            let mut examples: Vec<_> = examples.chain(media.get("example")).map(Some).collect();
            if examples.is_empty() {
                examples.push(None);
            }
            for example in examples {
                let filled = self.fill(schema, example.cloned(), "", plant, DEPTH);
                let body = match filled.or_else(|| example.cloned()) {
                    Some(Value::String(text)) if content_type != "application/json" => text,
                    Some(value) => value.to_string(),
                    None => continue,
                };
                let content_type = content_type.to_owned();
                all.push(Success { content_type, body });
            }
        }
        if all.is_empty() {
            all.push(Success::json(""));
        }
        all
    }

    /// The names of the secret fields in the replies of an operation; `.*` are the values of a map.
    pub fn secrets_in_replies(&self, operation: &Operation) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (_, media) in self.success_media(operation) {
            if let Some(schema) = media.get("schema") {
                self.collect_secret_names(schema, "", &mut BTreeSet::new(), &mut found);
            }
        }
        found
    }

    /// Content types and media objects of the 2xx replies.
    fn success_media(&self, operation: &Operation) -> Vec<(&str, &Value)> {
        let method = operation.method.to_lowercase();
        let paths = self.0.get("paths");
        let responses =
            paths.and_then(|paths| paths.get(operation.path)?.get(method)?.get("responses"));
        let responses = responses.and_then(Value::as_object).unwrap();
        responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
            .filter_map(|(_, response)| self.resolve(response).get("content")?.as_object())
            .flatten()
            .map(|(content_type, media)| (content_type.as_str(), media))
            .collect()
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.0.pointer(&reference[1..]).unwrap(),
            None => value,
        }
    }

    /// Puts canaries into the secret fields of a value. `None` if there is no value and no secret field.
    fn fill(
        &self,
        schema: &Value,
        value: Option<Value>,
        name: &str,
        plant: &Plant,
        depth: usize,
    ) -> Option<Value> {
        let schema = self.resolve(schema);
        if let Some(secret) = canary(schema, name, plant) {
            return Some(secret);
        }
        let depth = depth.checked_sub(1)?;
        let mut value = value.filter(|value| !value.is_null());
        for part in self.matching_subschemas(schema, value.as_ref()) {
            value = self.fill(part, value, name, plant, depth);
        }
        if let Some(items) = schema.get("items") {
            value = match value {
                Some(Value::Array(all)) if !all.is_empty() => all
                    .into_iter()
                    .map(|item| self.fill(items, Some(item), name, plant, depth))
                    .collect(),
                _ => self
                    .fill(items, None, name, plant, depth)
                    .map(|item| json!([item])),
            };
        }
        if let Some(values) = map_values(schema) {
            let inner = format!("{name}.*");
            let inner = inner.trim_start_matches('.');
            if let Some(secret) = self.fill(values, None, inner, plant, depth) {
                value = Some(json!({ "A": secret }));
            }
        }
        let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
            return value;
        };
        let mut map = match value {
            Some(Value::Object(map)) => map,
            Some(other) => return Some(other),
            None => Map::new(),
        };
        for (name, inner) in properties {
            // An example may spell the name differently: `createdAt` for `created_at`.
            let key = map.keys().find(|key| normalized(key) == normalized(name));
            let key = key.unwrap_or(name).clone();
            let old = map.remove(&key);
            if let Some(new) = self.fill(inner, old, name, plant, depth) {
                map.insert(key, new);
            }
        }
        (!map.is_empty()).then(|| {
            self.add_required(schema, &mut map);
            Value::Object(map)
        })
    }

    /// The subschemas of a schema. Of alternatives, only the first that matches the value.
    fn matching_subschemas<'a>(&self, schema: &'a Value, value: Option<&Value>) -> Vec<&'a Value> {
        let alternatives = schema.get("oneOf").or_else(|| schema.get("anyOf"));
        match (alternatives.and_then(Value::as_array), value) {
            (Some(all), Some(value)) => {
                let matching_subschemas = all.iter().find(|part| self.matches_schema(part, value));
                matching_subschemas.or(all.first()).into_iter().collect()
            }
            _ => subschemas(schema).collect(),
        }
    }

    /// Whether a value has the type and required fields of a schema.
    fn matches_schema(&self, schema: &Value, value: &Value) -> bool {
        let schema = self.resolve(schema);
        let has = |name: &Value| name.as_str().is_some_and(|name| value.get(name).is_some());
        let required = schema.get("required").and_then(Value::as_array);
        let kind = match schema.get("type").and_then(Value::as_str) {
            Some("array") => value.is_array(),
            Some("object") => value.is_object(),
            Some("string") => value.is_string(),
            Some("integer" | "number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            _ => subschemas(schema)
                .next()
                .is_none_or(|part| self.matches_schema(part, value)),
        };
        let values = map_values(schema).zip(value.as_object());
        kind && required.into_iter().flatten().all(has)
            && values.is_none_or(|(schema, map)| {
                map.values().all(|value| self.matches_schema(schema, value))
            })
    }

    /// Adds the required fields that are missing.
    fn add_required(&self, schema: &Value, map: &mut Map<String, Value>) {
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !map.keys().any(|key| normalized(key) == normalized(name)) {
                let property = schema.get("properties").and_then(|all| all.get(name));
                map.insert(
                    name.to_owned(),
                    self.sample(property.unwrap_or(&Value::Null)),
                );
            }
        }
    }

    /// A value that matches a schema.
    fn sample(&self, schema: &Value) -> Value {
        let schema = self.resolve(schema);
        if let Some(example) = schema.get("example") {
            return example.clone();
        }
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        match (text("type"), text("format")) {
            (Some("integer" | "number"), _) => json!(1),
            (Some("boolean"), _) => json!(true),
            (Some("array"), _) => json!([]),
            (Some("object"), _) => {
                let mut map = Map::new();
                self.add_required(schema, &mut map);
                map.into()
            }
            (_, Some("date-time")) => json!("2026-01-01T00:00:00Z"),
            _ => match subschemas(schema).next() {
                Some(part) => self.sample(part),
                None => json!("a"),
            },
        }
    }

    /// Collects the names of the secret fields in `found`. `seen` stops at recursive schemas.
    fn collect_secret_names(
        &self,
        schema: &Value,
        name: &str,
        seen: &mut BTreeSet<String>,
        found: &mut BTreeSet<String>,
    ) {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
            && !seen.insert(format!("{name} {reference}"))
        {
            return;
        }
        let schema = self.resolve(schema);
        if secret_type(schema).is_some() {
            found.insert(name.to_owned());
            return;
        }
        for inner in subschemas(schema).chain(schema.get("items")) {
            self.collect_secret_names(inner, name, seen, found);
        }
        if let Some(inner) = map_values(schema) {
            let name = format!("{name}.*");
            self.collect_secret_names(inner, name.trim_start_matches('.'), seen, found);
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, inner) in properties.into_iter().flatten() {
            self.collect_secret_names(inner, name, seen, found);
        }
    }
}

/// Maps `created_at` and `createdAt` to the same name.
fn normalized(name: &str) -> String {
    name.replace('_', "").to_lowercase()
}

/// The canary for a field; `None` if its type is not secret.
fn canary(schema: &Value, name: &str, plant: &Plant) -> Option<Value> {
    let place = format!("reply.{name}");
    Some(match secret_type(schema)? {
        "GitUrl" | "CallbackUrl" => {
            let query = plant.plain(&format!("{place} (query)"));
            json!(format!(
                "https://x:{}@a.example/a?t={query}",
                plant.plain(&place)
            ))
        }
        _ => json!(plant.wide(&place)),
    })
}

/// The Rust type of a field, if it is a type that is redacted.
fn secret_type(schema: &Value) -> Option<&str> {
    let rust = schema.get("x-rust-type")?.as_str()?;
    let name = rust.rsplit("::").next()?;
    ["Secret", "GitUrl", "CallbackUrl", "PersonalData"]
        .contains(&name)
        .then_some(name)
}

fn subschemas(schema: &Value) -> impl Iterator<Item = &Value> {
    ["allOf", "oneOf", "anyOf"]
        .into_iter()
        .filter_map(|key| schema.get(key)?.as_array())
        .flatten()
}

fn map_values(schema: &Value) -> Option<&Value> {
    schema
        .get("additionalProperties")
        .filter(|values| values.is_object())
}
