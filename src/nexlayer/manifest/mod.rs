//! `nexlayer.yaml`: what to run, as the bytes of a file and as values.
//!
//! A [`Manifest`] is the text that is sent. [`Manifest::spec`] reads it into an [`AppSpec`], whatever
//! generation of the format it is of; [`AppSpec::manifest`] makes one; [`Manifest::lint`] says what
//! may be wrong with it, by [`Rule`].
//!
//! ```
//! use deploykit::nexlayer::Manifest;
//! let old = "application:\n  name: guestbook\n  pods:\n  - {name: web, tag: 'nginx:1.29', path: /, ports: ['80'], env: [{name: A, value: b}]}\n";
//! let manifest = Manifest::parse(old)?;
//! assert_eq!(manifest.as_str(), old);
//!
//! let pod = &manifest.spec()?.pods[0];
//! assert_eq!(pod.service_ports[0].port, 80);
//! assert_eq!(pod.vars[0].1.expose(), "b");
//!
//! let warnings = manifest.lint();
//! assert_eq!(warnings[0].to_string(), "4:17 application.pods[0].tag: today that is image (old-spelling)");
//! assert!(manifest.canonical()?.lint().is_empty());
//! # Ok::<(), deploykit::Error>(())
//! ```
//!
//! Source: <https://nexlayer.com/docs/deployments/configuration>

mod application;
mod cursor;
mod patterns;
mod pods;
mod rules;
#[cfg(feature = "schemars")]
mod schema;
mod spec;
pub(super) mod tree;
mod vars;
mod volumes;
mod yaml_error;

pub use rules::{Rule, Warning};
pub use spec::{
    AppSpec, HealthCheck, Others, Pod, Quantities, RegistryLogin, ResourceType, Resources,
    SecretFile, ServicePort, Size, Volume,
};

use crate::error::{Error, Result};
use serde::Deserialize;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

/// A `nexlayer.yaml`, sent byte for byte: comments, placeholders and unknown keys included.
///
/// It is checked for what no server could use: it must be YAML, and name an application. Everything
/// else is the platform's to judge.
///
/// ```
/// use deploykit::nexlayer::Manifest;
/// let manifest = Manifest::parse("application:\n  name: guestbook\n  pods: []\n")?;
/// assert_eq!(manifest.application_name(), "guestbook");
/// assert!(Manifest::parse("application: {}").is_err());
/// # Ok::<(), deploykit::Error>(())
/// ```
///
/// `Debug` shows name and size, since a manifest holds secrets. A [preview](crate::Call::preview) prints
/// the parsed manifest without comments, and redacts the values of `vars`, the files of `secrets`, the
/// registry login, `command` and `entrypoint`. Placeholders (`<% … %>`) stay visible. A manifest that
/// cannot be parsed is shown only as its size.
#[derive(Clone, PartialEq, Eq)]
pub struct Manifest {
    text: String,
    name: String,
}

#[derive(Deserialize)]
struct File {
    application: Option<App>,
}

#[derive(Deserialize)]
struct App {
    name: Option<serde_json::Value>,
    /// Until early 2025 the application stood in a template.
    template: Option<Template>,
}

#[derive(Deserialize)]
struct Template {
    name: Option<serde_json::Value>,
}

impl Manifest {
    /// The most bytes that a manifest may have: 10 MiB. It is text that people write.
    pub const MAX_BYTES: usize = 10 << 20;

    /// Reads a file.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when it cannot be read, and as
    /// [`parse`](Self::parse).
    pub fn from_path(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let shown = path.display();
        let bytes = read(path).map_err(|error| {
            Error::invalid_request(format!("the manifest {shown} cannot be read: {error}"))
                .with_source(error)
        })?;
        Self::from_bytes(bytes).map_err(|error| {
            let why = error.message().unwrap_or_default();
            Error::invalid_request(format!("{shown}: {why}"))
        })
    }

    /// Takes the bytes of a file.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and for what is not UTF-8.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Result<Self> {
        let bytes = bytes.into();
        too_large(bytes.len())?;
        let text = String::from_utf8(bytes).map_err(|error| {
            Error::invalid_request(format!("the manifest is not UTF-8: {error}"))
        })?;
        Self::parse(text)
    }

    /// Takes the text of a file.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when it is empty, larger than
    /// [10 MiB](Self::MAX_BYTES), not YAML, or has no `application.name` that is a text. Of what is
    /// not YAML the error has line and column: a key that is there twice, a second document, an alias
    /// without its anchor, aliases that would make the file too large.
    pub fn parse(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        too_large(text.len())?;
        if text.trim().is_empty() {
            return Err(Error::invalid_request("the manifest is empty"));
        }
        // First as anything, so that "not YAML" and "no name" are told apart. The reader has limits
        // of its own against aliases that explode.
        serde_saphyr::from_str::<serde::de::IgnoredAny>(&text)
            .map_err(|error| yaml_error::error(&error))?;
        let file: File = serde_saphyr::from_str(&text).map_err(|error| {
            if yaml_error::is_odd_key(&error) {
                return yaml_error::error(&error);
            }
            no_name()
        })?;
        let application = file.application.ok_or_else(no_name)?;
        let name = application
            .name
            .or_else(|| application.template.and_then(|template| template.name));
        match name {
            Some(serde_json::Value::String(name)) if !name.trim().is_empty() => {
                Ok(Self { text, name })
            }
            _ => Err(no_name()),
        }
    }

    /// The application's name as the file has it. The platform may make another one of it: later
    /// calls need the one in the reply to the start.
    pub fn application_name(&self) -> &str {
        &self.name
    }

    /// The text as it will be sent.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What it says, whatever generation of the format it is of.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), with field, line and column,
    /// when something is of a type that no generation has there, or has no name: what [`lint`](Self::lint)
    /// calls [`Unreadable`](Rule::Unreadable). Such a manifest can be sent all the same.
    pub fn spec(&self) -> Result<AppSpec> {
        let (spec, warnings) =
            application::read(&self.text).map_err(|error| yaml_error::error(&error))?;
        let is_unreadable = |warning: &&Warning| warning.rule == Rule::Unreadable;
        let mut unreadable = warnings.iter().filter(is_unreadable);
        let Some(first) = unreadable.next() else {
            return Ok(spec);
        };
        let more = match unreadable.count() {
            0 => String::new(),
            more => format!(", and {more} more of the kind"),
        };
        Err(refused(first, &more))
    }

    /// What may be wrong with it, from the top of the file to its end; of a file that is wrong
    /// throughout the first 1000.
    ///
    /// None of it is a reason not to send the manifest: the platform decides.
    pub fn lint(&self) -> Vec<Warning> {
        match application::read(&self.text) {
            Ok((_, warnings)) => warnings,
            Err(error) => vec![yaml_error::warning(&error)],
        }
    }

    /// The same in the canonical form, without comments; see [`AppSpec::to_yaml`].
    ///
    /// # Errors
    /// As [`spec`](Self::spec).
    pub fn canonical(&self) -> Result<Self> {
        Self::parse(self.spec()?.to_yaml())
    }

    fn from_spec(spec: &AppSpec) -> Result<Self> {
        let manifest = Self::parse(spec.to_yaml())?;
        let warnings = manifest.lint();
        let mut warnings = warnings.iter();
        match warnings.find(|warning| warning.rule.is_in_schema()) {
            None => Ok(manifest),
            Some(warning) => Err(refused(warning, "")),
        }
    }

    /// A JSON Schema of all that [`spec`](Self::spec) reads: every generation of the format.
    #[cfg(feature = "schemars")]
    pub fn json_schema() -> schemars::Schema {
        schema::of_all_generations()
    }

    /// A JSON Schema of the canonical form: what is valid has no [`lint`](Self::lint) warning of a
    /// rule that [a schema can express](Rule::is_in_schema). For editors.
    #[cfg(feature = "schemars")]
    pub fn canonical_json_schema() -> schemars::Schema {
        schema::canonical()
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

fn too_large(bytes: usize) -> Result<()> {
    if bytes > Manifest::MAX_BYTES {
        return Err(Error::invalid_request(format!(
            "the manifest has more than the {} bytes (10 MiB) that are allowed",
            Manifest::MAX_BYTES
        )));
    }
    Ok(())
}

/// Reads one byte more than is allowed at most: the path may be that of an image, or of a device.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(Manifest::MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn refused(warning: &Warning, more: &str) -> Error {
    let Warning {
        message,
        line,
        column,
        path,
        ..
    } = warning;
    Error::invalid_request(format!(
        "the manifest is wrong at {path}, line {line}, column {column}: {message}{more}"
    ))
}

fn no_name() -> Error {
    Error::invalid_request("the manifest has no application.name that is a text")
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Manifest {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Manifest".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Self::json_schema()
    }
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

    fn refused(text: &str) -> String {
        Manifest::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn the_text_is_kept_as_it_came() {
        let text =
            "\u{feff}# ü\r\napplication:\r\n  name: \"My MERN App\" # kept\r\n  odd: <% URL %>\r\n";
        let manifest = Manifest::parse(text).unwrap();
        assert_eq!(manifest.as_str(), text);
        assert_eq!(manifest.application_name(), "My MERN App");
    }

    #[test]
    fn older_generations_are_read() {
        for text in [
            "application: {template: {name: a, deploymentName: b}}",
            "application: {name: a}\npods: []",
            "application: {name: a, pods: [{vars: [{key: k, value: 1}], servicePorts: [{port: 1}]}]}",
        ] {
            assert_eq!(Manifest::parse(text).unwrap().application_name(), "a");
        }
    }

    #[test]
    fn errors_say_where_and_show_no_value() {
        let error = refused("application:\n  token: hush\n  name: [hush\n");
        assert!(error.contains("not valid YAML at line "), "{error}");
        assert!(!error.contains("hush"), "{error}");
        for text in [
            "a",
            "- a",
            "application: hush",
            "application: {name: [a]}",
            "application: {name: 7}",
            "# only a comment\n",
            "\u{feff}",
            "application: {name: ' '}",
            "application: {name: null, template: {name: 7}}",
            "application:\n",
        ] {
            assert!(
                refused(text).contains("no application.name"),
                "{text}: {}",
                refused(text)
            );
        }
    }

    #[test]
    fn files() {
        for (path, words) in [
            ("no/such/nexlayer.yaml", "cannot be read"),
            (env!("CARGO_MANIFEST_DIR"), "cannot be read"),
            ("Cargo.toml", "Cargo.toml: the manifest "),
            ("/dev/zero", "/dev/zero: the manifest has more"),
        ] {
            if cfg!(not(unix)) && path.starts_with("/dev") {
                continue;
            }
            let error = Manifest::from_path(path).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::InvalidRequest);
            assert!(error.to_string().contains(words), "{error}");
            assert!(error.to_string().contains(path), "{error}");
        }
        let error = Manifest::from_path("no/such/nexlayer.yaml").unwrap_err();
        assert!(std::error::Error::source(&error).is_some());
        let error = Manifest::from_bytes(b"application: {name: \xff}".as_slice()).unwrap_err();
        assert!(error.to_string().contains("not UTF-8"), "{error}");
    }

    #[test]
    fn debug_shows_name_and_size() {
        let manifest = Manifest::parse("application: {name: a, token: hush}").unwrap();
        assert_eq!(
            format!("{manifest:?}"),
            r#"Manifest { application_name: "a", bytes: 35 }"#
        );
    }

    #[test]
    fn large_and_exploding_files() {
        let large = format!(
            "application: {{name: a}} #{}",
            "x".repeat(Manifest::MAX_BYTES)
        );
        assert!(refused(&large).contains("more than the"));
        let mut bomb = "application: {name: a}\na0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned();
        for n in 1..12 {
            let aliases = vec![format!("*a{}", n - 1); 9].join(",");
            bomb.push_str(&format!("a{n}: &a{n} [{aliases}]\n"));
        }
        assert!(
            refused(&bomb).contains("not valid YAML"),
            "{}",
            refused(&bomb)
        );
    }
}
