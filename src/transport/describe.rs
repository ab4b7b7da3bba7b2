//! A request with its secrets redacted: as a preview, as recorded, or as a server received it.

use super::profile::Profile;
use super::redact::Redactor;
use crate::operation::Operation;
use crate::preview::{CANONICAL_VERSION, PreviewBody, RequestPreview};
use crate::secret::Secret;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use reqwest::Url;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Marks a body in the spec whose secrets the platform's own rules find.
const MANIFEST: &str = "body.<manifest>";

/// Names and values.
type Pairs = Vec<(String, String)>;

/// A request, and what decides which parts of it are secret.
pub(crate) struct Parts<'a> {
    pub profile: &'static Profile,
    /// The URL of the platform; its path is not part of the preview.
    pub base_url: &'a str,
    pub operation: Option<&'static Operation>,
    pub method: &'a Method,
    pub url: &'a Url,
    pub headers: &'a HeaderMap,
    pub body: Option<&'a [u8]>,
    /// The query that the caller added.
    pub by_hand: &'a [(String, String)],
    /// Whether it goes to an address that is not the platform's.
    pub probe: bool,
}

impl Parts<'_> {
    /// The request without its secrets.
    pub fn describe(&self) -> RequestPreview {
        let mut redactor = Redactor::new(self.operation);
        let (path, query, headers, body) = self.redact(&mut redactor);
        RequestPreview {
            version: CANONICAL_VERSION,
            api: self.profile.api,
            operation: self.operation.map(|operation| operation.id),
            method: self.method.to_string(),
            base_url: self.base_url.to_owned(),
            path,
            query,
            headers,
            body,
        }
    }

    /// The secrets of the request, which a server may repeat.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut redactor = Redactor::new(self.operation);
        self.redact(&mut redactor);
        redactor.found
    }

    /// Path, query, headers and body: everything that may hold a secret.
    fn redact(&self, redactor: &mut Redactor) -> (String, Pairs, Pairs, PreviewBody) {
        (
            redactor.path(self.path()),
            redactor.query(self.url, self.by_hand),
            redactor.headers(self.headers),
            self.body(redactor),
        )
    }

    /// The path as it is sent, without that of the base URL.
    pub fn path(&self) -> &str {
        let path = self.url.path();
        // It begins at the third slash of the base URL, which has none at its end.
        let base = self.base_url.match_indices('/').nth(2);
        let base = base.map_or("", |(at, _)| &self.base_url[at..]);
        path.strip_prefix(base).unwrap_or(path)
    }

    fn body(&self, redactor: &mut Redactor) -> PreviewBody {
        let Some(bytes) = self.body else {
            return PreviewBody::None;
        };
        let places = self.operation.map_or(&[][..], |op| op.behaviour.secrets);
        if places.contains(&MANIFEST) {
            return self.manifest(&String::from_utf8_lossy(bytes), &mut redactor.found);
        }
        match serde_json::from_slice(bytes) {
            Ok(mut json) if is_json(self.headers) => {
                redactor.json_body(&mut json);
                PreviewBody::Json(json)
            }
            _ => PreviewBody::Text(format!("<body of {} bytes>", bytes.len())),
        }
    }

    fn manifest(&self, text: &str, found: &mut Vec<Secret>) -> PreviewBody {
        let Some(manifest) = (self.profile.redact_manifest)(text) else {
            found.push(Secret::new(text));
            return PreviewBody::Text(format!("<manifest of {} bytes>", text.len()));
        };
        found.extend(manifest.secrets);
        match is_json(self.headers) {
            true => PreviewBody::Json(manifest.json),
            false => PreviewBody::Text(manifest.yaml),
        }
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE) == Some(&JSON)
}
