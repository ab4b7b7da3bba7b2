//! Prism in the place of the platforms, with the examples of the specs and with replies that it makes
//! up from the schemas.

use crate::process::Prism;
use crate::report::Report;
use crate::spec::{self, Documented};
use crate::walk::{self, Caller};
use crate::{Result, kinds};
use deploykit::{Call, Error, ErrorKind, LogStream, Operation, Response};
use deploykit_sandbox::Sandbox;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// How often a success is made up, and a failure.
const ROUNDS: [usize; 2] = [10, 2];
/// More rounds for the curious: the factor.
const MORE: &str = "PRISM_ROUNDS";

pub async fn check(cli: &Path, report: &mut Report) -> Result<()> {
    // For its ids and addresses alone.
    let sandbox = Sandbox::start().await?;
    let mut tallies = [Tally::default(), Tally::default()];
    for (dynamic, tally) in [false, true].into_iter().zip(&mut tallies) {
        let start = async |api: &str| Prism::mock(cli, &spec::path(api), dynamic).await;
        let (nexlayer, dployr, nodion, edgegap) = tokio::try_join!(
            start("nexlayer"),
            start("dployr"),
            start("nodion"),
            start("edgegap"),
        )?;
        let mut asks = Asks::new("nexlayer", &nexlayer, dynamic, tally)?;
        walk::nexlayer(&mut asks, &nexlayer.tap.base_url, sandbox.nexlayer()).await?;
        asks.finish(report);
        let mut asks = Asks::new("dployr", &dployr, dynamic, tally)?;
        walk::dployr(&mut asks, &dployr.tap.base_url, sandbox.dployr()).await?;
        asks.finish(report);
        let mut asks = Asks::new("nodion", &nodion, dynamic, tally)?;
        walk::nodion(&mut asks, &nodion.tap.base_url, sandbox.nodion()).await?;
        asks.finish(report);
        let mut asks = Asks::new("edgegap", &edgegap, dynamic, tally)?;
        walk::edgegap(&mut asks, &edgegap.tap.base_url, sandbox.edgegap()).await?;
        asks.finish(report);
        let mode = if dynamic {
            "made-up replies"
        } else {
            "examples"
        };
        tally.tell(mode);
    }
    Ok(())
}

/// A reply that is asked for.
struct Wanted {
    status: u16,
    prefer: String,
    accept: Option<String>,
}

/// What came of all calls of a mode.
#[derive(Default)]
struct Tally {
    calls: usize,
    decoded: usize,
    errors: BTreeMap<String, usize>,
}

impl Tally {
    /// What became of every call, in one line.
    fn tell(&self, mode: &str) {
        let errors = self.errors.iter();
        let errors = errors.map(|(kind, count)| format!("{count} {kind}"));
        let errors: Vec<_> = errors.collect();
        let (calls, decoded, errors) = (self.calls, self.decoded, errors.join(", "));
        println!("prism mock: {mode}, {calls} calls: {decoded} decoded, {errors}");
    }
}

/// Asks a Prism for every reply that the spec has for an operation.
struct Asks<'a> {
    api: &'static str,
    prism: &'a Prism,
    dynamic: bool,
    replies: BTreeMap<String, Vec<Documented>>,
    asked: BTreeSet<&'static str>,
    tally: &'a mut Tally,
    before: usize,
    problems: Vec<String>,
}

impl<'a> Asks<'a> {
    fn new(
        api: &'static str,
        prism: &'a Prism,
        dynamic: bool,
        tally: &'a mut Tally,
    ) -> Result<Self> {
        Ok(Self {
            api,
            prism,
            dynamic,
            replies: spec::replies(api)?,
            asked: BTreeSet::new(),
            before: tally.calls,
            tally,
            problems: Vec::new(),
        })
    }

    /// The replies of an operation that are still to be asked for: each once, however often the walk
    /// comes by.
    fn wanted(&mut self, operation: &'static Operation) -> Vec<Wanted> {
        if !self.asked.insert(operation.id) {
            return Vec::new();
        }
        let replies = self.replies.get(operation.id);
        let replies = replies.into_iter().flatten();
        replies.flat_map(|reply| self.ways(reply)).collect()
    }

    /// How to ask for a reply: by each of its examples, or in several rounds.
    fn ways(&self, reply: &Documented) -> Vec<Wanted> {
        let status = reply.status;
        let wanted = |prefer: String| Wanted {
            status,
            prefer: format!("code={status}{prefer}"),
            accept: reply.media_type.clone(),
        };
        let [of_success, of_failure] = ROUNDS;
        let rounds = if status < 300 { of_success } else { of_failure };
        let more = std::env::var(MORE).ok().and_then(|more| more.parse().ok());
        let rounds = rounds * more.unwrap_or(1);
        if self.dynamic {
            let seeds = (0..rounds).map(|seed| format!(", seed=round-{seed}"));
            seeds.map(wanted).collect()
        } else if reply.examples.is_empty() {
            vec![wanted(String::new())]
        } else {
            let names = reply.examples.iter();
            names
                .map(|name| wanted(format!(", example={name}")))
                .collect()
        }
    }

    /// Sends a call and judges what came of it.
    async fn ask<T: Send + 'static>(
        &mut self,
        operation: &'static Operation,
        wanted: &Wanted,
        mut call: Call<T>,
    ) -> Option<T> {
        self.tally.calls += 1;
        if let Some(accept) = &wanted.accept {
            call = call.header("accept", accept);
        }
        let call = call.header("prefer", &wanted.prefer).with_response();
        // In a task of its own, whose panic can be told.
        let result = tokio::spawn(async move { call.await }).await;
        let heads = self.prism.tap.take();
        let sent: Vec<u16> = heads.iter().map(|head| head.status).collect();
        let complaints = self.prism.take_complaints();
        if sent != [wanted.status] {
            self.problem(
                operation,
                wanted,
                format!("Prism sent {sent:?}: {complaints:?}"),
            );
            return None;
        }
        match result {
            Err(panic) => self.problem(operation, wanted, format!("a panic: {panic}")),
            Ok(Ok(Response { value, status, .. })) => {
                self.tally.decoded += 1;
                if status != wanted.status {
                    self.problem(
                        operation,
                        wanted,
                        format!("the status is said to be {status}"),
                    );
                }
                return Some(value);
            }
            Ok(Err(error)) => {
                let kind = format!("{:?}", error.kind());
                *self.tally.errors.entry(kind).or_default() += 1;
                if let Some(what) = wrong(&error, wanted, self.dynamic) {
                    let body = error.body_excerpt().unwrap_or_default();
                    self.problem(operation, wanted, format!("{what}: {error}; {body}"));
                }
            }
        }
        None
    }

    fn problem(&mut self, operation: &Operation, wanted: &Wanted, what: String) {
        let Wanted { prefer, accept, .. } = wanted;
        let accept = accept.as_deref().unwrap_or_default();
        self.problems
            .push(format!("{} ({prefer} {accept}): {what}", operation.id));
    }

    fn finish(mut self, report: &mut Report) {
        for id in self.replies.keys() {
            if !self.asked.contains(id.as_str()) {
                self.problems.push(format!("{id} was not called"));
            }
        }
        let (api, operations) = (self.api, self.asked.len());
        let calls = self.tally.calls - self.before;
        let kind = if self.dynamic {
            "made-up replies"
        } else {
            "examples"
        };
        let name = format!("prism mock: {kind} of {api}, {operations} operations, {calls} calls");
        report.check(name, &self.problems);
    }
}

/// What is wrong with an error for a reply, if anything is.
fn wrong(error: &Error, wanted: &Wanted, dynamic: bool) -> Option<&'static str> {
    if error.status() != Some(wanted.status) {
        return Some("the status is lost");
    }
    if !kinds::make_sense(wanted.status, error.kind()) {
        return Some("an odd kind");
    }
    if error.kind() == ErrorKind::Decode && !(dynamic && wanted.is_lines()) {
        return Some("a reply that fits its schema and cannot be read");
    }
    None
}

impl Wanted {
    /// Lines of JSON are a text to a schema, and any text is made up for it.
    fn is_lines(&self) -> bool {
        self.accept.as_deref() == Some("application/x-ndjson")
    }
}

impl Caller for Asks<'_> {
    async fn call<T: Send + 'static>(&mut self, make: impl Fn() -> Call<T>) -> Option<T> {
        let operation = make().operation()?;
        for wanted in self.wanted(operation) {
            self.ask(operation, &wanted, make()).await;
        }
        None
    }

    async fn stream<L: Send + 'static>(&mut self, make: impl Fn() -> Call<LogStream<L>>) {
        let Some(operation) = make().operation() else {
            return;
        };
        // The walk reads the same logs as a whole before.
        self.asked.remove(operation.id);
        for wanted in self.wanted(operation) {
            let lines = self.ask(operation, &wanted, make()).await;
            let Some(lines) = lines else { continue };
            let mut lines = lines.without_reconnecting();
            while let Some(line) = lines.next().await {
                let Some(error) = line.err() else { continue };
                let kind = format!("{:?} of a line", error.kind());
                *self.tally.errors.entry(kind).or_default() += 1;
                if !(self.dynamic && wanted.is_lines() && error.kind() == ErrorKind::Decode) {
                    self.problem(operation, &wanted, error.to_string());
                }
            }
        }
    }
}
