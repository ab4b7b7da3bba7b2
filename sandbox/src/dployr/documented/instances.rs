//! Instances. The sandbox has one.

use serde_json::{Value, json};

use super::super::{Dployr, SET_UP_AT};
use crate::platform::Call;
use crate::time::rfc3339;

pub(super) fn instance(state: &Dployr) -> Value {
    json!({
        "id": state.instance.id,
        "tag": state.instance.tag,
        "address": state.instance.address,
        "status": "healthy",
        "created_at": rfc3339(SET_UP_AT),
        "updated_at": rfc3339(SET_UP_AT),
    })
}

/// The sections that a node reports (dployr-io/dployr:pkg/core/system/update_v1_1.go).
pub(super) fn metrics(call: &Call) -> Value {
    const GIB: u64 = 1 << 30;
    json!({
        "cpu": { "count": 2, "user_percent": 12.5, "system_percent": 3.5, "idle_percent": 84.0, "iowait_percent": 0.0 },
        "memory": { "total_bytes": 4 * GIB, "used_bytes": GIB, "free_bytes": 2 * GIB, "available_bytes": 3 * GIB },
        "swap": { "total_bytes": 0, "used_bytes": 0, "free_bytes": 0, "available_bytes": 0 },
        "disks": [{
            "filesystem": "/dev/vda1",
            "mount_point": "/",
            "total_bytes": 40 * GIB,
            "used_bytes": 10 * GIB,
            "available_bytes": 30 * GIB,
        }],
        "uptime": call.now.saturating_sub(SET_UP_AT).as_secs(),
        "timestamp": rfc3339(call.now),
    })
}
