//! Applications and versions. The sandbox has one of each.

use serde_json::json;

use super::deployments::MAX_MINUTES;
use super::{Edgegap, message, page_reply};
use crate::platform::Call;
use crate::reply::HandlerResult;

const CREATED: &str = "2026-04-22 12:00:46.444265";

impl Edgegap {
    pub(super) fn applications(&self, call: &Call) -> HandlerResult {
        let application = json!({
            "name": self.application,
            "is_active": true,
            "image": "iVBORw0KGgo=",
            "create_time": CREATED,
            "last_updated": CREATED,
        });
        page_reply(call.request, "applications", vec![application])
    }

    pub(super) fn versions(&self, call: &Call) -> HandlerResult {
        if call.path("app_name") != self.application {
            return Err(message(404, "Application not found"));
        }
        let version = json!({
            "name": self.version,
            "create_time": CREATED,
            "last_updated": CREATED,
            "is_active": true,
            "req_cpu": 256,
            "req_memory": 512,
            "docker_repository": "registry.edgegap.com",
            "docker_image": "my-org/my-game-server",
            "docker_tag": self.version,
            "force_cache": false,
            "caching_percent": 0.0,
            "max_duration": MAX_MINUTES,
            "ports": [{ "name": "gameport", "port": 7777, "protocol": "UDP", "to_check": true, "tls_upgrade": false }],
            "envs": [],
        });
        page_reply(call.request, "versions", vec![version])
    }
}
