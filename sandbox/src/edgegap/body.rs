//! The body of a create call, checked field by field as `DeploymentCreate` and `PrivateFleetDeploymentCreate` of
//! edgegap/openapi-specification:edgegap-v2-openapi.yaml ask.

use std::net::IpAddr;

use serde_json::{Map, Value};

use crate::model::text_field;

/// Which of the two operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Cloud,
    Fleet,
}

/// What of the body is used further on.
#[derive(Clone, Debug)]
pub(super) struct Create {
    pub(super) application: String,
    pub(super) version: String,
    pub(super) tags: Vec<String>,
    pub(super) hosts: Vec<String>,
}

/// The field and what is wrong with it.
type Problem = (&'static str, &'static str);
type Checked<T> = Result<T, Problem>;

impl Create {
    pub(super) fn read(body: &Map<String, Value>, kind: Kind) -> Checked<Self> {
        let application = required_text(body, "application")?;
        let version = required_text(body, "version")?;
        users(body)?;
        let hosts = match kind {
            Kind::Fleet => private_host_ids(body)?,
            Kind::Cloud => Vec::new(),
        };
        // `[boolean, null]` in the document.
        match body.get("require_cached_locations") {
            None | Some(Value::Null | Value::Bool(_)) => {}
            Some(_) => return Err(("require_cached_locations", "must be a boolean")),
        }
        environment_variables(body)?;
        for name in [
            "webhook_on_ready",
            "webhook_on_error",
            "webhook_on_terminated",
        ] {
            webhook(body, name)?;
        }
        resources(body)?;
        let tags = match body.get("tags") {
            None => Vec::new(),
            Some(tags) => strings(tags).ok_or(("tags", "must be an array of strings"))?,
        };
        Ok(Self {
            application,
            version,
            tags,
            hosts,
        })
    }
}

fn required_text(body: &Map<String, Value>, name: &'static str) -> Checked<String> {
    match body.get(name) {
        None => Err((name, "is required")),
        Some(_) => text_field(body, name)
            .map(str::to_owned)
            .ok_or((name, "must be a non-empty string")),
    }
}

fn strings(value: &Value) -> Option<Vec<String>> {
    value
        .as_array()?
        .iter()
        .map(|item| item.as_str().map(str::to_owned))
        .collect()
}

/// At least one. The document leaves `user_data` open; these two kinds are its examples, and no client knows a third
/// (edgegap/edgegap-mcp:src/tools/curated.ts).
fn users(body: &Map<String, Value>) -> Checked<()> {
    let users = body.get("users").ok_or(("users", "is required"))?;
    let users = users.as_array().ok_or(("users", "must be an array"))?;
    if users.is_empty() {
        return Err(("users", "needs at least 1 item"));
    }
    for user in users {
        let kind = user
            .get("user_type")
            .and_then(Value::as_str)
            .ok_or(("users", "each needs user_type"))?;
        let data = user
            .get("user_data")
            .and_then(Value::as_object)
            .ok_or(("users", "each needs user_data"))?;
        match kind {
            "ip_address" => {
                let address = data.get("ip_address").and_then(Value::as_str);
                if address
                    .and_then(|address| address.parse::<IpAddr>().ok())
                    .is_none()
                {
                    return Err(("users", "ip_address needs user_data.ip_address"));
                }
            }
            "geo_coordinates" => {
                let within = |name: &str, limit: f64| {
                    data.get(name)
                        .and_then(Value::as_f64)
                        .is_some_and(|number| number.abs() <= limit)
                };
                if !within("latitude", 90.0) || !within("longitude", 180.0) {
                    return Err((
                        "users",
                        "geo_coordinates needs user_data.latitude and user_data.longitude",
                    ));
                }
            }
            _ => return Err(("users", "user_type must be ip_address or geo_coordinates")),
        }
    }
    Ok(())
}

/// `minItems: 1, uniqueItems: true`. A host that is not known is no mistake: the deployment overflows to the cloud.
fn private_host_ids(body: &Map<String, Value>) -> Checked<Vec<String>> {
    const NAME: &str = "private_host_ids";
    let hosts = body.get(NAME).ok_or((NAME, "is required"))?;
    let hosts = strings(hosts).ok_or((NAME, "must be an array of strings"))?;
    if hosts.is_empty() {
        return Err((NAME, "needs at least 1 item"));
    }
    let mut different = hosts.clone();
    different.sort_unstable();
    different.dedup();
    if different.len() < hosts.len() {
        Err((NAME, "must not repeat an item"))
    } else {
        Ok(hosts)
    }
}

/// All three fields are required in version 2; `is_hidden` had a default in version 1.
fn environment_variables(body: &Map<String, Value>) -> Checked<()> {
    const NAME: &str = "environment_variables";
    let Some(variables) = body.get(NAME) else {
        return Ok(());
    };
    for variable in variables.as_array().ok_or((NAME, "must be an array"))? {
        if !variable.get("key").is_some_and(Value::is_string) {
            return Err((NAME, "each needs key"));
        }
        if !variable.get("value").is_some_and(Value::is_string) {
            return Err((NAME, "each needs value"));
        }
        if !variable.get("is_hidden").is_some_and(Value::is_boolean) {
            return Err((NAME, "each needs is_hidden"));
        }
    }
    Ok(())
}

fn webhook(body: &Map<String, Value>, name: &'static str) -> Checked<()> {
    match body.get(name) {
        None => Ok(()),
        Some(webhook) if webhook.get("url").is_some_and(Value::is_string) => Ok(()),
        Some(_) => Err((name, "needs url")),
    }
}

/// Newer than the rest (version 20026.06.01 of the document): both at least 100, memory at most twice the units.
fn resources(body: &Map<String, Value>) -> Checked<()> {
    const NAME: &str = "resources";
    let Some(resources) = body.get(NAME) else {
        return Ok(());
    };
    let number = |name: &str| {
        resources
            .get(name)
            .and_then(Value::as_i64)
            .filter(|number| *number >= 100)
    };
    match (number("cpu_units"), number("memory_mib")) {
        (Some(cpu), Some(memory)) if memory <= cpu.saturating_mul(2) => Ok(()),
        (Some(_), Some(_)) => Err((NAME, "memory_mib may be at most twice cpu_units")),
        _ => Err((NAME, "needs cpu_units and memory_mib of at least 100")),
    }
}
