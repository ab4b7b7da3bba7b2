//! Runs the table `faults.yaml` against WireMock.
//!
//! Each call has its own path prefix, so that its requests can be counted in WireMock's journal.

use crate::calls::{Kind, Outcome, Tweak, attempts, summary};
use crate::report::Report;
use crate::{Result, Servers, yaml};
use deploykit::http::Method;
use deploykit::nodion;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Maximum concurrent calls.
const CONCURRENCY: usize = 40;
/// How long to wait for the journal: longer than the longest delay.
const JOURNAL_TIMEOUT: Duration = Duration::from_secs(12);
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// A row of the table.
#[derive(Deserialize)]
struct Row {
    name: String,
    /// WireMock's response definitions.
    replies: Vec<Value>,
    /// Expected outcome of a list call, in the form of [`summary`].
    list: String,
    /// Expected outcome of a create and of a login.
    others: String,
    /// Attempt timeout, in milliseconds.
    within_ms: Option<u64>,
    /// The expected `retry_after` of the error, in seconds.
    retry_after: Option<u64>,
}

impl Row {
    /// WireMock's response definitions for this kind of call. Adds status and body to definitions without
    /// them.
    fn replies_to(&self, kind: Kind) -> Vec<Value> {
        let (status, body) = kind.success();
        let complete = |reply: &Value| {
            let mut reply = reply.clone();
            if reply["status"].is_null() && reply["fault"].is_null() {
                reply["status"] = json!(status);
                reply["jsonBody"] = body.clone();
                reply["headers"] = json!({ "Content-Type": "application/json" });
            }
            reply
        };
        self.replies.iter().map(complete).collect()
    }
}

/// A call of one kind, with the replies of one row.
struct Cell {
    row: Arc<Row>,
    kind: Kind,
    /// Path prefix, like `List-3`.
    prefix: String,
}

/// The requests that WireMock received below one prefix.
#[derive(Clone, Default)]
struct Received {
    statuses: Vec<u16>,
    redirects_followed: usize,
}

pub async fn check(servers: &Servers, report: &mut Report) -> Result<()> {
    let table = include_str!("../faults.yaml");
    let rows: Vec<Row> = serde_saphyr::from_str_with_options(table, yaml::options())?;
    let rows = rows.into_iter().map(Arc::new).enumerate();
    let cells: Vec<_> = rows
        .flat_map(|(number, row)| {
            Kind::ALL.map(|kind| Cell {
                row: row.clone(),
                kind,
                prefix: format!("{kind:?}-{number}"),
            })
        })
        .collect();

    // Calls WireMock's admin API with deploykit's raw requests, to need no other HTTP client.
    let admin = nodion::Client::builder()
        .base_url(&servers.wiremock)
        .token("none")
        .build()?;
    let mappings = cells
        .iter()
        .flat_map(|cell| mappings(cell, &servers.wiremock));
    let mappings: Vec<_> = mappings.collect();
    admin
        .request(Method::POST, "/__admin/mappings/import")
        .json(&json!({ "mappings": mappings }))
        .await?;

    let permits = Arc::new(Semaphore::new(CONCURRENCY));
    let calls = cells.iter().map(|cell| {
        let (kind, permits) = (cell.kind, permits.clone());
        let limit = cell.row.within_ms.map(Duration::from_millis);
        let tweak = limit.map_or(Tweak::Nothing, Tweak::Timeout);
        let base_url = format!("{}/{}", servers.wiremock, cell.prefix);
        tokio::spawn(async move {
            let _permit = permits.acquire().await?;
            kind.call(&base_url, tweak).await
        })
    });
    let mut outcomes = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        outcomes.push(call.await??);
    }
    let expected = outcomes.iter().map(attempts).sum();
    let journal = journal(&admin, expected).await?;

    for (cell, found) in cells.iter().zip(&outcomes) {
        let received = journal.get(&cell.prefix).cloned().unwrap_or_default();
        let problems = problems(cell, found, &received);
        let (outcome, requests) = (summary(found), received.statuses.len());
        let name = format!("wiremock: {}: {:?}", cell.row.name, cell.kind);
        report.check(format!("{name}: {outcome}, {requests} requests"), &problems);
    }
    Ok(())
}

/// Differences from the expected outcome.
fn problems(cell: &Cell, found: &Outcome, received: &Received) -> Vec<String> {
    let (row, kind) = (&cell.row, cell.kind);
    let is_list = kind == Kind::List;
    let expected = if is_list { &row.list } else { &row.others };
    let mut problems = Vec::new();
    if summary(found) != *expected {
        problems.push(format!("expected {expected}, got {found:?}"));
    }
    let hint = row.retry_after.map(Duration::from_secs);
    if found
        .as_ref()
        .is_err_and(|error| error.retry_after() != hint)
    {
        problems.push(format!("expected retry_after {hint:?} in the error"));
    }
    if received.statuses.len() != attempts(found) {
        problems.push("the attempts of the client differ from the requests received".to_owned());
    }
    if received.redirects_followed > 0 {
        problems.push("the client followed a redirect".to_owned());
    }
    // Independent of the table: a create or login may be retried after a 429 only.
    let maybe_processed = received.statuses.iter().filter(|status| **status != 429);
    if !is_list && maybe_processed.count() > 1 {
        problems.push("the client retried a request that may have been processed".to_owned());
    }
    problems
}

/// One mapping per reply. A WireMock scenario goes to the next reply with each request, and repeats the last.
fn mappings(cell: &Cell, server: &str) -> Vec<Value> {
    let replies = cell.row.replies_to(cell.kind);
    let state = |index: usize| match index {
        0 => "Started".to_owned(),
        index => format!("after {index}"),
    };
    let last = replies.len() - 1;
    let mut mappings: Vec<Value> = replies
        .into_iter()
        .enumerate()
        .map(|(index, mut reply)| {
            if reply["headers"]["Location"].is_string() {
                reply["headers"]["Location"] = json!(format!("{server}/{}/elsewhere", cell.prefix));
            }
            json!({
                "request": { "method": "ANY", "urlPathPattern": format!("/{}/v.*", cell.prefix) },
                "scenarioName": cell.prefix,
                "requiredScenarioState": state(index),
                "newScenarioState": state((index + 1).min(last)),
                "response": reply,
            })
        })
        .collect();
    let (status, body) = cell.kind.success();
    mappings.push(json!({
        "request": { "method": "ANY", "urlPath": format!("/{}/elsewhere", cell.prefix) },
        "response": { "status": status, "jsonBody": body },
    }));
    mappings
}

/// Reads the journal once it has `expected` requests, or after a timeout.
async fn journal(admin: &nodion::Client, expected: usize) -> Result<HashMap<String, Received>> {
    let since = tokio::time::Instant::now();
    loop {
        let reply = admin.request(Method::GET, "/__admin/requests").await?;
        let requests = reply["requests"]
            .as_array()
            .ok_or("WireMock's journal has no requests")?;
        if requests.len() >= expected || since.elapsed() > JOURNAL_TIMEOUT {
            return Ok(by_prefix(requests));
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Groups the requests of the journal by prefix.
fn by_prefix(requests: &[Value]) -> HashMap<String, Received> {
    let mut all: HashMap<String, Received> = HashMap::new();
    for event in requests {
        let url = event["request"]["url"].as_str().unwrap_or_default();
        let prefix = url.split('/').nth(1).unwrap_or_default();
        let received = all.entry(prefix.to_owned()).or_default();
        if url.ends_with("/elsewhere") {
            received.redirects_followed += 1;
        }
        let status = event["response"]["status"].as_u64().unwrap_or_default();
        received
            .statuses
            .push(u16::try_from(status).unwrap_or_default());
    }
    all
}
