//! How each kind of edit of a vendor's document is classified.

use deploykit_specs::drift::{Change, Class, Ours, compare};
use deploykit_specs::outline::Outline;
use deploykit_specs::wrappers;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const DOCUMENT: &str = "openapi: 3.0.3
servers: [{url: 'https://api.example'}]
paths:
  /things/{id}:
    post:
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
        - {name: sort, in: query, schema: {type: string, enum: [up, down]}}
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/New'}}}}
      responses:
        '200': {description: x, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}
        '404': {description: x}
      security: [{key: []}]
    get:
      responses: {'200': {description: x}}
components:
  securitySchemes: {key: {type: apiKey, in: header, name: Authorization}}
  schemas:
    New: {type: object, required: [name], properties: {name: {type: string, maxLength: 9}, size: {type: integer}}}
    Thing:
      type: object
      description: A thing.
      required: [id, ours, state]
      properties:
        id: {type: string}
        ours: {type: string}
        state: {type: string, enum: [up, down]}
        parts: {type: array, items: {type: object, properties: {cpu: {type: number}, count: {type: integer}}}}
";

/// Our spec requires `ours` in the reply, and not `id`.
const SPEC: &str = "openapi: 3.0.3
paths:
  /things/{id}:
    post:
      operationId: make_thing
      requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/NewThing'}}}}
      responses: {'200': {description: x, content: {application/json: {schema: {$ref: '#/components/schemas/Made'}}}}}
components:
  schemas:
    NewThing: {type: object}
    Made: {type: object, required: [ours], properties: {ours: {type: string}, id: {type: string}}}
";

fn changes(from: &str, to: &str) -> Vec<Change> {
    assert_eq!(DOCUMENT.matches(from).count(), 1, "{from}");
    let wrappers = [("MakeThing".to_owned(), "x::Things::make".to_owned())].into();
    let old = Outline::parse(&Outline::read(DOCUMENT, None).to_string());
    let new = Outline::read(&DOCUMENT.replace(from, to), None);
    compare(&old, &new, &Ours::new(SPEC, wrappers).unwrap())
}

#[test]
fn each_kind_of_edit_is_reported_once_with_its_class() {
    use Class::{BreaksCallers, BreaksDecoding, New, TextOnly};
    for (from, to, class, place) in [
        // Operations.
        (
            "    get:\n",
            "    put:\n      responses: {}\n    get:\n",
            New,
            "",
        ),
        (
            "    get:\n      responses: {'200': {description: x}}\n",
            "",
            BreaksCallers,
            "",
        ),
        (
            "    post:\n",
            "    post:\n      deprecated: true\n",
            TextOnly,
            "deprecated",
        ),
        (
            "name: Authorization",
            "name: X-Key",
            BreaksCallers,
            "security",
        ),
        // Servers.
        (
            "https://api.example'",
            "https://api.other.example'",
            BreaksCallers,
            "servers",
        ),
        (
            "servers: [{url: 'https://api.example'}]\n",
            "",
            BreaksCallers,
            "servers",
        ),
        (
            "{url: 'https://api.example'}",
            "{url: 'https://api.example'}, {url: 'https://eu.example'}",
            New,
            "servers",
        ),
        // Requests.
        (
            "{name: sort, in: query,",
            "{name: sort, in: query, required: true,",
            BreaksCallers,
            "query sort",
        ),
        (
            "        - {name: sort, in: query, schema: {type: string, enum: [up, down]}}\n",
            "",
            BreaksCallers,
            "query sort",
        ),
        (
            "        - {name: sort",
            "        - {name: page, in: query, schema: {type: integer}}\n        - {name: sort",
            New,
            "query page",
        ),
        (
            "        - {name: sort",
            "        - {name: page, in: query, required: true, schema: {type: integer}}\n        - {name: sort",
            BreaksCallers,
            "query page",
        ),
        (
            "schema: {type: string, enum: [up, down]}}",
            "schema: {type: string, enum: [up, down, left]}}",
            New,
            "query sort enum",
        ),
        (
            "schema: {type: string, enum: [up, down]}}",
            "schema: {type: string, enum: [down]}}",
            BreaksCallers,
            "query sort enum",
        ),
        (
            "required: [name]",
            "required: [name, size]",
            BreaksCallers,
            "request size",
        ),
        ("required: [name]", "required: []", New, "request name"),
        (
            "size: {type: integer}",
            "size: {type: number}",
            New,
            "request size",
        ),
        (
            "size: {type: integer}",
            "size: {type: string}",
            BreaksCallers,
            "request size",
        ),
        (
            "size: {type: integer}",
            "size: {type: integer, nullable: true}",
            New,
            "request size",
        ),
        (
            "size: {type: integer}",
            "size: {type: integer}, more: {type: string}",
            New,
            "request more",
        ),
        (
            "maxLength: 9",
            "maxLength: 8",
            BreaksCallers,
            "request name maxLength",
        ),
        (", maxLength: 9", "", New, "request name maxLength"),
        (
            "requestBody: {content",
            "requestBody: {required: true, content",
            BreaksCallers,
            "request body",
        ),
        // Successes.
        (
            "        ours: {type: string}\n",
            "",
            BreaksDecoding,
            "200 ours",
        ),
        ("        id: {type: string}\n", "", New, "200 id"),
        (
            "required: [id, ours, state]",
            "required: [id, state]",
            BreaksDecoding,
            "200 ours",
        ),
        (
            "required: [id, ours, state]",
            "required: [ours, state]",
            New,
            "200 id",
        ),
        (
            "        ours: {type: string}\n",
            "        ours: {type: string, nullable: true}\n",
            BreaksDecoding,
            "200 ours",
        ),
        (
            "        id: {type: string}\n",
            "        id: {type: object}\n",
            BreaksDecoding,
            "200 id",
        ),
        (
            "cpu: {type: number}",
            "cpu: {type: string}",
            New,
            "200 parts[].cpu",
        ),
        (
            "cpu: {type: number}",
            "cpu: {type: integer}",
            New,
            "200 parts[].cpu",
        ),
        (
            "count: {type: integer}",
            "count: {type: string}",
            New,
            "200 parts[].count",
        ),
        (
            "count: {type: integer}",
            "count: {type: number}",
            BreaksDecoding,
            "200 parts[].count",
        ),
        (
            "        id: {type: string}\n",
            "        id: {type: integer}\n",
            New,
            "200 id",
        ),
        (
            "        id: {type: string}\n",
            "        id: {type: number}\n",
            New,
            "200 id",
        ),
        (
            "        id: {type: string}\n",
            "        id: {type: boolean}\n",
            BreaksDecoding,
            "200 id",
        ),
        (
            "        state: {type: string, enum: [up, down]}",
            "        state: {type: string, enum: [up, down, left]}",
            New,
            "200 state enum",
        ),
        (
            "        state: {type: string, enum: [up, down]}",
            "        state: {type: string, enum: [up]}",
            TextOnly,
            "200 state enum",
        ),
        (
            "        parts: {type: array, items: {type: object, properties: {cpu: {type: number}, count: {type: integer}}}}\n",
            "",
            New,
            "200 parts",
        ),
        (
            "        '404'",
            "        '202': {description: x}\n        '404'",
            BreaksDecoding,
            "202",
        ),
        // Failures.
        (
            "        '404'",
            "        '429': {description: x}\n        '404'",
            New,
            "429",
        ),
        ("        '404': {description: x}\n", "", TextOnly, "404"),
    ] {
        let found = changes(from, to);
        let found: Vec<_> = found
            .iter()
            .map(|change| (change.class, change.place.as_str()))
            .collect();
        assert_eq!(found, [(class, place)], "{from:?} to {to:?}");
    }
}

#[test]
fn text_and_order_are_no_changes() {
    for (from, to) in [
        ("description: A thing.", "description: Another thing."),
        ("required: [id, ours, state]", "required: [state, ours, id]"),
        (
            "        state: {type: string, enum: [up, down]}",
            "        state: {type: string, enum: [down, up]}",
        ),
        (
            "      security: [{key: []}]",
            "      tags: [things]\n      security: [{key: []}]",
        ),
    ] {
        assert_eq!(changes(from, to), [], "{from:?} to {to:?}");
    }
}

#[test]
fn a_change_names_what_of_ours_it_affects() {
    let change = &changes("size: {type: integer}", "size: {type: string}")[0];
    assert_eq!(change.ours, ["x::Things::make", "NewThing"]);
    let change = &changes("        ours: {type: string}\n", "")[0];
    assert_eq!(change.ours, ["x::Things::make", "Made"]);
}

#[test]
fn unusual_names_are_no_changes_and_do_nothing_in_a_pull_request() {
    let named =
        "size: {type: integer}, \"a: b\\n# `@c` <i>|\": {type: string}, ' ': {type: string}";
    let found = changes("size: {type: integer}", named);
    let table = deploykit_specs::drift::markdown(&found);
    assert_eq!(
        table.lines().last(),
        Some(
            "| new | `POST /things/{id}` | `request a: not there → b # '@c' <i>\\|: string` | x::Things::make, NewThing |"
        ),
        "{table}"
    );
    let text = DOCUMENT.replace("size: {type: integer}", named);
    let read = Outline::read(&text, None);
    assert_eq!(Outline::parse(&read.to_string()), read);
}

#[test]
fn coverage_lists_what_our_spec_does_not_have() {
    let vendor = Outline::read(DOCUMENT, None);
    let missing = deploykit_specs::coverage::missing(&vendor, &Outline::read(SPEC, None));
    assert_eq!(
        missing,
        [
            "GET /things/{id}",
            "POST /things/{id} 200 parts",
            "POST /things/{id} 200 parts[]",
            "POST /things/{id} 200 parts[].count",
            "POST /things/{id} 200 parts[].cpu",
            "POST /things/{id} 200 state",
            "POST /things/{id} query sort",
            "POST /things/{id} request name",
            "POST /things/{id} request size",
        ]
    );
    // Names of path parameters do not count, nor the envelope of a reply.
    let ours = DOCUMENT
        .replace("{id}", "{thing_id}")
        .replace("name: id, in: path", "name: thing_id, in: path");
    let ours = ours.replace(
        "schema: {$ref: '#/components/schemas/Thing'}",
        "schema: {type: object, properties: {data: {$ref: '#/components/schemas/Thing'}}}",
    );
    assert!(deploykit_specs::coverage::missing(&vendor, &Outline::read(&ours, None)).is_empty());
}

/// The folder of the project.
fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// Ten edits of Edgegap's document, each of another kind: text before and after, class, operation, place.
const TEN_EDITS: [(&str, &str, Class, &str, &str); 10] = [
    // An operation is new.
    (
        "  /private-fleets/deployments:\n",
        "  /private-fleets:\n    get:\n      responses:\n        '200': {description: Fleets}\n  /private-fleets/deployments:\n",
        Class::New,
        "GET /v2/private-fleets",
        "",
    ),
    // An operation is deprecated.
    (
        "[v2] Deploy to Fleet'\n      deprecated: false",
        "[v2] Deploy to Fleet'\n      deprecated: true",
        Class::TextOnly,
        FLEET,
        "deprecated",
    ),
    // A request field is required now.
    (
        "        - version\n        - private_host_ids\n",
        "        - version\n        - private_host_ids\n        - tags\n",
        Class::BreaksCallers,
        FLEET,
        "request tags",
    ),
    // A request field is gone.
    (
        "        require_cached_locations:\n          type:\n            - boolean\n            - 'null'\n          default: false\n          description: Deploy faster by limiting placement to locations with cached image.\n",
        "",
        Class::BreaksCallers,
        DEPLOY,
        "request require_cached_locations",
    ),
    // An optional request field is new, with its items.
    (
        "      type: object\n    User:\n",
        "        regions:\n          type: array\n          items:\n            type: string\n      type: object\n    User:\n",
        Class::New,
        DEPLOY,
        "request regions",
    ),
    // The type of a request field is another.
    (
        "      required:\n        - application\n        - users\n        - version\n      properties:\n        application:\n          type: string\n",
        "      required:\n        - application\n        - users\n        - version\n      properties:\n        application:\n          type: integer\n",
        Class::BreaksCallers,
        DEPLOY,
        "request application",
    ),
    // A limit is tighter.
    (
        "          minItems: 1\n          uniqueItems: true\n",
        "          minItems: 2\n          uniqueItems: true\n",
        Class::BreaksCallers,
        FLEET,
        "request private_host_ids minItems",
    ),
    // A field of a reply that our spec requires is gone.
    (
        "                properties:\n                  request_id:\n                    type: string\n                    description: Request ID. Unique identifier of the deployment request\n                    examples:\n                      - a69f8e3e0555\n                required:\n                  - request_id\n",
        "                properties: {}\n",
        Class::BreaksDecoding,
        DEPLOY,
        "202 request_id",
    ),
    // A failure status is new.
    (
        "        '401':\n          description: Unauthorized - Missing Token\n",
        "        '429': {description: Too Many Requests}\n        '401':\n          description: Unauthorized - Missing Token\n",
        Class::New,
        DEPLOY,
        "429",
    ),
    // A success status is new.
    (
        "      responses:\n        '400':\n          description: >-\n            Invalid Application",
        "      responses:\n        '202': {description: Accepted}\n        '400':\n          description: >-\n            Invalid Application",
        Class::BreaksDecoding,
        FLEET,
        "202",
    ),
];
const DEPLOY: &str = "POST /v2/deployments";
const FLEET: &str = "POST /v2/private-fleets/deployments";

/// Compares the real document of Edgegap, in the folder `DEPLOYKIT_VENDOR_DOCUMENTS` if it is set, with edited
/// copies.
#[test]
fn ten_edits_of_a_real_document_are_reported_and_nothing_else() {
    let Some(documents) = std::env::var_os("DEPLOYKIT_VENDOR_DOCUMENTS") else {
        return;
    };
    let read = |file: PathBuf| std::fs::read_to_string(file).unwrap();
    let document = read(Path::new(&documents).join("edgegap.yaml"));
    let kept = Outline::parse(&read(project().join("specs/vendor/edgegap.txt")));
    let methods = wrappers::read(&read(project().join("src/edgegap/operations.rs")));
    let ours = Ours::new(&read(project().join("specs/edgegap.yaml")), methods).unwrap();
    let changes = |text: &str| compare(&kept, &Outline::read(text, Some("/v2")), &ours);

    assert_eq!(changes(&document), []);
    let reworded = document
        .replace("description: Error message", "description: The message")
        .replace("[v2] Deploy", "Deploy")
        .replace("- my-app", "- another-app");
    assert_ne!(reworded, document);
    assert_eq!(changes(&reworded), []);

    let mut edited = document;
    let mut expected = Vec::new();
    for (from, to, class, operation, place) in TEN_EDITS {
        assert_eq!(edited.matches(from).count(), 1, "{from}");
        edited = edited.replace(from, to);
        expected.push((class, operation, place));
    }
    expected.sort_unstable();
    let changes = changes(&edited);
    let mut found: Vec<_> = changes
        .iter()
        .map(|change| {
            (
                change.class,
                change.operation.as_str(),
                change.place.as_str(),
            )
        })
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected);
    let gone = changes
        .iter()
        .find(|change| change.place == "202 request_id");
    assert_eq!(
        gone.unwrap().ours,
        ["edgegap::Client::deploy", "DeploymentAccepted"]
    );
}

/// A project with our spec and without an outline of the vendor's document.
fn small_project(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&root);
    for (file, text) in [
        ("specs/x.yaml", SPEC),
        (
            "src/x/operations.rs",
            "fn wrapper() { match op { Op::MakeThing => \"x::Things::make\" } }",
        ),
        ("x.yaml", DOCUMENT),
        ("page.html", "<p>Not found</p>"),
    ] {
        let file = root.join(file);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    root
}

/// Runs `drift` in a folder. Returns the exit status, the output and the errors.
fn drift(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_deploykit-specs"))
        .arg("drift")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn accept_keeps_a_first_outline_and_later_ones() {
    let root = small_project("first-outline");
    let (status, _, error) = drift(&root, &["x.yaml"]);
    assert_eq!(status, Some(2));
    assert_eq!(
        error,
        "no outline of `x` is kept, specs/vendor/x.txt. Keep this one as the first with --accept\n"
    );
    let (status, report, error) = drift(&root, &["x.yaml", "--accept", "--base", "/v1"]);
    assert_eq!((status, error.as_str()), (Some(1), ""));
    assert_eq!(
        report,
        "\
new             *
                servers: not there → https://api.example
new             GET /v1/things/{id}
                not there → there
new             POST /v1/things/{id}
                not there → there
3 changes
"
    );
    // The outline keeps the base.
    let (status, report, _) = drift(&root, &["x.yaml"]);
    assert_eq!((status, report.as_str()), (Some(0), "0 changes\n"));
    // `x-v2` is another document of the platform `x`. Its outline is a separate file.
    let second = ["x.yaml", "--api", "x-v2", "--accept"];
    assert_eq!(drift(&root, &second).0, Some(1));
    assert_eq!(drift(&root, &second).0, Some(0));
    assert!(root.join("specs/vendor/x-v2.txt").exists());

    let new = DOCUMENT.replace("required: [name]", "required: [name, size]");
    std::fs::write(root.join("new.yaml"), new).unwrap();
    for status in [1, 0] {
        let (found, ..) = drift(&root, &["new.yaml", "--api", "x", "--accept", "--json"]);
        assert_eq!(found, Some(status));
    }
}

#[test]
fn a_platform_without_a_spec_and_a_page_without_operations_are_wrong_use() {
    let root = small_project("wrong-use");
    let (status, report, error) = drift(&root, &["x.yaml", "--api", "y", "--accept"]);
    assert_eq!((status, report.as_str()), (Some(2), ""));
    assert_eq!(
        error,
        "there is no spec of `y`, specs/y.yaml. Name the platform with --api, or write its spec first: `outline` prints what the document says\n"
    );
    let (status, _, error) = drift(&root, &["page.html", "--api", "x", "--accept"]);
    assert_eq!(status, Some(2));
    assert_eq!(error, "page.html has no operations\n");
    assert!(!root.join("specs/vendor").exists());
}
