//! Faults times kinds of operation: one table, a server that does every fault, and a runner that
//! holds a client to what the table says.

pub mod expected;
pub mod fault;
pub mod operations;
pub mod rows;
pub mod runner;
