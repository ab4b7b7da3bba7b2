//! Environment variables and secrets of services. Secrets are listed by key, without values.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::{Dployr, SecretVariable};
use super::{ok, services};
use crate::platform::Call;
use crate::reply::HandlerResult;
use crate::time::millis;

pub(super) fn variables(state: &Dployr, call: &Call) -> HandlerResult {
    let service = services::find(state, call)?;
    let variables = state.env.get(&service.name).cloned();
    Ok(ok(json!({ "envs": variables.unwrap_or_default() })))
}

/// Lists the secrets, sorted by key.
///
/// A key that was set both before and after the creation of the service is listed twice: once for the
/// deployment, once for the service.
pub(super) fn list(state: &Dployr, call: &Call) -> HandlerResult {
    let service = services::find(state, call)?;
    let rows = state.secrets.get(&service.name).into_iter().flatten();
    let mut rows: Vec<&SecretVariable> = rows.collect();
    rows.sort_by(|a, b| a.key.cmp(&b.key));
    let secrets = rows.into_iter().map(|row| {
        json!({
            "id": row.id,
            "serviceId": row.of_service.then_some(&service.id),
            "key": row.key,
            "createdAt": millis(row.created_at),
            "updatedAt": millis(row.updated_at),
        })
    });
    Ok(ok(json!({ "secrets": secrets.collect::<Vec<Value>>() })))
}

/// Stores the secrets of a deployment, or of the service if it already exists.
pub(super) fn deploy(state: &mut Dployr, name: &str, body: &Map<String, Value>, now: Duration) {
    let of_service = state.services.iter().any(|service| service.name == name);
    for key in keys(body).into_iter().flatten() {
        set(state, name, key, of_service, now);
    }
}

/// The keys in `secrets` of a body.
pub(super) fn keys(body: &Map<String, Value>) -> Option<impl Iterator<Item = &String>> {
    body.get("secrets")?.as_object().map(Map::keys)
}

/// Updates the secrets of a service.
///
/// If `secrets` or `keep_secret_keys` names a key, all keys that neither of them names are deleted
/// (dployr-io/dployr-base:src/lib/db/store/db/service-secrets.ts).
pub(super) fn update(state: &mut Dployr, name: &str, body: &Map<String, Value>, now: Duration) {
    let kept = body.get("keep_secret_keys").and_then(Value::as_array);
    let kept = kept.into_iter().flatten().filter_map(Value::as_str);
    let mut kept_keys: BTreeSet<&str> = kept.collect();
    let new = keys(body);
    if new.is_none() && kept_keys.is_empty() {
        return;
    }
    let new: Vec<&String> = new.into_iter().flatten().collect();
    kept_keys.extend(new.iter().map(|key| key.as_str()));
    if let Some(rows) = state.secrets.get_mut(name) {
        rows.retain(|row| kept_keys.contains(row.key.as_str()));
    }
    for key in new {
        set(state, name, key, true, now);
    }
}

fn set(state: &mut Dployr, name: &str, key: &str, of_service: bool, now: Duration) {
    let id = state.id("secret", now);
    let rows = state.secrets.entry(name.to_owned()).or_default();
    let known = rows
        .iter_mut()
        .find(|row| row.key == key && row.of_service == of_service);
    match known {
        Some(row) => row.updated_at = now,
        None => rows.push(SecretVariable {
            id,
            key: key.to_owned(),
            of_service,
            created_at: now,
            updated_at: now,
        }),
    }
}
