//! The checks with Prism: as a validating proxy between the client and the sandbox, and as a mock
//! server.

#[path = "../../../examples/lifecycle/lifecycles.rs"]
mod lifecycles;
pub mod mock;
#[path = "../../../tests/support/operations/mod.rs"]
mod operations;
mod process;
pub mod proxy;
mod spec;
#[path = "../../../tests/support/mod.rs"]
mod support;
mod walk;
