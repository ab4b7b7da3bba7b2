//! A server whose replies are validated against the specs.

use std::ops::Deref;

use deploykit_sandbox::{RecordedRequest, Sandbox, SandboxBuilder};

/// A sandbox that validates its recorded replies when dropped.
pub struct Server(Sandbox);

pub async fn start(builder: SandboxBuilder) -> Server {
    Server(builder.start().await.unwrap())
}

/// Asserts that the specs allow all of the platforms' replies.
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
        // A second panic would hide the first.
        if !std::thread::panicking() {
            assert_allowed(&self.requests());
        }
    }
}
