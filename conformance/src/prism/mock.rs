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
    }
    Ok(())
}

/// What came of all calls of a mode.
#[derive(Default)]
struct Tally {
    calls: usize,
    decoded: usize,
    errors: BTreeMap<String, usize>,
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
    fn wanted(&mut self, operation: &'static Operation) -> Vec<(u16, String)> {
        if !self.asked.insert(operation.id) {
            return Vec::new();
        }
        let mut wanted = Vec::new();
        for reply in self.replies.get(operation.id).into_iter().flatten() {
            let status = reply.status;
            let [of_success, of_failure] = ROUNDS;
            let rounds = if status < 300 { of_success } else { of_failure };
            if self.dynamic {
                let seeds = (0..rounds).map(|seed| format!("code={status}, seed=round-{seed}"));
                wanted.extend(seeds.map(|prefer| (status, prefer)));
            } else if reply.examples.is_empty() {
                wanted.push((status, format!("code={status}")));
            } else {
                let named = reply
                    .examples
                    .iter()
                    .map(|name| format!("code={status}, example={name}"));
                wanted.extend(named.map(|prefer| (status, prefer)));
            }
        }
        wanted
    }

    /// Sends a call and judges what came of it.
    async fn ask<T: Send + 'static>(
        &mut self,
        operation: &'static Operation,
        (asked, prefer): (u16, &str),
        call: Call<T>,
    ) -> Option<T> {
        self.tally.calls += 1;
        let call = call.header("prefer", prefer).with_response();
        // In a task of its own, whose panic can be told.
        let result = tokio::spawn(async move { call.await }).await;
        let sent: Vec<u16> = self
            .prism
            .tap
            .take()
            .iter()
            .map(|head| head.status)
            .collect();
        let complaints = self.prism.take_complaints();
        let mut problem = |what: String| {
            self.problems
                .push(format!("{} ({prefer}): {what}", operation.id));
        };
        if sent != [asked] {
            problem(format!("Prism sent {sent:?}: {complaints:?}"));
            return None;
        }
        match result {
            Err(panic) => {
                problem(format!("a panic: {panic}"));
                None
            }
            Ok(Ok(Response { value, status, .. })) => {
                self.tally.decoded += 1;
                if status != asked {
                    problem(format!("the status is said to be {status}"));
                }
                Some(value)
            }
            Ok(Err(error)) => {
                if let Some(what) = wrong(&error, asked, self.dynamic) {
                    problem(format!("{what}: {error}, {:?}", error.body_excerpt()));
                }
                *self
                    .tally
                    .errors
                    .entry(format!("{:?}", error.kind()))
                    .or_default() += 1;
                None
            }
        }
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

/// What is wrong with an error for a reply with this status, if anything is.
fn wrong(error: &Error, status: u16, dynamic: bool) -> Option<&'static str> {
    if error.status() != Some(status) {
        return Some("the status is lost");
    }
    if !kinds::make_sense(status, error.kind()) {
        return Some("an odd kind");
    }
    if !dynamic && error.kind() == ErrorKind::Decode {
        return Some("an example that cannot be read");
    }
    None
}

impl Caller for Asks<'_> {
    async fn call<T: Send + 'static>(&mut self, make: impl Fn() -> Call<T>) -> Option<T> {
        let operation = make().operation()?;
        for (status, prefer) in self.wanted(operation) {
            self.ask(operation, (status, &prefer), make()).await;
        }
        None
    }

    async fn stream<L: Send + 'static>(&mut self, make: impl Fn() -> Call<LogStream<L>>) {
        let Some(operation) = make().operation() else {
            return;
        };
        // The walk reads the same logs as a whole before.
        self.asked.remove(operation.id);
        for (status, prefer) in self.wanted(operation) {
            let lines = self.ask(operation, (status, &prefer), make()).await;
            let Some(lines) = lines else { continue };
            let mut lines = lines.without_reconnecting();
            while let Some(line) = lines.next().await {
                let error = line.err();
                let Some(error) = error else { continue };
                let allowed = self.dynamic && error.kind() == ErrorKind::Decode;
                if !allowed {
                    self.problems
                        .push(format!("{} ({prefer}): {error}", operation.id));
                }
            }
        }
    }
}
