//! Logs that are followed, over connections that end in every way.

mod backpressure;
mod dployr;
mod nodion;
mod server;
mod stream_end;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// A clock that stands still while anything can happen.
pub fn runtime() -> Runtime {
    Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        // Loopback delivers in the background: whoever looks for bytes too early would take them for
        // lost, and the clock would jump to the next time limit.
        .on_thread_park(|| std::thread::sleep(Duration::from_micros(200)))
        .build()
        .unwrap()
}
