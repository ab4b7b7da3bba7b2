//! Webhooks of a deployment: ready, error and terminated.

use std::time::Duration;

use serde_json::{Map, Value};

use super::Edgegap;
use super::deployments::{Deployment, Status};
use crate::platform::Platform;
use crate::time::Timing;
use crate::webhooks::Webhook;

/// URLs for ready, error and terminated. Each is called once: the vendor documents no retries.
#[derive(Clone, Debug, Default)]
pub(super) struct WebhookUrls([Option<String>; 3]);

impl WebhookUrls {
    /// Reads the URLs of a validated create body.
    pub(super) fn read(body: &Map<String, Value>) -> Self {
        let names = [
            "webhook_on_ready",
            "webhook_on_error",
            "webhook_on_terminated",
        ];
        Self(names.map(|name| Some(body.get(name)?.get("url")?.as_str()?.to_owned())))
    }
}

impl Deployment {
    /// The times of ready, error and terminated; `None` for events that do not occur.
    ///
    /// The vendor's webhook page names READY and ERROR. Assumption: a deployment without capacity, which has
    /// the status ERROR, calls the error URL too.
    fn webhook_times(&self, timing: Timing) -> [Option<Duration>; 3] {
        let settles = |status| {
            let settles_at = self.settles_at(timing);
            (self.settles_as(timing) == status).then_some(settles_at)
        };
        let ends_at = Some(self.ends_at(timing));
        [settles(Status::Ready), settles(Status::Error), ends_at]
    }

    /// The body of a webhook call: the status reply at the time of the event.
    ///
    /// The vendor's page describes this, and edgegap/nakama-edgegap reads it for all three events. Until the
    /// deployment has ended, the body does not show a pending stop request.
    fn status_body_at(&self, timing: Timing, at: Duration, has_ended: bool) -> Value {
        let mut then = self.clone();
        then.stop_requested_at = self.stop_requested_at.filter(|_| has_ended);
        then.describe(timing, at)
    }
}

impl Edgegap {
    /// Takes the calls that are due, oldest first.
    pub(crate) fn take_due_webhooks(&mut self, now: Duration) -> Vec<(Duration, Webhook)> {
        let timing = self.timing;
        let mut due = Vec::new();
        for deployment in &mut self.deployments {
            for (index, at) in deployment.webhook_times(timing).into_iter().enumerate() {
                let Some(at) = at.filter(|at| *at <= now) else {
                    continue;
                };
                let url = deployment
                    .webhook_urls
                    .0
                    .get_mut(index)
                    .and_then(Option::take);
                due.extend(url.map(|url| {
                    let body = deployment.status_body_at(timing, at, index == 2);
                    (at, Webhook::new(Platform::Edgegap, &url, body))
                }));
            }
        }
        due.sort_by_key(|(at, _)| *at);
        due
    }

    /// When the next call is due.
    pub(crate) fn next_webhook_at(&self) -> Option<Duration> {
        let moments = self.deployments.iter().flat_map(|deployment| {
            let moments = deployment.webhook_times(self.timing).into_iter();
            moments.zip(&deployment.webhook_urls.0)
        });
        let moments = moments.filter(|(_, url)| url.is_some());
        moments.filter_map(|(at, _)| at).min()
    }
}
