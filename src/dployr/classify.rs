//! What dployr's failures mean.

use super::advice::no_route;
use crate::error::{Effect, ErrorKind, start_of};
use crate::transport::profile::{Classified, Failure};
use http::HeaderMap;
use serde_json::{Map, Value, json};

/// The most of a text body that serves as a message, in bytes.
const LONGEST_TEXT: usize = 200;

/// Five shapes, and which one comes depends on how far the request got:
///
/// | shape | sent by |
/// |---|---|
/// | `{"error": {"code", "message", "details"}}` | the vendor's page |
/// | `{"success": false, "error": {"message", "code"?, "details"?, "helpLink"?}}` | the handlers |
/// | `{"error": "text", "code"}` | what stands before them |
/// | `{"error": "text", "code"?, "details"?}` | the daemon |
/// | text | nobody was reached, or somebody broke down |
///
/// and rarely `{"message", "code"}` or `{"status": "not_found"}`.
pub(super) fn classify(failure: &Failure<'_>) -> Classified {
    let mut classified = Classified::from_status(failure.status);
    match failure.json.and_then(Value::as_object) {
        Some(body) => read_body(&mut classified, body),
        None => classified.message = words(failure),
    }
    refine(classified, failure)
}

/// A success status around a failure: `{"success": false, …}`.
pub(super) fn normalise(value: Value) -> Result<Value, Box<Classified>> {
    match &value {
        Value::Object(body) if body.get("success") == Some(&Value::Bool(false)) => {
            let mut classified = Classified::from_status(400).kind(ErrorKind::Rejected);
            read_body(&mut classified, body);
            Err(Box::new(classified))
        }
        _ => Ok(value),
    }
}

fn read_body(classified: &mut Classified, body: &Map<String, Value>) {
    let inner = match body.get("error") {
        Some(Value::Object(error)) => error,
        _ => body,
    };
    let text = |map: &Map<String, Value>, key: &str| map.get(key)?.as_str().map(str::to_owned);
    classified.message = text(inner, "message")
        .or_else(|| text(body, "error"))
        .or_else(|| text(body, "message"))
        .or_else(|| text(body, "status"));
    classified.code = text(inner, "code").or_else(|| text(body, "code"));
    let details = inner.get("details").or_else(|| body.get("details"));
    let details = details.filter(|details| !details.is_null()).cloned();
    classified.details = match text(inner, "helpLink").or_else(|| text(body, "helpLink")) {
        None => details,
        Some(link) => Some(match details {
            None => json!({ "helpLink": link }),
            Some(details) => json!({ "helpLink": link, "details": details }),
        }),
    };
}

/// The words of a text body, without the status that is said anyway. A page of HTML has none.
fn words(failure: &Failure<'_>) -> Option<String> {
    let text = failure.text.trim();
    if text.is_empty() || text.starts_with('<') || failure.json.is_some() {
        return None;
    }
    let status = failure.status.to_string();
    let text = text.strip_prefix(status.as_str()).unwrap_or(text).trim();
    Some(start_of(text, LONGEST_TEXT).to_owned())
}

fn refine(mut classified: Classified, failure: &Failure<'_>) -> Classified {
    let code = classified.code.as_deref().unwrap_or_default();
    let message = classified.message.as_deref().unwrap_or_default();
    let id = failure.operation.map_or("", |operation| operation.id);
    match failure.status {
        400 if message.contains("clusterId is required") => {
            classified.advice("give the client a cluster: builder().cluster(id) or DPLOYR_CLUSTER_ID")
        }
        400 if is_plan_limit(message) => classified.kind(ErrorKind::PlanLimit),
        // Some handlers answer 400 when their second look finds nothing.
        400 if code == "resource.missing_resource" => classified.kind(ErrorKind::NotFound),
        401 if id == "login" => classified.advice("check the e-mail address and the password"),
        401 => classified.advice(
            "check DPLOYR_TOKEN: it goes out as `Authorization: Bearer …`; the id of a session is no token and belongs into with_session, and a session ends after days",
        ),
        403 if id == "get_deployment" && code == "permission.viewer_role_required" => classified.advice(
            "the known server refuses every read of one deployment: look for it in deployments().list()",
        ),
        403 if id == "delete_deployment" && code == "permission.developer_role_required" => classified.advice(
            "the known server refuses every delete that names no cluster: give the client one",
        ),
        403 if manages_tokens(id) => classified.advice(
            "a token manages no tokens: log in with login_by_email and take with_session",
        ),
        400 if code == "request.invalid_otp" => classified.advice(
            "a code holds for ten minutes and three attempts: have another one sent",
        ),
        422 if id == "verify_domain" => classified.advice(
            "set the TXT record that domain(..).get() shows under `verification`; it takes a while until a new one is seen",
        ),
        429 if id == "rename_cluster" && is_quota(failure.headers) => {
            let classified = classified.kind(ErrorKind::Quota);
            classified.advice("a cluster is renamed once a month: trying it again does not help")
        }
        404 if is_no_route(failure) => {
            classified.kind = ErrorKind::NoSuchRoute;
            classified.advice(no_route(failure.operation))
        }
        405 => classified.advice(no_route(failure.operation)),
        429 if is_quota(failure.headers) => classified.kind(ErrorKind::Quota),
        501 if code == "LOGS_NOT_AVAILABLE" => {
            classified.advice("this server was set up without a store for logs")
        }
        // The handler saves what it was sent before it looks for a node.
        503 if id == "update_service" && code == "runtime.node_not_connected" => classified
            .effect(Effect::Applied)
            .advice("the change is saved; it goes out with the next deployment"),
        503 if code == "runtime.node_not_connected" => classified.advice(
            "no node that could do it is connected; the server may have kept part of the request, so look before you repeat it",
        ),
        _ => classified,
    }
}

/// `Service limit reached for hobby plan (1 service max). …` comes as any other 400.
fn is_plan_limit(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("limit reached") && message.contains("plan")
}

/// A handler that finds nothing says so in JSON; the framework, which found no handler, in text.
fn is_no_route(failure: &Failure<'_>) -> bool {
    !failure.json.is_some_and(Value::is_object)
        && (failure.is_plain_text() || !failure.text.trim().is_empty())
}

fn manages_tokens(id: &str) -> bool {
    matches!(
        id,
        "create_api_token" | "list_api_tokens" | "delete_api_token"
    )
}

/// A monthly quota answers 429 too, with requests left and without a hint when to come back.
fn is_quota(headers: &HeaderMap) -> bool {
    let left = headers
        .get("x-ratelimit-remaining")
        .and_then(|left| left.to_str().ok()?.trim().parse::<u64>().ok());
    !headers.contains_key(http::header::RETRY_AFTER) && left.is_some_and(|left| left > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::find;
    use http::header::{CONTENT_TYPE, HeaderName, RETRY_AFTER};

    struct Case {
        operation: &'static str,
        status: u16,
        headers: &'static [(HeaderName, &'static str)],
        body: &'static str,
    }

    const JSON: &[(HeaderName, &str)] = &[(CONTENT_TYPE, "application/json")];
    const TEXT: &[(HeaderName, &str)] = &[(CONTENT_TYPE, "text/plain; charset=UTF-8")];
    const HTML: &[(HeaderName, &str)] = &[(CONTENT_TYPE, "text/html")];

    impl Case {
        fn classified(&self) -> Classified {
            let mut headers = HeaderMap::new();
            for (name, value) in self.headers {
                headers.insert(name.clone(), value.parse().unwrap());
            }
            let json = serde_json::from_str(self.body).ok();
            classify(&Failure {
                operation: find("dployr", self.operation),
                status: self.status,
                headers: &headers,
                text: self.body,
                json: json.as_ref(),
            })
        }
    }

    fn of(operation: &'static str, status: u16, body: &'static str) -> Classified {
        let headers = match body.as_bytes().first() {
            Some(b'{') => JSON,
            Some(b'<') => HTML,
            _ => TEXT,
        };
        Case {
            operation,
            status,
            headers,
            body,
        }
        .classified()
    }

    #[test]
    fn every_shape_of_a_failure() {
        use ErrorKind as Kind;
        let missing = "resource.missing_resource";
        for (status, body, kind, code, message) in [
            (
                400,
                r#"{"error":{"code":"invalid_request","message":"Invalid deployment configuration","details":{"field":"runtime"}}}"#,
                Kind::Rejected,
                "invalid_request",
                "Invalid deployment configuration",
            ),
            (
                400,
                r#"{"success":false,"error":{"message":"Validation failed: name: Name is required","code":"request.bad_request"}}"#,
                Kind::Rejected,
                "request.bad_request",
                "Validation failed: name: Name is required",
            ),
            (
                400,
                r#"{"error":"clusterId is required","code":"request.bad_request"}"#,
                Kind::Rejected,
                "request.bad_request",
                "clusterId is required",
            ),
            (
                400,
                r#"{"success":false,"error":{"message":"Service limit reached for hobby plan (1 service max).","code":"request.bad_request"}}"#,
                Kind::PlanLimit,
                "request.bad_request",
                "Service limit reached for hobby plan (1 service max).",
            ),
            (
                400,
                r#"{"success":false,"error":{"message":"Instance not found","code":"resource.missing_resource"}}"#,
                Kind::NotFound,
                missing,
                "Instance not found",
            ),
            (
                400,
                r#"{"status":"not_found"}"#,
                Kind::Rejected,
                "",
                "not_found",
            ),
            (
                401,
                r#"{"error":"Not authenticated","code":"auth.bad_session"}"#,
                Kind::Unauthenticated,
                "auth.bad_session",
                "Not authenticated",
            ),
            (401, "", Kind::Unauthenticated, "", ""),
            (
                403,
                r#"{"message":"Admins only","code":"permission.admin_role_required"}"#,
                Kind::Forbidden,
                "permission.admin_role_required",
                "Admins only",
            ),
            (
                404,
                r#"{"error":"Instance not found","code":"resource.missing_resource"}"#,
                Kind::NotFound,
                missing,
                "Instance not found",
            ),
            (
                404,
                r#"{"success":false,"error":{"message":"Deployment not found","code":"resource.missing_resource"}}"#,
                Kind::NotFound,
                missing,
                "Deployment not found",
            ),
            (404, "404 Not Found", Kind::NoSuchRoute, "", "Not Found"),
            (
                404,
                "404 page not found\n",
                Kind::NoSuchRoute,
                "",
                "page not found",
            ),
            (404, "<html><h1>404</h1></html>", Kind::NoSuchRoute, "", ""),
            (
                405,
                r#"{"error":"Method not allowed","code":"request.method_not_allowed"}"#,
                Kind::NoSuchRoute,
                "request.method_not_allowed",
                "Method not allowed",
            ),
            (
                409,
                r#"{"success":false,"error":{"message":"Service name web-one, has been taken","code":"resource.conflict"}}"#,
                Kind::Conflict,
                "resource.conflict",
                "Service name web-one, has been taken",
            ),
            (
                422,
                r#"{"success":false,"error":{"message":"No TXT record","code":"request.unprocessable_entity"}}"#,
                Kind::Rejected,
                "request.unprocessable_entity",
                "No TXT record",
            ),
            (
                500,
                "Internal Server Error",
                Kind::Server,
                "",
                "Internal Server Error",
            ),
            (
                500,
                r#"{"error":"boom","code":"runtime.internal_server_error","details":["a"]}"#,
                Kind::Server,
                "runtime.internal_server_error",
                "boom",
            ),
            (
                501,
                r#"{"success":false,"error":{"message":"Centralized logs are not available on this server","code":"LOGS_NOT_AVAILABLE"}}"#,
                Kind::Unsupported,
                "LOGS_NOT_AVAILABLE",
                "Centralized logs are not available on this server",
            ),
            (502, "<html>", Kind::Unavailable, "", ""),
            (
                503,
                r#"{"success":false,"error":{"message":"Instance build-node is not connected","code":"runtime.node_not_connected"}}"#,
                Kind::Unavailable,
                "runtime.node_not_connected",
                "Instance build-node is not connected",
            ),
        ] {
            let found = of("list_deployments", status, body);
            assert_eq!(found.kind, kind, "{status} {body}");
            assert_eq!(found.code.unwrap_or_default(), code, "{status} {body}");
            assert_eq!(
                found.message.unwrap_or_default(),
                message,
                "{status} {body}"
            );
        }
    }

    #[test]
    fn details_and_the_help_link_are_kept_as_they_came() {
        for (body, details) in [
            (
                r#"{"error":{"message":"m","details":{"field":"runtime"}}}"#,
                json!({ "field": "runtime" }),
            ),
            (
                r#"{"success":false,"error":{"message":"m","details":[{"field":"a"}]}}"#,
                json!([{ "field": "a" }]),
            ),
            (
                r#"{"error":"m","details":"unexpected end"}"#,
                json!("unexpected end"),
            ),
            (
                r#"{"success":false,"error":{"message":"m","helpLink":"https://h"}}"#,
                json!({ "helpLink": "https://h" }),
            ),
            (
                r#"{"success":false,"error":{"message":"m","helpLink":"https://h","details":[1]}}"#,
                json!({ "helpLink": "https://h", "details": [1] }),
            ),
        ] {
            assert_eq!(of("", 400, body).details, Some(details), "{body}");
        }
        assert_eq!(of("", 400, r#"{"error":"m","details":null}"#).details, None);
    }

    #[test]
    fn a_429_is_a_rate_or_a_quota() {
        let left: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
        let body =
            r#"{"success":false,"error":{"message":"m","code":"request.too_many_requests"}}"#;
        let cases: [(&[(HeaderName, &str)], ErrorKind); 4] = [
            (
                &[(RETRY_AFTER, "17"), (left.clone(), "0")],
                ErrorKind::RateLimited,
            ),
            (
                &[(RETRY_AFTER, "17"), (left.clone(), "3")],
                ErrorKind::RateLimited,
            ),
            (&[(left.clone(), "0")], ErrorKind::RateLimited),
            (&[(left, "42")], ErrorKind::Quota),
        ];
        for (headers, kind) in cases {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(name.clone(), value.parse().unwrap());
            }
            let json = serde_json::from_str(body).ok();
            let failure = Failure {
                operation: None,
                status: 429,
                headers: &map,
                text: body,
                json: json.as_ref(),
            };
            assert_eq!(classify(&failure).kind, kind, "{headers:?}");
        }
    }

    #[test]
    fn advice_depends_on_the_operation() {
        let viewer =
            r#"{"error":"Viewer role is required","code":"permission.viewer_role_required"}"#;
        let developer =
            r#"{"error":"Developer role is required","code":"permission.developer_role_required"}"#;
        let plain = "404 Not Found";
        for (operation, status, body, part) in [
            ("get_deployment", 403, viewer, Some("deployments().list()")),
            ("get_instance", 403, viewer, None),
            (
                "delete_deployment",
                403,
                developer,
                Some("names no cluster"),
            ),
            ("stop_service", 403, developer, None),
            ("list_projects", 404, plain, Some("dployr documents it")),
            ("list_services", 404, plain, Some("check the base URL")),
            ("list_clusters", 404, plain, Some("check the base URL")),
            ("create_webhook", 404, plain, Some("webhooks().set_up(..)")),
            ("list_webhooks", 404, plain, Some("integrations()")),
            ("create_route", 404, plain, Some("domains().create(..)")),
            ("list_api_tokens", 403, "", Some("login_by_email")),
            ("list_clusters", 403, "", None),
            ("verify_domain", 422, "", Some("TXT record")),
            (
                "verify_login_code",
                400,
                r#"{"error":{"message":"x","code":"request.invalid_otp"}}"#,
                Some("ten minutes"),
            ),
            ("login", 404, plain, Some("personal access token")),
            ("", 404, plain, Some("no such route")),
            ("login", 401, "", Some("password")),
            ("list_services", 401, "", Some("DPLOYR_TOKEN")),
            (
                "list_services",
                400,
                r#"{"error":"clusterId is required"}"#,
                Some("DPLOYR_CLUSTER_ID"),
            ),
        ] {
            let advice = of(operation, status, body).advice;
            match part {
                None => assert_eq!(advice, None, "{operation} {status}"),
                Some(part) => assert!(advice.unwrap().contains(part), "{operation} {advice:?}"),
            }
        }
    }

    #[test]
    fn a_failure_may_hide_behind_a_success_status() {
        let hidden = json!({ "success": false, "error": { "message": "no", "code": "x.y" } });
        let found = normalise(hidden).unwrap_err();
        assert_eq!(found.kind, ErrorKind::Rejected);
        assert_eq!(
            (found.message.as_deref(), found.code.as_deref()),
            (Some("no"), Some("x.y"))
        );
        for fine in [
            json!({ "success": true }),
            json!({ "success": "false" }),
            json!([false]),
            json!(null),
        ] {
            assert_eq!(normalise(fine.clone()).unwrap(), fine);
        }
    }
}
