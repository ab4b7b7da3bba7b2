//! Waits and watchers under a paused clock: when they poll, and what they report.

mod errors;
mod lookups;
mod polls;
mod script;
mod watcher;
