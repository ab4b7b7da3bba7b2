//! A deployment and its life.

use std::time::Duration;

use serde_json::{Value, json};

use super::hooks::Hooks;
use super::leave_out_nulls;
use super::tags::Tag;
use crate::time::{Stage, Timing, naive_micros};

#[derive(Clone, Debug)]
pub(super) struct Deployment {
    pub(super) id: String,
    pub(super) application: String,
    pub(super) version: String,
    pub(super) tags: Vec<Tag>,
    /// The host of the private fleet, if it runs on one.
    pub(super) host: Option<String>,
    pub(super) address: String,
    pub(super) port: usize,
    pub(super) created_at: Duration,
    pub(super) stopped_at: Option<Duration>,
    pub(super) no_capacity: bool,
    /// Whom to tell.
    pub(super) hooks: Hooks,
}

/// `Status.SEEKING` and so on. No closed list is published; these were seen in the vendor's documents and in
/// edgegap/nakama-edgegap and edgegap/matchmaker-hosting-providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Seeking,
    Deploying,
    Ready,
    Error,
    Terminating,
    Terminated,
}

impl Status {
    pub(super) fn wire(self) -> &'static str {
        match self {
            Status::Seeking => "Status.SEEKING",
            Status::Deploying => "Status.DEPLOYING",
            Status::Ready => "Status.READY",
            Status::Error => "Status.ERROR",
            Status::Terminating => "Status.TERMINATING",
            Status::Terminated => "Status.TERMINATED",
        }
    }

    fn before(self) -> Option<Status> {
        match self {
            Status::Seeking => None,
            Status::Deploying => Some(Status::Seeking),
            Status::Ready => Some(Status::Deploying),
            Status::Error => Some(Status::Seeking),
            Status::Terminating => Some(Status::Ready),
            Status::Terminated => Some(Status::Terminating),
        }
    }
}

impl Deployment {
    pub(super) fn status(&self, timing: Timing, now: Duration) -> Status {
        if let Some(stopped_at) = self.stopped_at {
            let over = now.saturating_sub(stopped_at) >= timing.queue();
            return if over {
                Status::Terminated
            } else {
                Status::Terminating
            };
        }
        if self.no_capacity {
            return Status::Error;
        }
        match timing.stage(self.created_at, now) {
            Stage::Queued => Status::Seeking,
            Stage::Working => Status::Deploying,
            Stage::Done => Status::Ready,
            Stage::Failed => Status::Error,
        }
    }

    fn tag_names(&self) -> Vec<&str> {
        self.tags.iter().map(|tag| tag.name.as_str()).collect()
    }

    fn fqdn(&self) -> String {
        format!("{}.pr.edgegap.net", self.id)
    }

    fn ports(&self) -> Value {
        json!({
            "gameport": {
                "name": "gameport",
                "link": format!("{}:{}", self.fqdn(), self.port),
                "internal": 7777,
                "external": self.port,
                "protocol": "UDP",
                "tls_upgrade": false,
            }
        })
    }

    /// `V1DeploymentStatus`. Times have a space in the middle and no zone there.
    pub(super) fn describe(&self, timing: Timing, now: Duration) -> Value {
        let status = self.status(timing, now);
        let ready = status == Status::Ready;
        let error_detail = match (status, self.no_capacity) {
            (Status::Error, true) => Some("Could not allocate an Edge Server"),
            (Status::Error, false) => Some("The container did not start"),
            _ => None,
        };
        let mut body = json!({
            "request_id": self.id,
            "fqdn": self.fqdn(),
            "app_name": self.application,
            "app_version": self.version,
            // Nothing is placed yet while it seeks; the vendor's own C# model has it nullable.
            "public_ip": ready.then_some(&self.address),
            "current_status": status.wire(),
            "last_status": status.before().map(Status::wire),
            "running": ready,
            "start_time": naive_micros(self.created_at),
            "removal_time": self.stopped_at.map(naive_micros),
            "elapsed_time": now.saturating_sub(self.created_at).as_secs(),
            "max_duration": 60,
            "error": status == Status::Error,
            "error_detail": error_detail,
            "ports": if ready { self.ports() } else { json!({}) },
            "location": ready.then(super::catalogue::montreal),
            "tags": self.tag_names(),
            "command": null,
            "arguments": null,
        });
        leave_out_nulls(&mut body, &["last_status", "removal_time", "location"]);
        body
    }

    /// An item of the list. `status` is not in the document, but edgegap/nakama-edgegap:pkg/fleetmanager/models.go
    /// reads it.
    pub(super) fn summary(&self, timing: Timing, now: Duration) -> Value {
        let status = self.status(timing, now);
        json!({
            "request_id": self.id,
            "fqdn": self.fqdn(),
            "public_ip": self.address,
            "ready": status == Status::Ready,
            "status": status.wire(),
            "start_time": naive_micros(self.created_at),
            "ports": self.ports(),
            "tags": self.tag_names(),
        })
    }
}
