//! Shared by several tests: the stub server, and a runtime with a paused clock.

#![allow(dead_code, unused_imports)] // Each test uses its own part.

mod server;

pub use server::{Exchange, LAST_CHUNK, Log, Script, Server, Step, chunks, head, reply};

use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// A runtime with one thread and a paused clock, which advances only when nothing else can happen.
pub fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        // Loopback delivers in the background: without this pause, bytes on their way look lost and the
        // clock jumps to the next timeout.
        .on_thread_park(|| std::thread::sleep(Duration::from_micros(200)))
        .build()
        .unwrap()
}
