#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![warn(missing_docs, unreachable_pub)]
#![cfg_attr(
    not(test),
    warn(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]
// `HandlerResult` returns a whole reply as its error, to end a handler early.
#![allow(clippy::result_large_err)]

mod builder;
#[cfg(feature = "client")]
mod client;
mod clock;
mod credentials;
pub mod dployr;
pub mod edgegap;
mod faults;
mod ids;
#[cfg(feature = "client")]
mod in_process;
pub mod nexlayer;
pub mod nodion;
mod page;
mod platform;
mod rate_limit;
mod redaction;
mod reply;
mod request;
mod server;
pub mod spec;
mod state;
mod time;
mod webhooks;
mod yaml;

pub use builder::SandboxBuilder;
pub use credentials::{DployrAccess, EdgegapAccess, NexlayerAccess, NodionAccess};
pub use dployr::{Dialect, NodeTask};
pub use faults::{Delivery, Fault, FaultBuilder, FaultError, InjectedFault, Outcome};
#[cfg(feature = "client")]
pub use in_process::InProcessSandbox;
pub use nexlayer::NexlayerPlan;
pub use platform::Platform;
pub use reply::Reply;
pub use request::{RecordedRequest, Request};
pub use server::Sandbox;
pub use state::State;
pub use webhooks::Webhook;
