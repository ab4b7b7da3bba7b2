//! Checks the `links` of replies, which describe the next request.
//!
//! Nothing is generated from links, and tools that follow links skip those that they cannot resolve. Without
//! this check, a mistake would go unnoticed.

use super::super::problems::Problems;
use super::super::schemas::{self, entries, items, resolve, text};
use serde_json::Value;

/// Checks the links of one reply of `operation`.
pub fn links(json: &Value, at: &str, operation: &Value, response: &Value, problems: &mut Problems) {
    for (name, link) in entries(response, "links") {
        let at = format!("{at}.links.{name}");
        let target = text(link, "operationId").unwrap_or_default();
        let mut all = schemas::operations(json);
        let next = all.find(|(_, _, other)| text(other, "operationId") == Some(target));
        problems.require(
            next.is_some(),
            format!("{at}.operationId"),
            format!("the link names the operation `{target}`, which does not exist"),
            "write the operationId of the next request",
        );
        for (key, _) in entries(link, "parameters") {
            problems.require(
                next.is_none_or(|(_, _, next)| has_parameter(next, key, None)),
                format!("{at}.parameters.{key}"),
                format!("the operation `{target}` has no parameter `{key}`"),
                "write the name of a parameter of that operation",
            );
        }
        let parts = ["parameters", "requestBody"].into_iter().flat_map(|part| {
            let values = entries(link, part);
            values.map(move |(key, value)| (format!("{part}.{key}"), value))
        });
        let body = link.get("requestBody");
        let body = body.map(|value| ("requestBody".to_owned(), value));
        for (part, expression) in parts.chain(body) {
            problems.require(
                resolves(json, expression, operation, response),
                format!("{at}.{part}"),
                format!("{expression} does not match a value in the spec of this operation"),
                "use `$response.body#/a/b`, `$request.body#/a/b` or `$request.path.name` with names from the spec",
            );
        }
    }
}

/// Whether the operation has a parameter with this name, in this place if one is given.
fn has_parameter(operation: &Value, name: &str, place: Option<&str>) -> bool {
    items(operation, "parameters")
        .filter(|parameter| text(parameter, "name") == Some(name))
        .any(|parameter| place.is_none_or(|place| text(parameter, "in") == Some(place)))
}

/// Whether the spec describes the value of a link expression. A value without a leading `$` is a constant.
fn resolves(json: &Value, expression: &Value, operation: &Value, response: &Value) -> bool {
    let Some(text) = expression.as_str().filter(|text| text.starts_with('$')) else {
        return true;
    };
    let body = operation.get("requestBody");
    if text == "$request.body" {
        return body.is_some();
    }
    if let Some(pointer) = text.strip_prefix("$response.body#") {
        return body_has(json, response, pointer);
    }
    if let Some(pointer) = text.strip_prefix("$request.body#") {
        return body.is_some_and(|body| body_has(json, body, pointer));
    }
    let parameter = text.strip_prefix("$request.");
    parameter
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(place, name)| has_parameter(operation, name, Some(place)))
}

/// Whether the schema of any media type has a value at this JSON pointer.
fn body_has(json: &Value, body: &Value, pointer: &str) -> bool {
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    entries(body, "content")
        .filter_map(|(_, media)| media.get("schema"))
        .any(|schema| schema_has(json, schema, &parts))
}

fn schema_has(json: &Value, schema: &Value, parts: &[&str]) -> bool {
    let schema = resolve(json, schema);
    let Some((first, rest)) = parts.split_first() else {
        return true;
    };
    let child = if first.bytes().all(|byte| byte.is_ascii_digit()) {
        schema.get("items")
    } else {
        schema
            .get("properties")
            .and_then(|properties| properties.get(first))
    };
    if child.is_some_and(|child| schema_has(json, child, rest)) {
        return true;
    }
    ["allOf", "oneOf", "anyOf"]
        .into_iter()
        .any(|key| items(schema, key).any(|alternative| schema_has(json, alternative, parts)))
}

#[cfg(test)]
mod tests {
    use super::super::super::problems::Problem;
    use super::*;
    use serde_json::json;

    fn problems(target: &str, parameter: &str, expression: &str) -> Vec<Problem> {
        let json = json!({
            "paths": {
                "/things": { "post": {
                    "operationId": "create_thing",
                    "parameters": [{ "name": "project", "in": "query" }],
                    "requestBody": { "content": { "application/json": {
                        "schema": { "type": "object", "properties": { "name": { "type": "string" } } }
                    } } },
                    "responses": { "200": {
                        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Envelope" } } },
                        "links": { "next": {
                            "operationId": target,
                            "parameters": { parameter: expression },
                            "requestBody": { "name": expression }
                        } }
                    } }
                } },
                "/things/{id}": { "get": {
                    "operationId": "get_thing",
                    "parameters": [{ "name": "id", "in": "path" }]
                } }
            },
            "components": { "schemas": {
                "Envelope": { "oneOf": [
                    { "type": "string" },
                    { "properties": { "data": { "allOf": [{ "$ref": "#/components/schemas/List" }] } } }
                ] },
                "List": { "type": "array", "items": { "properties": { "id": { "type": "string" } } } }
            } }
        });
        let operation = json.pointer("/paths/~1things/post").unwrap();
        let response = operation.pointer("/responses/200").unwrap();
        let mut problems = Problems::default();
        links(&json, "$.responses.200", operation, response, &mut problems);
        problems.0
    }

    #[test]
    fn links_that_resolve_are_accepted() {
        for expression in [
            "$response.body#/data/0/id",
            "$request.body#/name",
            "$request.query.project",
            "a constant",
        ] {
            assert_eq!(problems("get_thing", "id", expression), [], "{expression}");
        }
    }

    #[test]
    fn the_error_names_a_link_that_does_not_resolve() {
        let wrong = problems("get_things", "id", "x");
        assert_eq!(wrong[0].path, "$.responses.200.links.next.operationId");
        let wrong = problems("get_thing", "thing_id", "x");
        assert_eq!(
            wrong[0].path,
            "$.responses.200.links.next.parameters.thing_id"
        );
        for expression in [
            "$response.body#/data/id",
            "$response.body#/id",
            "$request.body#/title",
            "$request.path.project",
            "$response.header.location",
        ] {
            let wrong = problems("get_thing", "id", expression);
            assert_eq!(wrong.len(), 2, "{expression}");
            assert!(
                wrong[0].message.contains(expression),
                "{}",
                wrong[0].message
            );
        }
    }
}
