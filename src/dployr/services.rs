//! Services: what they are doing, start, stop.

use super::client::Given;
use super::fallback::Steps;
use super::logs;
use super::shapes::{PAGING, Single};
use super::{
    Client, LogLine, LogStream, Page, Routed, Service, ServiceEnv, ServiceId, ServiceStatus, Task,
    Via,
};
use crate::call::Call;
use crate::error::Effect;
use crate::logs::LogCursor;
use crate::page::{Ask, paged};
use crate::raw::dployr::Op;

/// The services of a server; made by [`Client::services`].
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `list` is awaited"]
pub struct Services {
    pub(super) client: Client,
    ask: Ask,
}

impl Services {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client,
            ask: Ask::default(),
        }
    }

    paged!("services");

    /// One page of the services, by name: `GET /v1/services`.
    ///
    /// The open-source control plane asks whether one may read the cluster, and then answers with
    /// the services of **all** clusters, other people's too. A client that has a cluster drops those;
    /// `total_items` and the other numbers of the page still count them, and a page may be empty
    /// though more follow.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent, for a page or a
    /// size of zero. [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a cluster of others, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Service>> {
        let client = self.client.clone();
        let own = client.cluster_id();
        Call::paged(PAGING, self.ask, move |ask| {
            let (op, cluster) = (Op::ListServices, client.cluster_id());
            match ask.parameters() {
                Err(error) => client.refused(op, error),
                Ok((page, size)) => client
                    .call(op, move |raw| async move {
                        raw.list_services(cluster.as_deref(), page, size).await
                    })
                    .map(move |list| list.into_page_of(ask)),
            }
        })
        .map_items(move |mut services: Vec<Service>| {
            services.retain(|service| {
                own.is_none() || service.cluster_id.is_none() || service.cluster_id == own
            });
            services
        })
    }
}

/// A handle on a service; made by [`Client::service`].
#[derive(Clone, Debug)]
pub struct ServiceHandle {
    pub(super) client: Client,
    pub(super) id: Given<ServiceId>,
}

impl ServiceHandle {
    pub(super) fn new(client: Client, id: Given<ServiceId>) -> Self {
        Self { client, id }
    }

    /// What the service is doing: `GET /v1/services/{id}/status`.
    ///
    /// No server is known to have this route. The nearest one that servers have wakes a sleeping
    /// service by being asked, so this is not taken for a plain read.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn status(&self) -> Call<ServiceStatus> {
        let op = Op::GetServiceStatus;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(op, move |raw| async move {
                    raw.get_service_status(id.as_str()).await
                })
                .map(Single::into_inner)
        })
    }

    /// Wakes the service: `POST /v1/services/{id}/start`, without a body. It answers with a task,
    /// which no call reads again; the service takes up to 90 s.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound),
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the role,
    /// [`Unavailable`](crate::ErrorKind::Unavailable) when the cluster has no node, and those of every
    /// call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn start(&self) -> Call<Task> {
        let op = Op::StartService;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(op, move |raw| async move {
                    raw.start_service(id.as_str()).await
                })
                .map(Single::into_inner)
        })
    }

    /// Puts the service to sleep: `POST /v1/services/{id}/stop`, without a body. The next visitor of
    /// its domain wakes it again.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn stop(&self) -> Call<Task> {
        let op = Op::StopService;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(
                    op,
                    move |raw| async move { raw.stop_service(id.as_str()).await },
                )
                .map(Single::into_inner)
        })
    }

    /// Restarts the service: `POST /v1/services/{id}/restart`, without a body.
    ///
    /// No server is known to have this route. From one that answers so, the service is told to
    /// [`stop`](Self::stop) and then to [`start`](Self::start), and [`Via`](super::Via) says so; the
    /// task is that of the start. The two are not one: both are queued, and a server may refuse the
    /// second. `without_fallbacks` on the builder turns this off.
    ///
    /// # Errors
    /// As [`start`](Self::start). When it is the start that failed, the effect is
    /// [`Effect::Applied`](crate::Effect::Applied): the service was told to stop.
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers without fallbacks.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn restart(&self) -> Call<Routed<Task>> {
        let handle = self.clone();
        Call::new(
            self.client.scope_of(Op::RestartService),
            move |scope| async move {
                let steps = Steps::of(scope);
                match steps.run(handle.restart_as_documented()).await {
                    Err(error) if handle.client.falls_back() && steps.lacks_route(&error) => {}
                    result => return result.map(Routed::documented),
                }
                steps.run(handle.stop()).await?;
                let started = steps.run(handle.start()).await;
                started
                    .map(|task| Routed::by(Via::StopAndStart, task))
                    .map_err(|error| {
                        error
                            .with_effect(Effect::Applied)
                            .with_advice("the service was told to stop before this: start it")
                    })
            },
        )
    }

    fn restart_as_documented(&self) -> Call<Task> {
        let op = Op::RestartService;
        self.client.with(op, &self.id, |id| {
            self.client
                .call(op, move |raw| async move {
                    raw.restart_service(id.as_str()).await
                })
                .map(Single::into_inner)
        })
    }

    /// The logs so far, the oldest line first: `GET /v1/services/{id}/logs`. The control plane takes
    /// the name of a service here, too.
    ///
    /// `tail` is how many of the newest lines are wanted; all that the server sends, if `None`: from
    /// the control plane the first 1000 lines of the last 24 hours. It ignores `tail`, so the rest is
    /// cut off here; and if there are more than those 1000, the newest are looked for from 5 minutes, an
    /// hour or 24 hours ago on, with as many requests as it takes to come to the end, 5000 lines each.
    /// The deadline is that of them all. A reply is read into memory whole: the client's
    /// `max_reply_bytes` and its limits of time hold for it.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) from a server without a store for logs,
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden),
    /// [`Decode`](crate::ErrorKind::Decode) for a line that is none, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn logs(&self, tail: Option<u32>) -> Call<Vec<LogLine>> {
        self.client.with(Op::GetServiceLogs, &self.id, |id| {
            logs::read(&self.client, id, tail)
        })
    }

    /// The logs as they come: `GET /v1/services/{id}/logs?follow=true`.
    ///
    /// The call ends when the reply begins. The control plane begins with the last 15 minutes, and with
    /// the first 1000 lines of them: for a service that says more, begin with
    /// [`follow_logs_from`](Self::follow_logs_from).
    ///
    /// The [`LogStream`] connects again by itself, without gap and without repeat: it reads what came
    /// meanwhile, 5000 lines a request, and then follows on. The options of this call hold for its
    /// later requests, too. It may be silent for the client's `idle_timeout` before it looks whether the
    /// connection lives, and has no other limit of time.
    ///
    /// # Errors
    /// As [`logs`](Self::logs). What goes wrong later is an item of the [`LogStream`].
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn follow_logs(&self) -> Call<LogStream> {
        self.follow(None)
    }

    /// The same, beginning with so many of the newest lines; 0 for what is new only. They are read as
    /// [`logs`](Self::logs) reads them, and followed from there.
    ///
    /// # Errors
    /// As [`follow_logs`](Self::follow_logs).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn follow_logs_from(&self, tail: u32) -> Call<LogStream> {
        self.follow(Some(tail))
    }

    /// The logs from where another stream was, in this process or an earlier one:
    /// `GET /v1/services/{id}/logs?since=…`, until what came meanwhile is read, and then as
    /// [`follow_logs`](Self::follow_logs).
    ///
    /// The cursor does not say of which service it is. The control plane keeps lines for as long as its
    /// store is set up to.
    ///
    /// # Errors
    /// As [`follow_logs`](Self::follow_logs), and
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for the cursor of another platform.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn resume_logs(&self, cursor: &LogCursor) -> Call<LogStream> {
        self.client.with(Op::GetServiceLogs, &self.id, |id| {
            logs::resume(&self.client, id, cursor)
        })
    }

    fn follow(&self, tail: Option<u32>) -> Call<LogStream> {
        self.client.with(Op::GetServiceLogs, &self.id, |id| {
            logs::follow(&self.client, id, tail)
        })
    }

    /// The environment variables of the service. It does no I/O.
    pub fn env(&self) -> ServiceEnv {
        ServiceEnv::new(self.client.clone(), self.id.clone())
    }
}
