//! The logs of a whole cluster.

use super::{Log, call};
use crate::call::Call;
use crate::dployr::client::check_text;
use crate::dployr::services::millis;
use crate::dployr::{Client, DeploymentId};
use crate::error::{Error, Result};
use crate::logs::{LogLine, LogStream};
use crate::raw::dployr::{self as raw, Op};
use progenitor_client::{ByteStream, ResponseValue};
use std::sync::Arc;
use std::time::SystemTime;

/// A selection of a cluster's log entries. Default: the first 1000 of the last 24 hours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "nothing is read until it is passed to a client"]
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
    /// Selects everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Selects one service, by name. The control plane calls the parameter `serviceId`.
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Selects one deployment.
    pub fn deployment(mut self, id: impl Into<DeploymentId>) -> Self {
        self.deployment = Some(id.into());
        self
    }

    /// Selects a source: `runtime`, `build`, `deploy`, or several as in `build|deploy`. Nodes of older
    /// versions write `dployrd` for `runtime`.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Selects entries from this time on, in whole milliseconds.
    pub fn since(mut self, at: SystemTime) -> Self {
        self.since = Some(at);
        self
    }

    /// Selects entries up to this time, in whole milliseconds.
    pub fn until(mut self, at: SystemTime) -> Self {
        self.until = Some(at);
        self
    }

    /// Maximum number of entries. Default: 1000; the control plane sends at most 5000.
    ///
    /// They are the first in the requested order, so combine it with
    /// [`newest_first`](Self::newest_first) to get a tail.
    pub fn limit(mut self, entries: u32) -> Self {
        self.limit = Some(entries);
        self
    }

    /// Sorts the newest entry first. Default: the oldest first.
    pub fn newest_first(mut self) -> Self {
        self.newest_first = true;
        self
    }

    fn into_log(self, client: &Client) -> Result<Log> {
        for (what, text) in [("service", &self.service), ("source", &self.source)] {
            text.iter().try_for_each(|text| check_text(what, text))?;
        }
        if self.limit == Some(0) {
            return Err(Error::invalid_request("the limit is zero entries"));
        }
        Ok(Log::Cluster(Arc::new(ClusterLog {
            cluster: client.cluster_id(),
            since: self.since.map(millis).transpose()?,
            until: self.until.map(millis).transpose()?,
            query: self,
        })))
    }
}

/// A checked query.
pub(super) struct ClusterLog {
    cluster: Option<String>,
    pub since: Option<i64>,
    until: Option<i64>,
    query: LogQuery,
}

impl ClusterLog {
    /// Requests a part of the log. `limit` and `since` default to those of the query.
    pub async fn open(
        &self,
        client: &raw::Client,
        follow: Option<bool>,
        limit: Option<i64>,
        since: Option<i64>,
    ) -> std::result::Result<ResponseValue<ByteStream>, progenitor_client::Error<()>> {
        let query = &self.query;
        client
            .get_logs(
                self.cluster.as_deref(),
                query.deployment.as_ref().map(DeploymentId::as_str),
                query.newest_first.then_some("backward"),
                follow,
                limit.or(query.limit.map(i64::from)),
                query.service.as_deref(),
                since.or(self.since),
                query.source.as_deref(),
                self.until,
            )
            .await
    }
}

impl Client {
    /// Reads the logs of the client's cluster: `GET /v1/logs`. The `service_id` of a line is the name
    /// of its service.
    ///
    /// The whole reply is read into memory, within `max_reply_bytes` and the limits of the call.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for an empty name or source, a limit of
    /// zero, and a time before 1970; [`Rejected`](crate::ErrorKind::Rejected) without a cluster;
    /// [`Forbidden`](crate::ErrorKind::Forbidden) for another user's cluster;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) from a server without a log store.
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/logs.ts>
    pub fn logs(&self, query: LogQuery) -> Call<Vec<LogLine>> {
        call(
            self,
            Op::GetLogs,
            query.into_log(self),
            |reader| async move { reader.whole().await },
        )
    }

    /// Follows the logs of the client's cluster: `GET /v1/logs?follow=true`. Begins at `since` of the
    /// query, or 15 minutes ago. The limit of the query is that of each reply.
    ///
    /// The call ends when the reply begins; see
    /// [`ServiceHandle::follow_logs`](crate::dployr::ServiceHandle::follow_logs).
    ///
    /// # Errors
    /// As [`logs`](Self::logs), and [`InvalidRequest`](crate::ErrorKind::InvalidRequest) for a query
    /// with `until` or with the newest first. Later errors are items of the [`LogStream`].
    ///
    /// Source: <https://github.com/dployr-io/dployr-base/blob/main/src/routes/logs.ts>
    pub fn follow_logs(&self, query: LogQuery) -> Call<LogStream> {
        let log = match query.newest_first || query.until.is_some() {
            true => Err(Error::invalid_request(
                "a followed log has no end, and its newest entry comes last",
            )),
            false => query.into_log(self),
        };
        call(self, Op::GetLogs, log, |reader| reader.follow(None))
    }
}
