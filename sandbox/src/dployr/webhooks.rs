//! Calls to the webhook of the cluster.
//!
//! Body and event names are from dployr-io/dployr-base:src/services/integrations/webhook.ts and
//! src/lib/constants/events.ts. Calls are not signed and not retried, and the response is ignored.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Dialect, Dployr};
use crate::platform::Platform;
use crate::request::object;
use crate::time::rfc3339_millis;
use crate::webhooks::Webhook;

impl Dployr {
    /// Records an event that a request caused, and sends it to the webhook.
    pub(super) fn emit(&mut self, event: &str, details: Value, now: Duration) {
        let mut details = object(details);
        details.insert("actorId".to_owned(), Value::from(self.user_id.clone()));
        details.insert("actorType".to_owned(), Value::from("user"));
        let actor = self.user_id.clone();
        self.record_event(event, (&actor, "user"), &details, now);
        self.send(event, details, now);
    }

    /// Reports the end of a deployment. Failed deployments have no separate event.
    pub(super) fn emit_finished(&mut self, id: &str, name: &str, at: Duration) {
        if self.dialect == Dialect::Documented {
            return;
        }
        let event = "deployment.finished";
        let details = object(json!({ "serviceName": name, "deploymentId": id }));
        let node = self.instance.tag.clone();
        self.record_event(event, (&node, "headless"), &details, at);
        self.send(event, details, at);
    }

    fn send(&mut self, event: &str, details: Map<String, Value>, at: Duration) {
        let Some(url) = self.subscriber_url(event).map(str::to_owned) else {
            return;
        };
        let mut data = object(json!({ "clusterId": self.cluster_id }));
        data.extend(details);
        let body = json!({ "event": event, "timestamp": rfc3339_millis(at), "data": data });
        let webhook = Webhook::new(Platform::Dployr, &url, body);
        self.pending_webhooks.push((at, webhook));
    }

    /// The webhook's URL, if it subscribes to the event. An empty list subscribes to no event.
    fn subscriber_url(&self, event: &str) -> Option<&str> {
        let webhook = self.cluster_webhook.as_ref()?;
        let events = webhook.get("events")?.as_array()?;
        let enabled = webhook.get("enabled")?.as_bool()?;
        let listed = events.iter().any(|listed| listed.as_str() == Some(event));
        let url = webhook.get("webhookUrl")?.as_str()?;
        (enabled && listed).then_some(url)
    }

    /// Takes the calls that are due, oldest first.
    pub(crate) fn take_due_webhooks(&mut self, now: Duration) -> Vec<(Duration, Webhook)> {
        // `process_finished` assigns ids. It runs only when a call is due, so that a check for due calls does
        // not change later ids.
        if self.next_webhook_at(now).is_some_and(|at| at <= now) {
            self.process_finished(now);
        }
        let mut due = std::mem::take(&mut self.pending_webhooks);
        due.sort_by_key(|(at, _)| *at);
        due
    }

    /// When the next call is due.
    pub(crate) fn next_webhook_at(&self, now: Duration) -> Option<Duration> {
        if !self.pending_webhooks.is_empty() {
            return Some(now);
        }
        self.subscriber_url("deployment.finished")?;
        let unprocessed = self.deployments.iter().filter(|it| !it.is_processed);
        unprocessed
            .map(|it| it.deployed_at + self.timing.ready_after)
            .min()
    }
}
