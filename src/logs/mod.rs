//! Logs that are followed: what is the same on every platform.

mod clock;
mod cursor;
mod identity;
mod pauses;
mod seam;
mod stop;
mod stream;

pub use cursor::LogCursor;
pub use stop::LogStop;
pub use stream::LogStream;

pub(crate) use clock::clock;
pub(crate) use identity::Identity;
pub(crate) use pauses::Pauses;
pub(crate) use seam::{Place, Seam};
pub(crate) use stream::{Event, Item, Reconnect, Source};
