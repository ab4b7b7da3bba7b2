//! The cluster's webhook.

use serde_json::{Value, json};

use super::super::Dployr;
use super::{Role, handler_error, ok, ok_with_message, require_query_cluster, require_role};
use crate::platform::Call;
use crate::reply::HandlerResult;

const DEFAULT_EVENTS: [&str; 7] = [
    "instance.created",
    "instance.updated",
    "instance.deleted",
    "cluster.invite_accepted",
    "cluster.user_invited",
    "cluster.removed_user",
    "cluster.user_role_changed",
];

/// Stores the webhook of the cluster without validation and returns it unchanged. A cluster has at most one.
pub(super) fn set_up_webhook(state: &mut Dployr, call: &Call) -> HandlerResult {
    require_query_cluster(state, call, Role::Developer)?;
    let broken = |_| {
        handler_error(
            500,
            "Internal server error",
            "runtime.internal_server_error",
        )
    };
    let mut webhook = call.request.json_object().map_err(broken)?;
    webhook.retain(|key, _| matches!(key.as_str(), "webhookUrl" | "enabled" | "events"));
    let events = webhook.entry("events");
    events.or_insert_with(|| json!(DEFAULT_EVENTS));
    let webhook = Value::Object(webhook);
    state.cluster_webhook = Some(webhook.clone());
    Ok(ok_with_message(
        200,
        webhook,
        "Custom webhook integration configured",
    ))
}

pub(super) fn integrations_of(state: &Dployr, cluster: &str) -> HandlerResult {
    require_role(state, Some(cluster), Role::Viewer)?;
    let notification = custom_webhook(state);
    Ok(ok(
        json!({ "remote": {}, "email": {}, "notification": notification }),
    ))
}

pub(super) fn custom_webhook(state: &Dployr) -> Value {
    let webhook = state.cluster_webhook.as_ref();
    webhook.map_or(json!({}), |webhook| json!({ "customWebhook": webhook }))
}
