//! Maps status and body of a failure to an error.
//!
//! The platform responds to some invalid requests with status 500, so known messages are matched, too.

use super::shapes;
use crate::error::{Effect, ErrorKind};
use crate::transport::platform::{Classified, Failure};
use serde_json::{Value, json};

/// Classifies a response with a failure status.
///
/// Bodies are `{error}`, `{message}`, `{error, code, details}`, `{errors}`, plain text, or empty.
pub(super) fn classify(failure: &Failure<'_>) -> Classified {
    let mut classified = Classified::from_status(failure.status);
    if failure.status == 401 {
        classified = classified.advice("check NEXLAYER_API_KEY or the session token");
    }
    if let Some(json) = failure.json {
        return by_json(classified, json);
    }
    let text = failure.text.trim();
    // The message in an error page of Express.
    let message = match text.split_once("<pre>") {
        Some((_, rest)) => rest.split("</pre>").next().unwrap_or(rest),
        None if text.starts_with('<') => "",
        None => text,
    };
    if failure.status == 404 && message.starts_with("Cannot ") {
        return classified.kind(ErrorKind::NoSuchRoute).message(message);
    }
    let mut classified = by_message(classified, message);
    classified.message = (!message.is_empty()).then(|| message.to_owned());
    classified
}

/// Classifies a failure with a success status.
///
/// The body of such a failure has an `error`, `success: false` or `valid: false`.
pub(super) fn failed_success(body: &Value) -> Option<Classified> {
    let map = body.as_object().filter(|map| !shapes::is_schema(map))?;
    let has_error = match map.get("error") {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    };
    // The response to a deploy has the only copy of the session token: do not drop it because of
    // `valid: false`.
    let is_invalid = map.get("valid") == Some(&json!(false)) && !map.contains_key("sessionToken");
    let has_failed = has_error || is_invalid || map.get("success") == Some(&json!(false));
    has_failed.then(|| by_json(Classified::from_status(400), body))
}

/// Classifies by the code and message of a JSON body.
fn by_json(classified: Classified, json: &Value) -> Classified {
    let message = message(json);
    let mut classified = by_message(classified, message.as_deref().unwrap_or_default());
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
        // The manifest is invalid, but the response has no details.
        .or_else(|| (json.get("valid") == Some(&json!(false))).then(|| json!([])));
    classified
}

/// Classifies by known messages, with any status. Each of them means that nothing was changed.
fn by_message(classified: Classified, message: &str) -> Classified {
    let message = shapes::normalize(message).to_lowercase();
    let message = message.trim_end_matches('.');
    let without_effect = |classified: Classified, kind| classified.kind(kind).effect(Effect::None);
    if message.starts_with("user is not on the ") && message.contains(" plan") {
        without_effect(classified, ErrorKind::PlanLimit)
            .advice("reservations need the Scale or Conquer plan")
    } else if message.starts_with("application ")
        && message.ends_with(" reservation has already been removed")
    {
        without_effect(classified, ErrorKind::AlreadyRemoved)
    } else if message == "application not found" {
        without_effect(classified, ErrorKind::NotFound).advice(
            "the session may have ended; use the application name in the response to the deploy",
        )
    } else {
        classified
    }
}

fn message(json: &Value) -> Option<String> {
    if let Value::String(text) = json {
        return Some(text.clone()).filter(|text| !text.is_empty());
    }
    // In a body with `statusCode`, `error` is only the reason phrase of the status.
    let keys = match json.get("statusCode") {
        Some(_) => ["message", "error"],
        None => ["error", "message"],
    };
    let text = keys.iter().find_map(|key| {
        let value = json.get(key)?;
        let text = value.as_str().or_else(|| value.get("message")?.as_str())?;
        (!text.is_empty()).then(|| text.to_owned())
    });
    text.or_else(|| {
        let errors = json.get("errors")?.as_array()?;
        let errors: Vec<_> = errors.iter().filter_map(Value::as_str).collect();
        (!errors.is_empty()).then(|| errors.join("; "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::failure::classified;

    /// Rows: status body => kind (effect, if it is certain): message.
    const FAILURES: &str = r#"
400 {"error":"Application not found"} => NotFound (None): Application not found
400 {"error":"Invalid","code":"INVALID_YAML","details":[{"field":"a"}]} => Rejected (None): Invalid
400 {"error":"expired","code":"TOKEN_EXPIRED"} => Unauthenticated (None): expired
401 {"message":"bad token","code":"INVALID_TOKEN"} => Unauthenticated (None): bad token
429 {"error":"slow down","code":"RATE_LIMIT_EXCEEDED"} => RateLimited (None): slow down
500 {"error":"User is not on the Scale or Conquer plan. Please upgrade."} => PlanLimit (None): User is not on the Scale or Conquer plan. Please upgrade.
500 {"error":"Application A reservation has already been removed."} => AlreadyRemoved (None): Application A reservation has already been removed.
500 Application  a b reservation has ALREADY been removed => AlreadyRemoved (None): Application  a b reservation has ALREADY been removed
500 {"error":"Application has already been removed not found"} => Server: Application has already been removed not found
500 {"error":"The plan: user is not on the list"} => Server: The plan: user is not on the list
500 {"error":"Internal server error"} => Server: Internal server error
400 {"error":"You have no extensions left."} => Rejected: You have no extensions left.
400 {"statusCode":400,"message":"bad","error":"Bad Request"} => Rejected: bad
400 {"statusCode":400,"error":"Bad Request"} => Rejected: Bad Request
400 {"success":false,"error":"no"} => Rejected: no
400 {"success":false,"error":{"message":"nested"}} => Rejected: nested
400 {"valid":false,"errors":["a","b"]} => Rejected: a; b
400 {"error":"x","details":[{"path":"p","message":"m"}]} => Rejected: x
400 bare words => Rejected: bare words
400 "quoted words" => Rejected: quoted words
404 <!DOCTYPE html><html><body><pre>Cannot POST /x</pre></body></html> => NoSuchRoute: Cannot POST /x
404 {"error":"Cannot GET /x"} => NotFound: Cannot GET /x
502 <html><body>Bad Gateway</body></html> => Unavailable:
500 {"valid":false,"errors":[]} => Server:
500 {} => Server:
500 [1] => Server:
"#;
    /// The same rows for responses with a success status.
    const SUCCESSES: &str = r#"
200 {"error":"boom"} => Rejected: boom
200 {"error":{"message":"boom"}} => Rejected: boom
200 {"error":true} => Rejected:
200 {"success":false,"message":"no"} => Rejected: no
200 {"success":false,"error":"Application not found"} => NotFound (None): Application not found
200 {"valid":false,"errors":["a","b"]} => Rejected: a; b
200 {"error":"old","code":"TOKEN_EXPIRED"} => Unauthenticated (None): old
"#;

    fn check(rows: &str, classify: impl Fn(u16, &str) -> Classified) {
        for row in rows.trim().lines() {
            let (response, expected) = row.split_once(" => ").unwrap();
            let (status, body) = response.split_once(' ').unwrap();
            let found = classify(status.parse().unwrap(), body);
            let effect = found.effect.map(|effect| format!(" ({effect:?})"));
            let message = found.message.map(|message| format!(" {message}"));
            let [effect, message] = [effect, message].map(Option::unwrap_or_default);
            assert_eq!(format!("{:?}{effect}:{message}", found.kind), expected);
        }
    }

    #[test]
    fn failures_are_classified() {
        check(FAILURES, |status, body| {
            classified(classify, status, "text/html", body)
        });
        let found = classified(classify, 400, "text/html", r#"{"details":[{"path":"p"}]}"#);
        assert!(found.details.is_some());
    }

    #[test]
    fn failures_with_a_success_status_are_classified() {
        let classify = |body: &str| failed_success(&serde_json::from_str(body).unwrap());
        check(SUCCESSES, |_, body| classify(body).unwrap());
        for body in [
            r#"{"error":""}"#,
            r#"{"error":false,"success":true}"#,
            r#"{"valid":false,"sessionToken":"t"}"#,
            r#"{"$schema":"s","error":"x"}"#,
            r#""error""#,
        ] {
            assert_eq!(classify(body), None, "{body}");
        }
    }
}
