//! The command `check`: the checks of the build, of the examples, and of what each operation needs.

mod coverage_table;
mod examples;
#[path = "../../../sandbox/src/spec/json_schema.rs"]
mod json_schema;

use crate::build::problems::{InvalidSpec, Problems};
use crate::build::{self, document};
use crate::read;
use std::path::{Path, PathBuf};

/// What `check` prints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The errors, the tables of the project's own specs, and the number of errors.
    pub text: String,
    pub errors: usize,
}

/// Checks the given files. If none is given, checks all specs of the project.
///
/// `root` is the folder of the project. Specs in its folder `specs` are its own: the report has a table of
/// their operations.
///
/// # Errors
/// If a file cannot be read.
pub fn run(root: &Path, files: &[PathBuf]) -> Result<Report, String> {
    let files = match files {
        [] => own_specs(root)?,
        files => files.to_vec(),
    };
    let (mut errors, mut tables) = (Vec::new(), Vec::new());
    for file in &files {
        let text = read(root, file)?;
        let (name, api) = (file.display().to_string(), file.file_stem());
        let api = api.unwrap_or_default().to_string_lossy();
        if let Err(invalid) = build::run(&api, &name, &text) {
            errors.extend(invalid.lines());
            continue;
        }
        let mut problems = Problems::default();
        let json = document::read(&text).unwrap_or_default();
        examples::check(&json, &mut problems);
        if is_own(root, file) {
            tables.push(coverage_table::render(root, &api, &json, &mut problems)?);
        }
        if let Err(problems) = problems.check() {
            errors.extend(InvalidSpec::new(&name, &text, problems).lines());
        }
    }
    let count = errors.len();
    let lines = errors.into_iter().map(|line| line + "\n");
    let text = lines.chain(tables).collect::<String>();
    Ok(Report {
        text: format!("{text}{count} errors\n"),
        errors: count,
    })
}

/// `specs/*.yaml`.
fn own_specs(root: &Path) -> Result<Vec<PathBuf>, String> {
    let folder = std::fs::read_dir(root.join("specs"))
        .map_err(|error| format!("cannot read the folder specs: {error}; {ROOT}"))?;
    let names = folder
        .flatten()
        .map(|entry| PathBuf::from(entry.file_name()));
    let mut specs: Vec<_> = names
        .filter(|name| {
            name.extension()
                .is_some_and(|extension| extension == "yaml")
        })
        .map(|name| Path::new("specs").join(name))
        .collect();
    specs.sort();
    match specs.is_empty() {
        true => Err(format!("the folder specs has no specs; {ROOT}")),
        false => Ok(specs),
    }
}

/// Whether the file is in the project's folder of specs.
fn is_own(root: &Path, file: &Path) -> bool {
    let folder = root.join(file).canonicalize();
    let folder = folder.as_deref().ok().and_then(Path::parent);
    folder.is_some_and(|folder| {
        root.join("specs")
            .canonicalize()
            .is_ok_and(|own| own == folder)
    })
}

const ROOT: &str = "run this command in the folder of the project";
