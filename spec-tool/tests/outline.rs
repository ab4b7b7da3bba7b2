//! Outlines of small documents with the faults that vendors' documents have, and of the real ones.

use deploykit_specs::outline::Outline;
use std::path::Path;

fn lines(text: &str) -> Vec<String> {
    let outline = Outline::read(text, None);
    assert_eq!(outline.unread(), [], "{text}");
    outline.facts().map(ToString::to_string).collect()
}

/// Asserts that the facts are exactly these lines.
fn assert_facts(text: &str, expected: &str) {
    let expected: Vec<_> = expected
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(lines(text).join("\n"), expected.join("\n"));
}

const DOCUMENT: &str = "openapi: 3.1.0
info: {title: x, version: '1'}
servers: [{url: 'https://api.example/v2'}]
paths:
  /things/{id}:
    parameters:
      - {name: id, in: path, required: true, schema: {type: string}}
    post:
      summary: '[v2] Make a thing'
      operationId: make thing
      deprecated: true
      security: [{API key: []}]
      parameters:
        - {name: page, in: query, schema: {type: [integer, 'null'], minimum: 1}}
        - {name: Authorization, in: header, schema: {type: string}}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              allOf:
                - $ref: '#/components/schemas/Base'
                - {type: object, required: [name], properties: {name: {type: string, maxLength: 9}}}
      responses:
        '202':
          description: x
          content: {application/json: {schema: {$ref: '#/components/schemas/Tree'}}}
        '400': {description: x}
    get:
      summary: no id
      responses: {}
components:
  securitySchemes: {API key: {type: apiKey, in: header, name: X-Key}}
  schemas:
    Base: {type: object, properties: {tags: {type: object, additionalProperties: {type: string}}}}
    Tree:
      type: object
      required: [state]
      properties:
        state: {type: string, enum: [READY, FAILED]}
        size: {anyOf: [{type: number, format: double}, {type: 'null'}]}
        children: {type: array, items: {$ref: '#/components/schemas/Tree'}}
";

const FACTS: &str = "
    * servers: https://api.example/v2
    GET /v2/things/{id}
    GET /v2/things/{id} path id: string, required
    POST /v2/things/{id}
    POST /v2/things/{id} 202
    POST /v2/things/{id} 202: object
    POST /v2/things/{id} 202 body: application/json
    POST /v2/things/{id} 202 children: array
    POST /v2/things/{id} 202 children[]: recursive Tree
    POST /v2/things/{id} 202 size: one of 1, nullable
    POST /v2/things/{id} 202 size|1: number (double)
    POST /v2/things/{id} 202 state: string, required
    POST /v2/things/{id} 202 state enum: FAILED
    POST /v2/things/{id} 202 state enum: READY
    POST /v2/things/{id} 400
    POST /v2/things/{id} deprecated
    POST /v2/things/{id} path id: string, required
    POST /v2/things/{id} query page: integer, nullable
    POST /v2/things/{id} query page minimum: 1
    POST /v2/things/{id} request: object
    POST /v2/things/{id} request body: application/json, required
    POST /v2/things/{id} request name: string, required
    POST /v2/things/{id} request name maxLength: 9
    POST /v2/things/{id} request tags: object
    POST /v2/things/{id} request tags.*: string
    POST /v2/things/{id} security: header X-Key
";

#[test]
fn a_document_becomes_sorted_facts() {
    assert_facts(DOCUMENT, FACTS);
    // The same as JSON, with the base in the paths, and with a duplicate key.
    let json: serde_json::Value = serde_saphyr::from_str(DOCUMENT).unwrap();
    assert_facts(&json.to_string(), FACTS);
    assert_facts(&DOCUMENT.replace("/things/{id}:", "/v2/things/:id:"), FACTS);
    assert_facts(
        &DOCUMENT.replace(
            "      summary: no id\n",
            "      summary: a\n      summary: b\n",
        ),
        FACTS,
    );
    // An option replaces the base of the servers.
    let other = Outline::read(DOCUMENT, Some("/v3"));
    assert_eq!(
        other.operations().into_iter().next(),
        Some("GET /v3/things/{id}")
    );
}

#[test]
fn lost_indentation_is_restored() {
    let indented = "openapi: 3.0.3
info:
  title: x
  version: '1'
paths:
  /things:
    post:
      summary: Make a thing
      description: >-
        [Rate limit: 40/s] Makes
        a thing.
      operationId: make
      tags:
        - Things
      parameters: []
      requestBody:
        content:
          application/json:
            schema:
              $ref: '#/components/schemas/New'
      responses:
        '202':
          description: Made
          content:
            application/json:
              schema:
                type: object
                properties:
                  id:
                    type: string
                  details:
                    type: object
                    description: More
                    properties: {}
                required:
                  - id
          headers: {}
        '400':
          description: Wrong
      security:
        - Key: []
components:
  schemas:
    New:
      required:
        - name
      properties:
        name:
          type: string
          examples:
            - a
        ids:
          type: array
          items:
            type: string
          minItems: 1
        hook:
          description: A hook
          allOf:
            - $ref: '#/components/schemas/Hook'
        users:
          type: array
          items:
            type: string
          examples:
            - - kind: ip
                data:
                  ip: 1.2.3.4
        flag:
          type:
            - boolean
            - 'null'
      type: object
    Hook:
      properties:
        url:
          type: string
      type: object
  securitySchemes:
    Key:
      type: apiKey
      in: header
      name: Authorization
servers: []
";
    let flat: String = indented
        .lines()
        .map(|line| format!("{}\n", line.trim()))
        .collect();
    assert_eq!(lines(&flat), lines(indented));
    assert!(lines(&flat).contains(&"POST /things request name: string, required".to_owned()));

    let outline = Outline::read(&format!("{flat}nonsense without a key\n"), None);
    let [(line, reason)] = outline.unread() else {
        panic!("{:?}", outline.unread());
    };
    assert_eq!(*line, flat.lines().count() + 1);
    assert!(reason.contains("nonsense"), "{reason}");
}

#[test]
fn a_page_of_prose_is_read_from_its_code_blocks() {
    assert_facts(
        "Things API
POST
/makeThingMake A Thing
Starts a thing.
| Name | Type | Required | Description |
|---|---|---|---|
token | query | Required | Your token |
Example Request
curl -X POST \"https://app.example/makeThing?token=x\" \\
-H \"Content-Type: application/json\" \\
-d '{\"name\":\"a\"}'Response (200 OK)
{
\"id\": \"1\", \"sizes\": [{\"cpu\": 0.5, \"count\": 2}]
}Error Response (400)
{ \"error\": \"wrong\" }GET
/getThingsGet Things
Lists things.
Response (200 OK)
\"nothing\"bash
DELETE /v1/things/:id
Authorization: Bearer <token>List
To list things, send a GET request to this endpoint.
https://api.example/v1/things
Required Headers: Authorization
200 – The things.
",
        "
        DELETE /v1/things/{id}
        DELETE /v1/things/{id} path id: string, required
        DELETE /v1/things/{id} security: header Authorization
        GET /getThings
        GET /getThings 200
        GET /getThings 200: string
        GET /v1/things
        GET /v1/things 200
        GET /v1/things security: header Authorization
        POST /makeThing
        POST /makeThing 200: object
        POST /makeThing 200 id: string
        POST /makeThing 200 sizes: array
        POST /makeThing 200 sizes[]: object
        POST /makeThing 200 sizes[].count: integer
        POST /makeThing 200 sizes[].cpu: number
        POST /makeThing 400
        POST /makeThing 400: object
        POST /makeThing 400 error: string
        POST /makeThing query token: string, required
        POST /makeThing request: object
        POST /makeThing request name: string
        ",
    );
}

#[test]
fn what_cannot_be_read_is_named_with_its_line() {
    let page = "GET /v1/things\nResponse\n{ \"id\": oops }\nDELETE /v1/things/:id\n";
    let outline = Outline::read(page, None);
    assert_eq!(outline.operations().len(), 2);
    let [(line, reason)] = outline.unread() else {
        panic!("{:?}", outline.unread());
    };
    assert_eq!(*line, 3);
    assert!(reason.contains("not JSON"), "{reason}");
    for text in [
        "",
        "\u{feff}",
        "{",
        "openapi: 3.0.0",
        "openapi: [\npaths",
        "\"",
        "GET",
        "curl -X",
        "openapi: 3\npaths: {/a: {get: {responses: {'200': {$ref: '#/paths'}}}}}",
    ] {
        Outline::read(text, None);
    }
}

/// Reads the documents of the vendors in the folder `DEPLOYKIT_VENDOR_DOCUMENTS`, if it is set.
#[test]
fn documents_of_the_vendors_have_their_operations() {
    let Some(folder) = std::env::var_os("DEPLOYKIT_VENDOR_DOCUMENTS") else {
        return;
    };
    for (file, operations) in [
        ("nexlayer.txt", 8),
        ("dployr.txt", 26),
        ("nodion.txt", 2),
        ("edgegap.yaml", 2),
        ("edgegap.txt", 2),
    ] {
        let text = std::fs::read_to_string(Path::new(&folder).join(file)).unwrap();
        let outline = Outline::read(&text, None);
        assert_eq!(outline.operations().len(), operations, "{file}");
        assert_eq!(outline.unread(), [], "{file}");
    }
}
