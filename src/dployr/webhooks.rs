//! Webhooks: URLs that a server sends events to.

use super::client::check_text;
use super::{Client, ClusterWebhook, EventType, Page, Webhook};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::raw::dployr::{Op, types};
use crate::secret::{CallbackUrl, REDACTED, Secret};
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
        let cluster = self.client.cluster_id();
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
        let cluster = client.cluster_id();
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
        let cluster = self.client.cluster_id();
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
