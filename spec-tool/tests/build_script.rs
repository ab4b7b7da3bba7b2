//! Runs the passes of the build script on edited copies of the real specs.

use deploykit_specs::build::{self, problems::InvalidSpec};
use std::path::{Path, PathBuf};
use std::process::Command;

const APIS: [&str; 4] = ["nexlayer", "dployr", "nodion", "edgegap"];

/// The folder of the project.
fn root() -> &'static Path {
    let tool = Path::new(env!("CARGO_MANIFEST_DIR"));
    tool.parent().unwrap()
}

fn spec(api: &str) -> String {
    std::fs::read_to_string(root().join(format!("specs/{api}.yaml"))).unwrap()
}

fn run(api: &str, text: &str) -> Result<build::Generated, InvalidSpec> {
    build::run(api, &format!("specs/{api}.yaml"), text)
}

/// The spec with one piece of text replaced. The text must occur exactly once.
fn edited(api: &str, from: &str, to: &str) -> String {
    let text = spec(api);
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {api}");
    text.replace(from, to)
}

/// Edits the spec of Nodion. Asserts that one line of the error names the path and contains these words.
fn assert_refused(from: &str, to: &str, path: &str, words: &[&str]) {
    let invalid = run("nodion", &edited("nodion", from, to)).expect_err("accepted");
    let line = invalid
        .lines()
        .find(|line| {
            line.split_once(": ")
                .is_some_and(|(_, rest)| rest.starts_with(path))
        })
        .unwrap_or_else(|| panic!("no line is about {path:?}:\n{invalid}"));
    assert!(line.starts_with("specs/nodion.yaml:"), "{line}");
    for word in words.iter().chain(&["Remedy: "]) {
        assert!(line.contains(word), "{word:?} is not in: {line}");
    }
}

#[test]
fn every_spec_generates_the_same_client_each_time_without_unwanted_code() {
    for api in APIS {
        let generated = run(api, &spec(api)).unwrap();
        let again = run(api, &spec(api)).unwrap();
        assert_eq!(generated.client, again.client);
        assert_eq!(generated.examples, again.examples);
        assert!(generated.client.contains("200..=299 =>"), "{api}");
        for unwanted in [
            "ErrorResponse(",
            "<details>",
            "chrono::",
            "NonZero",
            "regress::",
            "pub fn new(baseurl",
        ] {
            assert!(!generated.client.contains(unwanted), "{api}: {unwanted}");
        }
    }
}

#[test]
fn a_new_operation_becomes_a_method_and_needs_a_wrapper() {
    let operation = "paths:\n  /v1/integrations:\n    get:\n      operationId: list_integrations\n      summary: List integrations\n      x-documented: false\n      x-evidence: source\n      x-source: a page\n      x-behaviour: {idempotent: true, why: a read, spends: false, applied-on: [], final-on: [], pace: none, time: unary, secrets: [], side-effects: none}\n      responses: {'200': {description: the integrations, content: {application/json: {schema: {$ref: '#/components/schemas/DeploymentList'}}}}}\n";
    let text = edited("nodion", "\npaths:\n", &format!("\n{operation}"));
    let generated = run("nodion", &text).unwrap();
    assert!(
        generated
            .client
            .contains("pub async fn list_integrations<'a>")
    );
    assert!(generated.entries.contains(r#"id: "list_integrations""#));
    assert!(
        generated
            .op
            .contains("ListIntegrations, // has no method: GET /v1/integrations")
    );

    let output = compile(&generated.op, "nodion");
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("`Op::ListIntegrations` not covered"),
        "{errors}"
    );
    assert!(
        errors.contains("write a method, name it in src/nodion/operations.rs"),
        "{errors}"
    );
    // The unedited spec compiles.
    let output = compile(&run("nodion", &spec("nodion")).unwrap().op, "nodion");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Compiles `src/<api>/operations.rs` against this `enum Op`.
fn compile(op: &str, api: &str) -> std::process::Output {
    let table = std::fs::read_to_string(root().join(format!("src/{api}/operations.rs"))).unwrap();
    let table: String = table
        .lines()
        .filter(|line| !line.starts_with("//!"))
        .map(|line| format!("{line}\n"))
        .collect();
    let source = format!(
        "#![allow(dead_code)]\npub mod operation {{\npub struct Operation {{ pub api: &'static str }}\npub static OPERATIONS: &[Operation] = &[];\n}}\npub mod raw {{ pub mod {api} {{\n{op}\n}} }}\nmod operations {{\n{table}\n}}\n"
    );
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("wrapper-{}", op.len()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("lib.rs");
    std::fs::write(&file, source).unwrap();
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args([
            "--edition",
            "2024",
            "--crate-type",
            "lib",
            "--emit",
            "metadata",
            "--out-dir",
        ])
        .arg(&folder)
        // The compiler cuts long lines, as in a narrow terminal.
        .arg("--diagnostic-width=80")
        .arg(&file)
        .output()
        .unwrap()
}

#[test]
fn a_new_enum_value_becomes_a_variant() {
    let text = edited(
        "nodion",
        "enum: [created, ",
        "enum: [rolling_back, created, ",
    );
    let generated = run("nodion", &text).unwrap();
    assert!(generated.client.contains("RollingBack = \"rolling_back\","));
    assert!(
        !run("nodion", &spec("nodion"))
            .unwrap()
            .client
            .contains("RollingBack")
    );
}

#[test]
fn an_unquoted_off_or_n_is_text() {
    let text = edited("nodion", "enum: [created, ", "enum: [off, created, ");
    let generated = run("nodion", &text).unwrap();
    assert!(generated.client.contains("Off = \"off\","));
    let quoted = spec("dployr");
    let text = quoted.replace("NEW: 'n'", "NEW: n");
    assert_ne!(text, quoted);
    let examples = |text: &str| run("dployr", text).unwrap().examples;
    assert_eq!(examples(&text), examples(&quoted));
}

#[test]
fn a_new_property_becomes_a_field() {
    let text = edited(
        "nodion",
        "        deploy_number:\n",
        "        queue_position:\n          type: integer\n          format: int64\n          description: Place in the queue.\n        deploy_number:\n",
    );
    let generated = run("nodion", &text).unwrap();
    assert!(
        generated
            .client
            .contains("pub queue_position: ::std::option::Option<i64>")
    );
    assert!(generated.client.contains("///Place in the queue."));
}

#[test]
fn structs_are_non_exhaustive_and_those_of_requests_have_a_constructor() {
    let generated = run("edgegap", &spec("edgegap")).unwrap().client;
    for (name, is_request) in [("DeploymentAccepted", false), ("DeploymentCreate", true)] {
        let at = generated.find(&format!("pub struct {name} {{")).unwrap();
        let before = generated[..at].rsplit("///").next().unwrap();
        assert!(before.contains("#[non_exhaustive]"), "{name}");
        let constructor = format!("impl {name} {{");
        assert_eq!(generated.contains(&constructor), is_request, "{name}");
    }
}

#[test]
fn a_new_optional_field_or_parameter_does_not_change_the_arguments() {
    let arguments = |client: &str, start: &str| {
        let at = client.find(start).unwrap_or_else(|| panic!("{start}"));
        client[at..].split_once(" {\n").unwrap().0.to_owned()
    };
    let new = "pub fn new(env_key";
    let list = "pub async fn list_deployments<'a>";
    let before = run("nodion", &spec("nodion")).unwrap().client;
    let with_field = edited(
        "nodion",
        "      required: [env_key, env_val]\n      properties:\n",
        "      required: [env_key, env_val]\n      properties:\n        note: {type: string, description: A note.}\n",
    );
    let with_field = run("nodion", &with_field).unwrap().client;
    assert!(with_field.contains("note: ::std::default::Default::default(),"));
    assert_eq!(arguments(&with_field, new), arguments(&before, new));
    let text = spec("nodion");
    let (head, tail) = text.split_once(LIST).unwrap();
    let page = "      parameters:\n        - {name: page, in: query, description: x, schema: {type: integer, format: int64}}\n";
    let tail = tail.replacen("      parameters:\n", page, 1);
    let with_parameter = run("nodion", &format!("{head}{LIST}{tail}"))
        .unwrap()
        .client;
    assert!(with_parameter.contains("pub async fn list_deployments_with<'a>"));
    assert_eq!(arguments(&with_parameter, list), arguments(&before, list));
}

#[test]
fn reply_fields_are_lenient_and_request_fields_are_strict() {
    let client = |api: &str| run(api, &spec(api)).unwrap().client;
    assert!(client("dployr").contains(
        "#[serde(alias = \"expiresIn\")]\n        pub expires_in: ::std::option::Option<i64>"
    ));
    assert!(client("nodion").contains("pub deployments: crate::lenient::List<Deployment>"));
    for api in ["dployr", "edgegap", "nexlayer", "nodion"] {
        let client = client(api);
        assert!(client.contains("self.inner.decode(response"), "{api}");
        assert!(!client.contains("from_response"), "{api}");
    }
    let edgegap = client("edgegap");
    let at = edgegap.find("pub struct DeploymentCreate {").unwrap();
    let request = edgegap[at..].split_once("\n    }").unwrap().0;
    assert!(!request.contains("lenient"), "{request}");
}

#[test]
fn secrets_have_types_that_redact_them() {
    let generated = run("dployr", &spec("dployr")).unwrap().client;
    assert!(
        generated.contains("pub password: crate::Secret"),
        "the request of the login"
    );
    assert!(
        generated.contains("pub access_token: crate::Secret"),
        "the reply of the login"
    );
}

// The indentation matches the operation itself, but not a link to it.
const LIST: &str = "\n      operationId: list_deployments\n";

#[test]
fn invalid_operation_ids_are_refused() {
    let create = "\n      operationId: create_deployment\n";
    assert_refused(
        create,
        LIST,
        "$.paths./v1/applications/{application_id}/deployments.",
        &["`list_deployments` has the same Rust name as `list_deployments` at"],
    );
    assert_refused(
        create,
        "\n      operationId: createDeployment\n",
        "$.paths.",
        &["`createDeployment` is not a valid method name"],
    );
    assert_refused(
        create,
        "\n      operationId: new\n",
        "$.paths.",
        &["not `new`"],
    );
    assert_refused(
        create,
        "\n      x-nothing: 1\n",
        "$.paths.",
        &["has no operationId"],
    );
    assert_refused(
        create,
        "\n      operationId: deploy_application\n",
        "$.paths./v1/applications.post.responses.200.links.deploy.operationId",
        &["the link names the operation `create_deployment`, which does not exist"],
    );
}

#[test]
fn invalid_schemas_are_refused() {
    let status = "    DeploymentStatus:\n";
    assert_refused(
        status,
        "    DeploymentStatus:\n      title: Status\n",
        "$.components.schemas.DeploymentStatus.title",
        &["remove it"],
    );
    assert_refused(
        status,
        "    DeploymentStatus:\n      default: created\n",
        "$.components.schemas.DeploymentStatus.default",
        &["remove it"],
    );
    assert_refused(
        "enum: [created, ",
        "enum: [a-b, a_b, created, ",
        "$.components.schemas.DeploymentStatus.enum",
        &["two values become the Rust variant `AB`"],
    );
    let open = "      x-open: true\n      enum: [created, ";
    assert_refused(
        open,
        "      enum: [created, ",
        "$.components.schemas.DeploymentStatus",
        &["closed enum", "x-open: true"],
    );
    let field = "        deploy_number:\n";
    let with = |text: &str| format!("        extra:\n{text}{field}");
    assert_refused(
        field,
        &with(
            "          description: x\n          type: object\n          properties: {a: {type: string}}\n",
        ),
        "$.components.schemas.Deployment.properties.extra",
        &["the object is inline", "move it"],
    );
    assert_refused(
        field,
        &with("          description: x\n          type: string\n          enum: [a]\n"),
        "$.components.schemas.Deployment.properties.extra",
        &["the enum is inline"],
    );
    assert_refused(
        field,
        &with(
            "          $ref: '#/components/schemas/DeploymentStatus'\n          nullable: true\n",
        ),
        "$.components.schemas.Deployment.properties.extra",
        &["ignores `nullable` next to $ref", "allOf"],
    );
    assert_refused(
        field,
        &with("          $ref: '#/components/schemas/Gone'\n"),
        "$.components.schemas.Deployment.properties.extra",
        &["does not exist"],
    );
    assert_refused(
        field,
        &with("          type: string\n"),
        "$.components.schemas.Deployment.properties.extra",
        &["description is missing"],
    );
    assert_refused(
        field,
        &with("          description: x\n          oneOf: [{type: string}]\n"),
        "$.components.schemas.Deployment.properties.extra.oneOf",
        &["`oneOf` is not supported"],
    );
}

#[test]
fn invalid_request_bodies_are_refused() {
    let at = "$.paths./v1/applications/{application_id}/deployments.get";
    let with = |text: &str| format!("{LIST}{text}");
    assert_refused(
        LIST,
        &with("      requestBody: {content: {application/json: {schema: {type: string}}}}\n"),
        &format!("{at}.requestBody"),
        &["required: true"],
    );
    assert_refused(
        LIST,
        &with(
            "      requestBody: {required: true, content: {text/x-yaml: {schema: {type: object}}}}\n",
        ),
        &format!("{at}.requestBody.content.text/x-yaml"),
        &["not supported"],
    );
    assert_refused(
        LIST,
        &with(
            "      requestBody: {required: true, content: {application/json: {schema: {type: string}}, text/plain: {schema: {type: string}}}}\n",
        ),
        &format!("{at}.requestBody"),
        &["2 media types"],
    );
    assert_refused(
        LIST,
        &with(
            "      requestBody: {required: true, content: {application/xml: {schema: {type: string}}}}\n",
        ),
        &format!("{at}.requestBody.content.application/xml"),
        &["not supported"],
    );
}

#[test]
fn invalid_parameters_and_replies_are_refused() {
    let text = "openapi: 3.0.3\ninfo: {title: x, version: '1'}\npaths:\n  /a/{id}:\n    get:\n      operationId: get_a\n      parameters:\n        - {name: id, in: path, required: true, description: x, schema: {type: string}}\n        - {name: id, in: query, description: x, schema: {type: string}}\n        - {name: c, in: cookie, description: x, schema: {type: string}}\n        - {name: Accept, in: header, description: x, schema: {type: string}}\n      responses:\n        default: {description: x}\n";
    let invalid = run("x", text).unwrap_err().to_string();
    for expected in [
        "$.paths./a/{id}.get.parameters[1]: `id` in path and `id` in query would become the same argument",
        "$.paths./a/{id}.get.parameters[2]: the parameter `c` has `in: cookie`, which the generator does not support.",
        "$.paths./a/{id}.get.parameters[3]: the header `Accept` is a parameter, but the transport sets this header.",
        "$.paths./a/{id}.get.responses.default: `default` would also match success",
        "$.paths./a/{id}.get.responses: the operation has no 2xx reply.",
        "$.paths./a/{id}.get.x-behaviour.time: the value is missing",
        "$.paths./a/{id}.get.x-evidence: the value is missing",
        "$.paths./a/{id}.get.x-source: the value is missing",
        "$.paths./a/{id}.get.x-documented: the value is missing",
    ] {
        assert!(
            invalid.contains(&format!(": {expected}")),
            "{expected}\nis not in\n{invalid}"
        );
    }
}

#[test]
fn invalid_behaviour_is_refused() {
    let text = spec("nodion");
    let at = "$.paths./v1/applications/{application_id}/deployments.get.x-behaviour";
    for (key, value) in [
        ("idempotent", "perhaps"),
        ("why", "''"),
        ("spends", "sometimes"),
        ("applied-on", "[200]"),
        ("final-on", "[200]"),
        ("pace", "fast"),
        ("time", "quick"),
        ("secrets", "[password]"),
        ("side-effects", "''"),
    ] {
        let start = text.find(LIST).unwrap();
        let from = text[start..].find(&format!("        {key}:")).unwrap() + start;
        let to = text[from..].find('\n').unwrap() + from;
        let edited = format!("{}        {key}: {value}{}", &text[..from], &text[to..]);
        let invalid = run("nodion", &edited).expect_err(key).to_string();
        assert!(
            invalid.contains(&format!("{at}.{key}: the value is missing or malformed")),
            "{key}: {invalid}"
        );
    }
}

#[test]
fn an_email_address_without_a_mark_is_refused() {
    for (api, old, new, expected) in [
        (
            "dployr",
            "secrets: [body.email, body.password]",
            "secrets: [body.password]",
            "$.paths./v1/auth/login.post.requestBody: the e-mail address `body.email` is not marked",
        ),
        (
            "dployr",
            "secrets: [body.users]",
            "secrets: []",
            "$.paths./v1/clusters/{id}/users.post.requestBody: the e-mail address `body.users` is not marked",
        ),
        (
            "nodion",
            "        deploy_number:\n",
            "        billing_email:\n          type: string\n          description: A person.\n        deploy_number:\n",
            "get.responses.200: the e-mail address `deployments[].billing_email` is not marked",
        ),
    ] {
        let invalid = run(api, &edited(api, old, new)).unwrap_err().to_string();
        assert!(
            invalid.contains(expected),
            "{expected}\nis not in\n{invalid}"
        );
    }
}

#[test]
fn spends_and_final_on_are_required_and_in_the_table() {
    let at = "$.paths./v1/applications/{application_id}/deployments.post.x-behaviour.";
    assert_refused(
        "no idempotency key\n        spends: true\n        applied-on: []\n        final-on: []\n        pace: none\n        time: unary\n        secrets: []\n        side-effects: redeploys the application",
        "no idempotency key\n        applied-on: []\n        final-on: []\n        pace: none\n        time: unary\n        secrets: []\n        side-effects: redeploys the application",
        &format!("{at}spends"),
        &["missing"],
    );
    assert_refused(
        "side-effects: redeploys the application",
        "side-effects: none",
        &format!("{at}spends"),
        &["without side effects"],
    );
    let entries = run("nodion", &spec("nodion")).unwrap().entries;
    assert!(entries.contains("spends: true"), "{entries}");
    assert!(entries.contains("spends: false"), "{entries}");
    let entries = run("nexlayer", &spec("nexlayer")).unwrap().entries;
    let operations = entries.matches("api: \"nexlayer\"").count();
    let permanent = entries.matches("final_on: &[500]").count();
    assert_eq!(permanent, operations, "{entries}");
}

#[test]
fn a_general_rate_is_checked_and_generated() {
    let generated = run("nodion", &spec("nodion")).unwrap();
    let expected =
        r#"("nodion", crate::operation::Pace { bucket: "other", count: 10, seconds: 1 }),"#;
    assert_eq!(generated.general_pace.trim(), expected);
    assert_refused(
        "x-general-pace: other 10/s",
        "x-general-pace: other 10/day",
        "$.x-general-pace",
        &["malformed"],
    );
}

#[test]
fn an_unused_rust_type_is_refused() {
    // The generator already has a Rust type for an open enum, so it would ignore this one.
    assert_refused(
        "    DeploymentStatus:\n",
        "    DeploymentStatus:\n      x-rust-type: crate::Gone\n",
        "$.components.schemas.DeploymentStatus",
        &["`crate::Gone` of this component is not used"],
    );
}
