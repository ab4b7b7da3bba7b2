//! What a request looks like, with secrets left out: before it is sent, in the place of sending it, or
//! as a server received it.

use super::profile::Profile;
use super::redact;
use crate::operation::Operation;
use crate::preview::{CANONICAL_VERSION, PreviewBody, RequestPreview};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use reqwest::Url;
use serde_json::Value;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A request with all that is needed to tell what of it may be shown.
pub(crate) struct Parts<'a> {
    pub profile: &'static Profile,
    /// Where the platform is; its path is no part of what is shown.
    pub base_url: &'a str,
    pub operation: Option<&'static Operation>,
    pub method: &'a Method,
    pub url: &'a Url,
    pub headers: &'a HeaderMap,
    pub body: Option<&'a [u8]>,
    /// What a caller added to the query.
    pub by_hand: &'a [(String, String)],
}

impl Parts<'_> {
    pub fn describe(&self) -> RequestPreview {
        RequestPreview {
            version: CANONICAL_VERSION,
            api: self.profile.api,
            operation: self.operation.map(|operation| operation.id),
            method: self.method.to_string(),
            base_url: self.base_url.to_owned(),
            path: redact::path(self.operation, self.path()).0,
            query: redact::query(self.operation, pairs(self.url), self.by_hand),
            headers: redact::request_headers(self.headers),
            body: self.body(),
        }
    }

    /// The path as it is sent, without that of the base URL.
    pub fn path(&self) -> &str {
        let path = self.url.path();
        let prefix = Url::parse(self.base_url)
            .map(|base| base.path().trim_end_matches('/').to_owned())
            .unwrap_or_default();
        path.strip_prefix(&prefix).unwrap_or(path)
    }

    fn body(&self) -> PreviewBody {
        let Some(bytes) = self.body else {
            return PreviewBody::None;
        };
        let text = || (self.profile.redact_text)(&String::from_utf8_lossy(bytes));
        if is_json(self.headers)
            && let Ok(value) = serde_json::from_slice(bytes)
        {
            let mut shown = if is_manifest(self.operation) {
                // JSON is YAML, so the rules for its text hold. What they leave has bare marks in it,
                // which is YAML still.
                match serde_saphyr::from_str(&text()) {
                    Ok(shown @ Value::Object(_)) => shown,
                    _ => return PreviewBody::Text(text()),
                }
            } else {
                redact::json_body(self.operation, value).0
            };
            redact::hide_in_urls(&mut shown);
            return PreviewBody::Json(shown);
        }
        PreviewBody::Text(text())
    }
}

pub(crate) fn pairs(url: &Url) -> Vec<(String, String)> {
    url.query_pairs()
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE) == Some(&JSON)
}

/// Whether the JSON body of an operation is a manifest: the spec cannot name the places of its
/// secrets, the platform's rules for its text find them.
pub(crate) fn is_manifest(operation: Option<&Operation>) -> bool {
    operation.is_some_and(|operation| operation.behaviour.secrets.contains(&"body.<manifest>"))
}
