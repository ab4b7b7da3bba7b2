//! A deployment and its life.

use std::time::Duration;

use serde_json::{Value, json};

use super::hooks::Hooks;
use super::leave_out_nulls;
use super::tags::Tag;
use crate::time::{Timing, naive_micros};

/// Minutes after which what is ready is stopped (`max_duration` of edgegap/openapi-specification:edgegap-v1-openapi.yaml):
/// those of the free tier in edgegap/edgegap-agent-skills:skills/edgegap-unity/references/deploy.md.
pub(super) const MOST_MINUTES: u64 = 60;
/// What is in error "will be deleted automatically by our system after some some times", says the 422 of the fleet
/// operation in edgegap-v2-openapi.yaml. An hour is the sandbox's own, as is that it goes the way of a stop.
const ERROR_IS_KEPT: Duration = Duration::from_secs(60 * 60);

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
    /// When the first stop came.
    pub(super) stop_asked_at: Option<Duration>,
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
}

impl Deployment {
    /// When it is ready or in error.
    pub(super) fn settles_at(&self, timing: Timing) -> Duration {
        if self.no_capacity {
            self.created_at
        } else {
            self.created_at.saturating_add(timing.ready_after)
        }
    }

    /// Which of the two.
    pub(super) fn settles_as(&self, timing: Timing) -> Status {
        if self.no_capacity || timing.fails {
            Status::Error
        } else {
            Status::Ready
        }
    }

    /// When it became ready, if it has.
    pub(super) fn ready_at(&self, timing: Timing, now: Duration) -> Option<Duration> {
        let at = self.settles_at(timing);
        (now >= at && self.settles_as(timing) == Status::Ready).then_some(at)
    }

    /// The first one counts.
    pub(super) fn stop(&mut self, now: Duration) {
        self.stop_asked_at.get_or_insert(now);
    }

    /// When it is stopped: by whom asked for it, but not before it is ready or in error
    /// (edgegap/openapi-specification:edgegap-v1-openapi.yaml, `DELETE /v1/stop/{deployment_id}`); or else by the
    /// platform.
    pub(super) fn stops_at(&self, timing: Timing) -> Duration {
        let settles_at = self.settles_at(timing);
        let kept = match self.settles_as(timing) {
            Status::Ready => Duration::from_secs(MOST_MINUTES * 60),
            _ => ERROR_IS_KEPT,
        };
        let at_last = settles_at.saturating_add(kept);
        let asked_at = self.stop_asked_at.unwrap_or(at_last);
        asked_at.clamp(settles_at, at_last)
    }

    /// When it has stopped. How long that takes is the sandbox's own.
    pub(super) fn ends_at(&self, timing: Timing) -> Duration {
        self.stops_at(timing).saturating_add(timing.queue())
    }

    pub(super) fn status(&self, timing: Timing, now: Duration) -> Status {
        if now >= self.ends_at(timing) {
            Status::Terminated
        } else if now >= self.stops_at(timing) {
            Status::Terminating
        } else if now >= self.settles_at(timing) {
            self.settles_as(timing)
        } else if now.saturating_sub(self.created_at) >= timing.queue() {
            Status::Deploying
        } else {
            Status::Seeking
        }
    }

    /// What it was before this.
    fn before(&self, status: Status, timing: Timing) -> Option<Status> {
        match status {
            Status::Seeking => None,
            Status::Deploying => Some(Status::Seeking),
            Status::Error if self.no_capacity => Some(Status::Seeking),
            Status::Ready | Status::Error => Some(Status::Deploying),
            Status::Terminating => Some(self.settles_as(timing)),
            Status::Terminated => Some(Status::Terminating),
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

    /// `V1DeploymentStatus`. Times have a space in the middle and no zone there. `start_time` and `elapsed_time` are
    /// required there too, but go by "deployment becoming Ready": before that there is nothing to say.
    pub(super) fn describe(&self, timing: Timing, now: Duration) -> Value {
        let status = self.status(timing, now);
        let ready = status == Status::Ready;
        let (ready_at, ends_at) = (self.ready_at(timing, now), self.ends_at(timing));
        let stops_at = self.stops_at(timing);
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
            "last_status": self.before(status, timing).map(Status::wire),
            "running": ready,
            "start_time": ready_at.map(naive_micros),
            "removal_time": (now >= stops_at).then(|| naive_micros(stops_at)),
            "elapsed_time": ready_at.map(|at| now.min(ends_at).saturating_sub(at).as_secs()),
            "max_duration": MOST_MINUTES,
            "error": status == Status::Error,
            "error_detail": error_detail,
            "ports": if ready { self.ports() } else { json!({}) },
            "location": ready.then(super::catalogue::montreal),
            "tags": self.tag_names(),
            "command": null,
            "arguments": null,
        });
        leave_out_nulls(
            &mut body,
            &["last_status", "start_time", "removal_time", "location"],
        );
        body
    }

    /// An item of the list. `status` is not in the document, but edgegap/nakama-edgegap:pkg/fleetmanager/models.go
    /// reads it. Address and ports are there from the beginning: the document requires the former, and no client was
    /// seen that takes a null; whether the platform knows them so early is not known. `start_time` is required as well,
    /// but is "Timestamp of deployment becoming Ready".
    pub(super) fn summary(&self, timing: Timing, now: Duration) -> Value {
        let status = self.status(timing, now);
        let mut body = json!({
            "request_id": self.id,
            "fqdn": self.fqdn(),
            "public_ip": self.address,
            "ready": status == Status::Ready,
            "status": status.wire(),
            "start_time": self.ready_at(timing, now).map(naive_micros),
            "ports": self.ports(),
            "tags": self.tag_names(),
        });
        leave_out_nulls(&mut body, &["start_time"]);
        body
    }
}
