//! `deploykit-specs`: checks specs, and compares the documents of vendors.

#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use deploykit_specs::build;
use deploykit_specs::drift::{self, Change, Ours};
use deploykit_specs::outline::Outline;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    version,
    about = "Checks the specs of deploykit, and compares the documents of vendors."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the checks and the generator of the build on specs.
    Check {
        /// The specs. Default: `specs/*.yaml`.
        files: Vec<PathBuf>,
    },
    /// Prints the facts of a vendor's document, one a line, sorted.
    ///
    /// Reads OpenAPI 3.0 and 3.1, in YAML or JSON, also without indentation, and pages of prose with code
    /// blocks. Lines that cannot be read are named on standard error.
    Outline {
        document: PathBuf,
        /// Prints the number of operations instead.
        #[arg(long)]
        count: bool,
        /// The path before all paths, such as `/v2`. Default: the path of the first server.
        #[arg(long)]
        base: Option<String>,
    },
    /// Compares a vendor's document with the outline in `specs/vendor/<api>.txt`.
    ///
    /// Exit status: 0 without changes, 1 with changes, 2 for wrong use.
    Drift {
        document: PathBuf,
        /// The platform. Default: the name of the document without its extension.
        #[arg(long)]
        api: Option<String>,
        /// The path before all paths. Default: that of the kept outline.
        #[arg(long)]
        base: Option<String>,
        /// Prints the changes as JSON.
        #[arg(long)]
        json: bool,
        /// Prints the changes as a table for a pull request.
        #[arg(long, conflicts_with = "json")]
        markdown: bool,
        /// Keeps the outline of the document as the new one.
        #[arg(long)]
        accept: bool,
    },
}

fn main() -> ExitCode {
    let mut out = String::new();
    let code = match Arguments::parse().command {
        Command::Check { files } => check(files, &mut out),
        Command::Outline {
            document,
            count,
            base,
        } => outline(&document, count, base.as_deref(), &mut out),
        Command::Drift {
            document,
            api,
            base,
            json,
            markdown,
            accept,
        } => {
            let format = match (json, markdown) {
                (true, _) => |changes: &[Change]| {
                    serde_json::to_string_pretty(changes).unwrap_or_default() + "\n"
                },
                (_, true) => drift::markdown,
                _ => drift::plain,
            };
            drift_of(&document, api, base, accept, format, &mut out)
        }
    };
    // A closed pipe, such as that of `head`, is no error.
    let _ = io::stdout().write_all(out.as_bytes());
    code
}

/// 0 without errors, 1 with errors, 2 if a file cannot be read.
fn check(mut files: Vec<PathBuf>, out: &mut String) -> ExitCode {
    if files.is_empty() {
        let specs = ["dployr", "edgegap", "nexlayer", "nodion"];
        files = specs
            .map(|api| Path::new("specs").join(format!("{api}.yaml")))
            .into();
    }
    let mut errors = 0;
    for file in &files {
        let Some(text) = read(file) else {
            return ExitCode::from(2);
        };
        let api = file.file_stem().unwrap_or_default().to_string_lossy();
        if let Err(invalid) = build::run(&api, &file.display().to_string(), &text) {
            for line in invalid.lines() {
                *out += &format!("{line}\n");
                errors += 1;
            }
        }
    }
    *out += &format!("{errors} errors\n");
    ExitCode::from(u8::from(errors > 0))
}

fn outline(document: &Path, count: bool, base: Option<&str>, out: &mut String) -> ExitCode {
    let Some(text) = read(document) else {
        return ExitCode::from(2);
    };
    let outline = Outline::read(&text, base);
    *out += &match count {
        true => format!("{}\n", outline.operations().len()),
        false => outline.to_string(),
    };
    for (line, reason) in outline.unread() {
        eprintln!("{}:{line}: {reason}", document.display());
    }
    ExitCode::SUCCESS
}

/// What the kept outline begins with, before the path of its server.
const BASE: &str = "# base: ";

fn drift_of(
    document: &Path,
    api: Option<String>,
    base: Option<String>,
    accept: bool,
    format: fn(&[Change]) -> String,
    out: &mut String,
) -> ExitCode {
    let stem = document.file_stem().unwrap_or_default().to_string_lossy();
    let api = api.unwrap_or_else(|| stem.into_owned());
    let kept_file = PathBuf::from(format!("specs/vendor/{api}.txt"));
    let files = [
        document.to_owned(),
        kept_file.clone(),
        PathBuf::from(format!("specs/{api}.yaml")),
        PathBuf::from(format!("src/{api}/operations.rs")),
    ];
    let Some([text, kept, spec, wrappers]) = read_all(&files) else {
        return ExitCode::from(2);
    };
    let kept_base = kept.lines().find_map(|line| line.strip_prefix(BASE));
    let base = base.or_else(|| kept_base.map(str::to_owned));
    let new = Outline::read(&text, base.as_deref());
    for (line, reason) in new.unread() {
        eprintln!("{}:{line}: {reason}", document.display());
    }
    let changes = drift::compare(&Outline::parse(&kept), &new, &Ours::new(&spec, wrappers));
    *out += &format(&changes);
    if accept {
        let base = base
            .map(|base| format!("{BASE}{base}\n"))
            .unwrap_or_default();
        if let Err(error) = std::fs::write(&kept_file, format!("{base}{new}")) {
            eprintln!("cannot write {}: {error}", kept_file.display());
            return ExitCode::from(2);
        }
    }
    ExitCode::from(u8::from(!changes.is_empty()))
}

fn read_all<const N: usize>(files: &[PathBuf; N]) -> Option<[String; N]> {
    let texts: Option<Vec<_>> = files.iter().map(|file| read(file)).collect();
    texts?.try_into().ok()
}

fn read(file: &Path) -> Option<String> {
    match std::fs::read(file) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            eprintln!("cannot read {}: {error}", file.display());
            None
        }
    }
}
