//! Ids of tasks, which look like ids of other things.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The id of a task: what a server says to a deployment, a start or a stop.
///
/// No call takes it, and that is why it is a type of its own. The control plane gives the id of a
/// deployment to the task that makes it, so the first time a name is deployed the two are equal;
/// when the name is deployed anew the record keeps its id, and the id of the new task finds nothing.
/// Look for the name instead: [`Client::deployment`](super::Client::deployment) takes that too.
///
/// ```compile_fail
/// # async fn example(dployr: deploykit::dployr::Client, task: deploykit::dployr::TaskId) {
/// dployr.deployment(task).get().await; // there may be no such deployment
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(String);

impl TaskId {
    /// The id as text, for a log.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
