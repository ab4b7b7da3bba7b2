//! Maps status and body of a failure to an error.

use crate::error::{Effect, ErrorKind};
use crate::transport::platform::{Classified, Failure};
use serde_json::Value;

/// Classifies a response with a failure status.
///
/// Bodies are `{message, details?}`, or `{request_id, message}` for the 422 of a deploy.
pub(super) fn classify(failure: &Failure<'_>) -> Classified {
    let mut classified = Classified::from_status(failure.status);
    let operation = failure.operation;
    let id = operation.map_or("", |operation| operation.id);
    let may_deploy = operation.is_none_or(|operation| {
        operation.behaviour.spends && operation.id.ends_with("_deployment")
    });
    let Some(json) = failure.json else {
        // The platform responds in JSON. HTML or text comes from another server or an unknown path.
        if failure.status == 404 && !failure.text.trim().is_empty() {
            return classified
                .kind(ErrorKind::NoSuchRoute)
                .advice("check the base URL");
        }
        if failure.status == 422 && may_deploy {
            return classified.effect(Effect::Unknown);
        }
        return classified;
    };
    let text = |key: &str| match json.get(key)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    classified.message = text("message");
    let details = json.get("details").filter(|details| !details.is_null());
    classified.details = details.cloned();
    classified.resource_id = text("request_id");
    match failure.status {
        422 if !may_deploy => classified,
        422 if classified.resource_id.is_some() => classified
            .kind(ErrorKind::Rejected)
            .advice("stop it: deployment(id).stop()"),
        // The real platform responds to an unknown id with 400. The id is the only argument.
        400 if id == "get_deployment" => classified.kind(ErrorKind::NotFound),
        // An earlier attempt, whose response was lost, may have created it.
        409 if id == "create_application" => {
            classified.advice("check application(name).get(): it may be yours")
        }
        409 if id == "create_version" => {
            classified.advice("check application(name).version(name).get(): it may be yours")
        }
        424 => classified.advice("check the image and the login for its registry"),
        // Without an id it is unknown whether a deployment exists.
        422 => classified.effect(Effect::Unknown),
        401 if id == "stop_own_deployment" => {
            classified.advice("check ARBITRIUM_DELETE_TOKEN, which is valid for one deployment")
        }
        401 => classified.advice("check EDGEGAP_TOKEN or EDGEGAP_API_TOKEN"),
        _ => classified,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::failure::classified;
    use serde_json::json;

    #[test]
    fn known_bodies_map_to_kind_message_and_resource_id() {
        use ErrorKind::*;
        for (status, body, kind, message, resource) in [
            (
                400,
                r#"{"message":"Error message"}"#,
                Rejected,
                Some("Error message"),
                None,
            ),
            (
                400,
                r#"{"message":"bad","details":{"users":["too few"]}}"#,
                Rejected,
                Some("bad"),
                None,
            ),
            (
                401,
                r#"{"message":"Unauthorized"}"#,
                Unauthenticated,
                Some("Unauthorized"),
                None,
            ),
            (403, r#"{"message":"no"}"#, Forbidden, Some("no"), None),
            (404, r#"{"message":"gone"}"#, NotFound, Some("gone"), None),
            (
                409,
                r#"{"message":"tag exists"}"#,
                Conflict,
                Some("tag exists"),
                None,
            ),
            (
                410,
                r#"{"message":"terminated"}"#,
                AlreadyRemoved,
                Some("terminated"),
                None,
            ),
            (
                422,
                r#"{"request_id":"a69f8e3e0555","message":"no room"}"#,
                Rejected,
                Some("no room"),
                Some("a69f8e3e0555"),
            ),
            (422, r#"{"message":"odd"}"#, Rejected, Some("odd"), None),
            (429, "", RateLimited, None, None),
            (
                500,
                r#"{"message":"Internal Server Error"}"#,
                Server,
                Some("Internal Server Error"),
                None,
            ),
            (502, "<html>Bad Gateway</html>", Unavailable, None, None),
            (503, "[]", Unavailable, None, None),
            (
                422,
                r#"{"request_id":12345,"message":"no room"}"#,
                Rejected,
                Some("no room"),
                Some("12345"),
            ),
            (500, r#"{"message":{},"request_id":[]}"#, Server, None, None),
        ] {
            let found = classified(classify, status, "application/json", body);
            assert_eq!(
                (
                    found.kind,
                    found.message.as_deref(),
                    found.resource_id.as_deref()
                ),
                (kind, message, resource),
                "{status} {body}"
            );
        }
        let found = classified(
            classify,
            400,
            "application/json",
            r#"{"message":"bad","details":{"a":1}}"#,
        );
        assert_eq!(found.details, Some(json!({ "a": 1 })));
        let found = classified(
            classify,
            422,
            "application/json",
            r#"{"message":"","request_id":"a"}"#,
        );
        assert!(found.advice.is_some_and(|advice| advice.contains("stop()")));
    }
}
