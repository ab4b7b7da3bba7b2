//! What several tests share: the stub server.

#![allow(dead_code, unused_imports)] // Each test uses its own part.

mod server;

pub use server::{LAST_CHUNK, Log, Script, Seen, Server, Step, chunks, head, reply};
