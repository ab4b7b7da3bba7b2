//! What the control plane sends to a webhook.

use super::{DeploymentId, EventType, InstanceId};
use crate::error::Result;
use crate::secret::PersonalData;
use crate::time::Timestamp;
use crate::webhook;
use serde_json::{Map, Value};
use std::fmt;

/// A call of the control plane to the webhook of its cluster: a POST with an event as JSON.
///
/// It is not signed, has no id, and is sent once, whatever your server answers. Check its
/// [`CallbackSecret`](crate::webhook::CallbackSecret) first, and ask the server before you act on it:
///
/// ```no_run
/// # use deploykit::{dployr, webhook::CallbackSecret};
/// # use deploykit::dployr::EventType;
/// # async fn called(uri: &str, body: &[u8], secret: &CallbackSecret, client: &dployr::Client) -> deploykit::Result<()> {
/// secret.verify(uri)?;
/// let event = dployr::WebhookEvent::from_bytes(body)?;
/// if event.event == EventType::DeploymentFinished {
///     // Well or not: the event does not say.
///     let deployments = client.deployments().list().await?;
/// }
/// # Ok(()) }
/// ```
///
/// Source: `dployr-io/dployr-base:src/services/integrations/webhook.ts`
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WebhookEvent {
    /// What happened. `deployment.finished` stands for a good end and for a bad one.
    pub event: EventType,
    /// When it happened, by the server's clock.
    pub timestamp: Option<Timestamp>,
    /// To what, and by whom.
    pub data: EventData,
}

/// To what something happened, and by whom. Which of these are there depends on the event.
///
/// `Debug` shows the names alone of what this version does not know.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct EventData {
    /// The cluster.
    pub cluster_id: Option<String>,
    /// The name of the service.
    pub service_name: Option<String>,
    /// The instance.
    pub instance_id: Option<String>,
    /// The deployment.
    pub deployment_id: Option<String>,
    /// The domain.
    pub domain: Option<String>,
    /// The e-mail address of the user it is about.
    pub user_email: Option<PersonalData>,
    /// Who did it.
    pub actor_id: Option<String>,
    /// What kind of actor that is: `user`.
    pub actor_type: Option<String>,
    others: Others,
}

#[derive(Clone, Default, PartialEq)]
struct Others(Map<String, Value>);

impl fmt::Debug for Others {
    /// The names alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl WebhookEvent {
    /// Reads the body of a call, of at most 1 MiB ([`MAX_BODY_BYTES`](webhook::MAX_BODY_BYTES)). Set a body limit
    /// in your HTTP server, too: the body is already in memory here.
    ///
    /// # Errors
    /// [`Decode`](crate::ErrorKind::Decode) for what is too long, no UTF-8, no JSON, nested too deeply,
    /// or no event. It repeats nothing of the body.
    ///
    /// Source: `dployr-io/dployr-base:src/services/integrations/webhook.ts`
    pub fn from_bytes(body: &[u8]) -> Result<Self> {
        let Value::Object(mut fields) = webhook::json(body)? else {
            return Err(webhook::unreadable("is not a JSON object"));
        };
        let event = match fields.get("event").and_then(Value::as_str) {
            Some(event) if !event.trim().is_empty() => EventType::from(event),
            _ => return Err(webhook::unreadable("names no event")),
        };
        let timestamp = match fields.remove("timestamp") {
            None | Some(Value::Null) => None,
            // A time in a form that nobody knows is no reason to lose the event.
            Some(at) => webhook::decode(at).ok(),
        };
        let data = match fields.remove("data") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(data)) => data,
            Some(_) => return Err(webhook::unreadable("has data that is not a JSON object")),
        };
        Ok(Self {
            event,
            timestamp,
            data: EventData::read(data),
        })
    }
}

impl EventData {
    fn read(mut data: Map<String, Value>) -> Self {
        // Anything but a text stays where it is.
        let mut text = |name| {
            let text = data.get(name)?.as_str()?.to_owned();
            data.remove(name);
            Some(text)
        };
        Self {
            cluster_id: text("clusterId"),
            service_name: text("serviceName"),
            instance_id: text("instanceId"),
            deployment_id: text("deploymentId"),
            domain: text("domain"),
            user_email: text("userEmail").map(PersonalData::from),
            actor_id: text("actorId"),
            actor_type: text("actorType"),
            others: Others(data),
        }
    }

    /// A field that this version does not know, or one whose value is not a text.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.others.0.get(name)
    }

    /// The deployment, for [`Client::deployment`](super::Client::deployment); `None` for what could be no
    /// id.
    pub fn deployment(&self) -> Option<DeploymentId> {
        DeploymentId::new(self.deployment_id.as_deref()?).ok()
    }

    /// The instance, for [`Client::instance`](super::Client::instance); `None` for what could be no id.
    pub fn instance(&self) -> Option<InstanceId> {
        InstanceId::new(self.instance_id.as_deref()?).ok()
    }
}
