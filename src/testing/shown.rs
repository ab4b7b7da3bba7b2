//! Exchanges as they may be shown: every secret in them replaced by its name.

use super::examples;
use super::exchange::{Came, Exchange};
use super::masked::Place;
use super::names::{Names, Sort};
use crate::preview::{PreviewBody, RequestPreview};
use crate::secret::REDACTED;
use crate::transport::local::Sent;
use crate::transport::redact;
use http::HeaderMap;
use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use serde_json::Value;

/// Headers of a reply that say something about its meaning.
const REPLY_HEADERS: [&str; 5] = [
    "content-type",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
];
/// An exchange without its secrets.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shown {
    pub request: RequestPreview,
    pub came: ShownCame,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ShownCame {
    Reply(ShownReply),
    Failure(String),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ShownReply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: PreviewBody,
    pub cut_off: bool,
    /// Whether the body is no text and is left out.
    pub binary: bool,
}

impl Names {
    pub fn exchange(&mut self, exchange: &Exchange) -> Shown {
        let request = self.request(&exchange.sent);
        Shown {
            request,
            came: self.came(&exchange.sent, &exchange.came),
        }
    }

    /// A request with names in the place of its secrets.
    pub fn request(&mut self, sent: &Sent) -> RequestPreview {
        let mut shown = sent.preview();
        // What looks like a name and is none, no secret is called.
        self.reserve_in(&shown.to_string());
        shown.path = self.path(sent, &shown.path);
        shown.headers = self.headers(&sent.headers);
        shown.query = self.query(sent);
        match (&mut shown.body, &sent.body) {
            (PreviewBody::Json(masked), Some(bytes)) => {
                let original = serde_json::from_slice(bytes).unwrap_or(Value::Null);
                self.put_in_json(masked, &original, "", Sort::Secret);
            }
            (PreviewBody::Text(masked), Some(bytes)) => {
                let original = String::from_utf8_lossy(bytes);
                *masked = self.put_in(masked, &original, Sort::Setting);
            }
            _ => {}
        }
        for secret in &sent.secrets {
            self.watch(secret);
        }
        // The same secret in a place where none is expected.
        for (_, value) in shown.query.iter_mut().chain(&mut shown.headers) {
            *value = self.mask(value, Place::Request);
        }
        shown.path = self.mask(&shown.path, Place::Request);
        match &mut shown.body {
            PreviewBody::Json(value) => self.mask_json(value, Place::Request),
            PreviewBody::Text(text) => *text = self.mask(text, Place::Request),
            PreviewBody::None => {}
        }
        shown
    }

    fn path(&mut self, sent: &Sent, masked: &str) -> String {
        let original = sent.parts();
        let mut segments = original.path().rsplit('/');
        let mut template = sent
            .operation
            .map_or("", |operation| operation.path)
            .rsplit('/');
        let mut shown: Vec<String> = masked
            .rsplit('/')
            .map(|segment| {
                let original = segments.next().unwrap_or_default();
                let parameter = template.next().unwrap_or_default();
                match segment == REDACTED {
                    true => {
                        let original = redact_resolved(original);
                        self.of(parameter.trim_matches(['{', '}']), &original)
                    }
                    false => segment.to_owned(),
                }
            })
            .collect();
        shown.reverse();
        shown.join("/")
    }

    fn query(&mut self, sent: &Sent) -> Vec<(String, String)> {
        let pairs = crate::transport::describe::pairs(&sent.url);
        if sent.probe {
            return Vec::new();
        }
        let mut shown = Vec::new();
        for (name, value) in pairs {
            let one = vec![(name.clone(), value.clone())];
            for (name, masked) in redact::query(sent.operation, one, &sent.by_hand) {
                let value = match masked == REDACTED && !value.is_empty() {
                    true => self.named(&name, &value, Sort::by_name(&name)),
                    false => masked,
                };
                shown.push((name, value));
            }
        }
        shown.sort();
        shown
    }

    fn headers(&mut self, headers: &HeaderMap) -> Vec<(String, String)> {
        let mut shown = Vec::new();
        for (name, value) in headers {
            let mut one = HeaderMap::new();
            one.insert(name.clone(), value.clone());
            for (name, masked) in redact::request_headers(&one) {
                let value = value.to_str().unwrap_or_default();
                let value = match masked == REDACTED {
                    true => self.credential(&name, value),
                    false => masked,
                };
                shown.push((name, value));
            }
        }
        shown.sort();
        shown
    }

    /// `Bearer <token>`, `session=<session>`: what stands in front of a credential is none.
    fn credential(&mut self, header: &str, value: &str) -> String {
        let value = value.trim();
        if value.is_empty() || value == REDACTED {
            return REDACTED.to_owned();
        }
        let is_scheme = |word: &str| {
            let known = ["bearer", "token", "basic"];
            known.contains(&word.to_ascii_lowercase().as_str())
        };
        match (value.split_once(' '), value.split_once('=')) {
            (Some((scheme, token)), _) if header == AUTHORIZATION && is_scheme(scheme) => {
                format!("{scheme} {}", self.of("token", token))
            }
            _ if header == AUTHORIZATION => self.of("token", value),
            (_, Some((name, cookie))) if header == COOKIE && !cookie.is_empty() => {
                format!("{name}={}", self.of(name, cookie))
            }
            _ => {
                let kind = header.trim_start_matches("x-");
                self.named(kind, value, Sort::by_name(header))
            }
        }
    }

    pub fn came(&mut self, sent: &Sent, came: &Came) -> ShownCame {
        match came {
            Came::Reply {
                status,
                headers,
                body,
                cut_off,
            } => self.avoiding(&as_read(body), |names| {
                ShownCame::Reply(names.reply(sent, *status, headers, body, *cut_off))
            }),
            failure => ShownCame::Failure(failure.failure().unwrap_or_default()),
        }
    }

    fn reply(
        &mut self,
        sent: &Sent,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
        cut_off: bool,
    ) -> ShownReply {
        let cookies: Vec<_> = headers
            .get_all(SET_COOKIE)
            .iter()
            .filter_map(|value| self.set_cookie(value.to_str().ok()?))
            .map(|value| (SET_COOKIE.to_string(), value))
            .collect();
        let text = std::str::from_utf8(body);
        let json = serde_json::from_slice::<Value>(body);
        let body = match (json, text) {
            _ if body.is_empty() => PreviewBody::None,
            (Ok(mut value), _) => {
                self.hide(&mut value, "", examples::secrets(sent.operation));
                self.mask_json(&mut value, Place::Reply);
                PreviewBody::Json(value)
            }
            (Err(_), Ok(text)) => PreviewBody::Text(self.lines(sent, text)),
            (Err(_), Err(_)) => PreviewBody::None,
        };
        let mut shown: Vec<_> = headers
            .iter()
            .filter(|(name, _)| REPLY_HEADERS.contains(&name.as_str()))
            .filter_map(|(name, value)| {
                let value = self.mask(value.to_str().ok()?, Place::Reply);
                Some((name.to_string(), value))
            })
            .chain(cookies)
            .collect();
        shown.sort();
        ShownReply {
            status,
            headers: shown,
            body,
            cut_off,
            binary: text.is_err(),
        }
    }

    /// A text, or a stream of JSON with a value a line.
    fn lines(&mut self, sent: &Sent, text: &str) -> String {
        let secrets = examples::secrets(sent.operation);
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let end = if line.ends_with('\n') { "\n" } else { "" };
            match serde_json::from_str::<Value>(line) {
                Ok(mut value) if value.is_object() => {
                    self.hide(&mut value, "", secrets);
                    self.mask_json(&mut value, Place::Reply);
                    out.push_str(&crate::preview::sorted(&value).to_string());
                    out.push_str(end);
                }
                _ => out.push_str(&self.mask(line, Place::Reply)),
            }
        }
        out
    }

    fn set_cookie(&mut self, value: &str) -> Option<String> {
        let (cookie, attributes) = match value.split_once(';') {
            Some((cookie, attributes)) => (cookie, format!(";{attributes}")),
            None => (value, String::new()),
        };
        let (name, value) = cookie.split_once('=')?;
        let shown = match value.trim() {
            "" => String::new(),
            value => self.named(name.trim(), value, Sort::by_name(name)),
        };
        Some(format!("{}={shown}{attributes}", name.trim()))
    }
}

/// A body with the escapes of JSON resolved, as it is shown.
fn as_read(body: &[u8]) -> String {
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        return value.to_string();
    }
    let text = String::from_utf8_lossy(body);
    let lines = text.lines().map(|line| match serde_json::from_str(line) {
        Ok(Value::Object(map)) => Value::Object(map).to_string(),
        _ => line.to_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn redact_resolved(segment: &str) -> String {
    crate::secret::resolved(segment).unwrap_or_else(|| segment.to_owned())
}
