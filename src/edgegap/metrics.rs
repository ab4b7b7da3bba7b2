//! What a deployment uses over time.

use super::client::Given;
use super::{Client, DeploymentMetrics, RequestId};
use crate::call::Call;
use crate::error::{Error, Result};
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
    id: Given<RequestId>,
    since: Option<SystemTime>,
    until: Option<SystemTime>,
    steps: Option<Duration>,
    raw: Option<bool>,
}

/// The parameters, as the platform writes them.
struct Window {
    since: Option<String>,
    until: Option<String>,
    steps: Option<String>,
}

impl Metrics {
    pub(super) fn new(client: Client, id: Given<RequestId>) -> Self {
        Self {
            client,
            id,
            since: None,
            until: None,
            steps: None,
            raw: None,
        }
    }

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
        let (id, window, raw_points) = (self.id.clone(), self.window(), self.raw);
        self.client
            .call(Op::GetDeploymentMetrics, move |raw| async move {
                let (id, window) = (id?, window?);
                let metrics = raw.get_deployment_metrics(
                    id.as_str(),
                    window.until.as_deref(),
                    raw_points,
                    window.since.as_deref(),
                    window.steps.as_deref(),
                );
                Ok(metrics.await?.into_inner())
            })
    }

    fn window(&self) -> Result<Window> {
        if let (Some(since), Some(until)) = (self.since, self.until)
            && until <= since
        {
            return Err(Error::invalid_request("the metrics end before they begin"));
        }
        if self.steps.is_some_and(|apart| apart.as_secs() == 0) {
            return Err(Error::invalid_request("the steps are less than a second"));
        }
        let text = |at| {
            naive_seconds(at)
                .ok_or_else(|| Error::invalid_request("the time is not one of this calendar"))
        };
        Ok(Window {
            since: self.since.map(text).transpose()?,
            until: self.until.map(text).transpose()?,
            steps: self.steps.map(|apart| format!("{}s", apart.as_secs())),
        })
    }
}
