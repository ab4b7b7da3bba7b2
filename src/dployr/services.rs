//! Services: list, read, change and delete them; start, stop, restart; logs, secrets and traffic.

use super::shapes::PAGING;
use super::{
    Client, Handle, Page, Routed, Service, ServiceEnv, ServiceHandle, ServiceId, ServiceMetrics,
    ServiceSecret, ServiceStatus, ServiceUpdate, ServiceUpdated, Task, Via, logs,
};
use crate::call::Call;
use crate::error::{Effect, Error, Result};
use crate::logs::{LogCursor, LogLine, LogStream};
use crate::page::{PageRequest, paged};
use crate::raw::dployr::Op;
use std::time::{SystemTime, UNIX_EPOCH};

/// The services of a server; made by [`Client::services`].
#[derive(Clone, Debug)]
#[must_use = "nothing is requested before `list` is awaited"]
pub struct Services {
    client: Client,
    page_request: PageRequest,
}

impl Services {
    paged!("services");

    /// One page of the services, by name: `GET /v1/services`.
    ///
    /// The open-source control plane checks access to the cluster, and then answers with the services
    /// of **all** clusters, those of other users too. A client that has a cluster drops those;
    /// `total_items` and the other numbers of the page still count them, and a page may be empty though
    /// more follow.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a page or a size of zero,
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster, and
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn list(&self) -> Call<Page<Service>> {
        let client = self.client.clone();
        let own = client.cluster_id();
        Call::paged(PAGING, self.page_request, move |page_request| {
            let cluster = client.cluster_id();
            client.call(Op::ListServices, move |raw| async move {
                let (page, size) = page_request.parameters()?;
                let list = raw.list_services(cluster.as_deref(), page, size).await?;
                Ok(list.into_inner().into_page_of(page_request))
            })
        })
        .map_items(move |mut services: Vec<Service>| {
            services.retain(|service| {
                own.is_none() || service.cluster_id.is_none() || service.cluster_id == own
            });
            services
        })
    }

    /// The traffic of a service in the last 24 hours, by the hour:
    /// `GET /v1/services/metrics/{name}`. It takes the name, not the id; an unknown name has no traffic.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a name that cannot be part of a path,
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster, and
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn metrics(&self, name: impl Into<String>) -> Call<ServiceMetrics> {
        self.metrics_of(name.into(), None)
    }

    /// The traffic of a service between two times:
    /// `GET /v1/services/metrics/{name}?from=…&to=…`.
    ///
    /// # Errors
    /// As [`metrics`](Self::metrics), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a
    /// time before 1970.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn metrics_between(
        &self,
        name: impl Into<String>,
        from: SystemTime,
        to: SystemTime,
    ) -> Call<ServiceMetrics> {
        self.metrics_of(name.into(), Some((from, to)))
    }

    fn metrics_of(
        &self,
        name: String,
        window: Option<(SystemTime, SystemTime)>,
    ) -> Call<ServiceMetrics> {
        let cluster = self.client.cluster_id();
        self.client
            .call(Op::GetServiceMetrics, move |raw| async move {
                crate::id::check("name of a service", &name)?;
                let (from, to) = window.unzip();
                let (from, to) = (from.map(millis).transpose()?, to.map(millis).transpose()?);
                let metrics = raw.get_service_metrics(&name, cluster.as_deref(), from, to);
                Ok(metrics.await?.into_inner().0)
            })
    }
}

impl ServiceHandle {
    /// The service: `GET /v1/services/{id}`, by its id, not its name. The record does not say what the
    /// service is doing.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), and [`Forbidden`](crate::ErrorKind::Forbidden) for
    /// another user's service.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn get(&self) -> Call<Service> {
        self.call(Op::GetService, |raw, id| async move {
            Ok(raw.get_service(id.as_str()).await?.into_inner().0)
        })
    }

    /// Changes the service and redeploys it: `PATCH /v1/services/{id}`.
    ///
    /// ```no_run
    /// # async fn example(dployr: deploykit::dployr::Client) -> deploykit::Result<()> {
    /// use deploykit::dployr::ServiceUpdate;
    /// let service = dployr.service("01M85NWYM50C3XD23R6MCKYEYQ");
    /// let name = service.get().await?.name;
    /// let deployment = dployr.deployment(&name).get().await?;
    /// // The health check is sent again, or it would be reset.
    /// let update = ServiceUpdate::new("loop-node-1", deployment.health_check.as_deref());
    /// println!("{:?}", service.update(update.port(4000)).await?.task_id);
    /// # Ok(()) }
    /// ```
    ///
    /// The control plane saves variables, secrets and settings before it looks for a node, so they are
    /// changed even if no node is connected, and take effect with the next deployment. The deployment in
    /// the reply has no `updated_at`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty tag, an invalid name of a
    /// variable, an invalid port, and a secret that is both set and kept;
    /// [`NotFound`](crate::ErrorKind::NotFound) for the service and for the instance;
    /// [`Rejected`](crate::ErrorKind::Rejected); [`Forbidden`](crate::ErrorKind::Forbidden) without the
    /// role; [`Unavailable`](crate::ErrorKind::Unavailable) with
    /// [`Effect::Applied`](crate::Effect::Applied) when no node could deploy it.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn update(&self, update: ServiceUpdate) -> Call<ServiceUpdated> {
        self.call(Op::UpdateService, |raw, id| async move {
            let reply = raw.update_service(id.as_str(), &update.into_raw()?).await?;
            Ok(reply.into_inner().0)
        })
    }

    /// Deletes the service and the record of its deployment: `DELETE /v1/services/{id}`.
    ///
    /// A node is told to remove it, without waiting: a disconnected node keeps it running.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), also the second time, and
    /// [`Forbidden`](crate::ErrorKind::Forbidden) without the role.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn delete(&self) -> Call<()> {
        self.call(Op::DeleteService, |raw, id| async move {
            raw.delete_service(id.as_str()).await?;
            Ok(())
        })
    }

    /// What the service is doing: `GET /v1/services/{id}/status`.
    ///
    /// No known server has this route. The nearest existing one wakes a sleeping service, so this call
    /// does not count as a read.
    ///
    /// # Errors
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn status(&self) -> Call<ServiceStatus> {
        self.call(Op::GetServiceStatus, |raw, id| async move {
            Ok(raw.get_service_status(id.as_str()).await?.into_inner().0)
        })
    }

    /// Wakes the service: `POST /v1/services/{id}/start`, without a body. It answers with a task, which
    /// no call reads; the service takes up to 90 s.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) without the
    /// role, and [`Unavailable`](crate::ErrorKind::Unavailable) when the cluster has no node.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn start(&self) -> Call<Task> {
        self.call(Op::StartService, |raw, id| async move {
            Ok(raw.start_service(id.as_str()).await?.into_inner().0)
        })
    }

    /// Puts the service to sleep: `POST /v1/services/{id}/stop`, without a body. The next visitor of
    /// its domain wakes it.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn stop(&self) -> Call<Task> {
        self.call(Op::StopService, |raw, id| async move {
            Ok(raw.stop_service(id.as_str()).await?.into_inner().0)
        })
    }

    /// Restarts the service: `POST /v1/services/{id}/restart`, without a body.
    ///
    /// No known server has this route. From one that answers so, the client falls back to
    /// [`stop`](Self::stop) and then [`start`](Self::start), see [`Via`]; the task is that of the start.
    /// This is not atomic: both are queued, and the server may refuse the second. `without_fallbacks` on
    /// the builder turns this off.
    ///
    /// # Errors
    /// As [`start`](Self::start). If the start failed, the effect is
    /// [`Effect::Applied`](crate::Effect::Applied): the service was told to stop.
    /// [`NoSuchRoute`](crate::ErrorKind::NoSuchRoute) from the known servers without fallbacks.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn restart(&self) -> Call<Routed<Task>> {
        let service = self.clone();
        let documented = self.call(Op::RestartService, |raw, id| async move {
            Ok(raw.restart_service(id.as_str()).await?.into_inner().0)
        });
        self.client
            .in_steps(Op::RestartService, |steps| async move {
                if let Some(task) = steps.documented(documented).await? {
                    return Ok(Routed::by(Via::Documented, task));
                }
                steps.run(service.stop()).await?;
                let task = steps.run(service.start()).await.map_err(|error| {
                    error
                        .with_effect(Effect::Applied)
                        .with_advice("the service was told to stop before this: start it")
                })?;
                Ok(Routed::by(Via::StopAndStart, task))
            })
    }

    /// The names of the secret variables, without their values: `GET /v1/services/{id}/secrets`. The
    /// server sends them on one page.
    ///
    /// A name may come twice: once from the first deployment, without a `service_id`, and once from a
    /// later change.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden) without the
    /// role of a developer, and [`Unavailable`](crate::ErrorKind::Unavailable) from a server that was
    /// set up without a key for secrets.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/services.ts>
    pub fn secrets(&self) -> Call<Page<ServiceSecret>> {
        self.call(Op::ListServiceSecrets, |raw, id| async move {
            let list = raw.list_service_secrets(id.as_str()).await?;
            Ok(list.into_inner().into_page())
        })
    }

    /// The logs so far, the oldest line first: `GET /v1/services/{id}/logs`. The control plane also
    /// takes the name of a service.
    ///
    /// `tail` is the number of the newest lines to return. `None` returns what one reply has: from the
    /// control plane the first 1000 lines of the last 24 hours. The control plane ignores `tail`, so
    /// further lines are dropped here. If there are more than 1000, the newest are searched for in the
    /// last 5 minutes, the last hour and the last 24 hours, 5000 lines per request, all within the
    /// deadline. Replies are read into memory, within `max_reply_bytes`.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) from a server without a log store,
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Forbidden`](crate::ErrorKind::Forbidden), and
    /// [`Decode`](crate::ErrorKind::Decode) for an invalid line.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn logs(&self, tail: Option<u32>) -> Call<Vec<LogLine>> {
        logs::read(self, tail)
    }

    /// Follows the logs: `GET /v1/services/{id}/logs?follow=true`.
    ///
    /// The call ends when the reply begins. The control plane begins with the first 1000 lines of the
    /// last 15 minutes: for a service that writes more, use
    /// [`follow_logs_from`](Self::follow_logs_from).
    ///
    /// The [`LogStream`] reconnects by itself, without gaps and duplicates: it reads what it missed,
    /// 5000 lines per request, and then follows again. The options of this call apply to its later
    /// requests. It reconnects after `idle_timeout` without a byte, and has no other time limit.
    ///
    /// # Errors
    /// As [`logs`](Self::logs). Later errors are items of the [`LogStream`].
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn follow_logs(&self) -> Call<LogStream> {
        logs::follow(self, None)
    }

    /// Follows the logs from the newest `tail` lines on; 0 for new lines only. They are read as by
    /// [`logs`](Self::logs).
    ///
    /// # Errors
    /// As [`follow_logs`](Self::follow_logs).
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn follow_logs_from(&self, tail: u32) -> Call<LogStream> {
        logs::follow(self, Some(tail))
    }

    /// Follows the logs from the cursor of another stream on, of this process or an earlier one:
    /// `GET /v1/services/{id}/logs?since=…` until the missed lines are read, and then as
    /// [`follow_logs`](Self::follow_logs).
    ///
    /// The cursor does not name its service. How long lines are kept depends on the server's log store.
    ///
    /// # Errors
    /// As [`follow_logs`](Self::follow_logs), and
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for the cursor of another platform.
    ///
    /// Source: <https://github.com/dployr-io/dployr-docs/blob/main/docs/api.md>
    pub fn resume_logs(&self, cursor: &LogCursor) -> Call<LogStream> {
        logs::resume(self, cursor)
    }

    /// The environment variables of the service. It does no I/O.
    pub fn env(&self) -> ServiceEnv {
        ServiceEnv {
            service: self.clone(),
            instance: None,
        }
    }
}

impl Client {
    /// The services. It does no I/O.
    pub fn services(&self) -> Services {
        Services {
            client: self.clone(),
            page_request: PageRequest::default(),
        }
    }

    /// A handle on a service. It does no I/O.
    pub fn service(&self, id: impl TryInto<ServiceId, Error: Into<Error>>) -> ServiceHandle {
        Handle::new(self, id)
    }
}

/// Milliseconds since 1970, the form of times in a query.
pub(super) fn millis(at: SystemTime) -> Result<i64> {
    let since = at.duration_since(UNIX_EPOCH).ok();
    since
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .ok_or_else(|| Error::invalid_request("the time lies before 1970 or too far ahead"))
}
