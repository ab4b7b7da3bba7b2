//! Events of a cluster.

use super::shapes::PAGING;
use super::{ActorKind, Client, Event, EventType, Page};
use crate::call::Call;
use crate::page::{PageRequest, paged};
use crate::raw::dployr::Op;

/// The events of a cluster; returned by [`Client::events`]. Default: all events, the newest first.
#[derive(Clone, Debug)]
#[must_use = "does nothing until `list` is awaited"]
pub struct Events {
    client: Client,
    kind: Option<EventType>,
    search: Option<String>,
    oldest_first: bool,
    window: Option<EventWindow>,
    actor: Option<ActorKind>,
    page_request: PageRequest,
}

/// A time window that ends now.
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
    /// Only events of this type.
    pub fn kind(mut self, kind: impl Into<EventType>) -> Self {
        self.kind = Some(kind.into());
        self
    }

    /// Only events that contain this text, ignoring case.
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.search = Some(text.into());
        self
    }

    /// Sorts the oldest first.
    pub fn oldest_first(mut self) -> Self {
        self.oldest_first = true;
        self
    }

    /// Only events within this window.
    pub fn within(mut self, window: EventWindow) -> Self {
        self.window = Some(window);
        self
    }

    /// Only events of this kind of actor. The control plane cannot select one actor by its id.
    pub fn actor(mut self, kind: impl Into<ActorKind>) -> Self {
        self.actor = Some(kind.into());
        self
    }

    paged!("events");

    /// Lists one page of the events: `GET /v1/runtime/events`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
    /// # let dployr = deploykit::testing::Recorder::new().dployr()?;
    /// use deploykit::dployr::{EventType, EventWindow};
    /// let ended = dployr.events().kind(EventType::DeploymentFinished).within(EventWindow::Day);
    /// for event in ended.list().all().await? {
    ///     println!("{:?} {:?}", event.timestamp, event.targets);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for page 0 or page size 0,
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/runtime.ts>
    pub fn list(&self) -> Call<Page<Event>> {
        let wanted = self.clone();
        Call::paged(PAGING, self.page_request, move |page_request| {
            let wanted = wanted.clone();
            let (client, cluster) = (wanted.client.clone(), wanted.client.cluster_parameter());
            client.call(Op::ListEvents, move |raw| async move {
                let (page, size) = page_request.parameters()?;
                let list = raw.list_events_with(|options| {
                    (options.page, options.page_size) = (page, size);
                    options.actor = wanted.actor.as_ref().map(ActorKind::as_str);
                    options.cluster_id = cluster.as_deref();
                    options.search = wanted.search.as_deref();
                    options.sort = wanted.oldest_first.then_some("oldest");
                    options.type_ = wanted.kind.as_ref().map(EventType::as_str);
                    options.window = wanted.window.map(EventWindow::as_str);
                });
                Ok(list.await?.into_inner().into_page_of(page_request))
            })
        })
    }
}

impl Client {
    /// The events of the client's cluster. Does no I/O.
    pub fn events(&self) -> Events {
        Events {
            client: self.clone(),
            kind: None,
            search: None,
            oldest_first: false,
            window: None,
            actor: None,
            page_request: PageRequest::default(),
        }
    }
}
