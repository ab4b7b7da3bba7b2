//! The user, the cluster and the cluster's one webhook.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::{Dployr, SET_UP_AT, create};
use super::sessions::is_email;
use super::{Role, allowed, failure, ok_with, page};
use crate::bounds::{MOST, cut};
use crate::model::{Reply, Request, text_field};
use crate::time::{millis, rfc3339};

/// What can change about the user and the cluster.
#[derive(Clone, Debug)]
pub(in crate::dployr) struct Account {
    user_name: String,
    user_updated_at: Duration,
    pub(super) cluster_name: String,
    /// When the cluster was renamed last.
    renamed_at: Option<Duration>,
    invited: Vec<Invited>,
    notifications: Option<Notifications>,
}

/// Where a cluster's notifications go. Nothing is sent there.
#[derive(Clone, Debug)]
struct Notifications {
    enabled: bool,
    slack: Value,
    discord: Value,
    created_at: Duration,
    updated_at: Duration,
}

impl Account {
    pub(super) fn bound(&mut self) {
        cut(&mut self.invited, MOST, |_| false);
    }
}

#[derive(Clone, Debug)]
struct Invited {
    id: String,
    email: String,
    at: Duration,
}

impl Default for Account {
    fn default() -> Self {
        Self {
            user_name: "owner".to_owned(),
            user_updated_at: SET_UP_AT,
            cluster_name: "owner".to_owned(),
            renamed_at: None,
            invited: Vec::new(),
            notifications: None,
        }
    }
}

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

/// `/v1/clusters/{id}/notifications`, read and written. The times are there once it was written. Which role it takes, and
/// what else of a body is refused than an `enabled` of another kind, is not known.
pub(super) fn notifications(
    state: &mut Dployr,
    request: &Request,
    method: &str,
    id: &str,
    now: Duration,
) -> Reply {
    if let Err(reply) = allowed(state, Some(id), Role::Viewer) {
        return reply;
    }
    if method == "PUT" {
        let body = request.json_object().unwrap_or_default();
        if let Some(wrong) = body.get("enabled").filter(|enabled| !enabled.is_boolean()) {
            let kind = create::kind(wrong);
            let message = format!(
                "Validation failed: enabled: Invalid input: expected boolean, received {kind}"
            );
            return failure(400, &message, "request.bad_request");
        }
        let kept = state
            .own
            .account
            .notifications
            .get_or_insert(Notifications {
                enabled: true,
                slack: Value::Null,
                discord: Value::Null,
                created_at: now,
                updated_at: now,
            });
        kept.updated_at = now;
        if let Some(enabled) = body.get("enabled").and_then(Value::as_bool) {
            kept.enabled = enabled;
        }
        for (key, place) in [
            ("slackWebhookUrl", &mut kept.slack),
            ("discordWebhookUrl", &mut kept.discord),
        ] {
            if let Some(url) = body.get(key) {
                *place = url.clone();
            }
        }
    }
    let kept = state.own.account.notifications.as_ref();
    let mut shown = super::object(json!({
        "clusterId": state.cluster_id,
        "enabled": kept.is_none_or(|kept| kept.enabled),
        "slackWebhookUrl": kept.map(|kept| &kept.slack),
        "discordWebhookUrl": kept.map(|kept| &kept.discord),
    }));
    if let Some(kept) = kept {
        shown.insert("createdAt".to_owned(), json!(millis(kept.created_at)));
        shown.insert("updatedAt".to_owned(), json!(millis(kept.updated_at)));
    }
    super::ok(json!({ "notifications": shown }))
}

pub(super) fn user(state: &Dployr) -> Value {
    json!({
        "id": state.user_id,
        "email": state.email,
        "name": state.own.account.user_name,
        "picture": "",
        "provider": "email",
        "metadata": {},
        "createdAt": millis(SET_UP_AT),
        "updatedAt": millis(state.own.account.user_updated_at),
    })
}

/// The one call on a user that no token makes, and its 401 has the form of a handler's. Everything else of a user is
/// left out here.
pub(super) fn update_user(state: &mut Dployr, request: &Request, now: Duration) -> Reply {
    if !state.own.access.knows_cookie(request, now) {
        return failure(401, "Not authenticated", "auth.bad_session");
    }
    let body = request.json_object().unwrap_or_default();
    if let Some(name) = body.get("name").and_then(Value::as_str) {
        if name.chars().count() < 3 {
            let message = "name: Too small: expected string to have >=3 characters";
            return failure(400, message, "request.bad_request");
        }
        state.own.account.user_name = name.to_owned();
        state.own.account.user_updated_at = now;
    }
    super::ok(json!({ "user": user(state) }))
}

pub(super) fn cluster(state: &Dployr) -> Value {
    let account = &state.own.account;
    let invited: Vec<&str> = account.invited.iter().map(|it| it.id.as_str()).collect();
    // Seen: the webhook stands here as well.
    let metadata = match &state.cluster_webhook {
        Some(webhook) => json!({ "customWebhook": webhook }),
        None => json!({}),
    };
    json!({
        "id": state.cluster_id,
        "name": account.cluster_name,
        "users": [state.user_id],
        "roles": { "owner": [state.user_id], "admin": [], "developer": [], "viewer": [], "invited": invited },
        "poolInstanceId": null,
        "metadata": metadata,
        "createdAt": millis(SET_UP_AT),
        "updatedAt": millis(account.renamed_at.unwrap_or(SET_UP_AT)),
        "role": "owner",
        // By name, which its owner may change.
        "owner": account.user_name,
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
    let next = state.own.account.renamed_at.map(|at| at + month);
    if let Some(next) = next.filter(|next| now < *next) {
        let day = day_in_words(next);
        let message = format!("You can only rename once per month. Try again after {day}.");
        return failure(429, &message, "request.too_many_requests");
    }
    state.own.account.renamed_at = Some(now);
    state.own.account.cluster_name = name.to_owned();
    state.emit("cluster.modified", json!({}), now);
    let mut cluster = super::object(cluster(state));
    // The one reply without these two.
    cluster.remove("role");
    cluster.remove("owner");
    ok_with(
        json!({ "cluster": cluster }),
        "Cluster renamed successfully",
    )
}

/// `December 24, 2026`
fn day_in_words(at: Duration) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let text = rfc3339(at);
    let numbers = text
        .split(['-', 'T'])
        .map(|part| part.parse::<usize>().ok());
    let numbers: Vec<usize> = numbers.take(3).flatten().collect();
    let [year, month, day] = numbers.as_slice() else {
        return text;
    };
    let month = MONTHS.get(month.saturating_sub(1)).copied();
    format!("{} {day}, {year}", month.unwrap_or_default())
}

/// Those who belong, or with `showInvites`, whatever it says, those who were asked and have not answered. The latter were
/// never recorded with anybody in it: they have the form of the others here.
pub(super) fn users(state: &Dployr, request: &Request, id: &str) -> Reply {
    if let Err(reply) = allowed(state, Some(id), Role::Viewer) {
        return reply;
    }
    if request.query_value("showInvites").is_some() {
        let invited = state.own.account.invited.iter();
        let items = invited.map(|invited| {
            json!({
                "id": invited.id,
                "name": invited.email.split('@').next(),
                "email": invited.email,
                "picture": null,
                "provider": "email",
                "role": "invited",
                "createdAt": millis(invited.at),
                "updatedAt": millis(invited.at),
            })
        });
        return page(request, items.collect());
    }
    let mut user = super::object(user(state));
    user.remove("metadata");
    user.insert("picture".to_owned(), Value::Null);
    user.insert("role".to_owned(), json!("owner"));
    page(request, vec![Value::Object(user)])
}

/// Put together from dployr-io/dployr-base:src/routes/clusters.ts; no invitation was recorded, nor a refusal of one. There
/// are no mails here, so nobody ever answers.
pub(super) fn invite(state: &mut Dployr, request: &Request, id: &str, now: Duration) -> Reply {
    if let Err(reply) = allowed(state, Some(id), Role::Admin) {
        return reply;
    }
    let body = request.json_object().unwrap_or_default();
    let users = body.get("users").and_then(Value::as_array);
    let emails: Option<Vec<String>> = users.and_then(|users| {
        let emails = users.iter().map(|user| user.as_str().filter(is_email));
        emails.map(|email| email.map(str::to_owned)).collect()
    });
    let Some(emails) = emails.filter(|emails| !emails.is_empty()) else {
        let message = "Validation failed: users: Invalid input";
        return failure(400, message, "request.bad_request");
    };
    for email in &emails {
        let known = state
            .own
            .account
            .invited
            .iter()
            .any(|it| it.email == *email);
        // Who belongs already, and who was asked already, is not there twice.
        if *email != state.email && !known {
            let (id, email) = (state.id("user", now), email.clone());
            let invited = Invited { id, email, at: now };
            state.own.account.invited.push(invited);
        }
        state.emit("cluster.user_invited", json!({ "userEmail": email }), now);
    }
    ok_with(json!({ "users": emails }), "Invites sent successfully")
}
