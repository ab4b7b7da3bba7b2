//! Checking a manifest before it is used, and the schema by which the platform does so.

use super::shapes::{Reply, Schema};
use super::{Client, Manifest};
use crate::call::Call;
use crate::error::{Error, ErrorKind, Result};
use crate::raw::nexlayer::{Op, types};
use serde_json::{Map, Value};

/// What the platform says of a manifest; see [`Client::validate`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validation {
    /// Whether the platform takes it.
    pub valid: bool,
    /// What is wrong with it, in the platform's order. It may be empty though the manifest is not
    /// valid: then [`message`](Self::message) is all there is.
    pub findings: Vec<Finding>,
    /// The platform's sentence, if it has one.
    pub message: Option<String>,
}

/// What is wrong at one place of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The place, as the platform writes it; `None` where it is part of the message.
    pub path: Option<String>,
    /// What is wrong there. Secrets of the manifest are left out.
    pub message: String,
}

impl Client {
    /// Asks the platform whether it would take a manifest: `POST /validate`. Nothing is started.
    ///
    /// That a manifest is not valid is an answer and no error. It is sent as JSON, so comments do not
    /// count, and the platform sees the values that aliases stand for. A [preview](Call::preview)
    /// leaves out what it would leave out of the manifest's text.
    ///
    /// ```no_run
    /// # async fn example(nexlayer: deploykit::nexlayer::Client) -> deploykit::Result<()> {
    /// use deploykit::nexlayer::Manifest;
    /// let manifest = Manifest::from_path("nexlayer.yaml")?;
    /// for finding in nexlayer.validate(&manifest).await?.findings {
    ///     println!("{}: {}", finding.path.unwrap_or_default(), finding.message);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](ErrorKind::InvalidRequest) for YAML that has no form in JSON,
    /// [`NoSuchRoute`](ErrorKind::NoSuchRoute) from a server without this operation, which the
    /// platform's page does not have, and those of every call.
    ///
    /// Source: `Nexlayer/docs:data/openapi.json`
    pub fn validate(&self, manifest: &Manifest) -> Call<Validation> {
        let body = as_json(manifest.as_str());
        let call = self.call(Op::ValidateManifest, move |raw| async move {
            let body = types::ManifestDocument(body?);
            let Reply(reply) = raw.validate_manifest(&body).await?.into_inner();
            Ok(Validation {
                valid: true,
                findings: Vec::new(),
                message: reply.message,
            })
        });
        call.or_else(Validation::from_refusal)
    }

    /// The JSON Schema of a manifest as the platform has it now, in draft 7: `GET /schema`.
    ///
    /// # Errors
    /// [`NoSuchRoute`](ErrorKind::NoSuchRoute) from a server without this operation, which the
    /// platform's page does not have, and those of every call.
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
    /// The findings in a refusal of the manifest; any other failure stays one.
    fn from_refusal(error: Error) -> Result<Self> {
        let refused =
            error.kind() == ErrorKind::Rejected && matches!(error.status(), Some(200 | 400 | 422));
        let findings = match error.details() {
            _ if !refused => return Err(error),
            Some(Value::Array(details)) => details.iter().filter_map(Finding::read).collect(),
            // By the code the platform can say it without a list.
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
    /// `{path, message}`, `{field, message}`, or a mere sentence.
    fn read(detail: &Value) -> Option<Self> {
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

/// The manifest as the JSON object that the operation takes.
fn as_json(text: &str) -> Result<Map<String, Value>> {
    let read: std::result::Result<Map<String, Value>, _> = serde_saphyr::from_str(text);
    read.map_err(|error| {
        // Not the words of the reader, which may show a snippet with a token in it.
        let place = error.location().map_or_else(String::new, |at| {
            format!(" at line {}, column {}", at.line(), at.column())
        });
        Error::invalid_request(format!("the manifest has no form in JSON{place}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn yaml_becomes_json() {
        let text = "\u{feff}# ü\napplication:\n  name: a\n  pods:\n  - &p {name: web, servicePorts: [80], vars: {PORT: 6379, ON: \"yes\", URL: <% URL %>}}\n  - *p\n  5432: x\n";
        let pod = json!({ "name": "web", "servicePorts": [80], "vars": { "PORT": 6379, "ON": "yes", "URL": "<% URL %>" } });
        assert_eq!(
            Value::Object(as_json(text).unwrap()),
            json!({ "application": { "name": "a", "pods": [pod, pod], "5432": "x" } })
        );
    }

    #[test]
    fn what_has_no_form_in_json_is_refused_without_a_snippet() {
        let error = as_json("application: {name: a}\n? [hush]\n: hush\n").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("has no form in JSON"), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
    }
}
