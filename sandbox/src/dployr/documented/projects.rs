//! Projects.
//!
//! Only the request is documented (dployr-io/dployr-docs:docs/api.md). The response has the fields of the
//! request, an id and timestamps. No server with this path is known.

use serde_json::json;

use super::super::Dployr;
use super::{body, stored};
use crate::platform::Call;
use crate::reply::HandlerResult;
use crate::time::rfc3339;

pub(super) fn create_project(state: &mut Dployr, call: &Call) -> HandlerResult {
    let body = body(call)?;
    let now = rfc3339(call.now);
    let project = json!({
        "id": state.id("project", call.now),
        "name": body.get("name"),
        "description": body.get("description"),
        "created_at": now,
        "updated_at": now,
    });
    Ok(stored(&mut state.projects, project))
}
