//! Waits and watchers on a paused clock.

mod errors;
mod lookups;
mod polls;
mod script;
mod watcher;
