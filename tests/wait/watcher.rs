//! Watchers: rounds, lookups, changes and errors.

use crate::script::{dployr, failure, query_number, seconds};
use deploykit::edgegap::Client;
use deploykit::testing::{CannedReply, Recorder};
use deploykit::watch::{Change, Phase, Watcher};
use deploykit::{ErrorKind, preview::RequestPreview};
use serde_json::json;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// A stub of Edgegap, whose list of deployments the test changes.
#[derive(Clone, Default)]
struct Platform(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// Id and status, in the order of the list.
    listed: Vec<(String, &'static str)>,
    /// Id and status of deployments that exist but are not in the list.
    unlisted: Vec<(String, &'static str)>,
    /// Number of list requests.
    lists: usize,
    /// Ids of the deployments that were requested one by one.
    lookups: Vec<String>,
    /// Number of list requests that will fail.
    failing_lists: usize,
    /// `Retry-After` of failed list requests, in seconds.
    retry_after: u32,
}

impl Platform {
    /// A platform with this many ready deployments: `d0`, `d1`, …
    fn of(number: usize) -> Self {
        let platform = Self::default();
        let all = (0..number).map(|n| (format!("d{n}"), "READY"));
        platform.state().listed.extend(all);
        platform
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn set(&self, id: &str, word: &'static str) {
        let mut state = self.state();
        let mut all = state.listed.iter_mut();
        all.find(|(other, _)| other == id).unwrap().1 = word;
    }

    fn remove(&self, id: &str) {
        self.state().listed.retain(|(other, _)| other != id);
    }

    fn client(&self) -> Client {
        let (recorder, platform) = (Recorder::new(), self.clone());
        recorder.answer_with(move |request| platform.state().answer(request));
        let builder = Client::builder().token("hush").recorder(&recorder);
        builder.build().unwrap()
    }

    /// Watches the first `number` deployments, and reads the changes of the first round.
    async fn watch(&self, number: usize) -> Watcher {
        let mut watcher = self.client().watch((0..number).map(|n| format!("d{n}")));
        for change in take(&mut watcher, number).await {
            assert_eq!((change.before, change.now.phase), (None, Phase::Ready));
        }
        watcher
    }
}

impl State {
    fn answer(&mut self, request: &RequestPreview) -> CannedReply {
        if request.operation == Some("get_deployment") {
            let id = request.path.rsplit('/').next().unwrap().to_owned();
            self.lookups.push(id.clone());
            let found = self.unlisted.iter().find(|(other, _)| *other == id);
            return found.map_or(failure(404), |(id, word)| {
                let status = format!("Status.{word}");
                let body = json!({ "request_id": id, "current_status": status });
                CannedReply::json(200, body.to_string())
            });
        }
        self.lists += 1;
        if self.failing_lists > 0 {
            self.failing_lists -= 1;
            return failure(503).header("retry-after", self.retry_after.to_string());
        }
        let page = query_number(request, "page").unwrap_or(1) as usize;
        let size = query_number(request, "limit").unwrap() as usize;
        let items = self.listed.iter().skip((page - 1) * size).take(size);
        let items = items.map(|(id, word)| {
            json!({ "request_id": id, "status": format!("Status.{word}"), "ready": false })
        });
        let total = self.listed.len();
        let body = json!({
            "data": items.collect::<Vec<_>>(),
            "total_count": total,
            "pagination": { "number": page, "has_next": page * size < total },
        });
        CannedReply::json(200, body.to_string())
    }
}

async fn take(watcher: &mut Watcher, number: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    for _ in 0..number {
        changes.push(watcher.next().await.unwrap().unwrap());
    }
    changes
}

async fn take_one(watcher: &mut Watcher) -> Change {
    take(watcher, 1).await.remove(0)
}

/// Asserts that the watcher reports nothing for a time.
async fn assert_no_change(watcher: &mut Watcher, time: Duration) {
    let quiet = tokio::time::timeout(time, watcher.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}

#[tokio::test(start_paused = true)]
async fn a_round_reads_one_list_for_all_deployments() {
    let platform = Platform::of(250);
    let mut watcher = platform.watch(250).await;
    assert_eq!(platform.state().lists, 3, "pages of 100");
    assert_no_change(&mut watcher, seconds(51)).await;
    assert_eq!(platform.state().lists, 3 * 11, "every 5 s");
    platform.set("d170", "TERMINATING");
    let changed = take_one(&mut watcher).await;
    assert_eq!(changed.id, "d170");
    assert_eq!(changed.before, Some(Phase::Ready));
    assert_eq!((changed.now.phase, changed.gone), (Phase::Stopping, false));
    assert!(platform.state().lookups.is_empty());
    assert_no_change(&mut watcher, seconds(20)).await;
}

#[tokio::test(start_paused = true)]
async fn the_next_page_is_requested_after_all_changes_of_the_previous_one_were_read() {
    let platform = Platform::of(101);
    let mut watcher = platform.client().deployments().watch();
    take(&mut watcher, 100).await;
    assert_eq!(platform.state().lists, 1, "the next page was not requested");
    take_one(&mut watcher).await;
    assert_eq!(platform.state().lists, 2);
}

#[tokio::test(start_paused = true)]
async fn an_unlisted_deployment_is_looked_up_before_it_is_reported_as_gone() {
    let platform = Platform::of(3);
    let mut watcher = platform.watch(3).await;
    platform.remove("d1");
    platform.state().unlisted = vec![("d1".to_owned(), "READY")];
    assert_no_change(&mut watcher, seconds(9)).await;
    assert_eq!(platform.state().lookups, ["d1"]);
    platform.state().unlisted.clear();
    let gone = take_one(&mut watcher).await;
    assert_eq!((gone.id.as_str(), gone.gone), ("d1", true));
    assert_eq!(gone.now.phase, Phase::Ended);
    // The watcher ends with the last deployment.
    platform.remove("d0");
    platform.state().unlisted = vec![("d0".to_owned(), "TERMINATED")];
    platform.remove("d2");
    let mut last = take(&mut watcher, 2).await;
    last.sort_by(|a, b| a.id.cmp(&b.id));
    assert!(last.iter().all(|change| change.gone));
    assert_eq!(last[0].now.raw_status, "Status.TERMINATED");
    assert!(watcher.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn at_most_20_deployments_are_looked_up_per_round() {
    let platform = Platform::of(50);
    let mut watcher = platform.watch(50).await;
    platform.state().listed.clear();
    let gone = take(&mut watcher, 20).await;
    assert!(gone.iter().all(|change| change.gone));
    assert_no_change(&mut watcher, seconds(4)).await;
    assert_eq!(platform.state().lookups.len(), 20);
    take(&mut watcher, 30).await;
    assert!(watcher.next().await.is_none());
    assert_eq!(platform.state().lookups.len(), 50);
}

#[tokio::test(start_paused = true)]
async fn new_deployments_are_reported_and_unknown_ids_are_gone_after_the_grace_period() {
    let platform = Platform::of(1);
    let mut watcher = platform.client().deployments().watch();
    take_one(&mut watcher).await;
    platform.state().listed.push(("new".to_owned(), "SEEKING"));
    let new = take_one(&mut watcher).await;
    assert_eq!((new.id.as_str(), new.before), ("new", None));

    let mut watcher = platform.client().watch(["never"]);
    let gone = take_one(&mut watcher).await;
    assert!(gone.gone && gone.before.is_none());
    assert!(gone.now.at >= seconds(10), "{:?}", gone.now.at);
    assert!(watcher.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn five_failed_rounds_in_a_row_do_not_end_the_stream() {
    let platform = Platform::of(2);
    let mut watcher = platform.watch(2).await;
    platform.state().failing_lists = 5;
    platform.set("d0", "ERROR");
    let failed = take_one(&mut watcher).await;
    assert_eq!(failed.now.phase, Phase::Failed);
    assert_eq!(platform.state().lists, 7);
    platform.state().failing_lists = 6;
    let error = watcher.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(watcher.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_longer_than_10_minutes_ends_the_stream() {
    let platform = Platform::of(1);
    let mut watcher = platform.watch(1).await;
    platform.state().failing_lists = 2;
    platform.state().retry_after = 30;
    assert_no_change(&mut watcher, seconds(120)).await;
    platform.state().failing_lists = 1;
    platform.state().retry_after = 2_592_000;
    let ended = tokio::time::timeout(seconds(60), watcher.next()).await;
    let error = ended.unwrap().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(error.retry_after(), Some(seconds(2_592_000)));
    assert!(watcher.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn nodion_and_dployr_deployments_are_gone_when_the_list_does_not_contain_them() {
    // Nodion has no lookup of one deployment; dployr's lookup reads the list once more.
    for (platform, status, lists) in [("nodion", "available", 2), ("dployr", "success", 3)] {
        let recorder = Recorder::new();
        let listed = Arc::new(Mutex::new(vec!["kept", "vanishing"]));
        let answered = listed.clone();
        recorder.answer_with(move |_| {
            let ids = answered.lock().unwrap();
            let items = ids
                .iter()
                .map(|id| json!({ "id": id, "name": "web", "status": status, "deploy_number": 1 }));
            let body = json!({ "deployments": items.collect::<Vec<_>>(), "total": ids.len() });
            CannedReply::json(200, body.to_string())
        });
        let mut watcher = match platform {
            "nodion" => recorder
                .nodion()
                .unwrap()
                .application("app")
                .deployments()
                .watch(),
            _ => dployr(&recorder).deployments().watch(),
        };
        for (change, id) in take(&mut watcher, 2)
            .await
            .iter()
            .zip(["kept", "vanishing"])
        {
            let found = (change.id.as_str(), change.before, change.now.phase);
            assert_eq!(found, (id, None, Phase::Ready), "{platform}");
        }
        listed.lock().unwrap().pop();
        let gone = take_one(&mut watcher).await;
        assert_eq!(
            (gone.id.as_str(), gone.gone),
            ("vanishing", true),
            "{platform}"
        );
        assert_eq!(
            (gone.before, gone.now.phase),
            (Some(Phase::Ready), Phase::Ended)
        );
        assert_eq!(recorder.requests().len(), lists, "{platform}");
        assert_no_change(&mut watcher, seconds(20)).await;
    }
}
