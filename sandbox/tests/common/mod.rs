//! Helpers for tests: one platform as a state machine, with a clock that only [`TestPlatform::wait`] moves.

#![allow(dead_code)]

pub mod control_plane;
pub mod edgegap;
pub mod nexlayer;
pub mod server;

use std::time::Duration;

use deploykit_sandbox::{Platform, Reply, Request, SandboxBuilder, State};
use serde_json::Value;

/// 2026-11-24T02:24:27Z, inside a rate-limit window.
pub const BEGIN: Duration = Duration::from_secs(1_795_487_067);

pub struct TestPlatform {
    pub state: State,
    pub platform: Platform,
    pub now: Duration,
    pub authorization: Option<String>,
}

impl TestPlatform {
    pub fn new(platform: Platform, builder: SandboxBuilder) -> Self {
        let state = builder.state();
        let authorization = match platform {
            Platform::Nexlayer => None,
            Platform::Dployr => Some(format!("Bearer {}", state.dployr().access("").token)),
            Platform::Nodion => Some(format!("Bearer {}", state.nodion().access("").token)),
            Platform::Edgegap => Some(format!("token {}", state.edgegap().access("").token)),
        };
        Self {
            state,
            platform,
            now: BEGIN,
            authorization,
        }
    }

    pub fn wait(&mut self, millis: u64) {
        self.now += Duration::from_millis(millis);
    }

    /// Sends a request without adding credentials. Asserts that the spec allows the reply.
    pub fn raw(&mut self, request: &Request) -> Reply {
        let reply = self.state.handle(self.platform, request, self.now);
        let requests = self.state.requests();
        let problems = &requests.last().unwrap().reply_violations;
        assert_eq!(
            problems,
            &[],
            "{} {} {}",
            request.method,
            request.path,
            reply.text_body()
        );
        reply
    }

    /// Sends a request with the credentials.
    pub fn send(&mut self, request: Request) -> Reply {
        let request = match &self.authorization {
            Some(value) => request.with_header("authorization", value),
            None => request,
        };
        self.raw(&request)
    }

    pub fn get(&mut self, target: &str) -> Reply {
        self.send(Request::new("GET", target))
    }

    pub fn post(&mut self, target: &str, body: &Value) -> Reply {
        self.send(Request::new("POST", target).with_json(body))
    }

    /// GETs a target and expects 200.
    #[track_caller]
    pub fn ok(&mut self, target: &str) -> Value {
        expect_status(&self.get(target), 200)
    }

    /// POSTs a body and expects this status.
    #[track_caller]
    pub fn posted(&mut self, target: &str, body: &Value, status: u16) -> Value {
        expect_status(&self.post(target, body), status)
    }

    /// POSTs without a body and expects this status.
    #[track_caller]
    pub fn called(&mut self, target: &str, status: u16) -> Value {
        expect_status(&self.send(Request::new("POST", target)), status)
    }

    /// DELETEs a target and expects this status.
    #[track_caller]
    pub fn deleted(&mut self, target: &str, status: u16) -> Value {
        expect_status(&self.send(Request::new("DELETE", target)), status)
    }
}

/// Asserts the status of a reply and returns its JSON body.
#[track_caller]
pub fn expect_status(reply: &Reply, status: u16) -> Value {
    assert_eq!(reply.status, status, "{}", reply.text_body());
    reply.json_body()
}

/// Asserts that an object has these fields; others are allowed.
#[track_caller]
pub fn assert_fields(object: &Value, fields: Value) {
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(&object[name], value, "{name} of {object}");
    }
}
