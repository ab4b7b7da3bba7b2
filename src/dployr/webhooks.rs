//! Webhooks: URLs that a server sends events to, and the events.

use super::client::check_text;
use super::{
    Client, ClusterId, ClusterWebhook, DeploymentId, DomainName, EventType, InstanceId, Page,
    Webhook,
};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::raw::dployr::{Op, types};
use crate::secret::{CallbackUrl, PersonalData, REDACTED, Secret};
use crate::time::Timestamp;
use crate::webhook;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde_json::{Map, Value};
use std::fmt;

/// A webhook to create: a URL and the events that are sent to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is created until it is passed to a client"]
pub struct NewWebhook {
    url: WebhookUrl,
    events: Vec<EventType>,
    secret: Option<Secret>,
}

impl NewWebhook {
    /// Sends these events to this URL. It has to be an `http` or `https` URL with at least one event.
    ///
    /// The vendor's page shows `deployment.created` and `deployment.failed`. The control plane lacks the
    /// second; [`EventType`] lists its events.
    ///
    /// Events are not signed, so add a [`CallbackSecret`](crate::webhook::CallbackSecret) to the URL.
    /// Decode them with [`WebhookEvent`](super::WebhookEvent).
    pub fn new<E: Into<EventType>>(
        url: impl Into<CallbackUrl>,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        Self {
            url: WebhookUrl(url.into()),
            events: events.into_iter().map(Into::into).collect(),
            secret: None,
        }
    }

    /// A shared secret. Its use by a server is not documented, and the control plane ignores it. To
    /// authenticate events use [`CallbackSecret`](crate::webhook::CallbackSecret).
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    fn into_raw(self) -> Result<types::WebhookCreate> {
        let events = self.events.iter().map(|event| event.as_str().to_owned());
        Ok(types::WebhookCreate {
            url: self.url.checked(&self.events)?,
            events: events.collect(),
            secret: self.secret,
        })
    }
}

/// The URL of a webhook. `Debug` shows only its scheme and host: the path may hold a secret, too.
#[derive(Clone, PartialEq, Eq)]
struct WebhookUrl(CallbackUrl);

impl WebhookUrl {
    /// The URL, if it can receive these events. The control plane checks nothing.
    fn checked(&self, events: &[EventType]) -> Result<String> {
        let url = reqwest::Url::parse(self.0.expose());
        if !url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            return Err(Error::invalid_request(
                "the webhook's URL is not an http or https URL",
            ));
        }
        if events.is_empty() {
            return Err(Error::invalid_request(
                "the webhook has no events, so nothing would be sent",
            ));
        }
        let mut events = events.iter().map(EventType::as_str);
        events.try_for_each(|event| check_text("name of an event", event))?;
        Ok(self.0.expose().to_owned())
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match reqwest::Url::parse(self.0.expose()) {
            Ok(url) => {
                let host = url.host_str().unwrap_or_default();
                write!(f, "\"{}://{host}/…\"", url.scheme())
            }
            Err(_) => f.write_str(REDACTED),
        }
    }
}

/// The webhooks of a server; made by [`Client::webhooks`].
///
/// No known server has [`create`](Self::create) and [`list`](Self::list). A control plane has one
/// webhook for each cluster: [`set_up`](Self::set_up).
#[derive(Clone, Debug)]
pub struct Webhooks {
    client: Client,
}

impl Webhooks {
    /// Creates a webhook: `POST /v1/webhooks`. On a control plane use [`set_up`](Self::set_up).
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid URL and without
    /// events, [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn create(&self, new: NewWebhook) -> Call<Webhook> {
        let cluster = self.client.cluster_parameter();
        self.client.call(Op::CreateWebhook, |raw| async move {
            let reply = raw
                .create_webhook(cluster.as_deref(), &new.into_raw()?)
                .await?;
            Ok(reply.into_inner().0)
        })
    }

    /// The webhooks: `GET /v1/webhooks`. On a control plane use
    /// [`ClusterHandle::integrations`](super::ClusterHandle::integrations).
    ///
    /// Pagination is not documented here. If a server reports another page, [`all`](Call::all) fails
    /// with [`Pagination`](crate::ErrorKind::Pagination).
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Webhook>> {
        let client = self.client.clone();
        let cluster = client.cluster_parameter();
        client.call(Op::ListWebhooks, move |raw| async move {
            let list = raw.list_webhooks(cluster.as_deref()).await?;
            Ok(list.into_inner().into_page())
        })
    }

    /// Sets the only webhook of the client's cluster: `POST /v1/notifications/webhook/setup`. The control
    /// plane has this instead of [`create`](Self::create).
    ///
    /// [`ClusterHandle::integrations`](super::ClusterHandle::integrations) reads it. Events are neither
    /// signed nor retried.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid URL and without
    /// events, [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/notifications.ts>
    pub fn set_up(&self, setup: WebhookSetup) -> Call<ClusterWebhook> {
        let cluster = self.client.cluster_parameter();
        self.client.call(Op::SetUpWebhook, |raw| async move {
            let reply = raw
                .set_up_webhook(cluster.as_deref(), &setup.into_raw()?)
                .await?;
            Ok(reply.into_inner().0)
        })
    }
}

/// The webhook of a cluster: a URL and the events that are sent to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "nothing is set until it is passed to a client"]
pub struct WebhookSetup {
    url: WebhookUrl,
    enabled: bool,
    events: Vec<EventType>,
}

impl WebhookSetup {
    /// Sends these events to this URL. It has to be an `http` or `https` URL with at least one event.
    ///
    /// There is no event for a failed deployment: [`EventType::DeploymentFinished`] comes after success
    /// and failure.
    pub fn new<E: Into<EventType>>(
        url: impl Into<CallbackUrl>,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        Self {
            url: WebhookUrl(url.into()),
            enabled: true,
            events: events.into_iter().map(Into::into).collect(),
        }
    }

    /// Disables the webhook. No call deletes one.
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    fn into_raw(self) -> Result<types::WebhookSetup> {
        Ok(types::WebhookSetup {
            webhook_url: self.url.checked(&self.events)?,
            enabled: self.enabled,
            events: self.events,
        })
    }
}

impl Client {
    /// The webhooks. It does no I/O.
    pub fn webhooks(&self) -> Webhooks {
        Webhooks {
            client: self.clone(),
        }
    }
}

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

/// The subject and the actor of an event. Which fields are set depends on the event.
///
/// `Debug` shows only the names of fields that this version does not know.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct EventData {
    /// The cluster.
    pub cluster_id: Option<ClusterId>,
    /// Name of the service.
    pub service_name: Option<String>,
    /// The instance.
    pub instance_id: Option<InstanceId>,
    /// The deployment.
    pub deployment_id: Option<DeploymentId>,
    /// The domain.
    pub domain: Option<DomainName>,
    /// E-mail address of the user that the event is about.
    pub user_email: Option<PersonalData>,
    /// Id of the actor.
    pub actor_id: Option<String>,
    /// Kind of the actor: `user`.
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
        Self {
            cluster_id: take(&mut data, "clusterId"),
            service_name: take(&mut data, "serviceName"),
            instance_id: take(&mut data, "instanceId"),
            deployment_id: take(&mut data, "deploymentId"),
            domain: take(&mut data, "domain"),
            user_email: take::<String>(&mut data, "userEmail").map(PersonalData::from),
            actor_id: take(&mut data, "actorId"),
            actor_type: take(&mut data, "actorType"),
            others: Others(data),
        }
    }

    /// A field that this version does not know, or one whose value is not a string.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.others.0.get(name)
    }
}

/// Takes a string out of the data. Any other value stays there.
fn take<T: DeserializeOwned>(data: &mut Map<String, Value>, name: &str) -> Option<T> {
    let value = data.get(name)?.as_str()?;
    let value: StrDeserializer<'_, serde::de::value::Error> = value.into_deserializer();
    let value = T::deserialize(value).ok()?;
    data.remove(name);
    Some(value)
}
