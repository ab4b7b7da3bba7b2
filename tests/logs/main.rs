//! Followed logs: reconnection, deduplication, cursors, errors and backpressure.

mod backpressure;
mod dployr;
mod nodion;
mod quiet;
mod server;
mod stream_end;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// A runtime with a paused clock, which also works with sockets.
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
