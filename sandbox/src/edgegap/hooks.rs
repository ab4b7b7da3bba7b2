//! The addresses that Edgegap calls: one when a deployment is ready, one when it is in error, one when it has ended.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Edgegap;
use super::deployment::Deployment;
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
    /// When each of the three happens, as far as that is known now. READY and ERROR are what the vendor's page on
    /// webhooks names; that a deployment without a place counts as one in error is concluded from its status.
    fn moments(&self, timing: Timing) -> [Option<Duration>; 3] {
        let over = self.created_at + timing.ready_after;
        let lives = |at: &Duration| self.stopped_at.is_none_or(|stopped| *at < stopped);
        let started = (!self.no_capacity).then_some(over).filter(lives);
        let ready = started.filter(|_| !timing.fails);
        let error = match self.no_capacity {
            true => Some(self.created_at),
            false => started.filter(|_| timing.fails),
        };
        let terminated = self.stopped_at.map(|stopped| stopped + timing.queue());
        [ready, error, terminated]
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
    /// three.
    fn body_at(&self, timing: Timing, at: Duration) -> Value {
        let mut then = self.clone();
        then.stopped_at = self.stopped_at.filter(|stopped| *stopped <= at);
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
            for (slot, at) in deployment.slots().into_iter().zip(moments) {
                if let Some(at) = at.filter(|at| *at <= now) {
                    calls.extend(slot.take().map(|url| (at, url)));
                }
            }
            for (at, url) in calls {
                let body = deployment.body_at(timing, at);
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
