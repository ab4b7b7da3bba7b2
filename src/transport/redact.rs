//! Redacts headers, path, query and body of requests, for previews, records and errors.
//!
//! Secret are: headers that are not known to be harmless, query values that the caller added, values that
//! the spec marks in `x-behaviour.secrets`, and all query and body values of a request without a spec
//! entry.

use super::Scope;
use super::platform::Profile;
use crate::error::FailedRequest;
use crate::operation::Operation;
use crate::preview::{CANONICAL_VERSION, PreviewBody, RequestPreview};
use crate::secret::{REDACTED, Secret, redacted_url, secrets_of_url};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::{Request, Url};
use serde_json::Value;

pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// In `x-behaviour.secrets`: the body is a manifest, which `Profile::redact_manifest` redacts.
const MANIFEST: &str = "body.<manifest>";
/// In `x-behaviour.secrets`, after a path: the value is a URL. Only its user info, query and fragment are
/// secret.
const URL_MARK: &str = "<url>";
/// Request headers with a visible value, unless the caller added them.
const SHOWN_REQUEST_HEADERS: [&str; 2] = ["content-type", "x-nodion-project"];
/// Request headers that previews omit, because they do not change the meaning of a request.
const OMITTED_REQUEST_HEADERS: [&str; 4] = ["accept", "user-agent", "content-length", "host"];
/// Response headers with a visible value.
const SHOWN_RESPONSE_HEADERS: [&str; 8] = [
    "content-length",
    "content-type",
    "date",
    "retry-after",
    "server",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];

/// An operation and its redacted request.
type LastRequest = (Option<&'static Operation>, FailedRequest);

/// Names and values.
type Pairs = Vec<(String, String)>;

/// The parts of a request, and the facts that decide which are secret.
pub(crate) struct RequestParts<'a> {
    pub profile: &'static Profile,
    /// The base URL. Its path is not part of the previewed path.
    pub base_url: &'a str,
    pub operation: Option<&'static Operation>,
    pub method: &'a Method,
    pub url: &'a Url,
    pub headers: &'a HeaderMap,
    pub body: Option<&'a [u8]>,
    /// The query parameters that the caller added.
    pub added_query: &'a [(String, String)],
    /// The fields of the body that the caller set.
    pub added_fields: &'a [(String, Value)],
    /// Whether the request is a probe of a server other than the platform's.
    pub is_probe: bool,
}

impl RequestParts<'_> {
    /// The redacted request.
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

    /// The redacted path, and the secrets of the request, which a server may repeat.
    pub fn path_and_secrets(&self) -> (String, Vec<Secret>) {
        let mut redactor = Redactor::new(self.operation);
        let (path, ..) = self.redact(&mut redactor);
        (path, redactor.secrets)
    }

    /// Path, query, headers and body: the parts that may contain a secret.
    fn redact(&self, redactor: &mut Redactor) -> (String, Pairs, Pairs, PreviewBody) {
        (
            redactor.path(self.path()),
            redactor.query(self.url, self.added_query),
            redactor.headers(self.headers),
            self.body(redactor),
        )
    }

    /// The path of the URL, without the path of the base URL.
    pub fn path(&self) -> &str {
        let path = self.url.path();
        // The path of the base URL begins at its third slash and has no trailing slash.
        let base_path = self.base_url.match_indices('/').nth(2);
        let base_path = base_path.map_or("", |(at, _)| &self.base_url[at..]);
        path.strip_prefix(base_path).unwrap_or(path)
    }

    fn body(&self, redactor: &mut Redactor) -> PreviewBody {
        let Some(bytes) = self.body else {
            return PreviewBody::None;
        };
        let places = self.operation.map_or(&[][..], |op| op.behaviour.secrets);
        if places.contains(&MANIFEST) {
            return self.manifest(&String::from_utf8_lossy(bytes), redactor);
        }
        match serde_json::from_slice(bytes) {
            Ok(mut json) if is_json(self.headers) => {
                redactor.json_body(&mut json);
                redactor.fields(&mut json, self.added_fields);
                PreviewBody::Json(json)
            }
            _ => PreviewBody::Text(format!("<body of {} bytes>", bytes.len())),
        }
    }

    fn manifest(&self, text: &str, redactor: &mut Redactor) -> PreviewBody {
        let Some(mut manifest) = (self.profile.redact_manifest)(text) else {
            redactor.secrets.push(Secret::new(text));
            return PreviewBody::Text(format!("<manifest of {} bytes>", text.len()));
        };
        redactor.secrets.extend(manifest.secrets);
        redactor.fields(&mut manifest.json, self.added_fields);
        match is_json(self.headers) {
            true => PreviewBody::Json(manifest.json),
            false => PreviewBody::Text(manifest.yaml),
        }
    }
}

impl Scope {
    pub(crate) fn parts<'a>(
        &'a self,
        operation: Option<&'static Operation>,
        request: &'a Request,
    ) -> RequestParts<'a> {
        RequestParts {
            profile: self.transport.profile,
            base_url: &self.transport.base_url,
            operation,
            method: request.method(),
            url: request.url(),
            headers: request.headers(),
            body: request.body().and_then(reqwest::Body::as_bytes),
            added_query: &self.options.query,
            added_fields: &self.options.body_fields,
            is_probe: false,
        }
    }

    /// The secrets of the last request, which records and errors must not repeat.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        self.last_request().1
    }

    /// The last request, redacted, with its operation; and its secrets.
    pub(super) fn last_request(&self) -> (Option<LastRequest>, Vec<Secret>) {
        let (last_request, mut secrets) = {
            let state = self.state();
            (state.last_request.clone(), state.tokens.clone())
        };
        secrets.extend_from_slice(&self.transport.proxy_secrets);
        let Some((request, operation)) = last_request else {
            return (None, secrets);
        };
        let (path, more_secrets) = self.parts(operation, &request).path_and_secrets();
        secrets.extend(more_secrets);
        let profile = self.transport.profile;
        let request = FailedRequest {
            platform: profile.api,
            method: request.method().clone(),
            path,
            lookups: profile.lookups,
        };
        (Some((operation, request)), secrets)
    }
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE) == Some(&JSON)
}

/// Redacts the parts of a request and collects its secrets, which a server may repeat.
struct Redactor {
    /// `None` for a request without a spec entry.
    operation: Option<&'static Operation>,
    secrets: Vec<Secret>,
}

impl Redactor {
    fn new(operation: Option<&'static Operation>) -> Self {
        Self {
            operation,
            secrets: Vec::new(),
        }
    }

    /// Notes a secret and returns its replacement.
    fn redact(&mut self, secret: &str) -> String {
        self.secrets.push(Secret::new(secret));
        REDACTED.to_owned()
    }

    /// Names and values of the headers, sorted.
    fn headers(&mut self, headers: &HeaderMap) -> Pairs {
        let mut shown = Vec::new();
        for (name, value) in headers {
            let is_omitted = OMITTED_REQUEST_HEADERS.contains(&name.as_str());
            let is_harmless = is_omitted || SHOWN_REQUEST_HEADERS.contains(&name.as_str());
            // Headers that a caller added are marked as sensitive.
            let is_secret = value.is_sensitive() || !is_harmless;
            if is_secret {
                self.secrets.push(Secret::new(credential_in(name, value)));
            }
            if !is_omitted {
                let text = match is_secret {
                    true => REDACTED.into(),
                    false => String::from_utf8_lossy(value.as_bytes()).into_owned(),
                };
                shown.push((name.to_string(), text));
            }
        }
        shown.sort();
        shown
    }

    /// The query, decoded and sorted. The caller's parameters are in `added`.
    fn query(&mut self, url: &Url, added: &[(String, String)]) -> Pairs {
        let mut shown = Vec::new();
        for (name, value) in url.query_pairs() {
            let is_added = added.iter().any(|(n, v)| *n == name && *v == value);
            let is_secret = self.operation.is_none() || self.is_marked("query", &name);
            let text = match is_added || is_secret {
                true => self.redact(&value),
                false => value.into_owned(),
            };
            shown.push((name.into_owned(), text));
        }
        shown.sort();
        shown
    }

    /// The path. Compared with the template from the end, because it may begin with the base URL's path.
    fn path(&mut self, path: &str) -> String {
        let template = self.operation.map_or("", |operation| operation.path);
        let names = template.rsplit('/').chain(std::iter::repeat(""));
        let mut shown = Vec::new();
        for (segment, name) in path.rsplit('/').zip(names) {
            let name = name
                .strip_prefix('{')
                .and_then(|name| name.strip_suffix('}'));
            let is_secret = name.is_some_and(|name| self.is_marked("path", name));
            if is_secret {
                self.secrets.push(Secret::new(segment));
            }
            shown.push(if is_secret { REDACTED } else { segment });
        }
        shown.reverse();
        shown.join("/")
    }

    /// Whether the spec marks this parameter as secret: `path.session`, `query.token`.
    fn is_marked(&self, kind: &str, name: &str) -> bool {
        let places = self.operation.map_or(&[][..], |op| op.behaviour.secrets);
        places
            .iter()
            .any(|place| place.split_once('.') == Some((kind, name)))
    }

    /// Redacts a JSON body in place.
    fn json_body(&mut self, body: &mut Value) {
        let Some(operation) = self.operation else {
            return self.redact_scalars(body);
        };
        for place in operation.behaviour.secrets {
            let Some(place) = place.strip_prefix("body.") else {
                continue;
            };
            match place.strip_suffix(URL_MARK) {
                Some(place) => visit(body, place, &mut |value| self.redact_url(value)),
                None => visit(body, place, &mut |value| self.redact_scalars(value)),
            }
        }
    }

    /// Redacts the fields that the caller set.
    fn fields(&mut self, body: &mut Value, set: &[(String, Value)]) {
        for (name, _) in set {
            if let Some(value) = body.get_mut(name) {
                self.redact_scalars(value);
            }
        }
    }

    /// Redacts every scalar in a value.
    fn redact_scalars(&mut self, value: &mut Value) {
        match value {
            Value::Object(map) => map
                .values_mut()
                .for_each(|inner| self.redact_scalars(inner)),
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_scalars(item)),
            Value::String(text) => *text = self.redact(text),
            Value::Number(number) => *value = self.redact(&number.to_string()).into(),
            Value::Bool(_) | Value::Null => *value = REDACTED.into(),
        }
    }

    fn redact_url(&mut self, value: &mut Value) {
        match value {
            Value::String(text) => {
                self.secrets.extend(secrets_of_url(text));
                *text = redacted_url(text);
            }
            other => self.redact_scalars(other),
        }
    }
}

/// The credential in a header: without the prefix of a token, the name of a cookie, or white space.
pub(super) fn credential_in(name: &HeaderName, value: &HeaderValue) -> String {
    let text = String::from_utf8_lossy(value.as_bytes());
    let text = text.trim();
    let credential = match name {
        name if name == AUTHORIZATION => text.rsplit(' ').next(),
        name if name == COOKIE => text.split_once('=').map(|(_, value)| value),
        _ => None,
    };
    credential.unwrap_or(text).to_owned()
}

/// Whether the value of a response header may be shown.
pub(crate) fn is_harmless_response_header(name: &HeaderName) -> bool {
    SHOWN_RESPONSE_HEADERS.contains(&name.as_str())
}

/// Visits the values at a path: `a.b`, `a[].b`, `a[flag].b` (items whose `flag` is true), `a.*`.
fn visit(value: &mut Value, path: &str, visitor: &mut dyn FnMut(&mut Value)) {
    if path.is_empty() {
        return visitor(value);
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(map) = value.as_object_mut() else {
        return;
    };
    let inner: Vec<_> = match step.split_once('[') {
        None if step == "*" => map.values_mut().collect(),
        None => map.get_mut(step).into_iter().collect(),
        Some((name, flag)) => {
            let flag = flag.trim_end_matches(']');
            let is_on = |item: &Value| item.get(flag) == Some(&Value::Bool(true));
            let items = map.get_mut(name).and_then(Value::as_array_mut);
            items
                .into_iter()
                .flatten()
                .filter(|item| flag.is_empty() || is_on(item))
                .collect()
        }
    };
    for value in inner {
        visit(value, rest, visitor);
    }
}

/// Keys and types of a JSON value, without values. Of each list, only the first item.
pub(crate) fn shape(value: &Value) -> Value {
    let name = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(items) => return items.iter().take(1).map(shape).collect(),
        Value::Object(map) => {
            let entries = map.iter();
            return entries
                .map(|(name, inner)| (name.clone(), shape(inner)))
                .collect();
        }
    };
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn operation(id: &str) -> &'static Operation {
        let mut operations = crate::operation::OPERATIONS.iter();
        operations.find(|operation| operation.id == id).expect(id)
    }

    fn texts(secrets: &[Secret]) -> Vec<&str> {
        secrets.iter().map(Secret::expose).collect()
    }

    #[cfg(feature = "edgegap")]
    #[test]
    fn a_secret_in_a_path_is_redacted_after_any_base_path() {
        let operation = operation("stop_own_deployment");
        for base in ["", "/sub", "/a/b"] {
            let mut redactor = Redactor::new(Some(operation));
            let shown = redactor.path(&format!("{base}/v1/self/stop/id/hush"));
            assert_eq!(shown, format!("{base}/v1/self/stop/id/{REDACTED}"));
            assert_eq!(texts(&redactor.secrets), ["hush"]);
        }
        assert_eq!(Redactor::new(None).path("/a/hush"), "/a/hush");
    }

    #[test]
    fn paths_of_the_spec_are_redacted() {
        let body = json!({ "a": { "b": "x" }, "list": [{ "v": "x", "h": true }, { "v": "y", "h": false }], "m": { "k": "x" } });
        for (place, pointers) in [
            ("a.b", &["/a/b"][..]),
            ("a", &["/a/b"]),
            ("list[].v", &["/list/0/v", "/list/1/v"]),
            ("list[h].v", &["/list/0/v"]),
            ("m.*", &["/m/k"]),
            ("z", &[]),
            ("a.z", &[]),
            ("a[].b", &[]),
            ("list.v", &[]),
            ("m[]", &[]),
        ] {
            let (mut shown, mut expected) = (body.clone(), body.clone());
            let mut redactor = Redactor::new(None);
            visit(&mut shown, place, &mut |value| {
                redactor.redact_scalars(value)
            });
            for pointer in pointers {
                *expected.pointer_mut(pointer).unwrap() = json!(REDACTED);
            }
            assert_eq!(shown, expected, "{place}");
            assert_eq!(redactor.secrets.len(), pointers.len(), "{place}");
        }
    }

    #[test]
    fn without_a_spec_entry_every_scalar_is_redacted() {
        let mut body = json!({ "name": "x", "list": [{ "a": "y", "n": 12 }, true] });
        let mut all = Redactor::new(None);
        all.json_body(&mut body);
        assert_eq!(
            body,
            json!({ "name": REDACTED, "list": [{ "a": REDACTED, "n": REDACTED }, REDACTED] })
        );
        assert_eq!(all.secrets.len(), 3);
        let url = Url::parse("https://a.example/?a=hush").unwrap();
        let mut all = Redactor::new(None);
        let shown = all.query(&url, &[]);
        assert_eq!(shown, [("a".to_owned(), REDACTED.to_owned())]);
        assert_eq!(texts(&all.secrets), ["hush"]);
    }

    #[cfg(feature = "dployr")]
    #[test]
    fn a_url_keeps_its_host_and_path() {
        let operation = operation("create_webhook");
        let url = "https://u:hush@a.example/x?k=v%2Fw#f";
        let mut body = json!({ "url": url, "events": [url] });
        let mut redactor = Redactor::new(Some(operation));
        redactor.json_body(&mut body);
        let shown = "https://<redacted>@a.example/x?<redacted>#<redacted>";
        assert_eq!(body, json!({ "url": shown, "events": [url] }));
        for secret in ["hush", "v/w", "f"] {
            assert!(texts(&redactor.secrets).contains(&secret), "{secret}");
        }
    }

    #[test]
    fn a_shape_has_no_values() {
        let value = json!({ "access_token": "hush", "n": [1, 2], "e": [] });
        assert_eq!(
            shape(&value),
            json!({ "access_token": "string", "e": [], "n": ["number"] })
        );
    }
}
