//! A stub server and a runtime with a paused clock, for several test targets.

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
        // Loopback delivers in the background. Without this sleep, the clock would advance to the next
        // timeout before the bytes arrive.
        .on_thread_park(|| std::thread::sleep(Duration::from_micros(200)))
        .build()
        .unwrap()
}
