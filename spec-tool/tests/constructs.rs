//! What the build makes of each construct of OpenAPI: the right code, or an error with its place and remedy.

use deploykit_specs::build;

/// Replaces the parts of a small spec that are written `<name>`.
fn spec(parts: &[(&str, &str)]) -> String {
    let mut text = "openapi: 3.0.3
info: {title: x, version: '1'}
paths:
  /a/{id}:
    <path>
    get:
      operationId: <operation>
      summary: Reads a thing
      x-documented: true
      x-evidence: source
      x-source: a page
      x-behaviour: {idempotent: true, why: a read, spends: false, applied-on: [], final-on: [], pace: none, time: unary, secrets: [], side-effects: none}
      parameters:
        - {name: id, in: path, required: true, description: x, schema: {type: string}}
        <parameter>
      <body>
      responses: <responses>
components:
  <components>
  schemas:
    Thing:
      type: object
      description: x
      required: [<required>]
      properties:
        id: {type: string, description: x}
        <property>
    <schema>
".to_owned();
    for (name, value) in parts {
        assert!(text.contains(&format!("<{name}>")), "{name}");
        text = text.replace(&format!("<{name}>"), value);
    }
    for (name, value) in [
        ("operation", "get_a"),
        (
            "responses",
            "{'200': {description: x, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}}",
        ),
        ("required", ""),
        ("path", ""),
        ("parameter", ""),
        ("body", ""),
        ("components", ""),
        ("property", ""),
        ("schema", ""),
    ] {
        text = text.replace(&format!("<{name}>"), value);
    }
    text
}

/// The generated client, without line breaks.
fn generated(parts: &[(&str, &str)]) -> String {
    let text = spec(parts);
    let generated = build::run("x", "specs/x.yaml", &text);
    let client = generated
        .unwrap_or_else(|error| panic!("{error}\n{text}"))
        .client;
    client.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Asserts that the build refuses the spec, that the first error is about this path, and contains the words.
fn refused(parts: &[(&str, &str)], path: &str, words: &str) {
    let text = spec(parts);
    let error = match build::run("x", "specs/x.yaml", &text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(error) => error.to_string(),
    };
    let found = error
        .lines()
        .find(|line| line.contains(&format!(": {path}: ")) && line.contains(words));
    let found = found.unwrap_or_else(|| panic!("no error about {path} says {words:?}:\n{error}"));
    assert!(found.contains(". Remedy: "), "{found}");
    let line = found
        .strip_prefix("specs/x.yaml:")
        .and_then(|rest| rest.split_once(':'));
    let line: usize = line
        .unwrap_or_else(|| panic!("no line: {found}"))
        .0
        .parse()
        .unwrap();
    assert!(line >= 1 && line <= text.lines().count(), "{found}");
    assert_eq!(
        error.lines().filter(|other| *other == found).count(),
        1,
        "printed twice:\n{error}"
    );
}

const STATE: &str = "State: {type: string, description: x, x-open: true, enum: [ready, failed]}";

#[test]
fn references_are_followed_wherever_they_lead() {
    let code = generated(&[
        (
            "components",
            "parameters: {Q: {name: q, in: query, description: x, schema: {$ref: '#/components/schemas/State'}}}",
        ),
        ("parameter", "- {$ref: '#/components/parameters/Q'}"),
        ("schema", STATE),
    ]);
    assert!(
        code.contains("q: Option<&'a crate::raw::x::enums::State>"),
        "{code}"
    );
    let code = generated(&[
        (
            "path",
            "parameters: [{name: q, in: query, description: x, schema: {$ref: '#/components/schemas/State'}}]",
        ),
        ("schema", STATE),
    ]);
    assert!(
        code.contains("q: Option<&'a crate::raw::x::enums::State>"),
        "{code}"
    );
    let code = generated(&[
        (
            "components",
            "responses: {A: {$ref: '#/components/responses/B'}, B: {description: x, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}}",
        ),
        ("responses", "{'200': {$ref: '#/components/responses/A'}}"),
    ]);
    assert!(code.contains("ResponseValue<types::Thing>"), "{code}");
    let code = generated(&[("property", "next: {$ref: '#/components/schemas/Thing'}")]);
    assert!(
        code.contains("pub next: ::std::option::Option<::std::boxed::Box<Thing>>"),
        "{code}"
    );
}

#[test]
fn references_that_lead_nowhere_are_refused() {
    let thing = "$.components.schemas.Thing.properties";
    for (reference, words) in [
        ("#/components/schemas/Gone", "does not exist"),
        (
            "#/components/schemas/Thing/properties/id",
            "is not a component of this file",
        ),
        (
            "other.yaml#/components/schemas/A",
            "is not a component of this file",
        ),
    ] {
        for name in ["next", "example", "default", "x-next", "examples"] {
            let property = format!("{name}: {{$ref: '{reference}'}}");
            refused(
                &[("property", &property)],
                &format!("{thing}.{name}"),
                words,
            );
        }
    }
    // An example may contain a key of this name.
    generated(&[(
        "property",
        "other: {type: object, description: x, example: {$ref: '#/gone'}}",
    )]);
    refused(
        &[
            (
                "components",
                "responses: {A: {$ref: '#/components/responses/A'}}",
            ),
            ("responses", "{'200': {$ref: '#/components/responses/A'}}"),
        ],
        "$.components.responses.A",
        "leads in a circle",
    );
    for schema in [
        "Loop: {description: x, allOf: [{$ref: '#/components/schemas/Loop'}]}",
        "Loop: {$ref: '#/components/schemas/Other'}\n    Other: {description: x, allOf: [{$ref: '#/components/schemas/Loop'}]}",
    ] {
        refused(
            &[("schema", schema)],
            "$.components.schemas.Loop",
            "is defined by itself",
        );
    }
}

#[test]
fn parameters_become_arguments_or_are_refused() {
    let code = generated(&[(
        "parameter",
        "- {name: type, in: query, description: x, schema: {type: array, items: {type: string}}}",
    )]);
    assert!(
        code.contains("type_: Option<&'a ::std::vec::Vec<::std::string::String>>"),
        "{code}"
    );
    assert!(code.contains("QueryParam::new(\"type\", &type_)"), "{code}");

    let own = "$.paths./a/{id}.get.parameters[1]";
    for (parameter, words) in [
        (
            "{name: q, in: query, explode: false, description: x, schema: {type: array, items: {type: string}}}",
            "the generator sends a list as `q=a&q=b`",
        ),
        (
            "{name: q, in: query, style: deepObject, description: x, schema: {type: string}}",
            "the generator sends a list as",
        ),
        (
            "{name: q, in: query, description: x, schema: {$ref: '#/components/schemas/Thing'}}",
            "a list or an object in `query`",
        ),
        (
            "{name: X-Q, in: header, description: x, schema: {type: array, items: {type: string}}}",
            "a list or an object in `header`",
        ),
        (
            "{name: q, in: query, description: x, content: {application/json: {schema: {type: string}}}}",
            "has no schema",
        ),
        (
            "{name: header_map, in: query, description: x, schema: {type: string}}",
            "cannot be an argument",
        ),
        (
            "{name: options, in: query, description: x, schema: {type: string}}",
            "cannot be an argument",
        ),
        (
            "{name: '½', in: query, description: x, schema: {type: string}}",
            "cannot be an argument",
        ),
        (
            "{name: ID, in: query, description: x, schema: {type: string}}",
            "would become the same argument",
        ),
        (
            "{name: q, in: query, description: x, schema: {type: string, enum: [a]}}",
            "",
        ),
    ] {
        let path = if words.is_empty() {
            format!("{own}.schema")
        } else {
            own.to_owned()
        };
        let words = if words.is_empty() {
            "the enum is inline"
        } else {
            words
        };
        refused(&[("parameter", &format!("- {parameter}"))], &path, words);
    }
    refused(
        &[(
            "path",
            "parameters: [{name: Authorization, in: header, description: x, schema: {type: string}}]",
        )],
        "$.paths./a/{id}.parameters[0]",
        "the transport sets this header",
    );
    refused(
        &[
            (
                "components",
                "parameters: {Q: {name: Accept, in: header, description: x, schema: {type: string}}}",
            ),
            ("parameter", "- {$ref: '#/components/parameters/Q'}"),
        ],
        "$.components.parameters.Q",
        "the transport sets this header",
    );
    refused(
        &[(
            "parameter",
            "- {name: other, in: path, required: true, description: x, schema: {type: string}}",
        )],
        "$.paths./a/{id}.get.parameters",
        "the path parameter `other` is not in the path",
    );
    let text = spec(&[]).replace("/a/{id}:", "/a/{id}/{other}:");
    let error = build::run("x", "specs/x.yaml", &text)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(
            "$.paths./a/{id}/{other}.get: the path has `{other}`, but there is no parameter"
        ),
        "{error}"
    );
}

#[test]
fn names_that_rust_or_the_generator_would_change_are_refused() {
    for name in [
        "deployment_status",
        "HTTPStatus",
        "my.Deployment",
        "deployment",
        "Self",
    ] {
        let schema = format!(
            "{name}: {{type: object, description: x, properties: {{a: {{type: string, description: x}}}}}}"
        );
        refused(
            &[("schema", &schema)],
            &format!("$.components.schemas.{name}"),
            "is not named like a Rust type",
        );
    }
    for id in ["self", "new", "new_with_client", "getA", "get__a", "½"] {
        refused(
            &[("operation", id)],
            "$.paths./a/{id}.get.operationId",
            "is not a valid method name",
        );
    }
    for (id, other) in [
        ("get_a", "get_a"),
        ("get_thing2", "get_thing_2"),
        ("list_v2_x", "list_v_2_x"),
    ] {
        let delete = format!(
            "delete: {{operationId: {other}, summary: x, x-documented: true, x-evidence: source, x-source: a page, x-behaviour: {{idempotent: true, why: x, spends: false, applied-on: [], final-on: [], pace: none, time: unary, secrets: [], side-effects: x}}, parameters: [{{name: id, in: path, required: true, description: x, schema: {{type: string}}}}], responses: {{'204': {{description: x}}}}}}"
        );
        refused(
            &[("operation", id), ("path", &delete)],
            "$.paths./a/{id}.get.operationId",
            "has the same Rust name as",
        );
    }
    refused(
        &[("property", "ID: {type: string, description: x}")],
        "$.components.schemas.Thing.properties.id",
        "have the same Rust name",
    );
    refused(
        &[("property", "'½': {type: string, description: x}")],
        "$.components.schemas.Thing.properties.½",
        "has no Rust name",
    );
    let code = generated(&[("property", "self: {type: string, description: x}")]);
    assert!(
        code.contains("rename = \"self\"") && code.contains("pub self_:"),
        "{code}"
    );
}

#[test]
fn enums_keep_their_values_or_are_refused() {
    let code = generated(&[
        ("property", "state: {$ref: '#/components/schemas/State'}"),
        (
            "schema",
            "State: {type: string, description: x, x-open: true, enum: [off, y, no, 'null', '16']}",
        ),
    ]);
    for value in [
        "Off = \"off\"",
        "Y = \"y\"",
        "No = \"no\"",
        "Null = \"null\"",
        "V16 = \"16\"",
    ] {
        assert!(code.contains(value), "{value}: {code}");
    }
    let at = "$.components.schemas.State";
    let state = |rest: &str| format!("State: {{description: x, x-open: true, {rest}}}");
    for (schema, path, words) in [
        (
            "type: string, enum: [ready, 16]",
            ".enum",
            "the value 16 is not a text",
        ),
        (
            "type: string, enum: [ready, true]",
            ".enum",
            "the value true is not a text",
        ),
        (
            "type: string, nullable: true, enum: [ready, null]",
            ".enum",
            "the value null is not a text",
        ),
        (
            "type: string, nullable: true, enum: [ready]",
            ".enum",
            "ignores that this enum is nullable",
        ),
        (
            "type: integer, enum: [1, 2]",
            ".enum",
            "an enum must be a list of texts",
        ),
        (
            "type: string, enum: []",
            ".enum",
            "an enum must be a list of texts",
        ),
        (
            "type: string, enum: ['self', '½']",
            ".enum",
            "the value `self` would become the variant `Self`",
        ),
        (
            "type: string, enum: ['½']",
            ".enum",
            "which is not a Rust name",
        ),
    ] {
        let parts = [
            ("property", "state: {$ref: '#/components/schemas/State'}"),
            ("schema", &state(schema)),
        ];
        refused(&parts, &format!("{at}{path}"), words);
    }
    let inline = "$.components.schemas.Thing.properties.state";
    for (property, path) in [
        (
            "{description: x, type: string, enum: [a]}",
            inline.to_owned(),
        ),
        (
            "{description: x, type: array, items: {type: string, enum: [a]}}",
            format!("{inline}.items"),
        ),
        (
            "{description: x, allOf: [{type: string, enum: [a]}]}",
            format!("{inline}.allOf[0]"),
        ),
    ] {
        refused(
            &[("property", &format!("state: {property}"))],
            &path,
            "the enum is inline",
        );
    }
}

#[test]
fn replies_of_several_shapes_are_refused() {
    let at = "$.paths./a/{id}.get.responses";
    let thing = "{schema: {$ref: '#/components/schemas/Thing'}}";
    for (responses, path, words) in [
        (
            format!("{{'200': {{description: x, content: {{application/json: {thing}}}}}, '202': {{description: x, content: {{text/plain: {{schema: {{type: string}}}}}}}}}}"),
            at.to_owned(),
            "different media types",
        ),
        (
            format!("{{'200': {{description: x, content: {{application/json: {thing}}}}}, '202': {{description: x, content: {{application/json: {{schema: {{type: string}}}}}}}}}}"),
            at.to_owned(),
            "different JSON schemas",
        ),
        (
            format!("{{'200': {{description: x, content: {{application/json: {{schema: {{oneOf: [{thing}]}}}}}}}}}}"),
            format!("{at}.200.content.application/json.schema.oneOf"),
            "`oneOf` is not supported",
        ),
        (
            "{'200': {description: x, content: {application/json: {schema: {type: array, items: {anyOf: [{type: string}]}}}}}}".to_owned(),
            format!("{at}.200.content.application/json.schema.items.anyOf"),
            "`anyOf` is not supported",
        ),
    ] {
        refused(&[("responses", &responses)], &path, words);
    }
    // Nothing is generated from the reply of a failure.
    generated(&[(
        "responses",
        &format!(
            "{{'200': {{description: x, content: {{application/json: {thing}}}}}, '400': {{description: x, content: {{application/json: {{schema: {{oneOf: [{{type: string}}]}}}}}}}}}}"
        ),
    )]);
}

#[test]
fn objects_are_complete_or_refused() {
    let code = generated(&[
        ("required", "state"),
        (
            "property",
            "state: {type: string, nullable: true, description: x}",
        ),
    ]);
    assert!(
        code.contains("pub state: ::std::option::Option<::std::string::String>"),
        "{code}"
    );
    let thing = "$.components.schemas.Thing";
    refused(
        &[("required", "sate")],
        &format!("{thing}.required"),
        "the required property `sate` does not exist",
    );
    for (property, path, words) in [
        (
            "{type: string, writeOnly: true, description: x}",
            ".writeOnly",
            "the generator ignores `writeOnly`",
        ),
        (
            "{type: object, description: x, properties: {b: {type: string, description: x}}}",
            "",
            "the object is inline",
        ),
        (
            "{description: x, allOf: [{$ref: '#/components/schemas/Thing'}, {$ref: '#/components/schemas/Thing'}]}",
            ".allOf",
            "guesses how to merge",
        ),
        (
            "{type: string, x-rust-type: crate::Secret, description: x}",
            ".x-rust-type",
            "has no effect here",
        ),
        (
            "{type: [string, 'null'], description: x}",
            ".type",
            "is OpenAPI 3.1",
        ),
        ("{type: 'null', description: x}", ".type", "is OpenAPI 3.1"),
        (
            "{type: text, description: x}",
            ".type",
            "the type \"text\" does not exist",
        ),
        (
            "{const: a, description: x}",
            ".const",
            "is not in OpenAPI 3.0",
        ),
        (
            "{type: string, examples: [a], description: x}",
            ".examples",
            "is not in OpenAPI 3.0",
        ),
        (
            "{type: integer, exclusiveMinimum: 1, description: x}",
            ".exclusiveMinimum",
            "is OpenAPI 3.1",
        ),
    ] {
        refused(
            &[("property", &format!("a: {property}"))],
            &format!("{thing}.properties.a{path}"),
            words,
        );
    }
    refused(
        &[
            ("property", "a: {$ref: '#/components/schemas/Mixed'}"),
            (
                "schema",
                "Mixed: {type: object, description: x, properties: {extra: {type: string, description: x}}, additionalProperties: {type: integer}}",
            ),
        ],
        "$.components.schemas.Mixed.additionalProperties",
        "both named properties and a schema for others",
    );
    for (newer, words) in [
        ("3.1.0", "the OpenAPI version is \"3.1.0\""),
        ("2.0", "the OpenAPI version is 2.0"),
    ] {
        let text = spec(&[]).replace("3.0.3", newer);
        let error = build::run("x", "specs/x.yaml", &text)
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("specs/x.yaml:1: $.openapi: ") && error.contains(words),
            "{error}"
        );
    }
}

#[test]
fn strict_formats_do_not_reach_the_generated_types() {
    for format in ["date-time", "uuid", "ip", "ipv4", "uri", "byte"] {
        let code = generated(&[(
            "property",
            &format!("a: {{type: string, format: {format}, description: x}}"),
        )]);
        assert!(
            code.contains("pub a: ::std::option::Option<::std::string::String>"),
            "{format}: {code}"
        );
    }
}

#[test]
fn a_panic_of_the_generator_is_an_error() {
    let text = spec(&[(
        "body",
        "requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}, encoding: {id: {contentType: a/b}}}}}",
    )]);
    let error = build::run("x", "specs/x.yaml", &text).unwrap_err();
    let error = error.to_string();
    assert!(
        error.starts_with("specs/x.yaml: $: the generator does not support the spec: "),
        "{error}"
    );
    assert!(error.contains("media type encoding not empty"), "{error}");
}
