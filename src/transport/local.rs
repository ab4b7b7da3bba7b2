//! A request without a network, and its answer: a reply, or a failure of the network.

use super::Scope;
use super::describe::Parts;
use super::failure::Target;
use super::profile::Profile;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::operation::Operation;
use crate::preview::RequestPreview;
use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, Method};
use reqwest::{Body, Request, Response, Url};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A request, not redacted.
pub(crate) struct Sent {
    pub profile: &'static Profile,
    pub base_url: String,
    pub operation: Option<&'static Operation>,
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
    pub by_hand: Vec<(String, String)>,
    /// Whether it goes to an address that is not the platform's.
    pub probe: bool,
}

impl Sent {
    pub fn preview(&self) -> RequestPreview {
        Parts {
            profile: self.profile,
            base_url: &self.base_url,
            operation: self.operation,
            method: &self.method,
            url: &self.url,
            headers: &self.headers,
            body: self.body.as_deref(),
            by_hand: &self.by_hand,
        }
        .describe()
    }
}

impl Scope {
    /// The request for a function in the place of the network.
    pub(crate) fn sent(&self, operation: Option<&'static Operation>, request: &Request) -> Sent {
        Sent {
            profile: self.transport().profile,
            base_url: self.transport().base_url.clone(),
            operation,
            method: request.method().clone(),
            url: request.url().clone(),
            headers: request.headers().clone(),
            body: request.body().and_then(Body::as_bytes).map(<[u8]>::to_vec),
            by_hand: self.options.query.clone(),
            probe: false,
        }
    }

    /// A request to an address that is not the platform's, without credentials and headers.
    pub(crate) fn sent_to(&self, url: &Url) -> Sent {
        Sent {
            profile: self.transport().profile,
            base_url: url.origin().ascii_serialization(),
            operation: None,
            method: Method::GET,
            url: url.clone(),
            headers: HeaderMap::new(),
            body: None,
            by_hand: Vec::new(),
            probe: true,
        }
    }
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
            Delivery::CutOff => Ok(self
                .reply
                .map(|body| Body::wrap_stream(Pieces::cut_off(body)))
                .into()),
            Delivery::NoConnection => {
                let why = io::Error::from(io::ErrorKind::ConnectionRefused);
                let message = format!("no connection could be made: {why}");
                Err(Error::new(ErrorKind::Connect, message)
                    .with_effect(Effect::None)
                    .with_source(why))
            }
            Delivery::NoAnswer => std::future::pending().await,
            Delivery::Broken => {
                let why = io::Error::from(io::ErrorKind::ConnectionReset);
                let message = format!("the connection broke before there was a reply: {why}");
                Err(Error::new(ErrorKind::Interrupted, message)
                    .with_effect(target.effect())
                    .with_source(why))
            }
        }
    }
}

/// A body that ends with a broken connection.
struct Pieces(VecDeque<io::Result<Bytes>>);

impl Pieces {
    fn cut_off(body: Vec<u8>) -> Self {
        let broken = io::Error::from(io::ErrorKind::UnexpectedEof);
        Self(VecDeque::from([Ok(Bytes::from(body)), Err(broken)]))
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.pop_front())
    }
}
