//! Responses of any form to every operation.

use super::{all_output, assert_redacted, assert_sound, block_on, platforms, text, with_canaries};
use deploykit::http::HeaderValue;
use deploykit::testing::CannedReply;
use deploykit::{
    Effect, Error, ErrorKind,
    operation::{OPERATIONS, Operation},
};
use serde_json::Value;

/// A word in the secret values of generated responses.
const HUSH: &str = "hush";

/// One response to one call.
pub struct Case {
    pub operation: &'static Operation,
    pub status: u16,
    pub content_type: String,
    pub follow: bool,
    pub body: Vec<u8>,
}

impl Case {
    /// Parses a line with platform, operation, status and media type (`-` for none), followed by the body.
    /// `follow` at the end of the line requests a log stream. `None` for any other input.
    pub fn parse(data: &[u8]) -> Option<Self> {
        let end = data.iter().position(|byte| *byte == b'\n');
        let (head, body) = data.split_at(end.unwrap_or(data.len()));
        let head = text(head);
        let words: Vec<_> = head.split(' ').collect();
        let [api, id, status, media, ..] = words[..] else {
            return None;
        };
        let mut operations = OPERATIONS.iter();
        let operation = operations.find(|operation| (operation.api, operation.id) == (api, id))?;
        let status = status.parse().ok()?;
        HeaderValue::from_str(media).ok()?;
        (100..1000).contains(&status).then(|| Self {
            operation,
            status,
            content_type: if media == "-" { "" } else { media }.to_owned(),
            follow: words.ends_with(&["follow"]),
            body: with_canaries(body.get(1..).unwrap_or_default()),
        })
    }
}

/// Checks an input. Input that does not parse is ignored.
pub fn check(data: &[u8]) {
    if let Some(case) = Case::parse(data) {
        check_case(&case);
    }
}

pub fn check_case(case: &Case) {
    let mut reply = CannedReply::new(case.status, case.body.as_slice());
    if !case.content_type.is_empty() {
        reply = reply.header("content-type", case.content_type.as_str());
    }
    let result = platforms::with(|platforms| {
        platforms.answer(reply);
        block_on(platforms.call(case.operation, "an-id", case.follow))
    });
    let success = (200..300).contains(&case.status);
    match result {
        Ok(_) => {
            let stops = ["stop_deployment", "stop_own_deployment"].contains(&case.operation.id);
            let is_validation = case.operation.id == "validate_manifest";
            let success = success
                || (case.status == 410 && stops)
                || ([400, 422].contains(&case.status) && is_validation);
            assert!(success, "{} is a success: {}", case.status, case.operation);
        }
        Err(error) => {
            assert_sound(&error);
            assert_redacted(&error, platforms::secrets_of(case.operation));
            assert_eq!(error.status(), Some(case.status), "{error}");
            assert_eq!(error.operation(), Some(case.operation), "{error}");
            assert!((1..=3).contains(&error.attempts()), "{error}");
            let found = (error.effect(), error.kind());
            if success {
                assert_after_success(case, &error);
            } else {
                assert_eq!(
                    error.effect(),
                    expected_effect(case, &error),
                    "{found:?}: {error}"
                );
                assert_kind(case, &error);
            }
        }
    }
}

/// Whether the message or code of Nexlayer's error implies that the request was not applied.
fn is_known_refusal(case: &Case, error: &Error) -> bool {
    use ErrorKind::{AlreadyRemoved, NotFound, PlanLimit};
    let codes = [
        "INVALID_TOKEN",
        "TOKEN_EXPIRED",
        "RATE_LIMIT_EXCEEDED",
        "INVALID_YAML",
    ];
    case.operation.api == "nexlayer"
        && (matches!(error.kind(), AlreadyRemoved | NotFound | PlanLimit)
            || error.code().is_some_and(|code| codes.contains(&code)))
}

fn assert_after_success(case: &Case, error: &Error) {
    let kinds = [ErrorKind::Decode, ErrorKind::Rejected];
    assert!(
        kinds.contains(&error.kind()) || is_known_refusal(case, error),
        "{:?} after {}: {error}",
        error.kind(),
        case.status
    );
    if case.operation.is_read_only() {
        assert_eq!(error.effect(), Effect::None, "{error}");
    } else if !is_known_refusal(case, error) {
        assert_ne!(error.effect(), Effect::None, "{error}");
    }
    if error.kind() != ErrorKind::Decode {
        return;
    }
    let body = case
        .body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(&case.body);
    let json: Option<Value> = serde_json::from_slice(body).ok();
    let accepted = matches!(case.status, 201 | 202)
        && matches!(json, Some(Value::Object(_) | Value::Array(_)));
    // Nexlayer's responses are envelopes, whose content may be neither an object nor an array.
    if accepted && !case.operation.is_read_only() && case.operation.api != "nexlayer" {
        assert_eq!(error.effect(), Effect::Applied, "{error}");
    }
    let words = text(body);
    // The error shows property names and the text of an HTML page, but no values. In invalid JSON, names
    // cannot be distinguished from values.
    let in_name = json.map_or(words.contains('"'), |json| has_name(&json, HUSH));
    if words.contains(HUSH) && !words.contains('<') && !in_name {
        assert!(
            !all_output(error).contains(HUSH),
            "the error shows a value of the response: {}",
            all_output(error)
        );
    }
}

/// Whether a property name contains `part`.
fn has_name(value: &Value, part: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| has_name(item, part)),
        Value::Object(map) => map
            .iter()
            .any(|(name, inner)| name.contains(part) || has_name(inner, part)),
        // A string may contain JSON.
        Value::String(text) => text.contains(part) && text.contains('{'),
        _ => false,
    }
}

/// The expected effect: by status, except for a few bodies.
fn expected_effect(case: &Case, error: &Error) -> Effect {
    let operation = case.operation;
    if is_known_refusal(case, error) {
        return match error.effect() {
            // Known messages and codes have no effect. For others, the status decides.
            Effect::None => Effect::None,
            _ => effect_by_status(operation, case.status),
        };
    }
    // Without an id, it is unknown whether a resource was created.
    let deploys = ["create_deployment", "create_fleet_deployment"].contains(&operation.id);
    if operation.api == "edgegap" && deploys && case.status == 422 && error.resource_id().is_none()
    {
        return Effect::Unknown;
    }
    // The control plane saves the update of a service before it selects a node. Other handlers select the
    // node first.
    if operation.api == "dployr" && error.code() == Some("runtime.node_not_connected") {
        match (operation.id, case.status) {
            ("update_service", 400 | 404 | 503) => return Effect::Applied,
            ("start_service" | "stop_service" | "reboot_instance" | "restart_instance", 503) => {
                return Effect::None;
            }
            _ => {}
        }
    }
    effect_by_status(operation, case.status)
}

fn effect_by_status(operation: &Operation, status: u16) -> Effect {
    match status {
        _ if operation.behaviour.applied_on.contains(&status) => Effect::Applied,
        _ if operation.is_read_only() => Effect::None,
        408 => Effect::Unknown,
        400..=499 => Effect::None,
        _ => Effect::Unknown,
    }
}

fn assert_kind(case: &Case, error: &Error) {
    let kind = error.kind();
    let allowed = match case.status {
        300..=399 => kind == ErrorKind::Redirected,
        401 => kind == ErrorKind::Unauthenticated,
        403 => kind == ErrorKind::Forbidden,
        429 => matches!(kind, ErrorKind::RateLimited | ErrorKind::Quota),
        500..=599 => !matches!(kind, ErrorKind::Rejected | ErrorKind::Decode),
        _ => kind != ErrorKind::Decode,
    };
    assert!(
        allowed || is_known_refusal(case, error),
        "{kind:?} for {}: {error}",
        case.status
    );
}
