//! Typed ids and handles.

use super::Client;
use crate::call::{Call, Stop};
use crate::error::Error;
use crate::id::{CheckedId, Id, checked};
use crate::raw::dployr::{self as raw, Op};
use serde::{Deserialize, Serialize};
use std::fmt;

crate::id::id! {
    /// Id of a dployr cluster: `01M85NWTN0TJ4JW1JXEKRNC9Z2`.
    ClusterId, "cluster id"
}

crate::id::id! {
    /// Id of a dployr deployment: `01M85NWXQH0M1DQ4109E4PJNZT`.
    DeploymentId, "deployment id"
}

crate::id::id! {
    /// Id of a dployr service: `01M85NWYM50C3XD23R6MCKYEYQ`.
    ServiceId, "service id"
}

crate::id::id! {
    /// Id of a dployr instance: `01M85NWTYTS09RTFPRVV8BHHEN`.
    InstanceId, "instance id"
}

crate::id::id! {
    /// Tag of a dployr instance: `loop-node-1`. Some calls require it instead of the id.
    InstanceTag, "instance tag"
}

crate::id::id! {
    /// Id of a dployr proxy route.
    RouteId, "route id"
}

crate::id::id! {
    /// Id of a dployr API token, not its value: `07b5804a-1c6c-426d-a4cf-185c3b8eff9d`.
    ApiTokenId, "API token id"
}

crate::id::id! {
    /// A domain: `app.example.com`.
    DomainName, "domain"
}

crate::id::id! {
    /// Id of a dployr project.
    ProjectId, "project id"
}

/// A handle on a cluster; made by [`Client::cluster`].
pub type ClusterHandle = Handle<ClusterId>;

/// A handle on a service; made by [`Client::service`].
pub type ServiceHandle = Handle<ServiceId>;

/// A handle on an instance; made by [`Client::instance`].
pub type InstanceHandle = Handle<InstanceId>;

/// A handle on an instance by its tag; made by [`Client::node`].
pub type NodeHandle = Handle<InstanceTag>;

/// A handle on a route; made by [`Client::route`].
pub type RouteHandle = Handle<RouteId>;

/// A handle on an API token; made by [`Client::api_token`].
pub type ApiTokenHandle = Handle<ApiTokenId>;

/// A handle on a domain; made by [`Client::domain`].
pub type DomainHandle = Handle<DomainName>;

/// A handle on a project; made by [`Client::project`].
pub type ProjectHandle = Handle<ProjectId>;

/// Id of a task, in the reply to a deployment, a start or a stop.
///
/// No operation accepts it. The first deployment of a name has the id of its task. A redeployment keeps
/// the id of the deployment, so the id of its task is not a deployment id. To wait for a deployment, use
/// [`Deployed::deployment`](super::Deployed::deployment).
///
/// ```compile_fail
/// # async fn example(dployr: deploykit::dployr::Client, task: deploykit::dployr::TaskId) {
/// dployr.deployment(task).get().await; // a task id is not a deployment id
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(String);

impl TaskId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A handle on one resource, by its id.
///
/// Creating a handle sends nothing. Its calls refuse an invalid id.
#[derive(Clone, Debug)]
pub struct Handle<I> {
    pub(super) client: Client,
    pub(super) id: CheckedId<I>,
}

impl<I: Clone + Send + 'static> Handle<I> {
    pub(super) fn new(client: &Client, id: impl TryInto<I, Error: Into<Error>>) -> Self
    where
        I: Id,
    {
        Self {
            client: client.clone(),
            id: checked(id),
        }
    }

    /// A call of one operation, with the checked id.
    pub(super) fn call<T, F, R>(&self, op: Op, run: F) -> Call<T>
    where
        T: Send + 'static,
        F: FnOnce(raw::Client, I) -> R + Send + 'static,
        R: Future<Output = Result<T, Stop>> + Send + 'static,
    {
        let id = self.id.clone();
        self.client
            .call(op, |raw| async move { run(raw, id?).await })
    }
}
