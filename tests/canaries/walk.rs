//! Runs one operation against every answer and formats everything that can be formatted.

use crate::answers;
use crate::planted::{self, Findings, Plant};
use crate::server::Server;
use crate::specs::Spec;
use crate::stand_ins;
use crate::watch;
use deploykit::testing::{CannedReply, Recorder};
use deploykit::{Call, ClientBuilder, Error, Operation, Pacing, Platform, Response, Retry};
use serde::Serialize;
use std::collections::BTreeSet;
use std::error::Error as _;
use std::fmt::Debug;
use std::time::Duration;

/// Where a client sends its requests.
pub enum Target {
    Server(String),
    Recorder(Recorder),
}

impl Target {
    pub fn apply<P: Platform>(&self, builder: ClientBuilder<P>) -> ClientBuilder<P> {
        // Each answer once, at once: what is sent again is looked at in `sessions`.
        let builder = builder.retry(Retry::off()).pacing(Pacing::off());
        match self {
            Self::Server(base_url) => builder.base_url(base_url),
            Self::Recorder(recorder) => builder.base_url("https://a.example").recorder(recorder),
        }
    }
}

pub struct Walk {
    pub server: Server,
    pub findings: Findings,
    /// What is wrong with this test itself, or with a call that should have worked.
    pub problems: Vec<String>,
    pub calls: usize,
    pub operations: BTreeSet<String>,
    /// The cookie that a success comes with.
    pub set_cookie: Option<String>,
}

/// How an operation is called: a client of its own, since its token is a canary too.
pub struct Row<'a, C, T> {
    pub connect: &'a dyn Fn(&Target, &Plant) -> C,
    pub call: &'a dyn Fn(&C, &Plant) -> Call<T>,
    /// The reply to a success, with canaries in its own secret places.
    pub reply: String,
    /// The value as JSON, if that can be had.
    pub json: fn(&T) -> Vec<String>,
}

impl Walk {
    pub async fn new() -> Self {
        watch::start();
        Self {
            server: Server::start().await,
            findings: Findings::default(),
            problems: Vec::new(),
            calls: 0,
            operations: BTreeSet::new(),
            set_cookie: None,
        }
    }

    /// Looks at the `Debug` of anything.
    pub fn debug(&mut self, what: &str, value: &dyn Debug) {
        self.findings.look(what, &format!("{value:?}"));
        self.findings.look(what, &format!("{value:#?}"));
    }

    /// An operation of a spec: every secret place that the spec names must have a canary.
    pub async fn operation<C, T>(
        &mut self,
        spec: &Spec,
        operation: &Operation,
        plant: &Plant,
        row: Row<'_, C, T>,
    ) where
        C: Debug,
        T: Debug + Send + 'static,
    {
        self.run(plant, row).await;
        self.operations.insert(plant.operation.clone());
        let places: BTreeSet<_> = plant.canaries().into_iter().map(|c| c.place).collect();
        let in_requests = operation
            .behaviour
            .secrets
            .iter()
            .map(|place| (*place).to_owned());
        let in_replies = spec.secrets_in_replies(operation).into_iter();
        for place in in_requests.chain(in_replies.map(|name| format!("reply.{name}"))) {
            if !places.contains(&place) {
                self.problems
                    .push(format!("{operation}: no canary in {place}"));
            }
        }
    }

    /// A call, with what every call can have: a query, a header.
    pub async fn run<C, T>(&mut self, plant: &Plant, row: Row<'_, C, T>)
    where
        C: Debug,
        T: Debug + Send + 'static,
    {
        let target = Target::Server(self.server.base_url.clone());
        let client = (row.connect)(&target, plant);
        self.debug("client", &client);
        let call = || {
            (row.call)(&client, plant)
                .query("extra", &plant.wide("query.extra"))
                .header("x-extra", &plant.ascii("header x-extra"))
        };
        self.look_before(plant, &call);
        let mut ways = answers::all(&row.reply, &plant.all_texts());
        if let Some(cookie) = &self.set_cookie {
            let header = ("set-cookie".to_owned(), cookie.clone());
            let kind = "application/json";
            ways[0].answer = answers::reply("200 OK", kind, &[header], &row.reply);
        }
        for way in ways {
            self.server.answer(way.answer.clone());
            let result = call().await;
            if let Err(error) = &result
                && way.success
            {
                self.problems.push(format!("{}: {error}", plant.operation));
            }
            self.look_at(&way.name, &result, row.json);
            // An error is the same one with or without it.
            if result.is_ok() {
                let result = call().with_response().await;
                self.look_at_response(&way.name, &result);
            }
        }
        // No answer in time, and no server at all.
        self.look_at("time-out", &call().timeout(Duration::ZERO).await, row.json);
        let nowhere = Target::Server("http://127.0.0.1:1".to_owned());
        let client = (row.connect)(&nowhere, plant);
        self.look_at("refused", &(row.call)(&client, plant).await, row.json);

        self.look_at_the_wire(plant);
        self.record(plant, &row).await;
        stand_ins::walk(self, plant, &row).await;
        self.look_at_the_log();
    }

    /// The call as it is described, and its previews.
    fn look_before<T: Send + 'static>(&mut self, plant: &Plant, call: &dyn Fn() -> Call<T>) {
        self.debug("call", &call());
        match call().preview() {
            Err(error) => self.problems.push(format!("{}: {error}", plant.operation)),
            Ok(preview) => {
                self.debug("preview Debug", &preview);
                self.findings.look("preview", &preview.to_string());
                self.findings.look("preview curl", &preview.to_curl());
                self.findings.look("preview JSON", &json(&preview)[0]);
            }
        }
    }

    fn look_at<T: Debug>(
        &mut self,
        way: &str,
        result: &Result<T, Error>,
        json: fn(&T) -> Vec<String>,
    ) {
        self.calls += 1;
        match result {
            // What a server says in the place of a success is data, in fields that hold data.
            Ok(_) if way != "success" => {}
            Ok(value) => {
                self.debug(&format!("reply ({way})"), value);
                for text in json(value) {
                    self.findings.look(&format!("reply JSON ({way})"), &text);
                }
            }
            Err(error) => self.look_at_error(way, error),
        }
    }

    fn look_at_response<T: Debug>(&mut self, way: &str, result: &Result<Response<T>, Error>) {
        self.calls += 1;
        match result {
            Ok(response) => {
                if way == "success" {
                    self.debug(&format!("response ({way})"), response);
                }
                self.debug(&format!("response id ({way})"), &response.request_id);
                self.debug(&format!("response headers ({way})"), &response.headers);
                self.debug(
                    &format!("response headers ({way})"),
                    response.headers.as_map(),
                );
            }
            Err(error) => self.look_at_error(way, error),
        }
    }

    pub fn look_at_error(&mut self, way: &str, error: &Error) {
        self.debug(&format!("error Debug ({way})"), error);
        let mut texts = vec![error.to_string()];
        let parts = [
            error.message(),
            error.code(),
            error.body_excerpt(),
            error.request_id(),
            error.resource_id(),
        ];
        texts.extend(parts.into_iter().flatten().map(str::to_owned));
        texts.extend(error.details().map(ToString::to_string));
        let mut source = error.source();
        while let Some(error) = source {
            texts.push(format!("{error} {error:?} {error:#?}"));
            source = error.source();
        }
        for text in texts {
            self.findings.look(&format!("error ({way})"), &text);
        }
    }

    /// What was planted into a request has to be in one.
    pub fn look_at_the_wire(&mut self, plant: &Plant) {
        let wire = self.server.take_requests().join("\n");
        let sent: BTreeSet<_> = planted::found_in(&wire)
            .into_iter()
            .map(|c| c.place)
            .collect();
        for canary in plant.canaries() {
            let (operation, place) = (&canary.operation, &canary.place);
            match (canary.is_sent(), sent.contains(place)) {
                (true, false) => self
                    .problems
                    .push(format!("{operation}: {place} was not sent")),
                (false, true) => self.problems.push(format!("{operation}: {place} was sent")),
                _ => {}
            }
        }
    }

    async fn record<C: Debug, T: Debug + Send + 'static>(
        &mut self,
        plant: &Plant,
        row: &Row<'_, C, T>,
    ) {
        let recorder = Recorder::new();
        let client = (row.connect)(&Target::Recorder(recorder.clone()), plant);
        self.debug("client of a recorder", &client);
        for (name, status, content_type, body) in answers::canned(&plant.all_texts()) {
            let headers =
                answers::headers_of(&format!("GET /{} x", plant.all_texts().replace(' ', "")));
            recorder.answer_with(move |_| {
                let reply =
                    CannedReply::new(status, body.clone()).header("content-type", content_type);
                let ascii = headers.iter().filter(|(_, value)| value.is_ascii());
                ascii.fold(reply, |reply, (name, value)| reply.header(name, value))
            });
            let call = (row.call)(&client, plant)
                .query("extra", &plant.wide("query.extra"))
                .header("x-extra", &plant.ascii("header x-extra"));
            self.look_at_response(&format!("recorded {name}"), &call.with_response().await);
        }
        self.debug("recorder", &recorder);
        self.findings.look("recorder", &recorder.to_string());
        for request in recorder.requests().iter().take(2) {
            self.debug("recorded request", request);
            self.findings.look("recorded request", &request.to_string());
            self.findings
                .look("recorded request JSON", &json(request)[0]);
        }
    }

    pub fn look_at_the_log(&mut self) {
        for line in watch::take() {
            self.findings.look("log", &line);
        }
    }
}

pub fn json<T: Serialize>(value: &T) -> Vec<String> {
    vec![serde_json::to_string(value).unwrap()]
}

pub fn no_json<T>(_: &T) -> Vec<String> {
    Vec::new()
}
