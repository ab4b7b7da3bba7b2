//! What Nexlayer's failures mean. It answers 500 for rules of its business, so the words decide.

use crate::error::{Effect, ErrorKind};
use crate::transport::profile::{Classified, Failure};
use serde_json::Value;

/// Bodies are `{error}`, `{message}`, `{error, code, details}`, `{errors}`, bare text, or nothing.
pub(super) fn classify(failure: &Failure<'_>) -> Classified {
    let message = message(failure);
    let text = message.as_deref().unwrap_or_default();
    let mut classified = by_text(text).unwrap_or_else(|| Classified::from_status(failure.status));
    classified.message.clone_from(&message);
    if let Some(json) = failure.json {
        let code = json.get("code").and_then(Value::as_str);
        if let Some(kind) = code.and_then(kind_of_code) {
            classified.kind = kind;
        }
        classified.code = code.map(str::to_owned);
        classified.details = ["details", "errors"]
            .iter()
            .find_map(|key| json.get(*key).filter(|details| !details.is_null()))
            .cloned();
    }
    // Express answers a path that it does not have with an HTML page.
    if failure.status == 404 && failure.json.is_none() && text.contains("Cannot ") {
        classified = classified.kind(ErrorKind::NoSuchRoute);
    }
    classified
}

/// What the known sentences mean, whatever their status.
pub(super) fn by_text(text: &str) -> Option<Classified> {
    let text = text.to_lowercase();
    let known = |kind| Classified::from_status(400).kind(kind).effect(Effect::None);
    if text.contains("is not on the") && text.contains(" plan") {
        return Some(
            known(ErrorKind::PlanLimit).advice("reservations need the Scale or Conquer plan"),
        );
    }
    if text.contains("has already been removed") {
        return Some(known(ErrorKind::AlreadyRemoved));
    }
    if text.trim_end_matches('.') == "application not found" {
        return Some(known(ErrorKind::NotFound).advice(
            "the session may have ended, or the application has another name in it: use the name from the reply to its start",
        ));
    }
    None
}

fn kind_of_code(code: &str) -> Option<ErrorKind> {
    match code {
        "INVALID_TOKEN" | "TOKEN_EXPIRED" => Some(ErrorKind::Unauthenticated),
        "RATE_LIMIT_EXCEEDED" => Some(ErrorKind::RateLimited),
        "INVALID_YAML" => Some(ErrorKind::Rejected),
        _ => None,
    }
}

fn message(failure: &Failure<'_>) -> Option<String> {
    let Some(json) = failure.json else {
        let text = failure.text.trim();
        let is_markup = text.starts_with('<');
        // Of a page, the words between the tags of its one <pre> say what happened.
        let text = match text.split_once("<pre>") {
            Some((_, rest)) => rest.split("</pre>").next().unwrap_or(rest),
            None if is_markup => "",
            None => text,
        };
        return (!text.is_empty()).then(|| text.to_owned());
    };
    if let Value::String(text) = json {
        return Some(text.clone());
    }
    let word = ["error", "message"]
        .iter()
        .find_map(|key| json.get(key)?.as_str().filter(|text| !text.is_empty()));
    let errors = json.get("errors").and_then(Value::as_array);
    word.map(str::to_owned).or_else(|| {
        let errors: Vec<_> = errors?.iter().filter_map(Value::as_str).collect();
        Some(errors.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::profile::table::classified;

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
                None,
            ),
            (
                400,
                json,
                r#"{"error":"expired","code":"TOKEN_EXPIRED"}"#,
                Unauthenticated,
                Some("expired"),
                None,
            ),
            (
                401,
                json,
                r#"{"message":"bad token","code":"INVALID_TOKEN"}"#,
                Unauthenticated,
                Some("bad token"),
                None,
            ),
            (
                400,
                json,
                r#"{"statusCode":400,"message":"bad","error":"Bad Request"}"#,
                Rejected,
                Some("Bad Request"),
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
}
