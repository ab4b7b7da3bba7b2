//! Maps status and body of a failure to an error.

use crate::error::{Effect, ErrorKind};
use crate::operation::{Evidence, Operation};
use crate::transport::platform::{Classified, Failure};
use crate::transport::rate_limit::RateLimit;
use http::HeaderMap;
use serde_json::{Map, Value, json};

/// Classifies a failure by its status and body. The body has one of these shapes:
///
/// | shape | sent by |
/// |---|---|
/// | `{"error": {"code", "message", "details"}}` | the vendor's page |
/// | `{"success": false, "error": {"message", "code"?, "details"?, "helpLink"?}}` | the handlers |
/// | `{"error": "text", "code"}` | the middleware |
/// | `{"error": "text", "code"?, "details"?}` | the daemon |
/// | plain text | the framework |
///
/// and rarely `{"message", "code"}` or `{"status": "not_found"}`.
pub(super) fn classify(failure: &Failure<'_>) -> Classified {
    let mut classified = Classified::from_status(failure.status);
    match failure.json.and_then(Value::as_object) {
        Some(body) => read_body(&mut classified, body),
        None => classified.message = text_message(failure),
    }
    refine(classified, failure)
}

/// The failure in a body with a success status: `{"success": false, …}`.
pub(super) fn failed_success(body: &Value) -> Option<Classified> {
    let body = body.as_object()?;
    (body.get("success") == Some(&Value::Bool(false))).then(|| {
        let mut classified = Classified::from_status(400);
        read_body(&mut classified, body);
        classified
    })
}

fn read_body(classified: &mut Classified, body: &Map<String, Value>) {
    let inner = match body.get("error") {
        Some(Value::Object(error)) => error,
        _ => body,
    };
    let text = |name| Some(inner.get(name)?.as_str()?.to_owned());
    let message = text("message").or_else(|| text("error"));
    classified.message = message.or_else(|| text("status"));
    classified.code = text("code");
    let help = || Some(json!({ "helpLink": inner.get("helpLink")? }));
    let details = inner.get("details").filter(|details| !details.is_null());
    classified.details = details.cloned().or_else(help);
}

/// The message in a text body, without the status in front of it; `None` for HTML.
fn text_message(failure: &Failure<'_>) -> Option<String> {
    let text = failure.text.trim();
    if text.is_empty() || text.starts_with('<') || failure.json.is_some() {
        return None;
    }
    let status = failure.status.to_string();
    let text = text.strip_prefix(status.as_str()).unwrap_or(text).trim();
    // Not shortened here: the pipeline redacts secrets first, and would not recognise a truncated secret.
    Some(text.to_owned())
}

/// Refines the kind and adds advice by code, message and operation.
fn refine(classified: Classified, failure: &Failure<'_>) -> Classified {
    let code = classified.code.as_deref().unwrap_or_default();
    let message = classified.message.as_deref().unwrap_or_default();
    let id = failure.operation.map_or("", |operation| operation.id);
    match failure.status {
        // The handler saves variables and settings before it fails
        // (dployr-io/dployr-base:src/routes/services.ts).
        400 | 404 | 503 if id == "update_service" && is_saved(code, message) => classified
            .effect(Effect::Applied)
            .advice("the change is saved; it is deployed with the next deployment"),
        400 if message.contains("clusterId is required") => {
            classified.advice("set a cluster: builder().cluster(id) or DPLOYR_CLUSTER_ID")
        }
        400 if is_plan_limit(message) => classified.kind(ErrorKind::PlanLimit),
        // Some handlers respond with 400 when a second lookup finds nothing.
        400 if code == "resource.missing_resource" => classified.kind(ErrorKind::NotFound),
        400 if code == "request.invalid_otp" => classified
            .advice("a code is valid for ten minutes and three attempts: request another one"),
        401 if id == "login" => classified.advice("check the e-mail address and the password"),
        401 if id == "exchange_identity_token" => {
            classified.advice("check the identity token and the binding of its issuer")
        }
        401 => classified.advice("check DPLOYR_TOKEN; a session id belongs in with_session"),
        403 if id == "get_deployment" && code == "permission.viewer_role_required" => classified
            .advice("the control plane rejects reads of a deployment: use deployments().find(id)"),
        403 if id == "delete_deployment" && code == "permission.developer_role_required" => {
            classified.advice(
                "the control plane rejects a delete without a cluster: set builder().cluster(id)",
            )
        }
        403 if ["create_api_token", "list_api_tokens", "delete_api_token"].contains(&id) => {
            classified.advice("a token cannot manage tokens: use login_by_email and with_session")
        }
        404 if is_missing_route(failure) => classified
            .kind(ErrorKind::NoSuchRoute)
            .advice(missing_route_advice(failure.operation)),
        405 => classified.advice(missing_route_advice(failure.operation)),
        422 if id == "verify_domain" => classified.advice(
            "set the TXT record that domain(..).get() shows under `verification`; \
             a new record takes a while to become visible",
        ),
        429 if is_quota(failure.headers) && id == "rename_cluster" => classified
            .kind(ErrorKind::Quota)
            .advice("a cluster can be renamed once a month"),
        429 if is_quota(failure.headers) => classified.kind(ErrorKind::Quota),
        501 if code == "LOGS_NOT_AVAILABLE" => classified.advice("this server has no log store"),
        // These handlers look for the node first.
        503 if code == NO_NODE && TASKS.contains(&id) => classified
            .effect(Effect::None)
            .advice("the node is not connected"),
        503 if code == NO_NODE => classified.advice("no suitable node is connected"),
        _ => classified,
    }
}

const NO_NODE: &str = "runtime.node_not_connected";
/// Operations that only send a task to a node.
const TASKS: [&str; 4] = [
    "start_service",
    "stop_service",
    "reboot_instance",
    "restart_instance",
];

/// Whether a failed update of a service has saved the change.
fn is_saved(code: &str, message: &str) -> bool {
    let messages = [
        "Service has no deployment record",
        "Failed to patch deployment record",
    ];
    code == NO_NODE || messages.contains(&message)
}

/// `Service limit reached for hobby plan (1 service max). …`, with status 400 like other rejections.
fn is_plan_limit(message: &str) -> bool {
    let message = message.to_lowercase();
    message.contains("limit reached") && message.contains("plan")
}

/// A 404 of a handler is JSON. Without a handler, the framework responds in plain text or HTML.
fn is_missing_route(failure: &Failure<'_>) -> bool {
    !failure.json.is_some_and(Value::is_object)
        && (failure.is_plain_text() || !failure.text.trim().is_empty())
}

/// The 429 of a used-up quota has no `Retry-After`, and requests are left in the rate limit window.
fn is_quota(headers: &HeaderMap) -> bool {
    let left = RateLimit::of(headers).and_then(|limit| limit.remaining);
    !headers.contains_key(http::header::RETRY_AFTER) && left.is_some_and(|left| left > 0)
}

/// Advice for a route that only the vendor's page has: the method to use on a control plane.
macro_rules! instead {
    ($method:literal) => {
        concat!(
            "only the vendor's page has this route; on a control plane use ",
            $method
        )
    };
}

/// Advice for a server that lacks the route.
fn missing_route_advice(operation: Option<&Operation>) -> &'static str {
    let Some(operation) = operation else {
        return "this server does not have the route";
    };
    match operation.id {
        "login" => {
            "this server has no passwords: create a personal access token there, or use login_by_email"
        }
        "create_webhook" => instead!("webhooks().set_up(..), one webhook for each cluster"),
        "list_webhooks" => instead!("cluster(id).integrations(), which has the cluster's webhook"),
        "list_routes" => instead!("routable_services().list() and domains().list()"),
        "create_route" => instead!("domains().create(..)"),
        "delete_route" => instead!("domain(name).delete()"),
        "list_service_env" => instead!("env_variables().get_map()"),
        "set_service_env" => {
            instead!(
                "env_variables().rewrite_with(key, value, update), which redeploys the service"
            )
        }
        "delete_service_env" => {
            instead!("env_variables().rewrite_without(key, update), which redeploys the service")
        }
        "restart_service" => instead!("restart_by_stop_and_start()"),
        "update_deployment" => instead!("service(id).update(..), or deploy the name again"),
        "get_service_status" => instead!("service(id).wait() or domain(name).status()"),
        "get_deployment" => "use deployments().find(id), which reads the list",
        _ if matches!(operation.evidence, Evidence::Observed | Evidence::Source) => {
            "dployr's control plane has this route: check the base URL"
        }
        _ => "only the vendor's page has this route: no known server has it",
    }
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

    /// Shapes without a recorded exchange.
    #[test]
    fn every_shape_of_a_failure_is_classified() {
        use ErrorKind as Kind;
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
                r#"{"success":false,"error":{"message":"Instance not found","code":"resource.missing_resource"}}"#,
                Kind::NotFound,
                "resource.missing_resource",
                "Instance not found",
            ),
            (401, "", Kind::Unauthenticated, "", ""),
            (
                403,
                r#"{"message":"Admins only","code":"permission.admin_role_required"}"#,
                Kind::Forbidden,
                "permission.admin_role_required",
                "Admins only",
            ),
            (404, "<html><h1>404</h1></html>", Kind::NoSuchRoute, "", ""),
            (
                405,
                r#"{"error":"Method not allowed","code":"request.method_not_allowed"}"#,
                Kind::NoSuchRoute,
                "request.method_not_allowed",
                "Method not allowed",
            ),
            (502, "<html>", Kind::Unavailable, "", ""),
        ] {
            let found = of("list_deployments", status, body);
            let read = (
                found.code.unwrap_or_default(),
                found.message.unwrap_or_default(),
            );
            assert_eq!(found.kind, kind, "{status} {body}");
            assert_eq!(
                read,
                (code.to_owned(), message.to_owned()),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn details_and_the_help_link_are_kept() {
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
        ] {
            assert_eq!(of("", 400, body).details, Some(details), "{body}");
        }
        assert_eq!(of("", 400, r#"{"error":"m","details":null}"#).details, None);
    }

    #[test]
    fn a_429_is_a_rate_limit_or_a_quota() {
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
            (
                "get_deployment",
                403,
                viewer,
                Some("deployments().find(id)"),
            ),
            ("get_instance", 403, viewer, None),
            (
                "delete_deployment",
                403,
                developer,
                Some("without a cluster"),
            ),
            ("stop_service", 403, developer, None),
            ("list_projects", 404, plain, Some("vendor's page")),
            ("list_services", 404, plain, Some("check the base URL")),
            ("list_clusters", 404, plain, Some("check the base URL")),
            ("create_webhook", 404, plain, Some("webhooks().set_up(..)")),
            ("list_webhooks", 404, plain, Some("integrations()")),
            ("create_route", 404, plain, Some("domains().create(..)")),
            ("get_deployment", 404, plain, Some("deployments().find(id)")),
            (
                "set_service_env",
                404,
                plain,
                Some("rewrite_with(key, value, update)"),
            ),
            (
                "delete_service_env",
                404,
                plain,
                Some("rewrite_without(key, update)"),
            ),
            (
                "restart_service",
                404,
                plain,
                Some("restart_by_stop_and_start()"),
            ),
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
            ("", 404, plain, Some("does not have the route")),
            ("login", 401, "", Some("password")),
            ("exchange_identity_token", 401, "", Some("identity token")),
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
    fn failures_after_the_change_was_saved_have_the_effect_applied() {
        let no_node = r#"{"error":"no node","code":"runtime.node_not_connected"}"#;
        let no_record = r#"{"error":"Service has no deployment record"}"#;
        let not_patched = r#"{"error":"Failed to patch deployment record"}"#;
        for (operation, status, body, effect) in [
            ("update_service", 503, no_node, Some(Effect::Applied)),
            ("update_service", 404, no_record, Some(Effect::Applied)),
            ("update_service", 400, not_patched, Some(Effect::Applied)),
            (
                "update_service",
                404,
                r#"{"error":"Service not found"}"#,
                None,
            ),
            ("start_service", 503, no_node, Some(Effect::None)),
            ("stop_service", 503, no_node, Some(Effect::None)),
            ("reboot_instance", 503, no_node, Some(Effect::None)),
            ("restart_instance", 503, no_node, Some(Effect::None)),
            ("create_deployment", 503, no_node, None),
            ("start_service", 503, "{}", None),
        ] {
            let found = of(operation, status, body).effect;
            assert_eq!(found, effect, "{operation} {status} {body}");
        }
    }

    #[test]
    fn success_false_is_a_failure_despite_a_success_status() {
        let hidden = json!({ "success": false, "error": { "message": "no", "code": "x.y" } });
        let found = failed_success(&hidden).unwrap();
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
            assert_eq!(failed_success(&fine), None, "{fine}");
        }
    }
}
