//! The user, the cluster and the cluster's one webhook.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::{Dployr, SET_UP_AT};
use super::{Role, allowed, failure, ok_with, page};
use crate::model::{Reply, Request, text_field};
use crate::time::millis;

const DEFAULT_EVENTS: [&str; 7] = [
    "instance.created",
    "instance.updated",
    "instance.deleted",
    "cluster.invite_accepted",
    "cluster.user_invited",
    "cluster.removed_user",
    "cluster.user_role_changed",
];

/// One webhook per cluster, nothing is checked, and whatever came is what goes out again.
pub(super) fn set_up_webhook(state: &mut Dployr, request: &Request) -> Reply {
    if let Err(reply) = allowed(state, request.query_value("clusterId"), Role::Developer) {
        return reply;
    }
    let Ok(body) = request.json_object() else {
        return failure(
            500,
            "Internal server error",
            "runtime.internal_server_error",
        );
    };
    let mut webhook = Map::new();
    for key in ["webhookUrl", "enabled", "events"] {
        if let Some(value) = body.get(key) {
            webhook.insert(key.to_owned(), value.clone());
        }
    }
    webhook
        .entry("events")
        .or_insert_with(|| json!(DEFAULT_EVENTS));
    let webhook = Value::Object(webhook);
    state.cluster_webhook = Some(webhook.clone());
    ok_with(webhook, "Custom webhook integration configured")
}

pub(super) fn integrations(state: &Dployr) -> Value {
    let notification = match &state.cluster_webhook {
        Some(webhook) => json!({ "customWebhook": webhook }),
        None => json!({}),
    };
    json!({ "remote": {}, "email": {}, "notification": notification })
}

pub(super) fn user(state: &Dployr) -> Value {
    json!({
        "id": state.user_id,
        "email": state.email,
        "name": "owner",
        "picture": "",
        "provider": "email",
        "metadata": {},
        "createdAt": millis(SET_UP_AT),
        "updatedAt": millis(SET_UP_AT),
    })
}

pub(super) fn cluster(state: &Dployr) -> Value {
    json!({
        "id": state.cluster_id,
        "name": state.cluster_name,
        "users": [state.user_id],
        "roles": { "owner": [state.user_id], "admin": [], "developer": [], "viewer": [], "invited": [] },
        "poolInstanceId": null,
        "metadata": {},
        "createdAt": millis(SET_UP_AT),
        "updatedAt": millis(SET_UP_AT),
        "role": "owner",
        "owner": "owner",
    })
}

/// Once a month. The refusal is a 429 without `retry-after`, with requests left in the window: waiting as for a rate
/// does not help.
pub(super) fn rename(state: &mut Dployr, request: &Request, id: &str, now: Duration) -> Reply {
    if let Err(reply) = allowed(state, Some(id), Role::Owner) {
        return reply;
    }
    let body = request.json_object().unwrap_or_default();
    let name = text_field(&body, "name").filter(|name| name.chars().count() <= 64);
    let Some(name) = name else {
        let message = "Validation failed: name must be a non-empty string (max 64 chars)";
        return failure(400, message, "request.bad_request");
    };
    let month = Duration::from_secs(30 * 24 * 3_600);
    if state.renamed_at.is_some_and(|at| now < at + month) {
        let message = "You can only rename once per month. Try again after December 24, 2026.";
        return failure(429, message, "request.too_many_requests");
    }
    state.renamed_at = Some(now);
    state.cluster_name = name.to_owned();
    let mut cluster = super::object(cluster(state));
    cluster.insert("updatedAt".to_owned(), json!(millis(now)));
    // The one reply without these two.
    cluster.remove("role");
    cluster.remove("owner");
    ok_with(
        json!({ "cluster": cluster }),
        "Cluster renamed successfully",
    )
}

pub(super) fn users(state: &Dployr, request: &Request, id: &str) -> Reply {
    if let Err(reply) = allowed(state, Some(id), Role::Viewer) {
        return reply;
    }
    // Nobody is ever invited here.
    if request.query_value("showInvites").is_some() {
        return page(request, Vec::new());
    }
    let mut user = super::object(user(state));
    user.remove("metadata");
    user.insert("picture".to_owned(), Value::Null);
    user.insert("role".to_owned(), json!("owner"));
    page(request, vec![Value::Object(user)])
}
