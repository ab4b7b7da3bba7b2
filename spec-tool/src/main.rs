//! `deploykit-specs`: checks specs, and compares the documents of vendors.

#![forbid(unsafe_code)]

use clap::{Parser, Subcommand};
use deploykit_specs::check;
use deploykit_specs::coverage;
use deploykit_specs::drift::{self, Change, Ours};
use deploykit_specs::outline::Outline;
use deploykit_specs::wrappers;
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
    /// Runs the checks of the build on specs, and validates their examples.
    ///
    /// For the project's own specs, prints a table of what each operation has: a wrapper, a request snapshot,
    /// a reply test, a rule or an example for the sandbox, and documentation. An operation without a wrapper
    /// or a snapshot is an error. Exit status: 0 without errors, 1 with errors, 2 for wrong use.
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
    /// Lists what a vendor's document offers and our spec does not have.
    ///
    /// `specs/vendor/<api>.left-out.txt` has the reasons for what is left out on purpose. Exit status: 0 if
    /// nothing else is missing, 1 if something is, 2 for wrong use.
    Coverage {
        document: PathBuf,
        /// The platform, with a suffix if it has several documents: `edgegap-v1`. Default: the name of the
        /// document without its extension.
        #[arg(long)]
        api: Option<String>,
        /// The path before all paths. Default: that of the kept outline.
        #[arg(long)]
        base: Option<String>,
    },
    /// Compares a vendor's document with the outline in `specs/vendor/<api>.txt`.
    ///
    /// Exit status: 0 without changes, 1 with changes, 2 for wrong use.
    Drift {
        document: PathBuf,
        /// The platform, with a suffix if it has several documents: `edgegap-v1`. Default: the name of the
        /// document without its extension.
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
        /// Keeps the outline of the document as the new one, or as the first one.
        #[arg(long)]
        accept: bool,
    },
}

fn main() -> ExitCode {
    let mut out = String::new();
    let finding = match Arguments::parse().command {
        Command::Check { files } => check::run(Path::new(""), &files).map(|report| {
            out = report.text;
            report.errors > 0
        }),
        Command::Outline {
            document,
            count,
            base,
        } => outline(&document, count, base.as_deref(), &mut out),
        Command::Coverage {
            document,
            api,
            base,
        } => coverage_of(&document, api, base, &mut out),
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
    match finding {
        Ok(has_findings) => ExitCode::from(u8::from(has_findings)),
        Err(wrong_use) => {
            warn(&wrong_use);
            ExitCode::from(2)
        }
    }
}

/// Prints a line on standard error, which may be closed.
fn warn(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn outline(
    document: &Path,
    count: bool,
    base: Option<&str>,
    out: &mut String,
) -> Result<bool, String> {
    let outline = Outline::read(&read(document)?, base);
    *out += &match count {
        true => format!("{}\n", outline.operations().len()),
        false => outline.to_string(),
    };
    warn_of_unread(document, &outline);
    Ok(false)
}

/// Names the lines of the document that could not be read.
fn warn_of_unread(document: &Path, outline: &Outline) {
    for (line, reason) in outline.unread() {
        warn(&format!("{}:{line}: {reason}", document.display()));
    }
}

/// What the kept outline begins with, before the path of its server.
const BASE: &str = "# base: ";

/// A vendor's document and our side of its platform.
struct Vendor {
    new: Outline,
    /// `None` if no outline is kept yet.
    kept: Option<Outline>,
    /// The path before all paths.
    base: Option<String>,
    /// The name of the kept outline.
    api: String,
    spec: String,
}

impl Vendor {
    fn read(document: &Path, api: Option<String>, base: Option<String>) -> Result<Self, String> {
        let stem = document.file_stem().unwrap_or_default().to_string_lossy();
        let api = api.unwrap_or_else(|| stem.into_owned());
        let text = read(document)?;
        let platform = platform_of(&api);
        let spec = PathBuf::from(format!("specs/{platform}.yaml"));
        if !spec.exists() {
            return Err(format!(
                "there is no spec of `{platform}`, {}. Name the platform with --api, or write its spec first: `outline` prints what the document says",
                spec.display()
            ));
        }
        let kept = match kept_file(&api).exists() {
            true => Some(read(&kept_file(&api))?),
            false => None,
        };
        let mut lines = kept.iter().flat_map(|kept| kept.lines());
        let kept_base = lines.find_map(|line| line.strip_prefix(BASE));
        let base = base.or_else(|| kept_base.map(str::to_owned));
        let new = Outline::read(&text, base.as_deref());
        warn_of_unread(document, &new);
        if new.operations().is_empty() {
            // Such as an error page that was downloaded.
            return Err(format!("{} has no operations", document.display()));
        }
        Ok(Self {
            new,
            kept: kept.map(|kept| Outline::parse(&kept)),
            base,
            spec: read(&spec)?,
            api,
        })
    }
}

/// `edgegap-v1` is a document of `edgegap`.
fn platform_of(api: &str) -> &str {
    api.split_once('-').map_or(api, |(platform, _)| platform)
}

fn kept_file(api: &str) -> PathBuf {
    PathBuf::from(format!("specs/vendor/{api}.txt"))
}

fn coverage_of(
    document: &Path,
    api: Option<String>,
    base: Option<String>,
    out: &mut String,
) -> Result<bool, String> {
    let vendor = Vendor::read(document, api, base)?;
    let reasons = format!("specs/vendor/{}.left-out.txt", vendor.api);
    let reasons = std::fs::read_to_string(reasons).unwrap_or_default();
    let mut unexplained = 0;
    for place in coverage::missing(&vendor.new, &Outline::read(&vendor.spec, None)) {
        let reason = reasons
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{place}: ")));
        match reason {
            Some(reason) => *out += &format!("left out  {place}: {reason}\n"),
            None => {
                *out += &format!("missing   {place}\n");
                unexplained += 1;
            }
        }
    }
    *out += &format!("{unexplained} missing\n");
    Ok(unexplained > 0)
}

fn drift_of(
    document: &Path,
    api: Option<String>,
    base: Option<String>,
    accept: bool,
    format: fn(&[Change]) -> String,
    out: &mut String,
) -> Result<bool, String> {
    let vendor = Vendor::read(document, api, base)?;
    let (api, kept) = (&vendor.api, kept_file(&vendor.api));
    if vendor.kept.is_none() && !accept {
        return Err(format!(
            "no outline of `{api}` is kept, {}. Keep this one as the first with --accept",
            kept.display()
        ));
    }
    let platform = platform_of(api);
    let methods = wrappers::read(&read(Path::new(&format!("src/{platform}/operations.rs")))?);
    let ours = Ours::new(&vendor.spec, methods)
        .map_err(|problem| format!("specs/{platform}.yaml: {}", problem.message))?;
    let old = vendor.kept.unwrap_or_default();
    let changes = drift::compare(&old, &vendor.new, &ours);
    *out += &format(&changes);
    if accept {
        let base = vendor.base.map(|base| format!("{BASE}{base}\n"));
        let text = format!("{}{}", base.unwrap_or_default(), vendor.new);
        std::fs::create_dir_all("specs/vendor")
            .and_then(|()| std::fs::write(&kept, text))
            .map_err(|error| format!("cannot write {}: {error}", kept.display()))?;
    }
    Ok(!changes.is_empty())
}

fn read(file: &Path) -> Result<String, String> {
    deploykit_specs::read(Path::new(""), file)
}
