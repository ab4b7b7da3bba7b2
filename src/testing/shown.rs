//! Exchanges as they may be shown: every secret in them replaced by its name.

use super::examples::{self, Hidden};
use super::exchange::{Came, Exchange};
use super::names::Names;
use crate::preview::{PreviewBody, RequestPreview};
use crate::secret::{REDACTED, masked_url};
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
/// How long a secret has to be to be looked for within a longer text of a success; in a failure, which
/// nobody computes with, shorter ones are looked for too.
const WITHIN_SUCCESS: usize = 6;
const WITHIN_FAILURE: usize = 4;
/// Parts of the name of a field that holds a secret, though no spec says so.
const SECRET_WORDS: [&str; 8] = [
    "token",
    "secret",
    "password",
    "passwd",
    "cookie",
    "credential",
    "authorization",
    "apikey",
];
/// Fields with an address that lets in whoever has it.
const ADDRESSES: [&str; 2] = ["claimurl", "webhookurl"];
/// How the name of a field ends that tells something about a secret.
const ABOUT_ONE: [&str; 7] = ["at", "type", "name", "in", "expires", "url", "count"];

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
        shown.path = self.path(sent, &shown.path);
        shown.headers = self.headers(&sent.headers);
        shown.query = self.query(sent);
        match (&mut shown.body, &sent.body) {
            (PreviewBody::Json(masked), Some(bytes)) => {
                let original = serde_json::from_slice(bytes).unwrap_or(Value::Null);
                self.put_in_json(masked, &original, "");
            }
            (PreviewBody::Text(masked), Some(bytes)) => {
                *masked = self.put_in(masked, &String::from_utf8_lossy(bytes), None);
            }
            _ => {}
        }
        for secret in &sent.secrets {
            self.watch(secret);
        }
        // The same secret in a place where none is expected.
        for (_, value) in shown.query.iter_mut().chain(&mut shown.headers) {
            *value = self.mask(value, WITHIN_SUCCESS);
        }
        shown.path = self.mask(&shown.path, WITHIN_SUCCESS);
        match &mut shown.body {
            PreviewBody::Json(value) => self.mask_json(value, WITHIN_SUCCESS),
            PreviewBody::Text(text) => *text = self.mask(text, WITHIN_SUCCESS),
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
                    true => self.of(&name, &value),
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
            _ => self.of(header.trim_start_matches("x-"), value),
        }
    }

    pub fn came(&mut self, sent: &Sent, came: &Came) -> ShownCame {
        match came {
            Came::Reply {
                status,
                headers,
                body,
                cut_off,
            } => ShownCame::Reply(self.reply(sent, *status, headers, body, *cut_off)),
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
        let shortest = match (200..300).contains(&status) {
            true => WITHIN_SUCCESS,
            false => WITHIN_FAILURE,
        };
        let text = std::str::from_utf8(body);
        let json = serde_json::from_slice::<Value>(body);
        let body = match (json, text) {
            _ if body.is_empty() => PreviewBody::None,
            (Ok(mut value), _) => {
                let secrets = sent.operation.and_then(examples::known);
                let secrets = secrets.map_or(&[][..], |known| known.secrets);
                self.hide(&mut value, "", secrets);
                self.mask_json(&mut value, shortest);
                PreviewBody::Json(value)
            }
            (Err(_), Ok(text)) => PreviewBody::Text(self.lines(sent, text, shortest)),
            (Err(_), Err(_)) => PreviewBody::None,
        };
        let mut shown: Vec<_> = headers
            .iter()
            .filter(|(name, _)| REPLY_HEADERS.contains(&name.as_str()))
            .filter_map(|(name, value)| {
                let value = self.mask(value.to_str().ok()?, WITHIN_FAILURE);
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
    fn lines(&mut self, sent: &Sent, text: &str, shortest: usize) -> String {
        let secrets = sent.operation.and_then(examples::known);
        let secrets = secrets.map_or(&[][..], |known| known.secrets);
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            let end = if line.ends_with('\n') { "\n" } else { "" };
            match serde_json::from_str::<Value>(line) {
                Ok(mut value) if value.is_object() => {
                    self.hide(&mut value, "", secrets);
                    self.mask_json(&mut value, shortest);
                    out.push_str(&crate::preview::sorted(&value).to_string());
                    out.push_str(end);
                }
                _ => out.push_str(&self.mask(line, shortest)),
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
            value => self.of(name.trim(), value),
        };
        Some(format!("{}={shown}{attributes}", name.trim()))
    }

    /// Replaces what the spec, or the name of its field, says is secret.
    fn hide(&mut self, value: &mut Value, field: &str, secrets: &[(&str, Hidden)]) {
        let of_spec = secrets
            .iter()
            .find(|(name, _)| same_name(name, field) && !name.ends_with(".*"));
        let hidden = of_spec.map(|(_, hidden)| *hidden);
        let by_name = hidden.is_none() && sounds_secret(field);
        match value {
            Value::String(text) if hidden == Some(Hidden::Url) => {
                *text = self.put_in(&masked_url(text), text, None);
            }
            Value::String(text) if (hidden.is_some() || by_name) && !text.is_empty() => {
                *text = self.of(field, text);
            }
            // Nexlayer tells people what to type, or what their token is.
            Value::String(text) if tells_a_token(text) => *text = self.of(field, text),
            Value::Number(number) if hidden.is_some() => {
                *value = Value::String(self.of(field, &number.to_string()));
            }
            Value::String(text) => {
                let masked = masked_url(text);
                if masked != *text {
                    *text = self.put_in(&masked, text, None);
                }
            }
            Value::Object(_) | Value::Array(_) if redact::holds_variables(field) => {
                self.hide_all(value, field);
            }
            Value::Array(items) => items
                .iter_mut()
                .for_each(|item| self.hide(item, field, secrets)),
            Value::Object(map) => {
                let values = secrets.iter().any(|(name, _)| {
                    let of_map = name.strip_suffix(".*");
                    of_map.is_some_and(|name| same_name(name, field))
                });
                // In `{key: NAME, value: …}` it is the key that says what the value is.
                let variable = ["key", "name"]
                    .iter()
                    .find_map(|key| map.get(*key)?.as_str());
                let variable = variable.map(str::to_owned);
                for (name, inner) in map.iter_mut() {
                    match inner {
                        Value::String(text) if values && !text.is_empty() => {
                            *text = self.of(name, text);
                        }
                        inner => {
                            let is_value = name == "value";
                            self.hide(inner, name, secrets);
                            if let (true, Some(variable), Value::String(text)) =
                                (is_value, &variable, &mut *inner)
                                && sounds_secret(variable)
                                && !text.is_empty()
                            {
                                *text = self.of(variable, text);
                            }
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

impl Names {
    /// Replaces every text below the variables of a program: what these are called says nothing.
    fn hide_all(&mut self, value: &mut Value, field: &str) {
        match value {
            Value::String(text) if !text.is_empty() => *text = self.of(field, text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.hide_all(item, field)),
            Value::Object(map) => {
                let variable = ["key", "name"]
                    .iter()
                    .find_map(|key| map.get(*key)?.as_str());
                let variable = variable.map(str::to_owned);
                for (name, inner) in map.iter_mut() {
                    match &variable {
                        Some(variable) if name == "value" => self.hide_all(inner, variable),
                        Some(_) => {}
                        None => self.hide_all(inner, name),
                    }
                }
            }
            _ => {}
        }
    }
}

fn redact_resolved(segment: &str) -> String {
    crate::secret::resolved(segment).unwrap_or_else(|| segment.to_owned())
}

fn letters(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase()).collect()
}

/// The transport turns some names into others before it decodes.
fn same_name(a: &str, b: &str) -> bool {
    letters(a) == letters(b)
}

fn tells_a_token(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    ["curl ", "token is ", "token: "]
        .iter()
        .any(|words| lower.contains(words))
}

fn sounds_secret(field: &str) -> bool {
    let name = letters(field);
    if ADDRESSES.contains(&name.as_str()) {
        return true;
    }
    SECRET_WORDS.iter().any(|word| name.contains(word))
        && !ABOUT_ONE.iter().any(|end| name.ends_with(end))
}
