//! Prism as a mock server, with the specs' examples and with generated replies.

use super::documented_replies::{self, Documented};
use super::operation_order::OperationRun;
use super::operations::{AnyCall, Row, Success};
use super::process::Prism;
use crate::Result;
use crate::report::Report;
use deploykit::operation::TimeClass;
use deploykit::{Error, ErrorKind, operation::Operation};
use deploykit_sandbox::Sandbox;
use std::collections::BTreeMap;
use std::path::Path;

/// Generated replies per documented success, and per documented failure.
const ROUNDS: [usize; 2] = [10, 2];
/// Environment variable that multiplies the rounds.
const ROUNDS_FACTOR: &str = "PRISM_ROUNDS";

pub async fn check(cli: &Path, report: &mut Report) -> Result<()> {
    // Provides ids and credentials; no request reaches it.
    let sandbox = Sandbox::start().await?;
    for dynamic in [false, true] {
        let start = async |api| Prism::mock(cli, &documented_replies::path(api), dynamic).await;
        for (api, prism) in &Prism::start_each(start).await? {
            let mut checks = MockChecks::new(api, prism, dynamic)?;
            let run = OperationRun::new(api, &prism.base_url, &sandbox);
            for row in &run.rows {
                checks.every_reply(row, &run).await;
            }
            checks.finish(report);
        }
    }
    Ok(())
}

/// A reply to request from Prism.
struct WantedReply {
    status: u16,
    prefer: String,
    accept: Option<String>,
}

/// Requests every documented reply from one Prism.
struct MockChecks<'a> {
    api: &'a str,
    prism: &'a Prism,
    dynamic: bool,
    replies: BTreeMap<&'static str, Vec<Documented>>,
    calls: usize,
    decoded: usize,
    problems: Vec<String>,
}

impl<'a> MockChecks<'a> {
    fn new(api: &'a str, prism: &'a Prism, dynamic: bool) -> Result<Self> {
        Ok(Self {
            api,
            prism,
            dynamic,
            replies: documented_replies::replies(api)?,
            calls: 0,
            decoded: 0,
            problems: Vec::new(),
        })
    }

    /// Requests each reply of an operation, and each as a stream if the operation can stream.
    async fn every_reply(&mut self, row: &Row, run: &OperationRun) {
        let operation = row.operation;
        let replies = self.replies.get(operation.id);
        let wanted = replies.into_iter().flatten();
        let wanted: Vec<_> = wanted
            .flat_map(|reply| self.wanted_replies(reply))
            .collect();
        let streams = operation.behaviour.time == TimeClass::Stream;
        let as_stream = |name: &str| streams && name == "follow";
        for (number, variant) in row.variants.iter().enumerate() {
            if number > 0 && !as_stream(variant.name) {
                continue;
            }
            for wanted in &wanted {
                let success = self
                    .check_reply(operation, wanted, variant.call(&run.clients))
                    .await;
                for error in success.into_iter().flat_map(|success| success.failures) {
                    let arbitrary = self.dynamic && wanted.is_lines();
                    if !(arbitrary && error.kind() == ErrorKind::Decode) {
                        self.problem(operation, wanted, error);
                    }
                }
            }
        }
    }

    /// Requests for a reply: one per example, or several rounds.
    fn wanted_replies(&self, reply: &Documented) -> Vec<WantedReply> {
        let status = reply.status;
        let wanted = |prefer: String| WantedReply {
            status,
            prefer: format!("code={status}{prefer}"),
            accept: reply.media_type.clone(),
        };
        if self.dynamic {
            let [of_success, of_failure] = ROUNDS;
            let rounds = if status < 300 { of_success } else { of_failure };
            let factor = std::env::var(ROUNDS_FACTOR)
                .ok()
                .and_then(|factor| factor.parse().ok());
            let seeds = 0..rounds * factor.unwrap_or(1);
            return seeds
                .map(|seed| wanted(format!(", seed=round-{seed}")))
                .collect();
        }
        let names = reply.examples.iter();
        let named: Vec<_> = names
            .map(|name| wanted(format!(", example={name}")))
            .collect();
        match named.is_empty() {
            true => vec![wanted(String::new())],
            false => named,
        }
    }

    /// Sends a call and checks its outcome.
    async fn check_reply(
        &mut self,
        operation: &Operation,
        wanted: &WantedReply,
        mut call: AnyCall,
    ) -> Option<Success> {
        self.calls += 1;
        if let Some(accept) = &wanted.accept {
            call = call.header("accept", accept);
        }
        let call = call.header("prefer", &wanted.prefer);
        // Spawned, so that a panic is reported as a problem.
        let result = tokio::spawn(call.send()).await;
        match result {
            Err(panic) => self.problem(operation, wanted, format!("panic: {panic}")),
            Ok(Ok(success)) => {
                self.decoded += 1;
                if success.status != wanted.status {
                    let words = format!("the client reports status {}", success.status);
                    self.problem(operation, wanted, words);
                }
                return Some(success);
            }
            Ok(Err(error)) => {
                if let Some(problem) = problem_of(&error, wanted, self.dynamic) {
                    let log = self.prism.take_violations().await;
                    let body = error.body_excerpt().unwrap_or_default();
                    self.problem(
                        operation,
                        wanted,
                        format!("{problem}: {error}; {body}; {log:?}"),
                    );
                }
            }
        }
        None
    }

    fn problem(
        &mut self,
        operation: &Operation,
        wanted: &WantedReply,
        problem: impl std::fmt::Display,
    ) {
        let WantedReply { prefer, accept, .. } = wanted;
        let accept = accept.as_deref().unwrap_or_default();
        self.problems
            .push(format!("{} ({prefer} {accept}): {problem}", operation.id));
    }

    fn finish(self, report: &mut Report) {
        let mode = if self.dynamic {
            "generated replies"
        } else {
            "examples"
        };
        let (operations, calls, decoded) = (self.replies.len(), self.calls, self.decoded);
        let name = format!(
            "prism mock: {mode} of {}, {operations} operations",
            self.api
        );
        report.check(
            format!("{name}, {calls} calls, {decoded} decoded"),
            &self.problems,
        );
    }
}

/// Why an error is wrong for this reply; `None` if it is correct.
fn problem_of(error: &Error, wanted: &WantedReply, dynamic: bool) -> Option<&'static str> {
    if error.status() != Some(wanted.status) {
        return Some("the error lacks the status");
    }
    if error.kind() == ErrorKind::Decode && !(dynamic && wanted.is_lines()) {
        return Some("a valid reply cannot be decoded");
    }
    None
}

impl WantedReply {
    /// The schema of NDJSON is plain text, so Prism generates arbitrary text.
    fn is_lines(&self) -> bool {
        self.accept.as_deref() == Some("application/x-ndjson")
    }
}
