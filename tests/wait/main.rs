//! Waits and watchers under a paused clock: when they poll, and what they report.
#![cfg(all(feature = "dployr", feature = "edgegap", feature = "nodion"))]

mod errors;
mod polls;
mod script;
mod several;
mod watcher;
