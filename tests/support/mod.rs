//! Shared by several tests: the stub server, and a runtime with a paused clock.

#![allow(dead_code, unused_imports)] // Each test uses only a part.

mod server;

pub use server::{Exchange, LAST_CHUNK, Log, Script, Server, Step, chunks, head, reply};

use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// A runtime with one thread and a paused clock, which advances only when all tasks are idle.
pub fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        // Loopback delivers in the background. Without this pause, the clock would jump to the next timeout while
        // bytes are in transit.
        .on_thread_park(|| std::thread::sleep(Duration::from_micros(200)))
        .build()
        .unwrap()
}
