//! Another tenant, of whom there is a name that is taken and, if the sandbox was built so, a service that shows.
//!
//! Who and what it is, is the sandbox's own. How its service is answered was seen, each reply of it.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::{Dployr, SET_UP_AT};
use super::{Role, allowed, failure};
use crate::model::Reply;
use crate::time::millis;

/// Its service, and the name that nobody else deploys.
pub(super) const SERVICE: &str = "neighbour-app";
const SERVICE_ID: &str = "01KE6JQ300GP1XF3A7QYFR6F0D";
const CLUSTER_ID: &str = "01KE6JQ300THBRA48W8800DDAA";
/// It has come an hour after the user.
const CAME_AT: Duration = SET_UP_AT.saturating_add(Duration::from_secs(3_600));

impl Dployr {
    /// Lets the other tenant's service be seen.
    pub(crate) fn show_neighbour(&mut self) {
        self.own.neighbour = true;
    }
}

/// Names are those of all tenants. What it says was seen, and that it is said before the limit of a plan.
pub(super) fn refuse_name(name: &str) -> Option<Reply> {
    let message = format!("Service name {name}, has been taken");
    (name == SERVICE).then(|| failure(409, &message, "resource.conflict"))
}

/// Its row in everybody's list of services, which has the rows of all tenants.
pub(super) fn service_row(state: &Dployr) -> Option<Map<String, Value>> {
    state.own.neighbour.then(|| {
        super::object(json!({
            "id": SERVICE_ID,
            "clusterId": CLUSTER_ID,
            "name": SERVICE,
            "label": null,
            "type": "web",
            "deploymentId": null,
            "icedAt": null,
            "createdAt": millis(CAME_AT),
            "updatedAt": millis(CAME_AT),
            "deploymentName": null,
        }))
    })
}

/// The refusal of anything that is done to its service by id: that of its cluster.
pub(super) fn refuse_service(state: &Dployr, id: &str, role: Role) -> Option<Reply> {
    let meant = state.own.neighbour && id == SERVICE_ID;
    meant.then(|| allowed(state, Some(CLUSTER_ID), role).err())?
}

/// The refusal of its logs, by id or name, which has words of its own.
pub(super) fn refuse_logs(state: &Dployr, id: &str) -> Option<Reply> {
    let meant = state.own.neighbour && (id == SERVICE_ID || id == SERVICE);
    meant.then(|| failure(403, "Not a member of this cluster", "permission.forbidden"))
}
