//! Reduces each operation to one success reply, and drops optional request bodies.
//!
//! - Failures are removed. For a documented failure whose body differs, the generated client loses the status
//!   and headers (`InvalidResponsePayload`). An undocumented failure keeps them (`UnexpectedResponse`), and
//!   the platform maps it to an error.
//! - The success becomes `2XX`: servers respond with 201 or 202 where their documentation says 200.
//! - Optional request bodies are removed, because the generated client would always send them. The wrapper
//!   attaches them instead.
//!
//! Only the generator's copy changes; the spec file keeps everything for other readers and tools.

use super::schemas::{collect_references, operations_mut, text};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Applies the pass, and removes component schemas that become unused.
pub fn apply(json: &mut Value) {
    let whole = json.clone();
    let mut used = BTreeSet::new();
    for operation in operations_mut(json) {
        if !is_required(operation.get("requestBody")) {
            operation.remove("requestBody");
        }
        if let Some(body) = operation.get_mut("requestBody") {
            *body = request_body(body);
            collect_references(&whole, body, &mut used);
        }
        let time = operation.get("x-behaviour").and_then(|x| text(x, "time"));
        let stream = time == Some("stream");
        if let Some(responses) = operation.get_mut("responses") {
            *responses = success(responses, stream);
            collect_references(&whole, responses, &mut used);
        }
        if let Some(parameters) = operation.get_mut("parameters") {
            collect_references(&whole, parameters, &mut used);
        }
    }
    if let Some(components) = json.get_mut("components").and_then(Value::as_object_mut) {
        for unused in [
            "parameters",
            "responses",
            "headers",
            "examples",
            "requestBodies",
        ] {
            components.remove(unused);
        }
        if let Some(all) = components.get_mut("schemas").and_then(Value::as_object_mut) {
            all.retain(|name, _| used.contains(name));
        }
    }
}

/// A single `2XX` reply with one media type: JSON if available, but for a stream any other type if available.
fn success(responses: &Value, stream: bool) -> Value {
    let first = responses
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(status, _)| status.starts_with('2'))
        .map(|(_, response)| response)
        .find(|response| response.get("content").is_some());
    let Some(content) = first.and_then(|response| response.get("content")?.as_object()) else {
        return json!({ "2XX": { "description": "success" } });
    };
    let is_json = |name: &&String| name.as_str() == "application/json";
    let chosen = if stream {
        content.keys().find(|name| !is_json(name))
    } else {
        content.keys().find(is_json)
    };
    let kept: Map<String, Value> = chosen
        .or_else(|| content.keys().next())
        .and_then(|name| {
            let schema = content.get(name)?.get("schema")?.clone();
            Some((name.clone(), json!({ "schema": schema })))
        })
        .into_iter()
        .collect();
    json!({ "2XX": { "description": "success", "content": kept } })
}

/// Renames `text/*` to `text/plain`, the only text type that the generator supports. The transport sends the
/// type from the spec.
fn request_body(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(content) = body.get_mut("content").and_then(Value::as_object_mut) {
        let plain = content.keys().find(|name| name.starts_with("text/"));
        if let Some(media) = plain.cloned().and_then(|name| content.remove(&name)) {
            content.insert("text/plain".to_owned(), media);
        }
    }
    body
}

/// Whether the request body is required.
fn is_required(body: Option<&Value>) -> bool {
    body.and_then(|body| body.get("required")) == Some(&Value::Bool(true))
}

/// The media type of a required request body, as in the spec.
pub fn request_content_type(operation: &Value) -> Option<String> {
    let body = operation.get("requestBody");
    if !is_required(body) {
        return None;
    }
    body?.get("content")?.as_object()?.keys().next().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(responses: Value) -> Value {
        json!({
            "paths": { "/a": { "get": { "responses": responses } } },
            "components": { "schemas": {
                "Ok": { "type": "object" }, "Bad": { "type": "object" }
            } }
        })
    }

    fn reply(schema: &str) -> Value {
        json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{schema}") } } })
    }

    #[test]
    fn failures_are_removed_and_success_becomes_2xx() {
        let mut json =
            spec(json!({ "200": { "content": reply("Ok") }, "400": { "content": reply("Bad") } }));
        apply(&mut json);
        let responses = json["paths"]["/a"]["get"]["responses"].as_object().unwrap();
        assert!(responses.keys().eq(["2XX"]), "{json}");
        assert!(json.pointer("/components/schemas/Ok").is_some());
        assert!(json.pointer("/components/schemas/Bad").is_none());
    }

    #[test]
    fn a_stream_keeps_its_non_json_media_type() {
        let both = json!({ "200": { "content": {
            "application/json": { "schema": { "type": "array" } },
            "application/x-ndjson": { "schema": { "type": "string" } }
        } } });
        for (stream, kept) in [
            (false, "application~1json"),
            (true, "application~1x-ndjson"),
        ] {
            let reply = success(&both, stream);
            let content = reply.pointer("/2XX/content").unwrap();
            assert!(content.pointer(&format!("/{kept}")).is_some(), "{reply}");
            assert_eq!(content.as_object().unwrap().len(), 1);
        }
    }

    #[test]
    fn optional_request_bodies_are_removed() {
        for (required, kept) in [(true, true), (false, false)] {
            let mut json = spec(json!({ "200": {} }));
            json["paths"]["/a"]["get"]["requestBody"] =
                json!({ "required": required, "content": reply("Ok") });
            let operation = json["paths"]["/a"]["get"].clone();
            assert_eq!(request_content_type(&operation).is_some(), kept);
            apply(&mut json);
            let body = json.pointer("/paths/~1a/get/requestBody");
            assert_eq!(body.is_some(), kept);
            let schema = json.pointer("/components/schemas/Ok");
            assert_eq!(schema.is_some(), kept);
        }
    }

    #[test]
    fn text_request_bodies_become_plain_text() {
        let body = json!({ "required": true, "content": { "text/x-yaml": { "schema": { "type": "string" } } } });
        assert!(
            request_body(&body)
                .pointer("/content/text~1plain")
                .is_some()
        );
    }
}
