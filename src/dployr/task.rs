//! Ids of tasks.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The id of a task, which a server answers to a deployment, a start or a stop.
///
/// No call takes it. When a name is first deployed, the task and the deployment have the same id; when it
/// is redeployed, the deployment keeps its id, and the id of the new task finds nothing. Look the
/// deployment up by its name: [`Client::deployment`](super::Client::deployment).
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
