//! A server that says nothing that the specs do not allow.

use std::ops::Deref;

use deploykit_sandbox::{RecordedRequest, Sandbox, SandboxBuilder};

/// A sandbox whose replies are looked at when the test is done with it.
pub struct Server(Sandbox);

pub async fn start(builder: SandboxBuilder) -> Server {
    Server(builder.start().await.unwrap())
}

/// Whether the platforms' own replies to all of these are ones that the specs allow.
#[track_caller]
pub fn assert_allowed(requests: &[RecordedRequest]) {
    for request in requests {
        assert_eq!(request.reply_violations, [], "{request}");
    }
}

impl Deref for Server {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A second panic would hide why the test failed.
        if !std::thread::panicking() {
            assert_allowed(&self.requests());
        }
    }
}
