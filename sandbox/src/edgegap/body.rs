//! What the spec does not say of the body of a create call, but edgegap/openapi-specification:edgegap-v2-openapi.yaml does.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::details_reply;
use crate::model::Reply;

/// Checks a body that the spec allows.
pub(super) fn check(body: &Map<String, Value>) -> Result<(), Reply> {
    let users = body.get("users").and_then(Value::as_array);
    for user in users.into_iter().flatten() {
        check_user(user).map_err(|what| refusal("users", what))?;
    }
    // `[boolean, null]` in the document.
    if let Some(Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) =
        body.get("require_cached_locations")
    {
        return Err(refusal("require_cached_locations", "must be a boolean"));
    }
    // Newer than the rest (version 20026.06.01 of the document).
    let resource = |name: &str| body.get("resources")?.get(name)?.as_i64();
    match (resource("cpu_units"), resource("memory_mib")) {
        (Some(cpu), Some(memory)) if memory > cpu.saturating_mul(2) => Err(refusal(
            "resources",
            "memory_mib may be at most twice cpu_units",
        )),
        _ => Ok(()),
    }
}

fn refusal(field: &str, what: &str) -> Reply {
    let message = format!("Invalid request: {field} {what}");
    details_reply(&message, json!({ field: what }))
}

/// The document leaves `user_data` open; these two kinds are its examples, and no client knows a third
/// (edgegap/edgegap-mcp:src/tools/curated.ts).
fn check_user(user: &Value) -> Result<(), &'static str> {
    let data = |name: &str| user.pointer(&format!("/user_data/{name}"));
    if user.get("user_type") == Some(&json!("ip_address")) {
        let address = data("ip_address").and_then(Value::as_str);
        let address = address.and_then(|address| address.parse::<IpAddr>().ok());
        return address
            .map(|_| ())
            .ok_or("ip_address needs user_data.ip_address");
    }
    let both = data("latitude").is_some() && data("longitude").is_some();
    let problem = "geo_coordinates needs user_data.latitude and user_data.longitude";
    both.then_some(()).ok_or(problem)
}
