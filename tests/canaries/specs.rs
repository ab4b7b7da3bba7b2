//! What the specs say about secrets in replies, so that none of them is forgotten here.

use deploykit::Operation;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

pub struct Spec(Value);

/// The types that do not show their value, as the specs name them.
const SECRET_TYPES: [&str; 4] = [
    "crate::Secret",
    "crate::secret::GitUrl",
    "crate::secret::CallbackUrl",
    "crate::secret::Personal",
];

impl Spec {
    pub fn read(api: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("specs/{api}.yaml"));
        let text = std::fs::read_to_string(path).unwrap();
        Self(serde_saphyr::from_str(&text).unwrap())
    }

    /// The first example of a success.
    pub fn example(&self, operation: &Operation) -> Option<Value> {
        self.successes(operation).iter().find_map(|media| {
            let examples = media.get("examples")?.as_object()?;
            examples.values().next()?.get("value").cloned()
        })
    }

    /// The names of the fields in the replies to an operation whose type is that of a secret; with
    /// `.*` for the values of a map.
    pub fn secrets_in_replies(&self, operation: &Operation) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for media in self.successes(operation) {
            if let Some(schema) = media.get("schema") {
                self.walk(schema, "", &mut BTreeSet::new(), &mut found);
            }
        }
        found
    }

    fn successes(&self, operation: &Operation) -> Vec<&Value> {
        let method = operation.method.to_lowercase();
        let responses = self
            .0
            .get("paths")
            .and_then(|paths| paths.get(operation.path)?.get(method)?.get("responses"));
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

    fn walk(
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
        let rust = schema.get("x-rust-type").and_then(Value::as_str);
        if rust.is_some_and(|rust| SECRET_TYPES.contains(&rust)) {
            found.insert(name.to_owned());
            return;
        }
        for part in ["allOf", "oneOf", "anyOf"] {
            for inner in schema
                .get(part)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                self.walk(inner, name, seen, found);
            }
        }
        if let Some(items) = schema.get("items") {
            self.walk(items, name, seen, found);
        }
        if let Some(inner) = schema.get("additionalProperties").filter(|v| v.is_object()) {
            self.walk(
                inner,
                format!("{name}.*").trim_start_matches('.'),
                seen,
                found,
            );
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, inner) in properties.into_iter().flatten() {
            self.walk(inner, name, seen, found);
        }
    }
}
