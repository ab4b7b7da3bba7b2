//! Routes of the control plane that no spec has.

use serde_json::{Value, json};

use super::super::Dployr;
use super::{
    Role, account, allowed, broken, failure, flat, not_modelled, not_routed, ok, said, scoped,
};
use super::{bad, domains};
use crate::call::Call;
use crate::model::{Answer, Reply, text_field};

/// Those that are answered without credentials (seen, and dployr-io/dployr-base:src/routes).
pub(super) fn open(call: &Call, path: &[&str], state: &Dployr) -> Option<Answer> {
    match (call.method(), path) {
        // Counted as of nobody, since a browser sends no credentials with it.
        ("OPTIONS", _) => Some(Ok(Reply::empty(204))),
        ("GET", ["domains", "verify"]) => Some(domains::is_verified(state, call.request)),
        ("POST", ["deployments", "finish"]) => Some(Err(finish(call))),
        ("POST", ["domains", "register"]) => Some(Err(not_modelled())),
        _ => None,
    }
}

pub(super) fn route(state: &mut Dployr, call: &Call, path: &[&str]) -> Answer {
    match (call.method(), path) {
        ("PATCH", ["users", "me"]) => account::update_user(state, call),
        // Those that the user was sent, not those of a cluster.
        ("GET", ["clusters", "users", "invites"]) => Ok(ok(json!({ "invites": [] }))),
        ("GET", ["integrations", "list"]) => {
            scoped(state, call, Role::Developer)?;
            Ok(said(
                200,
                account::integrations(state),
                "Integrations retrieved",
            ))
        }
        ("GET" | "PUT", ["clusters", id, "notifications"]) => {
            account::notifications(state, call, id)
        }
        ("POST", ["proxy", "invalidate"]) => forget_routes(state, call),
        // The permission check asks for a path parameter that these routes do not have.
        ("POST", ["proxy", "node", "routes" | "restart"])
        | ("GET", ["proxy", "node", "status"])
        | ("DELETE", ["proxy", "node", "routes", _]) => Err(flat(
            400,
            "Domain identifier is required",
            "request.bad_request",
        )),
        (method, _) if exists(method, path) => Err(not_modelled()),
        _ => Err(not_routed()),
    }
}

/// Routes of the control plane that the sandbox leaves out.
fn exists(method: &str, path: &[&str]) -> bool {
    // Of these it has all that there is.
    if let ["auth", "login" | "tokens" | "logout" | "oidc", ..]
    | ["runtime", "events" | "versions"]
    | ["clusters", _, "users"] = path
    {
        return false;
    }
    match (method, path) {
        ("GET", ["ws", "stats"] | ["clusters", _, _, ..])
        | ("POST" | "DELETE", ["clusters", _, "users", _, ..])
        | ("POST", ["instances", _, "tokens", "rotate"] | ["instances", _, "domain"])
        | ("POST", ["notifications", _, "setup"]) => true,
        (_, [first, _, ..]) => matches!(
            *first,
            "auth" | "runtime" | "billing" | "node" | "jwks" | "admin"
        ),
        _ => false,
    }
}

/// `POST /v1/deployments/finish`, which nodes call when they are done, without the credentials of a user. The refusals of
/// a body and of a token were seen; the sandbox hands out no token of a node, so every one is refused. That a body which
/// is no JSON counts as empty is the sandbox's own.
fn finish(call: &Call) -> Reply {
    let body = call.request.json_object().unwrap_or_default();
    let mut problems = Vec::new();
    // By hand: the order of the keys was seen.
    let problem = |field, message| format!(r#"{{"field":"{field}","message":"{message}"}}"#);
    match body.get("token").map(Value::as_str) {
        Some(Some("")) => problems.push(problem("token", "Token is required")),
        Some(Some(_)) => {}
        // Of what else is no text the sandbox says the same.
        _ => {
            let message = "Invalid input: expected string, received undefined";
            problems.push(problem("token", message));
        }
    }
    if !text_field(&body, "id").is_some_and(is_ulid) {
        problems.push(problem("id", "Invalid deployment ID"));
    }
    if problems.is_empty() {
        return failure(401, "Invalid or expired token", "auth.bad_token");
    }
    bad(&format!("Validation failed [{}]", problems.join(",")))
}

fn is_ulid(text: &str) -> bool {
    let letter = |it: u8| it.is_ascii_alphanumeric() && !b"ILOUilou".contains(&it);
    text.len() == 26 && text.bytes().all(letter)
}

/// `POST /v1/proxy/invalidate`. There are no routes to forget here. The reply to `all` and the refusal were seen, the
/// other two replies and the 500 read in dployr-io/dployr-base:src/routes/proxy.ts.
fn forget_routes(state: &Dployr, call: &Call) -> Answer {
    let body = call.request.json_object();
    let in_body = body
        .as_ref()
        .ok()
        .and_then(|body| text_field(body, "clusterId"));
    allowed(
        state,
        in_body.or(call.request.query_value("clusterId")),
        Role::Viewer,
    )?;
    let body = body.map_err(|_| broken())?;
    let (service, cluster) = (
        text_field(&body, "serviceName"),
        text_field(&body, "clusterName"),
    );
    let message = match (body.get("all") == Some(&json!(true)), service, cluster) {
        (true, ..) => "All routes invalidated".to_owned(),
        (_, Some(service), Some(cluster)) => format!("Route {service}.{cluster} invalidated"),
        (_, None, Some(cluster)) => format!("All routes for cluster {cluster} invalidated"),
        _ => {
            let message = "Specify serviceName+clusterName, clusterName, or all:true";
            return Err(failure(400, message, "validation.missing_fields"));
        }
    };
    Ok(ok(json!({ "message": message })))
}
