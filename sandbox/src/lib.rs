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
// A refusal is a whole reply, which ends a handler early.
#![allow(clippy::result_large_err)]

mod access;
mod call;
#[cfg(feature = "client")]
mod client;
mod clock;
pub mod contract;
mod courier;
mod deployed;
pub mod dployr;
pub mod edgegap;
mod fault;
mod ids;
#[cfg(feature = "client")]
mod in_process;
mod model;
pub mod nexlayer;
pub mod nodion;
mod page;
mod server;
mod short;
mod shown;
mod state;
mod time;
mod webhook;

pub use access::{DployrAccess, EdgegapAccess, NexlayerAccess, NodionAccess};
pub use dployr::Dialect;
pub use fault::{Delivery, Fault, FaultError, FaultUse, Outcome, When};
#[cfg(feature = "client")]
pub use in_process::InProcess;
pub use model::{Platform, Recorded, Reply, Request};
pub use nexlayer::Plan;
pub use server::Sandbox;
pub use state::{Builder, State};
pub use webhook::Webhook;
