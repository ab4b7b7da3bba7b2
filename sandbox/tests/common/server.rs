//! A sandbox server whose replies are checked against the specs.

use std::ops::Deref;

use deploykit_sandbox::{RecordedRequest, Sandbox, SandboxBuilder};

/// A sandbox that asserts on drop that its recorded replies follow the specs.
pub struct Server(Sandbox);

pub async fn start(builder: SandboxBuilder) -> Server {
    Server(builder.start().await.unwrap())
}

/// Asserts that the platforms' replies to these requests follow the specs.
#[track_caller]
pub fn assert_replies_follow_spec(requests: &[RecordedRequest]) {
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
            assert_replies_follow_spec(&self.requests());
        }
    }
}
