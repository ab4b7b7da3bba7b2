//! The command `check`: the project's own specs, examples that do not match, operations without a wrapper,
//! exit statuses, and files that are no specs.

use deploykit_specs::check::{self, Report};
use deploykit_specs::outline::Outline;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// The folder of the project.
fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// An empty folder for a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn write(root: &Path, file: &str, text: impl AsRef<[u8]>) {
    let file = root.join(file);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, text).unwrap();
}

const SPEC: &str = "openapi: 3.0.3
info: {title: x, version: '1'}
paths:
  /things/{id}:
    get:
      operationId: get_thing
      summary: Reads a thing
      x-documented: true
      x-evidence: source
      x-source: a page
      x-behaviour: &read {idempotent: true, why: a read, spends: false, applied-on: [], final-on: [], pace: none, time: unary, secrets: [], side-effects: none}
      parameters:
        - {name: id, in: path, required: true, description: x, schema: {type: string}, example: t-1}
      responses:
        '200':
          description: x
          headers: {x-count: {description: x, schema: {type: integer}, example: 1}}
          content:
            application/json:
              schema: {$ref: '#/components/schemas/Thing'}
              examples:
                full: {value: {id: t-1, note: null, size: 1}}
                shared: {$ref: '#/components/examples/Least'}
  /things/{thing_id}/logs:
    get:
      operationId: get_logs
      summary: Reads logs
      x-documented: true
      x-evidence: source
      x-source: a page
      x-behaviour: *read
      parameters:
        - {name: thing_id, in: path, required: true, description: x, schema: {type: string}}
      responses:
        '200':
          description: x
          content:
            application/x-ndjson:
              schema: {type: string, x-line: {$ref: '#/components/schemas/Thing'}}
              example: \"{\\\"id\\\":\\\"a\\\"}\\n{\\\"id\\\":\\\"b\\\"}\\n\"
components:
  examples:
    Least: {value: {id: t-2}}
  schemas:
    Thing:
      type: object
      description: A thing.
      required: [id]
      properties:
        id: {type: string, description: x, example: t-3}
        note: {type: string, description: x, nullable: true}
        size: {type: integer, description: x}
";

/// A project with one platform, whose second operation has only its spec.
fn small_project(name: &str) -> PathBuf {
    let root = folder(name);
    write(&root, "specs/x.yaml", SPEC);
    write(
        &root,
        "src/x/operations.rs",
        "const fn wrapper(op: Op) -> &'static str { match op { Op::GetThing => \"x::ThingHandle::get\" } }",
    );
    write(
        &root,
        "src/x/things.rs",
        "/// Reads a thing: `GET\n/// /things/{thing}?all=…`.\nfn get() {}",
    );
    write(
        &root,
        "tests/support/operations/x.rs",
        "row(\"get_thing\", 1)\n// row(\"get_logs\", 1)",
    );
    write(&root, "tests/requests/snapshots/x__get_thing.snap", "");
    write(&root, "sandbox/src/x/mod.rs", "\"get_thing\" => 1");
    root
}

/// Checks the small spec with one piece of text replaced, outside a project.
fn checked(from: &str, to: &str) -> Report {
    assert_eq!(SPEC.matches(from).count(), 1, "{from}");
    let root = folder(&format!("edited-{}-{}", from.len(), to.len()));
    write(&root, "x.yaml", SPEC.replace(from, to));
    check::run(&root, &["x.yaml".into()]).unwrap()
}

fn program(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_deploykit-specs"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn own_specs_have_no_errors_and_everything_in_the_table() {
    let report = check::run(project(), &[]).unwrap();
    assert_eq!(report.errors, 0, "{}", report.text);
    assert_eq!(report.text.lines().last(), Some("0 errors"));
    let too_long = report.text.lines().find(|line| line.chars().count() > 80);
    assert_eq!(too_long, None);
    for operation in ["start_user_deployment", "get_domain_status", "list_logs"] {
        let mut rows = report.text.lines();
        let row = rows.find(|line| line.split_whitespace().next() == Some(operation));
        let marks: Vec<_> = row.unwrap().split_whitespace().skip(1).collect();
        assert_eq!(marks, ["yes", "yes", "yes", "rule", "yes"], "{operation}");
    }
    let incomplete = report.text.lines().find(|line| line.contains(" - "));
    assert_eq!(incomplete, None);
}

#[test]
fn an_operation_without_wrapper_or_snapshot_is_an_error() {
    let root = small_project("small-project");
    let report = check::run(&root, &[]).unwrap();
    let expected = "\
specs/x.yaml:25: $.paths./things/{thing_id}/logs.get: `get_logs` has no request snapshot. Remedy: add its row to tests/support/operations/x.rs, and create tests/requests/snapshots/x__get_logs.snap.
specs/x.yaml:25: $.paths./things/{thing_id}/logs.get: `get_logs` has no wrapper. Remedy: write its method, and name it in src/x/operations.rs.
x                                        wrapper  request  reply  sandbox  docs
get_thing                                yes      yes      yes    rule     yes
get_logs                                 -        -        -      example  -

2 errors
";
    assert_eq!(report.text, expected);
    // The same file by its name; outside of `specs`, it is no spec of the project.
    assert_eq!(check::run(&root, &["specs/x.yaml".into()]), Ok(report));
    std::fs::copy(root.join("specs/x.yaml"), root.join("x.yaml")).unwrap();
    let outside = check::run(&root, &["x.yaml".into()]).unwrap();
    assert_eq!(outside.text, "0 errors\n");
}

#[test]
fn examples_that_do_not_match_their_schema_are_errors() {
    for (from, to, place, words) in [
        (
            "example: t-1}",
            "example: [t-1]}",
            "$.paths./things/{id}.get.parameters[0].example",
            "it is not of type \"string\"",
        ),
        (
            "example: 1}",
            "example: one}",
            "$.paths./things/{id}.get.responses.200.headers.x-count.example",
            "it is not of type \"integer\"",
        ),
        (
            "note: null, size: 1",
            "note: null, size: null",
            "$.paths./things/{id}.get.responses.200.content.application/json.examples.full",
            "`/size` is not of type \"integer\"",
        ),
        (
            "Least: {value: {id: t-2}}",
            "Least: {value: {}}",
            "$.paths./things/{id}.get.responses.200.content.application/json.examples.shared",
            "\"id\" is a required property",
        ),
        (
            "\\\"id\\\":\\\"b\\\"",
            "\\\"id\\\":2",
            "$.paths./things/{thing_id}/logs.get.responses.200.content.application/x-ndjson.example",
            "`/id` is not of type \"string\"",
        ),
        (
            "example: t-3",
            "example: 3",
            "$.components.schemas.Thing.properties.id.example",
            "it is not of type \"string\"",
        ),
    ] {
        let report = checked(from, to);
        assert_eq!(report.errors, 1, "{to}: {}", report.text);
        let place = format!(": {place}: the example does not match its schema: ");
        assert!(report.text.contains(&place), "{to}: {}", report.text);
        assert!(report.text.contains(words), "{to}: {}", report.text);
    }
    // A property may have the name of a keyword.
    let report = checked(
        "      properties:\n        id:",
        "      properties:\n        example: {type: integer, description: x}\n        id:",
    );
    assert_eq!(report.text, "0 errors\n");
}

#[test]
fn exit_status_is_1_for_errors_and_2_for_wrong_use() {
    let root = small_project("exit-status");
    write(&root, "good.yaml", SPEC);
    write(&root, "empty/specs/x.txt", "");
    for (arguments, status, error) in [
        (&["check", "good.yaml"][..], 0, ""),
        (&["check"], 1, ""),
        (&["check", "gone.yaml"], 2, "cannot read gone.yaml"),
        (&["check", "specs"], 2, "cannot read specs"),
        (&["check", "--fast"], 2, "unexpected argument '--fast'"),
        (&["outline"], 2, "<DOCUMENT>"),
        (&["drift", "gone.yaml"], 2, "cannot read gone.yaml"),
        (&["coverage", "good.yaml"], 2, "there is no spec of `good`"),
    ] {
        let output = program(&root, arguments);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {text}");
        assert!(text.contains(error), "{arguments:?}: {text}");
    }
    for (place, error) in [
        ("empty", "the folder specs has no specs"),
        ("src", "cannot read the folder specs"),
    ] {
        let output = program(&root.join(place), &["check"]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(error), "{text}");
    }
    std::fs::remove_file(root.join("src/x/operations.rs")).unwrap();
    let output = program(&root, &["check"]);
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("cannot read src/x/operations.rs"), "{text}");
}

#[test]
fn a_closed_pipe_is_no_error() {
    let root = small_project("closed-pipe");
    let mut child = Command::new(env!("CARGO_BIN_EXE_deploykit-specs"))
        .args(["check", "specs/x.yaml"])
        .current_dir(&root)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(1));
}

/// A generator of pseudo-random numbers with a fixed seed.
struct Random(u64);

impl Random {
    /// A number below the limit.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// A copy with one to four random edits, of lines or of bytes.
fn mutated(text: &str, random: &mut Random) -> Vec<u8> {
    const VALUES: [&str; 10] = [
        "null",
        "{}",
        "[]",
        "-1",
        "[null, {a: 1}]",
        "true",
        "'½ \\ \" {'",
        "{$ref: '#/components/schemas/Thing'}",
        "{$ref: '#'}",
        "1e999",
    ];
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for _ in 0..=random.below(4) {
        let (at, other) = (random.below(lines.len()), random.below(lines.len()));
        match random.below(7) {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[other].clone()),
            2 => lines.swap(at, other),
            3 => lines[at] = format!("  {}", lines[at]),
            4 => lines[at] = lines[at].trim_start().to_owned(),
            5 => lines.truncate(at.max(1)),
            _ => {
                let value = VALUES[random.below(VALUES.len())];
                let key = lines[at].split(':').next().unwrap_or_default();
                lines[at] = format!("{key}: {value}");
            }
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }
    let mut bytes = lines.join("\n").into_bytes();
    if random.below(4) == 0 && !bytes.is_empty() {
        let at = random.below(bytes.len());
        bytes[at] = random.below(256) as u8;
    }
    bytes
}

#[test]
fn edited_specs_never_panic() {
    let root = folder("mutated");
    let mut random = Random(14);
    let file = [PathBuf::from("x.yaml")];
    let real = |api: &str| {
        let text = std::fs::read_to_string(project().join(format!("specs/{api}.yaml")));
        text.unwrap()
    };
    for (text, rounds) in [
        (SPEC.to_owned(), 300),
        (real("nexlayer"), 8),
        (real("edgegap"), 8),
    ] {
        for round in 0..rounds {
            let bytes = mutated(&text, &mut random);
            write(&root, "x.yaml", &bytes);
            let lossy = String::from_utf8_lossy(&bytes);
            let result = std::panic::catch_unwind(|| {
                // The same text as a vendor's document, also without its indentation.
                Outline::read(&lossy, None);
                let flat: Vec<_> = lossy.lines().map(str::trim).collect();
                Outline::read(&flat.join("\n"), None);
                check::run(&root, &file).unwrap()
            });
            let report = result.unwrap_or_else(|_| panic!("round {round}:\n{lossy}"));
            let last = format!("{} errors", report.errors);
            assert_eq!(report.text.lines().last(), Some(last.as_str()));
        }
    }
}

#[test]
fn files_that_are_no_specs_are_errors() {
    let root = folder("no-specs");
    let aliases: String = (0..30)
        .map(|level| format!("a{}: &a{} [*a{level}, *a{level}]\n", level + 1, level + 1))
        .collect();
    let nested = |open: &str| format!("openapi: 3.0.3\npaths:\n  {}", open.repeat(100_000));
    let lines: String = (0..20_000)
        .map(|depth| format!("{:1$}a:\n", "", depth.min(3_000)))
        .collect();
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("binary", (0..=255).cycle().take(100_000).collect()),
        ("zeros", vec![0; 10_000]),
        ("utf-16", b"\xff\xfeo\0p\0e\0n\0".to_vec()),
        ("lists", nested("[").into_bytes()),
        ("objects", nested("{\"a\":").into_bytes()),
        ("lines", lines.into_bytes()),
        (
            "flat",
            format!(
                "openapi: 3.0.3\npaths:\n/a:\nget:\nrequestBody:\ncontent:\na/b:\nschema:\n{}",
                "properties:\na:\n".repeat(20_000)
            )
            .into_bytes(),
        ),
        (
            "json",
            format!("{{\"openapi\": \"3.0.3\", \"a\": {}", "[".repeat(100_000)).into_bytes(),
        ),
        (
            "aliases",
            format!("openapi: 3.0.3\na0: &a0 x\n{aliases}").into_bytes(),
        ),
        (
            "prose",
            b"GET /v1/things\nResponse\n"
                .iter()
                .chain([b'['; 10_000].iter())
                .copied()
                .collect(),
        ),
    ] {
        write(&root, name, bytes);
        let output = program(&root, &["check", name]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{name}: {text}");
        assert_eq!(text.lines().last(), Some("1 errors"), "{name}: {text}");
        assert!(text.starts_with(&format!("{name}: $")), "{name}: {text}");
        // The same for a vendor's document, which may be incomplete.
        let output = program(&root, &["outline", "--count", name]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{name}: {text}");
    }
}
