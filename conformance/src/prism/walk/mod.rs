//! Every operation of the four platforms, once, by its wrapper, in an order that has a meaning.
//!
//! A [`Caller`] decides what is done with each call. Where it gives the value of a call, the walk
//! goes on with what was made; where it gives none, with ids that are as good as any to a mock.

mod dployr;
mod dployr_account;
mod dployr_services;
mod edgegap;
mod nexlayer;
mod nodion;

pub use dployr::dployr;
pub use edgegap::edgegap;
pub use nexlayer::nexlayer;
pub use nodion::nodion;

use deploykit::{Call, ClientBuilder, LogStream, Pacing, Platform, Retry};
use std::time::Duration;

/// What sends the calls of a walk.
pub trait Caller {
    /// Sends what this makes, as often as it likes, and gives a value if there is one to go on with.
    async fn call<T: Send + 'static>(&mut self, make: impl Fn() -> Call<T>) -> Option<T>;

    /// The same for a stream, whose lines are read to its end.
    async fn stream<L: Send + 'static>(&mut self, make: impl Fn() -> Call<LogStream<L>>);
}

/// A client that sends every call once, at once, and keeps no call waiting.
fn tuned<P: Platform>(builder: ClientBuilder<P>, base_url: &str) -> ClientBuilder<P> {
    builder
        .base_url(base_url)
        .retry(Retry::off())
        .pacing(Pacing::off())
        .timeout(Duration::from_secs(20))
        .deadline(Duration::from_secs(30))
}
