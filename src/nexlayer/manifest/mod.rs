//! Manifests (`nexlayer.yaml`): text, typed values and lints.
//!
//! A [`Manifest`] is the text that is sent. [`Manifest::spec`] parses it into an [`AppSpec`], and
//! [`AppSpec::manifest`] creates a manifest from one. [`Manifest::lint`] warns about possible mistakes.
//! All of them support the older forms that the platform's documentation and tools still use.
//! [`Manifest::set`] edits the text in place.
//!
//! ```
//! use deploykit::nexlayer::Manifest;
//! let old = "application:\n  name: guestbook\n  pods:\n  - {name: web, tag: 'nginx:1.29', path: /, ports: ['80'], env: [{name: A, value: b}]}\n";
//! let manifest = Manifest::parse(old)?;
//! assert_eq!(manifest.as_str(), old);
//!
//! let pod = &manifest.spec()?.pods[0];
//! assert_eq!(pod.service_ports, [80]);
//! assert_eq!(pod.vars[0].1.expose(), "b");
//!
//! let warnings = manifest.lint();
//! assert_eq!(warnings[0].to_string(), "4:17 application.pods[0].tag: write image instead (old-spelling)");
//! assert!(manifest.canonical()?.lint().is_empty());
//! # Ok::<(), deploykit::Error>(())
//! ```
//!
//! Source: <https://nexlayer.com/docs/deployments/configuration>

mod cursor;
mod edit;
mod lints;
mod pods;
mod reader;
pub(super) mod redact;
#[cfg(feature = "schemars")]
mod schema;
mod spec;
pub(super) mod yaml;

pub use lints::{Rule, Warning};
pub use spec::{
    AppSpec, Others, Pod, Quantities, RegistryLogin, ResourceType, Resources, SecretFile, Volume,
};

use crate::error::{Error, Result};
use serde_json::Value;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;
use yaml::Node;

/// Maximum number of warnings per manifest, and per rule while they are collected.
const MAX_WARNINGS: usize = 1000;

/// The text of a `nexlayer.yaml`.
///
/// It is sent unchanged, with comments and unknown fields. It must be YAML with an `application.name`;
/// the platform validates the rest.
///
/// ```
/// use deploykit::nexlayer::Manifest;
/// let manifest = Manifest::parse("application:\n  name: guestbook\n  pods: []\n")?;
/// assert_eq!(manifest.application_name(), "guestbook");
/// assert!(Manifest::parse("application: {}").is_err());
/// # Ok::<(), deploykit::Error>(())
/// ```
///
/// `Debug` shows only the name and the size. A [preview](crate::Call::preview) shows the parsed manifest
/// without comments, and redacts the values of `vars`, the files of `secrets`, the registry login,
/// `command` and `entrypoint`. Placeholders (`<% … %>`) stay visible.
#[derive(Clone, PartialEq, Eq)]
pub struct Manifest {
    text: String,
    name: String,
}

impl Manifest {
    /// Size limit in bytes: 10 MiB.
    pub const MAX_BYTES: usize = 10 << 20;

    /// Reads a manifest from a file.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a file that cannot be read, and in the
    /// cases of [`parse`](Self::parse).
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display();
        let bytes = read(path).map_err(|error| {
            Error::invalid_request(format!("the manifest {name} cannot be read: {error}"))
                .with_source(error)
        })?;
        Self::from_bytes(bytes).map_err(|error| {
            let problem = error.message().unwrap_or_default();
            Error::invalid_request(format!("{name}: {problem}"))
        })
    }

    /// Parses a manifest from bytes.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for bytes that are not UTF-8, and in the cases
    /// of [`parse`](Self::parse).
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = bytes.into();
        check_size(bytes.len())?;
        let text = String::from_utf8(bytes).map_err(|error| {
            Error::invalid_request(format!("the manifest is not UTF-8: {error}"))
        })?;
        Self::parse(text)
    }

    /// Parses a manifest.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for text that is empty, larger than
    /// [10 MiB](Self::MAX_BYTES), not YAML, nested deeper than 24 levels, or without a string in
    /// `application.name`. YAML errors contain line and column.
    pub fn parse(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        check_size(text.len())?;
        if text.trim().is_empty() {
            return Err(Error::invalid_request("the manifest is empty"));
        }
        let root: Node = yaml::parse(&text)?;
        let application = root.get("application");
        let name = application.and_then(|application| application.get("name"));
        if let Some(Node::Scalar(scalar)) = name
            && let Value::String(name) = &scalar.value
            && !name.trim().is_empty()
        {
            let name = name.clone();
            return Ok(Self { text, name });
        }
        let message = "the manifest has no application.name, or it is not a string";
        Err(Error::invalid_request(message))
    }

    /// The name of the application in the manifest.
    ///
    /// The platform may change it: use the name in the response to the deploy for later calls.
    pub fn application_name(&self) -> &str {
        &self.name
    }

    /// The text that is sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Parses the manifest into typed values.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) with field, line and column for a value that
    /// violates [`Rule::Unreadable`]. Such a manifest can still be sent.
    pub fn spec(&self) -> Result<AppSpec> {
        let (spec, warnings) = reader::read(&self.text)?;
        match first_error(&warnings, |rule| rule == Rule::Unreadable) {
            None => Ok(spec),
            Some(error) => Err(error),
        }
    }

    /// Returns warnings about possible mistakes, at most 1000, in file order.
    ///
    /// A manifest with warnings can still be sent: the lints are stricter than the platform.
    pub fn lint(&self) -> Vec<Warning> {
        // Infallible: `parse` has already parsed the text.
        let (_, mut warnings) = reader::read(&self.text).unwrap_or_default();
        warnings.truncate(MAX_WARNINGS);
        warnings
    }

    /// Converts the manifest to the canonical form of [`AppSpec::to_yaml`].
    ///
    /// Drops comments and fields without a value, such as an empty `image`. Values of `cpu` and `memory`
    /// directly in `resources` become requests and limits.
    ///
    /// # Errors
    /// Those of [`spec`](Self::spec).
    pub fn canonical(&self) -> Result<Self> {
        Self::parse(self.spec()?.to_yaml())
    }

    fn from_spec(spec: &AppSpec) -> Result<Self> {
        let manifest = Self::parse(spec.to_yaml())?;
        let (_, warnings) = reader::read(&manifest.text)?;
        match first_error(&warnings, Rule::is_in_schema) {
            None => Ok(manifest),
            Some(error) => Err(error),
        }
    }

    /// The JSON Schema of the canonical form, for editors.
    ///
    /// A manifest that is valid against the schema has no [`lint`](Self::lint) warning for a rule that is
    /// [in the schema](Rule::is_in_schema).
    #[cfg(feature = "schemars")]
    pub fn json_schema() -> schemars::Schema {
        schema::canonical()
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes > Manifest::MAX_BYTES {
        let message = "the manifest is larger than 10 MiB";
        return Err(Error::invalid_request(message));
    }
    Ok(())
}

/// Reads at most one byte more than the limit, because the path may be an endless device.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(Manifest::MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Converts the first warning whose rule counts as an error to an error.
fn first_error(warnings: &[Warning], is_error: impl Fn(Rule) -> bool) -> Option<Error> {
    let mut warnings = warnings.iter().filter(|warning| is_error(warning.rule));
    let first = warnings.next()?;
    let mut message = format!(
        "the manifest is invalid at {}, line {}, column {}: {}",
        first.path, first.line, first.column, first.message
    );
    let more = warnings.count();
    if more > 0 {
        message += &format!(" (and {more} more)");
    }
    Some(Error::invalid_request(message))
}

impl FromStr for Manifest {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

impl fmt::Debug for Manifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Manifest")
            .field("application_name", &self.name)
            .field("bytes", &self.text.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_error(text: &str) -> String {
        Manifest::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn text_is_kept_unchanged() {
        let text =
            "\u{feff}# ü\r\napplication:\r\n  name: \"My MERN App\" # kept\r\n  odd: <% URL %>\r\n";
        let manifest = Manifest::parse(text).unwrap();
        assert_eq!(manifest.as_str(), text);
        assert_eq!(manifest.application_name(), "My MERN App");
    }

    #[test]
    fn application_name_is_required() {
        for text in [
            "a",
            "- a",
            "application: hush",
            "application: {name: [a]}",
            "application: {name: 7}",
            "# only a comment\n",
            "\u{feff}",
            "application: {name: ' '}",
            "application:\n",
        ] {
            assert!(
                parse_error(text).contains("no application.name"),
                "{text}: {}",
                parse_error(text)
            );
        }
    }

    #[test]
    fn errors_of_files_contain_the_path() {
        for (path, expected) in [
            ("no/such/nexlayer.yaml", "cannot be read"),
            (env!("CARGO_MANIFEST_DIR"), "cannot be read"),
            ("Cargo.toml", "Cargo.toml: the manifest "),
            ("/dev/zero", "/dev/zero: the manifest is larger"),
        ] {
            if cfg!(not(unix)) && path.starts_with("/dev") {
                continue;
            }
            let error = Manifest::from_path(path).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidRequest);
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.to_string().contains(path), "{error}");
        }
        let error = Manifest::from_path("no/such/nexlayer.yaml").unwrap_err();
        assert!(std::error::Error::source(&error).is_some());
    }

    #[test]
    fn debug_shows_name_and_size() {
        let manifest = Manifest::parse("application: {name: a, token: hush}").unwrap();
        assert_eq!(
            format!("{manifest:?}"),
            r#"Manifest { application_name: "a", bytes: 35 }"#
        );
    }
}
