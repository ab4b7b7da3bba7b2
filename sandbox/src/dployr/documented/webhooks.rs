//! Webhooks.
//!
//! Only the request is documented (dployr-io/dployr-docs:docs/api.md). The response has the fields of the
//! request, an id and timestamps. No server with this path is known.

use serde_json::json;

use super::super::Dployr;
use super::{body, stored};
use crate::platform::Call;
use crate::reply::HandlerResult;
use crate::time::rfc3339;

/// Stores the webhook and returns it without the secret. The sandbox never calls it, because the format of
/// the calls is undocumented.
pub(super) fn create_webhook(state: &mut Dployr, call: &Call) -> HandlerResult {
    let body = body(call)?;
    let webhook = json!({
        "id": state.id("webhook", call.now),
        "url": body.get("url"),
        "events": body.get("events"),
        "created_at": rfc3339(call.now),
    });
    Ok(stored(&mut state.webhooks, webhook))
}
