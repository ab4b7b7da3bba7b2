//! Validation of manifests by the platform, and the platform's JSON Schema.

use super::manifest::yaml;
use super::shapes::{Reply, Schema};
use super::{Client, Manifest};
use crate::call::Call;
use crate::error::{Error, ErrorKind, Result};
use crate::raw::nexlayer::{Op, types};
use serde_json::Value;

/// The result of [`Client::validate`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validation {
    /// Whether the platform accepts the manifest.
    pub valid: bool,
    /// The mistakes, in the platform's order.
    ///
    /// If it is empty for an invalid manifest, see [`message`](Self::message).
    pub findings: Vec<Finding>,
    /// The platform's message.
    pub message: Option<String>,
}

/// A mistake in a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The path of the field, in the platform's notation. `None` if the message contains it.
    pub path: Option<String>,
    /// The platform's message. Secrets of the manifest are redacted.
    pub message: String,
}

impl Client {
    /// Validates a manifest on the platform: `POST /validate`.
    ///
    /// Deploys nothing. An invalid manifest is a result, not an error. The manifest is sent as JSON,
    /// without comments and with aliases expanded.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let nexlayer = deploykit_sandbox::Sandbox::builder().in_process().nexlayer()?;
    /// # std::env::set_current_dir("examples").unwrap();
    /// use deploykit::nexlayer::Manifest;
    /// let manifest = Manifest::from_path("nexlayer.yaml")?;
    /// for finding in nexlayer.validate(&manifest).await?.findings {
    ///     println!("{}: {}", finding.path.unwrap_or_default(), finding.message);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`NoSuchRoute`](ErrorKind::NoSuchRoute) from a server without this operation.
    ///
    /// Source: `Nexlayer/docs:data/openapi.json`
    pub fn validate(&self, manifest: &Manifest) -> Call<Validation> {
        let body = yaml::parse(manifest.as_str());
        let call = self.call(Op::ValidateManifest, move |raw| async move {
            let body = types::ManifestDocument(body?);
            let Reply(reply) = raw.validate_manifest(&body).await?.into_inner();
            Ok(Validation {
                valid: true,
                findings: Vec::new(),
                message: reply.message,
            })
        });
        call.or_else(Validation::from_rejection)
    }

    /// Gets the platform's JSON Schema (draft 7) of a manifest: `GET /schema`.
    ///
    /// # Errors
    /// [`NoSuchRoute`](ErrorKind::NoSuchRoute) from a server without this operation.
    ///
    /// Source: `Nexlayer/docs:data/openapi.json`
    pub fn schema(&self) -> Call<Value> {
        self.call(Op::GetSchema, |raw| async move {
            let Schema(schema) = raw.get_schema().await?.into_inner();
            Ok(schema)
        })
    }
}

impl Validation {
    /// Converts the error for an invalid manifest to a result. Returns other errors unchanged.
    fn from_rejection(error: Error) -> Result<Self> {
        let is_rejected =
            error.kind() == ErrorKind::Rejected && matches!(error.status(), Some(200 | 400 | 422));
        let findings = match error.details() {
            _ if !is_rejected => return Err(error),
            Some(Value::Array(details)) => details.iter().filter_map(Finding::parse).collect(),
            // The manifest is invalid, but the response has no details.
            _ if error.code() == Some("INVALID_YAML") => Vec::new(),
            _ => return Err(error),
        };
        Ok(Self {
            valid: false,
            findings,
            message: error.message().map(str::to_owned),
        })
    }
}

impl Finding {
    /// Parses `{path, message}`, `{field, message}`, or a plain message.
    fn parse(detail: &Value) -> Option<Self> {
        let text = |key: &str| detail.get(key).and_then(Value::as_str);
        let message = detail.as_str().or_else(|| text("message"));
        let path = text("path").or_else(|| text("field"));
        if message.is_none() && path.is_none() {
            return None;
        }
        Some(Self {
            path: path.filter(|path| !path.is_empty()).map(str::to_owned),
            message: message.unwrap_or_default().to_owned(),
        })
    }
}
