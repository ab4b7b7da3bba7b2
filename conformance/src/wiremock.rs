//! The table, against WireMock.
//!
//! Each call has a path of its own on the server, under which WireMock's journal counts what came.

use crate::call::{End, Kind, Outcome, Tweak};
use crate::report::Report;
use crate::table::{Row, rows};
use crate::{Result, Servers};
use deploykit::http::Method;
use deploykit::nodion;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many calls are under way: enough that they do not wait for each other's delays.
const AT_ONCE: usize = 40;
/// How long the journal may take to list what was answered: longer than the longest delay.
const JOURNAL_PATIENCE: Duration = Duration::from_secs(12);
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// One call of one row.
struct Cell {
    row: usize,
    kind: Kind,
    /// `/List-3`
    prefix: String,
}

/// What WireMock saw under one prefix.
#[derive(Clone, Default)]
struct Seen {
    statuses: Vec<u16>,
    elsewhere: usize,
}

pub async fn check(servers: &Servers, report: &mut Report) -> Result<()> {
    let rows = Arc::new(rows());
    let cells: Vec<Cell> = (0..rows.len())
        .flat_map(|row| Kind::ALL.map(|kind| (row, kind)))
        .map(|(row, kind)| Cell {
            row,
            kind,
            prefix: format!("/{kind:?}-{row}"),
        })
        .collect();

    // The escape hatch serves for WireMock's own API, so that no other HTTP client is needed.
    let admin = nodion::Client::builder()
        .base_url(&servers.wiremock)
        .token("none")
        .build()?;
    let mappings: Vec<Value> = cells
        .iter()
        .flat_map(|cell| mappings(&rows[cell.row], cell, &servers.wiremock))
        .collect();
    admin
        .request(Method::POST, "/__admin/mappings/import")
        .json(&json!({ "mappings": mappings }))
        .await?;

    let outcomes = call_all(&cells, &rows, &servers.wiremock).await?;
    let ends = outcomes.values().map(End::of);
    let wanted: usize = ends.map(|end| end.attempts as usize).sum();
    let journal = journal(&admin, wanted).await?;

    for (index, cell) in cells.iter().enumerate() {
        let row = &rows[cell.row];
        let found = outcomes.get(&index).ok_or("a call came to nothing")?;
        let seen = journal.get(&cell.prefix).cloned().unwrap_or_default();
        let problems = problems(row, cell.kind, found, &seen);
        let (end, counted) = (End::of(found), seen.statuses.len());
        let name = format!("wiremock: {}: {:?}", row.name, cell.kind);
        report.check(format!("{name}: {end:?}, counted {counted}"), &problems);
    }
    Ok(())
}

async fn call_all(
    cells: &[Cell],
    rows: &Arc<Vec<Row>>,
    server: &str,
) -> Result<HashMap<usize, Outcome>> {
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let mut calls = JoinSet::new();
    for (index, cell) in cells.iter().enumerate() {
        let (kind, room) = (cell.kind, room.clone());
        let base_url = format!("{server}{}", cell.prefix);
        let timeout = rows[cell.row].timeout;
        let tweak = timeout.map_or(Tweak::Nothing, Tweak::Timeout);
        calls.spawn(async move {
            let _place = room.acquire().await?;
            Result::Ok((index, kind.call(&base_url, tweak).await?))
        });
    }
    let mut outcomes = HashMap::new();
    while let Some(call) = calls.join_next().await {
        let (index, outcome) = call??;
        outcomes.insert(index, outcome);
    }
    Ok(outcomes)
}

/// What is not as it must be.
fn problems(row: &Row, kind: Kind, found: &Outcome, seen: &Seen) -> Vec<String> {
    let (wanted, end) = (row.expected.of(kind), End::of(found));
    let mut problems = Vec::new();
    if end != wanted {
        problems.push(format!("expected {wanted:?}: {found:?}"));
    }
    if let Err(error) = found
        && error.retry_after() != row.retry_after
    {
        problems.push(format!("expected a hint of {:?}", row.retry_after));
    }
    if seen.statuses.len() != end.attempts as usize {
        problems.push("attempts and counted differ".to_owned());
    }
    if seen.elsewhere > 0 {
        problems.push("a redirect was followed".to_owned());
    }
    // Whatever the table says: only after a refusal is it safe to send such a call again.
    let not_refused = seen.statuses.iter().filter(|status| **status != 429);
    if kind != Kind::List && not_refused.count() > 1 {
        problems.push("sent again after it may have been processed".to_owned());
    }
    problems
}

/// What WireMock is told: one mapping per reply, which follow each other as states of a scenario.
fn mappings(row: &Row, cell: &Cell, server: &str) -> Vec<Value> {
    let replies = row.replies_to(cell.kind);
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
                reply["headers"]["Location"] = json!(format!("{server}{}/elsewhere", cell.prefix));
            }
            json!({
                "request": { "method": "ANY", "urlPathPattern": format!("{}/v.*", cell.prefix) },
                "scenarioName": cell.prefix,
                "requiredScenarioState": state(index),
                "newScenarioState": state((index + 1).min(last)),
                "response": reply,
            })
        })
        .collect();
    let (status, body) = cell.kind.success();
    mappings.push(json!({
        "request": { "method": "ANY", "urlPath": format!("{}/elsewhere", cell.prefix) },
        "response": { "status": status, "jsonBody": body },
    }));
    mappings
}

/// Reads WireMock's journal, once it lists so many requests or has had time enough.
async fn journal(admin: &nodion::Client, wanted: usize) -> Result<HashMap<String, Seen>> {
    let since = tokio::time::Instant::now();
    loop {
        let reply = admin.request(Method::GET, "/__admin/requests").await?;
        let requests = reply["requests"]
            .as_array()
            .ok_or("WireMock's journal has no requests")?;
        if requests.len() >= wanted || since.elapsed() > JOURNAL_PATIENCE {
            return Ok(by_prefix(requests));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn by_prefix(requests: &[Value]) -> HashMap<String, Seen> {
    let mut all: HashMap<String, Seen> = HashMap::new();
    for event in requests {
        let url = event["request"]["url"].as_str().unwrap_or_default();
        let prefix: String = url
            .char_indices()
            .map_while(|(at, c)| (at == 0 || c != '/').then_some(c))
            .collect();
        let seen = all.entry(prefix).or_default();
        if url.ends_with("/elsewhere") {
            seen.elsewhere += 1;
        }
        let status = event["response"]["status"].as_u64().unwrap_or_default();
        seen.statuses
            .push(u16::try_from(status).unwrap_or_default());
    }
    all
}
