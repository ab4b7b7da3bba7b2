//! Followed logs: reconnection, deduplication and cursors, shared by all platforms.
//!
//! A platform implements [`Source`], which reads a connection or a window of the log. [`LogStream`]
//! turns readings into one stream of lines, and [`Dedupe`] drops lines that were read before.

mod backoff;
mod cursor;
mod dedupe;
mod line;
mod line_hash;
mod source;
mod stream;

pub use cursor::LogCursor;
pub use line::LogLine;
pub use stream::LogStream;

pub(crate) use backoff::Backoff;
pub(crate) use dedupe::{Dedupe, Place};
pub(crate) use line_hash::line_hash;
pub(crate) use source::{Event, Item, Reconnect, Source, clock};
