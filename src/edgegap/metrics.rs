//! What a deployment uses over time.

use super::{Client, DeploymentHandle, DeploymentMetrics, RequestId};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::id::CheckedId;
use crate::raw::edgegap::Op;
use crate::time::naive_seconds;
use std::time::{Duration, SystemTime};

/// The metrics of a deployment; made by [`DeploymentHandle::metrics`](super::DeploymentHandle::metrics).
///
/// ```no_run
/// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
/// use std::time::{Duration, SystemTime};
/// let hour = SystemTime::now() - Duration::from_secs(3600);
/// let metrics = edgegap.deployment("c0653765de3b").metrics().since(hour).steps(Duration::from_secs(60));
/// println!("{:?}", metrics.get().await?.cpu);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is asked before `get` is awaited"]
pub struct Metrics {
    client: Client,
    id: CheckedId<RequestId>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    steps: Option<Duration>,
    raw: Option<bool>,
}

impl DeploymentHandle {
    /// What the deployment uses over time, as far as it is asked for. It does no I/O.
    pub fn metrics(&self) -> Metrics {
        Metrics {
            client: self.client.clone(),
            id: self.id.clone(),
            since: None,
            until: None,
            steps: None,
            raw: None,
        }
    }
}

impl Metrics {
    /// Only from this moment on, to the second. Left to the platform otherwise.
    pub fn since(mut self, since: SystemTime) -> Self {
        self.since = Some(since);
        self
    }

    /// Only until this moment, to the second. Left to the platform otherwise.
    pub fn until(mut self, until: SystemTime) -> Self {
        self.until = Some(until);
        self
    }

    /// How far the points are apart, in whole seconds. Left to the platform otherwise.
    pub fn steps(mut self, apart: Duration) -> Self {
        self.steps = Some(apart);
        self
    }

    /// Whether the points are left as they were measured. Left to the platform otherwise.
    pub fn raw(mut self, raw: bool) -> Self {
        self.raw = Some(raw);
        self
    }

    /// The metrics: `GET /v1/metrics/deployment/{deployment_id}`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) before anything is sent: steps of less
    /// than a second, or an end that is not after the beginning.
    /// [`NotFound`](crate::ErrorKind::NotFound), [`Rejected`](crate::ErrorKind::Rejected) for times
    /// or steps that the platform cannot use,
    /// [`Unauthenticated`](crate::ErrorKind::Unauthenticated) and those of every call.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn get(&self) -> Call<DeploymentMetrics> {
        let Self {
            since,
            until,
            steps,
            ..
        } = *self;
        let (id, raw_points) = (self.id.clone(), self.raw);
        self.client
            .call(Op::GetDeploymentMetrics, move |raw| async move {
                let id = id?;
                if until.is_some_and(|until| since.is_some_and(|since| until <= since)) {
                    return Err(Error::invalid_request("the metrics end before they begin").into());
                }
                let (since, until) = (text(since)?, text(until)?);
                let steps = steps.map(|apart| apart.as_secs());
                if steps == Some(0) {
                    return Err(Error::invalid_request("the steps are less than a second").into());
                }
                let steps = steps.map(|seconds| format!("{seconds}s"));
                let metrics = raw.get_deployment_metrics(
                    id.as_str(),
                    until.as_deref(),
                    raw_points,
                    since.as_deref(),
                    steps.as_deref(),
                );
                Ok(metrics.await?.into_inner())
            })
    }
}

/// A moment, as the platform writes it.
fn text(at: Option<SystemTime>) -> Result<Option<String>> {
    let Some(at) = at else { return Ok(None) };
    match naive_seconds(at) {
        Some(text) => Ok(Some(text)),
        None => Err(Error::invalid_request(
            "the time is not one of this calendar",
        )),
    }
}
