//! Keeping a copy of everything that goes by.

use super::Inner;
use crate::error::{ErrorKind, Result};
use crate::testing::exchange::{Came, Exchange};
use crate::transport::local::Sent;
use bytes::Bytes;
use futures_core::Stream;
use http::HeaderMap;
use reqwest::{Body, Response};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

/// How much of a body is kept, in bytes. A stream that goes on is cut off there.
const MOST_BODY: usize = 4 << 20;

/// What was recorded so far, with its secrets, in memory.
#[derive(Default)]
pub(super) struct Recorded {
    slots: Mutex<Vec<Option<Exchange>>>,
}

impl Recorded {
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock().iter().flatten().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Option<Exchange>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The way into a tape, for a transport.
#[derive(Clone)]
pub(crate) struct Recording(pub(super) Arc<Inner>);

impl Recording {
    /// A request goes out. Until more is known, it gets no answer.
    pub fn begin(&self, sent: Sent) -> Entry {
        let exchange = Exchange {
            sent: Arc::new(sent),
            came: Came::Silence,
        };
        let index = self.0.recorded().map(|recorded| {
            let mut slots = recorded.lock();
            slots.push(Some(exchange));
            slots.len() - 1
        });
        Entry {
            inner: self.0.clone(),
            index: index.unwrap_or(usize::MAX),
        }
    }
}

/// The place of one exchange on the tape.
pub(crate) struct Entry {
    inner: Arc<Inner>,
    index: usize,
}

impl Entry {
    /// What came of it. The body of a reply is copied while it is read.
    pub fn end(self, sent: Result<Response>) -> Result<Response> {
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                self.failed(error.kind());
                return Err(error);
            }
        };
        let (status, headers) = (response.status(), response.headers().clone());
        self.replied(status.as_u16(), headers.clone(), true);
        let copied = Copied {
            body: Box::pin(response.bytes_stream()),
            entry: self,
            full: false,
        };
        let mut reply = http::Response::new(Body::wrap_stream(copied));
        *reply.status_mut() = status;
        *reply.headers_mut() = headers;
        Ok(reply.into())
    }

    /// The same for a reply of which only the status is asked for.
    pub fn end_with_status(self, asked: Result<u16>) -> Result<u16> {
        match &asked {
            Ok(status) => self.replied(*status, HeaderMap::new(), false),
            Err(error) => self.failed(error.kind()),
        }
        asked
    }

    fn replied(&self, status: u16, headers: HeaderMap, cut_off: bool) {
        self.set(Some(Came::Reply {
            status,
            headers,
            body: Vec::new(),
            cut_off,
        }));
    }

    fn failed(&self, kind: ErrorKind) {
        self.set(match kind {
            ErrorKind::Connect => Some(Came::NoConnection),
            ErrorKind::Timeout => Some(Came::Silence),
            ErrorKind::Interrupted => Some(Came::Broken),
            // It was never sent.
            _ => None,
        });
    }

    fn set(&self, came: Option<Came>) {
        let Some(recorded) = self.inner.recorded() else {
            return;
        };
        if let Some(slot) = recorded.lock().get_mut(self.index) {
            match (came, slot.as_mut()) {
                (Some(came), Some(exchange)) => exchange.came = came,
                (None, _) => *slot = None,
                (Some(_), None) => {}
            }
        }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<u8>, &mut bool)) {
        let Some(recorded) = self.inner.recorded() else {
            return;
        };
        let mut slots = recorded.lock();
        let exchange = slots.get_mut(self.index).and_then(Option::as_mut);
        if let Some(Came::Reply { body, cut_off, .. }) = exchange.map(|exchange| &mut exchange.came)
        {
            change(body, cut_off);
        }
    }
}

/// A body that is copied to a tape while it is read.
struct Copied {
    body: Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>,
    entry: Entry,
    full: bool,
}

impl Stream for Copied {
    type Item = reqwest::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.body.as_mut().poll_next(context);
        match &next {
            Poll::Ready(Some(Ok(bytes))) if !self.full => {
                let mut full = false;
                self.entry.change(|body, _| {
                    let room = MOST_BODY.saturating_sub(body.len()).min(bytes.len());
                    body.extend_from_slice(bytes.get(..room).unwrap_or_default());
                    full = room < bytes.len();
                });
                self.full = full;
            }
            Poll::Ready(None) if !self.full => self.entry.change(|_, cut_off| *cut_off = false),
            _ => {}
        }
        next
    }
}
