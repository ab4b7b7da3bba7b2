//! `nexlayer.yaml`: what to run.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::str::FromStr;

/// A manifest is text that people write.
const MAX_BYTES: usize = 10 << 20;

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
/// `Debug` shows name and size: a manifest holds tokens. A [preview](crate::Call::preview) shows it
/// without the data of `secrets`, the registry's token, values whose key speaks of a token, secret,
/// password, key or the like, commands that speak of one, and URLs with a password; and not at all if
/// one of these cannot be located. A secret in a variable with a harmless name is shown.
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
    /// 10 MiB, not YAML, or has no `application.name` that is a text.
    pub fn parse(text: impl Into<String>) -> Result<Self> {
        let text = text.into();
        too_large(text.len())?;
        if text.trim().is_empty() {
            return Err(Error::invalid_request("the manifest is empty"));
        }
        // First as anything, so that "not YAML" and "no name" are told apart. The reader has limits
        // of its own against aliases that explode.
        serde_saphyr::from_str::<serde::de::IgnoredAny>(&text).map_err(not_yaml)?;
        let file: File = serde_saphyr::from_str(&text).map_err(|_| no_name())?;
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

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

fn too_large(bytes: usize) -> Result<()> {
    if bytes > MAX_BYTES {
        return Err(Error::invalid_request(format!(
            "the manifest has more than the {MAX_BYTES} bytes that are allowed"
        )));
    }
    Ok(())
}

/// Reads one byte more than is allowed at most: the path may be that of an image, or of a device.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?
        .take(MAX_BYTES as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Where it is wrong, without the snippet that the reader would show: it may hold a token.
fn not_yaml(error: serde_saphyr::Error) -> Error {
    let place = error
        .location()
        .map(|at| format!(" at line {}, column {}", at.line(), at.column()));
    Error::invalid_request(format!(
        "the manifest is not valid YAML{}",
        place.unwrap_or_default()
    ))
}

fn no_name() -> Error {
    Error::invalid_request("the manifest has no application.name that is a text")
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
        let large = format!("application: {{name: a}} #{}", "x".repeat(MAX_BYTES));
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
