//! The user, the cluster and the cluster's one webhook.

use serde_json::{Map, Value, json};

use super::super::{Dployr, SET_UP_AT};
use super::{CLUSTER_NAME, Role, allowed, failure, ok_with};
use crate::model::{Reply, Request};
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
        "name": CLUSTER_NAME,
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
