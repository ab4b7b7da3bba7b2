//! Tables of requests, played to a platform.

use std::collections::BTreeSet;

use deploykit_sandbox::contract::{Contract, Operation};
use deploykit_sandbox::{Builder, Fault, Platform, Reply, Request, Sandbox};
use serde_json::Value;

use crate::common::{BEGIN, World};

/// A method and a target, a body, the status that comes, and what is kept of the reply as `name=/json/pointer`. A body
/// that does not begin like JSON is a manifest. Lines that begin with `@` do something else: `@wait` for so many
/// milliseconds, and from then on be `@nobody`, the `@owner`, or who has the `@session`.
pub type Row = (&'static str, &'static str, u16, &'static str);

/// The statuses that came, by operation.
#[derive(Default)]
pub struct Seen(BTreeSet<(String, &'static str, u16)>);

impl Seen {
    pub fn has(&self, platform: Platform, id: &str, status: u16) -> bool {
        self.0
            .iter()
            .any(|(of, seen, with)| *of == platform.to_string() && *seen == id && *with == status)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

pub struct Play<'a> {
    pub world: World,
    names: Vec<(String, String)>,
    owner: Option<String>,
    session: Option<String>,
    seen: &'a mut Seen,
}

impl<'a> Play<'a> {
    pub fn new(platform: Platform, builder: Builder, seen: &'a mut Seen) -> Self {
        let world = World::new(platform, builder);
        Self {
            owner: world.authorization.clone(),
            world,
            names: Vec::new(),
            session: None,
            seen,
        }
    }

    /// What `{name}` stands for.
    pub fn name(&mut self, name: &str, value: &str) {
        self.names.insert(0, (name.to_owned(), value.to_owned()));
    }

    pub fn value(&self, name: &str) -> &str {
        let mut names = self.names.iter();
        names.find(|(known, _)| known == name).unwrap().1.as_str()
    }

    pub fn rows(&mut self, rows: &[Row]) {
        for (line, body, status, keep) in rows {
            if let Some(command) = line.strip_prefix('@') {
                self.command(command);
                continue;
            }
            let reply = self.ask(line, body);
            assert_eq!(
                reply.status,
                *status,
                "{line} {body}: {}",
                reply.text_body()
            );
            if let Some((name, pointer)) = keep.split_once('=') {
                let body = reply.json_body();
                let value = body.pointer(pointer).and_then(Value::as_str);
                self.name(name, value.expect(line));
            }
        }
    }

    fn command(&mut self, command: &str) {
        match command.split_once(' ') {
            Some(("wait", millis)) => self.world.wait(millis.parse().unwrap()),
            _ => {
                self.world.authorization =
                    (command == "owner").then(|| self.owner.clone()).flatten();
                if command != "session" {
                    self.session = None;
                }
            }
        }
    }

    fn filled(&self, text: &str) -> String {
        let fill = |text: String, (name, value): &(String, String)| {
            text.replace(&format!("{{{name}}}"), value)
        };
        self.names.iter().fold(text.to_owned(), fill)
    }

    fn ask(&mut self, line: &str, body: &str) -> Reply {
        let line = self.filled(line);
        let (method, target) = line.split_once(' ').unwrap();
        let mut request = Request::new(method, target);
        let body = self.filled(body);
        if body.starts_with(['{', '[']) {
            request = request.with_body("application/json", body);
        } else if !body.is_empty() {
            request = request.with_body("text/x-yaml", body);
        }
        self.send(request)
    }

    /// Whatever comes: the world asserts that the spec allows it, here it is noted.
    fn send(&mut self, mut request: Request) -> Reply {
        if let Some(session) = &self.session {
            request = request.with_header("cookie", session);
        }
        let reply = self.world.send(request);
        if let Some(cookie) = reply.header("set-cookie") {
            self.session = cookie.split(';').next().map(str::to_owned);
        }
        let requests = self.world.state.requests();
        if let Some(id) = requests.last().unwrap().operation {
            self.seen
                .0
                .insert((self.world.platform.to_string(), id, reply.status));
        }
        reply
    }

    /// Asks every operation about what does not exist: without a body, with broken ones, and with the spec's own.
    pub fn ask_everything(&mut self) {
        for operation in Contract::of(self.world.platform).operations() {
            // So that no limit is in the way.
            self.world.wait(3_600_000);
            let path = operation.path().replace(['{', '}'], "~");
            let wrong = format!("{path}?page=x&pageSize=x&limit=x&tail=x&follow=x");
            for target in [&path, &wrong] {
                let request = Request::new(operation.method(), target);
                self.send(request.clone());
                for body in ["{}", "{broken"] {
                    self.send(request.clone().with_body("application/json", body));
                }
                if let Some((content_type, body)) = operation.example_body() {
                    self.send(request.with_body(content_type, body));
                }
            }
        }
    }

    /// Sends the same so many times, and once more than the limit allows.
    pub fn repeat(&mut self, line: &str, body: &str, limit: u32) {
        for _ in 0..limit {
            self.ask(line, body);
        }
        assert_eq!(self.ask(line, body).status, 429, "{line}");
    }

    /// Every operation, when the limit of requests is reached.
    pub fn ask_too_much(&mut self, limit: u32) {
        for _ in 0..limit {
            self.world.get("/v1/nowhere");
        }
        for operation in Contract::of(self.world.platform).operations() {
            let path = operation.path().replace(['{', '}'], "~");
            let reply = self.send(Request::new(operation.method(), &path));
            assert_eq!(reply.status, 429, "{}", operation.id());
        }
    }
}

/// Whether a status that no rule gives comes when it is injected, in a form that the spec allows.
pub fn injected(platform: Platform, operation: &Operation, status: u16) -> bool {
    let fault = Fault::on(operation.id()).platform(platform).status(status);
    let mut state = Sandbox::builder().fault(fault).state();
    let path = operation.path().replace(['{', '}'], "~");
    let reply = state.handle(platform, &Request::new(operation.method(), &path), BEGIN);
    reply.status == status && operation.reply_problems(&reply).is_empty()
}
