//! Checks with Prism: as a validating proxy, and as a mock server.

mod documented_replies;
#[path = "../../../examples/lifecycle/lifecycles.rs"]
mod lifecycles;
pub mod mock;
mod operation_order;
#[path = "../../../tests/support/operations/mod.rs"]
mod operations;
mod process;
pub mod proxy;
#[path = "../../../tests/support/mod.rs"]
mod support;
