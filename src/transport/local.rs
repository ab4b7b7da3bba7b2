//! A request as something in the place of a platform gets it, and what that does with it: answer, or
//! fail as networks do.

use super::Scope;
use super::describe::Parts;
use super::failure::Target;
use super::profile::Profile;
use super::wire::LocalReply;
use crate::error::{Effect, Error, ErrorKind, Result};
use crate::operation::Operation;
use crate::preview::RequestPreview;
use crate::secret::Secret;
use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderMap, Method};
use reqwest::{Body, Request, Response, Url};
use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A request with its secrets in it.
pub(crate) struct Sent {
    pub profile: &'static Profile,
    pub base_url: String,
    pub operation: Option<&'static Operation>,
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Option<Vec<u8>>,
    pub by_hand: Vec<(String, String)>,
    /// What a reply might repeat.
    pub secrets: Vec<Secret>,
    /// Whether it asks an address that is not the platform's.
    pub probe: bool,
}

impl Sent {
    pub fn parts(&self) -> Parts<'_> {
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
    }

    pub fn preview(&self) -> RequestPreview {
        self.parts().describe()
    }

    /// The id of the operation; empty for a request without a wrapper.
    pub fn id(&self) -> &'static str {
        self.operation.map_or("", |operation| operation.id)
    }
}

impl Scope {
    /// The request as something in the place of a platform gets it.
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
            secrets: self.secrets(),
            probe: false,
        }
    }

    /// The same for an address that is not the platform's: nothing of the client goes along.
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
            secrets: Vec::new(),
            probe: true,
        }
    }
}

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// A reply, whole.
    Reply(LocalReply),
    /// A reply whose body breaks off after these bytes.
    CutOff(LocalReply),
    /// No connection.
    NoConnection,
    /// No answer, ever: the limit of the attempt ends it.
    Silence,
    /// The connection breaks before there is a reply.
    Broken,
}

/// What becomes of a request, and when.
#[derive(Clone, Debug)]
pub(crate) struct Reaction {
    pub after: Duration,
    pub outcome: Outcome,
}

impl Reaction {
    /// Plays it to the transport, which cannot tell it from a platform.
    pub async fn play(self, target: &Target) -> Result<Response> {
        if !self.after.is_zero() {
            tokio::time::sleep(self.after).await;
        }
        match self.outcome {
            Outcome::Reply(reply) => Ok(reply.into()),
            Outcome::CutOff(reply) => Ok(reply
                .map(|body| Body::wrap_stream(Pieces::cut_off(body)))
                .into()),
            Outcome::NoConnection => {
                let why = io::Error::from(io::ErrorKind::ConnectionRefused);
                let message = format!("no connection could be made: {why}");
                Err(Error::new(ErrorKind::Connect, message)
                    .with_effect(Effect::None)
                    .with_source(why))
            }
            Outcome::Silence => std::future::pending().await,
            Outcome::Broken => {
                let why = io::Error::from(io::ErrorKind::ConnectionReset);
                let message = format!("the connection broke before there was a reply: {why}");
                Err(Error::new(ErrorKind::Interrupted, message)
                    .with_effect(target.effect())
                    .with_source(why))
            }
        }
    }
}

/// A body in pieces, the last of which may be the end of the connection.
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
