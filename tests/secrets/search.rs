//! Sends a call, receives every kind of reply, and searches all output for canaries.

use crate::canaries::{self, Canary, Findings, MARK, Plant};
use crate::log_capture;
use crate::operations::{AnyCall, Clients, Row, Setup};
use crate::replies;
use crate::server::Server;
use crate::spec_replies::{Spec, Success};
use deploykit::http::{Request, Response};
use deploykit::testing::{CannedReply, Recorder, describe};
use deploykit::{
    ClientBuilder, Error, Platform, Retry, dployr, edgegap, nexlayer, nodion, operation::Operation,
    pacing::Pacing, preview::RequestPreview,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::error::Error as _;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

/// The receiver of the requests.
#[derive(Clone)]
enum Target {
    Server(String),
    Recorder(Recorder),
}

/// Puts canaries into the clients and calls of the table of operations.
#[derive(Clone)]
struct Planting {
    target: Target,
    plant: Plant,
}

impl Setup for Planting {
    fn client<P: Platform>(&self, builder: ClientBuilder<P>) -> ClientBuilder<P> {
        let builder = builder.retry(Retry::off()).pacing(Pacing::off());
        match &self.target {
            Target::Server(base_url) => builder.base_url(base_url),
            Target::Recorder(recorder) => builder.base_url("https://a.example").recorder(recorder),
        }
    }

    fn secret(&self, place: &str) -> String {
        match place {
            "cookie" => self.plant.ascii(place),
            // Some operations are sent without credentials.
            place if place.starts_with("authorization") => {
                self.plant.ascii(&format!("unsent {place}"))
            }
            // Characters that need no encoding in a URL or in YAML.
            place
                if ["url", "path", "body.<manifest>", "number"]
                    .iter()
                    .any(|plain| place.starts_with(plain)) =>
            {
                self.plant.plain(place)
            }
            "body.email" | "body.users" => self.plant.email(place),
            place => self.plant.wide(place),
        }
    }

    fn value(&self, name: &str, default: &str) -> String {
        match (name, &self.target) {
            ("self_stop_url", Target::Server(base_url)) => base_url.clone(),
            _ => default.to_owned(),
        }
    }
}

pub struct LeakSearch {
    pub server: Server,
    pub findings: Findings,
    /// Errors in this test's tables, and calls that failed unexpectedly.
    pub problems: Vec<String>,
}

impl LeakSearch {
    pub async fn new() -> Self {
        log_capture::start();
        Self {
            server: Server::start().await,
            findings: Findings::default(),
            problems: Vec::new(),
        }
    }

    pub fn assert_clean(&self) {
        let found = &self.findings.examples;
        assert!(found.is_empty(), "canaries were found: {found:#?}");
        assert!(self.problems.is_empty(), "{:#?}", self.problems);
    }

    /// Calls the variants of an operation and searches their output.
    ///
    /// Reports a problem if a secret place in the spec has no canary in any request, or a secret field of
    /// the reply has none in any success.
    pub async fn search_operation(&mut self, row: &Row) {
        let operation = row.operation;
        let name = format!("{} {}", operation.api, operation.id);
        let in_reply = Plant::new(&name);
        let spec = Spec::read(operation.api);
        let successes = spec.successes(operation, &in_reply);
        let mut known = BTreeSet::new();
        let mut missing: BTreeSet<_> = operation.behaviour.secrets.iter().copied().collect();
        for variant in &row.variants {
            // Each variant has its own canaries, because errors redact only the secrets of their request.
            let plant = Plant::new(format!("{name} {}", variant.name));
            let clients_of = |target| {
                let plant = plant.clone();
                Clients::new(Planting { target, plant })
            };
            let clients = clients_of(Target::Server(self.server.base_url.clone()));
            let preview = variant.call(&clients).preview().unwrap();
            // Skips variants that add no secret place.
            let places = plant.canaries().into_iter().filter(Canary::is_sent);
            let places: BTreeSet<_> = places.map(|canary| canary.place).collect();
            if places.is_subset(&known) && !variant.name.is_empty() {
                continue;
            }
            known.extend(places);
            self.search_preview("preview", &preview);
            let call = |clients: &Clients| {
                let call = variant
                    .call(clients)
                    .query("extra", &plant.wide("query.extra"));
                call.header("x-extra", &plant.ascii("header x-extra"))
            };
            self.findings.search("call", &call(&clients).debug());
            self.search_preview("preview", &call(&clients).preview().unwrap());
            self.send(&plant, &successes, || call(&clients)).await;
            let requests = self.take_requests(&plant);
            missing.retain(|place| {
                let has = |request: &String| has_canary_at(operation, place, request);
                !requests.iter().any(has)
            });
            let closed_port = clients_of(Target::Server("http://127.0.0.1:1".to_owned()));
            let refused = call(&closed_port).send().await.unwrap_err();
            self.search_error("refused", &refused);
            self.record(&plant, &successes[0].body, |recorder| {
                call(&clients_of(Target::Recorder(recorder)))
            })
            .await;
        }
        let places: BTreeSet<_> = in_reply.canaries().into_iter().map(|c| c.place).collect();
        for place in missing {
            self.problems
                .push(format!("{operation}: no canary in {place}"));
        }
        for place in spec.secrets_in_replies(operation) {
            if !places.contains(&format!("reply.{place}")) {
                self.problems
                    .push(format!("{operation}: no canary in reply.{place}"));
            }
        }
        self.search_log();
    }

    /// Sends a call once for each reply.
    async fn send(&mut self, plant: &Plant, successes: &[Success], call: impl Fn() -> AnyCall) {
        for reply in replies::all(successes, &plant.sent()) {
            self.server.answer(reply.answer);
            match call().send().await {
                Ok(response) => {
                    for error in &response.failures {
                        self.search_error(&reply.name, error);
                    }
                    // Other replies with a success status repeat the request as data, which may be printed.
                    if reply.success {
                        self.findings.search("response", &response.debug);
                        self.findings
                            .search("response JSON", &response.json.to_string());
                    }
                }
                Err(error) => {
                    if reply.success {
                        let problem = format!("{}: {error}: {}", plant.operation, reply.name);
                        self.problems.push(problem);
                    }
                    self.search_error(&reply.name, &error);
                }
            }
        }
    }

    /// Checks that all canaries of the requests were sent. Returns the requests.
    pub fn take_requests(&mut self, plant: &Plant) -> Vec<String> {
        let requests = self.server.take_requests();
        let sent = canaries::found_in(&requests.join("\n"));
        for canary in plant.canaries() {
            let key = (canary.operation, canary.place);
            if !sent.contains(&key) && !key.1.starts_with("unsent") && !key.1.starts_with("reply") {
                self.problems.push(format!("{key:?} was not sent"));
            }
        }
        requests
    }

    /// Checks that a recorder prints no secret, and that an in-process platform receives the requests that
    /// the recorder prints.
    async fn record(&mut self, plant: &Plant, success: &str, call: impl Fn(Recorder) -> AnyCall) {
        let recorder = Recorder::new();
        let reply = CannedReply::json(400, replies::in_json(&plant.sent()));
        recorder.answer_with(move |_| reply.clone());
        if let Err(error) = call(recorder.clone()).send().await {
            self.search_error("recorded", &error);
        }
        self.search_debug("recorder", &recorder);
        self.findings.search("recorder", &recorder.to_string());
        for request in recorder.requests() {
            self.search_preview("recorded request", &request);
        }

        let recorder = Recorder::new();
        let received = Arc::new(Mutex::new(Vec::new()));
        let (kept, body) = (received.clone(), success.as_bytes().to_vec());
        recorder.answer_in_process(move |request: Request<Vec<u8>>| {
            kept.lock().unwrap().push(request);
            let reply = Response::builder().header("content-type", "application/json");
            reply.body(body.clone()).unwrap()
        });
        // The call may fail because the reply has no cookie; the request is the same.
        let _ = call(recorder.clone()).send().await;
        let sent = recorder.requests();
        let described: Vec<_> = received
            .lock()
            .unwrap()
            .iter()
            .map(|request| described(&plant.operation, request))
            .collect();
        let texts = |previews: &[RequestPreview]| {
            let texts = previews.iter().map(|p| format!("{:?}\n{p}", p.operation));
            texts.collect::<Vec<_>>()
        };
        let (sent, described) = (texts(&sent), texts(&described));
        if sent.is_empty() || sent != described {
            let problem = format!(
                "{}: sent {sent:#?}, received {described:#?}",
                plant.operation
            );
            self.problems.push(problem);
        }
    }

    /// Searches the `Debug` output of a value.
    pub fn search_debug(&mut self, kind: &str, value: &dyn Debug) {
        self.findings.search(kind, &format!("{value:?}"));
        self.findings.search(kind, &format!("{value:#?}"));
    }

    pub fn search_preview(&mut self, kind: &str, preview: &RequestPreview) {
        self.search_debug(&format!("{kind} (Debug)"), preview);
        let json = serde_json::to_string(preview).unwrap();
        for (form, text) in [
            ("Display", preview.to_string()),
            ("curl", preview.to_curl()),
            ("JSON", json),
        ] {
            self.findings.search(&format!("{kind} ({form})"), &text);
        }
    }

    pub fn search_error(&mut self, kind: &str, error: &Error) {
        self.search_debug(&format!("{kind} (Debug)"), error);
        self.findings
            .search(&format!("{kind} (Display)"), &error.to_string());
        let details = error.details().map(ToString::to_string);
        for (part, text) in [
            ("message", error.message()),
            ("code", error.code()),
            ("body", error.body_excerpt()),
            ("request id", error.http_request_id()),
            ("resource id", error.resource_id()),
            ("details", details.as_deref()),
        ] {
            self.findings
                .search(&format!("{kind} ({part})"), text.unwrap_or_default());
        }
        let mut source = error.source();
        while let Some(error) = source {
            let text = format!("{error} {error:?} {error:#?}");
            self.findings.search(&format!("{kind} (source)"), &text);
            source = error.source();
        }
    }

    pub fn search_log(&mut self) {
        for line in log_capture::take() {
            self.findings.search("log", &line);
        }
    }
}

/// The request in the form of the recorder.
fn described(operation: &str, request: &Request<Vec<u8>>) -> RequestPreview {
    match operation.split(' ').next() {
        Some("nexlayer") => describe::<nexlayer::Nexlayer>(request),
        Some("dployr") => describe::<dployr::Dployr>(request),
        Some("nodion") => describe::<nodion::Nodion>(request),
        _ => describe::<edgegap::Edgegap>(request),
    }
}

/// Whether a request has a canary at a place. Places are written as in the spec.
fn has_canary_at(operation: &Operation, place: &str, request: &str) -> bool {
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
    let target = head.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    match place.split_once('.').unwrap_or((place, "")) {
        ("query", name) => url::form_urlencoded::parse(query.as_bytes())
            .any(|(key, value)| key == name && value.contains(MARK)),
        ("path", name) => operation
            .path
            .rsplit('/')
            .zip(path.rsplit('/'))
            .any(|(template, value)| template == format!("{{{name}}}") && value.contains(MARK)),
        ("body", "<manifest>") => body.contains(MARK),
        ("body", place) => {
            let place = place.trim_end_matches("<url>");
            let json: Value = serde_json::from_str(body).unwrap_or_default();
            values_at(&json, place)
                .iter()
                .any(|value| value.to_string().contains(MARK))
        }
        _ => false,
    }
}

/// The values at a place in a body: `a.b`, `a[].b`, `a[flag].b`, `a.*`.
fn values_at<'a>(value: &'a Value, place: &str) -> Vec<&'a Value> {
    let (step, rest) = place.split_once('.').unwrap_or((place, ""));
    let name = step.split('[').next().unwrap_or(step);
    let inner: Vec<&Value> = match (name, value) {
        ("", _) => return vec![value],
        ("*", Value::Object(map)) => map.values().collect(),
        (name, value) => match value.get(name) {
            Some(Value::Array(items)) if step.ends_with(']') => items.iter().collect(),
            inner => inner.into_iter().collect(),
        },
    };
    inner
        .into_iter()
        .flat_map(|inner| values_at(inner, rest))
        .collect()
}
