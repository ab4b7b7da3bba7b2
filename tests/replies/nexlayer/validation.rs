//! Responses to validate and schema.

use super::manifest;
use crate::json_reply;
use crate::support::Server;
use deploykit::nexlayer::{Client, Manifest, Validation};
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{ErrorKind, Result};
use serde_json::{Value, json};

async fn validated(reply: CannedReply) -> Result<Validation> {
    validated_as(&manifest(), reply).await
}

async fn validated_as(manifest: &Manifest, reply: CannedReply) -> Result<Validation> {
    client("validate_manifest", reply).validate(manifest).await
}

async fn schema(reply: CannedReply) -> Result<Value> {
    client("get_schema", reply).schema().await
}

fn client(operation: &str, reply: CannedReply) -> Client {
    let recorder = Recorder::new();
    recorder.reply(operation, reply);
    Client::builder().recorder(&recorder).build().unwrap()
}

#[tokio::test]
async fn valid_manifest_has_no_findings() {
    let text = "Nexlayer YAML file is valid.";
    for body in [
        json!({ "message": text }),
        json!({ "success": true, "data": { "message": text } }),
        json!({ "valid": true, "message": text }),
    ] {
        let validation = validated(json_reply(200, &body)).await.unwrap();
        assert!(
            validation.valid && validation.findings.is_empty(),
            "{validation:?}"
        );
        assert_eq!(validation.message.as_deref(), Some(text));
    }
}

#[tokio::test]
async fn invalid_manifest_is_not_an_error() {
    let at = |path: &str, message: &str| (Some(path.to_owned()), message.to_owned());
    let bare = |message: &str| (None, message.to_owned());
    for (status, body, findings, message) in [
        (
            400,
            json!({ "error": "Invalid", "details": [{ "path": "a.b", "message": "is missing" }, { "field": "c", "message": "is odd" }] }),
            vec![at("a.b", "is missing"), at("c", "is odd")],
            Some("Invalid"),
        ),
        (
            400,
            json!({ "valid": false, "errors": ["a is missing", "b is odd"] }),
            vec![bare("a is missing"), bare("b is odd")],
            Some("a is missing; b is odd"),
        ),
        (
            200,
            json!({ "valid": false, "errors": ["a is missing"] }),
            vec![bare("a is missing")],
            Some("a is missing"),
        ),
        (
            422,
            json!({ "error": "Invalid", "code": "INVALID_YAML", "details": [{ "message": "x" }, { "path": "y" }, 7, {}] }),
            vec![bare("x"), at("y", "")],
            Some("Invalid"),
        ),
        (
            400,
            json!({ "error": "No", "code": "INVALID_YAML" }),
            vec![],
            Some("No"),
        ),
        (400, json!({ "valid": false, "errors": [] }), vec![], None),
        (
            400,
            json!({ "valid": false, "message": "No" }),
            vec![],
            Some("No"),
        ),
    ] {
        let output = body.to_string();
        let validation = validated(json_reply(status, &body)).await;
        let validation = validation.unwrap_or_else(|error| panic!("{output}: {error}"));
        assert!(!validation.valid, "{output}");
        assert_eq!(validation.message.as_deref(), message, "{output}");
        let found: Vec<_> = validation
            .findings
            .into_iter()
            .map(|finding| (finding.path, finding.message))
            .collect();
        assert_eq!(found, findings, "{output}");
    }
}

#[tokio::test]
async fn other_failures_of_a_validation_are_errors() {
    for (status, body, kind) in [
        (
            400,
            json!({ "error": "the body is not valid JSON" }),
            ErrorKind::Rejected,
        ),
        (
            401,
            json!({ "error": "x", "details": [{ "message": "y" }] }),
            ErrorKind::Unauthenticated,
        ),
        (
            400,
            json!({ "error": "x", "code": "TOKEN_EXPIRED", "details": [] }),
            ErrorKind::Unauthenticated,
        ),
        (
            413,
            json!({ "error": "x", "details": [] }),
            ErrorKind::Rejected,
        ),
        (
            429,
            json!({ "error": "x", "details": [] }),
            ErrorKind::RateLimited,
        ),
        (
            500,
            json!({ "error": "x", "details": [{ "message": "y" }] }),
            ErrorKind::Server,
        ),
        (200, json!({ "error": "x" }), ErrorKind::Rejected),
    ] {
        let error = validated(json_reply(status, body.clone()))
            .await
            .unwrap_err();
        assert_eq!(
            (error.kind(), error.status()),
            (kind, Some(status)),
            "{body}"
        );
    }
    let page = "<!DOCTYPE html><html><body><pre>Cannot POST /validate</pre></body></html>";
    let error = validated(CannedReply::new(404, page)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchRoute);
}

#[tokio::test]
async fn manifest_secrets_in_findings_are_redacted() {
    let text = "application: {name: a, pods: [{vars: {API_TOKEN: Hush-1234}}]}";
    let manifest = Manifest::parse(text).unwrap();
    for (status, body) in [
        (
            400,
            json!({ "error": "Hush-1234", "details": [{ "path": "a", "message": "bad value Hush-1234" }] }),
        ),
        (
            200,
            json!({ "valid": false, "errors": ["bad value Hush-1234"] }),
        ),
    ] {
        let validation = validated_as(&manifest, json_reply(status, &body))
            .await
            .unwrap();
        assert_eq!(validation.findings[0].message, "bad value <redacted>");
        let output = format!("{validation:?}");
        assert!(!output.contains("Hush"), "{output}");
    }
}

#[tokio::test]
async fn schema_is_returned_unchanged() {
    let document = json!({
        "$schema": "http://json-schema.org/draft-07/schema#", "title": "Nexlayer YAML Schema", "type": "object",
        "status": 7, "url": 7, "error": "not one", "data": {}, "namespace": "n", "properties": { "application": {} },
    });
    let body = json!({ "success": true, "data": { "version": "1", "schema": document } });
    assert_eq!(schema(json_reply(200, &body)).await.unwrap(), document);
    let error = schema(json_reply(200, json!(7))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode, "{error}");
}

#[tokio::test]
async fn a_validation_sends_the_values_that_a_deployment_sends() {
    let vars = "{DEBUG: yes, COUNTRY: NO, AXIS: y, MODE: 0755, BIG: 1_000, RATIO: .nan}";
    let text = format!("application: {{name: abc, pods: [{{name: web, vars: {vars}}}]}}");
    let manifest = Manifest::parse(text.as_str()).unwrap();
    let server = Server::replies("200 OK", &["content-type: application/json"], "{}").await;
    let client = Client::builder()
        .base_url(&server.base_url)
        .build()
        .unwrap();
    client.validate(&manifest).await.unwrap();
    client.deploy(manifest.clone()).await.unwrap();
    let requests = server.requests();
    let [validated, deployed] =
        [0, 1].map(|at: usize| requests[at].split_once("\r\n\r\n").unwrap().1);
    assert_eq!(deployed, text);
    let validated: Value = serde_json::from_str(validated).unwrap();
    assert_eq!(
        validated["application"]["pods"][0]["vars"],
        json!({ "DEBUG": "yes", "COUNTRY": "NO", "AXIS": "y", "MODE": "0755", "BIG": "1_000", "RATIO": ".nan" })
    );
    for (key, value) in &manifest.spec().unwrap().pods[0].vars {
        assert_eq!(
            validated["application"]["pods"][0]["vars"][key],
            value.expose()
        );
    }
}
