//! A function that replaces the network, and its answer: a response or a network failure.

use super::describe::Parts;
use super::failure::Target;
use crate::error::{Effect, Error, ErrorKind, Result};
use bytes::Bytes;
use futures_core::Stream;
use reqwest::{Body, Response};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Answers requests in the place of a platform.
pub(crate) trait Answer: Send + Sync {
    /// The reply or network failure to play.
    ///
    /// # Errors
    /// If there is no answer for this request. The call fails with this error.
    fn answer(&self, request: &Parts<'_>) -> Result<Reaction>;
}

/// How the reply reaches the client, or how the network fails in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// The connection breaks at the end of the body, which is incomplete.
    CutOff,
    NoConnection,
    /// Only the timeout of the attempt ends it.
    NoAnswer,
    /// The connection breaks before the reply.
    Broken,
}

/// The answer to a request: after a delay, a reply or a failure of the network.
#[derive(Debug)]
pub(crate) struct Reaction {
    pub delay: Duration,
    pub delivery: Delivery,
    /// Ignored if the delivery fails before the reply.
    pub reply: http::Response<Vec<u8>>,
}

impl Reaction {
    /// Plays the answer to the transport, as the network does.
    pub async fn play(self, target: &Target) -> Result<Response> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        match self.delivery {
            Delivery::Whole => Ok(self.reply.into()),
            Delivery::CutOff => Ok(self.reply.map(cut_off).into()),
            Delivery::NoAnswer => std::future::pending().await,
            Delivery::NoConnection => Err(failure(
                ErrorKind::Connect,
                "no connection could be made",
                io::ErrorKind::ConnectionRefused,
            )
            .with_effect(Effect::None)),
            Delivery::Broken => Err(failure(
                ErrorKind::Interrupted,
                "the connection broke before there was a reply",
                io::ErrorKind::ConnectionReset,
            )
            .with_effect(target.effect())),
        }
    }
}

fn failure(kind: ErrorKind, message: &str, why: io::ErrorKind) -> Error {
    let why = io::Error::from(why);
    Error::new(kind, format!("{message}: {why}")).with_source(why)
}

/// A body that ends with a broken connection.
fn cut_off(body: Vec<u8>) -> Body {
    let broken = io::Error::from(io::ErrorKind::UnexpectedEof);
    Body::wrap_stream(Pieces(VecDeque::from([Ok(Bytes::from(body)), Err(broken)])))
}

struct Pieces(VecDeque<io::Result<Bytes>>);

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front())
    }
}
