//! What happened in a cluster, and where it is told.

use super::client::check_text;
use super::shapes::{PAGING, Single};
use super::{Client, ClusterWebhook, Event, EventType, Page, Webhooks};
use crate::call::Call;
use crate::error::Result;
use crate::page::{Ask, paged};
use crate::raw::dployr::{Op, types};
use crate::secret::CallbackUrl;
use std::fmt;

/// What happened in a cluster: all of it, the newest first, unless it says otherwise; made by
/// [`Client::events`].
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `list` is awaited"]
pub struct Events {
    client: Client,
    kind: Option<EventType>,
    search: Option<String>,
    oldest_first: bool,
    window: Option<EventWindow>,
    actor: Option<String>,
    ask: Ask,
}

/// How far back events are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventWindow {
    /// The last 24 hours.
    Day,
    /// The last 7 days.
    Week,
    /// The last 30 days.
    Month,
}

impl EventWindow {
    fn as_str(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "30d",
        }
    }
}

impl Events {
    /// Only events of this kind.
    pub fn kind(mut self, kind: impl Into<EventType>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Only events that have this text anywhere, in any case.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// The oldest first.
    pub fn oldest_first(mut self) -> Self {
        self.oldest_first = true;
        self
    }

    /// Only events of the last time.
    pub fn within(mut self, window: EventWindow) -> Self {
        self.window = Some(window);
        self
    }

    /// Only what this user or node did.
    pub fn actor(mut self, id: impl Into<String>) -> Self {
        self.actor = Some(id.into());
        self
    }

    paged!("events");

    /// One page of the events: `GET /v1/runtime/events`.
    ///
    /// ```no_run
    /// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
    /// use deploykit::dployr::{EventType, EventWindow};
    /// let ended = dployr.events().kind(EventType::DeploymentFinished).within(EventWindow::Day);
    /// for event in ended.list().all().await? {
    ///     println!("{:?} {:?}", event.timestamp, event.targets);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a page or a size of zero,
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a cluster of others, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/runtime.ts>
    pub fn list(&self) -> Call<Page<Event>> {
        let wanted = self.clone();
        Call::paged(PAGING, self.ask, move |ask| {
            let (op, wanted) = (Op::ListEvents, wanted.clone());
            let (client, cluster) = (wanted.client.clone(), wanted.client.cluster_id());
            match ask.parameters() {
                Err(error) => client.refused(op, error),
                Ok((page, size)) => client
                    .call(op, move |raw| async move {
                        raw.list_events(
                            wanted.actor.as_deref(),
                            cluster.as_deref(),
                            page,
                            size,
                            wanted.search.as_deref(),
                            wanted.oldest_first.then_some("oldest"),
                            wanted.kind.as_ref().map(EventType::as_str),
                            wanted.window.map(EventWindow::as_str),
                        )
                        .await
                    })
                    .map(move |list| list.into_page_of(ask)),
            }
        })
    }
}

/// The webhook to set for a cluster: where to send which events.
#[derive(Clone, PartialEq, Eq)]
#[must_use = "nothing is set until it is given to a client"]
pub struct WebhookSetup {
    url: CallbackUrl,
    enabled: bool,
    events: Vec<EventType>,
}

impl WebhookSetup {
    /// Sends these events to this address. Both are checked when it is sent, as the server checks
    /// nothing: it takes an `http` or `https` URL and at least one event.
    ///
    /// There is no event for a failed deployment: [`EventType::DeploymentFinished`] tells of its end,
    /// however it ended.
    pub fn new<E: Into<EventType>>(
        url: impl Into<CallbackUrl>,
        events: impl IntoIterator<Item = E>,
    ) -> Self {
        Self {
            url: url.into(),
            enabled: true,
            events: events.into_iter().map(Into::into).collect(),
        }
    }

    /// Keeps the webhook and sends it nothing for now. No call deletes one.
    pub fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    fn into_raw(self) -> Result<types::WebhookSetup> {
        super::webhooks::check(self.url.expose(), self.events.len())?;
        let names = self.events.iter().map(EventType::as_str);
        for event in names {
            check_text("name of an event", event)?;
        }
        Ok(types::WebhookSetup {
            webhook_url: self.url.expose().to_owned(),
            enabled: self.enabled,
            events: self.events,
        })
    }
}

impl fmt::Debug for WebhookSetup {
    /// Of the URL only scheme and host: its path and query may hold a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSetup")
            .field("url", &super::webhooks::shown(self.url.expose()))
            .field("enabled", &self.enabled)
            .field("events", &self.events)
            .finish()
    }
}

impl Webhooks {
    /// Sets the webhook of the client's cluster: `POST /v1/notifications/webhook/setup`. A cluster has
    /// one, and this replaces it. What a control plane has in the place of [`create`](Self::create).
    ///
    /// It is read with [`ClusterHandle::integrations`](super::ClusterHandle::integrations). What the
    /// control plane sends is neither signed nor repeated.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an address that is no URL and for no
    /// events, [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a cluster of others, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/notifications.ts>
    pub fn set_up(&self, setup: WebhookSetup) -> Call<ClusterWebhook> {
        let op = Op::SetUpWebhook;
        let cluster = self.client.cluster_id();
        match setup.into_raw() {
            Err(error) => self.client.refused(op, error),
            Ok(body) => self
                .client
                .call(op, move |raw| async move {
                    raw.set_up_webhook(cluster.as_deref(), &body).await
                })
                .map(Single::into_inner),
        }
    }
}

impl Client {
    /// What happened in the client's cluster, and who did it: list it. It does no I/O.
    pub fn events(&self) -> Events {
        Events {
            client: self.clone(),
            kind: None,
            search: None,
            oldest_first: false,
            window: None,
            actor: None,
            ask: Ask::default(),
        }
    }
}
