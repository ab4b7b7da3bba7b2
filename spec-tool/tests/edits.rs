//! The edits of `specs/README.md`, made on a copy of the crate: each builds without a change in `src/`, and what
//! is new can be used at once.

use deploykit_specs::check;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The project's files that the crate is built from, and those of its tests that `check` reads.
const SOURCES: [&str; 8] = [
    "Cargo.lock",
    "build.rs",
    "build",
    "docs",
    "specs",
    "src",
    ROWS,
    "tests/requests/snapshots",
];
const ROWS: &str = "tests/support/operations/nodion.rs";
const SPEC: &str = "specs/nodion.yaml";

/// A program that uses everything that the edits add.
const WALK: &str = r##"
use deploykit::nodion::{Client, Deployment, DeploymentStatus, NewEnvVariable};
use deploykit::operation::OPERATIONS;
use deploykit::raw::nodion::types::EnvVariableCreate;
use deploykit::testing::Recorder;
use deploykit::{Call, Secret};

fn preview<T: Send + 'static>(call: Call<T>) -> String {
    call.preview().unwrap().to_string()
}

#[tokio::main]
async fn main() {
    let client = Client::builder().token("token-1234").build().unwrap();
    let application = client.application("a");

    let reply = r#"{"id":"d-1","status":"rolling_back","deploy_number":1,"queue_position":7}"#;
    let deployment: Deployment = serde_json::from_str(reply).unwrap();
    assert_eq!(deployment.status, DeploymentStatus::RollingBack);
    assert_eq!(deployment.queue_position, Some(7));

    let recorder = Recorder::strict();
    recorder.reply_example("nodion create_deployment", 423);
    let deployed = recorder.nodion().unwrap().application("a").deploy().await;
    assert_eq!(deployed.unwrap_err().status(), Some(423));

    let create = || application.env_variables().create(NewEnvVariable::new("KEY", "value"));
    assert!(!preview(create()).contains("note"));
    assert!(preview(create().body_field("note", "x")).contains(r#""note": "<redacted>""#));
    let mut body = EnvVariableCreate::new("KEY".to_owned(), Secret::new("value"));
    assert_eq!(body.note, None);
    body.note = Some("x".to_owned());

    let list = || application.deployments().list();
    assert!(!preview(list()).contains("page"));
    assert!(preview(list().query("page", "2")).contains("? page = "));
    drop(client.raw().list_deployments_with("a", |options| options.page = Some(2)));

    let operation = OPERATIONS.iter().find(|operation| operation.id == "list_integrations");
    assert_eq!(operation.unwrap().wrapper, "nodion::Client::integrations");
    assert_eq!(client.integrations().operation(), operation);
    assert!(preview(client.integrations()).starts_with("GET /v1/integrations"));
}
"##;

/// The wrapper of the new operation, and its line in `operations.rs`.
const WRAPPER: &str = "
impl Client {
    /// Lists the integrations: `GET /v1/integrations`.
    pub fn integrations(&self) -> Call<Page<super::Application>> {
        self.call(Op::ListIntegrations, |raw| async move {
            let list = raw.list_integrations().await?.into_inner();
            Ok(Page::whole(list.applications))
        })
    }
}
";
const WRAPPER_NAME: &str = "        Op::ListIntegrations => \"nodion::Client::integrations\",\n";

const OPERATION: &str = "  /v1/integrations:
    get:
      operationId: list_integrations
      summary: List integrations
      x-documented: false
      x-evidence: source
      x-source: a page
      x-behaviour: {idempotent: true, why: a read, spends: false, applied-on: [], final-on: [], pace: none, time: unary, secrets: [], side-effects: none}
      responses: {'200': {description: The integrations., content: {application/json: {schema: {$ref: '#/components/schemas/ApplicationList'}, example: {applications: []}}}}}
";

/// A copy of the crate, built with the target directory of the tests, so that dependencies are not built again.
struct Copy {
    folder: PathBuf,
}

impl Copy {
    fn new() -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("edits");
        // Left over from the last run, which may have been stopped.
        let _ = std::fs::remove_dir_all(&folder);
        let copy = Self { folder };
        for source in SOURCES {
            copy_tree(&root().join(source), &copy.path(source));
        }
        copy.write("Cargo.toml", &manifest());
        for member in ["sandbox", "spec-tool"] {
            let manifest = read(&format!("{member}/Cargo.toml"));
            let without_tests = manifest.split("[[test]]").next().unwrap();
            copy.write(&format!("{member}/Cargo.toml"), without_tests);
            copy.write(&format!("{member}/src/lib.rs"), "");
        }
        copy.write("examples/walk.rs", WALK);
        copy
    }

    fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.path(file)).unwrap()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Replaces the first occurrence of a text after another text.
    fn edit(&self, file: &str, after: &str, from: &str, to: &str) {
        let text = self.read(file);
        let start = text
            .find(after)
            .unwrap_or_else(|| panic!("{after:?} in {file}"));
        let (head, tail) = text.split_at(start);
        assert!(tail.contains(from), "{from:?} after {after:?} in {file}");
        self.write(file, &format!("{head}{}", tail.replacen(from, to, 1)));
    }

    fn append(&self, file: &str, text: &str) {
        self.write(file, &(self.read(file) + text));
    }

    /// Runs cargo with the features of the tests.
    fn cargo(&self, command: &str) -> Output {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Cargo sets these for a test. They would make build scripts run again.
        for (name, _) in std::env::vars_os() {
            let is_of_test = |prefix| name.to_string_lossy().starts_with(prefix);
            if is_of_test("CARGO_PKG_") || is_of_test("CARGO_MANIFEST_") {
                cargo.env_remove(name);
            }
        }
        cargo
            .args([command, "--offline", "--example", "walk", "--target-dir"])
            .arg(target)
            .current_dir(&self.folder)
            .output()
            .unwrap()
    }

    /// The error of a failed build, on one line.
    fn build_error(&self) -> String {
        let output = self.cargo("build");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success(), "built:\n{text}");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The content of all files but the lock file, which has fewer packages than that of the workspace.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        read_tree(&self.folder, "", &mut files);
        files.remove("Cargo.lock");
        files
    }

    /// The files that differ from `before`.
    fn touched(&self, before: &BTreeMap<String, Vec<u8>>) -> Vec<String> {
        let after = self.files();
        let names = before.keys().chain(after.keys());
        let mut touched: Vec<_> = names
            .filter(|name| before.get(*name) != after.get(*name))
            .cloned()
            .collect();
        touched.sort();
        touched.dedup();
        touched
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap()
}

/// The manifest with two members, which are empty. Their dependencies and those of the tests stay: they decide
/// which features the dependencies have.
fn manifest() -> String {
    let text = read("Cargo.toml");
    let benches = text.find("[[bench]]").unwrap();
    let profiles = text.find("[profile").unwrap();
    let text = format!("{}{}", &text[..benches], &text[profiles..]);
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("members =") && !line.starts_with("exclude ="));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    // Otherwise cargo would take the packages for those of the project, and mix up what it has built.
    let version = concat!("version = \"", env!("CARGO_PKG_VERSION"));
    let text = text.replacen(version, &format!("{version}+edits"), 1);
    let tests = "[dev-dependencies]\n";
    let specs = "deploykit-specs = { path = \"spec-tool\" }\n";
    text.replace(tests, &format!("{tests}{specs}"))
}

fn copy_tree(from: &Path, to: &Path) {
    if from.is_file() {
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
        return;
    }
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy_tree(&entry.path(), &to.join(entry.file_name()));
    }
}

fn read_tree(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = format!("{prefix}{}", path.file_name().unwrap().to_string_lossy());
        match path.is_dir() {
            true => read_tree(&path, &format!("{name}/"), files),
            false => drop(files.insert(name, std::fs::read(&path).unwrap())),
        }
    }
}

#[test]
fn edits_of_a_spec_need_no_change_in_src_and_can_be_used_at_once() {
    let copy = Copy::new();
    let original = copy.files();

    // A mistake.
    let status = "    DeploymentStatus:\n";
    copy.edit(
        SPEC,
        status,
        "enum: [created, ",
        "enum: [created, created, ",
    );
    let error = copy.build_error();
    assert!(error.contains("+edits: specs/nodion.yaml:"), "{error}");
    assert!(
        error.contains(": $.components.schemas.DeploymentStatus.enum: "),
        "{error}"
    );
    assert!(error.contains(". Remedy: "), "{error}");
    copy.edit(
        SPEC,
        status,
        "enum: [created, created, ",
        "enum: [created, ",
    );

    // A required field of a request does not compile until its wrapper has it.
    let create = "    EnvVariableCreate:\n";
    copy.edit(
        SPEC,
        create,
        "[env_key, env_val]",
        "[env_key, env_val, scope]",
    );
    let scope = "      properties:\n        scope: {type: string, description: A scope.}\n";
    copy.edit(SPEC, create, "      properties:\n", scope);
    let error = copy.build_error();
    assert!(error.contains("error[E0061]"), "{error}");
    assert!(error.contains("--> src/nodion/env.rs:"), "{error}");
    copy.edit(SPEC, create, scope, "      properties:\n");
    copy.edit(
        SPEC,
        create,
        "[env_key, env_val, scope]",
        "[env_key, env_val]",
    );
    assert_eq!(copy.touched(&original), [""; 0]);

    // An enum value.
    copy.edit(
        SPEC,
        status,
        "enum: [created, ",
        "enum: [created, rolling_back, ",
    );
    // A field of a reply.
    copy.edit(
        SPEC,
        "    Deployment:\n",
        "        deploy_number:\n",
        "        queue_position: {type: integer, format: int64, description: Place in the queue.}\n        deploy_number:\n",
    );
    // A status.
    copy.edit(
        SPEC,
        "      operationId: create_deployment\n      summary",
        "      responses:\n",
        "      responses:\n        '423':\n          description: Another deployment is in progress.\n",
    );
    // An optional field of a request.
    copy.edit(
        SPEC,
        create,
        "      properties:\n",
        "      properties:\n        note: {type: string, description: A note.}\n",
    );
    // An optional parameter, the first of its operation.
    copy.edit(
        SPEC,
        "      operationId: list_deployments\n      summary",
        "      parameters:\n",
        "      parameters:\n        - {name: page, in: query, description: Number of the page., schema: {type: integer, format: int64}}\n",
    );
    assert_eq!(copy.touched(&original), [SPEC]);

    // An operation.
    copy.edit(
        SPEC,
        "\npaths:\n",
        "\npaths:\n",
        &format!("\npaths:\n{OPERATION}"),
    );
    copy.append("src/nodion/regions.rs", WRAPPER);
    let first = "    match op {\n";
    let table = "src/nodion/operations.rs";
    copy.edit(table, first, first, &format!("{first}{WRAPPER_NAME}"));
    let expected = ["specs/nodion.yaml", table, "src/nodion/regions.rs"];
    assert_eq!(copy.touched(&original), expected);

    let output = copy.cargo("run");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert_eq!(
        copy.touched(&original),
        expected,
        "the build writes nothing here"
    );

    // Until the operation has its row in the table of requests and its snapshot, it is not complete.
    let check = || check::run(&copy.folder, &[SPEC.into()]).unwrap();
    let incomplete = check();
    assert_eq!(incomplete.errors, 1, "{}", incomplete.text);
    let missing = "`list_integrations` has no request snapshot";
    assert!(incomplete.text.contains(missing), "{}", incomplete.text);
    let list = "        row(\"list_regions\"";
    let row = "        row(\"list_integrations\", |to| json(to.nodion.integrations())),\n";
    copy.edit(ROWS, list, list, &format!("{row}{list}"));
    copy.write(
        "tests/requests/snapshots/nodion__list_integrations.snap",
        "---\nsource: tests/requests/main.rs\n---\nGET /v1/integrations\nauthorization: <redacted>\n",
    );
    let complete = check();
    assert_eq!(complete.errors, 0, "{}", complete.text);
    let mut lines = complete.text.lines();
    let line = lines.find(|line| line.starts_with("list_integrations "));
    let marks: Vec<_> = line.unwrap().split_whitespace().skip(1).collect();
    assert_eq!(marks, ["yes", "yes", "yes", "example", "yes"]);
}
