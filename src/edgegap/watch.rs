//! Watching many deployments.

use super::wait::phase_of_status;
use super::{Client, DeploymentSummary, Deployments};
use crate::call::Call;
use crate::page::Page;
use crate::watch::{Observation, Phase, WatchSource, Watcher};

impl Client {
    /// Watches these deployments: one list call a page for all of them (100 on a page, 10 pages a
    /// second), and a status call for one that is not listed any more.
    ///
    /// ```no_run
    /// # async fn example(edgegap: deploykit::edgegap::Client) -> deploykit::Result<()> {
    /// let mut watcher = edgegap.watch(["c0653765de3b", "a69f8e3e0555"]);
    /// while let Some(change) = watcher.next().await {
    ///     let change = change?;
    ///     println!("{} {}", change.id, change.now);
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn watch(&self, ids: impl IntoIterator<Item = impl Into<String>>) -> Watcher {
        Watcher::of(self.deployments(), ids.into_iter().map(Into::into))
    }
}

impl Deployments {
    /// Watches all of these, those that are made meanwhile too: one list call a page, and a status
    /// call for one that is not listed any more.
    ///
    /// Source: <https://docs.edgegap.com/docs/api/dedicated-servers>
    pub fn watch(&self) -> Watcher {
        Watcher::all(self.clone())
    }
}

impl WatchSource for Deployments {
    fn list(&self) -> Call<Page<(String, Observation)>> {
        Deployments::list(self).map_items(|items| items.into_iter().map(listed).collect())
    }

    fn lookup(&self, id: &str) -> Option<Call<Observation>> {
        let looked = self.client.deployment(id).look();
        Some(looked.map(|snapshot| snapshot.observation))
    }
}

fn listed(summary: DeploymentSummary) -> (String, Observation) {
    let status = summary.status.as_ref();
    let status = status.map_or("", |status| status.as_str());
    let seen = Observation::new(phase_of(&summary), status);
    (summary.request_id, seen)
}

/// How far one of the list is. The published file knows `ready` alone, which says nothing about one
/// that is not.
fn phase_of(summary: &DeploymentSummary) -> Phase {
    let says = summary.status.as_ref().map(phase_of_status);
    match (says, summary.ready) {
        (Some(Phase::Unknown) | None, Some(true)) => Phase::Ready,
        (Some(Phase::Queued | Phase::InProgress), Some(true)) => Phase::Ready,
        (Some(phase), _) => phase,
        (None, _) => Phase::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_phase_of_one_of_the_list() {
        for (status, ready, phase) in [
            (Some("Status.SEEKING"), Some(false), Phase::Queued),
            (Some("Status.DEPLOYING"), Some(false), Phase::InProgress),
            (Some("Status.DEPLOYING"), Some(true), Phase::Ready),
            (Some("Status.READY"), Some(true), Phase::Ready),
            (Some("Status.READY"), None, Phase::Ready),
            (Some("Status.ERROR"), Some(false), Phase::Failed),
            (Some("Status.TERMINATING"), Some(true), Phase::Stopping),
            (Some("Status.TERMINATED"), None, Phase::Ended),
            (Some("Status.WARMING"), Some(false), Phase::Unknown),
            (Some("Status.WARMING"), Some(true), Phase::Ready),
            (None, Some(true), Phase::Ready),
            (None, Some(false), Phase::Unknown),
        ] {
            let summary = json!({ "request_id": "a", "status": status, "ready": ready });
            let summary: DeploymentSummary = serde_json::from_value(summary).unwrap();
            assert_eq!(phase_of(&summary), phase, "{status:?} {ready:?}");
        }
    }
}
