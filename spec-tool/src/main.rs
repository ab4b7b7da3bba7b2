//! `deploykit-specs`: checks specs, and outlines the documents of vendors.

#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use deploykit_specs::{build, outline::Outline};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    version,
    about = "Checks the specs of deploykit, and outlines the documents of vendors."
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

fn read(file: &Path) -> Option<String> {
    match std::fs::read(file) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) => {
            eprintln!("cannot read {}: {error}", file.display());
            None
        }
    }
}
