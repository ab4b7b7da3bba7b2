//! The format of a manifest as JSON Schema: all that is read, and what is written.

use super::pattern::{self, Pattern};
use serde_json::{Map, Value, json};

/// A schema of every form that some generation has.
pub(super) fn of_what_is_read() -> schemars::Schema {
    let scalar = || json!({ "type": ["string", "number", "boolean"] });
    let value = || json!({ "type": ["string", "number", "boolean", "null"] });
    let text = value;
    let port = || {
        json!({ "anyOf": [
        { "type": "integer", "minimum": 1, "maximum": 65535 },
        { "type": "string", "pattern": pattern::PORT },
    ] })
    };
    let port_or_null = || json!({ "anyOf": [port(), { "type": "null" }] });
    let whole = || json!({ "type": ["integer", "null"], "minimum": 0, "maximum": u32::MAX });
    let command =
        || json!({ "type": ["string", "number", "boolean", "null", "array"], "items": scalar() });
    let one_of = |keys: &[&str], form: Value| {
        let one = |key: &&str| json!({ "required": [key], "properties": { *key: form } });
        Value::Array(keys.iter().map(one).collect())
    };
    let ports = list(json!({ "anyOf": [port(), {
        "type": "object",
        "properties": {
            "port": port_or_null(),
            "servicePort": port_or_null(),
            "targetPort": port_or_null(),
            "containerPort": port_or_null(),
            "name": text(),
            "protocol": text(),
        },
        "anyOf": one_of(&["port", "servicePort", "targetPort", "containerPort"], port()),
    }] }));
    let vars = json!({ "anyOf": [
        { "type": ["object", "null"], "additionalProperties": value() },
        { "type": "array", "items": {
            "type": "object",
            "properties": { "value": value() },
            "anyOf": [
                { "required": ["key"], "properties": { "key": scalar() } },
                { "required": ["name"], "properties": { "key": { "type": "null" }, "name": scalar() } },
            ],
        } },
    ] });
    let volume = named(json!({ "size": text(), "mountPath": text(), "path": text() }));
    let secret = named(json!({
        "data": { "type": ["string", "number", "boolean", "null", "object"], "additionalProperties": value() },
        "fileName": text(),
        "mountPath": text(),
        "path": text(),
    }));
    let quantities = map(json!({ "cpu": text(), "memory": text() }));
    let pod = named(json!({
        "image": text(),
        "tag": text(),
        "path": text(),
        "servicePorts": ports,
        "ports": ports,
        "vars": vars,
        "env": vars,
        "volumes": list(volume),
        "secrets": list(secret),
        "entrypoint": command(),
        "command": command(),
        "useGPU": { "type": ["boolean", "null"] },
        "resourceType": text(),
        "replicas": whole(),
        "resources": map(json!({
            "requests": quantities, "limits": quantities, "cpu": text(), "memory": text(),
        })),
        "subdomain": text(),
        "healthCheck": map(json!({
            "path": text(),
            "port": port_or_null(),
            "initialDelaySeconds": whole(),
            "periodSeconds": whole(),
            "timeoutSeconds": whole(),
            "failureThreshold": whole(),
        })),
    }));
    let pods = list(pod);
    let login =
        map(json!({ "registry": text(), "username": text(), "personalAccessToken": text() }));
    let name = || json!({ "type": "string", "pattern": "\\S" });
    root(
        "A nexlayer.yaml of any generation",
        json!({
            "type": "object",
            "required": ["application"],
            "properties": {
                "application": {
                    "type": "object",
                    "properties": {
                        "version": value(),
                        "url": text(),
                        "domain": text(),
                        "registryLogin": login,
                        "imagePullSecrets": list(json!({ "type": "object", "properties": {
                            "name": text(), "registry": text(), "username": text(), "password": text(),
                        } })),
                        "entrypoint": command(),
                        "command": command(),
                        "pods": pods,
                        "template": map(json!({ "registryLogin": login, "pods": pods })),
                    },
                    "anyOf": [
                        { "required": ["name"], "properties": { "name": name() } },
                        { "required": ["template"], "properties": {
                            "name": { "type": "null" },
                            "template": { "type": "object", "required": ["name"], "properties": { "name": name() } },
                        } },
                    ],
                },
                "pods": pods,
            },
        }),
    )
}

/// A schema of the canonical form.
pub(super) fn of_what_is_written() -> schemars::Schema {
    let text = || json!({ "type": "string" });
    let of = |form: &Pattern| json!({ "type": "string", "pattern": form.regex });
    let or_null = |form: &Pattern| json!({ "type": ["string", "null"], "pattern": form.regex });
    let value = json!({ "type": ["string", "number", "boolean", "null"] });
    let volume = strict(
        &["name", "size", "mountPath"],
        json!({
            "name": of(&pattern::NAME),
            "size": of(&pattern::VOLUME_SIZE),
            "mountPath": of(&pattern::PATH),
        }),
    );
    let secret = strict(
        &["name", "data", "fileName"],
        json!({
            "name": of(&pattern::NAME),
            "data": text(),
            "fileName": text(),
            "mountPath": of(&pattern::PATH),
        }),
    );
    let quantities = strict(
        &[],
        json!({ "cpu": of(&pattern::CPU), "memory": of(&pattern::MEMORY) }),
    );
    let mut pod = strict(
        &["name", "image"],
        json!({
            "name": of(&pattern::NAME),
            "image": of(&pattern::IMAGE),
            "path": or_null(&pattern::PATH),
            "servicePorts": {
                "type": "array",
                "items": { "type": "integer", "minimum": 1, "maximum": 65535 },
                "minItems": 1,
                "maxItems": 2768,
            },
            "vars": { "type": "object", "additionalProperties": value },
            "volumes": { "type": "array", "items": volume },
            "secrets": { "type": "array", "items": secret },
            "entrypoint": text(),
            "command": text(),
            "args": {},
            "annotations": {},
            "useGPU": { "type": "boolean" },
            "resourceType": { "enum": ["deployment", "statefulset", "daemonset", "job"] },
            "replicas": { "type": "integer", "minimum": 1, "maximum": u32::MAX },
            "resources": strict(&[], json!({ "requests": quantities, "limits": quantities })),
            "subdomain": or_null(&pattern::SUBDOMAIN),
        }),
    );
    add(
        &mut pod,
        "anyOf",
        json!([
            { "required": ["servicePorts"] },
            { "required": ["resourceType"], "properties": { "resourceType": { "const": "job" } } },
        ]),
    );
    let application = strict(
        &["name", "pods"],
        json!({
            "name": of(&pattern::APPLICATION_NAME),
            "version": { "type": ["string", "number", "boolean"] },
            "url": or_null(&pattern::URL),
            "registryLogin": strict(
                &["registry", "username", "personalAccessToken"],
                json!({ "registry": text(), "username": text(), "personalAccessToken": text() }),
            ),
            "pods": {
                "type": "array",
                "items": pod,
                "minItems": 1,
                "contains": { "required": ["path"], "properties": { "path": { "type": "string" } } },
            },
        }),
    );
    root(
        "A nexlayer.yaml",
        strict(&["application"], json!({ "application": application })),
    )
}

fn root(title: &str, mut schema: Value) -> schemars::Schema {
    add(
        &mut schema,
        "$schema",
        json!("https://json-schema.org/draft/2020-12/schema"),
    );
    add(&mut schema, "title", json!(title));
    // It is a map.
    schemars::Schema::try_from(schema).unwrap_or_default()
}

fn add(schema: &mut Value, key: &str, value: Value) {
    if let Some(map) = schema.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

/// A list, or nothing.
fn list(items: Value) -> Value {
    json!({ "type": ["array", "null"], "items": items })
}

/// A map with these fields and others, or nothing.
fn map(properties: Value) -> Value {
    json!({ "type": ["object", "null"], "properties": properties })
}

/// A map that must have a name.
fn named(mut properties: Value) -> Value {
    add(
        &mut properties,
        "name",
        json!({ "type": ["string", "number", "boolean"] }),
    );
    json!({ "type": "object", "required": ["name"], "properties": properties })
}

/// A map with these fields and no others.
fn strict(required: &[&str], properties: Value) -> Value {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), json!("object"));
    if !required.is_empty() {
        schema.insert("required".to_owned(), json!(required));
    }
    schema.insert("properties".to_owned(), properties);
    schema.insert("additionalProperties".to_owned(), json!(false));
    Value::Object(schema)
}
