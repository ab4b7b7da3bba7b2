//! Webhooks and their events.
//!
//! The control plane has one webhook per cluster: [`Webhooks::set_up`]. The webhooks of the vendor's
//! page, [`Webhooks::create`] and [`Webhooks::list`], exist on no known server.

use super::client::check_text;
use super::{
    Client, ClusterId, ClusterWebhook, DeploymentId, DomainName, EventType, InstanceId, Page,
    Webhook,
};
use crate::call::Call;
use crate::check::http_url;
use crate::error::{Error, Result};
use crate::raw::dployr::{Op, types};
use crate::secret::{CallbackUrl, PersonalData, REDACTED, Secret};
use crate::time::Timestamp;
use crate::webhook;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use std::fmt;

/// A webhook of the vendor's page; for [`Webhooks::create`]. A control plane needs [`WebhookSetup`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "does nothing until passed to a client"]
pub struct NewWebhook {
    url: WebhookUrl,
    events: Vec<EventType>,
    secret: Option<Secret>,
}

impl NewWebhook {
    /// Sends these events, at least one, to this `http` or `https` URL.
    ///
    /// The vendor's page shows `deployment.created` and `deployment.failed`.
    ///
    /// Events are not signed: add a [`CallbackSecret`](crate::webhook::CallbackSecret) to the URL.
    /// Decode them with [`WebhookEvent`].
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

    /// Shared secret. Its use by a server is not documented.
    ///
    /// To authenticate events, use a [`CallbackSecret`](crate::webhook::CallbackSecret).
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    fn into_raw(self) -> Result<types::WebhookCreate> {
        let events = self.events.iter().map(|event| event.as_str().to_owned());
        let url = self.url.checked(&self.events)?;
        Ok(types::WebhookCreate {
            secret: self.secret,
            ..types::WebhookCreate::new(url, events.collect())
        })
    }
}

/// URL of a webhook. `Debug` shows only scheme and host, because the path may contain a secret.
#[derive(Clone, PartialEq, Eq)]
struct WebhookUrl(CallbackUrl);

impl WebhookUrl {
    /// Checks the URL and the events, because the control plane does not.
    fn checked(&self, events: &[EventType]) -> Result<String> {
        http_url("webhook URL", self.0.expose())?;
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

/// Webhooks; returned by [`Client::webhooks`].
///
/// The control plane has one webhook per cluster: [`set_up`](Self::set_up) sets it, and
/// [`ClusterHandle::integrations`](super::ClusterHandle::integrations) reads it. No known server has
/// [`create`](Self::create) and [`list`](Self::list), which the vendor's page documents.
#[derive(Clone, Debug)]
pub struct Webhooks {
    client: Client,
}

impl Webhooks {
    /// Creates a webhook: `POST /v1/webhooks`.
    ///
    /// No known server has this route: use [`set_up`](Self::set_up) on a control plane.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid URL or without
    /// events, [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn create(&self, new: NewWebhook) -> Call<Webhook> {
        let cluster = self.client.cluster_parameter();
        self.client.call(Op::CreateWebhook, |raw| async move {
            let body = new.into_raw()?;
            let reply = raw.create_webhook_with(&body, |options| {
                options.cluster_id = cluster.as_deref();
            });
            Ok(reply.await?.into_inner().0)
        })
    }

    /// Lists the webhooks: `GET /v1/webhooks`.
    ///
    /// No known server has this route: use
    /// [`ClusterHandle::integrations`](super::ClusterHandle::integrations) on a control plane.
    /// Pagination is not documented: if a server reports another page, [`all`](Call::all) fails with
    /// [`Pagination`](crate::ErrorKind::Pagination).
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Webhook>> {
        let cluster = self.client.cluster_parameter();
        self.client.call(Op::ListWebhooks, |raw| async move {
            let list = raw.list_webhooks_with(|options| options.cluster_id = cluster.as_deref());
            Ok(list.await?.into_inner().into_page())
        })
    }

    /// Sets the webhook of the client's cluster: `POST /v1/notifications/webhook/setup`.
    ///
    /// A cluster has one webhook, so this replaces the previous one. To stop events, set it up as
    /// [`disabled`](WebhookSetup::disabled): no call deletes it. Read it with
    /// [`ClusterHandle::integrations`](super::ClusterHandle::integrations).
    ///
    /// The control plane sends each event once, as a `POST` without a signature: add a
    /// [`CallbackSecret`](crate::webhook::CallbackSecret) to the URL, and decode the body with
    /// [`WebhookEvent`].
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let dployr = deploykit::testing::Recorder::new().dployr()?;
    /// use deploykit::dployr::{EventType, WebhookSetup};
    /// use deploykit::webhook::CallbackSecret;
    ///
    /// let url = CallbackSecret::generate()?.attach("https://me.example/dployr")?;
    /// let setup = WebhookSetup::new(url, [EventType::DeploymentFinished]);
    /// dployr.webhooks().set_up(setup).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an invalid URL or without
    /// events, [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/notifications.ts>
    pub fn set_up(&self, setup: WebhookSetup) -> Call<ClusterWebhook> {
        let cluster = self.client.cluster_parameter();
        self.client.call(Op::SetUpWebhook, |raw| async move {
            let body = setup.into_raw()?;
            let reply = raw.set_up_webhook_with(&body, |options| {
                options.cluster_id = cluster.as_deref();
            });
            Ok(reply.await?.into_inner().0)
        })
    }
}

/// The webhook of a cluster; for [`Webhooks::set_up`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "does nothing until passed to a client"]
pub struct WebhookSetup {
    url: WebhookUrl,
    enabled: bool,
    events: Vec<EventType>,
}

impl WebhookSetup {
    /// Sends these events, at least one, to this `http` or `https` URL.
    ///
    /// [`EventType::DeploymentFinished`] is sent after success and after failure; there is no event for
    /// failures only.
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

    /// Disables the webhook: no events are sent.
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    fn into_raw(self) -> Result<types::WebhookSetup> {
        let url = self.url.checked(&self.events)?;
        Ok(types::WebhookSetup::new(url, self.enabled, self.events))
    }
}

impl Client {
    /// The webhooks. Does no I/O.
    pub fn webhooks(&self) -> Webhooks {
        Webhooks {
            client: self.clone(),
        }
    }
}

/// An event that the control plane sends to the webhook of a cluster.
///
/// The request is a `POST` with JSON. It is not signed, has no id, and is not retried. Verify its
/// [`CallbackSecret`](crate::webhook::CallbackSecret), and read the state from the server before you act:
///
/// ```no_run
/// # use deploykit::{dployr, webhook::CallbackSecret};
/// # use deploykit::dployr::EventType;
/// # async fn called(uri: &str, body: &[u8], secret: &CallbackSecret, client: &dployr::Client) -> deploykit::Result<()> {
/// secret.verify(uri)?;
/// let event = dployr::WebhookEvent::from_bytes(body)?;
/// if event.event == EventType::DeploymentFinished {
///     // Read whether it succeeded: the event does not contain it.
///     let deployments = client.deployments().list().await?;
/// }
/// # Ok(()) }
/// ```
///
/// Source: `dployr-io/dployr-base:src/services/integrations/webhook.ts`
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct WebhookEvent {
    /// Type of the event. `deployment.finished` is sent after success and after failure.
    pub event: EventType,
    /// Time of the event, by the server's clock.
    pub timestamp: Option<Timestamp>,
    /// Subject and actor of the event.
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
    /// Shows only the names, because values may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl WebhookEvent {
    /// Decodes the body of a request, at most 1 MiB ([`MAX_BODY_BYTES`](webhook::MAX_BODY_BYTES)).
    ///
    /// Also set a body limit in your HTTP server: here the body is already in memory.
    ///
    /// # Errors
    /// [`Decode`](crate::ErrorKind::Decode) for a body that is too long, not UTF-8, not JSON, nested too
    /// deeply, or not an event. The error contains nothing of the body.
    ///
    /// Source: `dployr-io/dployr-base:src/services/integrations/webhook.ts`
    pub fn from_bytes(body: &[u8]) -> Result<Self> {
        let Value::Object(mut fields) = webhook::json(body)? else {
            return Err(webhook::unreadable("is not a JSON object"));
        };
        let event = match fields.get("event").and_then(Value::as_str) {
            Some(event) if !event.trim().is_empty() => EventType::from(event),
            _ => return Err(webhook::unreadable("has no event")),
        };
        let timestamp = match fields.remove("timestamp") {
            None | Some(Value::Null) => None,
            // A time in an unknown format does not discard the event.
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
            user_email: take(&mut data, "userEmail"),
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

/// Removes and decodes a string. A value of another type stays in the data.
fn take<T: DeserializeOwned>(data: &mut Map<String, Value>, name: &str) -> Option<T> {
    let value = data.get(name).filter(|value| value.is_string())?;
    let value = T::deserialize(value).ok()?;
    data.remove(name);
    Some(value)
}
