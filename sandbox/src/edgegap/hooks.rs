//! The addresses that Edgegap calls: one when a deployment is ready, one when it is in error, one when it has ended.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Edgegap;
use super::deployment::{Deployment, Status};
use crate::model::Platform;
use crate::time::Timing;
use crate::webhook::Webhook;

/// Each is called once and then forgotten: nothing is said about a second try.
#[derive(Clone, Debug, Default)]
pub(super) struct Hooks {
    ready: Option<String>,
    error: Option<String>,
    terminated: Option<String>,
}

impl Hooks {
    /// Those of a create call that was checked.
    pub(super) fn read(body: &Map<String, Value>) -> Self {
        let url = |name: &str| Some(body.get(name)?.get("url")?.as_str()?.to_owned());
        Self {
            ready: url("webhook_on_ready"),
            error: url("webhook_on_error"),
            terminated: url("webhook_on_terminated"),
        }
    }
}

impl Deployment {
    /// When each of the three happens: it is ready, it is in error, it has ended. READY and ERROR are what the vendor's
    /// page on webhooks names; that a deployment without a place counts as one in error is concluded from its status.
    fn moments(&self, timing: Timing) -> [Option<Duration>; 3] {
        let settles_at =
            |status| (self.settles_as(timing) == status).then(|| self.settles_at(timing));
        [
            settles_at(Status::Ready),
            settles_at(Status::Error),
            Some(self.ends_at(timing)),
        ]
    }

    fn slots(&mut self) -> [&mut Option<String>; 3] {
        let Hooks {
            ready,
            error,
            terminated,
        } = &mut self.hooks;
        [ready, error, terminated]
    }

    /// The body is what the status call answers: the vendor's page, and edgegap/nakama-edgegap reads it so for all
    /// three. A stop that was waiting for this very moment has not begun in it.
    fn body_at(&self, timing: Timing, at: Duration, has_ended: bool) -> Value {
        let mut then = self.clone();
        then.stop_asked_at = self.stop_asked_at.filter(|_| has_ended);
        then.describe(timing, at)
    }
}

impl Edgegap {
    /// What is to be sent by now, the oldest first.
    pub(crate) fn webhooks_due(&mut self, now: Duration) -> Vec<(Duration, Webhook)> {
        let timing = self.timing;
        let mut due = Vec::new();
        for deployment in &mut self.deployments {
            let moments = deployment.moments(timing);
            let mut calls = Vec::new();
            let has_ended = [false, false, true];
            for ((slot, at), has_ended) in
                deployment.slots().into_iter().zip(moments).zip(has_ended)
            {
                if let Some(at) = at.filter(|at| *at <= now) {
                    calls.extend(slot.take().map(|url| (at, url, has_ended)));
                }
            }
            for (at, url, has_ended) in calls {
                let body = deployment.body_at(timing, at, has_ended);
                due.push((at, Webhook::new(Platform::Edgegap, &url, body)));
            }
        }
        due.sort_by_key(|(at, _)| *at);
        due
    }

    /// When the next one is to be sent.
    pub(crate) fn next_webhook(&self) -> Option<Duration> {
        let moments = self.deployments.iter().flat_map(|deployment| {
            let Hooks {
                ready,
                error,
                terminated,
            } = &deployment.hooks;
            let moments = deployment.moments(self.timing);
            let set = [ready, error, terminated].map(Option::is_some);
            moments.into_iter().zip(set)
        });
        moments
            .filter_map(|(at, is_set)| at.filter(|_| is_set))
            .min()
    }
}
