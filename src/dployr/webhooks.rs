//! Webhooks: where a server sends its events.

use super::client::check_text;
use super::shapes::{Listing, Single};
use super::{Client, Page, Webhook};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::raw::dployr::{Op, types};
use crate::secret::{CallbackUrl, REDACTED, Secret};
use std::fmt;

/// A webhook to create: where to send which events.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nothing is created until it is given to a client"]
pub struct NewWebhook {
    url: CallbackUrl,
    events: Vec<String>,
    secret: Option<Secret>,
}

impl NewWebhook {
    /// Sends these events to this address. Both are checked when the webhook is sent: it takes an
    /// `http` or `https` URL and at least one event.
    ///
    /// The vendor's page shows `deployment.created` and `deployment.failed`. The control plane has
    /// the first and not the second; what it has is listed in [`EventType`](super::EventType), whose
    /// values can be given here as well.
    ///
    /// Nothing is signed, so give the address a
    /// [`CallbackSecret`](crate::webhook::CallbackSecret). What arrives there is a
    /// [`WebhookEvent`](super::WebhookEvent).
    pub fn new<E: Into<String>>(
        url: impl Into<CallbackUrl>,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        Self {
            url: url.into(),
            events: events.into_iter().map(Into::into).collect(),
            secret: None,
        }
    }

    /// A secret that both sides know. It is sent with the webhook. What a server does with it is not
    /// documented, and the control plane has no use for it: it signs nothing. To tell its calls from
    /// others there is [`CallbackSecret`](crate::webhook::CallbackSecret).
    pub fn secret(mut self, secret: impl Into<Secret>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    fn into_raw(self) -> Result<types::WebhookCreate> {
        check(self.url.expose(), self.events.len())?;
        self.events
            .iter()
            .try_for_each(|event| check_text("name of an event", event))?;
        Ok(types::WebhookCreate {
            url: self.url.expose().to_owned(),
            events: self.events,
            secret: self.secret,
        })
    }
}

/// Refuses a webhook that could not be sent anything. The control plane checks nothing.
pub(super) fn check(url: &str, events: usize) -> Result<()> {
    let url = reqwest::Url::parse(url);
    if !url.is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
        return Err(Error::invalid_request(
            "the webhook's URL is not an http or https URL",
        ));
    }
    if events == 0 {
        return Err(Error::invalid_request(
            "the webhook has no events, so nothing would be sent",
        ));
    }
    Ok(())
}

/// Scheme and host of a URL whose path and query may hold a secret.
pub(super) fn shown(url: &str) -> String {
    match reqwest::Url::parse(url) {
        Ok(url) => format!(
            "{}://{}/…",
            url.scheme(),
            url.host_str().unwrap_or_default()
        ),
        Err(_) => REDACTED.to_owned(),
    }
}

impl fmt::Debug for NewWebhook {
    /// Of the URL only scheme and host: its path and query may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewWebhook")
            .field("url", &shown(self.url.expose()))
            .field("events", &self.events)
            .field("secret", &self.secret)
            .finish()
    }
}

/// The webhooks of a server; made by [`Client::webhooks`].
///
/// No server is known to have [`create`](Self::create) and [`list`](Self::list). A control plane has
/// one webhook for each cluster: [`set_up`](Self::set_up).
#[derive(Clone, Debug)]
pub struct Webhooks {
    pub(super) client: Client,
}

impl Webhooks {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Creates a webhook: `POST /v1/webhooks`. On a control plane use [`set_up`](Self::set_up).
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an address that is no URL and for no
    /// events, [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers, and those of
    /// every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn create(&self, new: NewWebhook) -> Call<Webhook> {
        let op = Op::CreateWebhook;
        let cluster = self.client.cluster_id();
        match new.into_raw() {
            Err(error) => self.client.refused(op, error),
            Ok(body) => self
                .client
                .call(op, move |raw| async move {
                    raw.create_webhook(cluster.as_deref(), &body).await
                })
                .map(Single::into_inner),
        }
    }

    /// The webhooks: `GET /v1/webhooks`. On a control plane use
    /// [`ClusterHandle::integrations`](super::ClusterHandle::integrations).
    ///
    /// Nothing is known of pages here. If a server says that it has more,
    /// [`all`](Call::all) fails with [`Pagination`](crate::ErrorKind::Pagination) rather than to leave
    /// some out.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Webhook>> {
        let client = self.client.clone();
        Call::one_page(move || {
            let cluster = client.cluster_id();
            client
                .call(Op::ListWebhooks, move |raw| async move {
                    raw.list_webhooks(cluster.as_deref()).await
                })
                .map(Listing::into_page)
        })
    }
}
