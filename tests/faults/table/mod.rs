//! The table of faults times kinds of operation, and its runner.

pub mod expected;
pub mod fault;
pub mod operations;
pub mod rows;
pub mod runner;
