//! Successes with a canary in every secret field, made from the specs.

use crate::planted::Plant;
use deploykit::Operation;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

static READ: Mutex<BTreeMap<&str, Value>> = Mutex::new(BTreeMap::new());

/// How deep a response is filled with values that its example does not have.
const DEPTH: usize = 12;

pub struct Spec(Value);

impl Spec {
    pub fn read(api: &'static str) -> Self {
        let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
        let spec = read.entry(api).or_insert_with(|| {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("specs/{api}.yaml"));
            serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
        });
        Self(spec.clone())
    }

    /// The body of a success: the first example of the spec, with a canary in every secret field.
    pub fn success(&self, operation: &Operation, plant: &Plant) -> String {
        let Some(media) = self.successes(operation).into_iter().next() else {
            return String::new();
        };
        let example = media.get("examples").and_then(Value::as_object);
        let example = example.and_then(|examples| examples.values().next()?.get("value"));
        let example = example.or_else(|| media.get("example")).cloned();
        let schema = media.get("schema").unwrap_or(&Value::Null);
        match self.fill(schema, example, "", plant, DEPTH) {
            Some(Value::String(text)) => text,
            Some(value) => value.to_string(),
            None => String::new(),
        }
    }

    /// The names of the secret fields in the responses of an operation, with `.*` for the values of a
    /// map.
    pub fn secrets_in_replies(&self, operation: &Operation) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for media in self.successes(operation) {
            if let Some(schema) = media.get("schema") {
                self.names(schema, "", &mut BTreeSet::new(), &mut found);
            }
        }
        found
    }

    fn successes(&self, operation: &Operation) -> Vec<&Value> {
        let method = operation.method.to_lowercase();
        let paths = self.0.get("paths");
        let responses =
            paths.and_then(|paths| paths.get(operation.path)?.get(method)?.get("responses"));
        let responses = responses.and_then(Value::as_object).unwrap();
        responses
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
            .filter_map(|(_, response)| self.resolve(response).get("content")?.as_object())
            .flat_map(|content| content.values())
            .collect()
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.0.pointer(&reference[1..]).unwrap(),
            None => value,
        }
    }

    /// A value with canaries in its secret fields; `None` if there is neither a value nor a secret.
    fn fill(
        &self,
        schema: &Value,
        value: Option<Value>,
        name: &str,
        plant: &Plant,
        depth: usize,
    ) -> Option<Value> {
        let schema = self.resolve(schema);
        if let Some(secret) = planted(schema, name, plant) {
            return Some(secret);
        }
        let depth = depth.checked_sub(1)?;
        let mut value = value.filter(|value| !value.is_null());
        for part in parts(schema) {
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
            let old = map.remove(name);
            if let Some(new) = self.fill(inner, old, name, plant, depth) {
                map.insert(name.clone(), new);
            }
        }
        (!map.is_empty()).then(|| {
            self.add_required(schema, &mut map);
            Value::Object(map)
        })
    }

    /// Adds the required fields that are missing.
    fn add_required(&self, schema: &Value, map: &mut Map<String, Value>) {
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !map.contains_key(name) {
                let property = schema.get("properties").and_then(|all| all.get(name));
                map.insert(name.to_owned(), self.any(property.unwrap_or(&Value::Null)));
            }
        }
    }

    fn any(&self, schema: &Value) -> Value {
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
            _ => match parts(schema).next() {
                Some(part) => self.any(part),
                None => json!("a"),
            },
        }
    }

    fn names(
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
        for inner in parts(schema).chain(schema.get("items")) {
            self.names(inner, name, seen, found);
        }
        if let Some(inner) = map_values(schema) {
            let name = format!("{name}.*");
            self.names(inner, name.trim_start_matches('.'), seen, found);
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, inner) in properties.into_iter().flatten() {
            self.names(inner, name, seen, found);
        }
    }
}

/// The canary for a field of a secret type.
fn planted(schema: &Value, name: &str, plant: &Plant) -> Option<Value> {
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

/// The type in `deploykit` of a field that is not shown.
fn secret_type(schema: &Value) -> Option<&str> {
    let rust = schema.get("x-rust-type")?.as_str()?;
    let name = rust.rsplit("::").next()?;
    ["Secret", "GitUrl", "CallbackUrl", "Personal"]
        .contains(&name)
        .then_some(name)
}

fn parts(schema: &Value) -> impl Iterator<Item = &Value> {
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
