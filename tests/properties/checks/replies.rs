//! Replies of any form to every operation.

use super::{assert_keeps, assert_sound, block_on, platforms, shown, text, with_canaries};
use deploykit::http::HeaderValue;
use deploykit::testing::CannedReply;
use deploykit::{
    Effect, Error, ErrorKind,
    operation::{OPERATIONS, Operation},
};
use serde_json::Value;

/// What the tests of this crate put where a reply must not be shown.
const HUSH: &str = "hush";

/// One reply to one call.
pub struct Case {
    pub operation: &'static Operation,
    pub status: u16,
    pub content_type: String,
    pub follow: bool,
    pub body: Vec<u8>,
}

impl Case {
    /// Platform, operation, status and media type (`-` for none) in a line, with `follow` behind them for
    /// a stream of logs; then the body. `None` for any other input.
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

/// Checks the reply of an input. An input that is no case passes.
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
            let says_no = case.operation.id == "validate_manifest";
            let success = success
                || (case.status == 410 && stops)
                || ([400, 422].contains(&case.status) && says_no);
            assert!(success, "{} is a success: {}", case.status, case.operation);
        }
        Err(error) => {
            assert_sound(&error);
            assert_keeps(&error, platforms::secrets_of(case.operation));
            assert_eq!(error.status(), Some(case.status), "{error}");
            assert_eq!(error.operation(), Some(case.operation), "{error}");
            assert!((1..=3).contains(&error.attempts()), "{error}");
            let found = (error.effect(), error.kind());
            if success {
                assert_after_success(case, &error);
            } else {
                assert_eq!(error.effect(), effect(case, &error), "{found:?}: {error}");
                assert_kind(case, &error);
            }
        }
    }
}

/// Nexlayer's known refusals prove by their words or their code that nothing was done.
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
    // Nexlayer's envelopes may hold something that is neither.
    if accepted && !case.operation.is_read_only() && case.operation.api != "nexlayer" {
        assert_eq!(error.effect(), Effect::Applied, "{error}");
    }
    // Its form may be shown, with the names in it; and a page, which says what it is.
    let words = text(body);
    // What is no JSON may begin like it, names included.
    let named = json.map_or(words.contains('"'), |json| has_name(&json, HUSH));
    if words.contains(HUSH) && !words.contains('<') && !named {
        assert!(
            !shown(error).contains(HUSH),
            "it shows the reply: {}",
            shown(error)
        );
    }
}

fn has_name(value: &Value, part: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| has_name(item, part)),
        Value::Object(map) => map
            .iter()
            .any(|(name, inner)| name.contains(part) || has_name(inner, part)),
        // Text may be JSON once more.
        Value::String(text) => text.contains(part) && text.contains('{'),
        _ => false,
    }
}

/// What the status alone says, and the few bodies that say more.
fn effect(case: &Case, error: &Error) -> Effect {
    let operation = case.operation;
    if is_known_refusal(case, error) {
        return match error.effect() {
            // The words of a `NotFound` may be others, and then the status decides.
            Effect::None => Effect::None,
            _ => by_status(operation, case.status),
        };
    }
    // What was made has no name then, so nobody knows whether anything was.
    let starts = operation.api == "edgegap" && operation.behaviour.spends;
    if starts && case.status == 422 && error.resource_id().is_none() {
        return Effect::Unknown;
    }
    // The control plane saves the change before it looks for a node.
    let saved = operation.id == "update_service" && case.status == 503;
    if saved && error.code() == Some("runtime.node_not_connected") {
        return Effect::Applied;
    }
    by_status(operation, case.status)
}

fn by_status(operation: &Operation, status: u16) -> Effect {
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
