//! Log lines, followed logs and cursors, the same for all platforms.
//!
//! [`LogStream`] reconnects and drops repeated lines. [`LogCursor`] continues a log in another process.

mod cursor;
mod dedupe;
mod line;
mod reconnect;
mod source;
mod stream;

pub use cursor::LogCursor;
pub use line::LogLine;
pub use stream::LogStream;

pub(crate) use dedupe::{Dedupe, LogPosition, line_hash};
pub(crate) use reconnect::{Backoff, Reconnect};
pub(crate) use source::{
    Event, Item, MIN_COST, Source, lines_lost, next_array_item, poll_batch, server_time_millis,
};
