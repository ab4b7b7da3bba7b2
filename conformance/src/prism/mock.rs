//! Checks that the client decodes the replies of Prism as a mock server: the specs' examples and generated
//! replies.

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

/// Generated replies per documented success.
const SUCCESS_ROUNDS: usize = 10;
/// Generated replies per documented failure.
const FAILURE_ROUNDS: usize = 2;
/// Environment variable that multiplies the numbers of rounds.
const ROUNDS_FACTOR: &str = "PRISM_ROUNDS";

pub async fn check(cli: &Path, report: &mut Report) -> Result<()> {
    // The sandbox only provides ids and credentials; no request reaches it.
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

/// A reply that a call requests from Prism.
struct WantedReply {
    status: u16,
    /// The `Prefer` header: status, and example or seed.
    prefer: String,
    /// The `Accept` header.
    accept: Option<String>,
}

/// Calls every operation of a platform for every documented reply.
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

    /// Calls an operation for each of its documented replies; if it can stream, also as a stream.
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

    /// The replies to request: one per example, or several generated ones.
    fn wanted_replies(&self, reply: &Documented) -> Vec<WantedReply> {
        let status = reply.status;
        let wanted = |prefer: String| WantedReply {
            status,
            prefer: format!("code={status}{prefer}"),
            accept: reply.media_type.clone(),
        };
        if self.dynamic {
            let rounds = if status < 300 {
                SUCCESS_ROUNDS
            } else {
                FAILURE_ROUNDS
            };
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
                    let problem = format!("the client reports status {}", success.status);
                    self.problem(operation, wanted, problem);
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
        return Some("the error does not have the status of the reply");
    }
    if error.kind() == ErrorKind::Decode && !(dynamic && wanted.is_lines()) {
        return Some("the client cannot decode a valid reply");
    }
    None
}

impl WantedReply {
    /// Whether the reply is NDJSON. Its schema is plain text, so Prism generates arbitrary text for it.
    fn is_lines(&self) -> bool {
        self.accept.as_deref() == Some("application/x-ndjson")
    }
}
