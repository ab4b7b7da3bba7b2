//! Several at once: waits side by side, and a watcher that asks for lists.

use crate::script::{Script, fault, status};
use deploykit::edgegap::Client;
use deploykit::testing::{CannedReply, Recorder};
use deploykit::watch::{Change, Deployment, Phase, Watcher, Way, wait_all};
use deploykit::{ErrorKind, RequestPreview};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[tokio::test(start_paused = true)]
async fn waits_of_several_platforms_run_side_by_side() {
    let edgegap = Script::new([status("SEEKING"), status("READY")]);
    let nodion = Recorder::new();
    let number = Mutex::new(0);
    nodion.answer_with(move |_| {
        let mut number = number.lock().unwrap();
        *number += 1;
        let word = if *number < 3 { "waiting" } else { "failed" };
        let other = r#"{"id": "newest", "status": "available", "deploy_number": 9}"#;
        CannedReply::json(
            200,
            format!(r#"{{"deployments": [{other}, {{"id": "mine", "status": "{word}", "deploy_number": 8}}]}}"#),
        )
    });
    let client = deploykit::nodion::Client::builder().token("hush");
    let client = client.recorder(&nodion).build().unwrap();
    let all: Vec<Box<dyn Deployment>> = vec![
        Box::new(edgegap.server()),
        Box::new(client.application("app").deployment("mine")),
    ];
    let began = Instant::now();
    let ends = wait_all(&all).await;
    assert_eq!(ends[0].as_ref().unwrap().phase, Phase::Ready);
    let failed = ends[1].as_ref().unwrap_err();
    assert_eq!(failed.kind(), ErrorKind::WaitFailed);
    assert_eq!(failed.raw_status(), Some("failed"), "not the newest one");
    assert!(began.elapsed() < seconds(13), "{:?}", began.elapsed());

    assert_eq!(
        (all[0].platform(), all[1].platform()),
        ("edgegap", "nodion")
    );
    assert_eq!(all[1].id(), "mine");
    assert_eq!(all[1].support().stop, Way::Absent);
    let error = all[1].stop().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(all[0].snapshot().await.unwrap().raw_status, "Status.READY");
    assert!(
        wait_all(&Vec::<Box<dyn Deployment>>::new())
            .await
            .is_empty()
    );
}

#[tokio::test(start_paused = true)]
async fn a_dployr_deployment_is_found_on_its_page() {
    let recorder = Recorder::new();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let pages = asked.clone();
    recorder.answer_with(move |request| {
        let page = query(request, "page").unwrap();
        pages.lock().unwrap().push(page);
        let word = if pages.lock().unwrap().len() < 3 { "running" } else { "success" };
        let id = if page == 2 { "mine" } else { "other" };
        let next = page < 2;
        CannedReply::json(
            200,
            format!(
                r#"{{"success": true, "data": {{"items": [{{"id": "{id}", "name": "web", "status": "{word}"}}],
                "pagination": {{"page": {page}, "pageSize": 100, "totalItems": 2, "totalPages": 2, "hasNextPage": {next}}}}}}}"#
            ),
        )
    });
    let client = deploykit::dployr::Client::builder().base_url("https://dployr.example");
    let client = client
        .token("hush")
        .cluster("c")
        .recorder(&recorder)
        .build()
        .unwrap();
    let made = client
        .deployment("mine")
        .wait()
        .jitter(false)
        .await
        .unwrap();
    assert_eq!(made.status.unwrap().as_str(), "success");
    assert_eq!(*asked.lock().unwrap(), [1, 2, 1, 2]);
}

fn query(request: &RequestPreview, name: &str) -> Option<u32> {
    let pairs = request.query.iter();
    let mut values = pairs.filter(|(key, _)| key == name).map(|(_, value)| value);
    values.next()?.parse().ok()
}

/// A platform with a list that a test changes.
#[derive(Clone, Default)]
struct Listed {
    /// Id, status; in the order of the list.
    all: Arc<Mutex<Vec<(String, &'static str)>>>,
    /// What the platform says to one that is not listed.
    hidden: Arc<Mutex<Vec<(String, &'static str)>>>,
    lists: Arc<Mutex<usize>>,
    statuses: Arc<Mutex<Vec<String>>>,
    broken: Arc<Mutex<usize>>,
}

impl Listed {
    fn of(number: usize) -> Self {
        let listed = Self::default();
        let all = (0..number).map(|n| (format!("d{n}"), "READY"));
        listed.all.lock().unwrap().extend(all);
        listed
    }

    fn set(&self, id: &str, word: &'static str) {
        let mut all = self.all.lock().unwrap();
        all.iter_mut().find(|(other, _)| other == id).unwrap().1 = word;
    }

    fn remove(&self, id: &str) {
        self.all.lock().unwrap().retain(|(other, _)| other != id);
    }

    fn lists(&self) -> usize {
        *self.lists.lock().unwrap()
    }

    fn client(&self) -> Client {
        let (recorder, listed) = (Recorder::new(), self.clone());
        recorder.answer_with(move |request| listed.answer(request));
        let builder = Client::builder().token("hush").recorder(&recorder);
        builder.build().unwrap()
    }

    fn answer(&self, request: &RequestPreview) -> CannedReply {
        if request.operation == Some("get_deployment") {
            let id = request.path.rsplit('/').next().unwrap().to_owned();
            self.statuses.lock().unwrap().push(id.clone());
            let hidden = self.hidden.lock().unwrap();
            return match hidden.iter().find(|(other, _)| *other == id) {
                Some((_, word)) => CannedReply::json(
                    200,
                    format!(r#"{{"request_id": "{id}", "current_status": "Status.{word}"}}"#),
                ),
                None => fault(404),
            };
        }
        *self.lists.lock().unwrap() += 1;
        let mut broken = self.broken.lock().unwrap();
        if *broken > 0 {
            *broken -= 1;
            return fault(503);
        }
        let page = query(request, "page").unwrap_or(1) as usize;
        let size = query(request, "limit").unwrap() as usize;
        let all = self.all.lock().unwrap();
        let items: Vec<_> = all
            .iter()
            .skip((page - 1) * size)
            .take(size)
            .map(|(id, word)| {
                format!(r#"{{"request_id": "{id}", "status": "Status.{word}", "ready": false}}"#)
            })
            .collect();
        let more = page * size < all.len();
        CannedReply::json(
            200,
            format!(
                r#"{{"data": [{}], "total_count": {}, "pagination": {{"number": {page}, "has_next": {more}}}}}"#,
                items.join(","),
                all.len()
            ),
        )
    }
}

async fn take(watcher: &mut Watcher, number: usize) -> Vec<Change> {
    let mut changes = Vec::new();
    for _ in 0..number {
        changes.push(watcher.next().await.unwrap().unwrap());
    }
    changes
}

async fn nothing(watcher: &mut Watcher, time: Duration) {
    let quiet = tokio::time::timeout(time, watcher.next()).await;
    assert!(quiet.is_err(), "{quiet:?}");
}

#[tokio::test(start_paused = true)]
async fn a_round_is_one_list_however_many_are_watched() {
    let listed = Listed::of(250);
    let mut watcher = listed.client().watch((0..250).map(|n| format!("d{n}")));
    let first = take(&mut watcher, 250).await;
    assert!(
        first
            .iter()
            .all(|change| change.before.is_none() && change.now.phase == Phase::Ready)
    );
    assert_eq!(listed.lists(), 3, "pages of 100");
    nothing(&mut watcher, seconds(51)).await;
    assert_eq!(listed.lists(), 3 * 11, "every 5 s");
    assert_eq!(watcher.requests(), 33);
    listed.set("d170", "TERMINATING");
    let changed = take(&mut watcher, 1).await.remove(0);
    assert_eq!(changed.id, "d170");
    assert_eq!(changed.before, Some(Phase::Ready));
    assert_eq!((changed.now.phase, changed.gone), (Phase::Stopping, false));
    assert!(listed.statuses.lock().unwrap().is_empty());
    nothing(&mut watcher, seconds(20)).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_listed_is_asked_for_before_it_is_called_gone() {
    let listed = Listed::of(3);
    let mut watcher = listed.client().watch(["d0", "d1", "d2"]);
    take(&mut watcher, 3).await;
    // It moved to another page, say.
    listed.remove("d1");
    listed
        .hidden
        .lock()
        .unwrap()
        .push(("d1".to_owned(), "READY"));
    nothing(&mut watcher, seconds(9)).await;
    assert_eq!(*listed.statuses.lock().unwrap(), ["d1"]);
    assert_eq!(watcher.phase("d1"), Some(Phase::Ready));
    listed.hidden.lock().unwrap().clear();
    let gone = take(&mut watcher, 1).await.remove(0);
    assert_eq!((gone.id.as_str(), gone.gone), ("d1", true));
    assert_eq!(gone.now.phase, Phase::Ended);
    assert_eq!((watcher.len(), watcher.phase("d1")), (2, None));
    // The others end as well, and with them the watcher.
    listed.remove("d0");
    listed
        .hidden
        .lock()
        .unwrap()
        .push(("d0".to_owned(), "TERMINATED"));
    listed.remove("d2");
    let mut last = take(&mut watcher, 2).await;
    last.sort_by(|a, b| a.id.cmp(&b.id));
    assert!(last.iter().all(|change| change.gone));
    assert_eq!(last[0].now.raw_status, "Status.TERMINATED");
    assert!(watcher.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn no_more_than_20_are_asked_for_in_a_round() {
    let listed = Listed::of(50);
    let mut watcher = listed.client().watch((0..50).map(|n| format!("d{n}")));
    take(&mut watcher, 50).await;
    listed.all.lock().unwrap().clear();
    let gone = take(&mut watcher, 20).await;
    assert!(gone.iter().all(|change| change.gone));
    nothing(&mut watcher, seconds(4)).await;
    assert_eq!(listed.statuses.lock().unwrap().len(), 20);
    take(&mut watcher, 30).await;
    assert!(watcher.next().await.is_none());
    assert_eq!(listed.statuses.lock().unwrap().len(), 50);
}

#[tokio::test(start_paused = true)]
async fn what_is_made_meanwhile_is_told_and_ids_that_never_come_are_gone() {
    let listed = Listed::of(1);
    let mut watcher = listed.client().deployments().watch();
    take(&mut watcher, 1).await;
    listed
        .all
        .lock()
        .unwrap()
        .push(("new".to_owned(), "SEEKING"));
    let new = take(&mut watcher, 1).await.remove(0);
    assert_eq!((new.id.as_str(), new.before), ("new", None));

    let mut watcher = listed.client().watch(["never"]);
    let gone = take(&mut watcher, 1).await.remove(0);
    assert!(gone.gone && gone.before.is_none());
    assert!(
        gone.now.at >= seconds(10),
        "a grace of 10 s: {:?}",
        gone.now.at
    );
    assert!(watcher.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn rounds_may_fail_a_few_times() {
    let listed = Listed::of(2);
    let mut watcher = listed.client().watch(["d0", "d1"]);
    take(&mut watcher, 2).await;
    *listed.broken.lock().unwrap() = 5;
    listed.set("d0", "ERROR");
    let failed = take(&mut watcher, 1).await.remove(0);
    assert_eq!(failed.now.phase, Phase::Failed);
    assert_eq!(listed.lists(), 7);
    *listed.broken.lock().unwrap() = 6;
    let error = watcher.next().await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(watcher.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_dployr_service_is_known_by_its_record_where_there_is_no_status() {
    let recorder = Recorder::new();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = asked.clone();
    recorder.answer_with(move |request| {
        let mut asked = kept.lock().unwrap();
        asked.push(request.operation.unwrap_or_default());
        if request.operation == Some("get_service_status") {
            return CannedReply::new(404, "404 Not Found").header("content-type", "text/plain");
        }
        let iced = if asked.len() < 4 { "null" } else { "1795487067098" };
        CannedReply::json(
            200,
            format!(r#"{{"success": true, "data": {{"service": {{"id": "s", "name": "web", "icedAt": {iced}}}}}}}"#),
        )
    });
    let client = deploykit::dployr::Client::builder().base_url("https://dployr.example");
    let client = client
        .token("hush")
        .cluster("c")
        .recorder(&recorder)
        .build()
        .unwrap();
    let service = client.service("s");
    let left = service.wait().until_gone().await.unwrap().unwrap();
    assert_eq!(left.status.as_str(), "sleeping");
    assert_eq!(
        *asked.lock().unwrap(),
        [
            "get_service_status",
            "get_service",
            "get_service",
            "get_service"
        ]
    );
    asked.lock().unwrap().clear();
    assert_eq!(service.wait().await.unwrap().status.as_str(), "awake");
}
