//! The OpenAPI specs: lookup of operations by route, example replies, and validation.
//!
//! The sandbox validates all requests and replies against them.

pub(crate) mod accepted_violations;
mod json_schema;
mod parser;
mod schema;
mod validation;

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use http::Method;
use matchit::Router;

use crate::platform::Platform;
use crate::redaction::truncate;
use crate::reply::Reply;
use crate::request::{decode, segments};
use parser::{Content, DocumentedReply, Parameter};

/// Maximum violations per request or reply, because each recorded request stores them.
const MAX_VIOLATIONS: usize = 20;
/// Maximum characters of a violation's texts, because they contain field names from clients.
const MAX_CHARACTERS: usize = 200;

/// The spec of one platform, parsed once per process.
pub struct Spec {
    operations: Vec<Operation>,
    /// Indices into `operations`, by method and path.
    routes: HashMap<Method, Router<usize>>,
}

impl Spec {
    /// The spec of a platform, parsed on first use.
    pub fn of(platform: Platform) -> &'static Spec {
        static ALL: [OnceLock<Spec>; 4] = [const { OnceLock::new() }; 4];
        let [nexlayer, dployr, nodion, edgegap] = &ALL;
        let cell = match platform {
            Platform::Nexlayer => nexlayer,
            Platform::Dployr => dployr,
            Platform::Nodion => nodion,
            Platform::Edgegap => edgegap,
        };
        cell.get_or_init(|| Self::read(Self::text(platform)))
    }

    pub(crate) fn text(platform: Platform) -> &'static str {
        match platform {
            Platform::Nexlayer => include_str!("../../specs/nexlayer.yaml"),
            Platform::Dployr => include_str!("../../specs/dployr.yaml"),
            Platform::Nodion => include_str!("../../specs/nodion.yaml"),
            Platform::Edgegap => include_str!("../../specs/edgegap.yaml"),
        }
    }

    /// Parses a spec. Of two conflicting routes, the second is ignored. A test checks that no spec has any.
    pub(crate) fn read(text: &str) -> Self {
        let operations = parser::operations(text);
        let mut routes: HashMap<Method, Router<usize>> = HashMap::new();
        for (at, operation) in operations.iter().enumerate() {
            if let Ok(method) = operation.method.parse() {
                let _ = routes
                    .entry(method)
                    .or_default()
                    .insert(&operation.path, at);
            }
        }
        Self { operations, routes }
    }

    /// All operations, sorted by path and method.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation of an encoded path without query, and its decoded path parameters.
    ///
    /// Literal segments have priority over parameters.
    pub(crate) fn route(
        &self,
        method: &Method,
        path: &str,
    ) -> Option<(&Operation, Vec<(String, String)>)> {
        let path = canonical(path);
        let found = self.routes.get(method)?.at(&path).ok()?;
        let values = found.params.iter();
        let values = values.map(|(name, value)| (name.to_owned(), decode(value)));
        let values: Vec<_> = values.collect();
        // An empty value comes from a double slash, which servers do not accept as an id.
        let has_all_values = values.iter().all(|(_, value)| !value.is_empty());
        Some((self.operations.get(*found.value)?, values)).filter(|_| has_all_values)
    }

    /// The methods of a path, comma-separated.
    pub(crate) fn allowed_methods(&self, path: &str) -> String {
        let methods = self.routes.keys();
        let methods = methods.filter(|method| self.route(method, path).is_some());
        let mut methods: Vec<&str> = methods.map(Method::as_str).collect();
        methods.sort_unstable();
        methods.join(", ")
    }

    /// Whether each segment of an encoded path may be shown.
    ///
    /// On unknown routes, any segment may be a misplaced secret, so only literal segments of the spec are
    /// shown.
    pub(crate) fn public_segments(&self, method: &Method, path: &str) -> Vec<bool> {
        match self.route(method, path) {
            Some((operation, _)) => segments(&operation.path)
                .map(|segment| match parameter_name(&segment) {
                    None => true,
                    Some(name) => !operation.secrets.contains(&format!("path.{name}")),
                })
                .collect(),
            None => segments(path)
                .map(|segment| self.is_public_segment(&segment))
                .collect(),
        }
    }

    /// Whether a decoded segment is empty or a literal in one of the spec's paths.
    pub(crate) fn is_public_segment(&self, segment: &str) -> bool {
        let mut words = self.operations.iter().flat_map(|one| segments(&one.path));
        segment.is_empty() || words.any(|word| word == segment && parameter_name(&word).is_none())
    }

    /// The operation with this `operationId`.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.iter().find(|operation| operation.id == id)
    }
}

/// Percent-decodes each segment, except `/` and `%`, which would change the meaning of the path.
fn canonical(path: &str) -> String {
    let segments = segments(path);
    let escaped = segments.map(|segment| segment.replace('%', "%25").replace('/', "%2F"));
    escaped.fold(String::new(), |path, segment| path + "/" + &segment)
}

/// The name in a segment such as `{id}`.
fn parameter_name(segment: &str) -> Option<&str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// An operation of a spec.
pub struct Operation {
    id: String,
    method: String,
    path: String,
    documented: bool,
    secrets: Vec<String>,
    parameters: Vec<Parameter>,
    /// Media types of the request body; empty without a body.
    bodies: Vec<Content>,
    body_required: bool,
    replies: Vec<DocumentedReply>,
}

impl Operation {
    /// The `operationId`, unique within its platform.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path with its parameters in braces.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Whether the vendor's reference documents it.
    pub fn documented(&self) -> bool {
        self.documented
    }

    /// The documented statuses, ascending.
    pub fn statuses(&self) -> impl Iterator<Item = u16> {
        self.replies.iter().map(|reply| reply.status)
    }

    /// The first example of a reply with this status: content type and body.
    pub fn example(&self, status: u16) -> Option<(&str, String)> {
        let contents = &self.reply(status)?.contents;
        contents.iter().find_map(Content::example)
    }

    /// The first example of a request body: content type and body.
    pub fn example_body(&self) -> Option<(&str, String)> {
        self.bodies.iter().find_map(Content::example)
    }

    fn reply(&self, status: u16) -> Option<&DocumentedReply> {
        self.replies.iter().find(|reply| reply.status == status)
    }

    /// The documented reply with this status: its first example, or an empty reply if it has no body.
    ///
    /// `None` if the status is not in the spec, or the spec has no example of its body.
    pub fn status_reply(&self, status: u16) -> Option<Reply> {
        let contents = &self.reply(status)?.contents;
        if contents.is_empty() {
            return Some(Reply::empty(status));
        }
        let (content_type, body) = contents.iter().find_map(Content::example)?;
        Some(Reply::new(status, content_type, body))
    }
}

/// A violation of the spec in a request or a reply.
///
/// Contains no values of the request or reply, because they may be secret. Long texts are truncated, and only
/// the first 20 violations of a request or reply are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// `body.users[0].user_type`, `query.page`, `header.content-type`, `status`.
    pub location: String,
    /// The violated rule.
    pub message: String,
}

impl Violation {
    pub(crate) fn new(location: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            location: truncate(&location.into(), MAX_CHARACTERS),
            message: truncate(&message.into(), MAX_CHARACTERS),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = (Platform, &'static Operation)> {
        let platforms = Platform::ALL.into_iter();
        platforms.flat_map(|platform| {
            let operations = Spec::of(platform).operations().iter();
            operations.map(move |operation| (platform, operation))
        })
    }

    #[test]
    fn every_operation_is_found_by_its_own_path() {
        for (platform, operation) in all() {
            let path = operation.path.replace(['{', '}'], "~");
            let method = operation.method.parse().unwrap();
            let found = Spec::of(platform).route(&method, &path);
            let id = found.map(|(operation, _)| operation.id());
            assert_eq!(id, Some(operation.id()), "{path}");
            assert!(operation.statuses().next().is_some(), "{path}");
        }
        // Every operation in the files was parsed.
        for platform in Platform::ALL {
            let methods = [
                "\n    get:",
                "\n    post:",
                "\n    put:",
                "\n    patch:",
                "\n    delete:",
            ];
            let text = Spec::text(platform);
            let written: usize = methods
                .map(|method| text.matches(method).count())
                .iter()
                .sum();
            assert_eq!(Spec::of(platform).operations().len(), written, "{platform}");
        }
    }

    #[test]
    fn literal_segments_have_priority_and_segments_are_decoded() {
        let route = |method: &str, path: &str| {
            let found = Spec::of(Platform::Dployr).route(&method.parse().unwrap(), path);
            found.map(|(operation, values)| (operation.id(), values))
        };
        let id = |method: &str, path: &str| route(method, path).map(|(id, _)| id);
        for (path, found) in [
            ("/v1/services/metrics/web", "get_service_metrics"),
            ("/v1/services/metrics/status", "get_service_metrics"),
            ("/v1/services/x%2Fy", "get_service"),
            ("/v1/%73ervices/x", "get_service"),
        ] {
            assert_eq!(id("GET", path), Some(found), "{path}");
        }
        assert_eq!(
            id("POST", "/v1/services/metrics/start"),
            Some("start_service")
        );
        for unknown in ["/v1/services/", "/v1/services//status", "/v1", "/"] {
            assert_eq!(id("GET", unknown), None, "{unknown}");
        }
        assert_eq!(id("get", "/v1/services"), None);
        let (_, values) = route("DELETE", "/v1/services/a%20b/env/50%25%2F2").unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(values, [pair("id", "a b"), pair("key", "50%/2")]);
    }

    #[test]
    fn examples_match_their_schemas() {
        for (platform, operation) in all() {
            let id = operation.id();
            for status in operation.statuses() {
                if let Some(reply) = operation.status_reply(status) {
                    let violations = operation.reply_violations(&reply);
                    assert_eq!(violations, [], "{platform} {id} {status}");
                }
            }
            let status = operation.statuses().next().unwrap_or_default();
            let reply = operation.status_reply(status);
            if reply.is_none_or(|reply| !reply.body.is_empty()) {
                let (content_type, body) = operation.example(status).expect(id);
                assert!(content_type.contains('/') && !body.is_empty(), "{id}");
            }
        }
        let deploy = Spec::of(Platform::Edgegap).operation("create_deployment");
        assert_eq!(deploy.unwrap().status_reply(503), None);
    }
}
