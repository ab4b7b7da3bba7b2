//! Metrics of a deployment: CPU, memory, disk and network over time.

use super::{DeploymentHandle, DeploymentMetrics};
use crate::call::Call;
use crate::error::{Error, Result};
use crate::raw::edgegap::Op;
use crate::time::naive_seconds;
use std::time::{Duration, SystemTime};

/// The metrics of a deployment; returned by [`DeploymentHandle::metrics`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> deploykit::Result<()> {
/// # let edgegap = deploykit_sandbox::Sandbox::builder().in_process().edgegap()?;
/// use std::time::{Duration, SystemTime};
/// let an_hour_ago = SystemTime::now() - Duration::from_secs(3600);
/// let server = edgegap.deployment("c0653765de3b");
/// # use deploykit::edgegap::{NewDeployment, User};
/// # let new = NewDeployment::new("my-app", "25.05.30-16.45.19-04", User::ip([75, 28, 35, 192].into()));
/// # let server = edgegap.deploy(new).await?.deployment();
/// let metrics = server.metrics().since(an_hour_ago);
/// let metrics = metrics.steps(Duration::from_secs(60)).get().await?;
/// println!("{:?}", metrics.cpu);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "sends nothing until `get` is awaited"]
pub struct Metrics {
    deployment: DeploymentHandle,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    steps: Option<Duration>,
    raw: Option<bool>,
}

impl DeploymentHandle {
    /// The metrics of the deployment. Does no I/O.
    pub fn metrics(&self) -> Metrics {
        Metrics {
            deployment: self.clone(),
            since: None,
            until: None,
            steps: None,
            raw: None,
        }
    }
}

impl Metrics {
    /// Start of the time range, in whole seconds. Default: chosen by the platform.
    pub fn since(mut self, since: SystemTime) -> Self {
        self.since = Some(since);
        self
    }

    /// End of the time range, in whole seconds. Default: chosen by the platform.
    pub fn until(mut self, until: SystemTime) -> Self {
        self.until = Some(until);
        self
    }

    /// Interval between two points, in whole seconds. Default: chosen by the platform.
    pub fn steps(mut self, interval: Duration) -> Self {
        self.steps = Some(interval);
        self
    }

    /// Whether to return the measured points unchanged. Default: chosen by the platform.
    pub fn raw(mut self, raw: bool) -> Self {
        self.raw = Some(raw);
        self
    }

    /// Gets the metrics: `GET /v1/metrics/deployment/{deployment_id}`.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the interval is shorter than a second, or the
    /// time range is empty. [`Rejected`](crate::ErrorKind::Rejected) if the platform does not support the
    /// time range or the interval.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn get(&self) -> Call<DeploymentMetrics> {
        let (since, until, steps, raw_points) = (self.since, self.until, self.steps, self.raw);
        self.deployment
            .call(Op::GetDeploymentMetrics, move |raw, id| async move {
                if until.is_some_and(|until| since.is_some_and(|since| until <= since)) {
                    return Err(Error::invalid_request(
                        "the end of the time range is not after its start",
                    )
                    .into());
                }
                let (since, until) = (naive_utc(since)?, naive_utc(until)?);
                let steps = steps.map(|interval| interval.as_secs());
                if steps == Some(0) {
                    return Err(Error::invalid_request(
                        "the interval of the metrics is less than a second",
                    )
                    .into());
                }
                let steps = steps.map(|seconds| format!("{seconds}s"));
                let metrics = raw.get_deployment_metrics_with(id.as_str(), |options| {
                    options.start_time = since.as_deref();
                    options.end_time = until.as_deref();
                    options.raw = raw_points;
                    options.steps = steps.as_deref();
                });
                Ok(metrics.await?.into_inner())
            })
    }
}

/// Formats a time for the query: UTC, without a time zone.
fn naive_utc(at: Option<SystemTime>) -> Result<Option<String>> {
    let text = |at| naive_seconds(at).ok_or("the time is after the year 9999");
    at.map(text).transpose().map_err(Error::invalid_request)
}
