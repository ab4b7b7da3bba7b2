//! What nodes call when they are done, without the credentials of a user. No node calls the sandbox.

use super::failure;
use crate::model::{Reply, Request};

/// `POST /v1/deployments/finish`. The refusals of a body and of a token were seen; the sandbox hands out no token of a
/// node, so every one is refused. That a body which is no JSON counts as empty is the sandbox's own.
pub(super) fn finish(request: &Request) -> Reply {
    let body = request.json_object().unwrap_or_default();
    let mut problems = Vec::new();
    match body.get("token").map(|token| token.as_str()) {
        Some(Some("")) => problems.push(("token", "Token is required")),
        Some(Some(_)) => {}
        // Of what else is no text the sandbox says the same.
        _ => problems.push((
            "token",
            "Invalid input: expected string, received undefined",
        )),
    }
    if !body
        .get("id")
        .and_then(|id| id.as_str())
        .is_some_and(is_ulid)
    {
        problems.push(("id", "Invalid deployment ID"));
    }
    if problems.is_empty() {
        return failure(401, "Invalid or expired token", "auth.bad_token");
    }
    let problems: Vec<String> = problems
        .into_iter()
        // By hand: the order of the keys was seen.
        .map(|(field, message)| format!(r#"{{"field":"{field}","message":"{message}"}}"#))
        .collect();
    let message = format!("Validation failed [{}]", problems.join(","));
    failure(400, &message, "request.bad_request")
}

fn is_ulid(text: &str) -> bool {
    let letter = |it: u8| it.is_ascii_alphanumeric() && !b"ILOUilou".contains(&it);
    text.len() == 26 && text.bytes().all(letter)
}
