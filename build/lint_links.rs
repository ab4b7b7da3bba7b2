//! Checks the links from a reply to the next request: a typing mistake in one breaks nothing that is
//! generated, and the tools that follow links pass over what they cannot resolve.

use super::problem::Problem;
use super::schemas::{self, resolve};
use serde_json::{Map, Value};

/// Checks the links of one reply; `operation` is the one that it belongs to.
pub fn links(
    json: &Value,
    at: &str,
    operation: &Value,
    response: &Value,
    problems: &mut Vec<Problem>,
) {
    let all = response.get("links").and_then(Value::as_object);
    for (name, link) in all.into_iter().flatten() {
        let at = format!("{at}.links.{name}");
        let target = link.get("operationId").and_then(Value::as_str);
        let found = schemas::operations(json).find(|(_, _, other)| {
            target.is_some() && other.get("operationId").and_then(Value::as_str) == target
        });
        let Some((_, _, next)) = found else {
            problems.push(Problem::new(
                format!("{at}.operationId"),
                format!("no operation is called `{}`", target.unwrap_or_default()),
                "name the operation that the reply feeds",
            ));
            continue;
        };
        for (key, expression) in entries(link, "parameters") {
            if !has_parameter(json, next, key, None) {
                problems.push(Problem::new(
                    format!("{at}.parameters.{key}"),
                    format!("`{}` has no such parameter", target.unwrap_or_default()),
                    "write the name as that operation has it",
                ));
            }
            let here = format!("{at}.parameters.{key}");
            leads_somewhere(json, &here, expression, operation, response, problems);
        }
        if let Some(whole) = link.get("requestBody").filter(|body| body.is_string()) {
            let here = format!("{at}.requestBody");
            leads_somewhere(json, &here, whole, operation, response, problems);
        }
        for (key, expression) in entries(link, "requestBody") {
            let here = format!("{at}.requestBody.{key}");
            leads_somewhere(json, &here, expression, operation, response, problems);
        }
    }
}

fn entries<'a>(link: &'a Value, key: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    link.get(key)
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

fn has_parameter(json: &Value, operation: &Value, name: &str, place: Option<&str>) -> bool {
    let list = operation.get("parameters").and_then(Value::as_array);
    list.into_iter().flatten().any(|parameter| {
        let parameter = resolve(json, parameter);
        let text = |key: &str| parameter.get(key).and_then(Value::as_str);
        text("name") == Some(name) && place.is_none_or(|place| text("in") == Some(place))
    })
}

/// What does not begin with `$` is a constant.
fn leads_somewhere(
    json: &Value,
    at: &str,
    expression: &Value,
    operation: &Value,
    response: &Value,
    problems: &mut Vec<Problem>,
) {
    let Some(text) = expression.as_str().filter(|text| text.starts_with('$')) else {
        return;
    };
    let known = if text == "$request.body" {
        operation.get("requestBody").is_some()
    } else if let Some(pointer) = text.strip_prefix("$response.body#") {
        body_has(json, response, pointer)
    } else if let Some(pointer) = text.strip_prefix("$request.body#") {
        operation
            .get("requestBody")
            .is_some_and(|body| body_has(json, resolve(json, body), pointer))
    } else if let Some((place, name)) = text
        .strip_prefix("$request.")
        .and_then(|rest| rest.split_once('.'))
    {
        has_parameter(json, operation, name, Some(place))
    } else {
        false
    };
    if !known {
        problems.push(Problem::new(
            at,
            format!("`{text}` leads to nothing that the spec describes"),
            "use `$response.body#/a/b`, `$request.body#/a/b` or `$request.path.name` with names as they stand there",
        ));
    }
}

/// Whether one of the media types has it.
fn body_has(json: &Value, body: &Value, pointer: &str) -> bool {
    let content = body.get("content").and_then(Value::as_object);
    let parts: Vec<&str> = pointer.split('/').skip(1).collect();
    content
        .into_iter()
        .flat_map(Map::values)
        .filter_map(|media| media.get("schema"))
        .any(|schema| schema_has(json, schema, &parts))
}

fn schema_has(json: &Value, schema: &Value, parts: &[&str]) -> bool {
    let schema = resolve(json, schema);
    let Some((first, rest)) = parts.split_first() else {
        return true;
    };
    let into = if first.bytes().all(|byte| byte.is_ascii_digit()) {
        schema.get("items")
    } else {
        schema
            .get("properties")
            .and_then(|properties| properties.get(first))
    };
    if into.is_some_and(|into| schema_has(json, into, rest)) {
        return true;
    }
    ["allOf", "oneOf", "anyOf"].into_iter().any(|key| {
        let alternatives = schema.get(key).and_then(Value::as_array);
        alternatives
            .into_iter()
            .flatten()
            .any(|alternative| schema_has(json, alternative, parts))
    })
}

#[cfg(test)]
mod tests {
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
        let mut problems = Vec::new();
        links(&json, "$.responses.200", operation, response, &mut problems);
        problems
    }

    #[test]
    fn what_leads_somewhere_is_accepted() {
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
    fn what_leads_nowhere_is_named() {
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
            assert!(wrong[0].what.contains(expression), "{}", wrong[0].what);
        }
    }
}
