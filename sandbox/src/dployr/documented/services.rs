//! Services and their logs.

use serde_json::{Value, json};

use super::super::{Dployr, RunState, Service, lines_reply};
use super::{invalid, not_found};
use crate::platform::Call;
use crate::reply::{HandlerResult, Reply};
use crate::time::rfc3339;

pub(super) fn switch(
    state: &mut Dployr,
    call: &Call,
    run_state: RunState,
    message: &str,
) -> HandlerResult {
    let service = find_service(state, call.path("id"))?;
    state.switch(&service.id, run_state, message, call.now);
    // The reference shows no reply. `taskId` is from the control plane's reply.
    let task_id = state.id("task", call.now);
    Ok(Reply::json(200, &json!({ "taskId": task_id })))
}

pub(super) fn logs(state: &Dployr, call: &Call, id: &str) -> HandlerResult {
    // Found by id or by name, as on the control plane.
    let mut services = state.services.iter();
    let service = services.find(|service| service.id == id || service.name == id);
    let service = service.ok_or_else(|| not_found("service"))?;
    let lines = state.lines(&service.name, call.now);
    let mut lines: Vec<Value> = lines.map(|line| line.json(state.dialect)).collect();
    if let Some(tail) = call.request.query_value("tail") {
        let wrong = |_| invalid("Invalid query", "tail", "must be a number");
        let tail: usize = tail.parse().map_err(wrong)?;
        lines.drain(..lines.len().saturating_sub(tail));
    }
    let follow = matches!(call.request.query_value("follow"), Some("true" | "1"));
    Ok(lines_reply(lines, follow))
}

pub(super) fn find_service(state: &Dployr, id: &str) -> Result<Service, Reply> {
    let found = state.services.iter().find(|service| service.id == id);
    found.cloned().ok_or_else(|| not_found("service"))
}

pub(super) fn describe_service(state: &Dployr, service: &Service, call: &Call) -> Value {
    json!({
        "id": service.id,
        "name": service.name,
        "type": service.kind,
        "status": state.run_state(service, call.now).as_str(),
        "deployment_id": service.deployment_id,
        "created_at": rfc3339(service.created_at),
        "updated_at": rfc3339(service.updated_at),
    })
}
