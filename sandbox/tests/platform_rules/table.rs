//! Runs tables of requests against a platform; `tables/nexlayer.txt` describes the format.

use std::collections::{BTreeMap, BTreeSet};

use deploykit_sandbox::spec::{Operation, Spec};
use deploykit_sandbox::{Fault, Platform, Reply, Request, Sandbox, SandboxBuilder};
use serde_json::{Map, Value};

use crate::common::{BEGIN, TestPlatform};

/// Operations and statuses of all replies so far.
pub type SeenStatuses = BTreeSet<(&'static str, u16)>;

pub struct TableRunner<'a> {
    api: TestPlatform,
    /// Stored values and named bodies.
    names: BTreeMap<String, String>,
    owner: Option<String>,
    /// The cookie of the last login.
    cookie: Option<String>,
    sends_cookie: bool,
    seen: &'a mut SeenStatuses,
}

/// Settings for the next row, from `@` lines.
struct Next {
    times: usize,
    content_type: Option<String>,
}

impl Default for Next {
    fn default() -> Self {
        Self {
            times: 1,
            content_type: None,
        }
    }
}

impl<'a> TableRunner<'a> {
    pub fn new(platform: Platform, builder: SandboxBuilder, seen: &'a mut SeenStatuses) -> Self {
        let api = TestPlatform::new(platform, builder);
        let state = &api.state;
        let (dployr, nodion) = (state.dployr().access(""), state.nodion().access(""));
        let edgegap = state.edgegap().access("");
        let authorization = api.authorization.clone().unwrap_or_default();
        let token = authorization.rsplit(' ').next().unwrap_or_default();
        let names = [
            ("token", token.to_owned()),
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
        ];
        let names = names.map(|(name, value)| (name.to_owned(), value));
        Self {
            owner: api.authorization.clone(),
            api,
            names: names.into(),
            cookie: None,
            sends_cookie: false,
            seen,
        }
    }

    /// Runs all sections of a table, each on a new sandbox.
    pub fn table(
        platform: Platform,
        text: &str,
        builder: impl Fn(&str) -> SandboxBuilder,
        seen: &mut SeenStatuses,
    ) {
        let (bodies, sections) = text.split_once("\n[").unwrap();
        for section in sections.split("\n[") {
            let (title, rows) = section.split_once("]\n").unwrap();
            let options = title.split_once(": ").map_or("", |(_, options)| options);
            let mut runner = TableRunner::new(platform, builder(options), seen);
            for (name, body) in bodies.lines().filter_map(|line| line.split_once(" = ")) {
                runner.names.insert(name.to_owned(), body.to_owned());
            }
            runner.rows(title, rows);
        }
    }

    fn rows(&mut self, title: &str, rows: &str) {
        let mut next = Next::default();
        for row in rows.lines().filter(|row| !row.is_empty()) {
            if let Some(line) = row.strip_prefix('@') {
                self.command(line, &mut next);
                continue;
            }
            let (row, stored) = row.split_once(" > ").unwrap_or((row, ""));
            let (request, expected) = row.split_once(" => ").unwrap_or((row, ""));
            let (status, line) = request.split_once(' ').unwrap();
            let Next {
                times,
                content_type,
            } = std::mem::take(&mut next);
            let mut reply = self.send_line(line, content_type.as_deref());
            for _ in 1..times {
                reply = self.send_line(line, content_type.as_deref());
            }
            let at = format!("[{title}] {row}\n{} {}", reply.status, reply.text_body());
            assert_eq!(reply.status.as_str(), status, "{at}");
            self.expect(&reply, expected, &at);
            for (name, pointer) in stored
                .split_whitespace()
                .map(|stored| stored.split_once('=').unwrap())
            {
                let body = reply.json_body();
                let value = body.pointer(pointer).and_then(Value::as_str);
                let value = value.unwrap_or_else(|| panic!("{pointer} of {at}"));
                self.names.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    fn command(&mut self, line: &str, next: &mut Next) {
        let (command, value) = line.split_once(' ').unwrap_or((line, ""));
        match command {
            "wait" => self.api.wait(value.parse().unwrap()),
            "connect" | "disconnect" => self.api.state.connect_dployr_node(command == "connect"),
            "times" => next.times = value.parse().unwrap(),
            "type" => next.content_type = Some(value.to_owned()),
            "auth" => self.api.authorization = Some(self.with_values(value)),
            "anonymous" | "owner" => {
                self.sends_cookie = false;
                let is_owner = command == "owner";
                self.api.authorization = self.owner.clone().filter(|_| is_owner);
            }
            "session" => {
                self.sends_cookie = true;
                self.api.authorization = None;
            }
            "container" => {
                let access = self.api.state.edgegap().access("");
                let (url, token) = access.self_stop(&self.with_values(value));
                self.names.insert("self".to_owned(), url);
                self.api.authorization = Some(token);
            }
            _ => panic!("unknown command @{line}"),
        }
    }

    /// Replaces each `{NAME}` by its value.
    fn with_values(&self, text: &str) -> String {
        let names = self.names.iter();
        names.fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
    }

    /// Returns a body as text. `text` is a literal body, or the name of a body with changes.
    fn body(&self, text: &str) -> String {
        let is_upper = |letter: char| letter.is_ascii_uppercase();
        let end = text.find(|letter| !is_upper(letter));
        let (name, mut changes) = text.split_at(end.unwrap_or(text.len()));
        let Some(body) = self.names.get(name) else {
            return self.with_values(text);
        };
        if changes.is_empty() {
            return self.with_values(body);
        }
        let mut fields: Map<String, Value> = serde_json::from_str(body).unwrap();
        while !changes.is_empty() {
            let (sign, rest) = changes.split_at(1);
            if sign == "+" && rest.starts_with('{') {
                let mut stream = serde_json::Deserializer::from_str(rest).into_iter();
                let more: Map<String, Value> = stream.next().unwrap().unwrap();
                fields.extend(more);
                changes = &rest[stream.byte_offset()..];
                continue;
            }
            let end = rest.find(['+', '-']).unwrap_or(rest.len());
            let (name, rest) = rest.split_at(end);
            if sign == "+" {
                let more: Map<String, Value> = serde_json::from_str(&self.names[name]).unwrap();
                fields.extend(more);
            } else {
                fields.remove(name).expect(text);
            }
            changes = rest;
        }
        self.with_values(&Value::Object(fields).to_string())
    }

    /// Sends the request `METHOD TARGET [BODY]`.
    fn send_line(&mut self, line: &str, content_type: Option<&str>) -> Reply {
        let mut parts = line.splitn(3, ' ');
        let (method, target) = (parts.next().unwrap(), parts.next().unwrap());
        let body = self.body(parts.next().unwrap_or_default());
        let request = Request::new(method, &self.with_values(target));
        self.send(match body.chars().next() {
            None => request,
            Some('{' | '[') => request.with_body(content_type.unwrap_or("application/json"), body),
            Some(_) => request.with_body(content_type.unwrap_or("text/x-yaml"), body),
        })
    }

    /// Sends a request with the current credentials. Asserts that the spec allows the reply.
    fn send(&mut self, mut request: Request) -> Reply {
        if let Some(cookie) = self.cookie.as_ref().filter(|_| self.sends_cookie) {
            request = request.with_header("cookie", cookie);
        }
        let reply = self.api.send(request);
        if let Some(cookie) = reply.header("set-cookie") {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        let requests = self.api.state.requests();
        if let Some(id) = requests.last().unwrap().operation {
            self.seen.insert((id, reply.status.as_u16()));
        }
        reply
    }

    fn expect(&self, reply: &Reply, expected: &str, at: &str) {
        let expected = self.body(expected);
        match serde_json::from_str(&expected) {
            Ok(expected) => contains(&reply.json_body(), &expected, at),
            Err(_) => {
                let headers = reply.headers.iter();
                let mut text: String = headers
                    .map(|(name, value)| format!("{name}: {}\n", value.to_str().unwrap()))
                    .collect();
                text.push_str(&reply.text_body());
                assert!(text.contains(&expected), "{at}\nlacks {expected}");
            }
        }
    }

    /// Calls every operation with unknown ids: without a body, with invalid bodies, and with the spec's
    /// example.
    pub fn send_invalid_requests(&mut self, authorization: Option<&str>) {
        self.api.authorization = authorization.map(str::to_owned);
        for operation in Spec::of(self.api.platform).operations() {
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

    pub fn authorization(&self) -> Option<String> {
        self.owner.clone()
    }
}

/// Asserts that `found` contains `expected`.
///
/// `"*"` matches any value except null. A number matches an array of that length.
fn contains(found: &Value, expected: &Value, at: &str) {
    match (found, expected) {
        (found, Value::String(any)) if any == "*" => assert!(!found.is_null(), "{at}"),
        (Value::Object(_), Value::Object(fields)) => {
            for (name, value) in fields {
                contains(&found[name], value, &format!("{at}\n.{name}"));
            }
        }
        (Value::Array(items), Value::Number(length)) => {
            assert_eq!(Some(items.len() as u64), length.as_u64(), "{at}");
        }
        (Value::Array(items), Value::Array(expected)) => {
            assert_eq!(items.len(), expected.len(), "{at}");
            for (index, (item, expected)) in items.iter().zip(expected).enumerate() {
                contains(item, expected, &format!("{at}\n[{index}]"));
            }
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}

/// Whether a fault with this status gets a reply that follows the spec.
pub fn is_injectable(platform: Platform, operation: &Operation, status: u16) -> bool {
    let fault = Fault::on(operation.id()).platform(platform).status(status);
    let mut state = Sandbox::builder().fault(fault).state();
    let path = operation.path().replace(['{', '}'], "~");
    let reply = state.handle(platform, &Request::new(operation.method(), &path), BEGIN);
    reply.status == status && operation.reply_violations(&reply).is_empty()
}
