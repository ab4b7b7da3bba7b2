//! What each operation of the project has: a wrapper, a request snapshot, a reply test, an answer of the
//! sandbox, and documentation.

use super::examples::{has_example, successes};
use crate::build::open_enums::variant;
use crate::build::problems::Problems;
use crate::build::schemas::{operations, text};
use crate::{read, wrappers};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Columns for the name of the operation, so that a row has at most 80.
const WIDTH: usize = 40;

/// The table of a platform. Adds a problem for each operation without a wrapper or a request snapshot.
///
/// | column | a mark if |
/// |---|---|
/// | wrapper | `src/<api>/operations.rs` names its method |
/// | request | `tests/requests/snapshots` has its request |
/// | reply | it has a row in `tests/support/operations/<api>.rs`, which decodes its examples, and one of a success |
/// | sandbox | a rule in `sandbox/src/<api>`, or else an example |
/// | docs | a doc comment in `src/<api>` has its method and path |
///
/// # Errors
/// If the project has no `src/<api>/operations.rs`.
pub fn render(
    root: &Path,
    api: &str,
    json: &Value,
    problems: &mut Problems,
) -> Result<String, String> {
    let methods = wrappers::read(&read(root, format!("src/{api}/operations.rs"))?);
    let client = sources(&root.join("src").join(api));
    let documented = requests_in_docs(&client);
    let rows = read(root, format!("tests/support/operations/{api}.rs")).unwrap_or_default();
    let rules = sources(&root.join("sandbox/src").join(api));
    let mut table = row(api, ["wrapper", "request", "reply", "sandbox", "docs"]);
    for (path, method, operation) in operations(json) {
        let id = text(operation, "operationId").unwrap_or_default();
        let has_wrapper = methods.contains_key(&variant(id));
        let snapshot = format!("tests/requests/snapshots/{api}__{id}.snap");
        let has_snapshot = root.join(&snapshot).is_file();
        let has_example = successes(json, operation).any(has_example);
        let mark = |is_there: bool| if is_there { "yes" } else { "-" };
        let sandbox = match (is_quoted(&rules, id), has_example) {
            (true, _) => "rule",
            (false, true) => "example",
            (false, false) => "-",
        };
        let request = format!("{} {}", method.to_uppercase(), without_names(path));
        table += &row(
            id,
            [
                mark(has_wrapper),
                mark(has_snapshot),
                mark(has_example && is_quoted(&rows, id)),
                sandbox,
                mark(documented.contains(&request)),
            ],
        );
        let at = format!("$.paths.{path}.{method}");
        problems.require(
            has_wrapper,
            at.clone(),
            format!("`{id}` has no wrapper"),
            format!("write its method, and name it in src/{api}/operations.rs"),
        );
        problems.require(
            has_snapshot,
            at,
            format!("`{id}` has no request snapshot"),
            format!("add its row to tests/support/operations/{api}.rs, and create {snapshot}"),
        );
    }
    Ok(table + "\n")
}

/// A line of the table.
fn row(name: &str, marks: [&str; 5]) -> String {
    let name = match name.char_indices().nth(WIDTH) {
        Some(_) => name.chars().take(WIDTH - 1).chain(['…']).collect(),
        None => name.to_owned(),
    };
    let [wrapper, request, reply, sandbox, docs] = marks;
    let line = format!("{name:WIDTH$} {wrapper:8} {request:8} {reply:6} {sandbox:8} {docs}");
    format!("{}\n", line.trim_end())
}

/// Whether the sources contain this id as a string. Comments do not count.
fn is_quoted(sources: &str, id: &str) -> bool {
    let id = format!("\"{id}\"");
    let mut lines = sources.lines().map(str::trim_start);
    lines.any(|line| !line.starts_with("//") && line.contains(&id))
}

/// The requests in doc comments, such as `GET /v1/things/{}` for `` `GET /v1/things/{id}?page=…` ``.
fn requests_in_docs(sources: &str) -> BTreeSet<String> {
    let docs = sources.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("///").or(line.strip_prefix("//!"))
    });
    let docs = docs.collect::<Vec<_>>().join("");
    let code = docs.split('`').filter(|part| part.contains(" /"));
    code.map(|code| without_names(code.split('?').next().unwrap_or(code)))
        .collect()
}

/// A path without the names of its parameters: `/v1/things/{}`.
fn without_names(path: &str) -> String {
    let parts = path.split('/').map(|part| match part.starts_with('{') {
        true => "{}",
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// The text of all Rust files in a folder and the folders below it.
fn sources(folder: &Path) -> String {
    let mut folders = vec![folder.to_owned()];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path: PathBuf = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &std::fs::read_to_string(path).unwrap_or_default();
            }
        }
    }
    text
}
