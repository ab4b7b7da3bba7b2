//! What the control plane sends to the one webhook of its cluster.
//!
//! The form of the body and the names of the events are those of
//! dployr-io/dployr-base:src/services/integrations/webhook.ts and src/lib/constants/events.ts. Nothing is signed, nothing
//! is sent twice, and what the receiver answers is not looked at.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{Dialect, Dployr};
use crate::platform::Platform;
use crate::request::object;
use crate::time::rfc3339_millis;
use crate::webhooks::Webhook;

impl Dployr {
    /// Sends an event that a request brought about.
    pub(super) fn emit(&mut self, event: &str, details: Value, now: Duration) {
        let mut details = object(details);
        details.insert("actorId".to_owned(), Value::from(self.user_id.clone()));
        details.insert("actorType".to_owned(), Value::from("user"));
        let actor = self.user_id.clone();
        self.record_event(event, (&actor, "user"), &details, now);
        self.send(event, details, now);
    }

    /// A deployment came to its end. There is no event of its own for a bad one.
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
        let Some(url) = self.wants(event).map(str::to_owned) else {
            return;
        };
        let mut data = object(json!({ "clusterId": self.cluster_id }));
        data.extend(details);
        let body = json!({ "event": event, "timestamp": rfc3339_millis(at), "data": data });
        let webhook = Webhook::new(Platform::Dployr, &url, body);
        self.pending_webhooks.push((at, webhook));
    }

    /// Where an event goes, if the cluster has asked for it. An empty list of events means none.
    fn wants(&self, event: &str) -> Option<&str> {
        let webhook = self.cluster_webhook.as_ref()?;
        let events = webhook.get("events")?.as_array()?;
        let enabled = webhook.get("enabled")?.as_bool()?;
        let listed = events.iter().any(|listed| listed.as_str() == Some(event));
        let url = webhook.get("webhookUrl")?.as_str()?;
        (enabled && listed).then_some(url)
    }

    /// What is to be sent by now, the oldest first.
    pub(crate) fn take_due_webhooks(&mut self, now: Duration) -> Vec<(Duration, Webhook)> {
        // Ids are given out when a deployment ends, so nothing is to end earlier for those who want no webhook.
        if self.next_webhook_at(now).is_some_and(|at| at <= now) {
            self.settle(now);
        }
        let mut due = std::mem::take(&mut self.pending_webhooks);
        due.sort_by_key(|(at, _)| *at);
        due
    }

    /// When the next one is to be sent.
    pub(crate) fn next_webhook_at(&self, now: Duration) -> Option<Duration> {
        if !self.pending_webhooks.is_empty() {
            return Some(now);
        }
        self.wants("deployment.finished")?;
        let ends = self.deployments.iter().filter(|it| !it.settled);
        ends.map(|it| it.deployed_at + self.timing.ready_after)
            .min()
    }
}
