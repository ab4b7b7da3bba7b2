//! Copies shared parts into the operations: the parameters of a path, and the components that an operation
//! refers to. Only schemas stay references.
//!
//! Afterwards every operation is complete, so that the other passes follow no references but those of schemas.

use super::schemas::{METHODS, entries, items, operations_mut, resolve, text};
use serde_json::{Map, Value};

/// The key of a copy with the path of its original, for error messages.
const ORIGIN: &str = "x-origin";

/// Applies the pass. References without a target stay as they are; [`super::lint::references`] rejects them.
pub fn apply(json: &mut Value) {
    let whole = json.clone();
    for (path, item) in entries(&whole, "paths") {
        for method in METHODS {
            let place = format!("$.paths.{path}");
            let shared = json
                .pointer_mut("/paths")
                .and_then(|paths| paths.get_mut(path));
            let operation = shared.and_then(|item| item.get_mut(method));
            if let Some(operation) = operation.and_then(Value::as_object_mut) {
                add_parameters(&whole, &place, item, operation);
            }
        }
    }
    for operation in operations_mut(json) {
        if let Some(body) = operation.get_mut("requestBody") {
            *body = copy(&whole, body, None);
        }
        let responses = operation
            .get_mut("responses")
            .and_then(Value::as_object_mut);
        for response in responses.into_iter().flat_map(Map::values_mut) {
            *response = copy(&whole, response, None);
        }
    }
    let paths = json.get_mut("paths").and_then(Value::as_object_mut);
    for item in paths.into_iter().flat_map(Map::values_mut) {
        item.as_object_mut().map(|item| item.remove("parameters"));
    }
}

/// Copies the operation's own parameters, then those of its path that it does not override.
fn add_parameters(whole: &Value, place: &str, item: &Value, operation: &mut Map<String, Value>) {
    let own = operation.get("parameters").and_then(Value::as_array);
    let mut all: Vec<_> = own
        .into_iter()
        .flatten()
        .map(|parameter| copy(whole, parameter, None))
        .collect();
    for (index, parameter) in items(item, "parameters").enumerate() {
        let inherited = copy(
            whole,
            parameter,
            Some(format!("{place}.parameters[{index}]")),
        );
        let key = |parameter: &Value| {
            let part = |name| text(parameter, name).map(str::to_owned);
            (part("name"), part("in"))
        };
        if all.iter().all(|own| key(own) != key(&inherited)) {
            all.push(inherited);
        }
    }
    if !all.is_empty() {
        operation.insert("parameters".to_owned(), Value::Array(all));
    }
}

/// The target of the reference, or the value itself, with its place unless it is the operation.
fn copy(whole: &Value, value: &Value, place: Option<String>) -> Value {
    let mut copied = resolve(whole, value).clone();
    let target = text(value, "$ref").map(|target| target.replace('/', ".").replace('#', "$"));
    if let Some(copied) = copied.as_object_mut()
        && !copied.contains_key("$ref")
        && let Some(origin) = target.or(place)
    {
        copied.insert(ORIGIN.to_owned(), origin.into());
    }
    copied
}

/// The place of a part in the file: of its original if it is a copy.
pub fn place(part: &Value, here: String) -> String {
    text(part, ORIGIN).map_or(here, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_operation_gets_the_parameters_of_its_path_and_the_targets_of_its_references() {
        let mut json = json!({
            "paths": { "/a/{id}": {
                "parameters": [
                    { "$ref": "#/components/parameters/Id" },
                    { "name": "q", "in": "query", "description": "shared" }
                ],
                "get": {
                    "parameters": [{ "name": "q", "in": "query", "description": "own" }],
                    "responses": { "200": { "$ref": "#/components/responses/First" } }
                }
            } },
            "components": {
                "parameters": { "Id": { "name": "id", "in": "path" } },
                "responses": {
                    "First": { "$ref": "#/components/responses/Second" },
                    "Second": { "description": "x" },
                }
            }
        });
        apply(&mut json);
        let operation = &json["paths"]["/a/{id}"]["get"];
        let parameters = &operation["parameters"];
        assert_eq!(parameters[0]["description"], "own");
        assert_eq!(parameters[1]["name"], "id");
        assert_eq!(
            place(&parameters[1], String::new()),
            "$.components.parameters.Id"
        );
        assert_eq!(parameters.as_array().map(Vec::len), Some(2));
        assert_eq!(operation["responses"]["200"]["description"], "x");
        assert!(json["paths"]["/a/{id}"].get("parameters").is_none());
    }
}
