//! Test utilities for code that deploys. Feature `testing`.
//!
//! | item | purpose |
//! |---|---|
//! | [`Recorder`] | a mock platform: records requests for snapshots, and returns examples, queued responses or the result of a function |
//! | [`CannedReply`] | one response, or one network failure |
//! | [`ClientBuilder::in_process`](crate::ClientBuilder::in_process) | replaces the network with a function from request to response |
//! | [`describe`] | converts a request that a server received to the form of the recorder |
//!
//! Start with the [`guide`], which also shows the sandbox.
//!
#![cfg_attr(
    feature = "edgegap",
    doc = r##"
```
use deploykit::edgegap::{NewDeployment, User};
use deploykit::testing::{CannedReply, Recorder};

# fn main() -> deploykit::Result<()> {
# let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
# runtime.block_on(async {
let recorder = Recorder::new();
recorder.reply("create_deployment", CannedReply::json(202, r#"{"request_id": "a69f8e3e0555"}"#));
let client = recorder.edgegap()?;

let user = User::ip([75, 28, 35, 192].into());
let deployed = client.deploy(NewDeployment::new("my-app", "1", user)).await?;

assert_eq!(deployed.request_id.as_str(), "a69f8e3e0555");
assert!(recorder.to_string().starts_with("POST /v2/deployments\nauthorization: <redacted>\n"));
# Ok(()) }) }
```
"##
)]

mod canned_reply;
mod examples;
mod in_process;
mod recorder;

pub use canned_reply::CannedReply;
pub use examples::ExampleSelector;
pub use in_process::describe;
pub use recorder::Recorder;

/// How to test code that deploys.
///
#[cfg_attr(
    all(
        feature = "dployr",
        feature = "edgegap",
        feature = "nexlayer",
        feature = "nodion"
    ),
    doc = include_str!("guide.md")
)]
pub mod guide {}
