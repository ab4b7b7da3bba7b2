//! The logs of a whole cluster.

use super::client::check_text;
use super::log_read::{Log, Wanted};
use super::log_source::LogSource;
use super::service_records::millis;
use super::{Client, DeploymentId, LogLine, LogStream, logs};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::logs::{Place, Seam, clock};
use crate::raw::dployr::Op;
use crate::transport::Scope;
use progenitor_client::ByteStream;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::time::Instant;

/// Which entries of a cluster's logs. All of the last 24 hours unless something is set, and of
/// these the first 1000.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "nothing is read until it is given to a client"]
pub struct LogQuery {
    service: Option<String>,
    deployment: Option<DeploymentId>,
    source: Option<String>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    limit: Option<u32>,
    newest_first: bool,
}

impl LogQuery {
    /// Everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Those of one service, by its name. The control plane calls the parameter `serviceId`.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Those of one deployment.
    pub fn deployment(mut self, id: impl Into<DeploymentId>) -> Self {
        self.deployment = Some(id.into());
        self
    }

    /// Those that were written there: `runtime`, `build`, `deploy`, or several with a bar between
    /// them, as in `build|deploy`. Nodes of older versions write `dployrd` for `runtime`.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// From this point in time on, in whole milliseconds.
    pub fn since(mut self, at: SystemTime) -> Self {
        self.since = Some(at);
        self
    }

    /// Up to this point in time, in whole milliseconds.
    pub fn until(mut self, at: SystemTime) -> Self {
        self.until = Some(at);
        self
    }

    /// At most so many; 1000 unless set, and the control plane never sends more than 5000. They are
    /// the first in the order that was asked for, so it is a tail only together with
    /// [`newest_first`](Self::newest_first).
    pub fn limit(mut self, entries: u32) -> Self {
        self.limit = Some(entries);
        self
    }

    /// The newest entry first; the oldest is, otherwise.
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    fn into_raw(self, cluster: Option<String>) -> Result<ClusterLog> {
        for (what, text) in [("service", &self.service), ("source", &self.source)] {
            text.as_ref()
                .map_or(Ok(()), |text| check_text(what, text))?;
        }
        if self.limit == Some(0) {
            return Err(Error::invalid_request("the limit is zero entries"));
        }
        Ok(ClusterLog {
            cluster,
            since: self.since.map(millis).transpose()?,
            until: self.until.map(millis).transpose()?,
            deployment: self.deployment.as_ref().map(ToString::to_string),
            limit: self.limit.map(i64::from),
            direction: self.newest_first.then_some("backward"),
            service: self.service,
            source: self.source,
        })
    }
}

/// What is asked for, as it goes out.
pub(super) struct ClusterLog {
    cluster: Option<String>,
    service: Option<String>,
    deployment: Option<String>,
    source: Option<String>,
    since: Option<i64>,
    until: Option<i64>,
    limit: Option<i64>,
    direction: Option<&'static str>,
}

impl Client {
    /// The logs of the client's cluster so far: `GET /v1/logs`. Each line says the name of its
    /// service, in `service_id`.
    ///
    /// All of it is read into memory: the client's `max_reply_bytes` and its limits of time hold for
    /// the whole reply.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent: an empty name or
    /// source, a limit of zero, a time before 1970. Of the server:
    /// [`Rejected`](crate::ErrorKind::Rejected) without a cluster,
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for a cluster of others,
    /// [`Unsupported`](crate::ErrorKind::Unsupported) from a server without a store for logs,
    /// [`Decode`](crate::ErrorKind::Decode) for a line that is none, and those of every call.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/logs.ts>
    pub fn logs(&self, query: LogQuery) -> Call<Vec<LogLine>> {
        match query.into_raw(self.cluster_id()) {
            Err(error) => self.refused(Op::GetLogs, error),
            Ok(query) => Call::new(self.scope_of(Op::GetLogs), move |mut scope| async move {
                let started = Instant::now();
                let stream = Arc::new(query).open(&scope, Wanted::default()).await?;
                logs::whole(&mut scope, started, stream).await
            }),
        }
    }

    /// The logs of the client's cluster as they come: `GET /v1/logs?follow=true`, from `since` of the
    /// query on, or with what the control plane begins with. Its limit is that of each reply.
    ///
    /// The call ends when the reply begins. The stream may be silent for the client's
    /// `idle_timeout`, and has no other limit of time; it goes on over a broken connection as
    /// [`ServiceHandle::follow_logs`](super::ServiceHandle::follow_logs) does.
    ///
    /// # Errors
    /// As [`logs`](Self::logs), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a query
    /// with an end or with the newest first. What goes wrong later is an item of the [`LogStream`].
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/logs.ts>
    pub fn follow_logs(&self, query: LogQuery) -> Call<LogStream> {
        if query.newest_first || query.until.is_some() {
            let why = "what is followed has no end, and its newest entry comes last";
            return self.refused(Op::GetLogs, Error::invalid_request(why));
        }
        match query.into_raw(self.cluster_id()) {
            Err(error) => self.refused(Op::GetLogs, error),
            Ok(query) => Call::new(self.scope_of(Op::GetLogs), move |scope| async move {
                let since = query.since;
                let log = Log::Cluster(Arc::new(query));
                let wanted = Wanted {
                    follow: true,
                    ..Wanted::default()
                };
                let connection = logs::connect(&scope, &log, wanted).await?;
                let mut seam = Seam::new(Place::default(), 0);
                seam.start_at(since.or(Some(clock(&scope) - logs::HISTORY)));
                let source = LogSource::connected(scope.clone(), log, connection);
                Ok(logs::stream(&scope, source, seam))
            }),
        }
    }
}

impl ClusterLog {
    /// Asks for this part of it; what is not wanted in particular is as the query says.
    pub async fn open(self: &Arc<Self>, scope: &Scope, wanted: Wanted) -> Result<ByteStream> {
        let log = self.clone();
        // The generated method has its parameters by their names, in the order of the alphabet.
        Client::step(scope, move |raw| async move {
            let stream = raw.get_logs(
                log.cluster.as_deref(),
                log.deployment.as_deref(),
                log.direction,
                wanted.follow.then_some(true),
                wanted.limit.map(i64::from).or(log.limit),
                log.service.as_deref(),
                wanted.since.or(log.since),
                log.source.as_deref(),
                log.until,
            );
            Ok(stream.await?.into_inner())
        })
        .await
    }
}
