//! Failure responses to errors. The platform answers 500 for business rules, so the words decide.

use super::{sentences, shapes};
use crate::error::{Effect, ErrorKind};
use crate::transport::profile::{Classified, Failure};
use serde_json::{Value, json};

/// Classifies a failure status. Bodies are `{error}`, `{message}`, `{error, code, details}`, `{errors}`,
/// bare text, or nothing.
pub(super) fn classify(failure: &Failure<'_>) -> Classified {
    let classified = Classified::from_status(failure.status);
    if let Some(json) = failure.json {
        return with_body(classified, json);
    }
    let text = failure.text.trim();
    // Of a page, the text of its one <pre> says what happened.
    let words = match text.split_once("<pre>") {
        Some((_, rest)) => rest.split("</pre>").next().unwrap_or(rest),
        None if text.starts_with('<') => "",
        None => text,
    };
    // Express answers so for an unknown path.
    if failure.status == 404 && words.starts_with("Cannot ") {
        return classified.kind(ErrorKind::NoSuchRoute).message(words);
    }
    let mut classified = with_words(classified, words);
    classified.message = (!words.is_empty()).then(|| words.to_owned());
    classified
}

/// Classifies a body with a success status if it has an `error`, `success: false`, or `valid: false`
/// for a manifest.
pub(super) fn failed_success(body: &Value) -> Option<Classified> {
    let map = body.as_object().filter(|map| !shapes::is_schema(map))?;
    let has_error = match map.get("error") {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    // No other field is worth losing a session token.
    let is_invalid = map.get("valid") == Some(&json!(false)) && !map.contains_key("sessionToken");
    let has_failed = has_error || is_invalid || map.get("success") == Some(&json!(false));
    has_failed.then(|| with_body(Classified::from_status(400), body))
}

/// Adds what a JSON body says.
fn with_body(classified: Classified, json: &Value) -> Classified {
    let message = message(json);
    let mut classified = with_words(classified, message.as_deref().unwrap_or_default());
    classified.message = message;
    let code = json.get("code").and_then(Value::as_str);
    let kind = match code {
        Some("INVALID_TOKEN" | "TOKEN_EXPIRED") => Some(ErrorKind::Unauthenticated),
        Some("RATE_LIMIT_EXCEEDED") => Some(ErrorKind::RateLimited),
        Some("INVALID_YAML") => Some(ErrorKind::Rejected),
        _ => None,
    };
    if let Some(kind) = kind {
        classified = classified.kind(kind).effect(Effect::None);
    }
    classified.code = code.map(str::to_owned);
    let details = ["details", "errors"].map(|key| json.get(key));
    let mut details = details.into_iter().flatten();
    classified.details = details
        .find(|details| !details.is_null())
        .cloned()
        // An invalid manifest without a word about why.
        .or_else(|| (json.get("valid") == Some(&json!(false))).then(|| json!([])));
    classified
}

/// Adds what known sentences mean, whatever their status. After each of them nothing was done.
fn with_words(classified: Classified, words: &str) -> Classified {
    let words = sentences::normal(words).to_lowercase();
    let words = words.trim_end_matches('.');
    let (kind, advice) = if words.starts_with("user is not on the ") && words.contains(" plan") {
        let advice = "reservations need the Scale or Conquer plan";
        (ErrorKind::PlanLimit, Some(advice))
    } else if words.starts_with("application ")
        && words.ends_with(" reservation has already been removed")
    {
        (ErrorKind::AlreadyRemoved, None)
    } else if words == "application not found" {
        let advice = "the session may have ended, or the application has another name in it: use the name from the reply to its start";
        (ErrorKind::NotFound, Some(advice))
    } else {
        return classified;
    };
    let classified = classified.kind(kind).effect(Effect::None);
    match advice {
        Some(advice) => classified.advice(advice),
        None => classified,
    }
}

fn message(json: &Value) -> Option<String> {
    if let Value::String(text) = json {
        return Some(text.clone()).filter(|text| !text.is_empty());
    }
    // Beside a `statusCode`, `error` is only the name of the status.
    let keys = match json.get("statusCode") {
        Some(_) => ["message", "error"],
        None => ["error", "message"],
    };
    let words = keys.iter().find_map(|key| {
        let value = json.get(key)?;
        let text = value.as_str().or_else(|| value.get("message")?.as_str())?;
        (!text.is_empty()).then(|| text.to_owned())
    });
    words.or_else(|| {
        let errors = json.get("errors")?.as_array()?;
        let errors: Vec<_> = errors.iter().filter_map(Value::as_str).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::failure::tests::classified;

    #[test]
    fn every_known_body() {
        use ErrorKind::*;
        let json = "application/json; charset=utf-8";
        let html = "text/html; charset=utf-8";
        for (status, content_type, body, kind, message, effect) in [
            (
                400,
                json,
                r#"{"error":"Application not found"}"#,
                NotFound,
                Some("Application not found"),
                Some(Effect::None),
            ),
            (
                500,
                json,
                r#"{"error":"User is not on the Scale or Conquer plan. Please upgrade your plan to add a reservation."}"#,
                PlanLimit,
                Some(
                    "User is not on the Scale or Conquer plan. Please upgrade your plan to add a reservation.",
                ),
                Some(Effect::None),
            ),
            (
                500,
                json,
                r#"{"error":"Application Complete-Test-App reservation has already been removed."}"#,
                AlreadyRemoved,
                Some("Application Complete-Test-App reservation has already been removed."),
                Some(Effect::None),
            ),
            (
                500,
                json,
                r#"{"error":"Internal server error"}"#,
                Server,
                Some("Internal server error"),
                None,
            ),
            (
                400,
                json,
                r#"{"error":"Invalid","code":"INVALID_YAML","details":[{"field":"a","message":"b"}]}"#,
                Rejected,
                Some("Invalid"),
                Some(Effect::None),
            ),
            (
                400,
                json,
                r#"{"error":"expired","code":"TOKEN_EXPIRED"}"#,
                Unauthenticated,
                Some("expired"),
                Some(Effect::None),
            ),
            (
                401,
                json,
                r#"{"message":"bad token","code":"INVALID_TOKEN"}"#,
                Unauthenticated,
                Some("bad token"),
                Some(Effect::None),
            ),
            (
                400,
                json,
                r#"{"statusCode":400,"message":"bad","error":"Bad Request"}"#,
                Rejected,
                Some("bad"),
                None,
            ),
            (
                400,
                json,
                r#"{"success":false,"error":"no"}"#,
                Rejected,
                Some("no"),
                None,
            ),
            (
                400,
                json,
                r#"{"valid":false,"errors":["a","b"]}"#,
                Rejected,
                Some("a; b"),
                None,
            ),
            (
                400,
                json,
                r#"{"error":"x","details":[{"path":"p","message":"m"}]}"#,
                Rejected,
                Some("x"),
                None,
            ),
            (
                429,
                json,
                r#"{"error":"slow down","code":"RATE_LIMIT_EXCEEDED"}"#,
                RateLimited,
                Some("slow down"),
                Some(Effect::None),
            ),
            (
                400,
                json,
                r#"{"success":false,"error":{"message":"nested"}}"#,
                Rejected,
                Some("nested"),
                None,
            ),
            (
                400,
                json,
                r#"{"statusCode":400,"error":"Bad Request"}"#,
                Rejected,
                Some("Bad Request"),
                None,
            ),
            (
                500,
                html,
                "Application  a b reservation has ALREADY been removed",
                AlreadyRemoved,
                Some("Application  a b reservation has ALREADY been removed"),
                Some(Effect::None),
            ),
            // Names and near misses of the known sentences.
            (
                500,
                json,
                r#"{"error":"Application has already been removed not found"}"#,
                Server,
                Some("Application has already been removed not found"),
                None,
            ),
            (
                500,
                json,
                r#"{"error":"The plan: user is not on the list"}"#,
                Server,
                Some("The plan: user is not on the list"),
                None,
            ),
            (
                400,
                json,
                r#"{"error":"You have no extensions left."}"#,
                Rejected,
                Some("You have no extensions left."),
                None,
            ),
            (400, html, "bare words", Rejected, Some("bare words"), None),
            (
                400,
                json,
                "\"quoted words\"",
                Rejected,
                Some("quoted words"),
                None,
            ),
            (
                404,
                html,
                "<!DOCTYPE html>\n<html><body><pre>Cannot POST /extendDeploymnt</pre></body></html>",
                NoSuchRoute,
                Some("Cannot POST /extendDeploymnt"),
                None,
            ),
            (
                502,
                html,
                "<html><body>Bad Gateway</body></html>",
                Unavailable,
                None,
                None,
            ),
            (400, json, "", Rejected, None, None),
            (500, json, "{}", Server, None, None),
            (500, json, "[1]", Server, None, None),
            (
                500,
                json,
                r#"{"valid":false,"errors":[]}"#,
                Server,
                None,
                None,
            ),
            (
                404,
                json,
                r#"{"error":"Cannot GET /x"}"#,
                NotFound,
                Some("Cannot GET /x"),
                None,
            ),
        ] {
            let found = classified(classify, status, content_type, body);
            assert_eq!(
                (found.kind, found.message.as_deref(), found.effect),
                (kind, message, effect),
                "{status} {body}"
            );
        }
        let found = classified(
            classify,
            400,
            json,
            r#"{"error":"x","details":[{"path":"p"}]}"#,
        );
        assert!(found.details.is_some());
    }

    #[test]
    fn failures_with_a_success_status() {
        for (body, kind, message, effect) in [
            (
                json!({ "error": "boom" }),
                ErrorKind::Rejected,
                Some("boom"),
                None,
            ),
            (
                json!({ "error": { "message": "boom" } }),
                ErrorKind::Rejected,
                Some("boom"),
                None,
            ),
            (json!({ "error": true }), ErrorKind::Rejected, None, None),
            (
                json!({ "success": false, "message": "no" }),
                ErrorKind::Rejected,
                Some("no"),
                None,
            ),
            (
                json!({ "success": false, "error": "Application not found" }),
                ErrorKind::NotFound,
                Some("Application not found"),
                Some(Effect::None),
            ),
            (
                json!({ "valid": false, "errors": ["a", "b"] }),
                ErrorKind::Rejected,
                Some("a; b"),
                None,
            ),
            (
                json!({ "error": "old", "code": "TOKEN_EXPIRED" }),
                ErrorKind::Unauthenticated,
                Some("old"),
                Some(Effect::None),
            ),
        ] {
            let failure = failed_success(&body).unwrap();
            assert_eq!(
                (failure.kind, failure.message.as_deref(), failure.effect),
                (kind, message, effect),
                "{body}"
            );
        }
        for body in [
            json!({ "error": "" }),
            json!({ "error": false, "success": true }),
            json!({ "valid": false, "sessionToken": "t" }),
            json!({ "$schema": "s", "error": "x" }),
            json!("error"),
        ] {
            assert_eq!(failed_success(&body), None, "{body}");
        }
    }
}
