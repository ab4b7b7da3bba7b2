//! Redacted `Debug`, `Display` and log output.
//!
//! Credentials and bodies never appear in the output of a failing test or in the log.

use std::fmt;

use http::HeaderMap;

use crate::credentials::{DployrAccess, EdgegapAccess, NodionAccess};
use crate::platform::Platform;
use crate::reply::Reply;
use crate::request::{RecordedRequest, Request, decode};
use crate::spec::Spec;
use crate::state::State;
use crate::time::rfc3339;
use crate::webhooks::Webhook;

/// Maximum characters of a log line.
const MAX_CHARACTERS: usize = 1_000;

/// Headers whose values are shown. Of other headers, only the name is shown.
const PUBLIC_HEADERS: [&str; 7] = [
    "accept",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "retry-after",
    "user-agent",
];
const REDACTED: &str = "***";

/// Replaces path segments by `***` unless `is_public` accepts the decoded segment.
fn redact_path(path: &str, mut is_public: impl FnMut(&str) -> bool) -> String {
    let (slash, rest) = match path.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", path),
    };
    let segments = rest.split('/').map(|segment| {
        if is_public(&decode(segment)) {
            segment
        } else {
            REDACTED
        }
    });
    format!("{slash}{}", segments.collect::<Vec<_>>().join("/"))
}

fn names(query: &[(String, String)]) -> Vec<&str> {
    query.iter().map(|(name, _)| name.as_str()).collect()
}

fn headers(all: &HeaderMap) -> Vec<(&str, &str)> {
    let redacted = all.iter().map(|(name, value)| {
        let is_public = PUBLIC_HEADERS.contains(&name.as_str());
        let value = value.to_str().ok().filter(|_| is_public);
        (name.as_str(), value.unwrap_or(REDACTED))
    });
    redacted.collect()
}

impl RecordedRequest {
    /// The path with `***` for segments that may be secret.
    ///
    /// Redacts the operation's secret parameters, and segments that equal the sent credential. For unknown
    /// routes, redacts every segment that is not a literal in one of the paths of the platform's spec.
    pub fn redacted_path(&self) -> String {
        let credential = self.credential();
        let public = Spec::of(self.platform).public_segments(&self.method, &self.path);
        let mut public = public.into_iter();
        redact_path(&self.path, |segment| {
            public.next() == Some(true) && (segment.is_empty() || segment != credential)
        })
    }

    /// The refusal without credentials that the message repeats.
    pub(crate) fn redacted_refusal(&self) -> Option<String> {
        let secrets = [Some(self.credential()), self.query_value("sessionToken")];
        let secrets = secrets
            .into_iter()
            .flatten()
            .filter(|secret| !secret.is_empty());
        let refusal = self.refusal.clone()?;
        Some(secrets.fold(refusal, |text, secret| text.replace(secret, REDACTED)))
    }

    /// The credential in the `Authorization` header, without its scheme.
    fn credential(&self) -> &str {
        let credential = self.header("authorization").unwrap_or_default();
        credential.rsplit(' ').next().unwrap_or_default()
    }

    /// One log line: time, platform, operation, status, fault and violations. Long values are truncated.
    ///
    /// ```
    /// # use deploykit_sandbox::{Platform, Request, Sandbox};
    /// # use std::time::Duration;
    /// let mut state = Sandbox::builder().state();
    /// let now = Duration::from_secs(1_795_487_040);
    /// state.handle(Platform::Edgegap, &Request::new("GET", "/v1/locations"), now);
    /// assert_eq!(state.requests()[0].log_line(), "2026-11-24T02:24:00Z edgegap list_locations 401");
    /// ```
    pub fn log_line(&self) -> String {
        let mut line = format!("{} {} ", rfc3339(self.at), self.platform);
        match self.operation {
            Some(operation) => line.push_str(operation),
            None => {
                let (method, path) = (
                    truncate_value(self.method.as_str()),
                    truncate_value(&self.redacted_path()),
                );
                line.push_str(&format!("{method} {path}"));
            }
        }
        line.push_str(&format!(" {}", self.status));
        let fault = self.fault.iter().map(|fault| ("fault", fault.to_string()));
        let in_request = self.request_violations.iter();
        let in_request = in_request.map(|violation| ("request", violation.to_string()));
        let in_reply = self.reply_violations.iter();
        let in_reply = in_reply.map(|violation| ("reply", violation.to_string()));
        for (label, text) in fault.chain(in_request).chain(in_reply) {
            line.push_str(&format!(" {label} {}", truncate_value(&text)));
        }
        truncate(&line, MAX_CHARACTERS).replace(char::is_control, "\u{fffd}")
    }
}

/// Formats a request as `nodion GET /v1/regions 200`.
impl fmt::Display for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, path) = (&self.method, self.redacted_path());
        write!(f, "{} {method} {path} {}", self.platform, self.status)
    }
}

impl fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordedRequest")
            .field("number", &self.number)
            .field("at", &self.at)
            .field("platform", &self.platform)
            .field("method", &self.method)
            .field("path", &self.redacted_path())
            .field("query", &names(&self.query))
            .field("headers", &headers(&self.headers))
            .field("body_bytes", &self.body.len())
            .field("status", &self.status)
            .field("operation", &self.operation)
            .field("request_violations", &self.request_violations)
            .field("reply_violations", &self.reply_violations)
            .field("fault", &self.fault.as_ref().map(ToString::to_string))
            .finish_non_exhaustive()
    }
}

/// Redacts path segments that are in no platform's spec: the platform of the request is unknown.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let specs = Platform::ALL.map(Spec::of);
        let path = redact_path(&self.path, |segment| {
            specs.iter().any(|spec| spec.is_public_segment(segment))
        });
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &path)
            .field("query", &names(&self.query))
            .field("headers", &headers(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("headers", &headers(&self.headers))
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// Redacts the URL, which may contain a password or token, and the body.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("platform", &self.platform)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State")
            .field("nexlayer", self.nexlayer())
            .field("dployr", self.dployr())
            .field("nodion", self.nodion())
            .field("edgegap", self.edgegap())
            .field("requests", &self.recorded().len())
            .field("faults", &self.faults().len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for DployrAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DployrAccess")
            .field("base_url", &self.base_url)
            .field("cluster_id", &self.cluster_id)
            .field("email", &self.email)
            .field("instance_tag", &self.instance_tag)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NodionAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodionAccess")
            .field("base_url", &self.base_url)
            .field("application_id", &self.application_id)
            .field("image_application_id", &self.image_application_id)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EdgegapAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EdgegapAccess")
            .field("base_url", &self.base_url)
            .field("application", &self.application)
            .field("version", &self.version)
            .field("private_host_id", &self.private_host_id)
            .field("fleet", &self.fleet)
            .finish_non_exhaustive()
    }
}

/// Maximum characters of a value on the page or in the log.
const MAX_VALUE_CHARACTERS: usize = 120;

/// Truncates a value for the page or the log.
pub(crate) fn truncate_value(text: &str) -> String {
    truncate(text, MAX_VALUE_CHARACTERS)
}

/// Truncates to `max_characters` characters plus an ellipsis.
pub(crate) fn truncate(text: &str, max_characters: usize) -> String {
    match text.char_indices().nth(max_characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_truncated() {
        assert_eq!(truncate("é", 1), "é");
        assert_eq!(truncate("", 0), "");
        assert_eq!(truncate(&"é".repeat(4), 3), "ééé…");
    }
}
