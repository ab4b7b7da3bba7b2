//! Tables of requests, played to a platform. `tables/nexlayer.txt` says how they are written.

use std::collections::{BTreeMap, BTreeSet};

use deploykit_sandbox::contract::{Contract, Operation};
use deploykit_sandbox::{Builder, Fault, Platform, Reply, Request, Sandbox};
use serde_json::Value;

use crate::common::{BEGIN, World};

/// The statuses that came, by operation.
#[derive(Default)]
pub struct Seen(BTreeSet<(String, &'static str, u16)>);

impl Seen {
    pub fn has(&self, platform: Platform, id: &'static str, status: u16) -> bool {
        self.0.contains(&(platform.to_string(), id, status))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

pub struct Play<'a> {
    pub world: World,
    text: &'static str,
    /// What `{name}` stands for, and the bodies with a name.
    names: BTreeMap<String, String>,
    owner: Option<String>,
    session: Option<String>,
    seen: &'a mut Seen,
}

impl<'a> Play<'a> {
    pub fn new(
        text: &'static str,
        platform: Platform,
        builder: Builder,
        seen: &'a mut Seen,
    ) -> Self {
        let world = World::new(platform, builder);
        let bodies = text.lines().filter_map(|line| line.split_once(" = "));
        let bodies = bodies.map(|(name, body)| (name.to_owned(), body.to_owned()));
        let mut play = Self {
            owner: world.authorization.clone(),
            text,
            names: bodies.collect(),
            session: None,
            seen,
            world,
        };
        let state = &play.world.state;
        let (dployr, nodion) = (state.dployr().access(""), state.nodion().access(""));
        let edgegap = state.edgegap().access("");
        for (name, value) in [
            ("email", dployr.email),
            ("password", dployr.password),
            ("code", dployr.login_code),
            ("identity", dployr.identity_token),
            ("cluster", dployr.cluster_id),
            ("tag", dployr.instance_tag),
            ("region", nodion.region_id),
            ("type", nodion.instance_type_id),
            ("git", nodion.application_id),
            ("image", nodion.image_application_id),
            ("app", edgegap.application),
            ("version", edgegap.version),
            ("host", edgegap.private_host_id),
            ("fleet", edgegap.fleet),
        ] {
            play.name(name, &value);
        }
        play
    }

    pub fn name(&mut self, name: &str, value: &str) {
        self.names.insert(name.to_owned(), value.to_owned());
    }

    pub fn value(&self, name: &str) -> &str {
        &self.names[name]
    }

    /// Plays the rows of `[table]`.
    pub fn rows(&mut self, table: &str) {
        let (_, rows) = self.text.split_once(&format!("[{table}]\n")).expect(table);
        for row in rows.lines().take_while(|row| !row.starts_with('[')) {
            if let Some(command) = row.strip_prefix('@') {
                self.command(command);
            } else if let Some((status, rest)) = row.split_once(' ') {
                let (line, kept) = rest.split_once(" > ").unwrap_or((rest, ""));
                let reply = self.ask(line);
                assert_eq!(
                    reply.status.as_str(),
                    status,
                    "{row}: {}",
                    reply.text_body()
                );
                if let Some((name, pointer)) = kept.split_once('=') {
                    let body = reply.json_body();
                    let value = body.pointer(pointer).and_then(Value::as_str);
                    self.name(name, value.expect(row));
                }
            }
        }
    }

    /// `wait MILLIS`, or who asks from then on: `nobody`, the `owner`, or who has the `session`.
    pub fn command(&mut self, command: &str) {
        if let Some(millis) = command.strip_prefix("wait ") {
            return self.world.wait(millis.parse().unwrap());
        }
        let owner = (command == "owner").then(|| self.owner.clone());
        self.world.authorization = owner.flatten();
        if command != "session" {
            self.session = None;
        }
    }

    fn filled(&self, text: &str) -> String {
        let names = self.names.iter();
        names.fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    /// A method, a target, and a body or the name of one. A body that does not begin like JSON is a manifest.
    fn ask(&mut self, line: &str) -> Reply {
        let mut parts = line.splitn(3, ' ');
        let (method, target) = (parts.next().unwrap(), parts.next().unwrap());
        let body = parts.next().unwrap_or_default();
        let body = self.filled(self.names.get(body).map_or(body, String::as_str));
        let request = Request::new(method, &self.filled(target));
        self.send(match body.chars().next() {
            None => request,
            Some('{' | '[') => request.with_body("application/json", body),
            Some(_) => request.with_body("text/x-yaml", body),
        })
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
            let platform = self.world.platform.to_string();
            self.seen.0.insert((platform, id, reply.status.as_u16()));
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
    pub fn repeat(&mut self, line: &str, limit: u32) {
        for _ in 0..limit {
            self.ask(line);
        }
        assert_eq!(self.ask(line).status, 429, "{line}");
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
