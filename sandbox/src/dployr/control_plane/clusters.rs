//! Users and clusters.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Dployr, SET_UP_AT};
use super::sessions::is_email;
use super::webhooks::custom_webhook;
use super::{Role, bad_request, handler_error, ok, ok_with_message, page, require_role};
use crate::platform::Call;
use crate::reply::HandlerResult;
use crate::request::{object, text_field};
use crate::time::{day_in_words, millis};

const USER_NAME: &str = "owner";

/// The data of the cluster that requests can change.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) cluster_name: String,
    /// When the cluster was last renamed.
    renamed_at: Option<Duration>,
    invited: Vec<Invited>,
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
            cluster_name: USER_NAME.to_owned(),
            renamed_at: None,
            invited: Vec::new(),
        }
    }
}

pub(super) fn current_user(state: &Dployr) -> HandlerResult {
    Ok(ok(
        json!({ "user": user(state), "clusters": [cluster(state)] }),
    ))
}

fn user(state: &Dployr) -> Value {
    json!({
        "id": state.user_id,
        "email": state.email,
        "name": USER_NAME,
        "picture": "",
        "provider": "email",
        "metadata": {},
        "createdAt": millis(SET_UP_AT),
        "updatedAt": millis(SET_UP_AT),
    })
}

pub(super) fn clusters(state: &Dployr) -> HandlerResult {
    Ok(ok(json!({ "clusters": [cluster(state)] })))
}

fn cluster(state: &Dployr) -> Value {
    let account = &state.control_plane.account;
    let invited: Vec<&str> = account.invited.iter().map(|it| it.id.as_str()).collect();
    json!({
        "id": state.cluster_id,
        "name": account.cluster_name,
        "users": [state.user_id],
        "roles": { "owner": [state.user_id], "admin": [], "developer": [], "viewer": [], "invited": invited },
        "poolInstanceId": null,
        // Observed: the cluster's metadata repeats the webhook.
        "metadata": custom_webhook(state),
        "createdAt": millis(SET_UP_AT),
        "updatedAt": millis(account.renamed_at.unwrap_or(SET_UP_AT)),
        "role": "owner",
        "owner": USER_NAME,
    })
}

/// Renames the cluster, at most once a month.
///
/// A second rename gets a 429 without `retry-after`. It is not about the rate limit, so a client that backs
/// off gains nothing.
pub(super) fn rename(state: &mut Dployr, call: &Call) -> HandlerResult {
    require_role(state, Some(call.path("id")), Role::Owner)?;
    let body = call.request.json_object().unwrap_or_default();
    let name = text_field(&body, "name").filter(|name| name.chars().count() <= 64);
    let name = name.ok_or_else(|| {
        bad_request("Validation failed: name must be a non-empty string (max 64 chars)")
    })?;
    let month = Duration::from_secs(30 * 24 * 3_600);
    let next = state.control_plane.account.renamed_at.map(|at| at + month);
    if let Some(next) = next.filter(|next| call.now < *next) {
        let day = day_in_words(next);
        let message = format!("You can only rename once per month. Try again after {day}.");
        return Err(handler_error(429, &message, "request.too_many_requests"));
    }
    state.control_plane.account.renamed_at = Some(call.now);
    state.control_plane.account.cluster_name = name.to_owned();
    state.emit("cluster.modified", json!({}), call.now);
    let mut cluster = object(cluster(state));
    // Only this reply lacks these two fields.
    cluster.retain(|key, _| key != "role" && key != "owner");
    let data = json!({ "cluster": cluster });
    Ok(ok_with_message(200, data, "Cluster renamed successfully"))
}

/// Lists the members, or the pending invitations if `showInvites` is present with any value.
///
/// No recording shows an invitation; its fields are assumed to be those of members.
pub(super) fn users(state: &Dployr, call: &Call) -> HandlerResult {
    require_role(state, Some(call.path("id")), Role::Viewer)?;
    if call.request.query_value("showInvites").is_some() {
        let items = state.control_plane.account.invited.iter().map(|invited| {
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
        return Ok(page(call, items.collect()));
    }
    let mut user = object(user(state));
    user.remove("metadata");
    user.insert("picture".to_owned(), Value::Null);
    user.insert("role".to_owned(), json!("owner"));
    Ok(page(call, vec![user.into()]))
}

/// Invites users by e-mail address.
///
/// From dployr-io/dployr-base:src/routes/clusters.ts; neither a success nor a failure was recorded.
/// Invitations stay pending, because the sandbox sends no e-mail.
pub(super) fn invite(state: &mut Dployr, call: &Call) -> HandlerResult {
    require_role(state, Some(call.path("id")), Role::Admin)?;
    let body = call.request.json_object().unwrap_or_default();
    let users = body.get("users").and_then(Value::as_array);
    let users = users
        .filter(|users| !users.is_empty())
        .map(|users| users.iter());
    let emails: Option<Vec<&str>> =
        users.and_then(|users| users.map(|user| user.as_str().filter(is_email)).collect());
    let emails = emails.ok_or_else(|| bad_request("Validation failed: users: Invalid input"))?;
    for email in &emails {
        let mut invited = state.control_plane.account.invited.iter();
        // Members and invited users are not added twice.
        if *email != state.email && !invited.any(|it| it.email == *email) {
            let invited = Invited {
                id: state.id("user", call.now),
                email: (*email).to_owned(),
                at: call.now,
            };
            state.control_plane.account.invited.push(invited);
        }
        let details = json!({ "userEmail": email });
        state.emit("cluster.user_invited", details, call.now);
    }
    Ok(ok_with_message(
        200,
        json!({ "users": emails }),
        "Invites sent successfully",
    ))
}
